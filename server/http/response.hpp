// SPDX-License-Identifier: Apache-2.0
/// What a handler answers.
#pragma once

#include "http/content_stream.hpp"

#include <gallery/bytes.hpp>

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::http {

/// A status, header lines that are serialised already, and a body. The session adds the status line, Date,
/// Content-Length and Connection, and leaves the body out for HEAD and 304; a handler never adds those.
/// Used by one thread at a time.
class response {
public:
    /// 200 without a body.
    response() = default;

    /// Without a body and without header lines.
    static response empty(unsigned status);
    /// application/json, Cache-Control: no-store.
    static response json(unsigned status, const boost::json::value& value);
    /// The same for text that is JSON already.
    static response json_text(unsigned status, gallery::bytes json);
    /// text/plain; charset=utf-8, Cache-Control: no-store.
    static response text(unsigned status, std::string text);
    /// @p content as it is, with a Content-Type and nothing else.
    static response bytes(unsigned status, std::string_view media_type, gallery::body content);

    [[nodiscard]] unsigned status() const noexcept { return status_; }
    void set_status(unsigned status) noexcept { status_ = status; }

    /// Appends "name: value". A name that is no token, or a value with CR, LF, NUL or another control
    /// character, is a bug of the caller: the line is not added and the session answers 500 instead of this
    /// response (see is_sound).
    response& add(std::string_view name, std::string_view value);
    /// Appends lines that were prepared and checked before: "Name: value\r\n", any number of them.
    response& add_prepared(std::string_view lines) {
        fields_ += lines;
        return *this;
    }
    /// All lines so far, each ended by CRLF.
    [[nodiscard]] const std::string& fields() const noexcept { return fields_; }
    /// The first line's value; looks at all of them; for tests and observers.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// False when add() refused something.
    [[nodiscard]] bool is_sound() const noexcept { return (special_ & unsound) == 0; }

    /// An answer that says what went wrong; the session gives it the request's id.
    void mark_error() noexcept { special_ |= failure; }
    [[nodiscard]] bool is_error() const noexcept { return (special_ & failure) != 0; }
    /// Neither unsound nor an error.
    [[nodiscard]] bool is_plain() const noexcept { return special_ == 0; }

    [[nodiscard]] const gallery::body& content() const noexcept { return content_; }
    void set_content(gallery::body content) noexcept { content_ = std::move(content); }

    /// In place of a content: the body is what @p source makes, of a length that is not known before. Neither
    /// a HEAD nor a status without a body asks it for anything.
    void set_stream(std::unique_ptr<content_stream> source) noexcept { stream_ = std::move(source); }
    [[nodiscard]] bool is_streamed() const noexcept { return stream_ != nullptr; }
    std::unique_ptr<content_stream> take_stream() noexcept { return std::move(stream_); }

    /// A HEAD or 304 for which the body was not fetched says what its size would be. Without it a HEAD's
    /// Content-Length is the size of content(); 304 carries none.
    void set_content_size(std::uint64_t bytes) noexcept { declared_size_ = bytes; }
    [[nodiscard]] std::uint64_t content_size() const noexcept {
        return declared_size_ != unset ? declared_size_ : content_.size();
    }

    /// The connection ends after this response.
    void close_connection() noexcept { close_ = true; }
    [[nodiscard]] bool closes_connection() const noexcept { return close_; }

    /// What the log, but not the client, is told; written at error level with the response.
    void set_note(std::string note) { note_ = std::move(note); }
    [[nodiscard]] const std::string& note() const noexcept { return note_; }

    /// Like a new one, keeping memory.
    void reset() noexcept;

private:
    static constexpr std::uint64_t unset = ~std::uint64_t{0};
    static constexpr std::uint8_t unsound = 1;
    static constexpr std::uint8_t failure = 2;

    unsigned status_ = 200;
    std::uint8_t special_ = 0;
    bool close_ = false;
    std::uint64_t declared_size_ = unset;
    std::string fields_;
    gallery::body content_;
    std::unique_ptr<content_stream> stream_;
    std::string note_;
};

/// "Not Found" for 404; "Unknown" for what is not registered.
std::string_view reason_phrase(unsigned status) noexcept;

/// True where a header value may be sent as it is: no control characters but tab.
bool is_header_value(std::string_view value) noexcept;

}  // namespace gallery::http
