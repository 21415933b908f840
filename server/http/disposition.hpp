// SPDX-License-Identifier: Apache-2.0
/// Content-Disposition, RFC 6266 and RFC 8187. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::http {

enum class disposition_kind : bool { inline_, attachment };

/// `attachment; filename="a.png"; filename*=UTF-8''...`: an ASCII fallback in which everything that could
/// be misread is replaced, and the exact name where the two differ. Any bytes are safe; what is not UTF-8 is
/// replaced by U+FFFD, a path in front of the name is cut off the fallback's meaning ('/' and '\' become
/// '_').
std::string content_disposition(disposition_kind kind, std::string_view file_name);

/// The Content-Disposition of a part of a form: `form-data; name="file"; filename="a.png"`.
struct form_disposition {
    std::string name;
    /// UTF-8, without a directory in front of it (up to the last '/' or '\'); filename* wins over filename.
    std::optional<std::string> file_name;
};
/// Empty where it is not form-data with a name. File names may be raw UTF-8 or, where they are not UTF-8,
/// windows-1252, have quoted-pairs, be percent-encoded as browsers do for quotes (%22, %0D, %0A), or consist
/// of encoded words (RFC 2047).
std::optional<form_disposition> parse_form_disposition(std::string_view value);

}  // namespace gallery::http
