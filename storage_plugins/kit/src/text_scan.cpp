// SPDX-License-Identifier: Apache-2.0
#include "text_scan.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace gallery::kit {

std::size_t text_scan::add(std::string_view text, void* tag) {
    slots_.push_back({text_.size(), tag});
    text_.append(text);
    text_.push_back('\0');
    return slots_.size() - 1;
}

std::string_view text_scan::text_of(std::size_t index) const {
    const auto begin = slots_[index].offset;
    const auto end = index + 1 < slots_.size() ? slots_[index + 1].offset : text_.size();
    return std::string_view(text_).substr(begin, end - begin - 1);
}

void text_scan::erase(std::size_t index) {
    const auto text = text_of(index);
    std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(slots_[index].offset), text.size(), '\0');
    slots_[index].tag = nullptr;
    dead_bytes_ += text.size() + 1;
}

std::vector<void*> text_scan::find(std::string_view part) const {
    std::vector<void*> found;
    if (part.find('\0') != std::string_view::npos) return found;
    const char* const begin = text_.data();
    const char* const end = begin + text_.size();
    auto next_slot = slots_.begin();
    for (const char* at = begin; at < end;) {
        const auto* hit = static_cast<const char*>(
            ::memmem(at, static_cast<std::size_t>(end - at), part.data(), part.size()));
        if (hit == nullptr) break;
        const auto offset = static_cast<std::size_t>(hit - begin);
        const auto after =
            std::upper_bound(next_slot, slots_.end(), offset,
                             [](std::size_t where, const slot& s) { return where < s.offset; });
        found.push_back(std::prev(after)->tag);
        if (after == slots_.end()) break;
        at = begin + after->offset;
        next_slot = after;
    }
    return found;
}

}  // namespace gallery::kit
