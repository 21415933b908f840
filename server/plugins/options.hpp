// SPDX-License-Identifier: Apache-2.0
/// The options in the schema of a storage plugin, and their values.
///
/// Only the schema determines which options are secret. The value of a secret option is never part of an
/// error, a log line or any other output of the server: messages of this file omit it, and texts of an engine
/// pass through secret_texts.
///
/// Pure functions; any thread.
#pragma once

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::plugins {

/// The forms that plugin_descriptor::config_schema names.
enum class option_type : std::uint8_t { text, integer, size, duration, boolean, choice };

struct plugin_option {
    std::string name;
    option_type type = option_type::text;
    std::string preset;  ///< the default
    std::string description;
    bool secret = false;
    bool reload = false;  ///< storage_engine::change_options() can change it
    bool cache = false;   ///< only makes reads faster; a store that serves no requests is given min
    /// Of integer, size (bytes) and duration (milliseconds); both included.
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    std::vector<std::string> values;  ///< of a choice
};

/// The options of the schema, in its order. Error: unavailable for a schema that differs from the description
/// in plugin.hpp. An unknown member is refused, because a misspelt "secret" would publish a password.
result<std::vector<plugin_option>> declared_options(const plugin_descriptor& descriptor);

/// @p given over the defaults, each value in the form of its type for plugins. An empty value of an option
/// that is not text means the default. Errors: invalid_argument for options that are not in the schema and
/// for values of another form, all of them, one per line, each starting with "storage.PLUGIN.OPTION: "; those
/// of declared_options().
result<std::map<std::string, std::string>> complete_options(const plugin_descriptor& descriptor,
                                                            std::map<std::string, std::string> given);

/// @p given with the least memory for the options that are caches: for a store that serves no requests.
std::map<std::string, std::string> with_least_caches(const plugin_descriptor& descriptor,
                                                     std::map<std::string, std::string> given);

/// Replaces the values of secret options in texts that come from an engine.
class secret_texts {
public:
    secret_texts() = default;
    /// @p given as in the configuration. Uses no secrets of a schema that cannot be read.
    secret_texts(const plugin_descriptor& descriptor, const std::map<std::string, std::string>& given);

    [[nodiscard]] std::string masked(std::string text) const;
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

private:
    std::vector<std::string> values_;  ///< longest first, because one may contain another
};

}  // namespace gallery::plugins
