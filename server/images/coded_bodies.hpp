// SPDX-License-Identifier: Apache-2.0
/// Compressed forms of SVG images, created once and kept.
#pragma once

#include "coding/content_coding.hpp"

#include <gallery/bytes.hpp>
#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/sha256.hpp>
#include <gallery/task.hpp>

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace gallery::images {

struct coded_body {
    bytes data;            ///< empty where compressing does not make it smaller: send it as it is
    sha256_digest etag{};  ///< of the compressed bytes
};

/// Keeps a limited number of bytes of compressed bodies, the most recently used ones. Thread-safe.
class coded_bodies {
public:
    /// Compression runs on @p pool, which must outlive this object and its work in progress.
    coded_bodies(asio::thread_pool& pool, std::size_t max_bytes);
    ~coded_bodies();

    using load = std::function<task<result<body>>()>;

    /// The coded form of the bytes with the hash @p etag, which belong to @p owner. @p fetch is called if it
    /// is not known yet. Other callers wait while it is created, and share a failure. Few are created at a
    /// time, and few wait for that; the owners take turns. Errors: those of @p fetch; io_error;
    /// too_many_requests and busy where too many wait (is_crowded()), so that the bytes are sent as they are;
    /// unavailable for those who wait after stop().
    task<result<coded_body>> get(tenant_id owner, sha256_digest etag, content_coding coding, load fetch);
    /// Whether get() failed only because others are compressing.
    static bool is_crowded(const error& why) noexcept {
        return why.code == errc::busy || why.code == errc::too_many_requests;
    }

    /// Answers those who wait for a form that another caller creates. Called before the I/O contexts of those
    /// who wait are destroyed. From any thread.
    void stop();

    [[nodiscard]] std::size_t memory() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::images
