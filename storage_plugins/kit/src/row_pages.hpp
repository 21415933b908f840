// SPDX-License-Identifier: Apache-2.0
/// The rows of images by number: what lists are sorted by and what searches read.
///
/// The idea. Orders refer to rows by numbers of 32 bits. The numbers are those of slots in pages of 512. A
/// page belongs to one shelf, and its names are in two pieces of memory, so a search of a shelf reads a few
/// long pieces. Names are stored once: as they are, if all that folding changes are letters of ASCII, which
/// the search compares regardless of case; otherwise folded, and the original beside it.
///
/// The invariant. A page of a shelf has at least one row. A shelf's page with a free slot is in the shelf's
/// list of such pages. Numbers are used again after a removal. Whenever a page changes, or comes to a shelf,
/// it gets a version that no page had before.
///
/// The cost. 32 bytes a row, its names, 3 bytes beside them, and the originals where folding changes more
/// than ASCII. A row with a file name that is neither its key nor a part of its title stores this, too. A
/// shelf has at least one page, about 600 bytes.
#pragma once

#include "packed_record.hpp"
#include "row_texts.hpp"

#include <gallery/model.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::kit {

/// Two names in one text have this byte between them, which does not occur in UTF-8.
inline constexpr char name_separator = '\xff';
inline std::string_view first_name(std::string_view names) noexcept {
    return names.substr(0, names.find(name_separator));
}
/// Empty if there is none.
inline std::string_view second_name(std::string_view names) noexcept {
    const auto mark = names.find(name_separator);
    return mark == std::string_view::npos ? std::string_view() : names.substr(mark + 1);
}

/// What a row is made from. Made without a lock, as folding takes time.
struct row_source {
    explicit row_source(const image_record& record);

    [[nodiscard]] std::string_view original_title() const noexcept;
    [[nodiscard]] std::string_view original_key() const noexcept;

    image_id id;
    std::int64_t created_time;
    std::uint64_t size;  ///< of the original
    std::string title;   ///< that a search reads
    std::string names;   ///< likewise: the key and the file name, if that is not in the others anyway
    /// The title and the key, if folding changes more of them than letters of ASCII.
    std::string originals;
};

struct row_page {
    static constexpr unsigned slots = row_texts::slots;
    using bits = std::array<std::uint64_t, slots / 64>;  ///< one for each slot

    struct row {
        image_id id;
        std::int64_t created_time = 0;
        std::uint64_t size = 0;
    };

    tenant_id tenant;
    std::uint64_t version = 0;
    std::uint32_t vacant = 0;  ///< its place in page_list::vacant, if it has a free slot
    bits used{};               ///< slots with rows
    std::vector<row> rows;
    row_texts titles;
    row_texts names;
    std::unique_ptr<row_texts> originals;  ///< null: no row has any
    /// Of a catalog, which has one for each row. Otherwise empty.
    std::vector<packed_record> records;

    [[nodiscard]] bool is_used(unsigned slot) const noexcept {
        return (used[slot / 64] >> slot % 64 & 1) != 0;
    }
    [[nodiscard]] bool is_full() const noexcept { return first_free() == slots; }
    [[nodiscard]] bool is_empty() const noexcept { return used == bits{}; }
    [[nodiscard]] unsigned first_free() const noexcept {
        for (unsigned word = 0; word < used.size(); ++word)
            if (~used[word] != 0) return word * 64 + static_cast<unsigned>(std::countr_one(used[word]));
        return slots;
    }
};

/// A row where it is stored. Views are valid until its page changes.
class row_view {
public:
    row_view(const row_page& page, unsigned slot) noexcept : page_(&page), slot_(slot) {}

    [[nodiscard]] const tenant_id& tenant() const noexcept { return page_->tenant; }
    [[nodiscard]] const image_id& id() const noexcept { return page_->rows[slot_].id; }
    [[nodiscard]] std::int64_t created_time() const noexcept { return page_->rows[slot_].created_time; }
    [[nodiscard]] std::uint64_t size() const noexcept { return page_->rows[slot_].size; }
    [[nodiscard]] std::string_view title() const noexcept {
        if (const auto original = first_name(originals()); !original.empty()) return original;
        return page_->titles.text(slot_);
    }
    [[nodiscard]] std::string_view key() const noexcept {
        if (const auto original = second_name(originals()); !original.empty()) return original;
        return first_name(page_->names.text(slot_));
    }
    /// Of a catalog.
    [[nodiscard]] const packed_record& record() const noexcept { return page_->records[slot_]; }
    [[nodiscard]] stored unpack(const names_of_records& names) const {
        return record().unpack({id(), created_time(), title()}, names);
    }

private:
    [[nodiscard]] std::string_view originals() const noexcept {
        return page_->originals ? page_->originals->text(slot_) : std::string_view();
    }

    const row_page* page_;
    unsigned slot_;
};

/// The pages of one shelf. row_table changes it.
struct page_list {
    tenant_id tenant;
    std::vector<std::uint32_t> all;
    std::vector<std::uint32_t> vacant;  ///< those with a free slot
    std::size_t rows = 0;
};

/// The pages of several shelves. Not thread-safe.
class row_table {
public:
    [[nodiscard]] static std::uint32_t page_of(std::uint32_t number) noexcept {
        return number / row_page::slots;
    }
    [[nodiscard]] static unsigned slot_of(std::uint32_t number) noexcept { return number % row_page::slots; }

    [[nodiscard]] row_view operator[](std::uint32_t number) const noexcept {
        return {page(page_of(number)), slot_of(number)};
    }
    [[nodiscard]] const row_page& page(std::uint32_t page) const noexcept { return *pages_[page].content; }
    /// The place of a page in page_list::all.
    [[nodiscard]] std::uint32_t place_in_list(std::uint32_t page) const noexcept {
        return pages_[page].listed;
    }
    [[nodiscard]] bool contains(std::uint32_t number) const noexcept {
        const auto which = page_of(number);
        return which < pages_.size() && pages_[which].content &&
               pages_[which].content->is_used(slot_of(number));
    }

    /// Returns the number of the row. @p record: of a catalog.
    std::uint32_t add(page_list& to, const row_source& from, packed_record record = {}) {
        if (to.vacant.empty()) add_page(to);
        const auto which = to.vacant.back();
        auto& page = *pages_[which].content;
        const auto slot = page.first_free();
        if (slot >= page.rows.size()) grow(page, slot + 1, static_cast<bool>(record));
        write(page, slot, from);
        if (record) page.records[slot] = std::move(record);
        page.used[slot / 64] |= std::uint64_t{1} << slot % 64;
        if (page.is_full()) unlist_vacant(to, which);
        ++to.rows;
        return which * row_page::slots + slot;
    }

    /// Replaces a row. Precondition: the orders that compare what differs do not contain it.
    void replace(std::uint32_t number, const row_source& from) {
        write(*pages_[page_of(number)].content, slot_of(number), from);
    }

    /// Returns the record of a catalog. Precondition: the row is of @p from.
    packed_record remove(page_list& from, std::uint32_t number) {
        const auto which = page_of(number);
        const auto slot = slot_of(number);
        auto& page = *pages_[which].content;
        packed_record record;
        if (!page.records.empty()) record = std::exchange(page.records[slot], packed_record());
        page.rows[slot] = {};
        page.titles.set(slot, {});
        page.names.set(slot, {});
        if (page.originals) page.originals->set(slot, {});
        page.version = ++newest_version_;
        if (page.is_full()) list_vacant(from, which);
        page.used[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
        --from.rows;
        if (page.is_empty()) drop_page(from, which);
        return record;
    }

    /// Removes all rows of a list.
    void discard(page_list& of) {
        for (const auto which : of.all) {
            pages_[which] = {};
            unused_.push_back(which);
        }
        of.all.clear();
        of.vacant.clear();
        of.rows = 0;
    }

    /// Moves all pages of @p from to @p to. Numbers stay the same.
    void join(page_list& to, page_list& from) {
        for (const auto which : from.all) {
            pages_[which].listed = static_cast<std::uint32_t>(to.all.size());
            pages_[which].content->version = ++newest_version_;
            to.all.push_back(which);
        }
        for (const auto which : from.vacant)
            list_vacant(to, which);
        to.rows += from.rows;
        from.all.clear();
        from.vacant.clear();
        from.rows = 0;
    }

    /// Calls @p visit(number) for each row of a shelf.
    template <class Visit>
    void for_each(const page_list& of, Visit visit) const {
        for (const auto which : of.all)
            for_each_bit(page(which).used, [&](unsigned slot) { visit(which * row_page::slots + slot); });
    }
    template <class Visit>
    static void for_each_bit(const row_page::bits& all, Visit visit) {
        for (unsigned word = 0; word < all.size(); ++word)
            for (auto left = all[word]; left != 0; left &= left - 1)
                visit(word * 64 + static_cast<unsigned>(std::countr_zero(left)));
    }

    /// Memory of the pages. O(pages).
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = pages_.capacity() * sizeof(place) + unused_.capacity() * sizeof(std::uint32_t);
        for (const auto& one : pages_) {
            if (!one.content) continue;
            const auto& page = *one.content;
            sum += sizeof page + page.rows.capacity() * sizeof(row_page::row) + page.titles.bytes() +
                   page.names.bytes();
            if (page.originals) sum += sizeof(row_texts) + page.originals->bytes();
        }
        return sum;
    }

private:
    static constexpr std::size_t most_pages = (std::size_t{1} << 32) / row_page::slots;

    struct place {
        std::unique_ptr<row_page> content;
        std::uint32_t listed = 0;  ///< its place in page_list::all
    };

    void write(row_page& page, unsigned slot, const row_source& from) {
        page.rows[slot] = {from.id, from.created_time, from.size};
        page.titles.set(slot, from.title);
        page.names.set(slot, from.names);
        if (!page.originals && !from.originals.empty()) page.originals = std::make_unique<row_texts>();
        if (page.originals) page.originals->set(slot, from.originals);
        page.version = ++newest_version_;
    }
    /// Small shelves are many, and most pages of large ones are full.
    static void grow(row_page& page, unsigned rows, bool has_records) {
        if (rows > page.rows.capacity()) {
            const auto capacity = std::min(row_page::slots, rows + rows / 2 + 1);
            page.rows.reserve(capacity);
            if (has_records) page.records.reserve(capacity);
        }
        page.rows.resize(rows);
        if (has_records) page.records.resize(rows);
    }
    void list_vacant(page_list& of, std::uint32_t which) {
        pages_[which].content->vacant = static_cast<std::uint32_t>(of.vacant.size());
        of.vacant.push_back(which);
    }
    void unlist_vacant(page_list& of, std::uint32_t which) {
        const auto at = pages_[which].content->vacant;
        of.vacant[at] = of.vacant.back();
        pages_[of.vacant[at]].content->vacant = at;
        of.vacant.pop_back();
    }
    void add_page(page_list& to) {
        if (unused_.empty()) {
            if (pages_.size() == most_pages) throw std::length_error("an index has 2^32 images");
            pages_.emplace_back();
            unused_.push_back(static_cast<std::uint32_t>(pages_.size() - 1));
        }
        const auto which = unused_.back();
        pages_[which].content = std::make_unique<row_page>();
        unused_.pop_back();
        pages_[which].content->tenant = to.tenant;
        pages_[which].listed = static_cast<std::uint32_t>(to.all.size());
        to.all.push_back(which);
        list_vacant(to, which);
    }
    void drop_page(page_list& of, std::uint32_t which) {
        unlist_vacant(of, which);
        const auto at = pages_[which].listed;
        of.all[at] = of.all.back();
        pages_[of.all[at]].listed = at;
        of.all.pop_back();
        pages_[which] = {};
        unused_.push_back(which);
    }

    std::vector<place> pages_;
    std::vector<std::uint32_t> unused_;
    std::uint64_t newest_version_ = 0;
};

}  // namespace gallery::kit
