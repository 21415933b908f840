// SPDX-License-Identifier: Apache-2.0
#include "http_targets.hpp"

#include "exact.hpp"
#include "http/conditional.hpp"
#include "http/content_coding.hpp"
#include "http/disposition.hpp"
#include "http/forwarded.hpp"
#include "http/head_parser.hpp"
#include "http/http_date.hpp"
#include "http/media_type.hpp"
#include "http/multipart.hpp"
#include "http/percent.hpp"
#include "http/query.hpp"
#include "http/range.hpp"
#include "http/request_id.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"

#include <gallery/text.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
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

namespace {

/// RFC 9112, 7.1, read from the left with a backtracking eye on each rule: slow, and unlike the server's way.
class chunk_reference {
public:
    /// "data#end" with what is left behind it, "data#more", or "#broken".
    static std::string read(std::string_view body) {
        std::string out;
        for (;;) {
            const auto line = take_line(body, &is_chunk_line);
            if (!line) return "#broken";
            if (line->empty()) return out + "#more";
            const auto size = size_of(*line);
            if (!size) return "#broken";
            if (*size == 0) break;
            const auto data = body.substr(0, *size);
            out += data;
            body.remove_prefix(data.size());
            if (body.empty() || body == "\r") return out + "#more";
            if (!body.starts_with("\r\n")) return "#broken";
            body.remove_prefix(2);
        }
        for (;;) {
            if (body.starts_with("\r\n")) return out + "#end" + std::string(body.substr(2));
            if (body.empty() || body == "\r") return out + "#more";
            const auto line = take_line(body, &is_trailer);
            if (!line) return "#broken";
            if (line->empty()) return out + "#more";
        }
    }

private:
    using rule = bool (*)(std::string_view);

    /// The next line without its end; empty where it is not all there but may become one; none where it
    /// cannot.
    static std::optional<std::string_view> take_line(std::string_view& body, rule matches) {
        const auto end = body.find("\r\n");
        if (end != body.npos) {
            const auto line = body.substr(0, end);
            body.remove_prefix(end + 2);
            return matches(line) ? std::optional(line) : std::nullopt;
        }
        std::string begun(body);
        if (begun.ends_with('\r')) {
            begun.pop_back();
            return matches(begun) ? std::optional(std::string_view()) : std::nullopt;
        }
        for (const char* rest : {"", "0", "a", ";a", "\"", "a\"", ":"}) {
            if (matches(begun + rest)) return std::string_view();
        }
        return std::nullopt;
    }

    static std::optional<std::uint64_t> size_of(std::string_view line) {
        std::uint64_t size = 0;
        for (const char c : line.substr(0, digits(line))) {
            if (size >> 58 != 0) return std::nullopt;
            size = size * 16 + std::stoul(std::string(1, c), nullptr, 16);
        }
        return size;
    }
    static std::size_t digits(std::string_view line) {
        return std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    }

    static bool is_chunk_line(std::string_view line) {
        const auto size = digits(line);
        return size > 0 && size_of(line) && is_extensions(line.substr(size));
    }
    static bool is_extensions(std::string_view text) {
        if (text.empty()) return true;
        text = blanks(text);
        if (!text.starts_with(';')) return false;
        text = blanks(text.substr(1));
        const auto name = token(text);
        if (name == 0) return false;
        text.remove_prefix(name);
        if (!blanks(text).starts_with('=')) return is_extensions(text);
        text = blanks(blanks(text).substr(1));
        if (const auto value = token(text); value > 0) return is_extensions(text.substr(value));
        if (!text.starts_with('"')) return false;
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (text[i] == '"') return is_extensions(text.substr(i + 1));
            if (text[i] == '\\') ++i;
            if (i < text.size() && !is_text(text.substr(i, 1))) return false;
        }
        return false;
    }
    static bool is_trailer(std::string_view line) {
        const auto name = token(line);
        return name > 0 && line.substr(name).starts_with(':') && is_text(line.substr(name));
    }
    static std::string_view blanks(std::string_view text) {
        return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
    }
    static std::size_t token(std::string_view text) {
        std::size_t size = 0;
        while (size < text.size() && is_token(text.substr(size, 1)))
            ++size;
        return size;
    }
    static bool is_text(std::string_view text) {
        for (const char c : text) {
            const auto octet = static_cast<unsigned char>(c);
            if (octet == 0x7F || (octet < 0x20 && octet != '\t')) return false;
        }
        return true;
    }
};

}  // namespace

void chunked(std::string_view input) {
    const auto decode = [input](std::size_t piece) {
        static thread_local request_parser decoder;
        static thread_local request_head parsed;
        std::string start("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        parse_head(start, {}, parsed);
        hold(decoder.read_head(start, validate_head(parsed).framing, parsed), "a plain head is read", start);
        std::string waiting, out;
        std::size_t at = 0;
        for (;;) {
            const exact now(waiting);
            std::size_t used = 0;
            auto last = request_parser::step::need_more;
            do {
                const auto got = decoder.next(now.span().subspan(used));
                hold(got.consumed <= now.view().size() - used, "no more is consumed than there is", input);
                used += got.consumed;
                out.append(got.data.data(), got.data.size());
                last = got.what;
            } while (last == request_parser::step::data);
            if (last == request_parser::step::end) {
                return out + "#end" + waiting.substr(used) +
                       std::string(input.substr(std::min(at, input.size())));
            }
            if (last == request_parser::step::broken) return std::string("#broken");
            waiting.erase(0, used);
            if (at >= input.size()) return out + "#more";
            waiting += input.substr(at, piece);
            at += piece;
        }
    };
    const auto whole = decode(input.size() + 1);
    hold(decode(1) == whole && decode(3) == whole, "chunks do not depend on how they arrive", input);
    // Longer lines and more framing than the server takes are well-formed all the same.
    if (input.size() < chunk_grammar::longest_line) {
        hold(chunk_reference::read(input) == whole, "chunks are those of the grammar", input);
    }
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

namespace {

bool is_address(std::string_view text) {
    boost::system::error_code failed;
    boost::asio::ip::make_address(std::string(text), failed);
    return !failed;
}

bool is_lower_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

void forwarded(std::string_view input) {
    // Kept inputs are easier to write with single line feeds.
    std::string raw = "GET / HTTP/1.1\r\nHost: own.example:8080\r\n";
    for (const char c : input) {
        if (c == '\n' && !raw.ends_with('\r')) raw += '\r';
        raw += c;
    }
    raw += raw.ends_with("\r\n") ? "\r\n" : "\r\n\r\n";
    const exact text(raw);
    http::request message;  // request() is a target
    const auto outcome = parse_head(text.view(), {}, message.mutable_head());
    if (outcome.status != head_status::complete || validate_head(message.head()).error) return;

    const front_door door{[](const boost::asio::ip::address& peer) {
                              return peer.is_loopback() || peer.to_string().starts_with("10.");
                          },
                          "/base"};
    message.set_front(&door, false);
    const auto own = view_of(message);
    hold(!own.secure && own.host == "own.example:8080" && own.prefix == "/base",
         "headers of other peers have no effect", input);

    message.set_front(&door, true);
    const auto seen = view_of(message);
    hold(is_header_value(seen.host) && !seen.host.empty() &&
             seen.host.find_first_of("/@?#\\\"<> ") == seen.host.npos,
         "a host can be written into a link", input);
    hold(!seen.host.ends_with(seen.secure ? ":443" : ":80"), "a usual port is left out", input);
    hold(seen.prefix == path_prefix(message), "there is one path", input);
    for (auto rest = std::string_view(seen.prefix); !rest.empty();) {
        hold(rest.starts_with('/'), "a path is one", input);
        const auto end = std::min(rest.find('/', 1), rest.size());
        hold(parse_path_prefix(rest.substr(0, end)) == rest.substr(0, end), "its segments are sound", input);
        rest.remove_prefix(end);
    }
    hold(seen.url("/x").ends_with(seen.prefix + "/x"), "a link ends with its path", input);

    const auto client = forwarded_client(message, door.trusted);
    hold(client.empty() || is_address(client), "a client has an address", input);
    // Nobody is trusted: the last entry alone is looked at.
    const auto last = forwarded_client(message, [](const auto&) { return false; });
    hold(last.empty() == client.empty(), "the last entry decides whether there is one", input);
    hold(is_request_id(message.request_id()) || message.request_id().empty(), "an id can be logged", input);
}

void request_id(std::string_view input) {
    const exact text(input);
    const bool is_id = is_request_id(text.view());
    hold(!is_id || (is_token(text.view()) && input.size() <= longest_request_id), "an id is a token", input);
    const auto trace = trace_id_of(text.view());
    if (trace.empty()) return;
    hold(inside(trace, text.view()) && trace.size() == 32 && is_lower_hex(trace) &&
             trace.find_first_not_of('0') != trace.npos,
         "a trace id is 32 digits of the input", input);
    hold(is_request_id(trace), "it can be the id of the request", input);
    // What is longer than version 00 has another version, and a separator before what it appends.
    hold(input.size() == 55 || (!input.starts_with("00") && input[55] == '-'),
         "it has the form of its version", input);
    hold(is_lower_hex(input.substr(0, 2)) && !input.starts_with("ff") && is_lower_hex(input.substr(36, 16)) &&
             is_lower_hex(input.substr(53, 2)),
         "its other parts are digits", input);
}

void all(std::string_view input) {
    head(input);
    chunked(input);
    request(input);
    multipart(input);
    conditional(input);
    range(input);
    texts(input);
    forwarded(input);
    request_id(input);
}

}  // namespace gallery::http::fuzz
