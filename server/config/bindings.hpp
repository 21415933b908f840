// SPDX-License-Identifier: Apache-2.0
/// The table that connects keys of etc/gallery.yml with members of settings.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

struct binding {
    std::string path;
    std::string expected;  ///< completes "expected ..."
    bool secret = false;   ///< never shown
    /// False if the text is not valid.
    std::function<bool(settings&, std::string_view)> set;
};

/// All keys except those of plugins.
const std::vector<binding>& bindings();

/// Contradictions between keys, as messages, one per line; empty if there are none.
std::string contradiction(const settings& s);

}  // namespace gallery::config
