// SPDX-License-Identifier: Apache-2.0
// Every operation on images, one at a time.
#include "store_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

using namespace gallery;
using namespace gallery::contract;

BOOST_FIXTURE_TEST_SUITE(images, store_fixture)

BOOST_AUTO_TEST_CASE(a_saved_image_is_found_by_each_of_its_names_with_its_bytes) {
    const auto wanted = make(tenant_number(1), "a.jpg");
    must_save(wanted, precondition::absent());
    expect_stored(wanted);
}

BOOST_AUTO_TEST_CASE(an_unknown_image_is_not_found) {
    expect_absent(make(tenant_number(1), "never saved"));
    must_save(make(tenant_number(1), "a"));
    expect_absent(make(tenant_number(2), "a"));
    expect_absent(make(tenant_number(1), "b"));
}

BOOST_AUTO_TEST_CASE(each_save_has_a_larger_revision) {
    revision last = 0;
    for (int i = 0; i < 5; ++i)
        for (const auto* key : {"a", "b"}) {
            const auto saved = must_save(make(tenant_number(1), key));
            BOOST_TEST(saved->rev > last);
            last = saved->rev;
        }
}

BOOST_AUTO_TEST_CASE(saving_over_an_image_replaces_record_bytes_id_and_public_key) {
    const auto before = make(tenant_number(1), "a");
    const auto after = make(tenant_number(1), "a", 5000, 700);
    must_save(before);
    must_save(after);
    expect_stored(after);
    const auto old_id = await(store().find_by_id(before.record.id));
    BOOST_TEST((old_id.has_error() && old_id.error().code == errc::not_found));
    const auto old_link = await(store().find_by_public_key(before.record.public_key));
    BOOST_TEST((old_link.has_error() && old_link.error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(replacing_with_the_same_id_and_public_key_keeps_them) {
    const auto before = make(tenant_number(1), "a");
    const auto after = with_bytes(before, 4000, 0);
    must_save(before);
    must_save(after);
    expect_stored(after);
}

BOOST_AUTO_TEST_CASE(the_same_key_of_two_tenants_is_two_images) {
    const auto one = make(tenant_number(1), "a");
    const auto two = make(tenant_number(2), "a");
    must_save(one, precondition::absent());
    must_save(two, precondition::absent());
    expect_stored(one);
    BOOST_TEST(erase(tenant_number(1), "a")->status == write_status::committed);
    expect_absent(one);
    expect_stored(two);
}

BOOST_AUTO_TEST_CASE(a_preview_that_is_the_original_is_read_as_the_original) {
    auto wanted = make(tenant_number(1), "small.png", 300, 0);
    wanted.record.preview_is_original = true;
    wanted.record.preview = wanted.record.original;
    must_save(wanted);
    expect_stored(wanted);
    reopen();
    expect_stored(wanted);
    const auto with_preview = with_bytes(wanted, 500, 50);
    must_save(with_preview);
    expect_stored(with_preview);
    must_save(wanted);
    expect_stored(wanted);
}

BOOST_AUTO_TEST_CASE(an_update_changes_six_fields_and_nothing_else) {
    const auto before = make(tenant_number(1), "a");
    const auto saved = must_save(before);
    auto other = make(tenant_number(1), "a", 77, 7).record;
    other.title = "Another title";
    other.file_name = "another.png";
    other.sub_type = image_sub_type::scada_symbol;
    other.is_public = !before.record.is_public;
    other.tags = {"a tag", "another"};
    other.modified_time = before.record.modified_time + 12'345;
    const auto outcome = update(other, precondition::match(saved->rev));
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
    BOOST_TEST(outcome->rev > saved->rev);

    auto wanted = before;
    wanted.record.title = other.title;
    wanted.record.file_name = other.file_name;
    wanted.record.sub_type = other.sub_type;
    wanted.record.is_public = other.is_public;
    wanted.record.tags = other.tags;
    wanted.record.modified_time = other.modified_time;
    expect_stored(wanted);
    const auto found = must_find(tenant_number(1), "a");
    BOOST_TEST((*outcome->record == *found));
    BOOST_TEST(found->rev == outcome->rev);
    BOOST_TEST(found->content_rev == saved->content_rev);

    other.tags.clear();
    BOOST_TEST(update(other)->status == write_status::committed);
    BOOST_TEST(must_find(tenant_number(1), "a")->tags.empty());
}

BOOST_AUTO_TEST_CASE(images_with_the_same_content_are_found_in_the_order_of_their_ids) {
    const auto content = make(tenant_number(1), "first", 3'000);
    const auto copy_of = [&](tenant_id tenant, std::string key) {
        auto one = make(tenant, std::move(key), 1, 7);
        one.original = content.original;
        one.record.original = content.record.original;
        return one;
    };
    const auto ids_of = [&](tenant_id tenant) {
        std::vector<image_id> ids;
        const auto found = await(store().find_by_content(tenant, content.record.original.etag));
        BOOST_REQUIRE_MESSAGE(found.has_value(), "find_by_content: " << found.error().message);
        for (const auto& record : *found) {
            BOOST_TEST((*record == *must_find(record->tenant, record->key)));
            ids.push_back(record->id);
        }
        return ids;
    };
    BOOST_TEST(ids_of(tenant_number(1)).empty());
    must_save(content);
    must_save(make(tenant_number(1), "other"));
    auto symbol = copy_of(tenant_number(1), "symbol");
    symbol.record.sub_type = image_sub_type::scada_symbol;
    must_save(symbol);
    const auto elsewhere = copy_of(tenant_number(2), "first");
    must_save(elsewhere);
    std::vector<image_id> expected = {content.record.id, symbol.record.id};
    std::sort(expected.begin(), expected.end());
    BOOST_TEST((ids_of(tenant_number(1)) == expected));
    BOOST_TEST((ids_of(tenant_number(2)) == std::vector<image_id>{elsewhere.record.id}));
    BOOST_TEST(ids_of(tenant_number(3)).empty());

    for (unsigned i = 0; i < image_store::max_same_content + 2; ++i) {
        const auto one = copy_of(tenant_number(1), "copy " + std::to_string(i));
        must_save(one);
        expected.push_back(one.record.id);
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(image_store::max_same_content);
    BOOST_TEST((ids_of(tenant_number(1)) == expected));
    reopen();
    BOOST_TEST((ids_of(tenant_number(1)) == expected));

    // What is replaced, changed or erased.
    must_save(with_bytes(elsewhere, 50, 5));
    BOOST_TEST(ids_of(tenant_number(2)).empty());
    for (const auto& record : scan_all(tenant_number(1), 100))
        if (record->id != content.record.id) erase(record->tenant, record->key).value();
    auto renamed = content.record;
    renamed.title = "renamed";
    renamed.sub_type = image_sub_type::scada_symbol;
    update(renamed).value();
    BOOST_TEST((ids_of(tenant_number(1)) == std::vector<image_id>{content.record.id}));
    erase(tenant_number(1), "first", {precondition::any(), previous_version::keep(1)}).value();
    BOOST_TEST(ids_of(tenant_number(1)).empty());
}

BOOST_AUTO_TEST_CASE(an_erased_image_is_gone_and_its_names_are_free) {
    const auto wanted = make(tenant_number(1), "a");
    const auto saved = must_save(wanted);
    const auto outcome = erase(tenant_number(1), "a", precondition::match(saved->rev));
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == write_status::committed);
    BOOST_TEST(outcome->rev > saved->rev);
    expect_absent(wanted);
    auto again = wanted;
    again.record.key = "b";
    must_save(again, precondition::absent());
    expect_stored(again);
}

BOOST_AUTO_TEST_CASE(a_lost_precondition_changes_nothing_and_shows_what_is_there) {
    const auto wanted = make(tenant_number(1), "a");
    const auto other = make(tenant_number(1), "a");
    const auto nothing_there = save(wanted, precondition::match(1));
    BOOST_TEST_REQUIRE(nothing_there.has_value());
    BOOST_TEST(nothing_there->status == write_status::conflict);
    BOOST_TEST(nothing_there->rev == 0U);
    BOOST_TEST((nothing_there->record == nullptr));

    const auto saved = must_save(wanted, precondition::absent());
    const auto lost = [&](const result<write_outcome>& outcome) {
        return outcome.has_value() && outcome->status == write_status::conflict &&
               outcome->rev == saved->rev && outcome->record != nullptr && *outcome->record == *saved;
    };
    BOOST_TEST(lost(save(other, precondition::absent())));
    BOOST_TEST(lost(save(other, precondition::match(saved->rev + 1))));
    BOOST_TEST(lost(update(other.record, precondition::absent())));
    BOOST_TEST(lost(update(other.record, precondition::match(saved->rev + 1))));
    BOOST_TEST(lost(erase(tenant_number(1), "a", precondition::absent())));
    BOOST_TEST(lost(erase(tenant_number(1), "a", precondition::match(saved->rev + 1))));
    expect_stored(wanted);
    BOOST_TEST(last_change() == saved->rev);
}

BOOST_AUTO_TEST_CASE(update_and_erase_of_nothing_are_absent) {
    const auto nothing = make(tenant_number(1), "a").record;
    for (const auto condition : {precondition::any(), precondition::match(7)}) {
        const auto updated = update(nothing, condition);
        BOOST_TEST((updated.has_value() && updated->status == write_status::absent && updated->rev == 0));
        const auto erased = erase(tenant_number(1), "a", condition);
        BOOST_TEST((erased.has_value() && erased->status == write_status::absent && erased->rev == 0));
    }
}

BOOST_AUTO_TEST_CASE(a_public_key_belongs_to_one_image_of_the_whole_store) {
    const auto owner = make(tenant_number(1), "a");
    must_save(owner);
    for (const auto* key : {"a", "b"}) {
        auto thief = make(tenant_number(2), key);
        thief.record.public_key = owner.record.public_key;
        const auto outcome = save(thief, precondition::absent());
        BOOST_TEST_REQUIRE(outcome.has_value());
        BOOST_TEST(outcome->status == write_status::public_key_taken);
        BOOST_TEST(find(tenant_number(2), key).has_error());
    }
    expect_stored(owner);
    erase(tenant_number(1), "a").value();
    auto heir = make(tenant_number(2), "b");
    heir.record.public_key = owner.record.public_key;
    must_save(heir);
    expect_stored(heir);
}

BOOST_AUTO_TEST_CASE(public_keys_that_differ_in_case_are_two) {
    auto upper = make(tenant_number(1), "a");
    auto lower = make(tenant_number(1), "b");
    upper.record.public_key = std::string(32, 'A');
    lower.record.public_key = std::string(32, 'a');
    must_save(upper);
    must_save(lower);
    expect_stored(upper);
    expect_stored(lower);
}

BOOST_AUTO_TEST_CASE(an_id_belongs_to_one_key) {
    const auto owner = make(tenant_number(1), "a");
    must_save(owner);
    auto thief = make(tenant_number(1), "b");
    thief.record.id = owner.record.id;
    const auto outcome = save(thief);
    BOOST_TEST((outcome.has_error() && outcome.error().code == errc::invalid_argument));
    BOOST_TEST(find(tenant_number(1), "b").has_error());
    expect_stored(owner);
}

BOOST_AUTO_TEST_CASE(bytes_of_another_size_than_described_are_refused) {
    auto wrong_original = make(tenant_number(1), "a");
    wrong_original.record.original.size += 1;
    auto wrong_preview = make(tenant_number(1), "a");
    wrong_preview.record.preview.size -= 1;
    for (const auto& wrong : {wrong_original, wrong_preview}) {
        const auto outcome = save(wrong);
        BOOST_TEST((outcome.has_error() && outcome.error().code == errc::invalid_argument));
    }
    BOOST_TEST(find(tenant_number(1), "a").has_error());
    wrong_preview.record.preview_is_original = true;
    must_save(wrong_preview);
}

BOOST_AUTO_TEST_CASE(of_several_things_wrong_with_a_save_the_first_is_answered) {
    const auto owner = make(tenant_number(1), "owner");
    must_save(owner);
    const auto there = must_save(make(tenant_number(1), "there"));
    const auto lost = precondition::absent();
    const auto is_refused = [](const result<write_outcome>& outcome) {
        return outcome.has_error() && outcome.error().code == errc::invalid_argument;
    };
    const auto is_lost = [&](const result<write_outcome>& outcome) {
        return outcome.has_value() && outcome->status == write_status::conflict &&
               outcome->rev == there->rev && outcome->record != nullptr && *outcome->record == *there;
    };

    auto wrong = make(tenant_number(1), "there");
    wrong.record.public_key = owner.record.public_key;
    BOOST_TEST(is_lost(save(wrong, lost)), "the precondition is judged before the public key");
    const auto taken = save(wrong);
    BOOST_TEST_REQUIRE(taken.has_value());
    BOOST_TEST(taken->status == write_status::public_key_taken);
    BOOST_TEST(taken->rev == there->rev);
    BOOST_TEST((taken->record == nullptr || *taken->record == *there));

    wrong.record.id = owner.record.id;
    BOOST_TEST(is_lost(save(wrong, lost)), "the precondition is judged before the id");
    BOOST_TEST(is_refused(save(wrong)), "the id is judged before the public key");

    wrong.record.original.size += 1;
    BOOST_TEST(is_refused(save(wrong, lost)), "sizes are judged before the precondition");
    BOOST_TEST((*must_find(tenant_number(1), "there") == *there));
    expect_stored(owner);
    BOOST_TEST(last_change() == there->rev);
}

BOOST_AUTO_TEST_CASE(revisions_of_the_argument_are_ignored) {
    auto wanted = make(tenant_number(1), "a");
    wanted.record.rev = 1'000'000'000;
    wanted.record.content_rev = 2'000'000'000;
    const auto saved = must_save(wanted);
    BOOST_TEST(saved->rev < 1'000'000'000U);
    auto changed = *saved;
    changed.rev = changed.content_rev = 3'000'000'000;
    const auto outcome = update(changed);
    BOOST_TEST(outcome->rev < 1'000'000'000U);
    BOOST_TEST(outcome->record->content_rev == saved->content_rev);
}

BOOST_AUTO_TEST_CASE(a_revision_is_never_used_again) {
    std::vector<revision> seen;
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 5; ++i) {
            seen.push_back(must_save(make(tenant_number(1), "a"), precondition::absent())->rev);
            seen.push_back(save_document({"user", "u", "{}", 0})->rev);
            seen.push_back(await(documents().erase("user", "u", precondition::any()))->rev);
            seen.push_back(erase(tenant_number(1), "a")->rev);
        }
        reopen();
    }
    BOOST_TEST(std::is_sorted(seen.begin(), seen.end()));
    BOOST_TEST((std::adjacent_find(seen.begin(), seen.end()) == seen.end()));
}

BOOST_AUTO_TEST_CASE(a_scan_shows_everything_once_in_order_of_tenant_and_key) {
    std::vector<image_record> wanted;
    for (unsigned tenant = 1; tenant <= 3; ++tenant)
        for (const auto* key : {"b", "a", "A", "\xC3\xA4", "a.b", "aa", "~", "0"}) {
            auto one = make(tenant_number(tenant), key);
            if (number(2) == 1) one.record.sub_type = image_sub_type::scada_symbol;
            must_save(one);
            wanted.push_back(one.record);
        }
    std::sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) {
        return a.tenant != b.tenant ? a.tenant < b.tenant : a.key < b.key;
    });
    const auto matches = [](const std::vector<record_ptr>& got, const std::vector<image_record>& all) {
        return std::equal(got.begin(), got.end(), all.begin(), all.end(),
                          [](const auto& a, const auto& b) { return same_but_revisions(*a, b); });
    };
    for (const std::size_t limit : {1U, 2U, 5U, 8U, 100U}) {
        BOOST_TEST(matches(scan_all(std::nullopt, limit), wanted));
        const std::vector<image_record> second(wanted.begin() + 8, wanted.begin() + 16);
        BOOST_TEST(matches(scan_all(tenant_number(2), limit), second));
    }
    BOOST_TEST(scan_all(tenant_number(9), 10).empty());
}

BOOST_AUTO_TEST_CASE(a_scan_goes_on_after_its_place_was_erased) {
    for (const auto* key : {"a", "b", "c", "d"})
        must_save(make(tenant_number(1), key));
    auto first = await(store().scan(std::nullopt, "", 2));
    BOOST_TEST_REQUIRE(first->items.size() == 2U);
    erase(tenant_number(1), "b").value();
    const auto rest = await(store().scan(std::nullopt, first->cursor, 10));
    BOOST_TEST_REQUIRE(rest.has_value());
    BOOST_TEST_REQUIRE(rest->items.size() == 2U);
    BOOST_TEST(rest->items[0]->key == "c");
    BOOST_TEST(rest->cursor.empty());
}

BOOST_AUTO_TEST_CASE(a_foreign_cursor_is_refused) {
    must_save(make(tenant_number(1), "a"));
    for (const auto* cursor : {"x", "no cursor at all", "\xFF", "00000000-0000-0000-0000-000000000000"}) {
        const auto page = await(store().scan(std::nullopt, cursor, 10));
        BOOST_TEST((page.has_error() && page.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(a_limit_of_0_is_refused) {
    must_save(make(tenant_number(1), "a"));
    save_document({"user", "u", "{}", 0}).value();
    const auto is_refused = [](const auto& answer) {
        return answer.has_error() && answer.error().code == errc::invalid_argument;
    };
    const std::optional<tenant_id> everybody;
    BOOST_TEST(is_refused(await(store().scan(everybody, "", 0))));
    BOOST_TEST(is_refused(await(documents().scan("user", "", 0))));
    BOOST_TEST(is_refused(await(feed().changes(0, 0))));
}

BOOST_AUTO_TEST_CASE(check_counts_what_is_there) {
    for (const auto* key : {"a", "b", "c"})
        must_save(make(tenant_number(1), key));
    erase(tenant_number(1), "b").value();
    save_document({"user", "u", "{}", 0}).value();
    const auto report = await(engine().check());
    BOOST_TEST_REQUIRE(report.has_value());
    BOOST_TEST(report->records == 2U);
    BOOST_TEST(report->documents == 1U);
    BOOST_TEST(report->index_entries >= 2U);
    BOOST_TEST(report->problems.empty());
}

BOOST_AUTO_TEST_CASE(options_that_can_be_reloaded_change_nothing_that_is_stored) {
    std::vector<image> all;
    for (unsigned i = 0; i < 30; ++i) {
        all.push_back(make(tenant_number(i % 3), "image " + std::to_string(i), 1000 + i * 300));
        must_save(all.back());
    }
    for (const bool to_the_least : {true, false, true}) {
        change_options(engine(), folder(), to_the_least);
        for (const auto& each : all)
            expect_stored(each);
        all[0] = with_bytes(all[0], 5000, 30);
        must_save(all[0]);
        expect_stored(all[0]);
    }
}

BOOST_AUTO_TEST_CASE(options_change_while_the_store_is_used) {
    std::vector<image> all;
    for (unsigned i = 0; i < 10; ++i) {
        all.push_back(make(tenant_number(i), "image", 2000));
        must_save(all.back());
    }
    std::atomic<bool> is_done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!is_done) {
                for (const auto& each : all) {
                    const auto record = find(each.record.tenant, each.record.key);
                    const auto got = record ? read(*record, representation::original)
                                            : result<std::string>(record.error());
                    if (!got || *got != each.original) ++wrong;
                }
            }
        });
    }
    for (int i = 0; i < 50; ++i)
        change_options(engine(), folder(), i % 2 == 0);
    is_done = true;
    for (auto& reader : readers)
        reader.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(statistics_have_names_kinds_and_help) {
    must_save(make(tenant_number(1), "a"));
    const auto figures = engine().statistics();
    std::set<std::string> names;
    for (const auto& figure : figures) {
        BOOST_TEST_CONTEXT(figure.name) {
            BOOST_TEST(!figure.name.empty());
            BOOST_TEST(figure.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                       std::string::npos);
            BOOST_TEST(names.insert(figure.name).second);
            BOOST_TEST(figure.name.ends_with("_total") == (figure.what == statistic::kind::counter));
            BOOST_TEST(!figure.help.empty());
            BOOST_TEST(figure.help.find('\n') == std::string::npos);
            BOOST_TEST(figure.value == figure.value);
        }
    }
    // The same figures at each call, and counters never fall.
    must_save(make(tenant_number(1), "a"));
    const auto later = engine().statistics();
    BOOST_TEST_REQUIRE(later.size() == figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i) {
        BOOST_TEST(later[i].name == figures[i].name);
        if (figures[i].what == statistic::kind::counter) BOOST_TEST(later[i].value >= figures[i].value);
    }
}

BOOST_AUTO_TEST_SUITE_END()
