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
        place(place&& other) noexcept : of_(std::exchange(other.of_, nullptr)), who_(other.who_) {}
        place& operator=(place&&) = delete;
        ~place() {
            if (of_ != nullptr) of_->leave(who_);
        }

    private:
        friend class archive_places;
        place(archive_places* of, tenant_id who) noexcept : of_(of), who_(who) {}

        archive_places* of_;
        tenant_id who_;
    };

    /// Errors: too_many_requests where @p who has all of its places taken; busy where all places are.
    [[nodiscard]] result<place> take(tenant_id who) GALLERY_EXCLUDES(mutex_) {
        const lock_guard lock(mutex_);
        if (const auto found = taken_.find(who);
            found != taken_.end() && found->second >= limits_.each_tenant) {
            return error{errc::too_many_requests,
                         "Too many archives of images are being downloaded. Try again when one has ended.",
                         retry_seconds};
        }
        if (all_taken_ >= limits_.all)
            return error{errc::busy, "too many archives of images are being sent", retry_seconds};
        ++taken_[who];
        ++all_taken_;
        return place(this, who);
    }

private:
    static constexpr std::uint32_t retry_seconds = 10;

    void leave(const tenant_id& who) GALLERY_EXCLUDES(mutex_) {
        const lock_guard lock(mutex_);
        const auto found = taken_.find(who);
        if (--found->second == 0) taken_.erase(found);
        --all_taken_;
    }

    const limits limits_;
    mutex mutex_;
    std::map<tenant_id, std::size_t> taken_ GALLERY_GUARDED_BY(mutex_);
    std::size_t all_taken_ GALLERY_GUARDED_BY(mutex_) = 0;
};

}  // namespace gallery::api
