// SPDX-License-Identifier: Apache-2.0
/// Image bytes: stored ahead of their record, read, and kept in memory.
#pragma once

#include "event.hpp"
#include "follower.hpp"
#include "pool.hpp"
#include "write.hpp"

#include <gallery/kit/body_name.hpp>
#include <gallery/kit/byte_gate.hpp>
#include <gallery/kit/byte_lru.hpp>
#include <gallery/kit/lanes.hpp>

#include <memory>
#include <optional>

namespace gallery::postgres {

/// Bytes of more than `small` are stored in a transaction of their own, which does not wait for the standbys:
/// the commit of the record, which comes later in the write-ahead log, covers it. Until then `staged` names
/// them, so that upkeep finds those whose record was never committed.
class body_store {
public:
    body_store(environment& in, pool& connections, mirror& contents, follower& feed);

    static constexpr std::size_t small = 64 * 1024;

    /// The bytes as a write takes them: stored ahead where they are large. Engine's thread.
    task<result<new_bytes>> prepare(bytes original, bytes preview);
    /// Removes what prepare() stored and no write took. Engine's thread; does not wait.
    void discard(const new_bytes& content);

    /// As image_store::read, without its barrier for what is in memory. Engine's thread.
    task<result<body>> read(record_ptr record, representation which);
    /// As image_store::read_aside: from the database. Engine's thread.
    task<result<body>> read_aside(record_ptr record, representation which);
    /// As image_store::check_body. Engine's thread.
    task<result<void>> check(record_ptr record, representation which);
    /// From memory. Any thread.
    [[nodiscard]] std::optional<body> find(const image_record& record, representation which);
    /// Of a version that is not stored any more. Any thread.
    void forget(const image_record& record);

    /// Any thread.
    void set_bound(std::uint64_t bytes) { cache_.set_bound(bytes); }

    using figures = kit::byte_lru<int, int, std::hash<int>>::figures;
    [[nodiscard]] figures statistics() const;
    [[nodiscard]] std::uint64_t waiting() const { return gate_.waiting(); }

private:
    static kit::body_name name_of(const image_record& record, representation which);
    task<result<bytes>> load(const image_record& record, representation which, uuid body);
    /// With the barrier, and within the bytes that may be in flight.
    task<result<bytes>> load_aside(record_ptr record, representation which);
    task<> remove(uuid body);

    environment& in_;
    pool& pool_;
    mirror& mirror_;
    follower& follower_;
    kit::byte_lru<kit::body_name, bytes, kit::body_name_hash> cache_;
    kit::lanes loading_;
    kit::byte_gate gate_;
};

}  // namespace gallery::postgres
