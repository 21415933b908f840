// SPDX-License-Identifier: Apache-2.0
/// What a handler answers.
#pragma once

#include "http/content_stream.hpp"

#include <gallery/bytes.hpp>

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::http {

struct beast_response;

/// A status, header fields and a body, in one of two forms:
///  - a Beast message, which empty(), json(), text() and bytes() make and Beast's serializer writes;
///  - prepared text, which the default constructor makes: header lines that are sent as they are. It is for
///    answers that are given so often that putting them together counts: the bytes of images, and 304.
/// The connection adds the status line, Date, Content-Length and Connection, and leaves the body out for HEAD
/// and 304; a handler never adds those. Used by one thread at a time.
class response {
public:
    /// 200 without a body, as prepared text.
    response() noexcept;
    response(response&&) noexcept;
    response& operator=(response&&) noexcept;
    ~response();

    /// Without a body and without header fields.
    static response empty(unsigned status);
    /// application/json, Cache-Control: no-store.
    static response json(unsigned status, const boost::json::value& value);
    /// The same for text that is JSON already.
    static response json_text(unsigned status, gallery::bytes json);
    /// text/plain; charset=utf-8, Cache-Control: no-store.
    static response text(unsigned status, std::string text);
    /// @p content as it is, with a Content-Type and nothing else.
    static response bytes(unsigned status, std::string_view media_type, gallery::body content);

    [[nodiscard]] unsigned status() const noexcept { return message_ ? message_status() : status_; }
    /// Precondition: 100 to 599.
    void set_status(unsigned status) noexcept;

    /// Appends "name: value". A name that is no token, or a value that is too long or contains CR, LF, NUL or
    /// another control character, is a bug of the caller: the field is not added and the client receives 500
    /// instead of this response (see is_sound).
    response& add(std::string_view name, std::string_view value);
    /// Appends lines that were prepared and checked before: "Name: value\r\n", any number of them.
    response& add_prepared(std::string_view lines) {
        if (message_) {
            add_lines(lines);
        } else {
            fields_ += lines;
        }
        return *this;
    }
    /// The prepared text: all lines so far, each ended by CRLF. Empty where the response is a Beast message.
    [[nodiscard]] const std::string& fields() const noexcept { return fields_; }
    /// Calls @p visit with the name and the value of each field in order, in either form.
    void for_each_field(const std::function<void(std::string_view, std::string_view)>& visit) const;
    /// The first value of a field; looks at all of them; for tests and observers.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// Null where the response is prepared text.
    [[nodiscard]] beast_response* message() noexcept { return message_.get(); }
    /// False when add() refused something.
    [[nodiscard]] bool is_sound() const noexcept { return (special_ & unsound) == 0; }

    /// A response that describes an error. The exchange adds the id of the request to it.
    void mark_error() noexcept { special_ |= failure; }
    [[nodiscard]] bool is_error() const noexcept { return (special_ & failure) != 0; }
    /// Neither unsound nor an error.
    [[nodiscard]] bool is_plain() const noexcept { return special_ == 0; }

    [[nodiscard]] const gallery::body& content() const noexcept { return content_; }
    void set_content(gallery::body content) noexcept { content_ = std::move(content); }

    /// In place of a content: the body is what @p source makes, of a length that is not known before. Neither
    /// a HEAD nor a status without a body asks it for anything.
    /// Precondition: the response is a Beast message.
    void set_stream(std::unique_ptr<content_stream> source) noexcept { stream_ = std::move(source); }
    [[nodiscard]] bool is_streamed() const noexcept { return stream_ != nullptr; }
    std::unique_ptr<content_stream> take_stream() noexcept { return std::move(stream_); }

    /// The size of the body that a HEAD or 304 describes, if the body was not fetched. Without it a HEAD's
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
    /// A note that many answers may have at once, so that not all of them are logged (repeated_notes).
    void set_common_note(std::string note) {
        note_ = std::move(note);
        special_ |= common_note;
    }
    [[nodiscard]] bool has_common_note() const noexcept { return (special_ & common_note) != 0; }
    [[nodiscard]] const std::string& note() const noexcept { return note_; }

    /// Like a new one, keeping memory.
    void reset() noexcept;

private:
    void make_message(unsigned status);
    [[nodiscard]] unsigned message_status() const noexcept;
    void add_lines(std::string_view lines);

    static constexpr std::uint64_t unset = ~std::uint64_t{0};
    static constexpr std::uint8_t unsound = 1;
    static constexpr std::uint8_t failure = 2;
    static constexpr std::uint8_t common_note = 4;

    unsigned status_ = 200;  // of prepared text
    std::uint8_t special_ = 0;
    bool close_ = false;
    std::uint64_t declared_size_ = unset;
    std::string fields_;
    std::unique_ptr<beast_response> message_;
    gallery::body content_;
    std::unique_ptr<content_stream> stream_;
    std::string note_;
};

/// True where a header value may be sent as it is: no control characters but tab.
bool is_header_value(std::string_view value) noexcept;

}  // namespace gallery::http
