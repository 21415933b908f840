// SPDX-License-Identifier: Apache-2.0
/// The picture in the JSON of an import, in pieces, without a second copy of the picture.
#pragma once

#include <gallery/encode.hpp>
#include <gallery/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace gallery::images {

/// Decodes text that arrives in pieces of any length. Not thread-safe; used once. Accepts what base64_reader
/// accepts, and before it the beginning of a data: URL ("data:image/png;base64,").
class picture_decoder {
public:
    /// Appends the decoded bytes of @p text to @p out. Error: invalid_argument at the first character that is
    /// wrong.
    result<void> feed(std::string_view text, std::vector<char>& out);
    /// Appends the last group if it has no padding. Error: invalid_argument if the text ended too early.
    result<void> finish(std::vector<char>& out);

private:
    /// The part of @p text behind the beginning of a data: URL. Decodes what turns out not to be one.
    result<std::string_view> skip_prefix(std::string_view text, std::vector<char>& out);
    result<void> decode(std::string_view text, std::vector<char>& out);

    base64_reader reader_;
    std::string prefix_;  ///< what may be the beginning of a data: URL
    bool prefix_ends_ = false;
};

}  // namespace gallery::images
