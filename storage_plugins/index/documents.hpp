/// All documents of a store in memory.
#pragma once

#include <gallery/storage.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::store_index {

/// Thread-safe. Documents are small and few enough (users, keys, sessions) to be kept whole.
class documents {
public:
    [[nodiscard]] std::optional<document> find(std::string_view kind, std::string_view id) const;
    /// 0 where there is none.
    [[nodiscard]] revision find_revision(std::string_view kind, std::string_view id) const;

    /// In place of one with the same kind and id.
    void put(document doc);
    void erase(std::string_view kind, std::string_view id);

    /// As image_store::scan_documents.
    [[nodiscard]] result<scan_page<document>> scan(std::string_view kind, std::string_view cursor,
                                                   std::size_t limit) const;

    /// A copy of everything, for check().
    [[nodiscard]] std::vector<document> all() const;

    [[nodiscard]] std::size_t size() const;

private:
    using by_id = std::map<std::string, document, std::less<>>;
    mutable std::shared_mutex mutex_;
    std::map<std::string, by_id, std::less<>> kinds_;
};

}  // namespace gallery::store_index
