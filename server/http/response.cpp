// SPDX-License-Identifier: Apache-2.0
#include "http/response.hpp"

#include "http/beast_response.hpp"
#include "http/beast_text.hpp"
#include "http/fields.hpp"
#include "http/scan.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstring>

namespace gallery::http {

namespace {

/// Beast counts a field's length in 16 bits, and no client takes as much.
constexpr std::size_t longest_field = 32 * 1024;

/// Calls @p visit(name, value) for each of the lines.
template <class Visit>
void each_line(std::string_view lines, Visit visit) {
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        lines = end == lines.npos ? std::string_view() : lines.substr(end + 2);
        const auto colon = line.find(':');
        if (colon != line.npos) visit(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
}

}  // namespace

response::response() noexcept = default;
response::response(response&&) noexcept = default;
response& response::operator=(response&&) noexcept = default;
response::~response() = default;

void response::make_message(unsigned status) {
    message_ = std::make_unique<beast_response>();
    message_->result(status);
}

unsigned response::message_status() const noexcept {
    return message_->result_int();
}

void response::set_status(unsigned status) noexcept {
    if (message_) {
        message_->result(status);
    } else {
        status_ = status;
    }
}

response response::empty(unsigned status) {
    response out;
    out.make_message(status);
    return out;
}

response response::json(unsigned status, const boost::json::value& value) {
    return json_text(status, gallery::bytes::own(boost::json::serialize(value)));
}

response response::json_text(unsigned status, gallery::bytes json) {
    auto out = bytes(status, "application/json", std::move(json));
    out.add("Cache-Control", "no-store");
    return out;
}

response response::text(unsigned status, std::string text) {
    auto out = bytes(status, "text/plain; charset=utf-8", gallery::bytes::own(std::move(text)));
    out.add("Cache-Control", "no-store");
    return out;
}

response response::bytes(unsigned status, std::string_view media_type, gallery::body content) {
    auto out = empty(status);
    out.add("Content-Type", media_type);
    out.content_ = std::move(content);
    return out;
}

response& response::add(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_header_value(value) || name.size() + value.size() > longest_field) {
        special_ |= unsound;
        return *this;
    }
    if (message_) {
        message_->insert(to_beast(name), to_beast(value));
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

void response::add_lines(std::string_view lines) {
    each_line(lines, [this](std::string_view name, std::string_view value) { add(name, value); });
}

void response::for_each_field(const std::function<void(std::string_view, std::string_view)>& visit) const {
    if (message_) {
        for (const auto& field : *message_)
            visit(from_beast(field.name_string()), from_beast(field.value()));
        return;
    }
    each_line(fields_, visit);
}

std::string_view response::header(std::string_view name) const {
    std::string_view found;
    bool is_there = false;
    for_each_field([&](std::string_view each, std::string_view value) {
        if (is_there || !equals_ignoring_case(each, name)) return;
        is_there = true;
        found = value;
    });
    return found;
}

void response::reset() noexcept {
    status_ = 200;
    special_ = 0;
    close_ = false;
    declared_size_ = unset;
    fields_.clear();
    message_.reset();
    content_ = {};
    stream_.reset();
    note_.clear();
}

bool is_header_value(std::string_view value) noexcept {
    const char* const end = value.data() + value.size();
    return scan::value(value.data(), end) == end;
}

}  // namespace gallery::http
