// SPDX-License-Identifier: Apache-2.0
// The idea. The rows and orders of a catalog (catalog.cpp) without its records and tables. An image is found
// by binary search in the order by key. Which system images a tenant hides is found when a list is made that
// needs it, and remembered until the keys of one of the two tenants change.
//
// The invariant. Every row is in all orders of its shelf. `keys` changes whenever a key comes, goes, or gets
// another number.
//
// The cost. 32 bytes for a row, its names and 3 bytes beside them, and 22 bytes for five orders.
#include <gallery/kit/tenant_index.hpp>

#include "search_ahead.hpp"

#include <gallery/kit/matcher.hpp>
#include <gallery/mutex.hpp>

#include <array>
#include <atomic>

namespace gallery::kit {
namespace {

/// Of an index and of its keys; never the same for two indexes.
std::uint64_t next_identity() noexcept {
    static std::atomic<std::uint64_t> newest{0};
    return ++newest;
}

}  // namespace

struct tenant_index::state {
    explicit state(const tenant_id& tenant) : shelves{shelf(tenant), shelf(tenant)} {}

    /// Guards all members except `hidden`. They are not annotated, because part_lock takes this mutex, which
    /// clang's analysis does not follow.
    mutable shared_mutex access;  // see above
    /// Guards no member. A change holds it while it waits for `access` and holds that; a search takes it for
    /// a moment before each part, so that the change goes first.
    mutable mutex turn;  // see above
    row_table table;
    std::array<shelf, 2> shelves;
    std::uint64_t keys = next_identity();

    struct hidden_rows {
        std::uint64_t own_keys = 0;
        std::uint64_t system_keys = 0;
        std::vector<std::uint32_t> numbers;
    };
    mutable mutex hidden_access;
    /// The rows of the system's shelves that this tenant hides.
    mutable std::array<hidden_rows, 2> hidden GALLERY_GUARDED_BY(hidden_access);

    /// For a part of a search. Not checked, because it takes one of two locks for longer than the other.
    class part_lock {
    public:
        explicit part_lock(const state& of) GALLERY_NO_THREAD_SAFETY : access_(of.access) {
            const lock_guard waits(of.turn);
            access_.lock_shared();
        }
        part_lock(const part_lock&) = delete;
        part_lock& operator=(const part_lock&) = delete;
        ~part_lock() GALLERY_NO_THREAD_SAFETY { access_.unlock_shared(); }

    private:
        shared_mutex& access_;
    };

    [[nodiscard]] shelf& shelf_of(image_sub_type type) { return shelves[static_cast<std::size_t>(type)]; }
    [[nodiscard]] const shelf& shelf_of(image_sub_type type) const {
        return shelves[static_cast<std::size_t>(type)];
    }
    [[nodiscard]] bool has_key(std::string_view key) const {
        return shelves[0].find(table, key) || shelves[1].find(table, key);
    }

    /// Under the locks of both.
    [[nodiscard]] std::vector<std::uint32_t> hidden_of(const state& system, image_sub_type type) const {
        const lock_guard lock(hidden_access);
        auto& known = hidden[static_cast<std::size_t>(type)];
        if (known.own_keys == keys && known.system_keys == system.keys) return known.numbers;
        known = {keys, system.keys, {}};
        const auto& of_system = system.shelf_of(type);
        if (of_system.size() <= shelves[0].size() + shelves[1].size()) {
            system.table.for_each(of_system.pages, [&](std::uint32_t number) {
                if (has_key(system.table[number].key())) known.numbers.push_back(number);
            });
        } else {
            for (const auto& part : shelves)
                table.for_each(part.pages, [&](std::uint32_t number) {
                    if (const auto found = of_system.find(system.table, table[number].key()))
                        known.numbers.push_back(*found);
                });
        }
        return known.numbers;
    }

    void change(const image_record* before, const image_record* after, const row_source* row) {
        const bool keeps_key = before != nullptr && after != nullptr && before->key == after->key &&
                               before->sub_type == after->sub_type;
        if (!keeps_key) keys = next_identity();
        auto* const from = before == nullptr ? nullptr : &shelf_of(before->sub_type);
        const auto number = from == nullptr ? std::nullopt : from->find(table, before->key);
        if (number && keeps_key) {
            from->replace(table, *number, *row);
            return;
        }
        if (number) from->remove(table, *number);
        if (after != nullptr) shelf_of(after->sub_type).add(table, *row);
    }
};

tenant_index::tenant_index(const tenant_id& tenant) : state_(std::make_unique<state>(tenant)) {}
tenant_index::~tenant_index() = default;

void tenant_index::load(const image_record& record) {
    auto& to = state_->shelf_of(record.sub_type);
    state_->table.add(to.loading, row_source(record));
}

void tenant_index::finish_loading() {
    for (auto& part : state_->shelves)
        part.finish_loading(state_->table);
}

void tenant_index::change(const image_record* before, const image_record* after,
                          const std::function<bool()>& is_wanted) {
    std::optional<row_source> row;
    if (after != nullptr) row.emplace(*after);
    const lock_guard turn(state_->turn);
    const lock_guard lock(state_->access);
    if (is_wanted()) state_->change(before, after, row ? &*row : nullptr);
}

std::size_t tenant_index::size() const {
    const shared_lock lock(state_->access);
    return state_->shelves[0].size() + state_->shelves[1].size();
}

std::size_t tenant_index::size(image_sub_type type) const {
    const shared_lock lock(state_->access);
    return state_->shelf_of(type).size();
}

std::size_t tenant_index::bytes() const {
    const shared_lock lock(state_->access);
    auto sum = sizeof(state) + state_->table.bytes();
    for (const auto& part : state_->shelves)
        part.for_each_index([&](const auto& index) { sum += index.numbers.bytes(); });
    return sum;
}

bool tenant_index::knows(const image_filter& filter) noexcept {
    return filter.tags.empty() && filter.media_types.empty() && !filter.is_public;
}

std::optional<listed_page> tenant_index::list(const tenant_index& own, const tenant_index* system,
                                              const image_query& query, const std::function<bool()>& begin) {
    const matcher wanted(query);
    image_record filtered;
    row_selection::row_filter filter;
    if (wanted.has_filter())
        filter = [&](const row_view& row) {
            filtered.created_time = row.created_time();
            filtered.original.size = row.size();
            return wanted.passes(filtered);
        };
    const row_selection by(wanted, query.search_in, std::move(filter));
    const auto part_of = [&](const tenant_index& index) {
        return list_part{&index.state_->table, &index.state_->shelf_of(query.sub_type)};
    };
    query_matches found;
    const auto search = [&](const tenant_index& index, row_matches& matches) {
        const auto lock = [&] { return state::part_lock(*index.state_); };
        search_ahead(
            lock, [&] { return part_of(index); }, by, matches);
    };
    if (wanted.is_selective()) {
        search(own, found.own);
        if (system != nullptr) search(*system, found.system);
    }
    listed_page page;
    const auto add = [&](const row_view& row, std::uint32_t, bool is_system) {
        page.images.push_back({row.id(), std::string(row.key()), is_system});
    };
    const auto make = [&]() -> bool {
        if (!begin()) return false;
        query_scope scope;
        scope.own = part_of(own);
        if (system != nullptr) {
            scope.system = part_of(*system);
            scope.hidden = own.state_->hidden_of(*system->state_, query.sub_type);
        }
        page.total = list_images(scope, query, wanted.is_selective() ? &by : nullptr, found, add);
        return true;
    };
    // Changes hold one lock at a time, and lists take that of the system last.
    const shared_lock own_lock(own.state_->access);
    bool is_made = false;
    if (system == nullptr) {
        is_made = make();
    } else {
        const shared_lock system_lock(system->state_->access);
        is_made = make();
    }
    if (!is_made) return std::nullopt;
    return page;
}

std::string tenant_index::verify() const {
    const shared_lock lock(state_->access);
    std::string problem;
    for (const auto& part : state_->shelves)
        part.for_each_index([&](const auto& index) {
            if (!is_in_order(state_->table, part, index)) problem = "The images are not in order.";
        });
    return problem;
}

}  // namespace gallery::kit
