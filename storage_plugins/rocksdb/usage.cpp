// SPDX-License-Identifier: Apache-2.0
#include "usage.hpp"

#include "codec.hpp"

namespace gallery::rocks {

usage_numbers numbers_of(const tenant_usage& usage) noexcept {
    return {usage.images.count, usage.images.original_bytes, usage.images.preview_bytes,
            usage.kept.count,   usage.kept.original_bytes,   usage.kept.preview_bytes};
}

tenant_usage usage_of(const usage_numbers& numbers) noexcept {
    return {{numbers[0], numbers[1], numbers[2]}, {numbers[3], numbers[4], numbers[5]}};
}

namespace {

/// Calls @p found with each number below a prefix.
template <class Found>
result<void> read_numbers(const engine& from, std::string prefix, const snapshot_ptr& at, Found&& found) {
    auto cursor = from.iterate_prefix(family::meta, std::move(prefix), engine::reach::disk, at);
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
        const auto key = cursor.key().substr(usage_prefix.size());
        const auto number = decode_number(cursor.value());
        const auto figure =
            key.size() == id_size + 1 ? static_cast<unsigned char>(key.back()) : usage_figure_count;
        if (!number || figure >= usage_figure_count)
            return error{errc::corrupt, "rocksdb: a figure of a tenant's usage cannot be read."};
        found(id_from<tenant_id>(key), figure, *number);
    }
    if (!cursor->status().ok()) return to_error(cursor->status(), "reading the usage of tenants");
    return {};
}

}  // namespace

result<tenant_usage> read_usage(const engine& from, const std::optional<tenant_id>& tenant,
                                const snapshot_ptr& at) {
    std::string prefix(usage_prefix);
    if (tenant) prefix.append(raw(*tenant));
    usage_numbers sum{};
    const auto add = [&sum](const tenant_id&, std::size_t figure, std::uint64_t number) {
        sum[figure] += number;
    };
    if (auto read = read_numbers(from, std::move(prefix), at, add); !read) return read.error();
    return usage_of(sum);
}

result<void> for_each_usage(const engine& from, const snapshot_ptr& at,
                            const std::function<void(const tenant_id&, const tenant_usage&)>& found) {
    std::optional<tenant_id> last;
    usage_numbers numbers{};
    const auto add = [&](const tenant_id& tenant, std::size_t figure, std::uint64_t number) {
        if (last && *last != tenant) {
            found(*last, usage_of(numbers));
            numbers = {};
        }
        last = tenant;
        numbers[figure] = number;
    };
    if (auto read = read_numbers(from, std::string(usage_prefix), at, add); !read) return read.error();
    if (last) found(*last, usage_of(numbers));
    return {};
}

}  // namespace gallery::rocks
