// SPDX-License-Identifier: Apache-2.0
#include "http/serve_bytes.hpp"

#include "http/conditional.hpp"
#include "http/errors.hpp"
#include "http/http_date.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace gallery::http {

namespace {

void add_line(response& out, std::string_view name, std::string_view value) {
    if (!value.empty()) out.add(name, value);
}

// RFC 9110, 15.4.5: the fields that a cache needs to continue to use its copy.
void add_validators(const representation& facts, response& out) {
    if (!facts.etag.empty()) {
        // In place of add(), which would need the quoted tag in a string of its own.
        constexpr std::string_view begin = "ETag: \"";
        constexpr std::string_view end = "\"\r\n";
        std::array<char, begin.size() + 64 + end.size()> line;  // a hash as text has 64 letters
        if (facts.etag.size() + begin.size() + end.size() <= line.size()) {
            char* at = line.data();
            for (const auto part : {begin, facts.etag, end})
                at += part.copy(at, part.size());
            out.add_prepared({line.data(), static_cast<std::size_t>(at - line.data())});
        } else {
            out.add_prepared(begin).add_prepared(facts.etag).add_prepared(end);
        }
    }
    out.add_prepared(facts.prepared_validators);
    add_line(out, "Cache-Control", facts.cache_control);
    add_line(out, "Vary", facts.vary);
    if (facts.last_modified) {
        const auto date = format_http_date(*facts.last_modified);
        out.add("Last-Modified", {date.data(), date.size()});
    }
}

response refusal(const representation& facts, unsigned status) {
    response out;
    if (status == 412) {
        out = error_response({errc::precondition_failed,
                              "The image is not, or no longer, the version that the request names"});
    } else {
        out = error_response(
            416, error_code::bad_request_params,
            "The range is outside of the " + std::to_string(facts.size) + " bytes of the image");
        out.add("Content-Range", content_range_unsatisfied(facts.size));
    }
    return out;
}

}  // namespace

selection select_representation(const request& message, const representation& facts) {
    switch (evaluate_conditions(message, facts.etag, facts.last_modified)) {
        case verdict::not_modified:
            return {304, {}};
        case verdict::precondition_failed:
            return {412, {}};
        case verdict::proceed:
            break;
    }
    const auto choice = choose_range(message, facts.size, facts.etag, facts.last_modified);
    switch (choice.kind) {
        case range_kind::part:
            return {206, choice.range};
        case range_kind::unsatisfiable:
            return {416, {}};
        case range_kind::whole:
            break;
    }
    return {200, {0, facts.size}};
}

void prepare_response(const representation& facts, const selection& choice, response& out) {
    if (choice.status == 412 || choice.status == 416) {
        out = refusal(facts, choice.status);
        return;
    }
    out.set_status(choice.status);
    if (choice.status == 304) {
        add_validators(facts, out);
        return;
    }
    add_line(out, "Content-Type", facts.media_type);
    add_validators(facts, out);
    out.add_prepared("Accept-Ranges: bytes\r\n");
    add_line(out, "Content-Encoding", facts.content_encoding);
    if (choice.status == 206) out.add("Content-Range", content_range(choice.range, facts.size));
    out.add_prepared(facts.prepared);
    out.set_content_size(choice.range.length);
}

bool try_not_modified(const request& message, const representation& facts, response& out) {
    if (message.verb() != method::get && message.verb() != method::head) return false;
    if (!message.has(field::if_none_match) && !message.has(field::if_modified_since)) return false;
    if (evaluate_conditions(message, facts.etag, facts.last_modified) != verdict::not_modified) return false;
    prepare_response(facts, {304, {}}, out);
    return true;
}

response serve_bytes(const request& message, const representation& facts, gallery::body content) {
    response out;
    const auto choice = select_representation(message, facts);
    prepare_response(facts, choice, out);
    if (choice.status == 206)
        out.set_content(content.slice(choice.range.first, choice.range.length));
    else if (choice.status == 200)
        out.set_content(std::move(content));
    return out;
}

}  // namespace gallery::http
