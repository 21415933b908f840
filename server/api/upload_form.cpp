#include "api/upload_form.hpp"

#include "http/multipart.hpp"

#include <gallery/text.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

constexpr std::size_t max_field_bytes = 8 * 1024;

error repeated(std::string_view name) {
    return {errc::invalid_argument,
            "The part '" + std::string(name) + "' is there more than once. Send it once."};
}

// The parts that are text; each at most once.
struct text_parts {
    std::optional<std::string> title;
    std::optional<std::string> sub_type;

    std::optional<std::string>* named(std::string_view name) {
        if (name == "title") return &title;
        if (name == "imageSubType") return &sub_type;
        return nullptr;
    }
};

}  // namespace

result<image_sub_type> parse_sub_type(std::string_view text, std::string_view what) {
    if (text == "IMAGE") return image_sub_type::image;
    if (text == "SCADA_SYMBOL") return image_sub_type::scada_symbol;
    std::string shown(text.substr(0, 40));
    if (!is_utf8(shown)) shown = "(no text)";
    return error{errc::invalid_argument,
                 "'" + std::string(what) + "' is '" + shown + "'. It takes IMAGE or SCADA_SYMBOL."};
}

error picture_too_large(std::uint64_t max_bytes) {
    return {errc::too_large, "The image is larger than " + std::to_string(max_bytes) +
                                 " bytes, the most that this server takes. Make it smaller, or have the "
                                 "administrator raise the limit."};
}

task<result<upload_form>> read_upload_form(http::request& message, tenant_id owner,
                                           service::byte_budget& budget, std::uint64_t max_bytes) {
    auto parser = http::multipart_parser::create(message.header(http::field::content_type));
    if (!parser) co_return parser.error();
    const auto length = message.body().content_length();
    if (length && *length > max_bytes + form_envelope) co_return picture_too_large(max_bytes);
    message.body().set_limit(max_bytes + form_envelope);

    const auto expected = std::min(length.value_or(max_bytes), max_bytes);
    auto memory = co_await budget.acquire(owner, expected);
    if (!memory) co_return memory.error();
    upload_form form;
    form.memory = std::move(*memory);

    http::multipart_reader reader(message.body(), std::move(*parser));
    text_parts texts;
    std::optional<std::string>* text = nullptr;
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
                text = texts.named(part.name);
                // As in ThingsBoard, what has no file name is a field, not a file.
                in_file = part.name == "file" && part.file_name.has_value();
                if (in_file) {
                    if (std::exchange(has_file, true)) co_return repeated("file");
                    form.file.file_name = *part.file_name;
                    data.reserve(expected);
                } else if (text != nullptr) {
                    if (text->has_value()) co_return repeated(part.name);
                    text->emplace();
                }
                break;
            }
            case http::multipart_event::data: {
                const auto piece = reader.data();
                if (in_file) {
                    if (piece.size() > max_bytes - data.size()) co_return picture_too_large(max_bytes);
                    hasher.update(piece);
                    data.insert(data.end(), piece.begin(), piece.end());
                } else if (text != nullptr) {
                    if ((*text)->size() + piece.size() > max_field_bytes)
                        co_return error{
                            errc::invalid_argument,
                            "The part '" + reader.part().name + "' is longer than 8192 bytes. Shorten it."};
                    (*text)->append(piece.data(), piece.size());
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
                        "Required part 'file' is not present. Send the picture as a part named "
                        "'file', with a file name."};
    if (data.empty())
        co_return error{errc::not_an_image,
                        "The file '" + form.file.file_name + "' is empty. Choose a picture."};
    if (texts.sub_type && !texts.sub_type->empty()) {
        auto parsed = parse_sub_type(*texts.sub_type, "imageSubType");
        if (!parsed) co_return parsed.error();
        form.sub_type = *parsed;
    }
    form.title = std::move(texts.title).value_or("");
    form.memory.shrink(data.size());
    form.file.digest = hasher.finish();
    form.file.data = bytes::own(std::move(data));
    co_return form;
}

}  // namespace gallery::api
