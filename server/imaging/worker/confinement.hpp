// SPDX-License-Identifier: Apache-2.0
/// Drops all rights of a worker except computing, before it reads the first byte of an image.
///
/// Order: begin() while there is one thread and nothing is loaded; then the libraries read their files; then
/// finish(), after which no file can be opened, no socket or process made, and no memory made executable.
/// Layers that the kernel does not offer, or the surroundings forbid, are left out and said so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gallery::imaging::worker {

/// Gives up root, inherited descriptors, namespaces, core dumps and the chance of new privileges, and dies
/// with the thread that started it. Returns the layers in force (protocol::layer). Precondition: single
/// thread.
std::uint32_t begin_confinement();

/// Bounds memory to what is mapped now plus @p memory bytes, forbids writing files, and closes the file
/// system and all system calls that computing does not need. Returns the layers in force. Precondition:
/// single thread; the descriptors to keep are open.
std::uint32_t finish_confinement(std::size_t memory);

/// The kernel ends this process when it has used that much more processor time.
void allow_cpu_seconds(std::uint32_t seconds);

// Parts of the above, each in a file of its own.
std::uint32_t enter_landlock();
bool enter_seccomp();

}  // namespace gallery::imaging::worker
