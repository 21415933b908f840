// SPDX-License-Identifier: Apache-2.0
/// Fonts for SVG text in a process that cannot open files.
///
/// The font libraries open a font file when a document first uses it, which is after confinement. Therefore a
/// set of fonts is chosen and opened before, and fontconfig gets only this set. When a library opens one of
/// them by name, the trapped system call returns a copy of the open descriptor.
#pragma once

#include <cstdint>

namespace gallery::imaging::worker {

/// Chooses and opens at most 64 fonts: the usual generic families in four styles first, then what else
/// fontconfig offers for the rest of Unicode. Returns how many. Precondition: single thread.
std::uint32_t fonts_start();

/// Installs the handler of trapped open and openat. False where this processor is not known.
bool fonts_answer_calls();

}  // namespace gallery::imaging::worker
