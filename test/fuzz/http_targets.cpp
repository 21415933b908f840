#include "http_targets.hpp"

#include "exact.hpp"
#include "http/chunked.hpp"
#include "http/conditional.hpp"
#include "http/content_coding.hpp"
#include "http/disposition.hpp"
#include "http/head_parser.hpp"
#include "http/http_date.hpp"
#include "http/media_type.hpp"
#include "http/multipart.hpp"
#include "http/percent.hpp"
#include "http/query.hpp"
#include "http/range.hpp"
#include "http/response.hpp"

#include <gallery/text.hpp>

#include <string>

namespace gallery::http::fuzz {

using gallery::fuzz::exact;
using gallery::fuzz::hold;
using gallery::fuzz::inside;

void head(std::string_view input) {
    const exact text(input);
    static thread_local request_head parsed;
    const auto outcome = parse_head(text.view(), {}, parsed);
    if (outcome.status == head_status::refused) {
        hold(outcome.error.status >= 400 && outcome.error.status < 600, "a refusal has a status", input);
        return;
    }
    if (outcome.status == head_status::incomplete) return;
    hold(outcome.size <= input.size() && text.view().substr(0, outcome.size).ends_with("\r\n\r\n"),
         "a head ends with an empty line", input);
    hold(is_token(parsed.verb_text), "a method is a token", input);
    hold(parsed.path.starts_with('/') || parsed.path == "*" || parsed.verb_text == "CONNECT", "a path is one",
         input);
    for (const auto view : {parsed.target, parsed.query})
        hold(inside(view, text.view()), "a view is inside", input);
    for (std::size_t i = 0; i < parsed.field_count; ++i) {
        const auto& line = parsed.fields[i];
        hold(is_token(line.name) && is_header_value(line.value) && trim(line.value) == line.value,
             "a field is sound", input);
        hold(inside(line.value, text.view()), "a value is inside", input);
    }
    const auto checked = validate_head(parsed);
    const bool both = parsed.first[static_cast<std::size_t>(field::content_length)] != 0 &&
                      parsed.first[static_cast<std::size_t>(field::transfer_encoding)] != 0;
    hold(checked.error || !both, "no two framings", input);
    // The same head in front of other bytes is the same head.
    const exact longer(std::string(input) + "GET / HTTP/1.1\r\n\r\n");
    hold(parse_head(longer.view(), {}, parsed).size == outcome.size, "what follows does not matter", input);
}

void chunked(std::string_view input) {
    const auto decode = [input](std::size_t piece) {
        chunked_decoder decoder;
        std::string waiting, out;
        std::size_t at = 0;
        for (;;) {
            const exact now(waiting);
            std::size_t used = 0;
            auto last = chunked_decoder::step::need_more;
            do {
                const auto got = decoder.next(now.span().subspan(used));
                hold(got.consumed <= now.view().size() - used, "no more is consumed than there is", input);
                used += got.consumed;
                out.append(got.data.data(), got.data.size());
                last = got.what;
            } while (last == chunked_decoder::step::data);
            if (last == chunked_decoder::step::end) return out + "#end";
            if (last == chunked_decoder::step::broken) return std::string("#broken");
            waiting.erase(0, used);
            if (at >= input.size()) return out + "#more";
            waiting += input.substr(at, piece);
            at += piece;
        }
    };
    hold(decode(1) == decode(input.size() + 1), "chunks do not depend on how they arrive", input);
}

void multipart(std::string_view input) {
    const auto read = [input](std::size_t piece) {
        auto parser = multipart_parser::create("multipart/form-data; boundary=BOUND");
        std::string out;
        for (std::size_t at = 0; at < input.size(); at += piece) {
            const exact now(input.substr(at, piece));
            parser->feed(now.span());
            for (;;) {
                const auto event = parser->next();
                if (!event) return "#" + event.error().message;
                if (*event == multipart_event::need_more) break;
                if (*event == multipart_event::part) {
                    hold(is_utf8(parser->part().name), "a name is UTF-8", input);
                    out += "[" + parser->part().name + "]";
                }
                if (*event == multipart_event::data) out.append(parser->data().data(), parser->data().size());
            }
        }
        return out + (parser->finish() ? "#end" : "#cut");
    };
    const auto whole = read(input.size() + 1);
    hold(read(1) == whole && read(7) == whole, "a form does not depend on how it arrives", input);
}

void conditional(std::string_view input) {
    const exact text(input);
    const bool weak = lists_etag(text.view(), "a", false);
    const bool strong = lists_etag(text.view(), "a", true);
    hold(weak || !strong, "what matches strongly matches weakly", input);
    auto rest = text.view();
    bool malformed = false;
    while (const auto tag = next_entity_tag(rest, malformed))
        hold(inside(tag->opaque, text.view()), "a tag is inside", input);
    hold(malformed || rest.empty(), "a list is read to its end", input);
}

void range(std::string_view input) {
    const exact text(input);
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, ~std::uint64_t{0}}) {
        const auto choice = parse_range(text.view(), size);
        if (choice.kind != range_kind::part) continue;
        hold(choice.range.length > 0 && choice.range.first < size &&
                 choice.range.length <= size - choice.range.first,
             "a part lies inside", input);
    }
}

void texts(std::string_view input) {
    const exact text(input);
    choose_coding(text.view(), {true, true});
    const auto disposition = content_disposition(disposition_kind::attachment, text.view());
    hold(is_header_value(disposition), "a disposition can be sent", input);
    if (const auto form = parse_form_disposition(text.view()))
        hold(form->name.size() <= input.size(), "a name", input);
    if (const auto type = media_type::parse(text.view())) {
        const auto value = type->parameter("boundary");
        hold(!value || value->size() < input.size(), "a parameter is a part", input);
    }
    if (const auto date = parse_http_date(text.view(), 1'700'000'000)) {
        if (*date >= 0) hold(parse_http_date(http_date(*date), 0) == date, "a date is itself", input);
    }
    std::string decoded;
    percent_decode(text.view(), decoded);
    hold(percent_decode(percent_encode(text.view()), decoded) && decoded == input, "encoding is undone",
         input);
    const query_view query(text.view());
    for (const char* name : {"page", "force", ""}) {
        const auto value = query.get(name);
        hold(!value || !*value || is_utf8(**value), "a parameter is UTF-8", input);
        hold(query.get_integer(name).has_value() || query.has(name), "what is missing is no error", input);
        hold(query.get_boolean(name).has_value() || query.has(name), "what is missing is no error", input);
    }
}

void all(std::string_view input) {
    head(input);
    chunked(input);
    multipart(input);
    conditional(input);
    range(input);
    texts(input);
}

}  // namespace gallery::http::fuzz
