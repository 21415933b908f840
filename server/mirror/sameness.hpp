// SPDX-License-Identifier: Apache-2.0
/// When an item of a store and its copy in another store are the same. Revisions are each store's own and are
/// never compared. Pure functions.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/image_store.hpp>
#include <gallery/model.hpp>

#include <string>
#include <string_view>

namespace gallery::mirror {

/// Every member of the records but the revisions.
bool is_same_image(const image_record& a, const image_record& b);

/// As is_same_image(), except the members that image_store::update() changes: the copy can be updated and its
/// bytes need not be stored again.
bool has_same_bytes(const image_record& a, const image_record& b);

bool is_same_version(const kept_version& a, const kept_version& b);

/// Whether documents of this kind belong to the data and not to a running server or to a copy: those of
/// leases, of the servers on a store, of the probe, of the identity and of the mark stay behind.
bool is_copied(std::string_view document_kind) noexcept;

/// The names of items under which damage and differences are noted (work.hpp), the same for an item and its
/// copy. Those of an image's kept versions begin with item_of_versions().
std::string item_of_image(const tenant_id& tenant, const std::string& key);
std::string item_of_document(std::string_view kind, std::string_view id);
std::string item_of_versions(const image_id& id);
std::string item_of_version(const kept_version& version);

/// For messages: the image 'key' (id) of tenant id.
std::string name_of(const image_record& record);

}  // namespace gallery::mirror
