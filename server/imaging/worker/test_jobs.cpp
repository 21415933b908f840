// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/test_jobs.hpp"

#include "imaging/protocol.hpp"

#include <glib.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace gallery::imaging::worker {
namespace {

// Every attempt that succeeds is named; none should.
std::string probe() {
    std::string succeeded;
    const auto attempt = [&succeeded](const char* what, bool done) {
        if (done) succeeded += std::string(succeeded.empty() ? "" : ", ") + what;
    };
    attempt("open for reading", ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
    attempt("open of a folder", ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
    attempt("open for writing", ::open("/tmp/imaging-probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0);
    attempt("open of itself", ::open("/proc/self/mem", O_RDWR | O_CLOEXEC) >= 0);
    attempt("access", ::access("/etc/passwd", F_OK) == 0);
    attempt("faccessat", ::faccessat(AT_FDCWD, "/etc/passwd", R_OK, 0) == 0);
    struct stat file {};
    attempt("stat", ::stat("/etc/passwd", &file) == 0);
    attempt("unlink", ::unlink("/tmp/imaging-probe") == 0);
    attempt("memfd", ::memfd_create("probe", 0) >= 0);
    for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
        attempt("socket", ::socket(family, family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0) >= 0);
    }
    char* const arguments[] = {nullptr};
    attempt("exec", ::execve("/bin/true", arguments, arguments) == 0);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    attempt("fork", child > 0);
    attempt("ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0);
    attempt("signal to the server", ::kill(::getppid(), 0) == 0);
    attempt("executable memory",
            ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    attempt("root", ::geteuid() == 0);
    rlimit files{};
    ::getrlimit(RLIMIT_FSIZE, &files);
    attempt("writing files", files.rlim_max != 0);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
        struct stat status {};
        const bool is_null =
            ::fstat(stream, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(1, 3);
        attempt("writing to the server's log", !is_null);
    }
    return succeeded.empty() ? "confined" : "not confined: " + succeeded;
}

}  // namespace

std::optional<std::string> run_test_job(std::string_view data) {
    constexpr std::string_view mark = "GALLERY-TEST:";
    if (!data.starts_with(mark)) return std::nullopt;
    const auto what = data.substr(mark.size());
    if (what == "crash") std::abort();
    if (what.starts_with("hang")) {
        for (;;)
            ::pause();
    }
    if (what.starts_with("slow")) {
        const timespec pause{1, 0};
        ::nanosleep(&pause, nullptr);
        return "slow";
    }
    if (what == "killed") ::raise(SIGKILL);
    if (what.starts_with("spin")) {
        for (std::atomic<unsigned> i = 0;; ++i) {
        }
    }
    if (what == "memory") {
        for (;;)
            std::memset(g_malloc(1 << 20), 1, 1 << 20);
    }
    if (what == "garbage") {
        const std::string noise(64, 'x');
        iovec part{const_cast<char*>(noise.data()), noise.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        ::sendmsg(protocol::worker_descriptor, &message, MSG_NOSIGNAL);
        return "garbage";
    }
    if (what == "probe") return probe();
    return "no such test job";
}

}  // namespace gallery::imaging::worker
