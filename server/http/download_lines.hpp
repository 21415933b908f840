// SPDX-License-Identifier: Apache-2.0
/// The header lines of uploaded bytes.
#pragma once

#include "http/disposition.hpp"

#include <string>
#include <string_view>

namespace gallery::http {

/// Content-Type, Content-Disposition, x-filename (the name for scripts, percent-encoded where it is not
/// printable ASCII), and lines that keep a browser from seeing anything but data in the bytes: whole lines,
/// as they are sent. Empty where @p media_type must not be sent, because it contains a control character.
std::string download_lines(std::string_view media_type, disposition_kind kind, std::string_view file_name);

}  // namespace gallery::http
