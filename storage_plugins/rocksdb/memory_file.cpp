#include "memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <utility>

namespace gallery::rocks {
namespace {

std::size_t quarter_of_descriptors() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 20U) / 4);
}

struct counted_file {
    counted_file(int descriptor, std::shared_ptr<std::atomic<std::size_t>> open_files)
        : file(descriptor), open(std::move(open_files)) {
        open->fetch_add(1, std::memory_order_relaxed);
    }
    counted_file(const counted_file&) = delete;
    counted_file& operator=(const counted_file&) = delete;
    ~counted_file() { open->fetch_sub(1, std::memory_order_relaxed); }

    file_handle file;
    std::shared_ptr<std::atomic<std::size_t>> open;
};

bool write_all(int descriptor, std::span<const char> data) noexcept {
    while (!data.empty()) {
        const auto written = ::write(descriptor, data.data(), data.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

memory_files::memory_files()
    : limit_(quarter_of_descriptors()), open_(std::make_shared<std::atomic<std::size_t>>(0)) {}

std::optional<file_region> memory_files::hold(std::span<const char> data) {
    if (data.size() < smallest || open_->load(std::memory_order_relaxed) >= limit_) return std::nullopt;
    const int descriptor = ::memfd_create("gallery-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return std::nullopt;
    auto owner = std::make_shared<const counted_file>(descriptor, open_);
    constexpr int sealed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (!write_all(descriptor, data) || ::fcntl(descriptor, F_ADD_SEALS, sealed) != 0) return std::nullopt;
    const auto* const file = &owner->file;
    return file_region{std::shared_ptr<const file_handle>(std::move(owner), file), 0, data.size()};
}

}  // namespace gallery::rocks
