// SPDX-License-Identifier: Apache-2.0
#include "plugins/soundness.hpp"

#include <algorithm>

namespace gallery::plugins {

namespace {

error broken(const std::string& engine, const char* call, const std::string& what) {
    return {errc::internal,
            "the storage plugin " + engine + " answered " + call + "() with " + what +
                ", which violates the storage contract (gallery/storage.hpp). The plugin must be "
                "mended."};
}

}  // namespace

std::optional<error> unsound(const std::string& engine, const body& content, const image_record& record,
                             representation which) {
    const auto& described = record.descriptor(which);
    if (is_sound(content, described)) return std::nullopt;
    const std::string found = content.size() != described.size ? std::to_string(content.size()) + " bytes"
                                                               : std::string("a body without bytes");
    return error{errc::corrupt,
                 "the storage plugin " + engine + " has " + found + " for the " +
                     (which == representation::original ? "original" : "preview") + " of the image \"" +
                     record.key + "\" of the tenant " + to_string(record.tenant) + ", whose record says " +
                     std::to_string(described.size) + ". Run `gallery-admin verify`, and restore the image."};
}

std::optional<error> unsound(const std::string& engine, const char* call, const record_ptr& record) {
    if (record) return std::nullopt;
    return broken(engine, call, "success without a record");
}

std::optional<error> unsound(const std::string& engine, const char* call,
                             const std::vector<record_ptr>& records) {
    if (std::find(records.begin(), records.end(), nullptr) == records.end()) return std::nullopt;
    return broken(engine, call, "a page with a missing record");
}

std::optional<error> unsound(const std::string& engine, const char* call,
                             const std::vector<kept_version>& versions) {
    const auto is_missing = [](const kept_version& version) { return version.record == nullptr; };
    if (std::none_of(versions.begin(), versions.end(), is_missing)) return std::nullopt;
    return broken(engine, call, "a page with a missing record");
}

std::optional<error> unsound(const std::string& engine, const documents_outcome& outcome, std::size_t parts) {
    switch (outcome.status) {
        case write_status::committed:
            if (outcome.revs.size() == parts) return std::nullopt;
            return broken(
                engine, "write",
                std::to_string(outcome.revs.size()) + " revisions for " + std::to_string(parts) + " parts");
        case write_status::conflict:
        case write_status::absent:
            if (outcome.failed < parts) return std::nullopt;
            return broken(engine, "write",
                          "the part " + std::to_string(outcome.failed) + " of " + std::to_string(parts));
        case write_status::public_key_taken:
        case write_status::over_limit:
            break;
    }
    return broken(engine, "write", "the status " + std::to_string(static_cast<int>(outcome.status)));
}

std::optional<error> unsound(const std::string& engine, const char* call, const write_outcome& outcome,
                             bool has_record) {
    if (outcome.status > write_status::over_limit)
        return broken(engine, call, "the status " + std::to_string(static_cast<int>(outcome.status)));
    if (has_record && outcome.status == write_status::committed && !outcome.record)
        return broken(engine, call, "committed without a record");
    return std::nullopt;
}

}  // namespace gallery::plugins
