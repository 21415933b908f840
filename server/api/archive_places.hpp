// SPDX-License-Identifier: Apache-2.0
/// How many archives are sent at the same time. An archive keeps its list of images, its directory and one
/// picture in memory, for as long as the client takes to receive it.
#pragma once

#include <gallery/error.hpp>
#include <gallery/mutex.hpp>
#include <gallery/uuid.hpp>

#include <cstddef>
#include <map>
#include <utility>

namespace gallery::api {

/// Thread-safe. Outlives every place.
class archive_places {
public:
    struct limits {
        std::size_t each_user = 4;
        std::size_t each_tenant = 8;
        std::size_t all = 32;
    };
    archive_places() = default;
    explicit archive_places(limits bounds) : limits_(bounds) {}
    archive_places(const archive_places&) = delete;
    archive_places& operator=(const archive_places&) = delete;

    /// Free again when it is destroyed. Movable.
    class place {
    public:
        place(place&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), tenant_(other.tenant_), user_(other.user_) {}
        place& operator=(place&&) = delete;
        ~place() {
            if (of_ != nullptr) of_->leave(tenant_, user_);
        }

    private:
        friend class archive_places;
        place(archive_places* of, tenant_id tenant, user_id user) noexcept
            : of_(of), tenant_(tenant), user_(user) {}

        archive_places* of_;
        tenant_id tenant_;
        user_id user_;
    };

    /// Errors: too_many_requests where @p user or @p tenant has all of its places taken; busy where all
    /// places are.
    [[nodiscard]] result<place> take(tenant_id tenant, user_id user) GALLERY_EXCLUDES(mutex_) {
        const lock_guard lock(mutex_);
        if (count(of_tenants_, tenant) >= limits_.each_tenant ||
            count(of_users_, user) >= limits_.each_user) {
            return error{errc::too_many_requests,
                         "Too many archives of images are being downloaded. Try again when one has ended.",
                         retry_seconds};
        }
        if (all_taken_ >= limits_.all)
            return error{errc::busy, "too many archives of images are being sent", retry_seconds};
        ++of_tenants_[tenant];
        ++of_users_[user];
        ++all_taken_;
        return place(this, tenant, user);
    }

private:
    static constexpr std::uint32_t retry_seconds = 10;

    template <class Id>
    static std::size_t count(const std::map<Id, std::size_t>& taken, const Id& who) {
        const auto found = taken.find(who);
        return found == taken.end() ? 0 : found->second;
    }
    template <class Id>
    static void free_one(std::map<Id, std::size_t>& taken, const Id& who) {
        const auto found = taken.find(who);
        if (--found->second == 0) taken.erase(found);
    }

    void leave(const tenant_id& tenant, const user_id& user) GALLERY_EXCLUDES(mutex_) {
        const lock_guard lock(mutex_);
        free_one(of_tenants_, tenant);
        free_one(of_users_, user);
        --all_taken_;
    }

    const limits limits_;
    mutex mutex_;
    std::map<tenant_id, std::size_t> of_tenants_ GALLERY_GUARDED_BY(mutex_);
    std::map<user_id, std::size_t> of_users_ GALLERY_GUARDED_BY(mutex_);
    std::size_t all_taken_ GALLERY_GUARDED_BY(mutex_) = 0;
};

}  // namespace gallery::api
