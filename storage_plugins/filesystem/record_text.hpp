// SPDX-License-Identifier: Apache-2.0
/// Records, documents and changes as text on the disk. Pure functions. Each form contains a checksum, which
/// detects a flipped bit in any field.
#pragma once

#include <gallery/storage.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::file_store {

/// record.json: pretty-printed, ends with a line break.
std::string to_record_text(const image_record& record);
/// Also reads the form of version 0.1, which has no tags; created_time is then used as modified_time. Error:
/// corrupt, with the reason.
result<image_record> parse_record_text(std::string_view text);

/// A line of JSON that describes the document, then its unchanged body.
std::string to_document_text(const document& doc);
result<document> parse_document_text(std::string_view text);

/// Saves and erasures of one atomic write: a line of JSON that lists them, then the bodies, one after the
/// other. Each document has its revision.
std::string to_journal_text(const std::vector<document_write>& parts);
result<std::vector<document_write>> parse_journal_text(std::string_view text);

/// One line of the log of changes, with its line break.
std::string to_log_line(const change& entry);
/// The first line of a log: all changes after @p after are in it and in the following logs.
std::string to_log_header(revision after);

struct log_line {
    std::optional<revision> header_after;  ///< set in a header
    change entry;
};
/// @p line has no line break. Empty if it is damaged.
std::optional<log_line> parse_log_line(std::string_view line);

}  // namespace gallery::file_store
