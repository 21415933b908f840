// SPDX-License-Identifier: Apache-2.0
// The comparison of two stores finds each kind of difference.
#include "stores.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace gallery::mirror::test {

namespace {

bool mentions(const std::vector<std::string>& texts, const std::string& part) {
    return std::any_of(texts.begin(), texts.end(),
                       [&part](const std::string& text) { return text.find(part) != std::string::npos; });
}

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
            scratch_store source("memory");
            scratch_store target("memory");
            fill(*source);
            copier copying(*source, *target, "the source", small_pages());
            require(copy_all(copying));
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
        scratch_store source("memory");
        scratch_store target("memory");
        fill(*source);
        copier copying(*source, *target, "the source", small_pages());
        require(copy_all(copying));
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

BOOST_AUTO_TEST_CASE(what_was_written_meanwhile_is_no_difference) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    copier copying(*source, *target, "the source", small_pages());
    require(copy_all(copying));
    save(*source, make_picture(tenant(1), "key-1", "new"), {precondition::any(), previous_version::keep(1)});
    save(*source, make_picture(tenant(1), "key-new", "new"));
    erase(*source, tenant(1), "key-4");
    save_document(*source, "user", "id-0", "new");
    BOOST_TEST(differences(*source, *target).size() == 5U);
    comparison_options how;
    how.catch_up = [&copying]() -> task<result<void>> {
        const auto followed = co_await copying.follow();
        if (!followed) co_return followed.error();
        co_return result<void>();
    };
    const auto found = await(compare(copying.shared(), std::move(how))).value();
    BOOST_TEST(found.is_same());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
