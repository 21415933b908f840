// SPDX-License-Identifier: Apache-2.0
// What other versions make of a store of this one, and this one of theirs.
#include "store_fixture.hpp"
#include "upgrade_state.hpp"

#include <gallery/text.hpp>

#include <rocksdb/db.h>
#include <rocksdb/merge_operator.h>

#include <algorithm>
#include <cstring>
#include <memory>

using namespace gallery;
using namespace gallery::contract;

namespace {

std::uint64_t number_of(const rocksdb::Slice& text) {
    std::uint64_t number = 0;
    if (text.size() == sizeof number) std::memcpy(&number, text.data(), sizeof number);
    return number;
}

std::string text_of(std::uint64_t number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// The one that stores are written with.
class add_numbers final : public rocksdb::AssociativeMergeOperator {
public:
    bool Merge(const rocksdb::Slice&, const rocksdb::Slice* before, const rocksdb::Slice& operand,
               std::string* sum, rocksdb::Logger*) const override {
        *sum = text_of((before == nullptr ? 0 : number_of(*before)) + number_of(operand));
        return true;
    }
    const char* Name() const override { return "gallery.add"; }
};

/// The database of a closed store.
class database {
public:
    enum class access { read, write };

    explicit database(const std::string& path, access what = access::write) {
        rocksdb::DBOptions how;
        std::vector<std::string> names;
        BOOST_TEST_REQUIRE(rocksdb::DB::ListColumnFamilies(how, path, &names).ok());
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const auto& name : names) {
            families.emplace_back(name, rocksdb::ColumnFamilyOptions());
            families.back().options.merge_operator = std::make_shared<add_numbers>();
        }
        rocksdb::DB* opened = nullptr;
        const auto status = what == access::read
                                ? rocksdb::DB::OpenForReadOnly(how, path, families, &handles_, &opened)
                                : rocksdb::DB::Open(how, path, families, &handles_, &opened);
        BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
        db_.reset(opened);
    }
    ~database() {
        for (auto* handle : handles_)
            db_->DestroyColumnFamilyHandle(handle);
    }
    [[nodiscard]] std::string meta(const std::string& key) const {
        std::string value;
        BOOST_TEST(db_->Get({}, key, &value).ok());
        return value;
    }
    [[nodiscard]] bool has_meta(const std::string& key) const {
        std::string value;
        return db_->Get({}, key, &value).ok();
    }
    void put_meta(const std::string& key, const std::string& value) {
        rocksdb::WriteOptions how;
        how.sync = true;
        BOOST_TEST_REQUIRE(db_->Put(how, key, value).ok());
    }

private:
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

namespace gallery::contract {

upgrade_state upgrade_state_of(const std::string& folder) {
    const database db(folder + "/db", database::access::read);
    const auto format = number_of(db.meta("m/format"));
    BOOST_TEST((format == 1 || format == 3));
    if (format == 1) return upgrade_state::not_begun;
    return db.has_meta("m/upgrade") ? upgrade_state::in_progress : upgrade_state::done;
}

}  // namespace gallery::contract

BOOST_FIXTURE_TEST_SUITE(format, store_fixture)

BOOST_AUTO_TEST_CASE(a_store_of_a_later_format_is_refused_with_both_numbers) {
    must_save(make(tenant_number(1), "a"));
    close();
    {
        database db(folder() + "/db");
        BOOST_TEST(number_of(db.meta("m/format")) == 3U);
        db.put_meta("m/format", text_of(4));
    }
    const auto opened = open_store(folder());
    BOOST_TEST_REQUIRE(opened.has_error());
    BOOST_TEST(opened.error().code == errc::unavailable);
    BOOST_TEST(opened.error().message.find("format 4") != std::string::npos);
    BOOST_TEST(opened.error().message.find("up to 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_store_of_format_2_gets_the_new_format_and_its_large_images_stay_where_they_are) {
    const auto tenant = tenant_number(1);
    under_test().options["body_file_bytes"] = "0";  // as it was in format 2
    reopen();
    under_test().options.erase("body_file_bytes");
    const auto old = make(tenant, "old", 100'000, 50'000);
    must_save(old);
    close();
    {
        database db(folder() + "/db");
        db.put_meta("m/format", text_of(2));
    }
    take_log();
    reopen();
    const auto log = take_log();
    BOOST_TEST(std::count_if(log.begin(), log.end(), [](const std::string& line) {
                   return line.find("upgraded the store from format 2 to format 3") != std::string::npos;
               }) == 1);
    expect_stored(old);
    const auto added = make(tenant, "new", 100'000, 50'000);
    must_save(added);
    close();
    BOOST_TEST(number_of(database(folder() + "/db").meta("m/format")) == 3U);
    reopen();
    expect_stored(old);
    expect_stored(added);
}

BOOST_AUTO_TEST_CASE(title_lists_of_another_collation_are_rebuilt) {
    const auto tenant = tenant_number(1);
    for (const auto* title : {"zebra", "\xC3\x84rger", "Abend"}) {
        auto what = make(tenant, title);
        what.record.title = title;
        must_save(what);
    }
    close();
    {
        database db(folder() + "/db");
        db.put_meta("m/collation", "0.0");
    }
    take_log();
    reopen();
    const auto log = take_log();
    BOOST_TEST(std::count_if(log.begin(), log.end(), [](const std::string& line) {
                   return line.find("order of titles") != std::string::npos;
               }) == 1);
    close();
    BOOST_TEST(database(folder() + "/db").meta("m/collation") == collation_version());
    reopen();
    image_query query;
    query.tenant = tenant;
    query.sort = image_sort::title;
    const auto page = list(query);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST_REQUIRE(page->images.size() == 3U);
    BOOST_TEST(page->images[1]->title == "\xC3\x84rger");
}

BOOST_AUTO_TEST_SUITE_END()
