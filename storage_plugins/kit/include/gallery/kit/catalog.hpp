// SPDX-License-Identifier: Apache-2.0
/// All records of a store in memory, in every order of image_store::list, and its kept versions.
#pragma once

#include <gallery/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::kit {

/// A record and the name under which its engine stores the bytes.
struct stored {
    record_ptr record;  ///< null: there is none
    uuid body{};        ///< of the engine's choice; nil if the record states where the bytes are

    explicit operator bool() const noexcept { return record != nullptr; }
};

struct stored_version {
    kept_version version;  ///< its record is null: there is none
    uuid body{};           ///< likewise

    explicit operator bool() const noexcept { return version.record != nullptr; }
};

/// A kept version: its image and its content_rev.
using version_name = std::pair<image_id, revision>;
struct version_name_hash {
    std::size_t operator()(const version_name& name) const noexcept {
        return std::hash<image_id>{}(name.first) ^ (name.second * 0x9e3779b97f4a7c15ULL);
    }
};

/// Thread-safe; a reader sees each write completely or not at all. Finding is O(1). Writing and a page
/// without search and filter are O(log² n + page). A search reads the names of the tenant (and of the system
/// tenant), a filter their records; both let writes in between and return what is there at their end.
///
/// Records are stored in a compact form, about 360 bytes each with all indexes; a record that is returned is
/// made for the caller, except for the few thousand that were looked up last. A key may have at most 65,535
/// bytes; std::length_error.
class catalog {
public:
    catalog();
    ~catalog();

    [[nodiscard]] stored find(const tenant_id& tenant, std::string_view key) const;
    [[nodiscard]] stored find_by_id(const image_id& id) const;
    [[nodiscard]] stored find_by_public_key(std::string_view public_key) const;
    /// As image_store::find_by_content.
    [[nodiscard]] std::vector<record_ptr> find_by_content(const tenant_id& tenant,
                                                          const sha256_digest& etag) const;
    /// The content_rev of the record under a key; 0 if there is none. Cheaper than find().
    [[nodiscard]] revision find_content_rev(const tenant_id& tenant, std::string_view key) const;
    /// The version that a record belongs to, by its id and content_rev, whether current or kept.
    /// image_store::read needs this.
    [[nodiscard]] stored find_version(const image_record& record) const;

    /// Stores a record under its key. The present record is kept according to @p rule, or removed. The
    /// record's rev is that of the write. Precondition: id and public key belong to no other key.
    void put(stored item, previous_version rule = previous_version::drop());
    /// @p rev: of the erasure.
    void erase(const tenant_id& tenant, std::string_view key,
               previous_version rule = previous_version::drop(), revision rev = 0);

    /// Loading: many records in less time than put() takes. They are in lists and can be found after
    /// finish_loading(). Preconditions: each key, id and public key is of no other record, and there is no
    /// put() and no erase() meanwhile. begin_loading() discards the records of an unfinished loading.
    void begin_loading();
    void load(const stored& item);
    void finish_loading();

    /// Precondition: its content_rev and kept_rev are of no other kept version.
    void put_kept(stored_version item);
    /// Returns the removed version; empty if there is none.
    stored_version drop_kept(const image_id& id, revision content_rev);
    [[nodiscard]] stored_version find_kept(const image_id& id, revision content_rev) const;

    /// As image_store::kept and kept_of.
    [[nodiscard]] result<scan_page<kept_version>> kept(const std::optional<tenant_id>& tenant,
                                                       kept_order order, std::string_view cursor,
                                                       std::size_t limit) const;
    [[nodiscard]] result<scan_page<kept_version>> kept_of(const image_id& id, std::string_view cursor,
                                                          std::size_t limit) const;

    /// As image_store::list.
    [[nodiscard]] result<image_page> list(const image_query& query) const;

    /// Number of images that list() would read; if there are many, a caller leaves the I/O thread first.
    [[nodiscard]] std::size_t images_to_search(const image_query& query) const;

    /// As image_store::scan.
    [[nodiscard]] result<scan_page<record_ptr>> scan(std::optional<tenant_id> tenant, std::string_view cursor,
                                                     std::size_t limit) const;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t kept_size() const;

    /// Sums over all records and kept versions, of one tenant or of all. Slow; used to check a usage_book.
    [[nodiscard]] tenant_usage count_usage(const std::optional<tenant_id>& tenant) const;
    /// Tenants that have images or kept versions.
    [[nodiscard]] std::vector<tenant_id> tenants() const;

    /// Number of entries over all orders and keys, and the problems among them. For check().
    [[nodiscard]] std::uint64_t verify(std::vector<std::string>& problems) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::kit
