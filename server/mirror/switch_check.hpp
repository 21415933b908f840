// SPDX-License-Identifier: Apache-2.0
/// Compares a mirror with its source before a switch: documents, records and kept versions, but no bodies.
///
/// While clients write, both stores are never equal at one moment. A pass over both therefore only collects
/// the names of items that it has seen to differ, and the feed adds the items that were written since the
/// pass began. Such an item is open until it is compared again and is the same. If an open item differs, and
/// the target has applied all changes of the source since, and none of them was one of this item, then the
/// target has lost something that it had acknowledged, or it was written by somebody else.
///
/// Invariant: an item that the pass has compared and that is not open was the same in both stores, and has
/// not been written up to the position. When writes are held, only the open items are left to be compared:
/// those that were written during the last round. So the hold does not become longer with the store.
///
/// Cost: one scan of each store, and one find() in each store for every item that is written meanwhile.
#pragma once

#include "mirror/kept_sync.hpp"
#include "mirror/names.hpp"
#include "mirror/work.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/image_store.hpp>
#include <gallery/model.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>

namespace gallery::mirror {

/// Reads a scan item by item.
template <class Item>
class scan_reader {
public:
    using page_source = std::function<task<result<scan_page<Item>>>(std::string cursor)>;
    explicit scan_reader(page_source next) : next_(std::move(next)) {}

    /// Null after the last one. Valid until the next call. The same one again until skip().
    task<result<const Item*>> current() {
        const Item* found = nullptr;
        while (at_ >= page_.items.size()) {
            if (is_begun_ && page_.cursor.empty()) co_return found;
            is_begun_ = true;
            auto reading = next_(std::move(page_.cursor));
            auto read = co_await std::move(reading);
            if (!read) co_return read.error();
            page_ = std::move(*read);
            at_ = 0;
        }
        found = &page_.items[at_];
        co_return found;
    }
    void skip() { ++at_; }

private:
    page_source next_;
    scan_page<Item> page_;
    std::size_t at_ = 0;
    bool is_begun_ = false;
};

class switch_check {
public:
    /// @p all is that of the copier and outlives it. @p position: of the copier.
    switch_check(work& all, revision position);
    switch_check(const switch_check&) = delete;
    switch_check& operator=(const switch_check&) = delete;

    /// Whether the pass has ended.
    [[nodiscard]] bool has_passed() const noexcept { return at_ == part::end; }
    /// The pass compares one page of both stores. Errors: those of the stores.
    task<result<void>> compare_page();

    /// Adds what the source has written up to @p position, which the target has applied. @p is_end: the feed
    /// had no further change, so what differed at the last compare_open() was lost unless it is added now.
    /// Errors: corrupt for an item that was lost; busy if changes are missing in the feed; those of the
    /// source.
    task<result<void>> note_changes(revision position, bool is_end);

    /// Compares the open items. Errors: those of the stores; is_stopped().
    task<result<void>> compare_open();

    [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }

    /// Of the last compare_open(), if neither store was written since the last note_changes(). Error: corrupt
    /// with the first item that differs.
    [[nodiscard]] result<void> verdict() const;

private:
    /// An image_id stands for the kept versions of that image.
    using item = std::variant<image_name, document_name, image_id>;
    enum class part : std::uint8_t { documents, images, kept, end };

    /// @p name and @p is_same are of Item.
    template <class Item, class Name>
    task<result<bool>> compare_ordered(scan_reader<Item>& source, scan_reader<Item>& target,
                                       Name (*name)(const Item&), bool (*is_same)(const Item&, const Item&));
    task<result<bool>> compare_kept();
    task<result<void>> note(change one);
    void add(item what) { open_.insert_or_assign(std::move(what), std::string()); }

    task<result<void>> compare(item what);
    /// How it differs; empty if it does not.
    task<result<std::string>> difference(image_name name);
    task<result<std::string>> difference(document_name name);
    task<result<std::string>> difference(image_id id);

    work& all_;
    revision position_;
    part at_ = part::documents;
    std::map<item, std::string>
        open_;  ///< and how it differs; empty if it was not compared since it was added
    scan_reader<document> source_documents_;
    scan_reader<document> target_documents_;
    scan_reader<record_ptr> source_images_;
    scan_reader<record_ptr> target_images_;
    kept_reader source_kept_;
    kept_reader target_kept_;
};

}  // namespace gallery::mirror
