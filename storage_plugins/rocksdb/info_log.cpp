// SPDX-License-Identifier: Apache-2.0
#include "info_log.hpp"

#include <gallery/mutex.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <utility>

namespace gallery::rocks {
namespace {

constexpr std::size_t largest_file = 4ULL << 20;
constexpr std::size_t longest_line = 4096;

class info_log final : public rocksdb::Logger {
public:
    explicit info_log(std::string path) : Logger(rocksdb::INFO_LEVEL), path_(std::move(path)) {
        const lock_guard lock(mutex_);
        begin();
    }
    info_log(const info_log&) = delete;
    info_log& operator=(const info_log&) = delete;
    ~info_log() override {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    using Logger::Logv;
    void Logv(const char* format, va_list arguments) override {
        char line[longest_line];
        timeval now{};
        ::gettimeofday(&now, nullptr);
        tm utc{};
        ::gmtime_r(&now.tv_sec, &utc);
        std::size_t used = std::strftime(line, sizeof line, "%Y/%m/%d-%H:%M:%S", &utc);
        used += static_cast<std::size_t>(
            std::snprintf(line + used, sizeof line - used, ".%06ld ", static_cast<long>(now.tv_usec)));
        const int text = std::vsnprintf(line + used, sizeof line - used - 1, format, arguments);
        if (text < 0) return;
        used = std::min(used + static_cast<std::size_t>(text), sizeof line - 2);
        if (line[used - 1] != '\n') line[used++] = '\n';

        const lock_guard lock(mutex_);
        if (size_ + used > largest_file) begin();
        if (descriptor_ < 0) return;
        if (const auto written = ::write(descriptor_, line, used); written > 0)
            size_ += static_cast<std::size_t>(written);
    }

private:
    // A new file where the present one is full, else the one that is there.
    void begin() GALLERY_REQUIRES(mutex_) {
        struct stat there {};
        const bool exists = ::stat(path_.c_str(), &there) == 0;
        size_ = exists ? static_cast<std::size_t>(there.st_size) : 0;
        if (size_ > largest_file / 2 && ::rename(path_.c_str(), (path_ + ".old").c_str()) == 0) size_ = 0;
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    }

    const std::string path_;
    mutex mutex_;
    int descriptor_ GALLERY_GUARDED_BY(mutex_) = -1;
    std::size_t size_ GALLERY_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_info_log(const std::string& folder) {
    return std::make_shared<info_log>(folder + "/LOG");
}

}  // namespace gallery::rocks
