// SPDX-License-Identifier: Apache-2.0
#include "app/service_manager.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gallery::app {

namespace {

std::string take_from_environment(const char* name) {
    const char* value = std::getenv(name);
    std::string taken = value == nullptr ? "" : value;
    ::unsetenv(name);
    return taken;
}

/// 0 for anything but a positive number.
long number_in(std::string_view text) {
    long number = 0;
    const auto [last, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && last == text.data() + text.size() && number > 0 ? number : 0;
}

}  // namespace

service_manager service_manager::from_environment() {
    service_manager made;
    made.socket_ = take_from_environment("NOTIFY_SOCKET");
    const auto timeout = take_from_environment("WATCHDOG_USEC");
    const auto process = take_from_environment("WATCHDOG_PID");
    // A variable that was inherited from another service is not for this process.
    if (!made.socket_.empty() && (process.empty() || number_in(process) == ::getpid()))
        made.watchdog_timeout_ = std::chrono::microseconds(number_in(timeout));
    return made;
}

void service_manager::opening() const noexcept {
    report("STATUS=opening the store");
}

void service_manager::ready(const std::string& url, std::string_view note) const {
    report("READY=1\nSTATUS=serving " + url + std::string(note));
}

void service_manager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    report("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) +
           "\nSTATUS=reloading the configuration");
}

void service_manager::stopping() const noexcept {
    report("STOPPING=1\nSTATUS=stopping after in-flight requests are finished");
}

void service_manager::alive() const noexcept {
    report("WATCHDOG=1");
}

void service_manager::report(std::string_view state) const noexcept {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    // Never waits: a service manager that does not read must not hold up an I/O thread. A lost report is
    // followed by the next one.
    static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&address), size));
    ::close(socket);
}

}  // namespace gallery::app
