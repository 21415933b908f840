// SPDX-License-Identifier: Apache-2.0
/// A text of each row of a page, one after the other, for substring searches.
#pragma once

#include "text_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace gallery::kit {

/// Up to 512 texts without NUL, each ended by a NUL. The place of every sixteenth text is stored; the others
/// are found by counting NULs. Setting a text moves those behind it. Not thread-safe.
class row_texts {
public:
    static constexpr unsigned slots = 512;

    /// Precondition: @p slot < slots. An empty text is the same as none.
    void set(unsigned slot, std::string_view text) {
        if (slot >= count_) {
            append(slot, text);
            return;
        }
        const auto begin = begin_of(slot);
        const auto old = length_at(begin);
        const auto new_size = size_ - old + text.size();
        reserve(new_size);
        char* const place = data_.get() + begin;
        std::memmove(place + text.size(), place + old, size_ - begin - old);
        copy(text, place);
        const auto grown = static_cast<std::uint32_t>(text.size() - old);  // modulo 2^32
        for (auto i = slot / spacing + 1; i < starts_.size(); ++i)
            starts_[i] += grown;
        size_ = static_cast<std::uint32_t>(new_size);
        if (capacity_ > size_ + size_ / 4 + 64) reallocate(size_);
    }

    /// Empty where there is none. Valid until the next set().
    [[nodiscard]] std::string_view text(unsigned slot) const noexcept {
        if (slot >= count_) return {};
        const auto begin = begin_of(slot);
        return {data_.get() + begin, length_at(begin)};
    }

    /// Sets a bit of @p found for each slot whose text contains the part.
    void find(const text_pattern& part, std::uint64_t* found) const {
        if (size_ != 0) part.find({data_.get(), size_}, found);
    }

    /// Of the texts that find() reads.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// That are allocated.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return (capacity_ == 0 ? 0 : capacity_ + scan_padding) + starts_.capacity() * sizeof(std::uint32_t);
    }

private:
    static constexpr unsigned spacing = 16;

    [[nodiscard]] std::size_t begin_of(unsigned slot) const noexcept {
        std::size_t begin = starts_[slot / spacing];
        for (auto left = slot % spacing; left > 0; --left)
            begin += length_at(begin) + 1;
        return begin;
    }
    [[nodiscard]] std::size_t length_at(std::size_t begin) const noexcept {
        const char* const from = data_.get() + begin;
        return static_cast<std::size_t>(static_cast<const char*>(std::memchr(from, '\0', size_ - begin)) -
                                        from);
    }
    static void copy(std::string_view text, char* to) noexcept {
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
    }

    /// Precondition: @p slot is not less than count_. The slots between have no text.
    void append(unsigned slot, std::string_view text) {
        reserve(size_ + (slot - count_) + text.size() + 1);
        for (; count_ <= slot; ++count_) {
            if (count_ % spacing == 0) starts_.push_back(size_);
            if (count_ == slot) {
                copy(text, data_.get() + size_);
                size_ += static_cast<std::uint32_t>(text.size());
            }
            data_[size_++] = '\0';
        }
        if (count_ == slots) {
            reallocate(size_);
            starts_.shrink_to_fit();
        }
    }

    void reserve(std::size_t size) {
        if (size > capacity_) reallocate(size + size / 8 + 32);
    }
    void reallocate(std::size_t capacity) {
        if (capacity == capacity_) return;
        std::unique_ptr<char[]> moved(new char[capacity + scan_padding]);
        copy({data_.get(), size_}, moved.get());
        // What a scan reads behind the end does not matter, but it must be initialised.
        std::memset(moved.get() + size_, 0, capacity + scan_padding - size_);
        data_ = std::move(moved);
        capacity_ = static_cast<std::uint32_t>(capacity);
    }

    std::unique_ptr<char[]> data_;
    std::uint32_t size_ = 0;
    std::uint32_t capacity_ = 0;
    unsigned count_ = 0;                 ///< slots that the texts reach
    std::vector<std::uint32_t> starts_;  ///< of every sixteenth text
};

}  // namespace gallery::kit
