// SPDX-License-Identifier: Apache-2.0
/// multipart/form-data (RFC 7578, RFC 2046), read as it arrives.
#pragma once

#include "http/body_reader.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::http {

struct part_head {
    std::string name;
    std::optional<std::string> file_name;  ///< UTF-8, without a directory; see form_disposition
    std::string content_type;              ///< as sent, empty where absent
};

enum class multipart_event : std::uint8_t {
    need_more,  ///< feed() more, or finish()
    part,       ///< part() describes what follows
    data,       ///< data() is the next piece of the current part's content
    part_end,   ///< the current part is complete
    end         ///< the closing boundary was seen; what follows is ignored
};

struct multipart_limits {
    std::size_t parts = 16;
    std::size_t head_bytes = 8 * 1024;  ///< of one part's header
};

/// Incremental; holds no more than a boundary's length of content and one part's header. No sockets.
///
///     parser.feed(chunk);
///     for (;;) { auto event = parser.next(); if (!event || *event == need_more) break; ... }
///
/// Errors: invalid_argument, saying what was wrong; the parser is of no use after one. Repeated parts are
/// reported like any other: whether a name may come twice is the caller's rule.
class multipart_parser {
public:
    /// @p content_type: the request's. unsupported_type where it is not multipart/form-data,
    /// invalid_argument where the boundary is missing or malformed.
    static result<multipart_parser> create(std::string_view content_type, multipart_limits limits = {});

    /// Precondition: next() returned need_more, or nothing was fed yet. The bytes must stay until it does
    /// again.
    void feed(std::span<const char> chunk) noexcept;
    result<multipart_event> next();
    /// After the last byte: an error unless the closing boundary was seen.
    [[nodiscard]] result<void> finish() const;

    [[nodiscard]] const part_head& part() const noexcept { return part_; }
    /// Valid until the next call of next().
    [[nodiscard]] std::span<const char> data() const noexcept { return data_; }

private:
    enum class state : std::uint8_t { preamble, boundary_tail, head, content, epilogue };

    explicit multipart_parser(std::string boundary, multipart_limits limits);
    result<multipart_event> read_preamble();
    result<multipart_event> read_boundary_tail();
    result<multipart_event> read_head();
    result<multipart_event> read_content();
    result<void> parse_part_head();

    std::string delimiter_;  ///< CRLF "--" boundary
    multipart_limits limits_;
    state state_ = state::preamble;
    std::size_t matched_ = 0;      ///< characters of the delimiter matched at the end of what was seen
    std::size_t held_prefix_ = 0;  ///< how many of them were never content (the imagined line end)
    std::size_t parts_ = 0;
    std::string line_;  ///< header bytes, or what follows a boundary
    bool in_part_ = false;
    part_head part_;
    std::span<const char> input_;
    std::span<const char> data_;
    std::string held_;  ///< content that looked like a delimiter and was none
};

/// The parser on a request's body.
class multipart_reader {
public:
    /// @p body outlives the reader.
    multipart_reader(body_reader& body, multipart_parser parser) noexcept
        : body_(&body), parser_(std::move(parser)) {}

    /// Never need_more. After end, the rest of the body has been read.
    task<result<multipart_event>> next();
    [[nodiscard]] const part_head& part() const noexcept { return parser_.part(); }
    [[nodiscard]] std::span<const char> data() const noexcept { return parser_.data(); }

private:
    body_reader* body_;
    multipart_parser parser_;
    bool ended_ = false;
};

}  // namespace gallery::http
