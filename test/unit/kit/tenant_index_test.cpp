// SPDX-License-Identifier: Apache-2.0
// The index of a tenant after many random changes, compared with a list of records that is sorted for each
// query.
#include <gallery/kit/tenant_index.hpp>

#include "boost_test.hpp"
#include "expected_list.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using gallery::kit::tenant_index;

namespace {

constexpr tenant_id some_tenant{uuid{7}};

/// A tenant and the system tenant, each with its index.
class two_tenants {
public:
    explicit two_tenants(unsigned seed) : dice_(seed) {}

    tenant_index own{some_tenant};
    tenant_index system{system_tenant};

    std::uint64_t number(std::uint64_t below) { return dice_() % below; }

    image_record record(bool of_system) {
        image_record made;
        made.tenant = of_system ? system_tenant : some_tenant;
        made.key = (number(2) == 0 ? "key-" : "Schl\u00fcssel-") + std::to_string(number(800));
        made.id = image_id{random_uuid()};
        made.title = kit_test::random_title(dice_);
        made.file_name = number(2) == 0 ? made.key : "File " + std::to_string(number(9)) + ".PNG";
        made.sub_type = number(4) == 0 ? image_sub_type::scada_symbol : image_sub_type::image;
        made.created_time = static_cast<std::int64_t>(number(5)) - 2;
        made.original.size = number(4) * 1000;
        return made;
    }

    void load(int count) {
        for (int i = 0; i < count; ++i) {
            const bool of_system = number(10) == 0;
            auto made = std::make_shared<const image_record>(record(of_system));
            if (!model_.try_emplace({made->tenant, made->key}, made).second) continue;
            (of_system ? system : own).load(*made);
        }
        own.finish_loading();
        system.finish_loading();
    }

    void change() {
        const bool of_system = number(10) == 0;
        auto& index = of_system ? system : own;
        auto made = record(of_system);
        const std::pair name(made.tenant, made.key);
        const auto there = model_.find(name);
        const auto* before = there == model_.end() ? nullptr : there->second.get();
        const auto always = [] { return true; };
        if (before != nullptr && number(3) == 0) {
            index.change(before, nullptr, always);
            model_.erase(there);
            return;
        }
        // An update keeps more than a save.
        if (before != nullptr && number(2) == 0) {
            const auto title = made.title;
            made = *before;
            made.title = title;
            if (number(5) == 0) made.sub_type = image_sub_type::scada_symbol;
        }
        const auto after = std::make_shared<const image_record>(std::move(made));
        index.change(before, after.get(), always);
        model_[name] = after;
    }

    void compare(image_query query) {
        query.tenant = number(5) == 0 ? system_tenant : some_tenant;
        const bool of_system = query.tenant == system_tenant;
        if (number(5) == 0) query.filter.created_from = static_cast<std::int64_t>(number(5)) - 2;
        if (number(5) == 0) query.filter.size_to = number(4) * 1000;
        std::vector<record_ptr> records;
        for (const auto& [name, one] : model_)
            records.push_back(one);
        const auto all = kit_test::expected_list(records, query);
        const auto wanted = kit_test::page_of(all, query);
        const auto page = tenant_index::list(of_system ? system : own,
                                             query.include_system && !of_system ? &system : nullptr, query,
                                             [] { return true; });
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST_REQUIRE(page->total == all.size());
        BOOST_TEST_REQUIRE(page->images.size() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            BOOST_TEST_REQUIRE((page->images[i].id == wanted[i]->id));
            BOOST_TEST_REQUIRE(page->images[i].key == wanted[i]->key);
            BOOST_TEST_REQUIRE(page->images[i].of_system ==
                               (wanted[i]->tenant == system_tenant && !of_system));
        }
    }
    void compare(int queries) {
        BOOST_TEST_REQUIRE(own.size() + system.size() == model_.size());
        BOOST_TEST_REQUIRE(own.verify() == "");
        BOOST_TEST_REQUIRE(system.verify() == "");
        for (int i = 0; i < queries; ++i)
            compare(kit_test::random_query(dice_, model_.size()));
    }

private:
    std::mt19937_64 dice_;
    std::map<std::pair<tenant_id, std::string>, record_ptr> model_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(index_of_a_tenant)

BOOST_AUTO_TEST_CASE(lists_are_right_after_any_changes) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            two_tenants tenants(seed);
            if (seed % 2 == 0) tenants.load(1'500);
            tenants.compare(seed % 2 == 0 ? 100 : 10);
            for (int round = 0; round < 6; ++round) {
                for (int i = 0; i < 500; ++i)
                    tenants.change();
                tenants.compare(80);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_index_takes_at_most_a_hundred_bytes_an_image) {
    tenant_index index(some_tenant);
    std::mt19937_64 dice(1);
    const auto made = [&](int number) {
        image_record record;
        record.id = image_id{random_uuid()};
        record.key = record.file_name = "picture-" + std::to_string(100'000 + number) + ".png";
        record.title = "A title of the usual " + std::to_string(dice() % 10);
        record.created_time = static_cast<std::int64_t>(dice());
        record.original.size = dice() % 1'000'000;
        return record;
    };
    constexpr int loaded = 30'000;
    for (int i = 0; i < loaded; ++i)
        index.load(made(i));
    index.finish_loading();
    BOOST_TEST(index.bytes() / loaded <= 100U);
    for (int i = loaded; i < 2 * loaded; ++i) {
        const auto record = made(i);
        index.change(nullptr, &record, [] { return true; });
    }
    BOOST_TEST(index.size() == 2U * loaded);
    BOOST_TEST(index.bytes() / (2 * loaded) <= 105U);
}

BOOST_AUTO_TEST_CASE(a_change_and_a_list_can_be_called_off) {
    tenant_index index(some_tenant);
    image_record record;
    record.key = "a";
    index.change(nullptr, &record, [] { return false; });
    BOOST_TEST(index.size() == 0U);
    index.change(nullptr, &record, [] { return true; });
    BOOST_TEST(index.size(image_sub_type::image) == 1U);
    image_query query;
    query.tenant = some_tenant;
    BOOST_TEST(!tenant_index::list(index, nullptr, query, [] { return false; }).has_value());
    BOOST_TEST(tenant_index::list(index, nullptr, query, [] { return true; })->total == 1U);
}

BOOST_AUTO_TEST_CASE(lists_are_of_one_moment_while_others_change_images) {
    tenant_index own(some_tenant);
    tenant_index system(system_tenant);
    // Long titles, so that a search takes many locks and images are renamed between them.
    const std::string rest(300, '.');
    const auto made = [&](const tenant_id& tenant, std::int64_t number, const std::string& title) {
        image_record record;
        record.id = image_id{random_uuid()};
        record.tenant = tenant;
        record.key = "key " + std::to_string(number);
        record.title = title + rest;
        record.created_time = number;
        return record;
    };
    constexpr std::int64_t count = 4'000;
    std::vector<image_record> images;
    for (std::int64_t i = 0; i < count; ++i)
        images.push_back(made(some_tenant, i, "even pump"));
    for (const auto& image : images)
        own.load(image);
    own.finish_loading();
    for (std::int64_t i = 0; i < 50; ++i) {
        const auto image = made(system_tenant, count + i, "pump of the system");
        system.change(nullptr, &image, [] { return true; });
    }
    std::atomic<bool> has_ended = false;
    std::atomic<int> searches = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> readers;
    for (int who = 0; who < 3; ++who)
        readers.emplace_back([&, who] {
            while (!has_ended || searches < 100) {
                image_query query;
                query.tenant = some_tenant;
                query.include_system = who == 1;
                query.text_search = who == 2 ? "odd" : "pump";
                query.descending = searches % 2 == 0;
                query.page_size = 10'000;
                const auto page = tenant_index::list(own, query.include_system ? &system : nullptr, query,
                                                     [] { return true; });
                ++searches;
                if (page->total != page->images.size()) ++wrong;
                if (who != 2) {
                    if (page->total != count + (who == 1 ? 50U : 0U)) ++wrong;
                    continue;
                }
                // The images are renamed one after the other, so at each moment those with one of the two
                // titles are the first ones or the last ones.
                std::vector<std::int64_t> numbers;
                for (const auto& image : page->images)
                    numbers.push_back(std::stoll(image.key.substr(4)));
                std::sort(numbers.begin(), numbers.end());
                if (numbers.empty()) continue;
                if (numbers.back() - numbers.front() + 1 != static_cast<std::int64_t>(numbers.size()))
                    ++wrong;
                if (numbers.front() != 0 && numbers.back() != count - 1) ++wrong;
            }
        });
    for (int round = 0; round < 10 || searches < 100; ++round)
        for (auto& image : images) {
            auto renamed = image;
            renamed.title = (round % 2 == 0 ? "odd pump" : "even pump") + rest;
            own.change(&image, &renamed, [] { return true; });
            image = renamed;
        }
    has_ended = true;
    readers.clear();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(own.verify() == "");
}

BOOST_AUTO_TEST_SUITE_END()
