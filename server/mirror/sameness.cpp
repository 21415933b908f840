// SPDX-License-Identifier: Apache-2.0
#include "mirror/sameness.hpp"

#include "mirror/identity.hpp"
#include "mirror/mark.hpp"
#include "mirror/superseded.hpp"

#include <gallery/encode.hpp>

#include <algorithm>
#include <array>

namespace gallery::mirror {

bool has_same_bytes(const image_record& a, const image_record& b) {
    return a.id == b.id && a.tenant == b.tenant && a.key == b.key && a.public_key == b.public_key &&
           a.created_time == b.created_time && a.original == b.original &&
           a.preview_is_original == b.preview_is_original &&
           (a.preview_is_original || a.preview == b.preview);
}

bool is_same_image(const image_record& a, const image_record& b) {
    return has_same_bytes(a, b) && a.title == b.title && a.file_name == b.file_name &&
           a.sub_type == b.sub_type && a.is_public == b.is_public && a.modified_time == b.modified_time &&
           a.tags == b.tags;
}

bool is_same_version(const kept_version& a, const kept_version& b) {
    return a.kept_time == b.kept_time && a.is_erased == b.is_erased && is_same_image(*a.record, *b.record);
}

bool is_copied(std::string_view document_kind) noexcept {
    constexpr std::array<std::string_view, 7> left_behind{"lease",       "node",    "probe",        "scrub",
                                                          identity_kind, mark_kind, superseded_kind};
    return std::find(left_behind.begin(), left_behind.end(), document_kind) == left_behind.end();
}

std::string item_of_image(const tenant_id& tenant, const std::string& key) {
    return "image '" + key + "' of tenant " + to_string(tenant);
}

std::string item_of_document(std::string_view kind, std::string_view id) {
    return "document " + std::string(kind) + "/" + std::string(id);
}

std::string item_of_versions(const image_id& id) {
    return "kept " + to_string(id) + " ";
}

std::string item_of_version(const kept_version& version) {
    return item_of_versions(version.record->id) + std::to_string(version.kept_time) + " " +
           to_hex(version.record->original.etag);
}

std::string name_of(const image_record& record) {
    return "image '" + record.key + "' (" + to_string(record.id) + ") of tenant " + to_string(record.tenant);
}

}  // namespace gallery::mirror
