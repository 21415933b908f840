// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/formats/refusal.hpp"

namespace gallery::imaging::worker {
namespace {

std::string the_image(format kind) {
    return "The " + std::string(display_name(kind)) + " image";
}

}  // namespace

std::string with_commas(std::uint64_t number) {
    auto text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3;) {
        i -= 3;
        text.insert(i, ",");
    }
    return text;
}

refusal damaged(format kind, const std::string& what) {
    return {protocol::outcome::damaged, the_image(kind) + " is damaged: " + what + "."};
}

std::optional<refusal> over_limit(format kind, const header& h, const limits& bounds) {
    if (h.width == 0 || h.height == 0 || h.frames == 0) return damaged(kind, "it has no pixels");
    const auto refused = [&](const std::string& has, std::uint64_t most, const char* setting) {
        return refusal{protocol::outcome::too_large, the_image(kind) + " has " + has + "; at most " +
                                                         with_commas(most) + " are accepted (" + setting +
                                                         ")."};
    };
    if (h.frames > bounds.max_frames)
        return refused(with_commas(h.frames) + " frames", bounds.max_frames, "IMAGE_MAX_FRAMES");
    const auto size = std::to_string(h.width) + " × " + std::to_string(h.height) + " pixels";
    if (h.frame_pixels > bounds.max_pixels) {
        return refused(
            size + ", " + with_commas(h.frame_pixels) + " in all" + (h.frames > 1 ? " in a frame" : ""),
            bounds.max_pixels, "IMAGE_MAX_PIXELS");
    }
    if (h.pixels > bounds.max_total_pixels) {
        return refused(
            size + " in " + with_commas(h.frames) + " frames, " + with_commas(h.pixels) + " in all",
            bounds.max_total_pixels, "IMAGE_MAX_TOTAL_PIXELS");
    }
    return std::nullopt;
}

}  // namespace gallery::imaging::worker
