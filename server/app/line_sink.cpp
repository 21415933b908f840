// SPDX-License-Identifier: Apache-2.0
#include "app/line_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <utility>

namespace gallery::app {

namespace {

using sink_clock = std::chrono::steady_clock;

/// How long the reader of a pipe may keep one write waiting.
constexpr std::chrono::seconds reader_patience{1};

class descriptor_sink : public line_sink {
public:
    /// @p owned: is closed with this.
    descriptor_sink(int descriptor, bool owned) noexcept { use(descriptor, owned); }
    ~descriptor_sink() override { close(); }

    outcome write(std::string_view first, std::string_view second) noexcept override {
        const auto deadline = sink_clock::now() + reader_patience;
        if (is_torn_) {
            if (const auto end = write_all("\n", deadline); end.reason != 0) return {0, end.reason};
            is_torn_ = false;
        }
        auto done = write_all(first, deadline);
        if (done.reason == 0) {
            const auto rest = write_all(second, deadline);
            done = {done.written + rest.written, rest.reason};
        }
        if (done.reason != 0 && done.written > 0) {
            const auto last = done.written <= first.size() ? first[done.written - 1]
                                                           : second[done.written - first.size() - 1];
            is_torn_ = last != '\n';
        }
        return done;
    }

    result<void> reopen() override { return {}; }

protected:
    void use(int descriptor, bool owned) noexcept {
        close();
        struct stat what {};
        is_file_ = ::fstat(descriptor, &what) == 0 && S_ISREG(what.st_mode);
        descriptor_ = descriptor;
        is_owned_ = owned;
        is_torn_ = false;
    }

private:
    void close() noexcept {
        if (is_owned_) ::close(descriptor_);
        is_owned_ = false;
    }

    /// What goes at once where a reader may be slow: whole lines of what a pipe always takes, if there are
    /// any.
    static std::string_view front_of(std::string_view text) noexcept {
        const auto most = text.substr(0, PIPE_BUF);
        if (most.size() == text.size()) return text;
        const auto end = most.rfind('\n');
        return end == most.npos ? most : most.substr(0, end + 1);
    }

    [[nodiscard]] bool wait_for_reader(sink_clock::time_point deadline) const noexcept {
        for (;;) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - sink_clock::now()).count();
            pollfd one{descriptor_, POLLOUT, 0};
            const int ready = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
            if (ready < 0 && errno == EINTR) continue;
            return ready != 0;  // a failure is seen by write()
        }
    }

    outcome write_all(std::string_view text, sink_clock::time_point deadline) const noexcept {
        outcome out;
        while (!text.empty()) {
            if (!is_file_ && !wait_for_reader(deadline)) {
                out.reason = ETIMEDOUT;
                return out;
            }
            const auto part = is_file_ ? text : front_of(text);
            const auto some = ::write(descriptor_, part.data(), part.size());
            if (some < 0 && errno == EINTR) continue;
            if (some < 0 && errno == EAGAIN && !is_file_ && sink_clock::now() < deadline) continue;
            if (some <= 0) {
                out.reason = some == 0 ? EIO : errno == EAGAIN ? ETIMEDOUT : errno;
                return out;
            }
            out.written += static_cast<std::size_t>(some);
            text.remove_prefix(static_cast<std::size_t>(some));
        }
        return out;
    }

    int descriptor_ = -1;
    bool is_owned_ = false;
    bool is_file_ = false;
    bool is_torn_ = false;  ///< a line was written in part
};

class file_sink final : public descriptor_sink {
public:
    file_sink(int descriptor, std::string path) noexcept
        : descriptor_sink(descriptor, true), path_(std::move(path)) {}

    static result<int> open(const std::string& path) {
        // Not blocking, so that a named pipe without a reader does not stop the server.
        const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        const int descriptor = ::open(path.c_str(), flags, 0600);
        if (descriptor >= 0) return descriptor;
        return error{errc::invalid_argument,
                     "the access log '" + path + "' cannot be opened: " + std::strerror(errno)};
    }

    result<void> reopen() override {
        const auto descriptor = open(path_);
        if (!descriptor) return descriptor.error();
        use(*descriptor, true);
        return {};
    }

private:
    std::string path_;
};

}  // namespace

result<std::unique_ptr<line_sink>> open_file_sink(std::string path) {
    const auto descriptor = file_sink::open(path);
    if (!descriptor) return descriptor.error();
    return std::unique_ptr<line_sink>(std::make_unique<file_sink>(*descriptor, std::move(path)));
}

std::unique_ptr<line_sink> standard_output_sink() {
    return std::make_unique<descriptor_sink>(STDOUT_FILENO, false);
}

}  // namespace gallery::app
