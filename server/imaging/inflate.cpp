// SPDX-License-Identifier: Apache-2.0
#include "imaging/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace gallery::imaging {

bool is_gzip(std::string_view data) noexcept {
    return data.starts_with("\x1f\x8b");
}

inflated inflate_gzip(std::string_view data, std::size_t most, std::string& out) {
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

}  // namespace gallery::imaging
