// SPDX-License-Identifier: Apache-2.0
#include "http/response.hpp"

#include "http/fields.hpp"
#include "http/scan.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstring>

namespace gallery::http {

response response::empty(unsigned status) {
    response out;
    out.status_ = status;
    return out;
}

response response::json(unsigned status, const boost::json::value& value) {
    return json_text(status, gallery::bytes::own(boost::json::serialize(value)));
}

response response::json_text(unsigned status, gallery::bytes json) {
    auto out = bytes(status, "application/json", std::move(json));
    out.fields_ += "Cache-Control: no-store\r\n";
    return out;
}

response response::text(unsigned status, std::string text) {
    auto out = bytes(status, "text/plain; charset=utf-8", gallery::bytes::own(std::move(text)));
    out.fields_ += "Cache-Control: no-store\r\n";
    return out;
}

response response::bytes(unsigned status, std::string_view media_type, gallery::body content) {
    response out;
    out.status_ = status;
    out.add("Content-Type", media_type);
    out.content_ = std::move(content);
    return out;
}

response& response::add(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_header_value(value)) {
        special_ |= unsound;
        return *this;
    }
    // Grown once, not by each part.
    const auto before = fields_.size();
    fields_.resize(before + name.size() + value.size() + 4);
    char* at = fields_.data() + before;
    const auto put = [&at](std::string_view text) {
        text.copy(at, text.size());
        at += text.size();
    };
    put(name);
    put(": ");
    put(value);
    put("\r\n");
    return *this;
}

std::string_view response::header(std::string_view name) const noexcept {
    std::string_view rest = fields_;
    while (!rest.empty()) {
        const auto end = rest.find("\r\n");
        const auto line = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 2);
        const auto colon = line.find(':');
        if (colon != line.npos && equals_ignoring_case(line.substr(0, colon), name)) {
            return trim(line.substr(colon + 1));
        }
    }
    return {};
}

void response::reset() noexcept {
    status_ = 200;
    special_ = 0;
    close_ = false;
    declared_size_ = unset;
    fields_.clear();
    content_ = {};
    stream_.reset();
    note_.clear();
}

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

bool is_header_value(std::string_view value) noexcept {
    const char* const end = value.data() + value.size();
    return scan::value(value.data(), end) == end;
}

}  // namespace gallery::http
