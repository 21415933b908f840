// SPDX-License-Identifier: Apache-2.0
// The catalog after many random writes, compared with a list of records that is sorted for each query.
#include <gallery/kit/catalog.hpp>

#include "boost_test.hpp"
#include "expected_list.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using gallery::kit::catalog;
using gallery::kit::stored;

namespace {

class random_store {
public:
    explicit random_store(unsigned seed) : dice_(seed) {}

    catalog images;

    std::uint64_t number(std::uint64_t below) { return dice_() % below; }
    tenant_id tenant() {
        return number(3) == 0 ? system_tenant : tenant_id{uuid{static_cast<std::uint8_t>(number(2))}};
    }
    std::string key() {
        return (number(2) == 0 ? "key-" : "Schluessel-und-mehr-") + std::to_string(number(60));
    }

    /// Few different values, so that there are ties in every order.
    image_record record() {
        image_record made;
        made.tenant = tenant();
        made.key = key();
        made.id = image_id{random_uuid()};
        made.title = kit_test::random_title(dice_);
        made.file_name = number(2) == 0 ? made.key : "File " + std::to_string(number(9)) + ".PNG";
        made.sub_type = number(4) == 0 ? image_sub_type::scada_symbol : image_sub_type::image;
        made.is_public = number(2) == 0;
        if (number(5) != 0) made.public_key = to_string(made.id).substr(0, 32);
        made.created_time = static_cast<std::int64_t>(number(5)) - 2;
        made.original.media_type = number(2) == 0 ? "image/png" : "image/gif";
        made.original.size = number(4) * 1000;
        made.original.etag[31] = static_cast<std::byte>(number(4));
        made.preview.size = number(100);
        if (number(3) == 0) made.tags = {"plan"};
        return made;
    }

    void write() {
        auto made = record();
        const std::pair name(made.tenant, made.key);
        const auto there = model_.find(name);
        const auto rule = number(3) == 0 ? previous_version::keep(1) : previous_version::drop();
        made.rev = made.content_rev = ++newest_;
        if (number(3) != 0) {
            if (there != model_.end() && rule.is_kept()) keep(there->second, false);
            if (there != model_.end() && number(2) == 0) made.id = there->second.record->id;
            const stored item{std::make_shared<const image_record>(std::move(made)),
                              number(2) == 0 ? uuid{} : random_uuid()};
            images.put(item, rule);
            model_.insert_or_assign(name, item);
        } else {
            if (there != model_.end() && rule.is_kept()) keep(there->second, true);
            images.erase(name.first, name.second, rule, newest_);
            model_.erase(name);
        }
        if (!kept_.empty() && number(4) == 0) {
            const auto dropped = kept_.begin();
            const auto& of = *dropped->second.record;
            BOOST_TEST_REQUIRE((*images.drop_kept(of.id, of.content_rev).version.record == of));
            kept_.erase(dropped);
        }
    }
    /// Many new records at once, of a tenant that exists or not.
    void load(int count) {
        images.begin_loading();
        for (int i = 0; i < count; ++i) {
            auto made = record();
            made.key += "-loaded-" + std::to_string(newest_);
            made.rev = made.content_rev = ++newest_;
            const stored item{std::make_shared<const image_record>(std::move(made)), random_uuid()};
            images.load(item);
            model_.insert_or_assign({item.record->tenant, item.record->key}, item);
        }
        images.finish_loading();
    }

    void compare() {
        BOOST_TEST_REQUIRE(images.size() == model_.size());
        BOOST_TEST_REQUIRE(images.kept_size() == kept_.size());
        std::vector<std::string> problems;
        (void)images.verify(problems);
        for (const auto& problem : problems)
            BOOST_ERROR(problem);
        BOOST_TEST_REQUIRE(problems.empty());
        tenant_usage used;
        for (const auto& [name, item] : model_) {
            const auto& record = *item.record;
            const auto found = images.find(name.first, name.second);
            BOOST_TEST_REQUIRE((found && *found.record == record && found.body == item.body));
            BOOST_TEST_REQUIRE((*images.find_by_id(record.id).record == record));
            if (!record.public_key.empty())
                BOOST_TEST_REQUIRE((*images.find_by_public_key(record.public_key).record == record));
            BOOST_TEST_REQUIRE((images.find_version(record).body == item.body));
            BOOST_TEST_REQUIRE(images.find_content_rev(name.first, name.second) == record.content_rev);
            ++used.images.count;
            used.images.original_bytes += record.original.size;
            used.images.preview_bytes += record.preview.size;
        }
        for (const auto& [rev, item] : kept_) {
            const auto found = images.find_kept(item.record->id, item.record->content_rev);
            BOOST_TEST_REQUIRE((found && *found.version.record == *item.record && found.body == item.body));
            ++used.kept.count;
            used.kept.original_bytes += item.record->original.size;
            used.kept.preview_bytes += item.record->preview.size;
        }
        BOOST_TEST((images.count_usage(std::nullopt) == used));
        BOOST_TEST(!images.find(tenant_id{uuid{77}}, "key-1"));
        BOOST_TEST(images.find_content_rev(system_tenant, "no such key") == 0U);
        compare_scan(std::nullopt);
        compare_scan(system_tenant);
    }

    void compare_scan(const std::optional<tenant_id>& tenant) {
        std::vector<image_record> wanted;
        for (const auto& [name, item] : model_)
            if (!tenant || name.first == *tenant) wanted.push_back(*item.record);
        std::vector<image_record> found;
        std::string cursor;
        do {
            const auto page = images.scan(tenant, cursor, 7);
            for (const auto& record : page->items)
                found.push_back(*record);
            cursor = page->cursor;
        } while (!cursor.empty());
        BOOST_TEST((found == wanted));
    }

    void compare_content() {
        sha256_digest etag{};
        etag[31] = static_cast<std::byte>(number(5));
        const auto of = tenant();
        std::vector<image_id> wanted;
        for (const auto& [name, item] : model_)
            if (name.first == of && item.record->original.etag == etag) wanted.push_back(item.record->id);
        std::sort(wanted.begin(), wanted.end());
        if (wanted.size() > image_store::max_same_content) wanted.resize(image_store::max_same_content);
        std::vector<image_id> found;
        for (const auto& record : images.find_by_content(of, etag))
            found.push_back(record->id);
        BOOST_TEST((found == wanted));
    }

    image_query query() {
        auto made = kit_test::random_query(dice_, model_.size());
        made.tenant = tenant();
        if (number(4) == 0) made.filter.is_public = number(2) == 0;
        if (number(4) == 0) made.filter.media_types = {"image/gif"};
        if (number(6) == 0) made.filter.tags = {"plan"};
        return made;
    }

    void compare_list(const image_query& query) {
        std::vector<record_ptr> records;
        for (const auto& [name, item] : model_)
            records.push_back(item.record);
        const auto all = kit_test::expected_list(records, query);
        const auto wanted = kit_test::page_of(all, query);
        const auto page = images.list(query);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST_REQUIRE(page->total == all.size());
        BOOST_TEST_REQUIRE(page->images.size() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i)
            BOOST_TEST_REQUIRE((*page->images[i] == *wanted[i]));
    }

private:
    void keep(const stored& item, bool) { kept_.emplace(newest_, item); }

    std::mt19937_64 dice_;
    revision newest_ = 0;
    std::map<std::pair<tenant_id, std::string>, stored> model_;
    std::map<revision, stored> kept_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(catalog_as_a_whole)

BOOST_AUTO_TEST_CASE(lists_and_look_ups_are_right_after_any_writes) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            random_store store(seed);
            for (int round = 0; round < 12; ++round) {
                for (int i = 0; i < 150; ++i)
                    store.write();
                store.compare();
                for (int i = 0; i < 150; ++i)
                    store.compare_list(store.query());
                for (int i = 0; i < 10; ++i)
                    store.compare_content();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(loaded_records_are_as_those_that_were_put_and_both_can_be_written_again) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            random_store store(seed);
            for (int round = 0; round < 3; ++round) {
                store.load(round == 1 ? 3 : 1'500);
                for (int part = 0; part < 3; ++part) {
                    store.compare();
                    for (int i = 0; i < 100; ++i)
                        store.compare_list(store.query());
                    for (int i = 0; i < 10; ++i)
                        store.compare_content();
                    for (int i = 0; i < 200; ++i)
                        store.write();
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(records_that_are_being_loaded_are_not_seen_and_can_be_discarded) {
    random_store store(9);
    store.load(100);
    auto record = store.record();
    record.key = "unfinished";
    const stored item{std::make_shared<const image_record>(record)};
    store.images.load(item);
    store.compare();
    store.images.begin_loading();
    store.images.finish_loading();
    store.compare();
    store.images.load(item);
    store.images.finish_loading();
    BOOST_TEST((*store.images.find(record.tenant, record.key).record == record));
    BOOST_TEST(store.images.size() == 101U);
}

BOOST_AUTO_TEST_CASE(searches_are_whole_while_others_write) {
    catalog images;
    std::mt19937_64 dice(11);
    const auto record = [&](int number, bool stays) {
        image_record made;
        made.id = image_id{random_uuid()};
        made.key = (stays ? "stays-" : "goes-") + std::to_string(number);
        made.title = (stays ? "Stays " : "Goes ") + kit_test::random_title(dice);
        made.is_public = stays;
        made.rev = made.content_rev = 1;
        return std::make_shared<const image_record>(std::move(made));
    };
    constexpr int staying = 3'000;
    for (int i = 0; i < staying; ++i)
        images.put({record(i, true)});
    std::vector<record_ptr> going;
    for (int i = 0; i < 1'500; ++i)
        going.push_back(record(i, false));
    std::atomic<bool> has_ended = false;
    std::atomic<int> searches = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> readers;
    for (int who = 0; who < 3; ++who)
        readers.emplace_back([&, who] {
            while (!has_ended || searches < 30) {
                image_query query;
                query.tenant = going.front()->tenant;
                query.page_size = 10'000;
                query.sort = static_cast<image_sort>(searches % 6);
                query.descending = searches % 2 == 0;
                if (who == 0) query.text_search = "stays";
                if (who == 1) query.text_search = "s";  // all
                if (who == 2) query.filter.is_public = true;
                const auto page = images.list(query);
                const auto stays = std::count_if(page->images.begin(), page->images.end(),
                                                 [](const auto& one) { return one->is_public; });
                if (page->total != page->images.size() || stays != staying) ++wrong;
                if (who != 1 && page->total != staying) ++wrong;
                ++searches;
            }
        });
    for (int round = 0; round < 3; ++round) {
        for (const auto& one : going)
            images.put({one});
        for (const auto& one : going)
            images.erase(one->tenant, one->key);
    }
    has_ended = true;
    readers.clear();
    BOOST_TEST(wrong == 0);
    std::vector<std::string> problems;
    (void)images.verify(problems);
    BOOST_TEST(problems.empty());
}

BOOST_AUTO_TEST_SUITE_END()
