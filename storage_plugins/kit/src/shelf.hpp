// SPDX-License-Identifier: Apache-2.0
/// One tenant's images of one sub type, in all orders; catalog.cpp describes their use. Not thread-safe.
#pragma once

#include <gallery/kit/catalog.hpp>
#include <gallery/kit/merged_page.hpp>
#include "text_scan.hpp"

#include <gallery/text.hpp>

#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/ranked_index.hpp>
#include <boost/multi_index_container.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::kit {

struct entry {
    stored item;
    std::string title_key;  ///< collation_key of the title
    mutable std::size_t title_slot = 0;
    mutable std::size_t names_slot = 0;

    [[nodiscard]] const image_record& record() const noexcept { return *item.record; }
};

/// The orders. Each names the property that list() sorts by; ties are by id.
struct by_created_time {
    static std::int64_t property(const entry& e) noexcept { return e.record().created_time; }
};
struct by_title {
    static std::string_view property(const entry& e) noexcept { return e.title_key; }
};
struct by_key {
    static std::string_view property(const entry& e) noexcept { return e.record().key; }
};
struct by_size {
    static std::uint64_t property(const entry& e) noexcept { return e.record().original.size; }
};
/// Also the order by resource type.
struct by_id {
    static int property(const entry&) noexcept { return 0; }
};
/// The same as by_id within one shelf, where all have one tenant.
struct by_tenant {
    static tenant_id property(const entry& e) noexcept { return e.record().tenant; }
};

/// Not a list order: by the SHA-256 of the original.
struct by_content {
    static const sha256_digest& property(const entry& e) noexcept { return e.record().original.etag; }
};

/// Ascending by property and id. Also compares with a bare property, to find the ends of a tie.
template <class Order>
struct less {
    bool operator()(const entry& a, const entry& b) const noexcept {
        const auto& x = Order::property(a);
        const auto& y = Order::property(b);
        if (x < y) return true;
        if (y < x) return false;
        return a.record().id < b.record().id;
    }
};
template <class Order, class Property>
struct property_less {
    bool operator()(const entry& a, const Property& b) const noexcept { return Order::property(a) < b; }
    bool operator()(const Property& a, const entry& b) const noexcept { return a < Order::property(b); }
};

namespace mi = boost::multi_index;

template <class Order>
using ordered_by = mi::ranked_unique<mi::tag<Order>, mi::identity<entry>, less<Order>>;

using entry_set = mi::multi_index_container<
    entry, mi::indexed_by<ordered_by<by_id>, ordered_by<by_created_time>, ordered_by<by_title>,
                          ordered_by<by_key>, ordered_by<by_size>,
                          mi::ordered_unique<mi::tag<by_content>, mi::identity<entry>, less<by_content>>>>;
/// Number of indexes of an entry_set.
inline constexpr std::size_t entry_orders = 6;

/// The folded texts that searches read.
struct searched_texts {
    std::string title;
    std::string names;  ///< key and file name
};
inline searched_texts texts_of(const image_record& record) {
    // 0xFF does not occur in UTF-8, so no match can span both texts.
    return {fold_case(record.title), fold_case(record.key) + '\xff' + fold_case(record.file_name)};
}

struct shelf {
    entry_set entries;
    text_scan titles;  ///< folded titles
    text_scan names;   ///< folded keys and file names

    /// @p texts: texts_of() its record.
    const entry* add(entry e, const searched_texts& texts) {
        const entry* added = &*entries.insert(std::move(e)).first;
        added->title_slot = titles.add(texts.title, tag_of(added));
        added->names_slot = names.add(texts.names, tag_of(added));
        return added;
    }
    void remove(const entry* e) {
        titles.erase(e->title_slot);
        names.erase(e->names_slot);
        entries.erase(entries.iterator_to(*e));
        if (titles.wants_compaction())
            titles.compact([](void* tag, std::size_t slot) { entry_of(tag)->title_slot = slot; });
        if (names.wants_compaction())
            names.compact([](void* tag, std::size_t slot) { entry_of(tag)->names_slot = slot; });
    }

    static void* tag_of(const entry* e) noexcept { return const_cast<entry*>(e); }
    static const entry* entry_of(void* tag) noexcept { return static_cast<const entry*>(tag); }
};

/// A shelf in one order and direction; positions count from 0 in that direction.
template <class Order>
class ordered_view {
    using tag = std::conditional_t<std::is_same_v<Order, by_tenant>, by_id, Order>;
    using index = typename mi::index<entry_set, tag>::type;
    using iterator = typename index::const_iterator;
    using property = decltype(Order::property(std::declval<const entry&>()));

public:
    ordered_view(const shelf& images, bool descending)
        : index_(images.entries.get<tag>()), descending_(descending) {}

    [[nodiscard]] std::size_t size() const { return index_.size(); }

    /// Whether @p a comes before @p b.
    [[nodiscard]] bool before(const entry& a, const entry& b) const {
        return comes_before(Order::property(a), a.record().id, Order::property(b), b.record().id,
                            descending_);
    }

    /// How many entries of this shelf come before @p e, which may be in another shelf.
    [[nodiscard]] std::size_t position(const entry& e) const {
        if (!descending_) return lower_rank(e);
        const auto tie = tie_of(e);
        if (tie.begin == tie.end) return size() - tie.end;
        return size() - tie.end + (lower_rank(e) - tie.begin);
    }

    /// Walks the shelf from a position.
    class walker {
    public:
        walker(const ordered_view& view, std::size_t position) : view_(&view) {
            if (position >= view.size()) return;
            if (!view.descending_) {
                at_ = view.index_.nth(position);
                tie_end_ = view.index_.end();
            } else {
                enter_tie(*view.index_.nth(view.size() - 1 - position));
                const auto tie = view.tie_of(*tie_begin_);
                at_ = view.index_.nth(tie.begin + (position - (view.size() - tie.end)));
            }
            current_ = &*at_;
        }
        /// Null at the end.
        [[nodiscard]] const entry* current() const noexcept { return current_; }
        void next() {
            ++at_;
            if (at_ == tie_end_) {
                if (!view_->descending_ || tie_begin_ == view_->index_.begin()) {
                    current_ = nullptr;
                    return;
                }
                enter_tie(*std::prev(tie_begin_));
                at_ = tie_begin_;
            }
            current_ = &*at_;
        }

    private:
        void enter_tie(const entry& e) {
            tie_begin_ = view_->first_of_tie(e);
            tie_end_ = view_->past_tie(e);
        }
        const ordered_view* view_;
        iterator at_{}, tie_begin_{}, tie_end_{};
        const entry* current_ = nullptr;
    };

    [[nodiscard]] const entry* at(std::size_t position) const { return walker(*this, position).current(); }

private:
    struct ranks {
        std::size_t begin, end;
    };
    [[nodiscard]] iterator first_of_tie(const entry& e) const {
        return index_.lower_bound(Order::property(e), property_less<Order, property>{});
    }
    [[nodiscard]] iterator past_tie(const entry& e) const {
        return index_.upper_bound(Order::property(e), property_less<Order, property>{});
    }
    [[nodiscard]] ranks tie_of(const entry& e) const {
        return {index_.lower_bound_rank(Order::property(e), property_less<Order, property>{}),
                index_.upper_bound_rank(Order::property(e), property_less<Order, property>{})};
    }
    [[nodiscard]] std::size_t lower_rank(const entry& e) const {
        return index_.lower_bound_rank(e, less<Order>{});
    }

    const index& index_;
    bool descending_;
};

}  // namespace gallery::kit
