// SPDX-License-Identifier: Apache-2.0
/// Compares the configuration that a running server uses with the one that was read again. Pure.
#pragma once

#include "config/bindings.hpp"
#include "config/load.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::config {

/// A setting with another value than the one in use.
struct change {
    std::string path;
    std::string from;  ///< as shown: secrets are masked
    std::string to;
    bool is_path = false;  ///< the values are paths of the machine, which no client is shown
};

/// A value of the file that was changed without effect, because an environment variable sets the value.
struct overridden_value {
    std::string path;
    std::string place;      ///< "file:line"
    std::string variables;  ///< "LOG_LEVEL"; several with ", " between them
};

/// What is known of an option of a storage plugin. By default nothing, so that it is masked.
struct option_rule {
    bool is_used = false;  ///< of the plugin that is open
    bool is_secret = true;
    bool is_changeable = false;  ///< while the store is open
};
/// For a path such as "storage.rocksdb.cache_bytes".
using option_rules = std::function<option_rule(const std::string& path)>;

/// All lists are in order of path.
struct comparison {
    std::vector<change> changed;        ///< the server can use the new value
    std::vector<change> needs_restart;  ///< it uses the old value until it is started again
    std::vector<overridden_value> overridden;
    /// The values to use from now on: the new ones of `changed`, all others as before. It is the next
    /// comparison's @p in_use.
    configuration next;
    bool options_changed = false;  ///< an option of the open storage plugin is among `changed`
};

/// Values are compared as texts. Options of storage plugins that are not open are ignored.
comparison compare(const configuration& in_use, const configuration& given, const option_rules& rules);

/// When a change of the setting is used, in words: "at once", "after a restart".
std::string_view to_string(takes_effect when) noexcept;

}  // namespace gallery::config
