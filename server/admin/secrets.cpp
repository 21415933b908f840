// SPDX-License-Identifier: Apache-2.0
#include "admin/secrets.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace gallery::admin {

namespace {

/// Passwords have at most 72 characters, keys somewhat more.
constexpr std::size_t longest_line = 4096;

volatile std::sig_atomic_t interrupted = 0;

/// While it lives the terminal shows nothing that is typed. A signal that would end the process does so after
/// the terminal shows things again.
class without_echo {
public:
    without_echo() {
        interrupted = 0;
        struct sigaction note {};
        note.sa_handler = [](int number) { interrupted = number; };
        ::sigemptyset(&note.sa_mask);
        sigset_t held;
        ::sigemptyset(&held);
        for (std::size_t i = 0; i < signals.size(); ++i) {
            ::sigaction(signals[i], &note, &before_[i]);
            ::sigaddset(&held, signals[i]);
        }
        // They are let in by wait() only: one that came just before a read would not end it.
        ::pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
        quiet_ = ::tcgetattr(STDIN_FILENO, &shown_) == 0;
        if (!quiet_) return;
        termios hidden = shown_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    without_echo(const without_echo&) = delete;
    without_echo& operator=(const without_echo&) = delete;
    ~without_echo() {
        if (quiet_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
        std::fputc('\n', stderr);
        for (std::size_t i = 0; i < signals.size(); ++i)
            ::sigaction(signals[i], &before_[i], nullptr);
        ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
        if (interrupted != 0) ::raise(interrupted);
    }

    /// Until there is a line. False where a signal came instead.
    [[nodiscard]] bool wait() const {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        while (interrupted == 0) {
            if (::ppoll(&input, 1, nullptr, &mask_before_) > 0) return true;
            if (errno != EINTR) return false;
        }
        return false;
    }

private:
    static constexpr std::array<int, 4> signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    std::array<struct sigaction, 4> before_{};
    sigset_t mask_before_{};
    termios shown_{};
    bool quiet_ = false;
};

/// Byte by byte: the rest of the input is left for later readers. False if there is no line.
bool read_line(std::string& out) {
    out.clear();
    char c = 0;
    for (;;) {
        const auto got = ::read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return !out.empty();
        if (c == '\n') break;
        if (out.size() == longest_line) return false;
        out.push_back(c);
    }
    if (out.ends_with('\r')) out.pop_back();
    return true;
}

}  // namespace

bool is_interactive() {
    return ::isatty(STDIN_FILENO) != 0;
}

outcome<std::string> read_secret_line(const std::string& prompt, const std::string& what) {
    std::string line;
    bool got = false;
    if (is_interactive()) {
        // Asked when nothing is shown any more: what is typed at once is not shown either, and not lost.
        const without_echo hidden;
        std::fprintf(stderr, "%s: ", prompt.c_str());
        got = hidden.wait() && read_line(line);
    } else {
        got = read_line(line);
    }
    if (!got || line.empty()) {
        return failure{exit_code::usage, "standard input has no line with the " + what};
    }
    return line;
}

outcome<std::string> read_new_secret(const std::string& what) {
    auto first = read_secret_line("The " + what, what);
    if (!first) return first;
    auto again = read_secret_line("The same again", what);
    if (!again) return again;
    if (*first != *again) return failure{exit_code::usage, "the two passwords differ; nothing was changed"};
    return first;
}

bool confirm(const std::string& question) {
    std::fprintf(stderr, "%s [y/N] ", question.c_str());
    std::string line;
    return read_line(line) && (line == "y" || line == "Y" || line == "yes");
}

}  // namespace gallery::admin
