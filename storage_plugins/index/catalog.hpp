/// All records of a store in memory, in every order that image_store::list knows.
#pragma once

#include <gallery/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::store_index {

/// What an engine keeps beside a record: where its bytes are.
struct attachment {
    attachment() = default;
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;
    virtual ~attachment() = default;
};

struct stored {
    record_ptr record;  ///< null: there is none
    std::shared_ptr<const attachment> extra;

    explicit operator bool() const noexcept { return record != nullptr; }
};

/// Thread-safe; a reader sees each write whole. Finding is O(1), writing and a page without search are
/// O(log n + page), a search reads the folded titles of that tenant (and of the system tenant).
class catalog {
public:
    catalog();
    ~catalog();

    [[nodiscard]] stored find(const tenant_id& tenant, std::string_view key) const;
    [[nodiscard]] stored find_by_id(const image_id& id) const;
    [[nodiscard]] stored find_by_public_key(std::string_view public_key) const;

    /// In place of what is under the record's key. Precondition: id and public key belong to no other key.
    void put(stored item);
    void erase(const tenant_id& tenant, std::string_view key);

    /// As image_store::list.
    [[nodiscard]] result<image_page> list(const image_query& query) const;

    /// How many titles list() would have to search; where many, a caller leaves the I/O thread first.
    [[nodiscard]] std::size_t titles_to_search(const image_query& query) const;

    /// As image_store::scan.
    [[nodiscard]] result<scan_page<record_ptr>> scan(std::optional<tenant_id> tenant, std::string_view cursor,
                                                     std::size_t limit) const;

    [[nodiscard]] std::size_t size() const;

    /// Number of entries over all orders and keys, and what is wrong among them. For check().
    [[nodiscard]] std::uint64_t verify(std::vector<std::string>& problems) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::store_index
