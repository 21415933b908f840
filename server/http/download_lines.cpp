// SPDX-License-Identifier: Apache-2.0
#include "http/download_lines.hpp"

#include "http/percent.hpp"
#include "http/response.hpp"

namespace gallery::http {
namespace {

constexpr std::string_view inert_content =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; sandbox\r\n";

}  // namespace

std::string download_lines(std::string_view media_type, disposition_kind kind, std::string_view file_name) {
    if (!is_header_value(media_type)) return {};
    std::string lines = "Content-Type: ";
    lines += media_type;
    lines += "\r\n";
    lines += inert_content;
    lines += "Content-Disposition: ";
    lines += content_disposition(kind, file_name);
    lines += "\r\nx-filename: ";
    lines += header_text(file_name);
    lines += "\r\n";
    return lines;
}

}  // namespace gallery::http
