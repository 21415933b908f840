// SPDX-License-Identifier: Apache-2.0
#include "api/upload_form.hpp"

#include "http/charset.hpp"
#include "http/media_type.hpp"
#include "http/multipart.hpp"

#include <gallery/sub_type.hpp>
#include <gallery/text.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

constexpr std::size_t max_field_bytes = 8 * 1024;

// A part that is text, as it arrived.
struct text_part {
    bool is_there = false;
    std::string charset;  // that its Content-Type names; empty where none
    std::string text;
};

// Of each the first counts.
struct text_parts {
    text_part title;
    text_part sub_type;
    text_part charset;  // of all parts that do not name one (RFC 7578, 4.6)

    text_part* begin(const http::part_head& head) {
        auto* const part = head.name == "title"          ? &title
                           : head.name == "imageSubType" ? &sub_type
                           : head.name == "_charset_"    ? &charset
                                                         : nullptr;
        if (part == nullptr || std::exchange(part->is_there, true)) return nullptr;
        if (const auto type = http::media_type::parse(head.content_type))
            part->charset = type->parameter("charset").value_or("");
        return part;
    }

    result<std::string> decode(const text_part& part, std::string_view name) const {
        const auto& named = part.charset.empty() ? charset.text : part.charset;
        const auto from = named.empty() ? http::charset::utf8 : http::find_charset(named);
        if (!from)
            return error{errc::unsupported_type,
                         "The part '" + std::string(name) + "' has the charset '" + shown(named) +
                             "'. It takes UTF-8, ISO-8859-1, windows-1252 or US-ASCII."};
        auto text = http::to_utf8(part.text, *from);
        if (!text)
            return error{errc::invalid_argument, "The part '" + std::string(name) + "' is not valid " +
                                                     (named.empty() ? "UTF-8" : shown(named)) +
                                                     ". Send the text in UTF-8, or name its charset."};
        return std::move(*text);
    }

private:
    static std::string shown(std::string_view text) {
        return is_utf8(text) ? std::string(text.substr(0, 40)) : "(no text)";
    }
};

constexpr std::uint64_t first_of_chunked = 1 << 20;

}  // namespace

std::uint64_t least_image_size(http::request& message) {
    const auto length = message.body().content_length().value_or(0);
    return length > form_envelope ? length - form_envelope : 1;
}

task<result<upload_form>> read_upload_form(http::request& message, tenant_id owner,
                                           images::byte_budget& budget, images::quotas& limits,
                                           images::size_limit most) {
    using images::known_size;
    const auto max_bytes = most.bytes;
    auto parser = http::multipart_parser::create(message.header(http::field::content_type));
    if (!parser) co_return parser.error();
    const auto length = message.body().content_length();
    if (const auto least = least_image_size(message); least > max_bytes)
        co_return limits.refuse_image(most, least, known_size::so_far);
    message.body().set_limit(max_bytes + form_envelope);

    // What comes in chunks of an unknown sum takes more memory as it arrives.
    const auto expected = std::min(length.value_or(first_of_chunked), max_bytes);
    auto memory = co_await budget.acquire(owner, expected);
    if (!memory) co_return memory.error();
    upload_form form;
    form.memory = std::move(*memory);

    http::multipart_reader reader(message.body(), std::move(*parser));
    text_parts texts;
    text_part* text = nullptr;
    bool in_file = false;
    bool has_file = false;
    std::vector<char> data;
    sha256_hasher hasher;
    for (bool more = true; more;) {
        auto event = co_await reader.next();
        if (!event) co_return event.error();
        switch (*event) {
            case http::multipart_event::part: {
                const auto& part = reader.part();
                text = texts.begin(part);
                // As in ThingsBoard, what has no file name is a field, not a file, and the first file counts.
                in_file = part.name == "file" && part.file_name.has_value() && !has_file;
                if (in_file) {
                    has_file = true;
                    form.file.file_name = *part.file_name;
                    data.reserve(expected);
                }
                break;
            }
            case http::multipart_event::data: {
                const auto piece = reader.data();
                if (in_file) {
                    if (piece.size() > max_bytes - data.size())
                        co_return limits.refuse_image(most, data.size() + piece.size(), known_size::so_far);
                    const auto needed = data.size() + piece.size();
                    if (needed > form.memory.size()) {
                        const auto larger = std::min(std::max(needed, 2 * form.memory.size()), max_bytes);
                        auto growth = co_await budget.acquire(owner, larger - form.memory.size());
                        if (!growth) co_return growth.error();
                        form.memory.add(std::move(*growth));
                        data.reserve(larger);
                    }
                    hasher.update(piece);
                    data.insert(data.end(), piece.begin(), piece.end());
                } else if (text != nullptr) {
                    if (text->text.size() + piece.size() > max_field_bytes)
                        co_return error{
                            errc::invalid_argument,
                            "The part '" + reader.part().name + "' is longer than 8192 bytes. Shorten it."};
                    text->text.append(piece.data(), piece.size());
                }
                break;
            }
            case http::multipart_event::part_end:
                in_file = false;
                text = nullptr;
                break;
            case http::multipart_event::end:
                more = false;
                break;
            case http::multipart_event::need_more:
                break;
        }
    }
    if (!has_file)
        co_return error{errc::invalid_argument,
                        "Required part 'file' is not present. Send the image as a part named "
                        "'file', with a file name."};
    if (data.empty())
        co_return error{errc::not_an_image,
                        "The file '" + form.file.file_name + "' is empty. Choose an image."};
    const auto sub_type = texts.decode(texts.sub_type, "imageSubType");
    if (!sub_type) co_return sub_type.error();
    if (!sub_type->empty()) {
        auto parsed = parse_sub_type(*sub_type, "The part 'imageSubType'");
        if (!parsed) co_return parsed.error();
        form.sub_type = *parsed;
    }
    auto title = texts.decode(texts.title, "title");
    if (!title) co_return title.error();
    form.title = std::move(*title);
    form.memory.shrink(data.size());
    form.file.digest = hasher.finish();
    form.file.request_id = message.request_id();
    form.file.data = bytes::own(std::move(data));
    co_return form;
}

}  // namespace gallery::api
