// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/svgz.hpp"

#include "imaging/inflate.hpp"
#include "imaging/sniff.hpp"
#include "imaging/worker/svg.hpp"

#include <utility>

namespace gallery::imaging::worker {

checked<decoded> inspect_svgz(std::string_view data, const limits& bounds) {
    std::string document;
    const auto how = inflate_gzip(data, bounds.max_svg_bytes, document);
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
