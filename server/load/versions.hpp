// SPDX-License-Identifier: Apache-2.0
/// The pictures that an image has had in a run, and which of them an answer may contain.
///
/// The rule: an answer to a request that was sent after a replacement was acknowledged must contain that
/// picture, or a later one. Each read therefore notes at its sending which version was acknowledged. One
/// replacement of an image is under way at a time, so that the versions have an order. If the outcome of a
/// replacement is unknown, it may still happen at any time; the image is then not checked or replaced any
/// more.
#pragma once

#include "load/statistics.hpp"

#include <gallery/sha256.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace gallery::load {

class image_versions {
public:
    using number = std::uint32_t;

    explicit image_versions(const sha256_digest& first) : pictures_{first} {}

    /// The newest version that was acknowledged.
    [[nodiscard]] number acknowledged() const noexcept { return acknowledged_; }
    [[nodiscard]] bool may_be_replaced() const noexcept { return !is_under_way_ && !is_uncertain_; }

    /// Precondition: may_be_replaced().
    void begin(const sha256_digest& picture) {
        pictures_.push_back(picture);
        is_under_way_ = true;
    }
    /// How the replacement under way ended: the server confirmed it, refused it, or neither.
    void confirm() noexcept {
        is_under_way_ = false;
        acknowledged_ = static_cast<number>(pictures_.size() - 1);
    }
    void refuse() noexcept {
        is_under_way_ = false;
        pictures_.pop_back();
    }
    void lose() noexcept {
        is_under_way_ = false;
        is_uncertain_ = true;
    }

    /// The version that a client has, as far as the run has read it, and its picture.
    [[nodiscard]] number seen() const noexcept { return seen_; }
    [[nodiscard]] const sha256_digest& picture(number of) const noexcept { return pictures_[of]; }

    /// Of an answer with this ETag to a request for which acknowledged() was @p noted at its sending.
    [[nodiscard]] verdict check(const std::optional<sha256_digest>& etag, number noted) noexcept {
        if (!etag) return verdict::wrong;
        // Newest first: older ones are rarely asked for.
        for (auto at = pictures_.size(); at-- > 0;) {
            if (pictures_[at] != *etag) continue;
            if (at < noted && !is_uncertain_) return verdict::stale;
            seen_ = static_cast<number>(at);
            return verdict::good;
        }
        return is_uncertain_ ? verdict::good : verdict::wrong;
    }

    /// Of a 304 to a request with the picture @p sent in If-None-Match.
    [[nodiscard]] verdict check_unchanged(number sent, number noted) const noexcept {
        return sent < noted && !is_uncertain_ ? verdict::stale : verdict::good;
    }

private:
    std::vector<sha256_digest> pictures_;
    number acknowledged_ = 0;
    number seen_ = 0;
    bool is_under_way_ = false;
    bool is_uncertain_ = false;
};

}  // namespace gallery::load
