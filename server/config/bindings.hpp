// SPDX-License-Identifier: Apache-2.0
/// The table that connects keys of etc/gallery.yml with members of settings.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// When a running server uses a value that has changed in the file, once it was told to reload it.
enum class takes_effect : std::uint8_t {
    at_restart,       ///< not before it is started again
    at_once,          ///< also for what is in progress
    next_request,     ///< for requests that begin after the reload, also on connections that are open
    next_connection,  ///< for connections that are accepted after the reload
    next_image,       ///< for images whose decoding begins after the reload
};

/// False if the text is not valid.
using setter = std::function<bool(settings&, std::string_view)>;

struct binding {
    std::string path;
    std::string expected;  ///< completes "expected ..."
    takes_effect when;
    bool secret = false;   ///< never shown
    bool is_path = false;  ///< a file or folder of the machine, which no client is shown
    setter set;
};

/// All keys except those of plugins.
const std::vector<binding>& bindings();

/// Contradictions between keys, as messages, one per line; empty if there are none.
std::string contradiction(const settings& s);

}  // namespace gallery::config
