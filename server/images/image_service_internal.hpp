// SPDX-License-Identifier: Apache-2.0
/// Shared by the sources of image_service. Private to them.
#pragma once

#include "images/image_service.hpp"

#include <gallery/error.hpp>
#include <gallery/storage.hpp>

#include <string>

namespace gallery::images {

/// How often a write is tried again after another request was faster. Each loss means that another write
/// succeeded, so this many losses in a row mean constant changes of the image.
inline constexpr int max_attempts = 64;

inline result<void> run_check(const record_check& check, const image_record* current) {
    return check ? check(current) : result<void>();
}

/// The rules of a save that keeps no version.
inline write_rules save_rules(precondition condition, const tenant_quota& quota) noexcept {
    return {condition, previous_version::drop(), quota.limit_of_saves()};
}

error contended(const std::string& key);
error no_answer_to_a_save(const std::string& key, write_status status);
error no_such_image(const std::string& key);

}  // namespace gallery::images
