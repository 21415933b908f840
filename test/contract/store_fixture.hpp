// SPDX-License-Identifier: Apache-2.0
/// A fresh store for one test, and the contract's operations as plain functions.
#pragma once

#include "boost_test.hpp"
#include "call.hpp"
#include "plugin_under_test.hpp"
#include "scratch_folder.hpp"

#include <gallery/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace gallery::contract {

/// A record and its bytes, ready to be saved.
struct image {
    image_record record;
    std::string original;
    std::string preview;
};

/// Tenants in the order of their ids.
tenant_id tenant_number(unsigned number);

class store_fixture {
public:
    store_fixture();
    ~store_fixture();

    storage_engine& engine() { return *engine_; }
    image_store& store() { return engine_->images(); }
    document_store& documents() { return engine_->documents(); }
    change_feed& feed() { return engine_->feed(); }
    /// Closes the store and opens it again; a volatile one is left as it is.
    void reopen();
    void close() { engine_.reset(); }
    void take(std::unique_ptr<storage_engine> opened) { engine_ = std::move(opened); }
    [[nodiscard]] std::string folder() const { return folder_.path().string(); }
    [[nodiscard]] static bool durable() { return under_test().durable; }

    std::mt19937_64 random;
    std::uint64_t number(std::uint64_t below) { return random() % below; }
    std::string random_bytes(std::size_t size);
    uuid random_id();
    std::string random_public_key();

    /// A new image with random bytes, id and public key.
    image make(tenant_id tenant, std::string key, std::size_t size = 100, std::size_t preview_size = 20);
    /// The same image with other bytes.
    image with_bytes(image base, std::size_t size, std::size_t preview_size);

    // Each operation in this thread; any thread may call them.
    result<record_ptr> find(tenant_id tenant, std::string key);
    result<write_outcome> save(const image& what, write_rules rules = precondition::any());
    result<write_outcome> update(const image_record& record, precondition condition = precondition::any());
    result<write_outcome> erase(tenant_id tenant, std::string key, write_rules rules = precondition::any());
    result<image_page> list(const image_query& query);
    result<write_outcome> save_document(document doc, precondition condition = precondition::any());
    /// The loaded bytes; the error where reading gave one, io_error where loading failed.
    result<std::string> read(record_ptr record, representation which);
    /// All of a scan, in pages of @p limit.
    std::vector<record_ptr> scan_all(std::optional<tenant_id> tenant, std::size_t limit);
    /// All changes after a revision, in batches of @p limit; fails the test where there is a gap.
    std::vector<change> changes_after(revision after, std::size_t limit = 100);
    revision last_change();

    /// Saves, fails the test unless committed, checks what the outcome says, and returns the record.
    record_ptr must_save(const image& what, write_rules rules = precondition::any());
    record_ptr must_find(tenant_id tenant, std::string key);

    /// Fails the test unless find, find_by_id, find_by_public_key and read agree with @p wanted.
    void expect_stored(const image& wanted);
    void expect_absent(const image& gone);

    /// Called by the destructor, too, unless a test damaged the store on purpose.
    void expect_sound();
    void leave_unchecked() { checked_at_end_ = false; }

private:
    test::scratch_folder folder_;
    std::unique_ptr<storage_engine> engine_;
    bool checked_at_end_ = true;
};

/// All of a scan in pages of @p limit; @p next(cursor) asks for a page.
template <class Item, class Next>
std::vector<Item> all_pages(std::size_t limit, Next next) {
    std::vector<Item> all;
    std::string cursor;
    do {
        auto page = next(cursor);
        BOOST_REQUIRE_MESSAGE(page.has_value(), "a page: " << page.error().message);
        BOOST_TEST_REQUIRE(page->items.size() <= limit);
        BOOST_TEST_REQUIRE((page->cursor.empty() || !page->items.empty()));
        all.insert(all.end(), page->items.begin(), page->items.end());
        cursor = page->cursor;
    } while (!cursor.empty());
    return all;
}

/// Equal but for the revisions, which a store sets.
bool same_but_revisions(image_record a, image_record b);

}  // namespace gallery::contract

namespace gallery {
std::ostream& operator<<(std::ostream& out, errc code);
std::ostream& operator<<(std::ostream& out, write_status status);
}  // namespace gallery
