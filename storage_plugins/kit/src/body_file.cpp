// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/body_file.hpp>

#include <gallery/kit/files.hpp>
#include <gallery/sha256.hpp>

#include <fcntl.h>
#include <cerrno>
#include <utility>

namespace gallery::kit {

result<verified_body> read_verified(std::shared_ptr<const file_handle> file, const body_descriptor& wanted,
                                    std::uint64_t from, read_purpose why, const std::string& name) {
    const int descriptor = file->descriptor();
    const auto state = state_of(descriptor);
    if (!state) return files::failure("Reading " + name, errno);
    const auto damaged = [](std::string fault) { return error{errc::corrupt, std::move(fault)}; };
    if (state->size != wanted.size)
        return damaged("has " + std::to_string(state->size) + " bytes instead of " +
                       std::to_string(wanted.size));
    // What the kernel has in memory may be right while the disk is not. Pages that others use stay.
    if (why == read_purpose::check) static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED));
    const auto ended = [&](const error& failed) {
        return failed.code == errc::corrupt ? damaged("ends too early") : failed;
    };
    constexpr auto other_hash = "has another SHA-256 than the record";
    if (wanted.size < from) {
        auto content = files::read_bytes(descriptor, wanted.size, name);
        if (!content) return ended(content.error());
        if (sha256(content->span()) != wanted.etag) return damaged(other_hash);
        return verified_body{std::move(*content), *state};
    }
    const auto hash = files::hash_file(descriptor, wanted.size, name);
    if (!hash) return ended(hash.error());
    if (*hash != wanted.etag) return damaged(other_hash);
    // The file was written while it was read: the hashed bytes differ from those that would be sent.
    if (state_of(descriptor) != state) return damaged("was changed while it was read");
    return verified_body{file_region{std::move(file), 0, wanted.size}, *state};
}

}  // namespace gallery::kit
