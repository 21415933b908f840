// SPDX-License-Identifier: Apache-2.0
// Damage of kept versions, and how it is counted.
#include "stores.hpp"

#include <set>
#include <string>
#include <vector>

namespace gallery::mirror::test {

namespace {

/// The titles of the kept versions, oldest first.
std::vector<std::string> kept_titles(storage_engine& store) {
    std::vector<std::string> out;
    for (const auto& one : all_kept(store))
        out.insert(out.begin(), one.record->title);
    return out;
}

/// An image with the kept versions "1" to "4" in their order.
void fill_versions(storage_engine& store) {
    identify(store);
    const auto first = make_picture(tenant(1), "a", "first");
    for (int i = 1; i <= 5; ++i) {
        auto one = make_picture(tenant(1), "a", std::to_string(i));
        one.record.id = first.record.id;
        one.record.public_key = first.record.public_key;
        one.record.title = std::to_string(i);
        save(store, one, {precondition::any(), previous_version::keep(1'700'000'000'000 + i)});
    }
}

using titles = std::vector<std::string>;

/// A source that cannot return versions with some titles.
struct damaged_source {
    damaged_source() : faulty(*inner) {
        fill_versions(*inner);
        faulty.faulty.on_read = [this](const image_record& record) -> std::optional<error> {
            if (gone.contains(record.title)) return error{errc::corrupt, "other bytes"};
            return std::nullopt;
        };
    }

    scratch_store inner{"memory"};
    faulty_store faulty;
    std::set<std::string> gone;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(damage)

BOOST_AUTO_TEST_CASE(a_kept_version_is_not_dropped_because_the_source_cannot_return_it_any_more) {
    damaged_source source;
    scratch_store target("memory");
    source.gone = {"1"};
    copier first(source.faulty, *target, "the source", small_pages());
    require(await(first.begin(false)));
    require(await(first.copy_all()));
    require(await(first.complete(true)));
    BOOST_TEST(kept_titles(*target) == (titles{"2", "3", "4"}), boost::test_tools::per_element());

    source.gone = {"1", "2", "4"};
    copier second(source.faulty, *target, "the source", small_pages());
    require(await(second.begin(false)));
    require(await(second.copy_all()));
    BOOST_TEST(second.done().versions_dropped == 0U);
    BOOST_TEST(kept_titles(*target) == (titles{"2", "3", "4"}), boost::test_tools::per_element());
    require(await(second.complete(true)));

    // "1" can be stored only behind the others, of which one cannot be copied again.
    source.gone = {"2"};
    copier third(source.faulty, *target, "the source", small_pages());
    require(await(third.begin(false)));
    require(await(third.copy_all()));
    BOOST_TEST(kept_titles(*target) == (titles{"2", "1", "3", "4"}), boost::test_tools::per_element());
    BOOST_TEST(third.done().damaged == 1U);
    const auto compared = await(compare(third.shared(), {})).value();
    for (const auto& text : compared.problems)
        BOOST_ERROR(text);
    BOOST_TEST(compared.known_damage.size() == 1U);

    source.gone.clear();
    copier fourth(source.faulty, *target, "the source", small_pages());
    require(copy_all(fourth));
    check_same(*source.inner, *target);
}

BOOST_AUTO_TEST_CASE(damage_of_a_kept_version_ends_when_the_source_drops_it) {
    damaged_source source;
    scratch_store target("memory");
    source.gone = {"2", "3"};
    copier all(source.faulty, *target, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    BOOST_TEST(all.done().damaged == 2U);
    for (const auto& one : all_kept(*source.inner)) {
        if (!source.gone.contains(one.record->title)) continue;
        const auto& record = *one.record;
        BOOST_REQUIRE(await(source.inner->images().drop_kept(record.id, record.content_rev)).has_value());
    }
    require(await(all.copy_all()));
    BOOST_TEST(all.done().damaged == 0U);
    require(await(all.complete(false)));
    check_same(*source.inner, *target);
}

BOOST_AUTO_TEST_CASE(damage_of_a_kept_version_is_not_forgotten_when_another_one_is_dropped) {
    damaged_source source;
    scratch_store target("memory");
    source.gone = {"2"};
    copier all(source.faulty, *target, "the source", small_pages());
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    BOOST_TEST(all.done().damaged == 1U);
    for (const auto& one : all_kept(*source.inner)) {
        if (one.record->title != "3") continue;
        BOOST_REQUIRE(
            await(source.inner->images().drop_kept(one.record->id, one.record->content_rev)).has_value());
    }
    require(await(all.copy_all()));
    BOOST_TEST(kept_titles(*target) == (titles{"1", "4"}), boost::test_tools::per_element());
    BOOST_TEST(all.done().damaged == 1U);
    BOOST_TEST(bool(await(all.complete(false)).error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(damage_of_any_number_of_items_can_be_cleared) {
    scratch_store source("memory");
    scratch_store target("memory");
    work all(*source, *target, small_pages());
    const auto count = work::max_problems + 500;
    for (std::size_t i = 0; i < count; ++i)
        all.note_damage("item " + std::to_string(i), "a text");
    BOOST_TEST(all.done.damaged == count);
    BOOST_TEST(all.problems().size() == work::max_problems + 1);
    BOOST_TEST(all.problems().back() == "and 500 more");
    for (std::size_t i = 0; i < count; ++i)
        all.clear_damage("item " + std::to_string(i));
    BOOST_TEST(all.done.damaged == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
