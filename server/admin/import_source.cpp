// SPDX-License-Identifier: Apache-2.0
#include "admin/import_source.hpp"

#include "admin/archive.hpp"
#include "admin/files.hpp"
#include "admin/image_files.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

/// Of the JSON of an image, without the picture.
constexpr std::size_t largest_document = 64U << 10U;

class folder_source final : public import_source {
public:
    explicit folder_source(std::string folder) : folder_(std::move(folder)) {}
    outcome<std::string> read(const std::string& name) override { return read_file(folder_ + name); }

private:
    std::string folder_;  ///< with a slash, or empty
};

std::string in_quotes(std::string_view name) {
    return "'" + std::string(name) + "'";
}

/// Parsed JSON takes many times its size, except for one long string, so that this is looked at before.
std::size_t besides_longest_string(std::string_view text) noexcept {
    std::size_t longest = 0;
    std::size_t open = 0;
    bool is_inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_inside && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            if (is_inside) longest = std::max(longest, i - open);
            open = i;
            is_inside = !is_inside;
        }
    }
    return text.size() - longest;
}

/// Empty: it is not the JSON of an image, unless that is @p required.
outcome<std::optional<json::object>> image_json(import_source& from, const std::string& name, bool required) {
    const auto text = from.read(name);
    if (!text) return text.error();
    if (besides_longest_string(*text) > largest_document) {
        // Of an image is nothing large but the picture.
        if (!required) return std::optional<json::object>();
        return failure{
            exit_code::refused,
            in_quotes(name) + " has more than 64 KiB besides a picture, so it is not the JSON of an image"};
    }
    json::error_code failed;
    auto value = json::parse(*text, failed);
    if (failed)
        return failure{exit_code::refused, in_quotes(name) + " is not valid JSON: " + failed.message()};
    auto* const object = value.if_object();
    if (object == nullptr) return std::optional<json::object>();
    const bool has_data = object->contains("data");
    if (!object->contains("resourceKey") && !has_data) return std::optional<json::object>();
    if (!has_data && text->size() > largest_document)
        return failure{exit_code::refused, in_quotes(name) + " describes a picture with more than 64 KiB"};
    return std::optional(std::move(*object));
}

}  // namespace

bool is_archive_name(std::string_view path) noexcept {
    return path.ends_with(".zip") || path.ends_with(".ZIP");
}

outcome<> find_items(import_source& in, std::vector<std::string> names, bool required) {
    std::sort(names.begin(), names.end());
    std::set<std::string, std::less<>> unused(names.begin(), names.end());
    for (const auto& name : names) {
        if (!is_sidecar_name(name_in_path(name))) continue;
        const auto beside = name.substr(0, name.size() - sidecar_ending.size());
        auto found = image_json(in, name, required || unused.contains(beside));
        if (!found) return found.error();
        if (!*found) {
            if (required)
                return failure{exit_code::refused, in_quotes(name) + " is not the JSON of an image"};
            continue;
        }
        auto about = read_document(**found);
        if (!about) return failure{about.error().code, in_quotes(name) + ": " + about.error().message};
        import_item item{name, std::move(*about), {}};
        if (!(*found)->contains("data")) {
            item.picture = beside;
            if (!unused.contains(item.picture) && !required) {
                return failure{
                    exit_code::not_found,
                    in_quotes(name) + " describes a picture, but there is no " + in_quotes(item.picture)};
            }
            if (item.about.key.empty())
                return failure{exit_code::refused, in_quotes(name) + " has no 'resourceKey'"};
            unused.erase(item.picture);
        } else if (item.about.key.empty() && item.about.file_name.empty()) {
            return failure{exit_code::refused, in_quotes(name) + " has neither 'resourceKey' nor 'fileName'"};
        }
        unused.erase(name);
        in.items.push_back(std::move(item));
    }
    in.others.assign(unused.begin(), unused.end());
    return {};
}

outcome<std::unique_ptr<import_source>> open_source(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failed;
    const bool is_folder = fs::is_directory(path, failed);
    if (!is_folder && is_archive_name(path)) return open_archive(path);
    std::unique_ptr<import_source> out;
    std::vector<std::string> names;
    if (is_folder) {
        out = std::make_unique<folder_source>(path + "/");
        for (fs::directory_iterator each(path, failed), end; !failed && each != end; each.increment(failed)) {
            auto name = each->path().filename().string();
            std::error_code ignored;
            // A link may lead to what is not meant to be published.
            if (!name.starts_with('.') && !each->is_symlink(ignored) && each->is_regular_file(ignored))
                names.push_back(std::move(name));
        }
        if (failed) {
            return failure{exit_code::refused,
                           "the folder '" + path + "' cannot be read: " + failed.message()};
        }
    } else {
        if (!is_sidecar_name(name_in_path(path)) && fs::exists(path, failed)) {
            return failure{exit_code::usage,
                           "'" + path +
                               "' is neither a folder, a zip archive nor a JSON file. To upload "
                               "pictures use gallery-admin images upload"};
        }
        out = std::make_unique<folder_source>("");
        names.push_back(path);
    }
    if (auto found = find_items(*out, std::move(names), !is_folder); !found) return found.error();
    return out;
}

outcome<item_picture> read_picture(import_source& from, const import_item& item, bool accept_changes) {
    item_picture out;
    if (item.picture.empty()) {
        auto found = image_json(from, item.name, true);
        if (!found) return found.error();
        if (!*found) return failure{exit_code::refused, in_quotes(item.name) + " has been changed meanwhile"};
        auto bytes = decode_picture(data_of(**found));
        if (!bytes)
            return failure{exit_code::refused,
                           "the picture in " + in_quotes(item.name) + " is missing or is not Base64"};
        out.bytes = std::move(*bytes);
    } else {
        auto bytes = from.read(item.picture);
        if (!bytes) return bytes.error();
        out.bytes = std::move(*bytes);
    }
    out.etag = etag_of(out.bytes);
    if (!accept_changes && !item.about.etag.empty() && item.about.etag != out.etag) {
        return failure{
            exit_code::refused,
            "the picture is not the one that " + in_quotes(item.name) +
                " describes, because its SHA-256 differs from 'etag'. If it was changed on purpose, use "
                "--accept-changes"};
    }
    return out;
}

}  // namespace gallery::admin
