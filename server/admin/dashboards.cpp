// SPDX-License-Identifier: Apache-2.0
// gallery-admin dashboards shrink: pictures in exported dashboards become images of the gallery.
#include "admin/commands.hpp"
#include "admin/files.hpp"
#include "admin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace gallery::admin {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::array<option, 2> shrink_options{{
    {"--output", "PATH", "write to this file, or with the same names into this folder"},
    {"--dry-run", "", "check and report everything; store and write nothing"},
}};

std::string bytes_in(const json::object& one, std::string_view name) {
    const auto* const value = one.if_contains(name);
    return value == nullptr || value->is_null() ? "-" : std::to_string(number_of(one, name));
}

std::string count_in(const json::object& one, std::string_view name) {
    return std::to_string(number_of(one, name));
}

constexpr std::array<field, 6> fields{{
    {"file", [](const json::object& one) { return text_of(one, "file"); }},
    {"bytes", [](const json::object& one) { return bytes_in(one, "sizeBefore"); }},
    {"after", [](const json::object& one) { return bytes_in(one, "sizeAfter"); }},
    {"created", [](const json::object& one) { return count_in(one, "created"); }},
    {"reused", [](const json::object& one) { return count_in(one, "reused"); }},
    {"left", [](const json::object& one) { return std::to_string(one.at("left").as_array().size()); }},
}};

/// The text of the member "document", which is the last one of an answer. Parsing and printing it would
/// change numbers. A string in the outermost object is the name of a member, since the values of the others
/// are arrays. Empty where there is none.
std::string_view document_in(std::string_view answer) {
    constexpr std::string_view name = "\"document\":";
    std::size_t depth = 0;
    for (std::size_t at = 0; at < answer.size(); ++at) {
        const char c = answer[at];
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        if (c != '"') continue;
        if (depth == 1 && answer.substr(at).starts_with(name)) {
            const auto end = answer.rfind('}');
            const auto begin = at + name.size();
            return end < begin ? std::string_view() : answer.substr(begin, end - begin);
        }
        for (++at; at < answer.size() && answer[at] != '"'; ++at)
            if (answer[at] == '\\') ++at;
    }
    return {};
}

/// An array of objects in an answer; empty where it is not.
json::array array_in(const json::object& answer, std::string_view name) {
    const auto* const value = answer.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : json::array();
}

/// Where the document of each file goes. Failure: usage.
outcome<std::vector<std::string>> targets_of(const session& in) {
    const auto& files = in.given.operands;
    const auto output = in.given.value("--output");
    if (!output) return files;
    std::error_code failed;
    const bool is_folder = fs::is_directory(*output, failed);
    if (!is_folder && files.size() > 1)
        return usage("there are several files, and '" + *output + "' is not a folder");
    std::vector<std::string> out;
    std::set<std::string> names;
    for (const auto& file : files) {
        auto name = fs::path(file).filename().string();
        if (!names.insert(name).second) return usage("there are two files with the name '" + name + "'");
        out.push_back(is_folder ? (fs::path(*output) / name).string() : *output);
    }
    return out;
}

/// Replaces a file that a user has. A link to it stays.
outcome<> write_in_place(const std::string& path, std::string_view text) {
    std::error_code failed;
    const auto real = fs::canonical(path, failed);
    return replace_file(failed ? path : real.string(), text);
}

void note_left(const session& in, const std::string& file, const json::array& left) {
    for (const auto& one : left) {
        if (!one.is_object()) continue;
        const auto reason = text_of(one.get_object(), "reason");
        in.out.note(file + ": " + text_of(one.get_object(), "path") + " stays: " +
                    (reason == "IN_TEXT"      ? "a picture inside a longer text"
                     : reason == "NOT_BASE64" ? "a picture that is not in Base64"
                                              : "only its etag is known, and no image has it"));
    }
}

/// Sends one file and writes what became of it.
outcome<json::object> shrink_one(session& in, const std::string& file, const std::string& target) {
    auto text = read_file(file);
    if (!text) return text.error();
    const auto size_before = text->size();
    const bool is_rehearsal = in.given.has("--dry-run");
    auto answer = in.server.post_text(
        is_rehearsal ? "/api/images/extract?dryRun=true" : "/api/images/extract", std::move(*text));
    if (!answer) return answer.error();
    json::error_code failed;
    const auto parsed = json::parse(*answer, failed, {}, {.max_depth = 512});
    const auto document = document_in(*answer);
    if (failed || !parsed.is_object() || document.empty() != is_rehearsal)
        return failure{exit_code::unreachable, "the server's response is not a document with images"};
    auto images = array_in(parsed.get_object(), "images");
    std::int64_t created = 0;
    for (const auto& one : images) {
        const auto* const is_new = one.is_object() ? one.get_object().if_contains("created") : nullptr;
        if (is_new != nullptr && *is_new == true) ++created;
    }
    json::object out;
    out["file"] = file;
    out["written"] = nullptr;
    out["sizeBefore"] = size_before;
    out["sizeAfter"] = nullptr;
    if (!is_rehearsal) {
        out["sizeAfter"] = document.size();
        // A file in place that has no pictures stays as it is.
        if (!images.empty() || target != file) {
            if (auto written = write_in_place(target, document); !written) return written.error();
            out["written"] = target;
        }
    }
    out["created"] = created;
    out["reused"] = static_cast<std::int64_t>(images.size()) - created;
    out["left"] = array_in(parsed.get_object(), "left");
    out["images"] = std::move(images);
    note_left(in, file, out["left"].get_array());
    return out;
}

/// Goes on with the other files after one that fails, and ends with the first failure.
outcome<> shrink(session& in) {
    const auto targets = targets_of(in);
    if (!targets) return targets.error();
    const auto& files = in.given.operands;
    json::array done;
    std::optional<failure> first;
    std::size_t failed = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto one = shrink_one(in, files[i], (*targets)[i]);
        if (one) {
            done.emplace_back(std::move(*one));
            continue;
        }
        auto why = one.error();
        const bool ends_all = concerns_all(why);
        // Messages of the file system name the file themselves.
        if (why.message.find(files[i]) == std::string::npos)
            why.message = "'" + files[i] + "': " + why.message;
        if (failed++ == 0) {
            first = std::move(why);
        } else {
            in.out.note(why.message);
        }
        if (ends_all) break;
    }
    if (!done.empty()) in.out.list(done, fields);
    if (!first) return {};
    if (failed > 1)
        first->message += "; " + std::to_string(failed) + " of " + std::to_string(files.size()) + " failed";
    return *first;
}

constexpr std::array<command, 1> commands{{
    {"dashboards shrink", "FILE...", "turn the pictures in exported dashboards into images",
     "Each FILE is JSON, for instance a dashboard that was exported from ThingsBoard. Its\n"
     "embedded pictures become images of the gallery, each only once, and links take their\n"
     "place. All other text stays as it is. The file is replaced after everything has\n"
     "succeeded, unless --output is given. A picture that is damaged or too large is named,\n"
     "and the file stays as it is. Raise --timeout for files with many large pictures.",
     "gallery-admin dashboards shrink --dry-run *.json\n"
     "gallery-admin dashboards shrink plant.json --output plant-small.json",
     shrink_options, shrink},
}};

}  // namespace

std::span<const command> dashboard_commands() {
    return commands;
}

}  // namespace gallery::admin
