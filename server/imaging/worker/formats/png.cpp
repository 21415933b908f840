// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/png.hpp"

#include "imaging/worker/formats/reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace gallery::imaging::worker {
namespace {

using namespace std::string_view_literals;

constexpr auto signature = "\x89PNG\r\n\x1a\n"sv;
constexpr unsigned palette_colours = 3;

// Bit depths that each colour type allows, as a bit set (table 11.1).
bool depth_allowed(unsigned colour_type, unsigned depth) noexcept {
    switch (colour_type) {
        case 0:
            return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
        case 3:
            return depth == 1 || depth == 2 || depth == 4 || depth == 8;
        case 2:
        case 4:
        case 6:
            return depth == 8 || depth == 16;
        default:
            return false;
    }
}

std::uint32_t crc(std::string_view data) noexcept {
    return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::optional<refusal> read_ihdr(reader& in, std::size_t at, std::uint32_t length, png_layout& l) {
    if (length != 13)
        return damaged(format::png, "its IHDR chunk is " + std::to_string(length) + " bytes long, not 13");
    auto& h = l.head;
    h.width = in.be32(at);
    h.height = in.be32(at + 4);
    l.depth = in.u8(at + 8);
    l.colour_type = in.u8(at + 9);
    if (l.colour_type != 0 && l.colour_type != 2 && l.colour_type != 3 && l.colour_type != 4 &&
        l.colour_type != 6) {
        return damaged(format::png, "colour type " + std::to_string(l.colour_type) + " does not exist");
    }
    if (!depth_allowed(l.colour_type, l.depth)) {
        return damaged(format::png, "bit depth " + std::to_string(l.depth) +
                                        " is not possible with colour type " + std::to_string(l.colour_type));
    }
    if (in.u8(at + 10) != 0 || in.u8(at + 11) != 0 || in.u8(at + 12) > 1) {
        return damaged(format::png, "it has an unknown compression, filter or interlace method");
    }
    l.interlaced = in.u8(at + 12) == 1;
    if (h.width > 0x7fffffff || h.height > 0x7fffffff)
        return damaged(format::png, "its size is out of range");
    return std::nullopt;
}

void read_palette(reader& in, std::size_t at, std::uint32_t length, png_layout& l) {
    for (std::uint32_t i = 0; i < 256 && 3 * i + 2 < length; ++i) {
        for (unsigned c = 0; c < 3; ++c)
            l.palette[i][c] = in.u8(at + 3 * i + c);
    }
}

void read_transparency(reader& in, std::size_t at, std::uint32_t length, png_layout& l) {
    const auto be16 = [&in](std::size_t where) {
        return static_cast<std::uint16_t>(in.u8(where) << 8 | in.u8(where + 1));
    };
    if (l.colour_type == palette_colours) {
        for (std::uint32_t i = 0; i < std::min<std::uint32_t>(length, 256); ++i)
            l.palette[i][3] = in.u8(at + i);
        l.transparency = length > 0;
    } else if (l.colour_type == 0 && length >= 2) {
        l.transparent[0] = be16(at);
        l.transparency = true;
    } else if (l.colour_type == 2 && length >= 6) {
        for (unsigned c = 0; c < 3; ++c)
            l.transparent[c] = be16(at + 2 * c);
        l.transparency = true;
    }
}

unsigned samples(const png_layout& l) noexcept {
    constexpr std::array<unsigned, 7> of_type{1, 0, 3, 1, 2, 0, 4};
    return of_type[l.colour_type];
}

std::size_t packed_row(const png_layout& l, std::uint32_t width) noexcept {
    return (std::size_t{width} * samples(l) * l.depth + 7) / 8;
}

std::uint8_t paeth(int left, int up, int corner) noexcept {
    const int to_left = std::abs(up - corner);
    const int to_up = std::abs(left - corner);
    const int to_corner = std::abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner) return static_cast<std::uint8_t>(left);
    return static_cast<std::uint8_t>(to_up <= to_corner ? up : corner);
}

// Section 9. @p step is the distance to the pixel on the left, in bytes.
template <std::size_t step>
void unfilter_by(unsigned kind, std::uint8_t* row, const std::uint8_t* above, std::size_t size) noexcept {
    const auto head = std::min(step, size);
    switch (kind) {
        case 1:
            for (std::size_t i = step; i < size; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + row[i - step]);
            break;
        case 2:
            for (std::size_t i = 0; i < size; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
            break;
        case 3:
            for (std::size_t i = 0; i < head; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + above[i] / 2);
            for (std::size_t i = step; i < size; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + (row[i - step] + above[i]) / 2);
            break;
        case 4:
            for (std::size_t i = 0; i < head; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
            for (std::size_t i = step; i < size; ++i)
                row[i] = static_cast<std::uint8_t>(row[i] + paeth(row[i - step], above[i], above[i - step]));
            break;
        default:
            break;
    }
}

void unfilter(unsigned kind, std::size_t step, std::uint8_t* row, const std::uint8_t* above,
              std::size_t size) noexcept {
    switch (step) {
        case 1:
            return unfilter_by<1>(kind, row, above, size);
        case 2:
            return unfilter_by<2>(kind, row, above, size);
        case 3:
            return unfilter_by<3>(kind, row, above, size);
        case 4:
            return unfilter_by<4>(kind, row, above, size);
        case 6:
            return unfilter_by<6>(kind, row, above, size);
        default:
            return unfilter_by<8>(kind, row, above, size);
    }
}

// A row as the file has it into samples of eight bits, with opacity where the picture has any.
void unpack(const png_layout& l, std::uint32_t width, const std::uint8_t* in, std::uint8_t* out) noexcept {
    const unsigned n = samples(l);
    if (l.depth == 8 && l.colour_type != palette_colours && !l.transparency) {
        std::copy_n(in, std::size_t{width} * n, out);
        return;
    }
    if (l.depth == 16) {
        for (std::uint32_t x = 0; x < width; ++x, in += 2 * n) {
            bool matches = l.transparency;
            for (unsigned c = 0; c < n; ++c) {
                *out++ = in[2 * c];
                matches = matches && (in[2 * c] << 8 | in[2 * c + 1]) == l.transparent[c % 3];
            }
            if (l.transparency) *out++ = matches ? 0 : 255;
        }
        return;
    }
    if (l.depth == 8 && l.colour_type != palette_colours) {
        for (std::uint32_t x = 0; x < width; ++x, in += n) {
            bool matches = true;
            for (unsigned c = 0; c < n; ++c) {
                *out++ = in[c];
                matches = matches && in[c] == l.transparent[c];
            }
            *out++ = matches ? 0 : 255;
        }
        return;
    }
    const unsigned highest = (1u << l.depth) - 1;
    for (std::uint32_t x = 0; x < width; ++x) {
        const auto shift = 8 - l.depth - x * l.depth % 8;
        const auto value = in[std::size_t{x} * l.depth / 8] >> shift & highest;
        if (l.colour_type == palette_colours) {
            const auto& colour = l.palette[value];
            out = std::copy_n(colour.begin(), l.transparency ? 4 : 3, out);
        } else {
            *out++ = static_cast<std::uint8_t>(value * (255 / highest));
            if (l.transparency) *out++ = value == l.transparent[0] ? 0 : 255;
        }
    }
}

// The zlib stream that the IDAT chunks are together.
class pixel_stream {
public:
    enum class state { ok, ended, wrong };

    explicit pixel_stream(const png_layout& l) : chunks_(l.data) { good_ = ::inflateInit(&z_) == Z_OK; }
    pixel_stream(const pixel_stream&) = delete;
    pixel_stream& operator=(const pixel_stream&) = delete;
    ~pixel_stream() { ::inflateEnd(&z_); }

    // Exactly @p size bytes, or why not.
    state read(std::uint8_t* out, std::size_t size) {
        while (size > 0) {
            const auto part = static_cast<uInt>(std::min<std::size_t>(size, 1u << 30));
            z_.next_out = out;
            z_.avail_out = part;
            if (const auto s = step(); s != state::ok && z_.avail_out == part) return s;
            out += part - z_.avail_out;
            size -= part - z_.avail_out;
        }
        return state::ok;
    }

    // Behind the last row: whether what is left of the stream, its check sum included, contradicts it.
    bool tail_is_wrong() {
        std::array<std::uint8_t, 4096> rest{};
        for (int i = 0; i < 16; ++i) {  // some writers leave a few bytes too many
            z_.next_out = rest.data();
            z_.avail_out = rest.size();
            const auto s = step();
            if (s != state::ok) return s == state::wrong;
        }
        return false;
    }

private:
    state step() {
        if (!good_) return state::wrong;
        if (finished_) return state::ended;
        for (;;) {
            while (z_.avail_in == 0 && next_ < chunks_.size()) {
                const auto chunk = chunks_[next_++];
                z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
                z_.avail_in = static_cast<uInt>(chunk.size());
            }
            const auto before = z_.avail_out;
            const int done = ::inflate(&z_, Z_NO_FLUSH);
            if (done == Z_STREAM_END) finished_ = true;
            if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR) {
                good_ = false;
                return state::wrong;
            }
            if (finished_) return z_.avail_out < before ? state::ok : state::ended;
            if (z_.avail_out < before) return state::ok;
            if (z_.avail_in == 0 && next_ == chunks_.size()) return state::ended;
        }
    }

    z_stream z_{};
    const std::vector<std::string_view>& chunks_;
    std::size_t next_ = 0;
    bool good_ = false;
    bool finished_ = false;
};

// Reads rows of one width, each filtered against the one before.
class row_reader {
public:
    row_reader(const png_layout& l, pixel_stream& from, std::uint32_t width)
        : from_(from),
          step_(std::max<std::size_t>(1, samples(l) * l.depth / 8)),
          size_(packed_row(l, width)),
          row_(size_ + 1),
          above_(size_ + 1) {}

    pixel_stream::state next() {
        std::swap(row_, above_);
        if (const auto s = from_.read(row_.data(), size_ + 1); s != pixel_stream::state::ok) return s;
        if (row_[0] > 4) return pixel_stream::state::wrong;
        unfilter(row_[0], step_, row_.data() + 1, above_.data() + 1, size_);
        return pixel_stream::state::ok;
    }
    [[nodiscard]] const std::uint8_t* row() const noexcept { return row_.data() + 1; }

private:
    pixel_stream& from_;
    std::size_t step_;
    std::size_t size_;
    std::vector<std::uint8_t> row_;  // begins with the kind of its filter
    std::vector<std::uint8_t> above_;
};

refusal stopped(pixel_stream::state why, std::uint64_t there, std::uint64_t all, const std::string& what) {
    const auto count = with_commas(there) + " of " + with_commas(all) + " " + what;
    return damaged(format::png, why == pixel_stream::state::ended ? "only " + count + " are present"
                                                                  : "its pixels are invalid after " + count);
}

struct adam7_pass {
    std::uint32_t x, y, dx, dy;

    [[nodiscard]] std::uint32_t columns(const header& h) const noexcept {
        return h.width > x ? (h.width - x + dx - 1) / dx : 0;
    }
    [[nodiscard]] std::uint32_t rows(const header& h) const noexcept {
        return h.height > y ? (h.height - y + dy - 1) / dy : 0;
    }
};
constexpr std::array<adam7_pass, 7> adam7{adam7_pass{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                          {0, 2, 2, 4},           {1, 0, 2, 2}, {0, 1, 1, 2}};

// Section 8: seven pictures, one after the other, whose pixels lie between each other's. The whole picture is
// in memory, because its first row is complete only with the last but one of them.
std::optional<refusal> decode_interlaced(const png_layout& l, pixel_stream& from, const row_sink& sink) {
    const auto bands = png_shape(l).bands;
    const auto& h = l.head;
    const std::size_t stride = std::size_t{h.width} * bands;
    std::vector<std::uint8_t> picture(stride * h.height);
    std::vector<std::uint8_t> line(stride);
    std::uint64_t all = 0;
    for (const auto& pass : adam7)
        all += pass.columns(h) > 0 ? pass.rows(h) : 0;
    std::uint64_t there = 0;
    for (const auto& pass : adam7) {
        const auto columns = pass.columns(h);
        if (columns == 0) continue;
        row_reader rows(l, from, columns);
        for (std::uint32_t n = 0; n < pass.rows(h); ++n, ++there) {
            if (const auto s = rows.next(); s != pixel_stream::state::ok)
                return stopped(s, there, all, "interlaced rows");
            unpack(l, columns, rows.row(), line.data());
            auto* out =
                picture.data() + (pass.y + std::size_t{n} * pass.dy) * stride + std::size_t{pass.x} * bands;
            for (std::uint32_t x = 0; x < columns; ++x, out += std::size_t{pass.dx} * bands)
                std::copy_n(line.data() + std::size_t{x} * bands, bands, out);
        }
    }
    for (std::uint32_t y = 0; y < h.height; ++y)
        sink(std::span(picture).subspan(y * stride, stride));
    return std::nullopt;
}

}  // namespace

checked<png_layout> read_png(std::string_view data) {
    if (!data.starts_with(signature)) return damaged(format::png, "its signature is wrong");
    reader in(data);
    png_layout l;
    for (auto& colour : l.palette)
        colour = {0, 0, 0, 255};
    auto& h = l.head;
    bool first = true;
    bool palette = false;
    for (std::size_t at = signature.size();;) {
        const bool may_end = !l.data.empty();
        if (!in.has(at, 8)) {
            if (may_end) break;
            return damaged(format::png, first ? "it ends within its header" : "it ends before its first row");
        }
        const auto length = in.be32(at);
        const auto type = data.substr(at + 4, 4);
        if (length > 0x7fffffff || !in.has(at + 8, std::size_t{length} + 4)) {
            const auto there = data.substr(at + 8, length);
            if (first) return damaged(format::png, "it ends within its header");
            if (type == "IDAT"sv) l.data.push_back(there);
            if (!l.data.empty()) break;
            return damaged(format::png, "it ends before its first row");
        }
        const bool critical = (type[0] & 0x20) == 0;
        if (critical && in.be32(at + 8 + length) != crc(data.substr(at + 4, std::size_t{length} + 4))) {
            for (const char c : type) {
                if (c < 'A' || c > 'z') return damaged(format::png, "it contains data that is not a chunk");
            }
            return damaged(format::png, "its " + std::string(type) + " chunk has a wrong checksum");
        }
        if (first != (type == "IHDR"sv))
            return damaged(format::png, "its first chunk is not IHDR, or IHDR is repeated");
        if (first) {
            if (auto wrong = read_ihdr(in, at + 8, length, l)) return std::move(*wrong);
        } else if (type == "IDAT"sv) {
            l.data.push_back(data.substr(at + 8, length));
        } else if (type == "PLTE"sv && l.data.empty()) {
            if (length == 0 || length % 3 != 0 || length > 768)
                return damaged(format::png,
                               "its palette cannot be " + std::to_string(length) + " bytes long");
            read_palette(in, at + 8, length, l);
            palette = true;
        } else if (type == "tRNS"sv && l.data.empty()) {
            read_transparency(in, at + 8, length, l);
        } else if (type == "acTL"sv && length >= 4) {
            h.frames = std::max<std::uint32_t>(1, in.be32(at + 8));
        } else if (type == "IEND"sv) {
            break;
        }
        first = false;
        at += 12 + std::size_t{length};
    }
    if (l.data.empty()) return damaged(format::png, "it has no IDAT chunk, and therefore no pixels");
    if (l.colour_type == palette_colours && !palette) return damaged(format::png, "it has no palette");
    h.frame_pixels = std::uint64_t{h.width} * h.height;
    // Frame counts near 2^32 times a large canvas would overflow; the frame limit refuses them anyway.
    h.pixels = h.frames > 1'000'000 ? UINT64_MAX : h.frame_pixels * h.frames;
    return l;
}

pixel_shape png_shape(const png_layout& l) noexcept {
    const bool alpha = l.transparency || l.colour_type == 4 || l.colour_type == 6;
    const bool grey = l.colour_type == 0 || l.colour_type == 4;
    return {l.head.width, l.head.height, (grey ? 1u : 3u) + (alpha ? 1u : 0u), alpha, false};
}

std::optional<refusal> decode_png(const png_layout& l, const row_sink& sink) {
    pixel_stream from(l);
    if (l.interlaced) {
        if (auto wrong = decode_interlaced(l, from, sink)) return wrong;
    } else {
        const auto shape = png_shape(l);
        std::vector<std::uint8_t> line(std::size_t{shape.width} * shape.bands);
        row_reader rows(l, from, shape.width);
        for (std::uint32_t y = 0; y < shape.height; ++y) {
            if (const auto s = rows.next(); s != pixel_stream::state::ok)
                return stopped(s, y, shape.height, "rows");
            unpack(l, shape.width, rows.row(), line.data());
            sink(line);
        }
    }
    if (from.tail_is_wrong()) return damaged(format::png, "the checksum of its pixels is wrong");
    return std::nullopt;
}

}  // namespace gallery::imaging::worker
