// SPDX-License-Identifier: Apache-2.0
/// The strings of a JSON text at their places, so that some can be replaced while every other byte stays as
/// it is: numbers, order of members, white space. Pure functions; any thread.
///
/// A text is checked once by Boost.JSON's parser. In a text that is known to be valid, a quotation mark
/// always begins or ends a string, so that the walk needs no grammar. It takes linear time and does not
/// recurse.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// How deeply arrays and objects may be nested.
inline constexpr std::size_t max_json_depth = 256;

/// Accepts one JSON value (RFC 8259) in UTF-8 without a byte order mark. Error: invalid_argument with the
/// fault and its place.
result<void> check_json(std::string_view text);

/// The characters of a string literal without its escapes, in pieces, without a copy of the text between
/// escapes.
class unescaped_text {
public:
    /// @p literal is what stands between the quotation marks of a string in a valid text. It must outlive
    /// this object.
    explicit unescaped_text(std::string_view literal) noexcept : remaining_(literal) {}

    /// The next piece, valid until the next call; empty at the end.
    std::string_view next();

private:
    std::string_view remaining_;
    std::string character_;
};

/// The text of a literal; only about the first @p most bytes of it, cut between characters of the literal.
std::string unescape(std::string_view literal, std::size_t most = std::string_view::npos);

/// Walks the strings that are values, in the order of the text. Names of members are skipped.
class json_strings {
public:
    /// Precondition: check_json(text). The text must outlive this object.
    explicit json_strings(std::string_view text) noexcept : text_(text) {}

    /// False at the end. The other functions are about the string that the last call found.
    bool next();

    /// Between the quotation marks.
    [[nodiscard]] std::string_view literal() const noexcept {
        return text_.substr(begin_ + 1, end_ - begin_ - 2);
    }
    /// The place of the string with its quotation marks.
    [[nodiscard]] std::size_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::size_t end() const noexcept { return end_; }

    /// The literal of the name of the innermost member that contains the string; empty where there is none.
    [[nodiscard]] std::string_view name() const noexcept;
    /// The number of arrays and objects around the string.
    [[nodiscard]] std::size_t depth() const noexcept { return levels_.size(); }
    /// A JSON Pointer (RFC 6901) to the string. A long one is cut off and ends in "...".
    [[nodiscard]] std::string path() const;

private:
    struct level {
        bool is_object = false;
        bool expects_name = false;
        std::size_t index = 0;  ///< of the element of an array
        std::string_view name;  ///< literal, of the member of an object
    };

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::vector<level> levels_;
};

}  // namespace gallery::images
