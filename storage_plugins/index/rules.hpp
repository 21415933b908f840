/// What the storage contract says about arguments and outcomes, in one place for the engines that share it.
/// Pure functions.
#pragma once

#include <gallery/storage.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::store_index {

/// What is wrong with the arguments of save(): sizes that differ from their descriptors.
std::optional<error> refuse_save(const image_record& record, const body& original, const body& preview);

/// What is wrong with the kind or id of a document, or with its body.
std::optional<error> refuse_document_name(std::string_view kind, std::string_view id);
std::optional<error> refuse_document(const document& doc);

/// @p current with the fields that update() takes from @p wanted, at revision @p rev.
image_record updated(const image_record& current, const image_record& wanted, revision rev);

/// The feed's entry for a write of this image.
change image_change(change::kind what, const image_record& record, revision rev);
change document_change(change::kind what, std::string kind, std::string id, revision rev);

/// Messages that name the image: `image "key" of tenant <uuid>`.
std::string describe(const tenant_id& tenant, std::string_view key);

error no_such_image(const tenant_id& tenant, std::string_view key);
error stale_record(const image_record& record);
error id_taken(const image_record& wanted, const image_record& owner);

}  // namespace gallery::store_index
