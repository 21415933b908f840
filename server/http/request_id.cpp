// SPDX-License-Identifier: Apache-2.0
#include "http/request_id.hpp"

#include "http/fields.hpp"

#include <gallery/encode.hpp>

#include <algorithm>
#include <bit>
#include <random>

namespace gallery::http {

namespace {

/// Lower-case digits, not all of them 0.
bool is_id(std::string_view text) noexcept {
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return std::all_of(text.begin(), text.end(), digit) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

request_ids::request_ids() : last_(std::uint64_t{std::random_device()()} << 32 | std::random_device()()) {}

std::array<char, 16> request_ids::next() noexcept {
    // An odd step goes through all numbers before one comes again; this one changes all digits.
    last_ += 0x9E37'79B9'7F4A'7C15;
    return hex_digits(std::bit_cast<std::array<std::byte, sizeof last_>>(last_));
}

bool is_request_id(std::string_view text) noexcept {
    return text.size() <= longest_request_id && is_token(text);
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
    // version "-" trace-id "-" parent-id "-" flags; later versions may append more.
    constexpr std::size_t length = 55;
    if (traceparent.size() < length) return {};
    const auto version = traceparent.substr(0, 2);
    const auto trace = traceparent.substr(3, 32);
    const auto parent = traceparent.substr(36, 16);
    const auto flags = traceparent.substr(53, 2);
    if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
    if (version == "00" ? traceparent.size() != length : !is_id(version) || version == "ff") return {};
    if (traceparent.size() > length && traceparent[length] != '-') return {};
    if (!is_id(trace) || !is_id(parent) || (flags != "00" && !is_id(flags))) return {};
    return trace;
}

}  // namespace gallery::http
