// SPDX-License-Identifier: Apache-2.0
/// Ids by which error answers, the log and the access log name a request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gallery::http {

/// The longest id that a proxy may give.
inline constexpr std::size_t longest_request_id = 128;

/// Makes ids. Used by one thread.
class request_ids {
public:
    request_ids();

    /// 16 hexadecimal digits that no other request of this process has.
    std::array<char, 16> next() noexcept;

private:
    std::uint64_t last_;
};

/// Whether a proxy's id may be logged and sent: 1 to longest_request_id characters of RFC 9110's token, which
/// need no escaping anywhere.
bool is_request_id(std::string_view text) noexcept;

/// The trace id, 32 hexadecimal digits, in the value of traceparent (W3C Trace Context, 3.2); empty where the
/// value is malformed.
std::string_view trace_id_of(std::string_view traceparent) noexcept;

}  // namespace gallery::http
