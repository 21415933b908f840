// SPDX-License-Identifier: Apache-2.0
// The comparison of two stores finds each kind of difference.
#include "stores.hpp"

#include <functional>
#include <string>

namespace gallery::mirror::test {

namespace {

/// A filled store and a complete copy of it.
struct copied {
    scratch_store source{"memory"};
    scratch_store target{"memory"};

    copied() {
        fill(*source);
        copier copying(*source, *target, "the source", small_pages());
        require(copy_all(copying));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(comparisons)

BOOST_AUTO_TEST_CASE(each_difference_is_found_and_named) {
    struct difference {
        const char* said;
        std::function<void(storage_engine&)> make;
    };
    const difference all[] = {
        {"'key-1' of tenant", [](storage_engine& s) { erase(s, tenant(1), "key-1"); }},
        {"missing in the target", [](storage_engine& s) { erase(s, tenant(1), "key-1"); }},
        {"only in the target", [](storage_engine& s) { save(s, make_picture(tenant(1), "more", "more")); }},
        {"the versions differ",
         [](storage_engine& s) { save(s, make_picture(tenant(1), "key-1", "other bytes")); }},
        {"the records differ",
         [](storage_engine& s) {
             auto record = *await(s.images().find(tenant(1), "key-1")).value();
             record.tags.push_back("z");
             BOOST_REQUIRE(await(s.images().update(record, precondition::any())).has_value());
         }},
        {"document user/id-0: the contents differ",
         [](storage_engine& s) { save_document(s, "user", "id-0", "?"); }},
        {"document user/more: only in the target",
         [](storage_engine& s) { save_document(s, "user", "more", "?"); }},
        {"document tenant/id-1: missing in the target",
         [](storage_engine& s) {
             BOOST_REQUIRE(await(s.documents().erase("tenant", "id-1", precondition::any())).has_value());
         }},
        {"the kept versions differ, first at number 1",
         [](storage_engine& s) {
             const auto kept =
                 await(s.images().kept(std::nullopt, kept_order::oldest_first, "", 1)).value().items;
             const auto& record = *kept.at(0).record;
             BOOST_REQUIRE(await(s.images().drop_kept(record.id, record.content_rev)).has_value());
         }},
    };
    for (const auto& one : all) {
        BOOST_TEST_CONTEXT(one.said) {
            copied both;
            auto& [source, target] = both;
            BOOST_TEST(differences(*source, *target).empty());
            one.make(*target);
            const auto found = differences(*source, *target);
            BOOST_TEST(found.size() == 1U);
            BOOST_TEST(mentions(found, one.said));
        }
    }
}

BOOST_AUTO_TEST_CASE(damage_is_found_on_both_sides_and_only_if_bodies_are_read) {
    for (const bool in_source : {true, false}) {
        copied both;
        auto& [source, target] = both;
        faulty_store damaged(in_source ? *source : *target);
        damaged.faulty.on_read = [](const image_record& record) -> std::optional<error> {
            if (record.key == "key-1") return error{errc::corrupt, "other bytes"};
            return std::nullopt;
        };
        work all(in_source ? damaged : *source, in_source ? *target : damaged, small_pages());
        const auto found = await(compare(all, {})).value();
        BOOST_REQUIRE(found.problems.size() == 1U);
        BOOST_TEST(mentions(found.problems, in_source ? "damaged in source" : "damaged in target"));
        BOOST_TEST(await(compare(all, {.read_bodies = false})).value().is_same());
    }
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_a_difference_and_not_the_end) {
    for (const bool in_source : {true, false}) {
        copied both;
        auto& [source, target] = both;
        erase(*target, tenant(2), "key-2");
        faulty_store damaged(in_source ? *source : *target);
        damaged.faulty.on_find = [](const std::string& key) -> std::optional<error> {
            if (key == "key-1") return error{errc::io_error, "input/output error"};
            return std::nullopt;
        };
        work all(in_source ? damaged : *source, in_source ? *target : damaged, small_pages());
        const auto found = await(compare(all, {}));
        BOOST_REQUIRE_MESSAGE(found.has_value(), message_of(found));
        BOOST_TEST(found->problems.size() == 2U);
        BOOST_TEST(mentions(found->problems, in_source ? "damaged in source" : "damaged in target"));
        BOOST_TEST(mentions(found->problems, "'key-2'"));
    }
}

BOOST_AUTO_TEST_CASE(damage_that_the_copy_has_noted_is_listed_apart) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store damaged(*source);
    const std::string kept_title = all_kept(*source).at(2).record->title;
    damaged.faulty.on_read = [&kept_title](const image_record& record) -> std::optional<error> {
        if (record.key == "key-1" || record.title == kept_title) return error{errc::corrupt, "other bytes"};
        return std::nullopt;
    };
    copier copying(damaged, *target, "the source", small_pages());
    require(await(copying.begin(false)));
    require(await(copying.copy_all()));
    BOOST_TEST(copying.problems().size() == 2U);
    const auto found = await(compare(copying.shared(), {})).value();
    for (const auto& text : found.problems)
        BOOST_ERROR(text);
    BOOST_TEST(found.known_damage.size() == 2U);
    BOOST_TEST(mentions(found.known_damage, "'key-1'"));
    BOOST_TEST(mentions(found.known_damage, "a kept version"));
    erase(*target, tenant(2), "key-2");
    BOOST_TEST(await(compare(copying.shared(), {})).value().problems.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
