// SPDX-License-Identifier: Apache-2.0
#include "config/substitute.hpp"

#include <gallery/characters.hpp>

#include <algorithm>
#include <cstdlib>

namespace gallery::config {

environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        // Read at the start, before there are threads that could change it.
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    };
}

namespace {

bool is_name(std::string_view name) {
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_ascii_alphanumeric(c) || c == '_'; });
}

}  // namespace

result<substitution> substitute(std::string_view text, const environment& env) {
    substitution done;
    while (!text.empty()) {
        const auto begin = text.find("${");
        done.text += text.substr(0, begin);
        if (begin == std::string_view::npos) break;
        text.remove_prefix(begin + 2);
        const auto end = text.find('}');
        if (end == std::string_view::npos) {
            return error{errc::invalid_argument, "a closing } after \"${" + std::string(text) + "\""};
        }
        const std::string_view reference = text.substr(0, end);
        text.remove_prefix(end + 1);
        const auto colon = reference.find(':');
        std::string name(reference.substr(0, colon));
        if (!is_name(name)) {
            return error{errc::invalid_argument, "the name of an environment variable in \"${" +
                                                     std::string(reference) +
                                                     "}\", made of letters, digits and _"};
        }
        if (auto value = env(name)) {
            done.text += *value;
            done.used.push_back(name);
        } else if (colon != std::string_view::npos) {
            done.text += reference.substr(colon + 1);
        } else {
            return error{errc::invalid_argument,
                         "the environment variable " + name + ", which is not set and has no default"};
        }
        done.names.push_back(std::move(name));
    }
    return done;
}

}  // namespace gallery::config
