/// Base64 (RFC 4648, section 4) of pictures, in pieces, without a second copy of the picture.
#pragma once

#include <gallery/error.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::service {

/// Decodes text that arrives in pieces of any length. Not thread-safe; used once. White space is not
/// accepted, as in ThingsBoard.
class base64_decoder {
public:
    /// Appends what @p text yields to @p out. Error: invalid_argument at the first wrong character.
    result<void> feed(std::string_view text, std::vector<char>& out);
    /// Error: invalid_argument where the text ended in the middle of a group.
    result<void> finish() const;

private:
    unsigned group_ = 0;    // bits of an incomplete group
    unsigned digits_ = 0;   // of that group, 0 to 3
    unsigned padding_ = 0;  // '=' seen
};

/// Appends the encoding of @p data to @p out, which grows once, by exactly as much as is needed.
void append_base64(std::span<const char> data, std::string& out);

}  // namespace gallery::service
