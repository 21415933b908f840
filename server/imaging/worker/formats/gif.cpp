// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/gif.hpp"

#include "imaging/worker/formats/reader.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace gallery::imaging::worker {
namespace {

std::size_t colour_table_size(std::uint8_t flags) noexcept {
    return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

// Moves behind a chain of sub-blocks, which ends with an empty one. False where the file ends before.
bool skip_sub_blocks(reader& in, std::size_t& at) noexcept {
    for (;;) {
        const auto length = in.u8(at);
        if (in.failed() || !in.has(at + 1, length)) return false;
        at += 1 + std::size_t{length};
        if (length == 0) return true;
    }
}

void read_colours(reader& in, std::size_t at, std::size_t size, gif_layout& l) {
    l.colours = {};
    for (std::size_t i = 0; 3 * i < size; ++i)
        l.colours[i] = {in.u8(at + 3 * i), in.u8(at + 3 * i + 1), in.u8(at + 3 * i + 2), 255};
    if (size == 0) {  // no table at all: the two colours that every viewer has
        l.colours[0] = {0, 0, 0, 255};
        l.colours[1] = {255, 255, 255, 255};
    }
}

// Codes of 2 to 12 bits, the lowest bit first, out of a chain of sub-blocks.
class code_reader {
public:
    code_reader(std::string_view data, std::size_t at) noexcept : in_(data), at_(at) {}

    // -1 where the data ends.
    int next(unsigned bits) noexcept {
        while (count_ < bits) {
            if (left_ == 0) {
                left_ = in_.u8(at_++);
                if (in_.failed() || left_ == 0) return -1;
            }
            if (!in_.has(at_, 1)) return -1;
            buffer_ |= std::uint32_t{in_.u8(at_++)} << count_;
            count_ += 8;
            --left_;
        }
        const auto code = static_cast<int>(buffer_ & ((1u << bits) - 1));
        buffer_ >>= bits;
        count_ -= bits;
        return code;
    }

private:
    reader in_;
    std::size_t at_;
    unsigned left_ = 0;
    std::uint32_t buffer_ = 0;
    unsigned count_ = 0;
};

enum class lzw_end { data_ended, code_wrong, enough };

// LZW with codes that grow from one bit more than a pixel has to 12 bits (appendix F). Strings of pixels go
// to
// @p put, which says false when it needs no more.
template <class Put>
lzw_end decompress(std::string_view data, std::size_t at, Put put) {
    constexpr unsigned most_bits = 12;
    constexpr int table_size = 1 << most_bits;
    reader in(data);
    const unsigned pixel_bits = in.u8(at);
    if (in.failed()) return lzw_end::data_ended;
    if (pixel_bits < 1 || pixel_bits > 8) return lzw_end::code_wrong;
    code_reader codes(data, at + 1);
    const int clear = 1 << pixel_bits;
    const int end = clear + 1;
    // A string is the string of its prefix and one more pixel.
    std::array<std::uint16_t, table_size> prefix{};
    std::array<std::uint16_t, table_size> length{};
    std::array<std::uint8_t, table_size> last{};
    for (int i = 0; i < clear; ++i) {
        length[i] = 1;
        last[i] = static_cast<std::uint8_t>(i);
    }
    std::array<std::uint8_t, table_size + 1> text{};
    int free = end + 1;
    int before = -1;
    unsigned bits = pixel_bits + 1;
    for (;;) {
        const int code = codes.next(bits);
        if (code < 0 || code == end) return lzw_end::data_ended;
        if (code == clear) {
            free = end + 1;
            bits = pixel_bits + 1;
            before = -1;
            continue;
        }
        // The one code that may be used before it is complete: the string before and its own first pixel.
        const bool incomplete = code == free && before >= 0 && free < table_size;
        if (!incomplete && code >= free) return lzw_end::code_wrong;
        int walk = incomplete ? before : code;
        std::size_t size = length[walk];
        for (std::size_t i = size; i > 0; walk = prefix[walk])
            text[--i] = last[walk];
        if (incomplete) text[size++] = text[0];
        if (before >= 0 && free < table_size) {
            prefix[free] = static_cast<std::uint16_t>(before);
            length[free] = static_cast<std::uint16_t>(length[before] + 1);
            last[free] = text[0];
            ++free;
            if (free == 1 << bits && bits < most_bits) ++bits;
        }
        before = code;
        if (!put(std::span<const std::uint8_t>(text.data(), size))) return lzw_end::enough;
    }
}

// The row of the frame that comes as number @p n, where rows are interlaced (appendix E).
std::uint32_t interlaced_row(std::uint32_t n, std::uint32_t height) noexcept {
    struct pass {
        std::uint32_t first;
        std::uint32_t step;
    };
    for (const auto p : {pass{0, 8}, pass{4, 8}, pass{2, 4}, pass{1, 2}}) {
        const auto rows = height > p.first ? (height - p.first + p.step - 1) / p.step : 0;
        if (n < rows) return p.first + n * p.step;
        n -= rows;
    }
    return height;
}

// Puts indices of the frame on rows of the screen.
class screen {
public:
    screen(const gif_layout& layout, const row_sink& sink)
        : l_(layout),
          sink_(sink),
          columns_(std::min(l_.width, l_.head.width > l_.left ? l_.head.width - l_.left : 0)),
          rows_(std::min(l_.height, l_.head.height > l_.top ? l_.head.height - l_.top : 0)),
          line_(std::size_t{l_.head.width} * 4) {
        if (l_.interlaced && columns_ > 0) kept_.resize(std::size_t{columns_} * rows_);
        if (columns_ == 0) rows_ = 0;
    }

    [[nodiscard]] std::uint32_t visible_rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint32_t rows_done() const noexcept { return done_; }

    // Rows above and below the frame.
    void put_empty(std::uint32_t count) {
        if (count == 0) return;
        std::ranges::fill(line_, std::uint8_t{0});
        for (; count > 0; --count)
            sink_(line_);
    }

    // The next row of the frame, in the order of the file; only its visible columns count. False where no
    // further row is needed.
    bool put_row(std::span<const std::uint8_t> indices) {
        if (!l_.interlaced) {
            draw(indices);
            return ++done_ < rows_;
        }
        const auto y = interlaced_row(seen_++, l_.height);
        if (y < rows_) {
            std::copy_n(indices.begin(), columns_, kept_.begin() + std::ptrdiff_t{y} * columns_);
            ++done_;
        }
        return done_ < rows_ && seen_ < l_.height;
    }

    void finish() {
        for (std::uint32_t y = 0; l_.interlaced && y < rows_; ++y)
            draw(std::span(kept_).subspan(std::size_t{y} * columns_, columns_));
    }

private:
    void draw(std::span<const std::uint8_t> indices) {
        auto* out = line_.data() + std::size_t{l_.left} * 4;
        for (std::uint32_t x = 0; x < columns_; ++x, out += 4) {
            std::array<std::uint8_t, 4> colour{};
            if (indices[x] != l_.transparent) colour = l_.colours[indices[x]];
            std::ranges::copy(colour, out);
        }
        sink_(line_);
    }

    const gif_layout& l_;
    const row_sink& sink_;
    std::uint32_t columns_;
    std::uint32_t rows_;
    std::uint32_t seen_ = 0;
    std::uint32_t done_ = 0;
    std::vector<std::uint8_t> line_;  // transparent outside the frame's columns
    std::vector<std::uint8_t> kept_;  // indices of an interlaced frame
};

}  // namespace

checked<gif_layout> read_gif(std::string_view data) {
    reader in(data);
    gif_layout l;
    auto& h = l.head;
    h.width = in.le16(6);
    h.height = in.le16(8);
    h.frames = 0;
    const auto global_table = colour_table_size(in.u8(10));
    std::size_t at = 13 + global_table;
    if (in.failed() || !in.has(at, 0)) return damaged(format::gif, "it ends within its header");
    int transparent = -1;  // of the next frame
    const auto early = [&h] {
        return damaged(format::gif, h.frames == 0 ? "it ends within its first frame"
                                                  : "it ends within frame " + with_commas(h.frames + 1));
    };
    while (at < data.size()) {
        const auto kind = in.u8(at++);
        if (kind == 0x21) {  // extension
            const auto label = in.u8(at++);
            if (label == 0xf9 && in.u8(at) >= 4) {
                transparent = (in.u8(at + 1) & 1) != 0 ? in.u8(at + 4) : -1;
            }
            if (in.failed() || !skip_sub_blocks(in, at)) return early();
        } else if (kind == 0x2c) {  // image
            const std::uint32_t width = in.le16(at + 4);
            const std::uint32_t height = in.le16(at + 6);
            const auto flags = in.u8(at + 8);
            const auto table = colour_table_size(flags);
            const auto table_at = at + 9;
            at = table_at + table;
            if (in.failed() || !in.has(at, 1)) return early();
            if (h.frames == 0) {
                l.left = in.le16(table_at - 9);
                l.top = in.le16(table_at - 7);
                l.width = width;
                l.height = height;
                l.interlaced = (flags & 0x40) != 0;
                l.transparent = transparent;
                l.data = at;
                if (h.width == 0) h.width = l.left + l.width;
                if (h.height == 0) h.height = l.top + l.height;
                if (table != 0)
                    read_colours(in, table_at, table, l);
                else
                    read_colours(in, 13, global_table, l);
            }
            ++at;
            if (!skip_sub_blocks(in, at)) return early();
            ++h.frames;
            transparent = -1;
            // A frame may be declared larger than the screen and is then what costs.
            const auto own = std::max(std::uint64_t{h.width} * h.height, std::uint64_t{width} * height);
            h.frame_pixels = std::max(h.frame_pixels, own);
            h.pixels += own;
        } else {
            break;  // the trailer, or padding that some programs write
        }
    }
    if (h.frames == 0) return damaged(format::gif, "it has no frame");
    return l;
}

std::optional<refusal> decode_gif(std::string_view data, const gif_layout& l, const row_sink& sink) {
    screen on(l, sink);
    const auto above = std::min(l.top, l.head.height);
    on.put_empty(on.visible_rows() == 0 ? l.head.height : above);
    if (on.visible_rows() == 0) return std::nullopt;
    std::vector<std::uint8_t> row(l.width);
    std::size_t filled = 0;
    const auto ended = decompress(data, l.data, [&](std::span<const std::uint8_t> text) {
        while (!text.empty()) {
            const auto part = std::min(text.size(), row.size() - filled);
            std::copy_n(text.begin(), part, row.begin() + static_cast<std::ptrdiff_t>(filled));
            filled += part;
            text = text.subspan(part);
            if (filled < row.size()) break;
            filled = 0;
            if (!on.put_row(row)) return false;
        }
        return true;
    });
    if (on.rows_done() < on.visible_rows()) {
        const auto there = std::to_string(on.rows_done()) + " of " + std::to_string(on.visible_rows()) +
                           " rows of its first frame";
        return damaged(format::gif, ended == lzw_end::code_wrong
                                        ? "its compressed pixels are invalid after " + there
                                        : "only " + there + " are present");
    }
    on.finish();
    on.put_empty(l.head.height - above - on.visible_rows());
    return std::nullopt;
}

}  // namespace gallery::imaging::worker
