/// The reference engine: everything in memory, every write under one lock, nothing survives the process.
/// For tests and for trying things out.
#pragma once

#include <gallery/storage.hpp>

#include <memory>

namespace gallery {

std::unique_ptr<image_store> make_memory_store();

}  // namespace gallery
