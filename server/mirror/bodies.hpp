// SPDX-License-Identifier: Apache-2.0
/// Reads bodies within a limit of memory, and checks their hashes on the way.
#pragma once

#include <gallery/byte_gate.hpp>
#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/image_store.hpp>
#include <gallery/task.hpp>

#include <boost/asio/thread_pool.hpp>

#include <cstdint>

namespace gallery::mirror {

/// The bytes of a version, and their share of the memory.
struct loaded_bodies {
    byte_gate::lease memory;
    bytes original;
    bytes preview;  ///< empty if the preview is the original
};

/// Of both bodies of a version, as they are stored.
std::uint64_t bytes_of(const image_record& record) noexcept;

class body_reader {
public:
    /// @p memory: of bodies that are read at the same time; a version that is larger is read alone.
    explicit body_reader(std::uint64_t memory);
    body_reader(const body_reader&) = delete;
    body_reader& operator=(const body_reader&) = delete;
    /// No coroutine of it may be running.
    ~body_reader();

    /// Waits for memory, and reads and hashes both bodies in threads of its own. Thread: that of the copier.
    /// Errors: stale, corrupt for bytes that differ from the record, those of the store.
    task<result<loaded_bodies>> load(image_store& store, record_ptr record);

private:
    task<result<bytes>> load_one(image_store& store, record_ptr record, representation which);

    byte_gate gate_;
    asio::thread_pool pool_{2};
};

}  // namespace gallery::mirror
