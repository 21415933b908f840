// SPDX-License-Identifier: Apache-2.0
/// Which rows of a shelf a query selects.
///
/// The idea. A search of a million names takes milliseconds, for which no lock may be held. It is made page
/// by page, and notes the version of each page. Pages are searched ahead, a few under one lock, with writes
/// in between. Under the lock of the answer only those are searched again that have changed since.
///
/// The invariant. After examine() went to the end under one lock, the matches are those of the shelf as it
/// is, whatever was searched before and whichever pages came, went or moved meanwhile.
///
/// The cost. 80 bytes for 512 rows. Going over pages that have not changed takes nanoseconds for each.
#pragma once

#include "shelf.hpp"
#include "text_scan.hpp"

#include <gallery/kit/matcher.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace gallery::kit {

/// What a query selects by. Outlives the matches; the matcher outlives this.
class row_selection {
public:
    /// Decides about a row that has the text.
    using row_filter = std::function<bool(const row_view&)>;

    /// @p filter: empty if the text alone decides.
    row_selection(const matcher& wanted, search_scope in, row_filter filter = {})
        : filter_(std::move(filter)), in_names_(in == search_scope::names) {
        if (wanted.has_text()) text_.emplace(wanted.folded_text());
    }

    /// The slots of a page with rows that are selected.
    [[nodiscard]] row_page::bits select(const row_page& page) const {
        auto found = page.used;
        if (text_) {
            found = {};
            page.titles.find(*text_, found.data());
            if (in_names_) page.names.find(*text_, found.data());
        }
        if (filter_)
            row_table::for_each_bit(row_page::bits(found), [&](unsigned slot) {
                if (!filter_(row_view(page, slot))) found[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
            });
        return found;
    }
    /// What select() reads of a page, roughly in bytes.
    [[nodiscard]] std::size_t work(const row_page& page) const noexcept {
        return 64 + (text_ ? page.titles.size() : 0) + (text_ && in_names_ ? page.names.size() : 0) +
               (filter_ ? page.rows.size() * 200 : 0);
    }

private:
    std::optional<text_pattern> text_;
    row_filter filter_;
    bool in_names_;
};

/// Not thread-safe. The shelf must not change during a call.
class row_matches {
public:
    /// Examines pages of the shelf from place @p from on, until @p budget bytes were read. Returns the place
    /// to go on at: the number of pages at the end.
    std::size_t examine(const row_table& table, const shelf& part, const row_selection& by, std::size_t from,
                        std::size_t budget) {
        const auto& pages = part.pages.all;
        pages_.resize(pages.size());
        std::size_t work = 0;
        for (; from < pages.size() && work < budget; ++from) {
            const auto& content = table.page(pages[from]);
            auto& known = pages_[from];
            if (known.version == content.version) continue;
            known.found = by.select(content);
            known.version = content.version;
            work += by.work(content);
        }
        return from;
    }

    /// Takes a row out, if it is a match.
    void remove(const row_table& table, std::uint32_t number) {
        pages_[place_of(table, number)].found[word_of(number)] &= ~(std::uint64_t{1} << number % 64);
    }

    [[nodiscard]] bool contains(const row_table& table, std::uint32_t number) const noexcept {
        return (pages_[place_of(table, number)].found[word_of(number)] >> number % 64 & 1) != 0;
    }
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t sum = 0;
        for (const auto& one : pages_)
            for (const auto word : one.found)
                sum += static_cast<std::size_t>(std::popcount(word));
        return sum;
    }
    /// Calls @p visit(number) for each match, in no order. @p part: that was examined.
    template <class Visit>
    void for_each(const shelf& part, Visit visit) const {
        for (std::size_t i = 0; i < pages_.size(); ++i)
            row_table::for_each_bit(
                pages_[i].found, [&](unsigned slot) { visit(part.pages.all[i] * row_page::slots + slot); });
    }

private:
    struct page {
        std::uint64_t version = 0;  ///< 0: not examined; versions are unique among all pages
        row_page::bits found{};
    };

    static std::size_t place_of(const row_table& table, std::uint32_t number) noexcept {
        return table.place_in_list(row_table::page_of(number));
    }
    static std::size_t word_of(std::uint32_t number) noexcept { return row_table::slot_of(number) / 64; }

    std::vector<page> pages_;  ///< in the order of page_list::all
};

}  // namespace gallery::kit
