// SPDX-License-Identifier: Apache-2.0
/// What an answer of an engine has to be before the server makes use of it. An engine is somebody else's
/// code: a body that is shorter than its record would be sent with what lies behind it in memory, and a
/// record that is not there would end the process.
#pragma once

#include <gallery/storage.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gallery::plugins {

/// Whether there are as many bytes as the record says, and something that they can be taken from.
inline bool is_sound(const body& content, const body_descriptor& described) noexcept {
    if (const bytes* memory = content.memory())
        return memory->size() == described.size && (memory->data() != nullptr || described.size == 0);
    const file_region* region = content.region();
    return region->size == described.size && region->file != nullptr;
}

/// What is wrong with an answer, where something is. @p engine is the plugin's name.
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
