// SPDX-License-Identifier: Apache-2.0
/// How long one picture may take. A pure function.
#pragma once

#include "imaging/sniff.hpp"

#include <chrono>
#include <cstddef>

namespace gallery::imaging {

/// Grows with the size of the file, so that a few bytes cannot occupy a worker for long: a drawing gets 3 s
/// and 1 s per MiB, because a few lines of one can ask for any amount of work; pixels are bounded by the
/// limits of a picture's size, so other formats get 10 s and 1 s per MiB. Never more than @p most
/// (IMAGE_TIMEOUT).
std::chrono::milliseconds time_budget(format kind, std::size_t size, std::chrono::milliseconds most) noexcept;

}  // namespace gallery::imaging
