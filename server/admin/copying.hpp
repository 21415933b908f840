// SPDX-License-Identifier: Apache-2.0
/// Copies one closed store into another, with progress and a report.
#pragma once

#include "admin/failure.hpp"
#include "admin/output.hpp"
#include "app/open_storage.hpp"
#include "mirror/copier.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>

namespace gallery::admin {

struct copying {
    std::size_t at_once = mirror::copy_options().at_once;
    bool verify = false;        ///< compare both stores afterwards
    bool skip_damaged = false;  ///< complete the copy without damaged items
    bool any_source = false;    ///< continue the copy of another source
    bool json = false;
    bool quiet = false;
};

/// Runs the copy on @p context, which outlives both stores, and prints the report. False: items are damaged
/// or differ. Failures: refused for the target, unreachable for an error of a store, output.
outcome<bool> run_copy(asio::io_context& context, const printer& out, const app::unprobed_store& source,
                       const app::unprobed_store& target, const copying& wanted);

}  // namespace gallery::admin
