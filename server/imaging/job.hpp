// SPDX-License-Identifier: Apache-2.0
/// A picture in the pool, and the coroutine that waits for it.
#pragma once

#include "imaging/picture.hpp"
#include "imaging/upload.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>
#include <utility>

namespace gallery::imaging {

/// Must be completed, once.
class job {
public:
    job(upload what, resumption<result<picture>> waiting) noexcept
        : what_(std::move(what)), waiting_(std::move(waiting)) {}

    [[nodiscard]] const body& original() const noexcept { return what_.original; }
    [[nodiscard]] const tenant_id& tenant() const noexcept { return what_.tenant; }
    [[nodiscard]] const std::string& request_id() const noexcept { return what_.request_id; }
    [[nodiscard]] const sha256_digest& content() const noexcept { return what_.content; }

    /// From any thread. The original's bytes are released before the coroutine resumes.
    void complete(result<picture> outcome) {
        what_.original = {};
        waiting_.complete(std::move(outcome));
    }

private:
    upload what_;
    resumption<result<picture>> waiting_;
};

}  // namespace gallery::imaging
