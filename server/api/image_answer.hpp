// SPDX-License-Identifier: Apache-2.0
/// What is sent for a request for an image's bytes: one decision, whatever the record and the bytes come from
/// (the etag cache, the memory of the storage, its disk).
///
/// A plan is made from what is known of the image. It states either what has to be obtained before the answer
/// is complete, or that the answer is complete. The caller obtains that, if it can, and plans again.
/// So a request costs one look at each of the etag cache, the record and the bytes, and a 304 costs only the
/// first.
#pragma once

#include "cache/etag_cache.hpp"
#include "coding/content_coding.hpp"
#include "http/content_coding.hpp"
#include "http/cross_origin.hpp"
#include "http/range.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "images/coded_bodies.hpp"
#include "images/permissions.hpp"

#include <gallery/model.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::api {

/// For how long browsers may use an image without asking (CACHE_SPECS_IMAGE_*_BROWSER_TTL); 0 = always ask.
struct browser_ttl {
    std::chrono::minutes system{0};
    std::chrono::minutes tenant{0};
};

/// The bytes that a request names. A view: the strings and the permit live longer.
struct image_request {
    representation which = representation::original;
    /// Proof that the sender may view the images of the tenant. Null for a public link, which needs none.
    const images::image_view_permit* may = nullptr;
    std::string_view name;  ///< the key, or the public key of a public link

    [[nodiscard]] bool is_public_link() const noexcept { return may == nullptr; }
    [[nodiscard]] cache::etag_key etag_key(content_coding coding = content_coding::identity) const noexcept;
};

/// What is known of the image. Views, valid during the call.
struct known_image {
    const cache::etag_entry* cached = nullptr;  ///< of the representation that this client is sent
    const image_record* record = nullptr;       ///< current; wins over `cached`
    const images::coded_body* coded = nullptr;  ///< the bytes in image_plan::coding
};

struct image_plan {
    enum class needs : std::uint8_t {
        nothing,     ///< the answer is complete
        record,      ///< nothing is known that allows an answer
        coded_body,  ///< the record's bytes in `coding`
        content,     ///< all but the content is there: the `range` of the record's bytes
    };
    needs next = needs::record;
    content_coding coding = content_coding::identity;
    http::byte_range range;
};

/// Immutable; used by all I/O threads.
class image_answers {
public:
    explicit image_answers(browser_ttl ttl, const http::cross_origin& pages = {});

    /// Decides, and writes the answer into the empty @p out; leaves it empty with needs::record and
    /// coded_body. Precondition: the sender may see the image.
    image_plan plan(const http::request& message, const image_request& asked, const known_image& known,
                    http::response& out) const;

    /// The entry of the representation that @p message would be sent, without which there is no cached
    /// answer.
    static std::optional<cache::etag_entry> cached(cache::etag_cache& etags, const http::request& message,
                                                   const image_request& asked);

    /// Notes the etags of a record that was found after @p ticket was taken. @p coded as in known_image.
    static void remember(cache::etag_cache& etags, cache::etag_cache::ticket ticket,
                         const image_request& asked, const known_image& known, content_coding coding,
                         cache::etag_cache::time_point now);

private:
    std::string cache_lines_[2][2];  // [of the system][by public link]
};

}  // namespace gallery::api
