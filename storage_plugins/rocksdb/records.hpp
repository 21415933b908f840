// SPDX-License-Identifier: Apache-2.0
/// Records as they are read from the records family.
#pragma once

#include "engine.hpp"

#include <gallery/model.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gallery::rocks {

/// The record under a records key; null where there is none. Nothing where @p how is reach::memory and
/// the disk would have to be asked. Error: corrupt and the engine's.
std::optional<result<record_ptr>> load_record(const engine& from, std::string_view key, engine::reach how,
                                              const snapshot_ptr& at = nullptr);

/// For messages: `image "logo.png" of tenant 1381...`, from a records key.
std::string describe_image(std::string_view record_key);

/// What a record occupies in memory, about.
std::uint64_t memory_of(const image_record& record) noexcept;

}  // namespace gallery::rocks
