// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/confinement.hpp"

#include "imaging/protocol.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace gallery::imaging::worker {
namespace {

constexpr unsigned nobody = 65534;

void limit(__rlimit_resource what, rlim_t value) {
    const rlimit bound{value, value};
    ::setrlimit(what, &bound);
}

bool give_up_root() {
    if (::geteuid() != 0) return false;
    return ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
           ::setresuid(nobody, nobody, nobody) == 0;
}

// As root the namespaces are made directly; else inside a user namespace, which also takes away whatever
// the user may do outside it.
bool leave_namespaces() {
    constexpr int wanted = CLONE_NEWNET | CLONE_NEWIPC;
    return ::unshare(::geteuid() == 0 ? wanted : wanted | CLONE_NEWUSER) == 0;
}

std::size_t mapped_bytes() {
    unsigned long pages = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint32_t begin_confinement() {
    std::uint32_t layers = 0;
    ::close_range(protocol::worker_descriptor + 1, ~0u, 0);
    // If memory runs out on the machine, a worker is the one to go; and decoding waits for serving.
    if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
        if (::write(score, "1000", 4) != 4) errno = 0;
        ::close(score);
    }
    if (::setpriority(PRIO_PROCESS, 0, 5) != 0) errno = 0;
    if (leave_namespaces()) layers |= protocol::namespaces;
    const bool was_root = ::geteuid() == 0;
    if (give_up_root()) {
        layers |= protocol::other_user;
    } else if (was_root) {
        std::fputs("the imaging worker cannot drop root privileges\n", stderr);
        ::_exit(4);
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) layers |= protocol::no_new_privileges;
    // Changing the user clears the next two, so they come last.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_NOFILE, 256);
    return layers;
}

std::uint32_t finish_confinement(std::size_t memory) {
    std::uint32_t layers = protocol::resource_limits;
    const auto mapped = mapped_bytes();
    if (mapped == 0) layers = 0;
    if (mapped != 0) limit(RLIMIT_AS, mapped + memory);
    limit(RLIMIT_FSIZE, 0);
    layers |= enter_landlock();
    if (enter_seccomp()) layers |= protocol::seccomp_filter;
    return layers;
}

void allow_cpu_seconds(std::uint32_t seconds) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    rlimit bound{};
    ::getrlimit(RLIMIT_CPU, &bound);
    bound.rlim_cur = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds + 1;
    ::setrlimit(RLIMIT_CPU, &bound);
}

}  // namespace gallery::imaging::worker
