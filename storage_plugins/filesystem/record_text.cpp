// SPDX-License-Identifier: Apache-2.0
#include "record_text.hpp"

#include "names.hpp"

#include <gallery/sub_type.hpp>

#include <boost/crc.hpp>
#include <boost/json.hpp>

#include <array>
#include <cstdio>

namespace gallery::file_store {
namespace {

namespace json = boost::json;

constexpr std::string_view record_format = "gallery image 2";
constexpr std::string_view first_record_format = "gallery image 1";
constexpr std::string_view journal_format = "gallery documents 1";
constexpr std::string_view document_format = "gallery document 1";
constexpr std::string_view log_format = "gallery changes 1";

constexpr std::array<std::pair<change::kind, std::string_view>, 7> change_names = {{
    {change::kind::image_saved, "image_saved"},
    {change::kind::image_updated, "image_updated"},
    {change::kind::image_erased, "image_erased"},
    {change::kind::version_kept, "version_kept"},
    {change::kind::version_dropped, "version_dropped"},
    {change::kind::document_saved, "document_saved"},
    {change::kind::document_erased, "document_erased"},
}};

std::string checksum(std::string_view text) {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", static_cast<unsigned>(crc.checksum()));
    return {digits.data(), 8};
}

error damaged(std::string_view what) {
    return {errc::corrupt, std::string(what)};
}

/// Reads members of an object and remembers whether one was missing or of another type.
class reader {
public:
    explicit reader(const json::object& object) : object_(object) {}

    std::string text(std::string_view name) {
        const auto* value = find(name);
        if (value == nullptr || !value->is_string()) return fail<std::string>();
        return std::string(value->get_string());
    }
    bool boolean(std::string_view name) {
        const auto* value = find(name);
        return value != nullptr && value->is_bool() ? value->get_bool() : fail<bool>();
    }
    template <class Number>
    Number number(std::string_view name) {
        const auto* value = find(name);
        if (value == nullptr) return fail<Number>();
        json::error_code failed;
        const auto got = value->to_number<Number>(failed);
        return failed ? fail<Number>() : got;
    }
    uuid id(std::string_view name) {
        const auto parsed = parse_uuid(text(name));
        return parsed ? *parsed : fail<uuid>();
    }
    std::vector<std::string> texts(std::string_view name) {
        const auto* value = find(name);
        if (value == nullptr || !value->is_array()) return fail<std::vector<std::string>>();
        std::vector<std::string> all;
        for (const auto& item : value->get_array()) {
            if (!item.is_string()) return fail<std::vector<std::string>>();
            all.emplace_back(item.get_string());
        }
        return all;
    }
    const json::object* object(std::string_view name) {
        const auto* value = find(name);
        if (value == nullptr || !value->is_object()) return nullptr;
        return &value->get_object();
    }
    const json::value* find(std::string_view name) const { return object_.if_contains(name); }
    template <class T>
    T fail() {
        right_ = false;
        return T{};
    }
    [[nodiscard]] bool right() const { return right_; }

private:
    const json::object& object_;
    bool right_ = true;
};

json::object to_object(const body_descriptor& body, std::string_view file) {
    json::object object;
    if (!file.empty()) object["file"] = file;
    object["media_type"] = body.media_type;
    object["width"] = body.width;
    object["height"] = body.height;
    object["size"] = body.size;
    object["sha256"] = to_hex(body.etag);
    return object;
}

bool parse_descriptor(const json::object* object, body_descriptor& body) {
    if (object == nullptr) return false;
    reader from(*object);
    body.media_type = from.text("media_type");
    body.width = from.number<std::uint32_t>("width");
    body.height = from.number<std::uint32_t>("height");
    body.size = from.number<std::uint64_t>("size");
    const auto etag = parse_sha256(from.text("sha256"));
    if (etag) body.etag = *etag;
    return from.right() && etag.has_value();
}

/// The members that are no objects themselves, one a line, as people read it.
std::string pretty(const json::object& object, const std::string& indent) {
    std::string text = "{\n";
    bool first = true;
    for (const auto& member : object) {
        if (!first) text += ",\n";
        first = false;
        text += indent + "  " + json::serialize(json::string(member.key())) + ": ";
        text += member.value().is_object() ? pretty(member.value().get_object(), indent + "  ")
                                           : json::serialize(member.value());
    }
    return text + '\n' + indent + '}';
}

/// Bytes of a key are data: every stored byte is read back.
std::optional<json::object> parse_object(std::string_view text) {
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    json::error_code failed;
    auto value = json::parse(text, failed, {}, options);
    if (failed || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

}  // namespace

std::string to_record_text(const image_record& record) {
    json::object object;
    object["format"] = record_format;
    object["key"] = record.key;
    object["title"] = record.title;
    object["file_name"] = record.file_name;
    object["tenant"] = to_string(record.tenant);
    object["id"] = to_string(record.id);
    object["sub_type"] = sub_types.name_of(record.sub_type);
    object["public"] = record.is_public;
    object["public_key"] = record.public_key;
    object["created_time"] = record.created_time;
    object["modified_time"] = record.modified_time;
    json::array tags;
    for (const auto& tag : record.tags)
        tags.emplace_back(tag);
    object["tags"] = std::move(tags);
    object["original"] = to_object(record.original, body_name(record, false));
    object["preview_is_original"] = record.preview_is_original;
    object["preview"] = to_object(record.preview, record.preview_is_original ? "" : body_name(record, true));
    object["revision"] = record.rev;
    object["content_revision"] = record.content_rev;
    object["checksum"] = checksum(json::serialize(object));
    return pretty(object, "") + '\n';
}

result<image_record> parse_record_text(std::string_view text) {
    auto object = parse_object(text);
    if (!object) return damaged("it is not a JSON object");
    reader from(*object);
    const auto format = from.text("format");
    if (format != record_format && format != first_record_format)
        return damaged("its format is not \"gallery image 2\"");
    const auto stated = from.text("checksum");
    auto without = *object;
    without.erase("checksum");
    if (checksum(json::serialize(without)) != stated)
        return damaged("its checksum does not match its content");

    image_record record;
    record.key = from.text("key");
    record.title = from.text("title");
    record.file_name = from.text("file_name");
    record.tenant = tenant_id{from.id("tenant")};
    record.id = image_id{from.id("id")};
    const auto sub_type = sub_types.find(from.text("sub_type"));
    record.sub_type = sub_type.value_or(image_sub_type::image);
    record.is_public = from.boolean("public");
    record.public_key = from.text("public_key");
    record.created_time = from.number<std::int64_t>("created_time");
    if (format == first_record_format) {
        record.modified_time = record.created_time;
    } else {
        record.modified_time = from.number<std::int64_t>("modified_time");
        record.tags = from.texts("tags");
    }
    record.preview_is_original = from.boolean("preview_is_original");
    record.rev = from.number<std::uint64_t>("revision");
    record.content_rev = from.number<std::uint64_t>("content_revision");
    const bool right = from.right() && sub_type && record.rev != 0 &&
                       parse_descriptor(from.object("original"), record.original) &&
                       parse_descriptor(from.object("preview"), record.preview);
    if (!right) return damaged("a field is missing or malformed");
    return record;
}

std::string to_document_text(const document& doc) {
    json::object object;
    object["format"] = document_format;
    object["kind"] = doc.kind;
    object["id"] = doc.id;
    object["revision"] = doc.rev;
    const auto facts = json::serialize(object);
    object["checksum"] = checksum(facts + doc.body);
    return json::serialize(object) + '\n' + doc.body;
}

result<document> parse_document_text(std::string_view text) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return damaged("its first line is incomplete");
    auto object = parse_object(text.substr(0, end));
    if (!object) return damaged("its first line is not a JSON object");
    reader from(*object);
    if (from.text("format") != document_format) return damaged("its format is not \"gallery document 1\"");
    document doc;
    doc.kind = from.text("kind");
    doc.id = from.text("id");
    doc.rev = from.number<std::uint64_t>("revision");
    doc.body = text.substr(end + 1);
    const auto stated = from.text("checksum");
    if (!from.right() || doc.rev == 0) return damaged("a field is missing or malformed");
    object->erase("checksum");
    if (checksum(json::serialize(*object) + doc.body) != stated)
        return damaged("its checksum does not match its content");
    return doc;
}

std::string to_journal_text(const std::vector<document_write>& parts) {
    json::object object;
    object["format"] = journal_format;
    json::array list;
    std::string bodies;
    for (const auto& part : parts) {
        json::object one;
        const bool is_save = part.what == document_write::action::save;
        one["action"] = is_save ? "save" : "erase";
        one["kind"] = part.doc.kind;
        one["id"] = part.doc.id;
        one["revision"] = part.doc.rev;
        one["size"] = is_save ? part.doc.body.size() : 0;
        if (is_save) bodies += part.doc.body;
        list.push_back(std::move(one));
    }
    object["documents"] = std::move(list);
    object["checksum"] = checksum(json::serialize(object) + bodies);
    return json::serialize(object) + '\n' + bodies;
}

result<std::vector<document_write>> parse_journal_text(std::string_view text) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return damaged("its first line is incomplete");
    auto object = parse_object(text.substr(0, end));
    if (!object) return damaged("its first line is not a JSON object");
    auto bodies = text.substr(end + 1);
    reader from(*object);
    if (from.text("format") != journal_format) return damaged("its format is not \"gallery documents 1\"");
    const auto stated = from.text("checksum");
    auto without = *object;
    without.erase("checksum");
    if (checksum(json::serialize(without) + std::string(bodies)) != stated)
        return damaged("its checksum does not match its content");
    const auto* list = from.find("documents");
    if (list == nullptr || !list->is_array()) return damaged("a field is missing or malformed");
    std::vector<document_write> parts;
    for (const auto& item : list->get_array()) {
        if (!item.is_object()) return damaged("a field is missing or malformed");
        reader one(item.get_object());
        document_write part;
        const auto action = one.text("action");
        part.what = action == "save" ? document_write::action::save : document_write::action::erase;
        part.doc.kind = one.text("kind");
        part.doc.id = one.text("id");
        part.doc.rev = one.number<std::uint64_t>("revision");
        const auto size = one.number<std::uint64_t>("size");
        if (!one.right() || part.doc.rev == 0 || size > bodies.size() ||
            (action != "save" && action != "erase"))
            return damaged("a field is missing or malformed");
        part.doc.body = bodies.substr(0, size);
        bodies.remove_prefix(size);
        parts.push_back(std::move(part));
    }
    if (parts.empty() || !bodies.empty()) return damaged("its documents differ from its list");
    return parts;
}

std::string to_log_line(const change& entry) {
    json::object object;
    object["revision"] = entry.rev;
    for (const auto& [kind, name] : change_names)
        if (kind == entry.what) object["change"] = name;
    if (entry.what == change::kind::document_saved || entry.what == change::kind::document_erased) {
        object["kind"] = entry.document_kind;
        object["id"] = entry.document_id;
    } else {
        object["tenant"] = to_string(entry.tenant);
        object["key"] = entry.key;
        object["id"] = to_string(entry.id);
        object["public_key"] = entry.public_key;
        if (entry.kept != 0) object["kept"] = entry.kept;
    }
    const auto text = json::serialize(object);
    return checksum(text) + ' ' + text + '\n';
}

std::string to_log_header(revision after) {
    json::object object;
    object["format"] = log_format;
    object["after"] = after;
    const auto text = json::serialize(object);
    return checksum(text) + ' ' + text + '\n';
}

std::optional<log_line> parse_log_line(std::string_view line) {
    if (line.size() < 10 || line[8] != ' ') return std::nullopt;
    const auto text = line.substr(9);
    if (checksum(text) != line.substr(0, 8)) return std::nullopt;
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    reader from(*object);
    log_line parsed;
    if (from.find("format") != nullptr) {
        if (from.text("format") != log_format) return std::nullopt;
        parsed.header_after = from.number<std::uint64_t>("after");
        return from.right() ? std::optional(parsed) : std::nullopt;
    }
    auto& entry = parsed.entry;
    entry.rev = from.number<std::uint64_t>("revision");
    const auto name = from.text("change");
    bool known = false;
    for (const auto& [kind, kind_name] : change_names) {
        if (kind_name != name) continue;
        entry.what = kind;
        known = true;
    }
    if (entry.what == change::kind::document_saved || entry.what == change::kind::document_erased) {
        entry.document_kind = from.text("kind");
        entry.document_id = from.text("id");
    } else {
        entry.tenant = tenant_id{from.id("tenant")};
        entry.key = from.text("key");
        entry.id = image_id{from.id("id")};
        entry.public_key = from.text("public_key");
        if (from.find("kept") != nullptr) entry.kept = from.number<std::uint64_t>("kept");
    }
    if (!from.right() || !known || entry.rev == 0) return std::nullopt;
    return parsed;
}

}  // namespace gallery::file_store
