// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/svgz.hpp"

#include "imaging/sniff.hpp"
#include "imaging/worker/svg.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gallery::imaging::worker {
namespace {

enum class inflated { wholly, too_large, cut_off, wrong };

// One gzip file; what comes behind it does not count.
inflated inflate_into(std::string_view data, std::size_t most, std::string& out) {
    constexpr int gzip = 16 + MAX_WBITS;
    z_stream z{};
    if (::inflateInit2(&z, gzip) != Z_OK) return inflated::wrong;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    z.avail_in = static_cast<uInt>(std::min<std::size_t>(data.size(), 1u << 30));
    std::array<char, 65536> part{};
    int done = Z_OK;
    while (done == Z_OK && out.size() <= most) {
        z.next_out = reinterpret_cast<Bytef*>(part.data());
        z.avail_out = part.size();
        done = ::inflate(&z, Z_NO_FLUSH);
        out.append(part.data(), part.size() - z.avail_out);
    }
    ::inflateEnd(&z);
    if (out.size() > most) return inflated::too_large;
    if (done == Z_STREAM_END) return inflated::wholly;
    return done == Z_BUF_ERROR ? inflated::cut_off : inflated::wrong;
}

}  // namespace

bool is_gzip(std::string_view data) noexcept {
    return data.starts_with("\x1f\x8b");
}

checked<decoded> inspect_svgz(std::string_view data, const limits& bounds) {
    std::string document;
    const auto how = inflate_into(data, bounds.max_svg_bytes, document);
    const auto kind = sniff(document).kind;
    if (kind != format::svg) return refusal{protocol::outcome::not_an_image, not_an_image_text(sniff(data))};
    if (how == inflated::too_large) {
        return refusal{protocol::outcome::too_large, "The SVG image is more than " +
                                                         with_commas(bounds.max_svg_bytes) +
                                                         " bytes long when decompressed, which is the limit "
                                                         "(IMAGE_MAX_SVG_SIZE)."};
    }
    if (how == inflated::cut_off) return damaged(kind, "its compressed data ends too early");
    if (how == inflated::wrong) return damaged(kind, "its compressed data is invalid");
    auto out = inspect_svg(document, bounds);
    if (out) out->document = std::move(document);
    return out;
}

}  // namespace gallery::imaging::worker
