// SPDX-License-Identifier: Apache-2.0
#include "app/access_log.hpp"

#include "accounts/authenticator.hpp"

#include <gallery/clock.hpp>

#include <utility>

namespace gallery::app {

result<std::unique_ptr<access_log>> access_log::open(const config::access_log_settings& settings,
                                                     log_function log) {
    std::unique_ptr<line_sink> sink;
    if (settings.file.empty()) {
        sink = standard_output_sink();
    } else {
        auto opened = open_file_sink(settings.file);
        if (!opened) return opened.error();
        sink = std::move(*opened);
    }
    return std::make_unique<access_log>(settings.format, std::move(sink), std::move(log));
}

access_log::access_log(config::access_log_format format, std::unique_ptr<line_sink> sink, log_function log,
                       line_log_options options)
    : format_(format), lines_("the access log", std::move(sink), std::move(log), options) {}

void access_log::observe(const http::finished_exchange& e) noexcept {
    auto& mine = parts_.mine(format_, &lines_);
    const auto now = milliseconds_of(accounts::authenticator::coarse_now());
    mine.out.append(mine.line.write(entry_of(e, now)));
}

}  // namespace gallery::app
