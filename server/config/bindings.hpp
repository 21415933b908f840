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
    /// False where the text is not what is expected.
    std::function<bool(settings&, std::string_view)> set;
};

/// All keys but those of plugins.
const std::vector<binding>& bindings();

/// What contradicts itself across keys, as messages one a line; empty where nothing does.
std::string contradiction(const settings& s);

}  // namespace gallery::config
