// SPDX-License-Identifier: Apache-2.0
/// The reason why an image is not accepted, and its limits. Shared by the parsers of this folder, which are
/// pure functions over untrusted bytes: they check every offset, allocate no more than the image's size, and
/// take linear time.
#pragma once

#include "imaging/protocol.hpp"
#include "imaging/sniff.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace gallery::imaging::worker {

struct refusal {
    protocol::outcome why = protocol::outcome::damaged;
    std::string text;  ///< one or two sentences for the person who uploaded it
};

[[noreturn]] inline void throw_exception_from_error(const refusal& r, const boost::source_location&) {
    throw std::logic_error(r.text);
}

template <class T>
using checked = boost::system::result<T, refusal>;

struct limits {
    std::uint64_t max_pixels = 0;        ///< of one frame, IMAGE_MAX_PIXELS
    std::uint64_t max_total_pixels = 0;  ///< over all frames, IMAGE_MAX_TOTAL_PIXELS
    std::uint32_t max_frames = 0;        ///< IMAGE_MAX_FRAMES
    std::uint64_t max_svg_bytes = 0;     ///< IMAGE_MAX_SVG_SIZE
};

/// The data of a file's header, before any pixel is decoded.
struct header {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t frames = 1;
    std::uint64_t pixels = 0;        ///< over all frames
    std::uint64_t frame_pixels = 0;  ///< of the largest frame
};

/// "The PNG image is damaged: its IDAT chunk has a wrong checksum."
refusal damaged(format kind, const std::string& what);

/// A refusal where the header is over a limit, which names the number, the limit and its setting, or has no
/// pixels at all.
std::optional<refusal> over_limit(format kind, const header& h, const limits& bounds);

/// 4128062500 as "4,128,062,500".
std::string with_commas(std::uint64_t number);

}  // namespace gallery::imaging::worker
