// SPDX-License-Identifier: Apache-2.0
/// GET of an image's bytes: original, preview, public link. The hot path of the server.
#pragma once

#include "api/access.hpp"
#include "cache/etag_cache.hpp"
#include "http/cross_origin.hpp"
#include "http/router.hpp"
#include "http/serve_bytes.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"

#include <chrono>
#include <string>

namespace gallery::api {

/// For how long browsers may use an image without asking (CACHE_SPECS_IMAGE_*_BROWSER_TTL); 0 = always ask.
struct browser_ttl {
    std::chrono::minutes system{0};
    std::chrono::minutes tenant{0};
};

/// Serves bytes with ETags, ranges and codings. All references must outlive it; used by all I/O threads.
class image_bytes {
public:
    image_bytes(images::image_service& gallery, cache::etag_cache& etags, images::coded_bodies& coded,
                verify_credentials verify, browser_ttl ttl, const http::cross_origin& pages = {});

    /// GET /api/images/{type}/{key}, .../preview and /api/images/public/{publicResourceKey}.
    void add_routes(http::router& routes);

private:
    enum class access : bool { authenticated, by_link };
    struct wanted;         // which bytes a request asks for
    struct coding_choice;  // how they are coded for it

    /// Who asks and for whose image; decided before any cache is looked at.
    result<wanted> resolve(http::request& message, representation which, access how) const;
    /// The whole answer, where nothing has to be waited for.
    bool try_at_once(http::request& message, representation which, access how, http::response& out) const;
    /// 304 from the etag cache, without asking the storage.
    bool answer_not_modified(const http::request& message, const wanted& what, http::response& out) const;
    /// Whatever is to be answered, from what the storage has in memory.
    bool answer_from_memory(const http::request& message, const wanted& what, http::response& out) const;
    task<http::response> serve(http::request& message, representation which, access how);
    task<result<http::response>> serve_current(http::request& message, const wanted& what);
    /// All of the answer but its content; says which part of the content it has.
    http::selection prepare(const http::request& message, const wanted& what, const image_record& record,
                            const coding_choice& choice, http::response& out) const;
    [[nodiscard]] const std::string& cache_lines(bool is_system, access how) const noexcept;

    images::image_service& gallery_;
    cache::etag_cache& etags_;
    images::coded_bodies& coded_;
    verify_credentials verify_;
    std::string cache_lines_[2][2];  // [system][by link]
};

}  // namespace gallery::api
