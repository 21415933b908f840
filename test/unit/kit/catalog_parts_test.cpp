// SPDX-License-Identifier: Apache-2.0
// The pieces of the catalog, compared with simple models of them.
#include "boost_test.hpp"

#include "number_table.hpp"
#include "packed_record.hpp"
#include "ranked_numbers.hpp"
#include "row_matches.hpp"
#include "text_scan.hpp"

#include <gallery/characters.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace gallery;
using namespace gallery::kit;

BOOST_AUTO_TEST_SUITE(catalog_parts)

BOOST_AUTO_TEST_CASE(a_table_of_numbers_finds_what_it_contains_and_nothing_else) {
    std::mt19937_64 dice(1);
    for (const std::uint64_t hashes : {3ULL, 100ULL, 1ULL << 40}) {
        number_table table;
        std::map<std::uint32_t, std::uint64_t> model;  // hash by number
        const auto hash_of = [&](std::uint32_t number) { return model.at(number); };
        for (int step = 0; step < 20'000; ++step) {
            const auto number = static_cast<std::uint32_t>(dice() % 600);
            const auto is_number = [number](std::uint32_t other) { return other == number; };
            if (const auto there = model.find(number); there == model.end()) {
                const auto hash = mix(dice() % hashes);
                BOOST_TEST(!table.find(hash, is_number).has_value());
                model.emplace(number, hash);
                table.insert(hash, number, hash_of);
            } else if (dice() % 3 != 0) {
                BOOST_TEST((table.find(there->second, is_number) == number));
            } else {
                BOOST_TEST(table.erase(there->second, number, hash_of));
                BOOST_TEST(!table.erase(there->second, number, hash_of));
                model.erase(there);
            }
            BOOST_TEST(table.size() == model.size());
        }
        for (const auto& [number, hash] : model) {
            const auto wanted = number;
            BOOST_TEST(
                (table.find(hash, [wanted](std::uint32_t other) { return other == wanted; }) == wanted));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_table_of_numbers_stays_compact) {
    number_table table;
    const auto hash_of = [](std::uint32_t number) { return mix(number); };
    table.reserve(1000, hash_of);
    for (std::uint32_t n = 0; n < 100'000; ++n)
        table.insert(hash_of(n), n, hash_of);
    for (std::uint32_t n = 0; n < 100'000; n += 2)
        BOOST_TEST(table.erase(hash_of(n), n, hash_of));
    std::size_t found = 0;
    for (std::uint32_t n = 0; n < 100'000; ++n)
        found += table.find(hash_of(n), [n](std::uint32_t other) { return other == n; }) ? 1 : 0;
    BOOST_TEST(found == 50'000U);
    BOOST_TEST(table.size() == 50'000U);
}

BOOST_AUTO_TEST_CASE(ranked_numbers_have_the_positions_of_a_sorted_list) {
    std::mt19937_64 dice(2);
    for (const bool begins_full : {false, true}) {
        ranked_numbers list;
        std::set<std::uint32_t> model;
        if (begins_full) {
            for (std::uint32_t n = 0; n < 5'000; ++n)
                model.insert(n * 7);
            list.assign({model.begin(), model.end()});
        }
        const auto compare = [&] {
            BOOST_TEST_REQUIRE(list.size() == model.size());
            std::size_t position = 0;
            for (const auto number : model) {
                BOOST_TEST_REQUIRE(list[position] == number);
                BOOST_TEST_REQUIRE(
                    list.lower_bound([number](std::uint32_t other) { return other < number; }) == position);
                ++position;
            }
            std::vector<std::uint32_t> all;
            list.for_each([&](std::uint32_t number) {
                all.push_back(number);
                return true;
            });
            BOOST_TEST((all == std::vector<std::uint32_t>(model.begin(), model.end())));
            all.clear();
            list.for_each_backwards([&](std::uint32_t number) {
                all.push_back(number);
                return all.size() < 700;
            });
            std::vector<std::uint32_t> last(model.rbegin(), model.rend());
            if (last.size() > 700) last.resize(700);
            BOOST_TEST((all == last));
        };
        compare();
        // Grows, shrinks to nothing, grows again.
        for (const unsigned inserts : {80U, 10U, 60U}) {
            for (int step = 0; step < 12'000; ++step) {
                const auto number = static_cast<std::uint32_t>(dice() % 40'000);
                const auto is_before = [number](std::uint32_t other) { return other < number; };
                if (dice() % 100 < inserts) {
                    if (model.insert(number).second) list.insert(number, is_before);
                } else if (!model.empty()) {
                    auto there = model.lower_bound(number);
                    if (there == model.end()) there = model.begin();
                    const auto erased = *there;
                    model.erase(there);
                    const auto is_before_it = [erased](std::uint32_t other) { return other < erased; };
                    BOOST_TEST(list.erase(erased, is_before_it));
                    BOOST_TEST(!list.erase(erased, is_before_it));
                }
            }
            compare();
        }
        list.assign({});
        BOOST_TEST(list.size() == 0U);
        BOOST_TEST(list.lower_bound([](std::uint32_t) { return true; }) == 0U);
    }
}

BOOST_AUTO_TEST_CASE(every_method_of_scanning_finds_each_text_with_the_part) {
    std::mt19937_64 dice(3);
    // Few letters, so that there are matches everywhere: at the ends of texts and of steps.
    const std::string letters = "abAB1 \xC3\xA4";
    const auto text = [&](std::size_t most, bool is_folded) {
        std::string made;
        for (auto left = dice() % (most + 1); left > 0; --left) {
            const char c = letters[dice() % letters.size()];
            made += is_folded ? ascii_lower(c) : c;
        }
        return made;
    };
    for (int step = 0; step < 3'000; ++step) {
        std::vector<std::string> texts(dice() % 100);
        std::string block;
        for (auto& one : texts) {
            one = text(dice() % 20 == 0 ? 300 : 12, false);
            block += one + '\0';
        }
        const auto size = block.size();
        // What follows is not searched.
        for (std::size_t i = 0; i < scan_padding; ++i)
            block += "ab"[i % 2];
        auto part = text(dice() % 10 == 0 ? 70 : 4, true);
        if (dice() % 4 == 0 && !texts.empty()) {
            const auto& from = texts[dice() % texts.size()];
            part = ascii_lower(from.substr(dice() % (from.size() + 1)));
        }
        if (part.empty()) part = "a";
        std::vector<std::uint64_t> wanted(2);
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (ascii_lower(texts[i]).find(part) != std::string::npos)
                wanted[i / 64] |= std::uint64_t{1} << i % 64;
        for (const auto how : scan_methods()) {
            std::vector<std::uint64_t> found(2);
            text_pattern(part, how).find(std::string_view(block).substr(0, size), found.data());
            BOOST_TEST_REQUIRE((found == wanted), "method " << static_cast<int>(how) << ", part '" << part
                                                            << "' in " << texts.size() << " texts");
        }
    }
    for (const auto how : scan_methods()) {
        std::uint64_t found = 0;
        const std::string block = std::string("a\0b\0", 4) + std::string(scan_padding, '\0');
        text_pattern(std::string("a\0b", 3), how).find(std::string_view(block).substr(0, 4), &found);
        BOOST_TEST(found == 0U);
    }
}

BOOST_AUTO_TEST_CASE(texts_of_rows_are_found_where_they_were_set) {
    std::mt19937_64 dice(7);
    row_texts texts;
    std::vector<std::string> model(row_texts::slots);
    for (int step = 0; step < 20'000; ++step) {
        const auto slot = static_cast<unsigned>(dice() % (step < 1'000 ? 5 : row_texts::slots));
        std::string text;
        for (auto left = dice() % (dice() % 50 == 0 ? 400 : 6); left > 0; --left)
            text += static_cast<char>('a' + dice() % 3);
        texts.set(slot, text);
        model[slot] = text;
        const auto other = static_cast<unsigned>(dice() % row_texts::slots);
        BOOST_TEST_REQUIRE(texts.text(slot) == text);
        BOOST_TEST_REQUIRE(texts.text(other) == model[other]);
        if (step % 50 != 0) continue;
        std::string part;
        for (auto left = 1 + dice() % 3; left > 0; --left)
            part += static_cast<char>('a' + dice() % 3);
        row_page::bits wanted{};
        std::size_t size = 0;
        for (unsigned i = 0; i < model.size(); ++i) {
            size += model[i].size() + 1;
            if (model[i].find(part) != std::string::npos) wanted[i / 64] |= std::uint64_t{1} << i % 64;
        }
        row_page::bits found{};
        texts.find(text_pattern(part), found.data());
        BOOST_TEST_REQUIRE((found == wanted));
        BOOST_TEST_REQUIRE(texts.size() <= size);
        BOOST_TEST_REQUIRE(texts.bytes() < size + size / 2 + 1'000);
    }
    BOOST_TEST(row_texts().text(3).empty());
}

BOOST_AUTO_TEST_CASE(a_row_has_the_names_of_its_record_however_they_are_folded) {
    const std::vector<std::string> names = {"",
                                            "plan.png",
                                            "PLAN.png",
                                            "\xC3\xA4nderung",  // folding changes nothing
                                            "\xC3\x84nderung",  // a capital beyond ASCII
                                            "stra\xC3\x9F"
                                            "e",  // folding makes it longer
                                            "STRASSE",
                                            "\xE2\x84\xAA"
                                            "elvin",  // folds to a letter of ASCII
                                            "\xE4\xB8\xAD\xE6\x96\x87",
                                            "plan"};
    row_table table;
    page_list list;
    std::vector<image_record> records;
    std::vector<std::uint32_t> numbers;
    for (const auto& title : names)
        for (const auto& key : names)
            for (const auto& file_name : names) {
                image_record record;
                record.id = image_id{random_uuid()};
                record.title = title;
                record.key = key;
                record.file_name = file_name;
                record.created_time = static_cast<std::int64_t>(records.size()) - 500;
                record.original.size = records.size() << 40;
                const row_source row(record);
                BOOST_TEST_REQUIRE(row.original_title() == title);
                BOOST_TEST_REQUIRE(row.original_key() == key);
                numbers.push_back(table.add(list, row));
                records.push_back(std::move(record));
            }
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto row = table[numbers[i]];
        BOOST_TEST_REQUIRE(row.title() == records[i].title);
        BOOST_TEST_REQUIRE(row.key() == records[i].key);
        BOOST_TEST_REQUIRE((row.id() == records[i].id));
        BOOST_TEST_REQUIRE(row.created_time() == records[i].created_time);
        BOOST_TEST_REQUIRE(row.size() == records[i].original.size);
    }
    // Each name is found in what a search of titles, and one of all names, reads.
    for (const std::string text : {"plan", "\xC3\xA4", "ss", "k", "n", "nothing", "\xE6\x96\x87", "png"}) {
        const text_pattern part(text);
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto& page = table.page(row_table::page_of(numbers[i]));
            const auto slot = row_table::slot_of(numbers[i]);
            row_page::bits in_titles{};
            page.titles.find(part, in_titles.data());
            auto in_names = in_titles;
            page.names.find(part, in_names.data());
            const auto contains = [&](const std::string& name) {
                return fold_case(name).find(text) != std::string::npos;
            };
            const auto& record = records[i];
            BOOST_TEST_REQUIRE((in_titles[slot / 64] >> slot % 64 & 1) == contains(record.title));
            BOOST_TEST_REQUIRE(
                (in_names[slot / 64] >> slot % 64 & 1) ==
                (contains(record.title) || contains(record.key) || contains(record.file_name)));
        }
    }
}

BOOST_AUTO_TEST_CASE(matches_are_right_whatever_changes_between_the_parts_of_a_search) {
    std::mt19937_64 dice(8);
    row_table table;
    shelf rows;
    std::map<std::uint32_t, image_record> model;
    const auto record = [&] {
        image_record made;
        made.id = image_id{random_uuid()};
        made.key = to_string(made.id);
        made.title = dice() % 2 == 0 ? "Pump" : "valve";
        made.created_time = static_cast<std::int64_t>(dice() % 100);
        return made;
    };
    const auto change = [&](int count) {
        for (; count > 0; --count) {
            auto made = record();
            auto there = model.lower_bound(static_cast<std::uint32_t>(dice() % 4'000));
            const auto what = dice() % 10;
            if (what < 3 || there == model.end()) {
                model[rows.add(table, row_source(made))] = made;
            } else if (what < 6) {
                rows.remove(table, there->first);
                model.erase(there);
            } else {
                if (what < 9) made.id = there->second.id, made.key = there->second.key;
                rows.replace(table, there->first, row_source(made));
                there->second = made;
            }
        }
    };
    const auto remove_most = [&] {
        while (model.size() > 30) {
            rows.remove(table, model.begin()->first);
            model.erase(model.begin());
        }
    };
    image_query query;
    query.text_search = "pump";
    const matcher wanted(query);
    const row_selection by_text(wanted, search_scope::title);
    const row_selection by_both(wanted, search_scope::title,
                                [](const row_view& row) { return row.created_time() < 50; });
    for (int round = 0; round < 60; ++round) {
        const bool has_filter = round % 2 == 0;
        const auto& by = has_filter ? by_both : by_text;
        if (round % 15 == 14) remove_most();
        while (model.size() < 3'000 && round % 15 != 14)
            change(100);
        row_matches found;
        for (int part = 0; part < 3; ++part) {
            // Of some rows in the middle of a search, or of nearly all.
            for (std::size_t place = 0; place < rows.pages.all.size();) {
                place = found.examine(table, rows, by, place, 1);
                if (dice() % 2 == 0) change(static_cast<int>(dice() % 4));
                if (round % 20 == 5 && dice() % 5 == 0) remove_most();
            }
            found.examine(table, rows, by, 0, ~std::size_t{0});
            std::vector<std::uint32_t> numbers;
            found.for_each(rows, [&](std::uint32_t number) { numbers.push_back(number); });
            std::sort(numbers.begin(), numbers.end());
            std::vector<std::uint32_t> right;
            for (const auto& [number, one] : model) {
                const bool is_match = one.title == "Pump" && (!has_filter || one.created_time < 50);
                if (is_match) right.push_back(number);
                BOOST_TEST_REQUIRE(found.contains(table, number) == is_match);
            }
            BOOST_TEST_REQUIRE((numbers == right));
            BOOST_TEST_REQUIRE(found.count() == right.size());
            bool is_sound = true;
            rows.for_each_index(
                [&](const auto& index) { is_sound = is_sound && is_in_order(table, rows, index); });
            BOOST_TEST_REQUIRE(is_sound);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_packed_record_is_the_record) {
    std::mt19937_64 dice(4);
    names_of_records names;
    const auto text = [&](std::size_t most) {
        std::string made;
        for (auto left = dice() % (most + 1); left > 0; --left)
            made += static_cast<char>(1 + dice() % 255);
        return made;
    };
    const auto number = [&] { return dice() >> dice() % 64; };
    const std::vector<std::string> types = {"image/png", "image/svg+xml", "image/jpeg", ""};
    const auto descriptor = [&] {
        body_descriptor made;
        made.media_type = types[dice() % types.size()];
        made.width = static_cast<std::uint32_t>(number());
        made.height = static_cast<std::uint32_t>(number());
        made.size = number();
        for (auto& byte : made.etag)
            byte = static_cast<std::byte>(dice());
        return made;
    };
    image_record filtered;
    for (int step = 0; step < 3'000; ++step) {
        image_record record;
        record.id = image_id{random_uuid()};
        record.tenant = tenant_id{uuid{static_cast<std::uint8_t>(dice() % 5)}};
        record.key = text(step % 100 == 0 ? 1020 : 40);
        record.title = text(40);
        record.file_name = dice() % 2 == 0 ? record.key : text(40);
        record.sub_type = dice() % 2 == 0 ? image_sub_type::image : image_sub_type::scada_symbol;
        record.is_public = dice() % 2 == 0;
        record.public_key = dice() % 3 == 0 ? text(300) : std::string(32, 'k');
        record.created_time = static_cast<std::int64_t>(number());
        record.modified_time = static_cast<std::int64_t>(dice() % 2 == 0 ? number() : 0 - number());
        record.tags.resize(dice() % 4);
        for (auto& tag : record.tags)
            tag = text(256);
        record.original = descriptor();
        if (dice() % 3 != 0) record.preview = dice() % 2 == 0 ? record.original : descriptor();
        record.preview_is_original = dice() % 2 == 0;
        record.rev = number();
        record.content_rev = dice() % 2 == 0 ? record.rev : number();

        const stored item{std::make_shared<const image_record>(record),
                          dice() % 2 == 0 ? uuid{} : random_uuid()};
        const packed_record packed(item, names);
        const auto back = packed.unpack({record.id, record.created_time, record.title}, names);
        BOOST_TEST_REQUIRE((*back.record == record));
        BOOST_TEST_REQUIRE((back.body == item.body));
        BOOST_TEST((packed.etag() == record.original.etag));
        BOOST_TEST(packed.key() == record.key);
        BOOST_TEST(packed.public_key() == record.public_key);
        BOOST_TEST(packed.content_rev() == record.content_rev);
        BOOST_TEST((packed.sub_type() == record.sub_type));
        packed.unpack_filtered(names, filtered);
        BOOST_TEST(filtered.is_public == record.is_public);
        BOOST_TEST(filtered.original.size == record.original.size);
        BOOST_TEST(filtered.original.media_type == record.original.media_type);
        BOOST_TEST(filtered.preview.size == record.preview.size);
        BOOST_TEST(filtered.preview_is_original == record.preview_is_original);
        BOOST_TEST((filtered.tags == record.tags));
    }
    image_record too_long;
    too_long.key.assign(65'536, 'k');
    BOOST_CHECK_THROW(packed_record({std::make_shared<const image_record>(too_long)}, names),
                      std::length_error);
}

BOOST_AUTO_TEST_SUITE_END()
