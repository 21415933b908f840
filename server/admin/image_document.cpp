// SPDX-License-Identifier: Apache-2.0
#include "admin/image_document.hpp"

#include "images/stored_drawing.hpp"

#include <gallery/encode.hpp>
#include <gallery/sha256.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

/// 255 characters take no more in UTF-8.
constexpr std::size_t longest_text = 1024;

/// Reads members and remembers the first one of another kind. Null is as if it were absent.
class member_reader {
public:
    explicit member_reader(const json::object& from) : from_(from) {}

    const json::value* find(std::string_view name) const {
        const auto* const value = from_.if_contains(name);
        return value == nullptr || value->is_null() ? nullptr : value;
    }
    void text(std::string_view name, std::string& to) {
        const auto* const value = find(name);
        if (value == nullptr) return;
        if (value->is_string() && value->get_string().size() <= longest_text) {
            to = std::string(value->get_string());
        } else {
            refuse(name, value->is_string() ? "a text of at most 1024 bytes" : "a text");
        }
    }
    void boolean(std::string_view name, std::optional<bool>& to) {
        const auto* const value = find(name);
        if (value == nullptr) return;
        if (value->is_bool()) {
            to = value->get_bool();
        } else {
            refuse(name, "true or false");
        }
    }
    void time(std::string_view name, std::int64_t& to) {
        const auto* const value = find(name);
        if (value == nullptr) return;
        if (value->is_int64() && value->get_int64() > 0) {
            to = value->get_int64();
        } else {
            refuse(name, "milliseconds since 1970");
        }
    }
    void texts(std::string_view name, std::optional<std::vector<std::string>>& to) {
        const auto* const value = find(name);
        if (value == nullptr) return;
        const auto* const list = value->if_array();
        const auto is_text = [](const json::value& one) {
            return one.is_string() && one.get_string().size() <= longest_text;
        };
        if (list == nullptr || !std::all_of(list->begin(), list->end(), is_text)) {
            refuse(name, "a list of texts");
            return;
        }
        to.emplace();
        for (const auto& one : *list)
            to->emplace_back(one.get_string());
        std::sort(to->begin(), to->end());
        to->erase(std::unique(to->begin(), to->end()), to->end());
    }
    void refuse(std::string_view name, std::string_view takes) {
        if (problem_.empty())
            problem_ = "its member '" + std::string(name) + "' is not " + std::string(takes);
    }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    const json::object& from_;
    std::string problem_;
};

}  // namespace

outcome<image_document> read_document(const json::object& from) {
    image_document out;
    std::string type;
    member_reader read(from);
    read.text("type", type);
    if (!type.empty() && type != "IMAGE") read.refuse("type", "IMAGE");
    read.text("resourceKey", out.key);
    read.text("title", out.title);
    read.text("fileName", out.file_name);
    read.text("resourceSubType", out.sub_type);
    read.text("subType", out.sub_type);
    read.text("mediaType", out.media_type);
    read.text("etag", out.etag);
    read.text("publicResourceKey", out.public_key);
    read.boolean("public", out.is_public);
    read.texts("tags", out.tags);
    read.time("createdTime", out.created_time);
    if (const auto* const value = read.find("descriptor"); value != nullptr && value->is_object()) {
        member_reader descriptor(value->get_object());
        descriptor.text("mediaType", out.media_type);
    }
    if (!read.problem().empty()) return failure{exit_code::refused, read.problem()};
    return out;
}

std::string import_text(const image_document& about, std::string_view base64) {
    json::object head;
    const auto text = [&head](std::string_view name, const std::string& value) {
        if (!value.empty()) head[name] = value;
    };
    head["type"] = "IMAGE";
    text("subType", about.sub_type);
    text("resourceKey", about.key);
    text("title", about.title);
    text("fileName", about.file_name);
    text("mediaType", about.media_type);
    if (about.is_public) head["public"] = *about.is_public;
    text("publicResourceKey", about.public_key);
    if (about.tags) head["tags"] = json::array(about.tags->begin(), about.tags->end());
    if (about.created_time != 0) head["createdTime"] = about.created_time;
    auto out = json::serialize(head);
    out.pop_back();
    out.reserve(out.size() + base64.size() + 16);
    return out.append(",\"data\":\"").append(base64).append("\"}");
}

std::vector<std::string> differences(const image_document& wanted, const image_document& present) {
    std::vector<std::string> out;
    const auto compare = [&out](const std::string& a, const std::string& b, const char* name) {
        if (!a.empty() && a != b) out.emplace_back(name);
    };
    compare(wanted.etag, present.etag, "picture");
    compare(wanted.title, present.title, "title");
    compare(wanted.file_name, present.file_name, "fileName");
    compare(wanted.sub_type, present.sub_type, "subType");
    if (wanted.is_public && wanted.is_public != present.is_public) out.emplace_back("public");
    if (wanted.tags && *wanted.tags != present.tags.value_or(std::vector<std::string>()))
        out.emplace_back("tags");
    return out;
}

std::vector<std::string> fixed_differences(const image_document& wanted, const image_document& present) {
    std::vector<std::string> out;
    if (!wanted.public_key.empty() && wanted.public_key != present.public_key)
        out.emplace_back("publicResourceKey");
    if (wanted.created_time != 0 && wanted.created_time != present.created_time)
        out.emplace_back("createdTime");
    return out;
}

void describe_as_stored(image_document& about, std::string_view picture) {
    // The server's own limit is usually lower, and it refuses what is larger.
    constexpr std::size_t largest_drawing = 256U << 20U;
    const auto drawing = images::decompressed_drawing(picture, largest_drawing);
    if (!drawing) return;
    about.etag = etag_of(*drawing);
    about.file_name = images::decompressed_name(std::move(about.file_name));
}

std::string_view data_of(const json::object& from) noexcept {
    const auto* const data = from.if_contains("data");
    if (data == nullptr || !data->is_string()) return {};
    return {data->get_string().data(), data->get_string().size()};
}

std::optional<std::string> decode_picture(std::string_view data) {
    const auto comma = data.starts_with("data:") ? data.find(',') : std::string_view::npos;
    if (comma != std::string_view::npos) data.remove_prefix(comma + 1);
    std::string picture;
    picture.reserve(data.size() / 4 * 3);
    base64_reader reader;
    if (!reader.feed(data, picture) || !reader.finish(picture) || picture.empty()) return std::nullopt;
    return picture;
}

std::string etag_of(std::string_view picture) {
    return to_hex(sha256(std::span(picture.data(), picture.size())));
}

}  // namespace gallery::admin
