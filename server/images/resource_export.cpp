// SPDX-License-Identifier: Apache-2.0
#include "images/resource_export.hpp"

#include "images/json_text.hpp"
#include "images/picture_decoder.hpp"

#include <gallery/sub_type.hpp>
#include <gallery/text.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <utility>

namespace gallery::images {
namespace {

namespace json = boost::json;

// The year 9999: what clients can show.
constexpr std::int64_t latest_time = 253'402'300'799'999;
// Repeated tags count once, so more than an image can have may be sent.
constexpr std::size_t most_tags_sent = 1024;

// Called by Boost.JSON's parser with the pieces of the document. Only what stands directly in the outermost
// object matters; a null there is as if it were absent.
struct handler {
    static constexpr std::size_t max_object_size = 0x7ffffffe;
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = 1024;
    static constexpr std::size_t max_string_size = max_object_size;

    enum class field {
        other,
        title,
        resource_key,
        file_name,
        public_key,
        is_public,
        sub_type,
        type,
        media_type,
        tags,
        created_time,
        data
    };

    resource_export out;
    std::string key;
    std::string name;  // of the current field
    std::string text;
    field current = field::other;
    std::string type;
    bool has_data = false;
    picture_decoder decoder;
    sha256_hasher hasher;  // of out.data
    std::optional<error> failure;
    unsigned depth = 0;
    bool outermost_is_object = false;

    bool stop(error why, json::error_code& ec) {
        failure = std::move(why);
        ec = json::error::extra_data;  // any code: failure says what it was
        return false;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code& ec) {
        if (!other_kind("an object", ec)) return false;
        if (depth++ == 0) outermost_is_object = true;
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) {
        --depth;
        current = field::other;
        return true;
    }
    bool on_array_begin(json::error_code& ec) {
        if (current == field::tags && depth == 1) {
            out.tags.emplace();
        } else if (!other_kind("an array", ec)) {
            return false;
        }
        ++depth;
        return true;
    }
    bool on_array_end(std::size_t, json::error_code&) {
        --depth;
        current = field::other;
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        key += part;
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        key += part;
        current = depth == 1 ? named(key) : field::other;
        if (current != field::other) name = key;
        if (current == field::tags) out.tags.reset();
        if (current == field::data) {
            out.data.clear();
            decoder = {};
            hasher = {};
        }
        key.clear();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code& ec) { return take(part, ec); }
    bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
        if (!take(part, ec)) return false;
        if (!expected()) return true;
        if (current == field::data) {
            has_data = true;
            const auto before = out.data.size();
            if (auto ended = decoder.finish(out.data); !ended) return stop(ended.error(), ec);
            hasher.update(std::span<const char>(out.data).subspan(before));
            out.digest = hasher.finish();
        } else if (!assign(ec)) {
            return false;
        }
        text.clear();
        return true;
    }
    bool on_bool(bool value, json::error_code& ec) {
        if (current != field::is_public) return other_kind("a boolean", ec);
        if (expected()) out.is_public = value;
        return true;
    }
    // Whether the whole number is one that is taken is known at its end.
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
        if (current == field::created_time && value > 0 && value <= latest_time) {
            if (expected()) out.created_time = value;
            return true;
        }
        if (current != field::is_public || (value != 0 && value != 1)) {
            return other_kind(current == field::created_time ? "a number out of range" : "a number", ec);
        }
        if (expected()) out.is_public = value == 1;
        return true;
    }
    // Only what is too large for the other one.
    bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) {
        return other_kind("a number out of range", ec);
    }
    bool on_double(double, json::string_view, json::error_code& ec) { return other_kind("a number", ec); }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    static field named(std::string_view name) {
        if (name == "title") return field::title;
        if (name == "resourceKey") return field::resource_key;
        if (name == "fileName") return field::file_name;
        if (name == "publicResourceKey") return field::public_key;
        if (name == "public" || name == "isPublic") return field::is_public;
        if (name == "subType") return field::sub_type;
        if (name == "type") return field::type;
        if (name == "mediaType") return field::media_type;
        if (name == "tags") return field::tags;
        if (name == "createdTime") return field::created_time;
        if (name == "data") return field::data;
        return field::other;
    }

    // Whether the value that comes now is one of the fields, or one of the tags.
    [[nodiscard]] bool expected() const noexcept {
        return current == field::tags ? depth == 1 || depth == 2 : depth == 1 && current != field::other;
    }

    // A field with a value of another kind is refused: taken for absent it would make an image private, or
    // another one be overwritten.
    bool other_kind(const std::string& kind, json::error_code& ec) {
        if (!expected()) return true;
        const auto* const takes = current == field::is_public      ? "true or false."
                                  : current == field::created_time ? "milliseconds since 1970."
                                  : current == field::tags         ? "a list of texts."
                                                                   : "a text.";
        return stop({errc::invalid_argument,
                     "The field '" + name + "' of the import is " + kind + ". It takes " + takes},
                    ec);
    }

    bool take(json::string_view part, json::error_code& ec) {
        if (!expected()) return true;
        if (current == field::data) {
            const auto before = out.data.size();
            if (auto decoded = decoder.feed({part.data(), part.size()}, out.data); !decoded)
                return stop(decoded.error(), ec);
            hasher.update(std::span<const char>(out.data).subspan(before));
            return true;
        }
        if (text.size() + part.size() > 8192)
            return stop({errc::invalid_argument, "A text field of the import is longer than 8192 bytes."},
                        ec);
        text += part;
        return true;
    }

    bool assign(json::error_code& ec) {
        switch (current) {
            case field::title:
                out.title = text;
                break;
            case field::resource_key:
                out.resource_key = text;
                break;
            case field::file_name:
                out.file_name = text;
                break;
            case field::public_key:
                out.public_key = text;
                break;
            case field::media_type:
                out.media_type = text;
                break;
            case field::is_public:
                out.is_public = parse_boolean(text);
                if (!out.is_public && !text.empty())
                    return other_kind("the text '" + text.substr(0, 40) + "'", ec);
                break;
            case field::type:
                type = text;
                break;
            case field::tags:
                if (depth != 2) return other_kind("a text", ec);
                if (out.tags->size() == most_tags_sent) {
                    return stop({errc::invalid_argument, "The import contains too many tags."}, ec);
                }
                out.tags->push_back(text);
                break;
            case field::created_time:
                return other_kind("a text", ec);
            case field::sub_type:
                if (auto sub_type = parse_sub_type(text, "The field 'subType'")) {
                    out.sub_type = *sub_type;
                } else {
                    return stop(std::move(sub_type).error(), ec);
                }
                break;
            default:
                break;
        }
        return true;
    }
};

error no_data() {
    return {errc::invalid_argument,
            "The field 'data' is missing or empty. It takes the picture in Base64, as an exported JSON "
            "document has it."};
}

}  // namespace

struct resource_export_reader::state {
    json::basic_parser<handler> parser{json::parse_options{}};
    json_text_decoder decoder;
    std::uint64_t consumed = 0;
    bool begun = false;  // there was something besides white space

    result<void> parse(std::string_view text) {
        constexpr std::string_view space = " \t\r\n";
        begun = begun || text.find_first_not_of(space) != std::string_view::npos;
        json::error_code ec;
        const auto used = parser.write_some(true, text.data(), text.size(), ec);
        consumed += used;
        if (!ec && used < text.size() && text.substr(used).find_first_not_of(space) != std::string_view::npos)
            ec = json::error::extra_data;
        if (ec) return describe(ec);
        return {};
    }

    error describe(json::error_code ec) {
        if (auto& failure = parser.handler().failure) return *failure;
        return {errc::invalid_argument, "The import is not valid JSON: " + ec.message() + " near byte " +
                                            std::to_string(consumed) +
                                            ". Send the document as the export made it."};
    }
};

resource_export_reader::resource_export_reader(std::uint64_t expected_size)
    : state_(std::make_unique<state>()) {
    state_->parser.handler().out.data.reserve(expected_size / 4 * 3);
}
resource_export_reader::~resource_export_reader() = default;
resource_export_reader::resource_export_reader(resource_export_reader&&) noexcept = default;
resource_export_reader& resource_export_reader::operator=(resource_export_reader&&) noexcept = default;

result<void> resource_export_reader::feed(std::string_view text) {
    const auto decoded = state_->decoder.decode(text);
    if (!decoded) return decoded.error();
    if (decoded->empty()) return {};
    return state_->parse(*decoded);
}

result<resource_export> resource_export_reader::finish() {
    const auto rest = state_->decoder.finish();
    if (!rest) return rest.error();
    if (!rest->empty()) {
        if (auto parsed = state_->parse(*rest); !parsed) return parsed.error();
    }
    if (!state_->begun) return no_data();
    json::error_code ec;
    state_->parser.write_some(false, "", 0, ec);
    if (ec) return state_->describe(ec);
    auto& read = state_->parser.handler();
    if (!read.outermost_is_object)
        return error{errc::invalid_argument, "The import is not a JSON object. Send one exported image."};
    if (!read.type.empty() && read.type != "IMAGE")
        return error{errc::invalid_argument, "The field 'type' is '" + read.type.substr(0, 40) +
                                                 "'. Only IMAGE can be imported here."};
    if (!read.has_data || read.out.data.empty()) return no_data();
    return std::move(read.out);
}

std::string write_resource_export(const image_record& record, std::string_view link, const bytes& original) {
    json::object head;
    head["link"] = link;
    head["title"] = record.title;
    head["type"] = "IMAGE";
    head["subType"] = sub_types.name_of(record.sub_type);
    head["resourceKey"] = record.key;
    head["fileName"] = record.file_name;
    head["publicResourceKey"] = record.public_key;
    head["public"] = record.is_public;
    head["mediaType"] = record.original.media_type;
    if (!record.tags.empty()) head["tags"] = json::array(record.tags.begin(), record.tags.end());
    auto text = json::serialize(head);
    text.pop_back();
    text.reserve(text.size() + (original.size() + 2) / 3 * 4 + 16);
    text += ",\"data\":\"";
    append_base64(original.span(), text);
    text += "\"}";
    return text;
}

}  // namespace gallery::images
