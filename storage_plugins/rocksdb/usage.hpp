// SPDX-License-Identifier: Apache-2.0
/// The usage of tenants as it is stored: one merged number for each figure.
#pragma once

#include "engine.hpp"

#include <gallery/model.hpp>

#include <array>
#include <functional>
#include <optional>

namespace gallery::rocks {

using usage_numbers = std::array<std::uint64_t, usage_figure_count>;

usage_numbers numbers_of(const tenant_usage& usage) noexcept;
tenant_usage usage_of(const usage_numbers& numbers) noexcept;

/// The usage of a tenant, or of all. Exact at one moment.
result<tenant_usage> read_usage(const engine& from, const std::optional<tenant_id>& tenant,
                                const snapshot_ptr& at = nullptr);

/// Calls @p found for every tenant that has or had images.
result<void> for_each_usage(const engine& from, const snapshot_ptr& at,
                            const std::function<void(const tenant_id&, const tenant_usage&)>& found);

}  // namespace gallery::rocks
