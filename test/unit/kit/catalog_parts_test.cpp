// SPDX-License-Identifier: Apache-2.0
// The pieces of the catalog, compared with simple models of them.
#include "boost_test.hpp"

#include "folded_texts.hpp"
#include "number_table.hpp"
#include "packed_record.hpp"
#include "ranked_numbers.hpp"

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

BOOST_AUTO_TEST_CASE(a_search_of_folded_texts_finds_each_text_with_the_part) {
    std::mt19937_64 dice(3);
    folded_texts texts;
    std::vector<std::string> model(folded_texts::slots);
    for (int step = 0; step < 5'000; ++step) {
        const auto slot = static_cast<unsigned>(dice() % (step < 100 ? 5 : folded_texts::slots));
        std::string text;
        for (auto left = dice() % 6; left > 0; --left)
            text += static_cast<char>('a' + dice() % 3);
        texts.set(slot, text);
        model[slot] = text;
        std::string part;
        for (auto left = 1 + dice() % 3; left > 0; --left)
            part += static_cast<char>('a' + dice() % 3);
        std::uint64_t wanted = 0;
        for (unsigned i = 0; i < model.size(); ++i)
            if (model[i].find(part) != std::string::npos) wanted |= std::uint64_t{1} << i;
        BOOST_TEST_REQUIRE(texts.find(part) == wanted);
    }
    BOOST_TEST(texts.find(std::string(1, '\0')) == 0U);
    BOOST_TEST(folded_texts().find("a") == 0U);
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
        const packed_record packed(item, collation_key("title"), names);
        const auto back = packed.unpack(names);
        BOOST_TEST_REQUIRE((*back.record == record));
        BOOST_TEST_REQUIRE((back.body == item.body));
        BOOST_TEST((packed.id() == record.id));
        BOOST_TEST((packed.etag() == record.original.etag));
        BOOST_TEST(packed.key() == record.key);
        BOOST_TEST(packed.title() == record.title);
        BOOST_TEST(packed.public_key() == record.public_key);
        BOOST_TEST(packed.size() == record.original.size);
        BOOST_TEST(packed.content_rev() == record.content_rev);
        BOOST_TEST((packed.sub_type() == record.sub_type));
        BOOST_TEST(packed.title_prefix() == first_bytes(collation_key("title")));
        packed.unpack_filtered(names, filtered);
        BOOST_TEST(filtered.is_public == record.is_public);
        BOOST_TEST(filtered.created_time == record.created_time);
        BOOST_TEST(filtered.original.size == record.original.size);
        BOOST_TEST(filtered.original.media_type == record.original.media_type);
        BOOST_TEST(filtered.preview.size == record.preview.size);
        BOOST_TEST(filtered.preview_is_original == record.preview_is_original);
        BOOST_TEST((filtered.tags == record.tags));
    }
    image_record too_long;
    too_long.key.assign(65'536, 'k');
    BOOST_CHECK_THROW(packed_record({std::make_shared<const image_record>(too_long)}, {}, names),
                      std::length_error);
}

BOOST_AUTO_TEST_SUITE_END()
