// SPDX-License-Identifier: Apache-2.0
/// The entries of a catalog by number.
///
/// The idea. Indexes refer to entries by numbers of 32 bits. The numbers are those of slots in pages of 64. A
/// page belongs to one shelf, so a search of a shelf reads whole pages, and their folded texts are in one
/// piece of memory each.
/// The invariant. A page of a shelf has at least one entry. A shelf's page with a free slot is in the shelf's
/// list of such pages. Numbers are used again after an erasure.
/// The cost. About 9 bytes an entry, and its folded texts. A shelf has at least one page, 650 bytes.
#pragma once

#include "folded_texts.hpp"
#include "packed_record.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gallery::kit {

/// The folded texts that searches read.
struct searched_texts {
    std::string title;
    std::string names;  ///< key and file name
};
searched_texts texts_of(const image_record& record);

struct entry_page {
    static constexpr std::uint32_t slots = folded_texts::slots;

    std::uint64_t used = 0;    ///< one bit for each slot with an entry
    std::uint32_t listed = 0;  ///< its place in page_list::all
    std::uint32_t vacant = 0;  ///< its place in page_list::vacant, if it has a free slot
    folded_texts titles;
    folded_texts names;
    std::array<packed_record, slots> entries;
};

/// The pages of one shelf. entry_pages changes it.
struct page_list {
    std::vector<std::uint32_t> all;
    std::vector<std::uint32_t> vacant;  ///< those with a free slot
    std::size_t entries = 0;
};

/// All pages of a catalog. Not thread-safe.
class entry_pages {
public:
    [[nodiscard]] const packed_record& operator[](std::uint32_t number) const noexcept {
        return pages_[number / entry_page::slots]->entries[number % entry_page::slots];
    }
    [[nodiscard]] const entry_page& page(std::uint32_t page) const noexcept { return *pages_[page]; }
    [[nodiscard]] bool contains(std::uint32_t number) const noexcept {
        const auto which = number / entry_page::slots;
        return which < pages_.size() && pages_[which] &&
               (pages_[which]->used >> number % entry_page::slots & 1) != 0;
    }
    /// Numbers are less than this.
    [[nodiscard]] std::size_t numbers() const noexcept { return pages_.size() * entry_page::slots; }

    /// Returns the number of the entry.
    std::uint32_t add(page_list& to, packed_record entry, const searched_texts& texts) {
        if (to.vacant.empty()) add_page(to);
        const auto number = to.vacant.back();
        auto& page = *pages_[number];
        const auto slot = static_cast<std::uint32_t>(std::countr_one(page.used));
        page.titles.set(slot, texts.title);
        page.names.set(slot, texts.names);
        page.entries[slot] = std::move(entry);
        page.used |= std::uint64_t{1} << slot;
        if (~page.used == 0) unlist_vacant(to, number);
        ++to.entries;
        return number * entry_page::slots + slot;
    }

    /// Returns the entry that had the number. Precondition: it is an entry of @p from.
    packed_record remove(page_list& from, std::uint32_t number) {
        const auto which = number / entry_page::slots;
        const auto slot = number % entry_page::slots;
        auto& page = *pages_[which];
        auto entry = std::exchange(page.entries[slot], packed_record());
        page.titles.set(slot, {});
        page.names.set(slot, {});
        if (~page.used == 0) list_vacant(from, which);
        page.used &= ~(std::uint64_t{1} << slot);
        --from.entries;
        if (page.used == 0) drop_page(from, which);
        return entry;
    }

    /// Removes all entries of a list.
    void discard(page_list& of) {
        for (const auto which : of.all) {
            pages_[which].reset();
            unused_.push_back(which);
        }
        of = page_list();
    }

    /// Moves all pages of @p from to @p to. Numbers stay the same.
    void join(page_list& to, page_list& from) {
        for (const auto which : from.all) {
            pages_[which]->listed = static_cast<std::uint32_t>(to.all.size());
            to.all.push_back(which);
        }
        for (const auto which : from.vacant)
            list_vacant(to, which);
        to.entries += from.entries;
        from = page_list();
    }

    /// Calls @p visit(number) for each entry of a shelf.
    template <class Visit>
    void for_each(const page_list& of, Visit visit) const {
        for (const auto which : of.all)
            for (auto used = pages_[which]->used; used != 0; used &= used - 1)
                visit(which * entry_page::slots + static_cast<std::uint32_t>(std::countr_zero(used)));
    }

private:
    static constexpr std::size_t most_pages = (std::size_t{1} << 32) / entry_page::slots;

    void list_vacant(page_list& of, std::uint32_t page) {
        pages_[page]->vacant = static_cast<std::uint32_t>(of.vacant.size());
        of.vacant.push_back(page);
    }
    void unlist_vacant(page_list& of, std::uint32_t page) {
        const auto place = pages_[page]->vacant;
        of.vacant[place] = of.vacant.back();
        pages_[of.vacant[place]]->vacant = place;
        of.vacant.pop_back();
    }
    void add_page(page_list& to) {
        if (unused_.empty()) {
            if (pages_.size() == most_pages) throw std::length_error("a catalog has 2^32 images");
            pages_.emplace_back();
            unused_.push_back(static_cast<std::uint32_t>(pages_.size() - 1));
        }
        const auto number = unused_.back();
        pages_[number] = std::make_unique<entry_page>();
        unused_.pop_back();
        pages_[number]->listed = static_cast<std::uint32_t>(to.all.size());
        to.all.push_back(number);
        list_vacant(to, number);
    }
    void drop_page(page_list& of, std::uint32_t page) {
        unlist_vacant(of, page);
        const auto place = pages_[page]->listed;
        of.all[place] = of.all.back();
        pages_[of.all[place]]->listed = place;
        of.all.pop_back();
        pages_[page].reset();
        unused_.push_back(page);
    }

    std::vector<std::unique_ptr<entry_page>> pages_;
    std::vector<std::uint32_t> unused_;
};

/// What all shelves of a catalog share.
struct entry_table {
    names_of_records names;
    entry_pages pages;

    [[nodiscard]] const packed_record& operator[](std::uint32_t number) const noexcept {
        return pages[number];
    }
};

}  // namespace gallery::kit
