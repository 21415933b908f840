// SPDX-License-Identifier: Apache-2.0
#include "admin/output.hpp"

#include "admin/times.hpp"

#include <gallery/characters.hpp>
#include <gallery/text.hpp>
#include <gallery/uuid.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace gallery::admin {

namespace {

namespace json = boost::json;

void write(std::FILE* to, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), to);
}

/// In characters; those of two columns are taken for one.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

}  // namespace

std::string text_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string id_of(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    if (value == nullptr || !value->is_object()) return {};
    auto id = text_of(value->get_object(), "id");
    return id == to_string(system_tenant) ? std::string() : id;
}

std::string time_of(const json::object& from, std::string_view name) {
    return format_time(number_of(from, name));
}

std::string printable(std::string_view text) {
    std::string out(text);
    if (!is_utf8(out)) {
        std::replace_if(
            out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        if (c < 0x20 || c == 0x7f) out[i] = '?';
        // U+0080 to U+009F, which some terminals obey.
        if (c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0)
            out.replace(i, 2, "?");
    }
    return out;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out;
}

std::string render_list(const json::array& all, std::span<const field> fields) {
    std::vector<std::vector<std::string>> rows(1);
    for (const auto& one : fields) {
        if (one.in_list) rows[0].push_back(ascii_upper(one.name));
    }
    for (const auto& value : all) {
        auto& row = rows.emplace_back();
        for (const auto& one : fields) {
            if (one.in_list) row.push_back(printable(one.text(value.get_object())));
        }
    }
    std::string out;
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    }
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

std::string render_one(const json::object& value, std::span<const field> fields) {
    std::size_t widest = 0;
    for (const auto& one : fields)
        widest = std::max(widest, one.name.size());
    std::string out;
    for (const auto& one : fields) {
        const auto text = printable(one.text(value));
        if (text.empty()) continue;
        out += std::string(one.name) + ':' + std::string(widest - one.name.size() + 2, ' ') + text + '\n';
    }
    return out;
}

void printer::list(const json::array& all, std::span<const field> fields) const {
    write(stdout, as_json_ ? json::serialize(all) + '\n' : render_list(all, fields));
}

void printer::one(const json::object& value, std::span<const field> fields) const {
    write(stdout, as_json_ ? json::serialize(value) + '\n' : render_one(value, fields));
}

void printer::report(const json::object& whole, const json::array& rows,
                     std::span<const field> fields) const {
    if (as_json_) {
        write(stdout, json::serialize(whole) + '\n');
    } else if (!rows.empty()) {
        write(stdout, render_list(rows, fields));
    }
}
void printer::done(const std::string& sentence, const json::value& value) const {
    write(stdout, (as_json_ ? json::serialize(value) : printable(sentence)) + '\n');
}

void printer::note(const std::string& text) const {
    if (!as_json_) write(stderr, printable(text) + '\n');
}

void printer::error(const std::string& command, const failure& what) const {
    if (!as_json_) {
        write(stderr, printable(command + ": " + what.message) + '\n');
        return;
    }
    json::object out;
    out["message"] = what.message;
    out["exitCode"] = static_cast<int>(what.code);
    if (what.status != 0) out["status"] = what.status;
    if (what.error_code != 0) out["errorCode"] = what.error_code;
    write(stderr, json::serialize(out) + '\n');
}

outcome<> printer::finish() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
    return failure{exit_code::output,
                   std::string("it was done, but the report could not be written: ") + std::strerror(errno)};
}

}  // namespace gallery::admin
