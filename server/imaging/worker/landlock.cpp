// SPDX-License-Identifier: Apache-2.0
// Landlock by bare system calls: glibc has no wrappers, and the kernel headers of the oldest system that we
// build on know less than newer kernels offer (see Documentation/userspace-api/landlock.rst of the kernel).
#include "imaging/protocol.hpp"
#include "imaging/worker/confinement.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

namespace gallery::imaging::worker {
namespace {

struct ruleset {
    std::uint64_t file_access;
    std::uint64_t network_access;
    std::uint64_t scopes;
};

}  // namespace

std::uint32_t enter_landlock() {
    constexpr unsigned ask_version = 1;
    const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_version);
    if (version < 1) return 0;
    // Every right that the kernel knows is handled and none is granted.
    ruleset all{};
    std::size_t size = sizeof(std::uint64_t);
    std::uint32_t layers = protocol::landlock_files;
    constexpr int first_version_rights = 13;
    int rights = first_version_rights;
    if (version >= 2) ++rights;  // refer
    if (version >= 3) ++rights;  // truncate
    if (version >= 5) ++rights;  // ioctl on devices
    all.file_access = (std::uint64_t{1} << rights) - 1;
    if (version >= 4) {  // bind and connect, TCP
        all.network_access = 3;
        size = 2 * sizeof(std::uint64_t);
        layers |= protocol::landlock_network;
    }
    if (version >= 6) {  // abstract UNIX sockets, signals
        all.scopes = 3;
        size = 3 * sizeof(std::uint64_t);
        layers |= protocol::landlock_scope;
    }
    const long descriptor = ::syscall(SYS_landlock_create_ruleset, &all, size, 0);
    if (descriptor < 0) return 0;
    const long refused = ::syscall(SYS_landlock_restrict_self, descriptor, 0);
    ::close(static_cast<int>(descriptor));
    return refused == 0 ? layers : 0;
}

}  // namespace gallery::imaging::worker
