// SPDX-License-Identifier: Apache-2.0
/// The folded texts of the entries of one page, one after the other, for substring searches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gallery::kit {

/// Up to 64 texts without NUL, each ended by a NUL, so a search reads them all at the speed of memory. The
/// number of NULs before a match is the slot of its text, so nothing is stored besides the texts. Setting a
/// text moves those behind it. Not thread-safe.
class folded_texts {
public:
    static constexpr unsigned slots = 64;

    /// Precondition: @p slot < slots. An empty text is the same as none.
    void set(unsigned slot, std::string_view text) {
        if (slot >= count_) {
            all_.append(slot - count_, '\0');
            all_.append(text);
            all_.push_back('\0');
            count_ = slot + 1;
            if (count_ == slots) all_.shrink_to_fit();
            return;
        }
        std::size_t begin = 0;
        for (; slot > 0; --slot)
            begin = all_.find('\0', begin) + 1;
        all_.replace(begin, all_.find('\0', begin) - begin, text);
        if (all_.capacity() > all_.size() + all_.size() / 4) all_.shrink_to_fit();
    }

    /// One bit for each text that contains @p part, which is not empty.
    [[nodiscard]] std::uint64_t find(std::string_view part) const {
        std::uint64_t found = 0;
        if (part.find('\0') != std::string_view::npos) return found;
        const char* at = all_.data();
        const char* const end = at + all_.size();
        for (unsigned slot = 0; at < end; ++slot) {
            const auto* hit = static_cast<const char*>(
                ::memmem(at, static_cast<std::size_t>(end - at), part.data(), part.size()));
            if (hit == nullptr) break;
            const char* next = at;
            for (;; ++slot) {
                next =
                    static_cast<const char*>(std::memchr(at, '\0', static_cast<std::size_t>(end - at))) + 1;
                if (next > hit) break;
                at = next;
            }
            found |= std::uint64_t{1} << slot;
            at = next;
        }
        return found;
    }

private:
    std::string all_;
    unsigned count_ = 0;  ///< slots that all_ reaches
};

}  // namespace gallery::kit
