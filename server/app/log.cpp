// SPDX-License-Identifier: Apache-2.0
#include "app/log.hpp"

#include <gallery/clock.hpp>
#include <gallery/mutex.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

namespace gallery::app {

namespace {

constexpr std::size_t waiting_lines = 8192;

std::atomic<spdlog::logger*> current{nullptr};  // NOLINT: one log per process
/// Shared by those who hand over a line. Whoever has it alone ends the writer: nobody is inside then, so the
/// writer's last owner is flush_log(), which waits for it.
constinit shared_mutex handing_over;  // NOLINT: as above

spdlog::level::level_enum to_spdlog(log_level level) noexcept {
    switch (level) {
        case log_level::debug:
            return spdlog::level::debug;
        case log_level::info:
            return spdlog::level::info;
        case log_level::warning:
            return spdlog::level::warn;
        case log_level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

log_level from_spdlog(spdlog::level::level_enum level) noexcept {
    if (level <= spdlog::level::debug) return log_level::debug;
    if (level == spdlog::level::info) return log_level::info;
    return level == spdlog::level::warn ? log_level::warning : log_level::error;
}

class line_formatter final : public spdlog::formatter {
public:
    explicit line_formatter(config::log_format format) : format_(format) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const auto time = milliseconds_of(message.time);
        const std::string line = format_log_line(format_, from_spdlog(message.level), time,
                                                 {message.payload.data(), message.payload.size()});
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<line_formatter>(format_);
    }

private:
    config::log_format format_;
};

std::string timestamp(std::int64_t milliseconds) {
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(milliseconds % 1000));
    return std::string(text, size) + fraction;
}

std::string escaped(std::string_view text) {
    std::string line;
    line.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            line += c;
        } else {
            char code[8];
            std::snprintf(code, sizeof code, "\\x%02x", byte);
            line += code;
        }
    }
    return line;
}

std::shared_ptr<spdlog::details::thread_pool>& writer() {
    static std::shared_ptr<spdlog::details::thread_pool> thread;
    return thread;
}
std::shared_ptr<spdlog::async_logger>& logger() {
    static std::shared_ptr<spdlog::async_logger> instance;
    return instance;
}

}  // namespace

std::string format_log_line(config::log_format format, log_level level, std::int64_t milliseconds,
                            std::string_view text) {
    if (format == config::log_format::json) {
        // Written by hand but for the text, so that the order is that of reading.
        return R"({"time":")" + timestamp(milliseconds) + R"(","level":")" +
               std::string(log_levels.name_of(level)) + R"(","message":)" +
               boost::json::serialize(boost::json::string(text)) + "}\n";
    }
    std::string line = timestamp(milliseconds) + " " + std::string(log_levels.name_of(level));
    line.append(level == log_level::info ? 4 : level == log_level::warning ? 1 : 3, ' ');
    return line + escaped(text) + "\n";
}

log_scope::log_scope(const config::logging_settings& settings) {
    writer() = std::make_shared<spdlog::details::thread_pool>(waiting_lines, 1);
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    logger() = std::make_shared<spdlog::async_logger>("gallery", sink, writer(),
                                                      spdlog::async_overflow_policy::overrun_oldest);
    logger()->set_formatter(std::make_unique<line_formatter>(settings.format));
    logger()->set_level(to_spdlog(settings.level));
    logger()->flush_on(spdlog::level::warn);
    current.store(logger().get(), std::memory_order_release);
}

void change_log(const config::logging_settings& settings) {
    const shared_lock lock(handing_over);
    if (current.load(std::memory_order_acquire) == nullptr) return;
    logger()->set_formatter(std::make_unique<line_formatter>(settings.format));
    logger()->set_level(to_spdlog(settings.level));
}

log_scope::~log_scope() {
    current.store(nullptr, std::memory_order_release);
    flush_log();
}

bool logs(log_level level) noexcept {
    const auto* log = current.load(std::memory_order_acquire);
    return log != nullptr && log->should_log(to_spdlog(level));
}

void log(log_level level, std::string_view text) noexcept {
    if (current.load(std::memory_order_acquire) == nullptr) return;
    const shared_lock lock(handing_over);
    auto* log = current.load(std::memory_order_acquire);
    if (log != nullptr) log->log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

void flush_log() noexcept {
    current.store(nullptr, std::memory_order_release);
    const lock_guard lock(handing_over);
    // The writer's thread ends after the last line that is waiting. The logger stays for a thread that asks
    // for its level.
    writer().reset();
}

}  // namespace gallery::app
