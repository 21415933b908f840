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
    if (h.frames > bounds.max_frames) {
        return refusal{protocol::outcome::too_large, the_image(kind) + " has " + with_commas(h.frames) +
                                                         " frames; at most " +
                                                         with_commas(bounds.max_frames) + " are accepted."};
    }
    if (h.pixels > bounds.max_pixels) {
        auto text = the_image(kind) + " has " + std::to_string(h.width) + " × " + std::to_string(h.height) +
                    " pixels";
        if (h.frames > 1) text += " in " + with_commas(h.frames) + " frames";
        text += ", " + with_commas(h.pixels) + " in all; at most " + with_commas(bounds.max_pixels) +
                " are accepted.";
        return refusal{protocol::outcome::too_large, std::move(text)};
    }
    return std::nullopt;
}

}  // namespace gallery::imaging::worker
