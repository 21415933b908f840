// SPDX-License-Identifier: Apache-2.0
/// Base64 (RFC 4648, sections 4 and 5) of pictures, in pieces, without a second copy of the picture.
#pragma once

#include <gallery/error.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// Decodes text that arrives in pieces of any length. Not thread-safe; used once. Accepted are both
/// alphabets, white space and line breaks, missing padding, and a data: URL's beginning
/// ("data:image/png;base64,").
class base64_decoder {
public:
    /// Appends what @p text yields to @p out. Error: invalid_argument at the first wrong character.
    result<void> feed(std::string_view text, std::vector<char>& out);
    /// Appends the last group where it has no padding. Error: invalid_argument where the text ended too
    /// early.
    result<void> finish(std::vector<char>& out);

private:
    /// What of @p text is behind the beginning of a data: URL; what turns out to be none is decoded.
    result<std::string_view> skip_prefix(std::string_view text, std::vector<char>& out);
    result<void> decode(std::string_view text, std::vector<char>& out);
    void end_group(std::vector<char>& out);

    unsigned group_ = 0;    // bits of an incomplete group
    unsigned digits_ = 0;   // of that group, 0 to 3
    unsigned padding_ = 0;  // '=' seen
    std::string prefix_;    // what may be the beginning of a data: URL
    bool prefix_ends_ = false;
};

/// Appends the encoding of @p data to @p out, which grows once, by exactly as much as is needed.
void append_base64(std::span<const char> data, std::string& out);

}  // namespace gallery::images
