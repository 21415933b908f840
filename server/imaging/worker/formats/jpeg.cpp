// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/jpeg.hpp"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <jpeglib.h>
// Behind jpeglib.h.
#include <jerror.h>

namespace gallery::imaging::worker {
namespace {

constexpr std::array<JOCTET, 2> end_marker{0xff, JPEG_EOI};

// libjpeg leaves a failure by longjmp(), so nothing with a destructor may be made between guarded() and
// there.
class reader {
public:
    explicit reader(std::string_view data) noexcept {
        decoder_.err = ::jpeg_std_error(&errors_);
        errors_.error_exit = [](j_common_ptr c) {
            auto* self = of(c);
            c->err->format_message(c, self->words_.data());
            std::longjmp(self->back_, 1);
        };
        errors_.emit_message = [](j_common_ptr c, int level) { of(c)->on_message(level); };
        errors_.output_message = [](j_common_ptr) {};
        decoder_.client_data = this;
        source_.next_input_byte = reinterpret_cast<const JOCTET*>(data.data());
        source_.bytes_in_buffer = data.size();
        source_.init_source = [](j_decompress_ptr) {};
        source_.term_source = [](j_decompress_ptr) {};
        source_.resync_to_restart = ::jpeg_resync_to_restart;
        source_.fill_input_buffer = [](j_decompress_ptr d) -> boolean {
            of(reinterpret_cast<j_common_ptr>(d))->on_end();
            d->src->next_input_byte = end_marker.data();
            d->src->bytes_in_buffer = end_marker.size();
            return TRUE;
        };
        source_.skip_input_data = [](j_decompress_ptr d, long count) {
            if (count <= 0) return;
            const auto wanted = static_cast<std::size_t>(count);
            if (wanted > d->src->bytes_in_buffer) {
                d->src->fill_input_buffer(d);
                return;
            }
            d->src->next_input_byte += wanted;
            d->src->bytes_in_buffer -= wanted;
        };
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader() { ::jpeg_destroy_decompress(&decoder_); }

    // False if libjpeg failed; words() then contains the reason.
    template <class Work>
    bool guarded(Work work) {
        if (setjmp(back_) != 0) return false;
        work(decoder_);
        return true;
    }
    void open() {
        ::jpeg_create_decompress(&decoder_);
        decoder_.src = &source_;
        ::jpeg_read_header(&decoder_, TRUE);
    }
    [[nodiscard]] const char* words() const noexcept { return words_.data(); }
    /// The compressed data ended before the last pixel.
    [[nodiscard]] bool ended_early() const noexcept { return ended_early_; }
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }
    /// Where it did, in full-size rows of the scan.
    [[nodiscard]] std::uint32_t rows_there() const noexcept { return rows_there_; }
    [[nodiscard]] int scan() const noexcept { return scan_; }

private:
    static reader* of(j_common_ptr c) noexcept { return static_cast<reader*>(c->client_data); }

    // Level -1 is a warning, others are traces. JWRN_HIT_MARKER says that a scan has fewer bits than pixels.
    // In the middle of a file that is damage which restart markers heal; at its end the rows are missing.
    void on_message(int level) noexcept {
        if (level >= 0) return;
        ++errors_.num_warnings;
        if (errors_.msg_code != JWRN_HIT_MARKER) return;
        if (at_end_ || decoder_.unread_marker == JPEG_EOI) rows_end_here();
    }

    // Bits of arithmetic coding that are not there are zeros, by its definition, and no warning comes: what
    // counts is the row that was being decoded when the file ended.
    void on_end() noexcept {
        if (!at_end_ && decoder_.arith_code != FALSE &&
            decoder_.input_iMCU_row + 1 < decoder_.total_iMCU_rows)
            rows_end_here();
        at_end_ = true;
    }

    void rows_end_here() noexcept {
        if (ended_early_) return;
        ended_early_ = true;
        scan_ = decoder_.input_scan_number;
        const auto rows_at_once = static_cast<std::uint32_t>(decoder_.max_v_samp_factor) * DCTSIZE;
        rows_there_ = decoder_.input_iMCU_row * rows_at_once;
    }

    jpeg_decompress_struct decoder_{};
    jpeg_error_mgr errors_{};
    jpeg_source_mgr source_{};
    std::jmp_buf back_{};
    std::array<char, JMSG_LENGTH_MAX> words_{};
    bool at_end_ = false;
    bool ended_early_ = false;
    std::uint32_t rows_there_ = 0;
    int scan_ = 0;
};

refusal gave_up(const reader& from) {
    std::string text = "libjpeg reports \"";
    for (const char* c = from.words(); *c != '\0'; ++c)
        text.push_back(*c >= ' ' && *c < 0x7f ? *c : ' ');
    return damaged(format::jpeg, text + "\"");
}

// Whether a progressive file holds every bit of every coefficient: its scans each add some.
bool complete(const jpeg_decompress_struct& d) noexcept {
    if (d.coef_bits == nullptr) return true;
    for (int c = 0; c < d.num_components; ++c) {
        for (int k = 0; k < DCTSIZE2; ++k) {
            if (d.coef_bits[c][k] != 0) return false;
        }
    }
    return true;
}

}  // namespace

std::optional<refusal> decode_jpeg(std::string_view data, unsigned shrink,
                                   const std::function<row_sink(const pixel_shape&)>& begin) {
    const auto from = std::make_unique<reader>(data);
    if (!from->guarded([&from, shrink](jpeg_decompress_struct& d) {
            from->open();
            d.scale_num = 1;
            d.scale_denom = shrink;
            if (d.jpeg_color_space == JCS_CMYK || d.jpeg_color_space == JCS_YCCK)
                d.out_color_space = JCS_CMYK;
            else if (d.num_components >= 3)
                d.out_color_space = JCS_RGB;
            else
                d.out_color_space = JCS_GRAYSCALE;
            ::jpeg_start_decompress(&d);
        })) {
        return gave_up(*from);
    }
    pixel_shape shape;
    bool inverted = false;
    std::uint32_t height = 0;
    from->guarded([&](jpeg_decompress_struct& d) {
        shape = {d.output_width, d.output_height, static_cast<unsigned>(d.output_components), false,
                 d.out_color_space == JCS_CMYK};
        // Adobe writes the absence of ink.
        inverted = shape.cmyk && d.saw_Adobe_marker != FALSE;
        height = d.image_height;
    });
    const auto sink = begin(shape);
    std::vector<std::uint8_t> row(std::size_t{shape.width} * shape.bands);
    for (std::uint32_t y = 0; y < shape.height; ++y) {
        if (!from->guarded([&row](jpeg_decompress_struct& d) {
                JSAMPROW out = row.data();
                ::jpeg_read_scanlines(&d, &out, 1);
            })) {
            return gave_up(*from);
        }
        if (from->ended_early()) break;
        if (inverted) {
            for (auto& sample : row)
                sample = static_cast<std::uint8_t>(255 - sample);
        }
        sink(row);
    }
    bool all_bits = true;
    bool progressive = false;
    from->guarded([&](jpeg_decompress_struct& d) {
        progressive = d.progressive_mode != FALSE;
        all_bits = complete(d);
    });
    if (from->ended_early()) {
        const auto there = "about " + with_commas(std::min(from->rows_there(), height)) + " of " +
                           with_commas(height) + " rows";
        return damaged(format::jpeg, progressive ? "it ends within scan " + std::to_string(from->scan()) +
                                                       ", of which only " + there + " are present"
                                                 : "only " + there + " are present");
    }
    if (from->at_end() && !all_bits) return damaged(format::jpeg, "it ends before its last scan");
    return std::nullopt;
}

}  // namespace gallery::imaging::worker
