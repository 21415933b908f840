// SPDX-License-Identifier: Apache-2.0
/// The rules of the storage contract for arguments and outcomes, in one place for the engines. Pure
/// functions; any thread.
#pragma once

#include <gallery/storage.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::kit {

/// The error of invalid arguments of save() or save_kept(): sizes that differ from their descriptors.
std::optional<error> refuse_save(const image_record& record, const body& original, const body& preview);

/// Whether a document can have this kind or this id.
bool is_document_kind(std::string_view text) noexcept;
bool is_document_id(std::string_view text) noexcept;

/// The error of an invalid argument of document_store::write().
std::optional<error> refuse_documents(const std::vector<document_write>& parts);

/// Judges the preconditions of a valid list against the stored state: committed without revisions, or the
/// first part that fails. @p current(kind, id) returns the stored revision, 0 if there is none. It must
/// answer from one state of the store, in which the write then happens.
documents_outcome judge(
    const std::vector<document_write>& parts,
    const std::function<revision(const std::string& kind, const std::string& id)>& current);

/// @p current with the fields that update() takes from @p wanted, at revision @p rev.
image_record updated(const image_record& current, const image_record& wanted, revision rev);

/// The usage of one image.
usage_figures figures_of(const image_record& record) noexcept;
/// The outcome of a write of an image that the stored state does not allow; @p current may be null.
write_outcome refused(write_status status, record_ptr current);

/// The feed's entry for a write of this image or kept version.
change image_change(change::kind what, const image_record& record, revision rev, revision kept = 0);
change document_change(change::kind what, std::string kind, std::string id, revision rev);

/// For messages: `image "key" of tenant <uuid>`.
std::string describe(const tenant_id& tenant, std::string_view key);

error no_such_image(const tenant_id& tenant, std::string_view key);
error no_such_image(const image_id& id);
error no_such_public_key(std::string_view public_key);
error no_such_version(const image_id& id, revision content_rev);
error no_such_document(std::string_view kind, std::string_view id);
error stale_record(const image_record& record);
error id_taken(const image_record& wanted, const image_record& owner);
/// @p scan names what the cursor is for: "images", "kept versions", "documents".
error bad_cursor(std::string_view scan, std::string_view cursor);
error bad_limit();

}  // namespace gallery::kit
