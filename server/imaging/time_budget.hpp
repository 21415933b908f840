// SPDX-License-Identifier: Apache-2.0
/// The time limit for one image. A pure function.
#pragma once

#include "imaging/sniff.hpp"

#include <chrono>
#include <cstddef>

namespace gallery::imaging {

/// Increases with the size of the file, so that a few bytes cannot occupy a worker for long. A drawing
/// gets 3 s and 1 s per MiB, because a few lines of it can require any amount of work. Pixels are limited
/// by the size of an image, so other formats get 10 s and 1 s per MiB. Never more than @p most
/// (IMAGE_TIMEOUT).
std::chrono::milliseconds time_budget(format kind, std::size_t size, std::chrono::milliseconds most) noexcept;

}  // namespace gallery::imaging
