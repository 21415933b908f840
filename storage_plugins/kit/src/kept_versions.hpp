// SPDX-License-Identifier: Apache-2.0
/// The kept versions of a store in all their orders. Part of catalog.cpp; not thread-safe.
#pragma once

#include "packed_record.hpp"

#include <gallery/kit/catalog.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace gallery::kit {

class kept_versions {
public:
    struct version {
        packed_record record;
        image_id id;
        std::int64_t created_time = 0;
        std::string title;
        revision kept_rev = 0;
        std::int64_t kept_time = 0;
        bool is_erased = false;
    };

    /// @p names, those of all records that are added, outlives this.
    explicit kept_versions(const names_of_records& names) : names_(names) {}

    void add(version item);
    /// Empty where it is not there.
    stored_version remove(const image_id& id, revision content_rev);
    [[nodiscard]] stored_version find(const image_id& id, revision content_rev) const;

    [[nodiscard]] result<scan_page<kept_version>> page(const std::optional<tenant_id>& tenant,
                                                       kept_order order, std::string_view cursor,
                                                       std::size_t limit) const;
    [[nodiscard]] result<scan_page<kept_version>> page_of(const image_id& id, std::string_view cursor,
                                                          std::size_t limit) const;
    [[nodiscard]] std::size_t size() const noexcept { return versions_.size(); }
    /// Calls @p visit(packed_record).
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [rev, item] : all_)
            visit(item->record);
    }

private:
    using by_kept_rev = std::map<revision, const version*>;

    const names_of_records& names_;
    std::unordered_map<version_name, std::unique_ptr<version>, version_name_hash> versions_;
    by_kept_rev all_;
    std::unordered_map<tenant_id, by_kept_rev> of_tenant_;
    std::unordered_map<image_id, by_kept_rev> of_image_;
};

}  // namespace gallery::kit
