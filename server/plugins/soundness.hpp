// SPDX-License-Identifier: Apache-2.0
/// Checks answers of an engine before the server uses them. An engine is foreign code: a body that is
/// shorter than its record would be sent with the memory after it, and a missing record would end the
/// process.
#pragma once

#include <gallery/storage.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gallery::plugins {

/// Whether there are as many bytes as the record states, with a source.
inline bool is_sound(const body& content, const body_descriptor& described) noexcept {
    if (const bytes* memory = content.memory())
        return memory->size() == described.size && (memory->data() != nullptr || described.size == 0);
    const file_region* region = content.region();
    return region->size == described.size && region->file != nullptr;
}

/// The error of an answer, if any. @p engine is the plugin's name.
std::optional<error> unsound(const std::string& engine, const body& content, const image_record& record,
                             representation which);
std::optional<error> unsound(const std::string& engine, const char* call, const record_ptr& record);
std::optional<error> unsound(const std::string& engine, const char* call,
                             const std::vector<record_ptr>& records);
std::optional<error> unsound(const std::string& engine, const char* call,
                             const std::vector<kept_version>& versions);
/// @p parts: of the write.
std::optional<error> unsound(const std::string& engine, const documents_outcome& outcome, std::size_t parts);
/// @p has_record: a committed outcome comes with the record.
std::optional<error> unsound(const std::string& engine, const char* call, const write_outcome& outcome,
                             bool has_record);

}  // namespace gallery::plugins
