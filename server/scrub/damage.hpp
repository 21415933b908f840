// SPDX-License-Identifier: Apache-2.0
/// The bodies that are known to be damaged.
#pragma once

#include <gallery/model.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gallery::scrub {

/// Identified by id, content_rev and which.
struct damaged_body {
    image_id id;
    revision content_rev = 0;
    representation which = representation::original;
    tenant_id tenant;
    std::string key;
    std::string problem;        ///< what is wrong with it, for operators
    std::int64_t found_at = 0;  ///< milliseconds since 1970-01-01T00:00Z

    friend bool operator==(const damaged_body&, const damaged_body&) = default;
};

/// "the original of the image 'key' (id) of the tenant id"
std::string describe(const damaged_body& body);

/// Not thread-safe.
class damage_list {
public:
    static constexpr std::size_t max_size = 50;

    damage_list() = default;
    explicit damage_list(std::vector<damaged_body> all) : all_(std::move(all)) {}

    [[nodiscard]] const std::vector<damaged_body>& all() const noexcept { return all_; }

    enum class addition : std::uint8_t { added, known, full };
    addition add(damaged_body found);
    /// True if it was known.
    bool remove(const damaged_body& sound);

    friend bool operator==(const damage_list&, const damage_list&) = default;

private:
    std::vector<damaged_body> all_;
};

}  // namespace gallery::scrub
