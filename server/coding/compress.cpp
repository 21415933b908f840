// SPDX-License-Identifier: Apache-2.0
#include "coding/compress.hpp"

#include <brotli/encode.h>
#include <zlib.h>

#include <cstddef>
#include <limits>

namespace gallery {

namespace {

bool to_brotli(std::string_view data, int quality, std::string& out) {
    std::size_t size = BrotliEncoderMaxCompressedSize(data.size());
    out.resize(size);
    const auto done = BrotliEncoderCompress(quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, data.size(),
                                            reinterpret_cast<const std::uint8_t*>(data.data()), &size,
                                            reinterpret_cast<std::uint8_t*>(out.data()));
    out.resize(size);
    return done == BROTLI_TRUE;
}

bool to_gzip(std::string_view data, int level, std::string& out) {
    // zlib counts in 32 bits.
    if (data.size() > std::numeric_limits<uInt>::max() / 2) return false;
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    if (::deflateInit2(&stream, level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
    out.resize(::deflateBound(&stream, data.size()));
    // zlib does not write to its input; its interface is older than const.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const bool is_whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return is_whole;
}

}  // namespace

std::optional<std::string> compress(std::string_view data, content_coding coding, effort how) {
    const int level = how == effort::once ? 9 : 7;
    std::string out;
    const bool done = coding == content_coding::brotli
                          ? to_brotli(data, level, out)
                          : coding == content_coding::gzip && to_gzip(data, level, out);
    if (!done || out.size() >= data.size()) return std::nullopt;
    out.shrink_to_fit();
    return out;
}

}  // namespace gallery
