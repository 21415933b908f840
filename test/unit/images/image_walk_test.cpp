// SPDX-License-Identifier: Apache-2.0
// Long lists in pieces, while images come and go.
#include "images/image_walk.hpp"
#include "gallery_fixture.hpp"

#include "boost_test.hpp"
#include "forwarding_store.hpp"

#include <functional>
#include <random>
#include <set>

using namespace gallery;
using gallery::test::may_write;
using test::await;

namespace {

constexpr image_sort all_sorts[] = {image_sort::created_time,  image_sort::title,
                                    image_sort::resource_key,  image_sort::size,
                                    image_sort::resource_type, image_sort::tenant};

struct counting_store final : bad::forwarding_store {
    std::uint32_t largest = 0;
    task<result<image_page>> list(image_query query) override {
        largest = std::max(largest, query.page_size);
        co_return co_await inner().list(std::move(query));
    }
};

struct walk_fixture {
    counting_store store;
    cache::etag_cache etags{0, std::chrono::minutes(10)};
    images::image_service gallery{store, etags, test::inspect_by_prefix};
    tenant_id tenant{random_uuid()};
    std::mt19937 random{11};

    record_ptr add(int number) {
        image_record record;
        record.id = image_id{random_uuid()};
        record.tenant = tenant;
        record.key = "key " + std::to_string(number);
        record.title = "title " + std::to_string(random() % 500);  // ties are many
        record.file_name = record.key;
        record.created_time = static_cast<std::int64_t>(random() % 700);
        record.public_key = std::string(24, 'k') + std::to_string(10'000'000 + number);
        const std::string content(1 + random() % 300, 'x');
        record.original = {"image/png", 1, 1, content.size(), sha256(content)};
        record.preview_is_original = true;
        record.preview = record.original;
        return await(store.save(record, bytes::own(content), bytes(), precondition::absent())).value().record;
    }
    void erase(const record_ptr& record) {
        await(store.erase(record->tenant, record->key, precondition::any())).value();
    }
    image_query query(image_sort sort, bool descending) const {
        image_query wanted;
        wanted.tenant = tenant;
        wanted.sort = sort;
        wanted.descending = descending;
        return wanted;
    }
    /// @p between is called after each piece.
    std::vector<image_id> walk(image_query wanted, std::uint64_t first, std::uint64_t count,
                               const std::function<void()>& between = {}) {
        images::image_walk walk(gallery, may_write(wanted.tenant), std::move(wanted), first, count);
        std::vector<image_id> ids;
        for (;;) {
            const auto piece = await(walk.next()).value();
            if (piece.empty()) break;
            BOOST_TEST(piece.size() <= images::image_walk::step);
            for (const auto& record : piece)
                ids.push_back(record->id);
            if (between) between();
        }
        BOOST_TEST(walk.is_at_end());
        total = walk.total();
        return ids;
    }
    std::uint64_t total = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(image_walks, walk_fixture)

BOOST_AUTO_TEST_CASE(a_walk_returns_what_one_large_page_has) {
    for (int i = 0; i < 3207; ++i)
        add(i);
    for (const auto sort : all_sorts) {
        for (const bool descending : {false, true}) {
            auto whole = query(sort, descending);
            whole.page_size = 1'000'000;
            std::vector<image_id> expected;
            for (const auto& record : await(store.list(whole)).value().images)
                expected.push_back(record->id);
            store.largest = 0;
            BOOST_TEST((walk(query(sort, descending), 0, ~std::uint64_t{0}) == expected));
            BOOST_TEST(total == 3207U);
            for (const auto& [first, count] : {std::pair<std::uint64_t, std::uint64_t>{0, 1},
                                               {5, 2500},
                                               {999, 1002},
                                               {1000, 1000},
                                               {2999, 500},
                                               {3206, 9},
                                               {3207, 9},
                                               {1ULL << 60, 1ULL << 60}}) {
                const auto from = std::min<std::uint64_t>(first, expected.size());
                const auto to = std::min<std::uint64_t>(from + count, expected.size());
                const std::vector<image_id> part(expected.begin() + static_cast<std::ptrdiff_t>(from),
                                                 expected.begin() + static_cast<std::ptrdiff_t>(to));
                BOOST_TEST((walk(query(sort, descending), first, count) == part), first << " " << count);
                BOOST_TEST(total == 3207U);
            }
            BOOST_TEST(store.largest <= images::image_walk::step);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_there_all_the_time_is_returned_once_while_images_come_and_go) {
    std::vector<record_ptr> passing;
    std::set<image_id> staying;
    int next = 0;
    for (int i = 0; i < 4000; ++i) {
        const auto record = add(next++);
        if (i % 2 == 0)
            staying.insert(record->id);
        else
            passing.push_back(record);
    }
    for (const auto sort : all_sorts) {
        for (const bool descending : {false, true}) {
            // Many more than a page repeats, in both directions.
            const auto churn = [&] {
                const bool grows = random() % 2 == 0;
                for (int i = 0; i < 300; ++i) {
                    if (grows) {
                        passing.push_back(add(next++));
                    } else if (!passing.empty()) {
                        const auto at = random() % passing.size();
                        erase(passing[at]);
                        passing.erase(passing.begin() + static_cast<std::ptrdiff_t>(at));
                    }
                }
            };
            const auto ids = walk(query(sort, descending), 0, ~std::uint64_t{0}, churn);
            BOOST_TEST(total == ids.size());
            std::set<image_id> seen;
            std::size_t stayed = 0;
            for (const auto& id : ids) {
                BOOST_TEST_REQUIRE(seen.insert(id).second, "returned twice");
                stayed += staying.contains(id) ? 1 : 0;
            }
            BOOST_TEST(stayed == staying.size());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
