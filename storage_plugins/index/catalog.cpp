#include "index/catalog.hpp"

#include "index/rules.hpp"
#include "index/shelf.hpp"

#include <gallery/text.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

namespace gallery::store_index {
namespace {

constexpr std::string_view cursor_prefix = "after:";
constexpr std::size_t uuid_length = 36;

/// The images of one tenant. Keys are views into the records of the entries.
struct tenant_images {
    std::array<shelf, 2> shelves;
    std::unordered_map<std::string_view, const entry*> by_key;
    std::map<std::string_view, const entry*> in_order_of_key;
    /// Keys that the system tenant has as well: its images under them are hidden in merged lists.
    std::set<std::string, std::less<>> shared_with_system;

    shelf& shelf_of(const entry& e) { return shelves[static_cast<std::size_t>(e.record().sub_type)]; }
};

/// The system tenant's shelf as one tenant sees it: without what that tenant's own keys hide.
template <class Order>
class visible_system {
public:
    visible_system(const shelf& images, bool descending, std::vector<const entry*> hidden)
        : view_(images, descending) {
        for (const auto* e : hidden)
            hidden_.push_back(view_.position(*e));
        std::sort(hidden_.begin(), hidden_.end());
    }
    [[nodiscard]] std::size_t size() const { return view_.size() - hidden_.size(); }
    [[nodiscard]] std::size_t position(const entry& e) const {
        const auto all = view_.position(e);
        return all - static_cast<std::size_t>(std::lower_bound(hidden_.begin(), hidden_.end(), all) -
                                              hidden_.begin());
    }

    class walker {
    public:
        walker(const visible_system& system, std::size_t position)
            : next_hidden_(system.hidden_.begin()),
              hidden_end_(system.hidden_.end()),
              position_(with_hidden(position)),
              walker_(system.view_, position_) {}
        [[nodiscard]] const entry* current() const noexcept { return walker_.current(); }
        void next() {
            do {
                walker_.next();
                ++position_;
            } while (is_hidden());
        }

    private:
        std::size_t with_hidden(std::size_t position) {
            for (; next_hidden_ != hidden_end_ && *next_hidden_ <= position; ++next_hidden_)
                ++position;
            return position;
        }
        bool is_hidden() {
            if (next_hidden_ == hidden_end_ || *next_hidden_ != position_) return false;
            ++next_hidden_;
            return true;
        }
        std::vector<std::size_t>::const_iterator next_hidden_, hidden_end_;
        std::size_t position_;
        typename ordered_view<Order>::walker walker_;
    };

private:
    ordered_view<Order> view_;
    std::vector<std::size_t> hidden_;
};

/// What one query runs over: the tenant's shelf and, where asked for, the system's.
struct query_scope {
    const shelf* own = nullptr;
    const shelf* system = nullptr;
    std::vector<const entry*> hidden;  ///< of the system's shelf, in order of address
};

const shelf empty_shelf;

/// The first position of a page; beyond every list where it cannot be expressed.
std::uint64_t first_of(const image_query& query) {
    std::uint64_t first = 0;
    if (__builtin_mul_overflow(query.page, std::uint64_t{query.page_size}, &first)) return ~std::uint64_t{0};
    return first;
}

template <class Order>
image_page page_of_all(const image_query& query, const query_scope& scope) {
    const ordered_view<Order> own(scope.own != nullptr ? *scope.own : empty_shelf, query.descending);
    const visible_system<Order> system(scope.system != nullptr ? *scope.system : empty_shelf,
                                       query.descending, scope.hidden);
    image_page page;
    page.total = own.size() + system.size();
    const auto first = first_of(query);
    if (first >= page.total) return page;

    // How many of the tenant's own come before position `first` of the merged list: their positions in it
    // grow, so a binary search finds the first that does not.
    std::size_t low = 0;
    std::size_t high = own.size();
    while (system.size() != 0 && low < high) {
        const auto middle = low + (high - low) / 2;
        if (middle + system.position(*own.at(middle)) < first)
            low = middle + 1;
        else
            high = middle;
    }
    if (system.size() == 0) low = static_cast<std::size_t>(first);

    typename ordered_view<Order>::walker mine(own, low);
    typename visible_system<Order>::walker theirs(system, static_cast<std::size_t>(first) - low);
    const auto count = std::min<std::uint64_t>(query.page_size, page.total - first);
    page.images.reserve(static_cast<std::size_t>(count));
    while (page.images.size() < count) {
        const bool take_mine = theirs.current() == nullptr ||
                               (mine.current() != nullptr && own.before(*mine.current(), *theirs.current()));
        if (take_mine) {
            page.images.push_back(mine.current()->item.record);
            mine.next();
        } else {
            page.images.push_back(theirs.current()->item.record);
            theirs.next();
        }
    }
    return page;
}

template <class Order>
image_page page_of_found(const image_query& query, const query_scope& scope, const std::string& folded) {
    std::vector<const entry*> found;
    const auto search = [&](const shelf* where, auto keep) {
        if (where == nullptr) return;
        for (auto* tag : where->titles.find(folded))
            if (const auto* e = shelf::entry_of(tag); keep(e)) found.push_back(e);
    };
    search(scope.own, [](const entry*) { return true; });
    search(scope.system, [&](const entry* e) {
        return !std::binary_search(scope.hidden.begin(), scope.hidden.end(), e, std::less<>{});
    });

    image_page page;
    page.total = found.size();
    const auto first = first_of(query);
    if (first >= page.total) return page;
    const auto last = first + std::min<std::uint64_t>(query.page_size, page.total - first);
    const ordered_view<Order> order(empty_shelf, query.descending);
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(last), found.end(),
                      [&](const entry* a, const entry* b) { return order.before(*a, *b); });
    for (auto i = first; i < last; ++i)
        page.images.push_back(found[static_cast<std::size_t>(i)]->item.record);
    return page;
}

template <class Order>
image_page page_by(const image_query& query, const query_scope& scope, const std::string& folded) {
    return folded.empty() ? page_of_all<Order>(query, scope) : page_of_found<Order>(query, scope, folded);
}

}  // namespace

struct catalog::state {
    mutable std::shared_mutex mutex;
    std::map<tenant_id, tenant_images> tenants;
    std::unordered_map<image_id, const entry*> by_id;
    std::unordered_map<std::string_view, const entry*> by_public_key;

    [[nodiscard]] const tenant_images* tenant(const tenant_id& id) const {
        const auto found = tenants.find(id);
        return found == tenants.end() ? nullptr : &found->second;
    }

    void remove(std::map<tenant_id, tenant_images>::iterator where, const entry* e) {
        auto& images = where->second;
        by_id.erase(e->record().id);
        if (!e->record().public_key.empty()) by_public_key.erase(e->record().public_key);
        images.by_key.erase(e->record().key);
        images.in_order_of_key.erase(e->record().key);
        images.shelf_of(*e).remove(e);
    }

    /// Keeps shared_with_system right after @p key of @p owner came or went.
    void note_key(const tenant_id& owner, const std::string& key) {
        const auto note = [&](const tenant_id& id, tenant_images& images, bool in_system) {
            if (id == system_tenant) return;
            if (in_system && images.by_key.contains(key))
                images.shared_with_system.insert(key);
            else
                images.shared_with_system.erase(key);
        };
        const auto* system = tenant(system_tenant);
        const bool in_system = system != nullptr && system->by_key.contains(key);
        if (owner == system_tenant) {
            for (auto& [id, images] : tenants)
                note(id, images, in_system);
        } else if (const auto found = tenants.find(owner); found != tenants.end()) {
            note(owner, found->second, in_system);
        }
    }

    [[nodiscard]] query_scope scope_of(const image_query& query) const {
        query_scope scope;
        const auto which = static_cast<std::size_t>(query.sub_type);
        const auto* own = tenant(query.tenant);
        if (own != nullptr) scope.own = &own->shelves[which];
        if (!query.include_system || query.tenant == system_tenant) return scope;
        const auto* system = tenant(system_tenant);
        if (system == nullptr) return scope;
        scope.system = &system->shelves[which];
        if (own == nullptr) return scope;
        for (const auto& key : own->shared_with_system)
            if (const auto* e = system->by_key.at(key); e->record().sub_type == query.sub_type)
                scope.hidden.push_back(e);
        std::sort(scope.hidden.begin(), scope.hidden.end(), std::less<>{});
        return scope;
    }
};

catalog::catalog() : state_(std::make_unique<state>()) {}
catalog::~catalog() = default;

stored catalog::find(const tenant_id& tenant, std::string_view key) const {
    const std::shared_lock lock(state_->mutex);
    const auto* images = state_->tenant(tenant);
    if (images == nullptr) return {};
    const auto found = images->by_key.find(key);
    return found == images->by_key.end() ? stored{} : found->second->item;
}

stored catalog::find_by_id(const image_id& id) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->by_id.find(id);
    return found == state_->by_id.end() ? stored{} : found->second->item;
}

stored catalog::find_by_public_key(std::string_view public_key) const {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->by_public_key.find(public_key);
    return found == state_->by_public_key.end() ? stored{} : found->second->item;
}

void catalog::put(stored item) {
    entry fresh{std::move(item), {}, 0};
    fresh.folded_title = fold_case(fresh.record().title);
    const auto tenant = fresh.record().tenant;
    const auto key = fresh.record().key;

    const std::unique_lock lock(state_->mutex);
    const auto where = state_->tenants.try_emplace(tenant).first;
    auto& images = where->second;
    const auto old = images.by_key.find(key);
    const bool is_new = old == images.by_key.end();
    if (!is_new) state_->remove(where, old->second);
    auto& shelf = images.shelf_of(fresh);
    const auto* added = shelf.add(std::move(fresh));
    images.by_key.emplace(added->record().key, added);
    images.in_order_of_key.emplace(added->record().key, added);
    state_->by_id.emplace(added->record().id, added);
    if (!added->record().public_key.empty()) state_->by_public_key.emplace(added->record().public_key, added);
    if (is_new) state_->note_key(tenant, key);
}

void catalog::erase(const tenant_id& tenant, std::string_view key) {
    const std::unique_lock lock(state_->mutex);
    const auto where = state_->tenants.find(tenant);
    if (where == state_->tenants.end()) return;
    const auto found = where->second.by_key.find(key);
    if (found == where->second.by_key.end()) return;
    const std::string name(key);
    state_->remove(where, found->second);
    state_->note_key(tenant, name);
    if (where->second.by_key.empty()) state_->tenants.erase(where);
}

std::size_t catalog::titles_to_search(const image_query& query) const {
    if (query.text_search.empty()) return 0;
    const std::shared_lock lock(state_->mutex);
    const auto scope = state_->scope_of(query);
    return (scope.own != nullptr ? scope.own->entries.size() : 0) +
           (scope.system != nullptr ? scope.system->entries.size() : 0);
}

result<image_page> catalog::list(const image_query& query) const {
    if (query.page_size == 0) return error{errc::invalid_argument, "The page size is 0; it is at least 1."};
    if (!is_utf8(query.text_search))
        return error{errc::invalid_argument, "The text to search for is not UTF-8."};
    const auto folded = fold_case(query.text_search);
    const std::shared_lock lock(state_->mutex);
    const auto scope = state_->scope_of(query);
    switch (query.sort) {
        case image_sort::created_time:
            return page_by<by_created_time>(query, scope, folded);
        case image_sort::title:
            return page_by<by_title>(query, scope, folded);
        case image_sort::resource_key:
            return page_by<by_key>(query, scope, folded);
        case image_sort::size:
            return page_by<by_size>(query, scope, folded);
        case image_sort::resource_type:
            return page_by<by_id>(query, scope, folded);
        case image_sort::tenant:
            return page_by<by_tenant>(query, scope, folded);
    }
    return error{errc::invalid_argument, "Unknown order of images."};
}

result<scan_page<record_ptr>> catalog::scan(std::optional<tenant_id> tenant, std::string_view cursor,
                                            std::size_t limit) const {
    const auto refused = [&] {
        return error{errc::invalid_argument,
                     "\"" + std::string(cursor) + "\" is no cursor of this scan; begin with an empty one."};
    };
    if (limit == 0) return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
    std::optional<tenant_id> begin = tenant;
    std::string_view after;
    if (!cursor.empty()) {
        if (!cursor.starts_with(cursor_prefix)) return refused();
        const auto id = parse_uuid(cursor.substr(cursor_prefix.size(), uuid_length));
        const auto colon = cursor_prefix.size() + uuid_length;
        if (!id || cursor.size() <= colon || cursor[colon] != ':') return refused();
        if (tenant && *tenant != tenant_id{*id}) return refused();
        begin = tenant_id{*id};
        after = cursor.substr(colon + 1);
    }

    scan_page<record_ptr> page;
    const std::shared_lock lock(state_->mutex);
    auto where = begin ? state_->tenants.lower_bound(*begin) : state_->tenants.begin();
    for (; where != state_->tenants.end() && (!tenant || where->first == *tenant); ++where) {
        const auto& keys = where->second.in_order_of_key;
        const bool resumes = !cursor.empty() && where->first == *begin;
        for (auto at = resumes ? keys.upper_bound(after) : keys.begin(); at != keys.end(); ++at) {
            if (page.items.size() == limit) {
                const auto& last = *page.items.back();
                page.cursor = std::string(cursor_prefix) + to_string(last.tenant) + ':' + last.key;
                return page;
            }
            page.items.push_back(at->second->item.record);
        }
    }
    return page;
}

std::size_t catalog::size() const {
    const std::shared_lock lock(state_->mutex);
    return state_->by_id.size();
}

std::uint64_t catalog::verify(std::vector<std::string>& problems) const {
    const std::shared_lock lock(state_->mutex);
    const auto report = [&](const image_record& record, const char* what) {
        if (problems.size() < 1000)
            problems.push_back(std::string(what) + " of " + describe(record.tenant, record.key) +
                               " is not in the index; restart the server, which builds it anew.");
    };
    std::uint64_t entries = 0;
    std::size_t records = 0;
    for (const auto& [id, images] : state_->tenants) {
        for (const auto& part : images.shelves) {
            entries += part.entries.size() * 5;
            records += part.entries.size();
            for (const auto& e : part.entries) {
                const auto by_id = state_->by_id.find(e.record().id);
                if (by_id == state_->by_id.end() || by_id->second != &e) report(e.record(), "The id");
                const auto key = images.by_key.find(e.record().key);
                if (key == images.by_key.end() || key->second != &e) report(e.record(), "The key");
                if (!e.record().public_key.empty()) {
                    const auto link = state_->by_public_key.find(e.record().public_key);
                    if (link == state_->by_public_key.end() || link->second != &e)
                        report(e.record(), "The public key");
                }
            }
        }
        entries += images.by_key.size();
    }
    entries += state_->by_id.size() + state_->by_public_key.size();
    if (records != state_->by_id.size())
        problems.push_back("The index has " + std::to_string(state_->by_id.size()) + " ids for " +
                           std::to_string(records) + " records; restart the server, which builds it anew.");
    return entries;
}

}  // namespace gallery::store_index
