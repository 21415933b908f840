// SPDX-License-Identifier: Apache-2.0
#include "load/response_reader.hpp"

#include <gallery/characters.hpp>
#include <gallery/encode.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gallery::load {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::size_t digits_of_hash = 64;

bool is_named(std::string_view line, std::string_view name) noexcept {
    return line.size() > name.size() && line[name.size()] == ':' &&
           equals_ignoring_case(line.substr(0, name.size()), name);
}

std::string_view value_of(std::string_view line, std::string_view name) noexcept {
    return trim(line.substr(name.size() + 1));
}

}  // namespace

void response_reader::begin(bool keep_body, sha256_hasher* hash) noexcept {
    state_ = state::head;
    framing_ = framing::length;
    keep_body_ = keep_body;
    hash_ = hash;
    keeps_connection_ = true;
    has_length_ = false;
    status_ = 0;
    received_ = body_size_ = left_ = 0;
    head_size_ = kept_size_ = 0;
    etag_.reset();
}

response_reader::state response_reader::feed(std::string_view data) noexcept {
    received_ += data.size();
    while (!data.empty()) {
        switch (state_) {
            case state::head:
                data = feed_head(data);
                break;
            case state::body:
                data = feed_body(data);
                break;
            case state::done:
                return state_ = state::malformed;
            case state::malformed:
                return state_;
        }
    }
    return state_;
}

response_reader::state response_reader::end() noexcept {
    if (state_ == state::body && framing_ == framing::until_close) {
        keeps_connection_ = false;
        return state_ = state::done;
    }
    return state_ = state::malformed;
}

// A head that arrives as a whole is parsed where it is; otherwise its parts are joined.
std::string_view response_reader::feed_head(std::string_view data) noexcept {
    if (head_size_ == 0) {
        const auto end = data.find(end_of_head);
        if (end != data.npos) {
            if (!parse_head(data.substr(0, end + 2))) state_ = state::malformed;
            return data.substr(end + end_of_head.size());
        }
    }
    const auto before = head_size_;
    const auto taken = std::min(data.size(), head_.size() - head_size_);
    std::memcpy(head_.data() + head_size_, data.data(), taken);
    head_size_ += taken;
    const std::string_view joined(head_.data(), head_size_);
    const auto end = joined.find(end_of_head, before > 3 ? before - 3 : 0);
    if (end == joined.npos) {
        if (taken < data.size()) state_ = state::malformed;  // a head that is too long
        return {};
    }
    head_size_ = 0;
    if (!parse_head(joined.substr(0, end + 2))) state_ = state::malformed;
    return data.substr(end + end_of_head.size() - before);
}

/// @p head: its lines, each with its end.
bool response_reader::parse_head(std::string_view head) noexcept {
    constexpr std::size_t status_begin = 9;
    if (!head.starts_with("HTTP/1.") || head.size() < status_begin + 3) return false;
    keeps_connection_ = head[7] != '0';
    const auto [ignored, failed] =
        std::from_chars(head.data() + status_begin, head.data() + status_begin + 3, status_);
    if (failed != std::errc() || status_ < 100) return false;
    for (auto at = head.find('\n'); at + 1 < head.size();) {
        const auto end = head.find('\n', at + 1);
        auto line = head.substr(at + 1, end - at - 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!parse_field(line)) return false;
        at = end;
    }
    if (status_ < 200) {  // the response itself follows
        left_ = 0;
        has_length_ = false;
        return true;
    }
    if (status_ == 204 || status_ == 304) {
        state_ = state::done;
    } else if (framing_ == framing::chunk_size) {
        state_ = state::body;
        left_ = 0;
        line_size_ = 0;
        in_extension_ = false;
    } else if (!has_length_) {
        framing_ = framing::until_close;
        state_ = state::body;
    } else {
        state_ = left_ == 0 ? state::done : state::body;
    }
    return true;
}

bool response_reader::parse_field(std::string_view line) noexcept {
    if (line.empty()) return true;
    switch (line[0] | 32) {
        case 'c':
            if (is_named(line, "content-length")) {
                const auto value = value_of(line, "content-length");
                const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), left_);
                has_length_ = failed == std::errc() && end == value.data() + value.size() && !value.empty();
                return has_length_;
            }
            if (is_named(line, "connection") && equals_ignoring_case(value_of(line, "connection"), "close"))
                keeps_connection_ = false;
            return true;
        case 'e':
            if (is_named(line, "etag")) {
                auto value = value_of(line, "etag");
                if (value.starts_with("W/")) value.remove_prefix(2);
                if (value.size() == digits_of_hash + 2) etag_ = parse_sha256(value.substr(1, digits_of_hash));
            }
            return true;
        case 't':
            if (is_named(line, "transfer-encoding")) {
                if (!equals_ignoring_case(value_of(line, "transfer-encoding"), "chunked")) return false;
                framing_ = framing::chunk_size;
            }
            return true;
        default:
            return true;
    }
}

void response_reader::take_body(std::string_view data) noexcept {
    body_size_ += data.size();
    if (hash_ != nullptr) hash_->update(data);
    if (!keep_body_) return;
    const auto taken = std::min(data.size(), kept_.size() - kept_size_);
    std::memcpy(kept_.data() + kept_size_, data.data(), taken);
    kept_size_ += taken;
}

std::string_view response_reader::feed_body(std::string_view data) noexcept {
    if (framing_ == framing::until_close) {
        take_body(data);
        return {};
    }
    if (framing_ != framing::length) return feed_chunked(data);
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
    take_body(data.substr(0, taken));
    left_ -= taken;
    if (left_ == 0) state_ = state::done;
    return data.substr(taken);
}

std::string_view response_reader::feed_chunked(std::string_view data) noexcept {
    if (framing_ == framing::chunk_data) {
        const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
        take_body(data.substr(0, taken));
        left_ -= taken;
        if (left_ == 0) framing_ = framing::chunk_end;
        line_size_ = 0;
        return data.substr(taken);
    }
    const char c = data.front();
    data.remove_prefix(1);
    if (c == '\n') {
        end_chunk_line();
        return data;
    }
    if (c == '\r') return data;
    ++line_size_;
    if (framing_ == framing::chunk_end) {
        state_ = state::malformed;
    } else if (framing_ == framing::chunk_size && !in_extension_) {
        constexpr std::uint64_t largest = 1ULL << 40U;
        const int digit = hex_value(c);
        in_extension_ = c == ';' || c == ' ';
        if (!in_extension_ && (digit < 0 || left_ > largest)) state_ = state::malformed;
        if (!in_extension_) left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    }
    return data;
}

void response_reader::end_chunk_line() noexcept {
    if (framing_ == framing::trailer) {
        if (line_size_ == 0) state_ = state::done;
    } else if (framing_ == framing::chunk_end) {
        framing_ = framing::chunk_size;
        left_ = 0;
    } else if (line_size_ == 0) {
        state_ = state::malformed;
    } else {
        framing_ = left_ > 0 ? framing::chunk_data : framing::trailer;
    }
    line_size_ = 0;
    in_extension_ = false;
}

}  // namespace gallery::load
