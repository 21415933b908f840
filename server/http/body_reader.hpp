// SPDX-License-Identifier: Apache-2.0
/// The body of a request, read while it arrives.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gallery::http {

/// Where a body's bytes come from: a connection, or a string in a test.
class body_source {
public:
    virtual ~body_source() = default;
    /// The value of Content-Length; empty if the body is chunked; 0 if there is no body.
    [[nodiscard]] virtual std::optional<std::uint64_t> content_length() const noexcept = 0;
    /// The next bytes, valid until the next call; an empty span at the end, and again after it.
    virtual task<result<std::span<const char>>> read_some() = 0;
};

/// Handed to handlers by request::body(). Nothing is read before a handler asks, and never more than a
/// buffer ahead of it; "100 Continue" is sent with the first read, so that a handler that refuses first
/// saves the client the upload.
///
/// Threads: the connection's I/O thread only. Lives as long as the request.
///
/// Errors of both readers: too_large over the limit (with the framing known in advance, before the first
/// byte is read), invalid_argument for a malformed chunk or a body that ends early, unavailable where the
/// client was too slow, unsupported_type for a compressed body. After an error the connection is closed with
/// the response.
class body_reader {
public:
    body_reader() = default;
    body_reader(body_source& source, std::uint64_t limit) noexcept : source_(&source), limit_(limit) {}

    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept;

    /// The body has a content coding (RFC 9110, 8.4) that is not taken: reading fails with unsupported_type.
    /// @p coding, the header's value, outlives the reader.
    void refuse_coding(std::string_view coding) noexcept { coding_ = coding; }

    /// Bytes that the body may have; set from the matched route's options. A handler may lower or raise it
    /// before it reads.
    [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
    void set_limit(std::uint64_t bytes) noexcept { limit_ = bytes; }

    /// The next bytes, valid until the next call; an empty span is the end.
    task<result<std::span<const char>>> read_some();

    /// All of it, if it has no more than @p limit (and the route's limit) bytes.
    task<result<std::string>> read_all(std::size_t limit);

    /// Bytes handed out so far.
    [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }

private:
    body_source* source_ = nullptr;
    std::uint64_t limit_ = 0;
    std::uint64_t consumed_ = 0;
    std::string_view coding_;
};

}  // namespace gallery::http
