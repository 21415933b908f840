// SPDX-License-Identifier: Apache-2.0
/// The access log: a line for each request, in one of two formats, to a file or to standard output.
///
/// The I/O thread writes the line into memory of its own (access_line, line_log); a thread of the log writes
/// it out. A request makes no system call for its line, allocates nothing and never waits. operations.md
/// describes the formats, and what they leave out because it is secret or personal.
#pragma once

#include "app/access_line.hpp"
#include "app/line_log.hpp"
#include "config/settings.hpp"
#include "http/server.hpp"
#include "plugins/per_thread.hpp"

#include <gallery/error.hpp>
#include <gallery/log_level.hpp>

#include <chrono>
#include <memory>

namespace gallery::app {

class access_log {
public:
    /// Opens the file of @p settings, or standard output. @p log is told what becomes of the log itself.
    /// Precondition: the format is not off. Errors: those of open_file_sink().
    static result<std::unique_ptr<access_log>> open(const config::access_log_settings& settings,
                                                    log_function log);

    access_log(config::access_log_format format, std::unique_ptr<line_sink> sink, log_function log,
               line_log_options options = {});

    /// Any I/O thread. They end, or observe nothing any more, before this ends.
    void observe(const http::finished_exchange& e) noexcept;

    /// For a file that was renamed: lets the writer open it again. Any thread.
    void reopen() noexcept { lines_.reopen(); }

    /// As line_log::flush().
    bool flush(std::chrono::milliseconds at_most) { return lines_.flush(at_most); }

    [[nodiscard]] line_log::figures read() const { return lines_.read(); }

private:
    /// What an I/O thread writes its lines with.
    struct thread_part {
        thread_part(config::access_log_format format, line_log* to) : line(format), out(to->add_buffer()) {}
        access_line line;
        line_log::buffer& out;
    };

    const config::access_log_format format_;
    line_log lines_;
    plugins::per_thread<thread_part> parts_;
};

}  // namespace gallery::app
