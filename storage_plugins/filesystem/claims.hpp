// SPDX-License-Identifier: Apache-2.0
/// Ids and public keys of writes in progress, so that no two images get the same one at the same time.
#pragma once

#include <gallery/kit/catalog.hpp>

#include <gallery/model.hpp>
#include <gallery/mutex.hpp>

#include <string>
#include <unordered_set>
#include <utility>

namespace gallery::file_store {

/// Thread-safe.
class claims {
public:
    enum class outcome { granted, id_taken, public_key_taken };

    /// Reserves id and public key of a record until it is destroyed, which must be after the record is in the
    /// catalog.
    class guard {
    public:
        guard() = default;
        guard(claims& owner, image_id id, std::string public_key)
            : owner_(&owner), id_(id), public_key_(std::move(public_key)) {}
        guard(guard&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              id_(other.id_),
              public_key_(std::move(other.public_key_)) {}
        guard& operator=(guard&&) = delete;
        ~guard() {
            if (owner_ == nullptr) return;
            const lock_guard lock(owner_->mutex_);
            owner_->ids_.erase(id_);
            owner_->public_keys_.erase(public_key_);
        }

    private:
        claims* owner_ = nullptr;
        image_id id_;
        std::string public_key_;
    };

    std::pair<outcome, guard> take(const kit::catalog& catalog, const image_record& record) {
        const auto is_other = [&](const kit::stored& owner) {
            return owner && (owner.record->tenant != record.tenant || owner.record->key != record.key);
        };
        const lock_guard lock(mutex_);
        if (ids_.contains(record.id) || is_other(catalog.find_by_id(record.id)))
            return {outcome::id_taken, guard()};
        const bool has_link = !record.public_key.empty();
        if (has_link && (public_keys_.contains(record.public_key) ||
                         is_other(catalog.find_by_public_key(record.public_key))))
            return {outcome::public_key_taken, guard()};
        ids_.insert(record.id);
        if (has_link) public_keys_.insert(record.public_key);
        return {outcome::granted, guard(*this, record.id, record.public_key)};
    }

private:
    mutex mutex_;
    std::unordered_set<image_id> ids_ GALLERY_GUARDED_BY(mutex_);
    std::unordered_set<std::string> public_keys_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::file_store
