// SPDX-License-Identifier: Apache-2.0
#include "admin/arguments.hpp"

#include "admin/suggest.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace gallery::admin {

namespace {

failure usage(const program& of, const command& what, std::string message) {
    message += ". " + std::string(of.name) + " " + std::string(what.words) + " --help describes it";
    return {exit_code::usage, std::move(message)};
}

std::string quoted(std::string_view name) {
    return "'" + std::string(name) + "'";
}

std::vector<std::string_view> names_of_options(const command& what) {
    std::vector<std::string_view> out;
    for (const auto& one : what.options)
        out.push_back(one.name);
    for (const auto& one : common_options)
        out.push_back(one.name);
    return out;
}

/// How many operands there must and may be.
std::pair<std::size_t, std::size_t> bounds(std::string_view operands) {
    if (operands.empty()) return {0, 0};
    const auto words = 1 + static_cast<std::size_t>(std::count(operands.begin(), operands.end(), ' '));
    const auto optional = static_cast<std::size_t>(std::count(operands.begin(), operands.end(), '['));
    return {words - optional, operands.ends_with("...") ? std::numeric_limits<std::size_t>::max() : words};
}

void add_value(arguments& to, std::string_view name, std::string_view value) {
    const auto [at, is_first] = to.options.try_emplace(std::string(name), value);
    if (!is_first) at->second += "\n" + std::string(value);
}

}  // namespace

std::optional<std::string> arguments::value(std::string_view name) const {
    const auto found = options.find(name);
    if (found == options.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string> arguments::values(std::string_view name) const {
    std::vector<std::string> out;
    const auto found = options.find(name);
    if (found == options.end()) return out;
    for (std::string_view rest = found->second;;) {
        const auto end = rest.find('\n');
        out.emplace_back(rest.substr(0, end));
        if (end == std::string_view::npos) return out;
        rest.remove_prefix(end + 1);
    }
}

const option* find_option(const command& what, std::string_view name) noexcept {
    const auto named = [name](const option& one) { return one.name == name; };
    if (const auto own = std::find_if(what.options.begin(), what.options.end(), named);
        own != what.options.end()) {
        return &*own;
    }
    const auto* common = std::find_if(common_options.begin(), common_options.end(), named);
    return common == common_options.end() ? nullptr : &*common;
}

outcome<arguments> parse_arguments(const command& what, std::span<const std::string_view> given,
                                   const program& of) {
    arguments out;
    const auto end_of_options = std::find(given.begin(), given.end(), "--");
    if (std::any_of(given.begin(), end_of_options,
                    [](std::string_view text) { return text == "--help" || text == "-h"; })) {
        out.options["--help"];
        return out;
    }
    bool only_operands = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto text = given[i];
        if (only_operands || text.size() < 2 || text[0] != '-') {
            out.operands.emplace_back(text);
            continue;
        }
        if (text == "--") {
            only_operands = true;
            continue;
        }
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        const auto* const known = find_option(what, name);
        if (known == nullptr) {
            const auto near = nearest(name, names_of_options(what));
            return usage(of, what,
                         quoted(name) + " is not an option of " + std::string(what.words) +
                             (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
        }
        if (out.has(name) && !known->repeats) return usage(of, what, std::string(name) + " is given twice");
        if (known->value.empty()) {
            if (equals != std::string_view::npos)
                return usage(of, what, std::string(name) + " takes no value");
            out.options.emplace(name, "");
        } else if (equals != std::string_view::npos) {
            add_value(out, name, text.substr(equals + 1));
        } else if (i + 1 < given.size()) {
            add_value(out, name, given[++i]);
        } else {
            return usage(of, what,
                         std::string(name) + " requires a value: " + std::string(name) + " " +
                             std::string(known->value));
        }
    }
    const auto [least, most] = bounds(what.operands);
    if (out.operands.size() < least || out.operands.size() > most) {
        return usage(of, what,
                     std::string(what.words) + " takes " +
                         (what.operands.empty() ? "options only" : std::string(what.operands)) + ", and " +
                         std::to_string(out.operands.size()) +
                         (out.operands.size() == 1 ? " word was given" : " words were given"));
    }
    if (std::any_of(out.operands.begin(), out.operands.end(), [](const auto& one) { return one.empty(); })) {
        return usage(of, what, "an empty word is not a valid " + std::string(what.operands));
    }
    return out;
}

std::optional<std::size_t> whole_number(std::string_view text, std::size_t least, std::size_t most) noexcept {
    std::size_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = failed == std::errc() && end == text.data() + text.size();
    if (!is_whole || number < least || number > most) return std::nullopt;
    return number;
}

}  // namespace gallery::admin
