// SPDX-License-Identifier: Apache-2.0
#include "mirror/bodies.hpp"

#include "mirror/sameness.hpp"

#include <gallery/sha256.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace gallery::mirror {

namespace {

struct hashed {
    std::optional<bytes> data;
    sha256_digest digest{};
    int failure = 0;
};

}  // namespace

std::uint64_t bytes_of(const image_record& record) noexcept {
    return record.original.size + (record.preview_is_original ? 0 : record.preview.size);
}

body_reader::body_reader(std::uint64_t memory) : gate_({.all = memory}) {}

body_reader::~body_reader() {
    pool_.join();
}

task<result<bytes>> body_reader::load_one(image_store& store, record_ptr record, representation which) {
    auto read = co_await store.read_aside(record, which);
    if (!read) co_return read.error();
    auto load = [content = std::move(*read)]() noexcept {
        hashed out;
        errno = 0;
        out.data = content.load();
        out.failure = errno;
        if (out.data) out.digest = sha256(out.data->span());
        return out;
    };
    auto loaded = co_await offload(pool_, std::move(load));
    const body_descriptor& expected = record->descriptor(which);
    const std::string what = which == representation::original ? "the original" : "the preview";
    if (!loaded.data) {
        co_return error{errc::io_error, what + " cannot be read: " + std::strerror(loaded.failure)};
    }
    if (loaded.data->size() != expected.size || loaded.digest != expected.etag) {
        co_return error{errc::corrupt, what + " has " + std::to_string(loaded.data->size()) +
                                           " bytes with the SHA-256 " + to_hex(loaded.digest) +
                                           ", expected " + std::to_string(expected.size) + " with " +
                                           to_hex(expected.etag)};
    }
    co_return std::move(*loaded.data);
}

task<result<loaded_bodies>> body_reader::load(image_store& store, record_ptr record) {
    loaded_bodies out;
    out.memory = co_await gate_.enter(bytes_of(*record));
    auto original = co_await load_one(store, record, representation::original);
    if (!original) co_return original.error();
    out.original = std::move(*original);
    if (!record->preview_is_original) {
        auto preview = co_await load_one(store, record, representation::preview);
        if (!preview) co_return preview.error();
        out.preview = std::move(*preview);
    }
    co_return out;
}

}  // namespace gallery::mirror
