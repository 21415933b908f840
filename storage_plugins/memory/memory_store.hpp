// SPDX-License-Identifier: Apache-2.0
/// The reference engine: everything in memory, nothing survives the process. The shortest complete reading of
/// the storage contract.
#pragma once

#include <gallery/storage.hpp>

#include <memory>

namespace gallery {

std::unique_ptr<storage_engine> make_memory_engine();

}  // namespace gallery
