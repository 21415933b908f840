// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker_process.hpp"

#include "imaging/sniff.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace gallery::imaging {
namespace {

// A child that was stopped (SIGSTOP) sends no notification; it is checked at this interval.
constexpr int stop_check_interval = 200;

std::string reason(int number) {
    return std::string(::strerrordesc_np(number));
}

int milliseconds_until(worker_process::clock::time_point deadline) {
    using std::chrono::ceil;
    using std::chrono::milliseconds;
    const auto left = ceil<milliseconds>(deadline - worker_process::clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

// The child sees its socket, an empty standard input, the server's standard error, and nothing else; signals
// as the kernel has them at first; a process group of its own, so that Ctrl-C reaches the server alone.
int spawn(const worker_process::start_options& options, int child_socket, pid_t& child) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, child_socket, protocol::worker_descriptor);
    ::posix_spawn_file_actions_addclosefrom_np(&files, protocol::worker_descriptor + 1);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    auto program = options.program;
    auto memory = std::to_string(options.memory_mib);
    std::array<char*, 3> arguments{program.data(), memory.data(), nullptr};
    // Nothing of the server's environment: it may hold secrets, and it steers libraries.
    std::array<std::string, 4> variables{"LANG=C.UTF-8", "HOME=/nonexistent", "GIO_MODULE_DIR=/nonexistent",
                                         "GIO_USE_VFS=local"};
    std::array<char*, variables.size() + 1> environment{};
    for (std::size_t i = 0; i < variables.size(); ++i)
        environment[i] = variables[i].data();
    const int failed = ::posix_spawn(&child, options.program.c_str(), &files, &attributes, arguments.data(),
                                     environment.data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return failed;
}

bool within_bounds(const protocol::answer& a, const protocol::request& asked) noexcept {
    return a.magic == protocol::magic && a.outcome <= protocol::last_outcome &&
           a.text_size <= protocol::max_text && a.preview_size <= protocol::max_preview &&
           a.document_size <= asked.max_svg_bytes && a.kind <= last_format;
}

}  // namespace

std::string describe_layers(std::uint32_t layers) {
    struct named {
        protocol::layer bit;
        const char* name;
    };
    constexpr std::array names{named{protocol::seccomp_filter, "seccomp"},
                               named{protocol::landlock_files, "Landlock (files)"},
                               named{protocol::landlock_network, "Landlock (network)"},
                               named{protocol::landlock_scope, "Landlock (signals)"},
                               named{protocol::namespaces, "network namespace"},
                               named{protocol::other_user, "user nobody"},
                               named{protocol::no_new_privileges, "no new privileges"},
                               named{protocol::resource_limits, "resource limits"}};
    // "user nobody" is only for a server that root has started.
    constexpr std::uint32_t optional = protocol::other_user;
    std::string active;
    std::string missing;
    for (const auto& n : names) {
        auto& text = (layers & n.bit) != 0 ? active : missing;
        if (&text == &active || (n.bit & optional) == 0)
            text += (text.empty() ? "" : ", ") + std::string(n.name);
    }
    if (active.empty()) active = "none";
    return missing.empty() ? active : active + "; not available: " + missing;
}

int open_for_worker(const body& original, std::uint64_t& offset) {
    if (const auto* region = original.region()) {
        offset = region->offset;
        const auto self = "/proc/self/fd/" + std::to_string(region->file->descriptor());
        return ::open(self.c_str(), O_RDONLY | O_CLOEXEC);
    }
    offset = 0;
    const auto data = original.memory()->view();
    const int copy = ::memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0) return -1;
    std::size_t done = 0;
    while (done < data.size()) {
        const auto written = ::write(copy, data.data() + done, data.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            const int why = errno;
            ::close(copy);
            errno = why;
            return -1;
        }
        done += static_cast<std::size_t>(written);
    }
    ::fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return copy;
}

result<std::unique_ptr<worker_process>> worker_process::start(const start_options& options,
                                                              clock::time_point deadline) {
    const auto failed = [&options](const std::string& why) {
        return error{errc::unavailable,
                     "The imaging worker " + options.program + " cannot start: " + why + "."};
    };
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failed(reason(errno));
    std::unique_ptr<worker_process> self(new worker_process);
    self->socket_ = ends[0];
    self->stop_event_ = options.stop_event;
    const int not_started = spawn(options, ends[1], self->child_);
    ::close(ends[1]);
    if (not_started != 0) {
        self->child_ = -1;
        return failed(reason(not_started));
    }
    switch (self->receive(&self->greeting_, sizeof self->greeting_, deadline)) {
        case ending::answered:
            break;
        case ending::timed_out:
            return failed("it did not start in time");
        case ending::stopped:
            return failed("the server is stopping");
        default:
            return failed("it ended with " + self->reap());
    }
    if (self->greeting_.magic != protocol::magic)
        return failed("it is the worker of another version of the server");
    return self;
}

worker_process::~worker_process() {
    reap();
    if (socket_ >= 0) ::close(socket_);
}

bool worker_process::idle_and_alive() const noexcept {
    // Between two requests a worker sends nothing: readable means that it has ended.
    pollfd watched{socket_, POLLIN, 0};
    return child_ > 0 && ::poll(&watched, 1, 0) == 0;
}

namespace {

std::string described(int status) {
    if (WIFEXITED(status)) return "status " + std::to_string(WEXITSTATUS(status));
    const char* name = ::sigdescr_np(WTERMSIG(status));
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + (name == nullptr ? "unknown" : name) + ")";
}

int wait_for_end(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return status;
}

// Signals that a process gets for what it does itself; every other one was sent to it.
bool own_fault(int signal) noexcept {
    constexpr std::array faults{SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ};
    return std::ranges::find(faults, signal) != faults.end();
}

}  // namespace

std::string worker_process::reap() {
    if (child_ <= 0) return end_.empty() ? "no process" : end_;
    ::kill(child_, SIGKILL);
    end_ = described(wait_for_end(std::exchange(child_, -1)));
    return end_;
}

// The socket is closed, so the child has ended or is about to; one that only closed it is killed.
worker_process::ending worker_process::why_it_ended() {
    constexpr int patience = 2'000;  // milliseconds
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
    pollfd watched{handle, POLLIN, 0};
    const bool ended = handle >= 0 && ::poll(&watched, 1, patience) == 1;
    if (handle >= 0) ::close(handle);
    if (!ended) {
        reap();
        return ending::died;
    }
    const int status = wait_for_end(std::exchange(child_, -1));
    end_ = described(status);
    if (!WIFSIGNALED(status) || own_fault(WTERMSIG(status)))
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? ending::timed_out : ending::died;
    return ending::interrupted;
}

bool worker_process::is_stopped() const noexcept {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child_), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child_;
}

worker_process::ending worker_process::receive(void* into, std::size_t size, clock::time_point deadline) {
    auto* at = static_cast<char*>(into);
    while (size > 0) {
        std::array<pollfd, 2> watched{pollfd{socket_, POLLIN, 0}, pollfd{stop_event_, POLLIN, 0}};
        const int left = milliseconds_until(deadline);
        const int ready = ::poll(watched.data(), watched.size(), std::min(left, stop_check_interval));
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) {
            if (is_stopped()) return ending::interrupted;
            if (left <= stop_check_interval) return ending::timed_out;
            continue;
        }
        if (watched[1].revents != 0) return ending::stopped;
        const auto got = ::recv(socket_, at, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return why_it_ended();
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return ending::answered;
}

worker_process::exchanged worker_process::exchange(const protocol::request& request, int descriptor,
                                                   clock::time_point deadline) {
    exchanged out;
    auto copy = request;
    iovec part{&copy, sizeof copy};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    // A request is far smaller than an empty socket's buffer: it is sent at once and wholly, or not at all.
    const auto sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(sizeof copy)) return out;

    out.how = receive(&out.answer, sizeof out.answer, deadline);
    if (out.how != ending::answered) return out;
    if (!within_bounds(out.answer, request)) {
        out.how = ending::violated_protocol;
        return out;
    }
    out.text.resize(out.answer.text_size);
    out.how = receive(out.text.data(), out.text.size(), deadline);
    if (out.how != ending::answered) return out;
    out.preview.resize(out.answer.preview_size);
    out.how = receive(out.preview.data(), out.preview.size(), deadline);
    if (out.how != ending::answered) return out;
    out.document.resize(out.answer.document_size);
    out.how = receive(out.document.data(), out.document.size(), deadline);
    return out;
}

}  // namespace gallery::imaging
