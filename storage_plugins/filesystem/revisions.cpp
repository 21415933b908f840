// SPDX-License-Identifier: Apache-2.0
#include "revisions.hpp"

#include "names.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>

namespace gallery::file_store {
namespace {

constexpr const char* file_name = "revision";
constexpr revision block = 10'000;
constexpr revision early = 2'000;  // reserved this long before the block ends
// Of every mark, and within one sector: a new one is there or it is not.
constexpr std::size_t mark_size = 21;

}  // namespace

result<revision> revisions::read() const {
    const auto path = folder_ + '/' + file_name;
    auto text = read_file(root_, path);
    if (!text && text.error().code == errc::not_found) return revision{0};
    if (!text) return text.error();
    if (text->ends_with('\n')) text->pop_back();
    const auto mark = parse_number(*text);
    if (!mark) return error{errc::corrupt, path + " is not a number."};
    return *mark;
}

result<> revisions::begin(revision newest) {
    newest_ = newest;
    const auto path = folder_ + '/' + file_name;
    unique_fd opened(::openat(root_, path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (opened.get() < 0) return failure("Opening " + path, errno);
    file_ = std::move(opened);
    if (auto reserved = reserve(newest_ + block); !reserved) return reserved;
    // What was there may have been longer, and its name may be new.
    if (::ftruncate(file_.get(), mark_size) != 0) return failure("Shortening " + path, errno);
    if (auto synced = sync(file_.get(), path); !synced) return synced;
    return sync_folder(root_, folder_);
}

result<> revisions::reserve(revision up_to) {
    const auto path = folder_ + '/' + file_name;
    const auto mark = padded(up_to) + '\n';
    for (std::size_t done = 0; done < mark_size;) {
        const auto written =
            ::pwrite(file_.get(), mark.data() + done, mark_size - done, static_cast<off_t>(done));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failure("Writing to " + path, errno);
        done += static_cast<std::size_t>(written);
    }
    if (auto synced = sync(file_.get(), path); !synced) return synced;
    reserved_ = up_to;
    return {};
}

result<revision> revisions::next(std::size_t count) {
    if (newest_ + early >= reserved_) {
        const auto done = reserve(newest_ + block);
        const bool is_unknown = !done && done.error().code == errc::unavailable;
        if (is_unknown || (!done && newest_ + count > reserved_)) return done.error();
    }
    const auto first = newest_ + 1;
    newest_ += count;
    return first;
}

result<> revisions::close() {
    return reserve(newest_);
}

}  // namespace gallery::file_store
