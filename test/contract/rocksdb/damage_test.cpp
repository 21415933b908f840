// SPDX-License-Identifier: Apache-2.0
#include "store_fixture.hpp"

#include "plugins/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace gallery;
using namespace gallery::contract;

namespace {

namespace fs = std::filesystem;

struct damaged_records : store_fixture {
    static constexpr std::size_t images = 300;
    tenant_id tenant = tenant_number(1);

    static std::string key(std::size_t number) { return "image" + std::to_string(1000 + number); }

    /// Saves the images and flips one bit in the first block of the table of records.
    damaged_records() {
        leave_unchecked();
        for (std::size_t i = 0; i < images; ++i)
            must_save(make(tenant, key(i)));
        reopen();  // writes the tables
        close();
        std::size_t flipped = 0;
        for (const auto& entry : fs::recursive_directory_iterator(folder())) {
            if (entry.path().extension() != ".sst") continue;
            std::ifstream in(entry.path(), std::ios::binary);
            std::string all(std::istreambuf_iterator<char>(in), {});
            // Of the property's name the table has what differs from the one before it.
            if (all.find("namerecords") == std::string::npos) continue;
            all[100] = static_cast<char>(all[100] ^ 1);
            std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << all;
            ++flipped;
        }
        BOOST_TEST_REQUIRE(flipped == 1U);
        auto opened = open_store(folder());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open: " << opened.error().message);
        take(std::move(*opened));
    }

    std::vector<std::string> unreadable() {
        std::vector<std::string> lost;
        for (std::size_t i = 0; i < images; ++i)
            if (!find(tenant, key(i))) lost.push_back(key(i));
        BOOST_TEST_REQUIRE(lost.size() > 0U);
        BOOST_TEST_REQUIRE(lost.size() < images);
        return lost;
    }

    double omissions() {
        for (const auto& figure : engine().statistics())
            if (figure.name == "list_omissions_total") return figure.value;
        return -1;
    }

    static auto naming(const std::string& image, const std::vector<std::string>& lines) {
        return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.find("image \"" + image + '"') != std::string::npos;
        });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(damage, damaged_records)

BOOST_AUTO_TEST_CASE(verify_names_every_image_whose_record_cannot_be_read) {
    const auto lost = unreadable();
    const auto report = test::await(plugins::verify(engine(), {}));
    BOOST_REQUIRE_MESSAGE(report.has_value(), "verify: " << report.error().message);
    for (const auto& name : lost)
        BOOST_TEST(naming(name, report->problems) == 1);
    // Three more say that reading ended early, what was not looked at, and which file is damaged; none is
    // about the other images.
    BOOST_TEST(report->problems.size() == lost.size() + 3);
    BOOST_TEST(std::count_if(report->problems.begin(), report->problems.end(), [](const std::string& line) {
                   return line.find(".sst is damaged") != std::string::npos;
               }) == 1);
    BOOST_TEST(report->index_entries > 0U);
}

BOOST_AUTO_TEST_CASE(a_scan_for_checks_goes_on_behind_records_that_cannot_be_read) {
    const auto lost = unreadable();
    for (const std::size_t limit : {1U, 7U, 1'000U}) {
        std::vector<std::string> found;
        std::vector<std::string> named;
        std::string cursor;
        do {
            const auto next = test::await(store().scan_readable(cursor, limit));
            BOOST_REQUIRE_MESSAGE(next.has_value(), "a page: " << next.error().message);
            BOOST_TEST(next->page.items.size() + next->unreadable.size() <= limit);
            for (const auto& record : next->page.items)
                found.push_back(record->key);
            named.insert(named.end(), next->unreadable.begin(), next->unreadable.end());
            cursor = next->page.cursor;
        } while (!cursor.empty());
        BOOST_TEST(std::is_sorted(found.begin(), found.end()));
        BOOST_TEST(found.size() == images - lost.size());
        BOOST_TEST(named.size() == lost.size());
        for (const auto& name : lost)
            BOOST_TEST(naming(name, named) == 1);
    }
}

BOOST_AUTO_TEST_CASE(pages_have_all_that_can_be_read_and_totals_stay) {
    const auto lost = unreadable();
    image_query query;
    query.tenant = tenant;
    query.page_size = 50;
    take_log();
    BOOST_TEST(omissions() == 0);
    std::size_t shown = 0;
    for (; query.page < images / query.page_size; ++query.page) {
        const auto page = list(query);
        BOOST_REQUIRE_MESSAGE(page.has_value(), "page " << query.page << ": " << page.error().message);
        BOOST_TEST(page->total == images);
        shown += page->images.size();
    }
    BOOST_TEST(shown == images - lost.size());
    BOOST_TEST(omissions() == static_cast<double>(lost.size()));
    const auto log = take_log();
    for (const auto& name : lost)
        BOOST_TEST(naming(name, log) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
