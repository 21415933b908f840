// SPDX-License-Identifier: Apache-2.0
#include "plugins/options.hpp"

#include "config/values.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace gallery::plugins {

namespace {

constexpr std::array<std::pair<std::string_view, option_type>, 6> types{{
    {"text", option_type::text},
    {"integer", option_type::integer},
    {"size", option_type::size},
    {"duration", option_type::duration},
    {"boolean", option_type::boolean},
    {"choice", option_type::choice},
}};

std::string_view form_of(option_type type) noexcept {
    switch (type) {
        case option_type::text:
            return "text";
        case option_type::integer:
            return "a whole number";
        case option_type::size:
            return "a size in bytes, alone or with a unit (65536, 64K, 64MiB, 2GB)";
        case option_type::duration:
            return "a duration with its unit (250ms, 30s, 5m, 12h)";
        case option_type::boolean:
            return "true or false";
        case option_type::choice:
            return "one of its values";
    }
    return "text";
}

bool has_limits(const plugin_option& option) noexcept {
    return option.min != std::numeric_limits<std::int64_t>::min() ||
           option.max != std::numeric_limits<std::int64_t>::max();
}

/// For messages: "a whole number from 1 to 256".
std::string expectation(const plugin_option& option) {
    if (option.type == option_type::choice) {
        std::string text;
        for (const auto& value : option.values)
            text += (text.empty() ? "one of " : ", ") + value;
        return text;
    }
    std::string text(form_of(option.type));
    if (!has_limits(option)) return text;
    constexpr std::array<std::string_view, 2> units{" bytes", " ms"};
    const auto unit = option.type == option_type::size       ? units[0]
                      : option.type == option_type::duration ? units[1]
                                                             : std::string_view();
    if (option.min != std::numeric_limits<std::int64_t>::min())
        text.append(" from ").append(std::to_string(option.min)).append(unit);
    if (option.max != std::numeric_limits<std::int64_t>::max())
        text.append(" to ").append(std::to_string(option.max)).append(unit);
    return text;
}

/// @p text as plugins are given it; nothing where it does not have the form of @p type.
std::optional<std::string> canonical(option_type type, const std::string& text) {
    switch (type) {
        case option_type::text:
            return text;
        case option_type::integer: {
            std::string_view digits = text;
            if (digits.starts_with('-')) digits.remove_prefix(1);
            if (!config::parse_unsigned(digits)) return std::nullopt;
            return text;
        }
        case option_type::size:
            if (const auto bytes = config::parse_size(text)) return std::to_string(*bytes);
            return std::nullopt;
        case option_type::duration:
            if (const auto time = config::parse_duration(text)) return std::to_string(time->count());
            return std::nullopt;
        case option_type::boolean:
            if (!config::parse_bool(text)) return std::nullopt;
            return text;
        case option_type::choice:
            return text;
    }
    return std::nullopt;
}

/// The same with the option's limits and values.
std::optional<std::string> accepted(const plugin_option& option, const std::string& text) {
    auto value = canonical(option.type, text);
    if (!value) return value;
    if (option.type == option_type::choice) {
        if (std::find(option.values.begin(), option.values.end(), *value) == option.values.end())
            return std::nullopt;
    } else if (has_limits(option)) {
        std::int64_t number = 0;
        const char* const end = value->data() + value->size();
        const auto [after, failed] = std::from_chars(value->data(), end, number);
        if (failed != std::errc{} || after != end || number < option.min || number > option.max)
            return std::nullopt;
    }
    return value;
}

class schema_reader {
public:
    explicit schema_reader(const plugin_descriptor& descriptor) : plugin_(descriptor.name) {}

    result<std::vector<plugin_option>> read(std::string_view schema) {
        boost::system::error_code failed;
        const auto parsed = boost::json::parse({schema.data(), schema.size()}, failed);
        if (failed || !parsed.is_object()) {
            return error{errc::unavailable,
                         "the plugin " + plugin_ + " has a config_schema that is not a JSON object: " +
                             (failed ? failed.message() : std::string("found another type"))};
        }
        std::vector<plugin_option> options;
        for (const auto& member : parsed.get_object()) {
            auto option = read_option(member.key(), member.value());
            if (!option) return option.error();
            options.push_back(std::move(*option));
        }
        return options;
    }

private:
    error malformed(std::string_view option, const std::string& what) const {
        return {errc::unavailable,
                "the plugin " + plugin_ + " has a config_schema in which '" + std::string(option) + "' " +
                    what +
                    R"(, expected {"default": "...", "description": "...", "type": "text", )"
                    R"("secret": false}. The plugin must be corrected.)"};
    }

    static bool is_list_of_texts(const boost::json::value& value) {
        const auto* list = value.if_array();
        return list != nullptr &&
               std::all_of(list->begin(), list->end(), [](const auto& item) { return item.is_string(); });
    }

    result<plugin_option> read_option(std::string_view name, const boost::json::value& declared) const {
        plugin_option option;
        option.name = name;
        const auto* members = declared.if_object();
        const auto* preset = members == nullptr ? nullptr : members->if_contains("default");
        if (preset == nullptr || !preset->is_string())
            return malformed(name, "has no default, or one that is not text");
        for (const auto& member : *members) {
            const std::string_view key = member.key();
            const auto* text = member.value().if_string();
            if (key == "default" && text != nullptr) {
                option.preset = std::string_view(*text);
            } else if (key == "description" && text != nullptr) {
                option.description = std::string_view(*text);
            } else if (key == "type" && text != nullptr) {
                const auto* type = std::find_if(types.begin(), types.end(),
                                                [&](const auto& known) { return known.first == *text; });
                if (type == types.end()) {
                    return malformed(name,
                                     "has the type '" + std::string(*text) +
                                         "'; expected text, integer, size, duration, boolean or choice");
                }
                option.type = type->second;
            } else if (key == "secret" && member.value().is_bool()) {
                option.secret = member.value().get_bool();
            } else if (key == "reload" && member.value().is_bool()) {
                option.reload = member.value().get_bool();
            } else if (key == "cache" && member.value().is_bool()) {
                option.cache = member.value().get_bool();
            } else if ((key == "min" || key == "max") && member.value().is_int64()) {
                (key == "min" ? option.min : option.max) = member.value().get_int64();
            } else if (key == "values" && is_list_of_texts(member.value())) {
                for (const auto& value : member.value().get_array())
                    option.values.emplace_back(std::string_view(value.get_string()));
            } else {
                return malformed(name, "has the member '" + std::string(key) +
                                           "', which is unknown or has a value of another type");
            }
        }
        const bool is_number = option.type == option_type::integer || option.type == option_type::size ||
                               option.type == option_type::duration;
        if (has_limits(option) && (!is_number || option.min > option.max))
            return malformed(name, "has limits that do not fit its type or each other");
        const bool has_min = option.min != std::numeric_limits<std::int64_t>::min();
        if (option.cache && (!option.reload || !has_min || option.type == option_type::duration))
            return malformed(name,
                             "is a cache without \"reload\": true, or without a \"min\" of a number or size");
        if ((option.type == option_type::choice) == option.values.empty())
            return malformed(name, "has values but is not a choice, or is a choice without values");
        if (!accepted(option, option.preset))
            return malformed(name, "has a default that is not " + expectation(option));
        return option;
    }

    std::string plugin_;
};

std::string names_of(const std::vector<plugin_option>& options) {
    std::string text;
    for (const auto& option : options)
        text += (text.empty() ? "" : ", ") + option.name;
    return text.empty() ? "none" : text;
}

}  // namespace

result<std::vector<plugin_option>> declared_options(const plugin_descriptor& descriptor) {
    return schema_reader(descriptor).read(descriptor.config_schema);
}

result<std::map<std::string, std::string>> complete_options(const plugin_descriptor& descriptor,
                                                            std::map<std::string, std::string> given) {
    const auto declared = declared_options(descriptor);
    if (!declared) return declared.error();
    const std::string plugin = descriptor.name;
    std::map<std::string, std::string> complete;
    std::string problems;
    const auto problem = [&](const std::string& option, const std::string& what) {
        problems.append(problems.empty() ? "" : "\n").append("storage.").append(plugin).append(".");
        problems.append(option).append(": ").append(what);
    };
    for (const auto& option : *declared) {
        const auto found = given.find(option.name);
        const bool unset =
            found == given.end() || (found->second.empty() && option.type != option_type::text);
        auto value = accepted(option, unset ? option.preset : found->second);
        if (!value) {
            problem(option.name, "expected " + expectation(option) + ", found " +
                                     (option.secret ? "another value (not shown, because it is secret)"
                                                    : "\"" + found->second + "\""));
        } else {
            complete.emplace(option.name, std::move(*value));
        }
        if (found != given.end()) given.erase(found);
    }
    for (const auto& [option, value] : given)
        problem(option, "the plugin " + plugin + " has no such option; it has: " + names_of(*declared));
    if (!problems.empty()) return error{errc::invalid_argument, problems};
    return complete;
}

std::map<std::string, std::string> with_least_caches(const plugin_descriptor& descriptor,
                                                     std::map<std::string, std::string> given) {
    const auto declared = declared_options(descriptor);
    if (!declared) return given;
    for (const auto& option : *declared) {
        if (option.cache) given[option.name] = std::to_string(option.min);
    }
    return given;
}

secret_texts::secret_texts(const plugin_descriptor& descriptor,
                           const std::map<std::string, std::string>& given) {
    const auto declared = declared_options(descriptor);
    if (!declared) return;
    for (const auto& option : *declared) {
        if (!option.secret) continue;
        if (const auto found = given.find(option.name); found != given.end() && !found->second.empty())
            values_.push_back(found->second);
    }
    std::sort(values_.begin(), values_.end(),
              [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string secret_texts::masked(std::string text) const {
    constexpr std::string_view mask = "********";
    for (const auto& value : values_) {
        for (auto at = text.find(value); at != text.npos; at = text.find(value, at + mask.size()))
            text.replace(at, value.size(), mask);
    }
    return text;
}

}  // namespace gallery::plugins
