// SPDX-License-Identifier: Apache-2.0
#include <gallery/bytes.hpp>

#include <unistd.h>
#include <cerrno>

namespace gallery {

file_handle::~file_handle() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t body::size() const noexcept {
    if (const auto* in_memory = memory()) return in_memory->size();
    return region()->size;
}

body body::slice(std::uint64_t offset, std::uint64_t length) const {
    if (const auto* in_memory = memory()) return in_memory->slice(offset, length);
    return file_region{region()->file, region()->offset + offset, length};
}

std::optional<bytes> body::load() const {
    if (const auto* in_memory = memory()) return *in_memory;
    const auto& part = *region();
    std::vector<char> data(part.size);
    std::size_t done = 0;
    while (done < data.size()) {
        const auto got = ::pread(part.file->descriptor(), data.data() + done, data.size() - done,
                                 static_cast<off_t>(part.offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = EIO;
        if (got <= 0) return std::nullopt;
        done += static_cast<std::size_t>(got);
    }
    return bytes::own(std::move(data));
}

}  // namespace gallery
