// SPDX-License-Identifier: Apache-2.0
/// Reads HTTP/1.1 responses with as little work as the checks of a run allow: it finds the end of the
/// response, and a few fields. Everything else is skipped. It does not allocate.
#pragma once

#include <gallery/sha256.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gallery::load {

/// One response at a time; bytes arrive in parts of any length. One thread at a time.
class response_reader {
public:
    enum class state : std::uint8_t { head, body, done, malformed };

    /// Before each response. @p keep_body: body() holds the first bytes. @p hash: of the body; may be null,
    /// and must outlive the response.
    void begin(bool keep_body, sha256_hasher* hash) noexcept;

    /// Takes bytes of the response. Bytes behind its end are malformed: requests are not pipelined.
    state feed(std::string_view data) noexcept;
    /// The connection has ended: the end of a response without a length.
    state end() noexcept;

    [[nodiscard]] state now() const noexcept { return state_; }
    /// Whether a byte of the response has arrived.
    [[nodiscard]] bool has_begun() const noexcept { return received_ > 0; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

    // Of a response that is done:
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] std::uint64_t body_size() const noexcept { return body_size_; }
    [[nodiscard]] bool keeps_connection() const noexcept { return keeps_connection_; }
    /// The hash in its ETag.
    [[nodiscard]] const std::optional<sha256_digest>& etag() const noexcept { return etag_; }
    /// The first bytes, if begin() was told to keep them.
    [[nodiscard]] std::string_view body() const noexcept { return {kept_.data(), kept_size_}; }

private:
    enum class framing : std::uint8_t { length, until_close, chunk_size, chunk_data, chunk_end, trailer };

    std::string_view feed_head(std::string_view data) noexcept;
    std::string_view feed_body(std::string_view data) noexcept;
    std::string_view feed_chunked(std::string_view data) noexcept;
    bool parse_head(std::string_view head) noexcept;
    bool parse_field(std::string_view line) noexcept;
    void take_body(std::string_view data) noexcept;
    void end_chunk_line() noexcept;

    state state_ = state::done;
    framing framing_ = framing::length;
    bool keep_body_ = false;
    bool keeps_connection_ = true;
    bool has_length_ = false;
    bool in_extension_ = false;  ///< of a chunk's line
    int status_ = 0;
    sha256_hasher* hash_ = nullptr;
    std::uint64_t received_ = 0;
    std::uint64_t body_size_ = 0;
    std::uint64_t left_ = 0;     ///< of the body or of a chunk
    std::size_t line_size_ = 0;  ///< of a chunk's line or a trailer's
    std::size_t head_size_ = 0;  ///< of an incomplete head
    std::size_t kept_size_ = 0;
    std::optional<sha256_digest> etag_;
    std::array<char, 4096> head_;
    std::array<char, 2048> kept_;
};

}  // namespace gallery::load
