#include "storage/options.hpp"

#include "config/values.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace gallery::storage {

namespace {

constexpr std::array<std::pair<std::string_view, option_type>, 5> types{{
    {"text", option_type::text},
    {"integer", option_type::integer},
    {"size", option_type::size},
    {"duration", option_type::duration},
    {"boolean", option_type::boolean},
}};

std::string_view expectation(option_type type) noexcept {
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
    }
    return "text";
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
    }
    return std::nullopt;
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
                             (failed ? failed.message() : std::string("found something else"))};
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

    result<plugin_option> read_option(std::string_view name, const boost::json::value& declared) const {
        plugin_option option;
        option.name = name;
        const auto* members = declared.if_object();
        const auto* preset = members == nullptr ? nullptr : members->if_contains("default");
        if (preset == nullptr || !preset->is_string()) return malformed(name, "has no default that is text");
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
                    return malformed(name, "has the type '" + std::string(*text) +
                                               "', which is none of text, integer, size, duration, boolean");
                }
                option.type = type->second;
            } else if (key == "secret" && member.value().is_bool()) {
                option.secret = member.value().get_bool();
            } else {
                return malformed(name, "has the member '" + std::string(key) +
                                           "', which is unknown or has a value of another type");
            }
        }
        if (!canonical(option.type, option.preset)) {
            return malformed(name, "has a default that is not " + std::string(expectation(option.type)));
        }
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
        auto value = canonical(option.type, unset ? option.preset : found->second);
        if (!value) {
            problem(option.name, "expected " + std::string(expectation(option.type)) + ", found " +
                                     (option.secret ? "something else (a secret, so not shown)"
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

}  // namespace gallery::storage
