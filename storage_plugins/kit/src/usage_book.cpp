// SPDX-License-Identifier: Apache-2.0
#include <gallery/kit/usage_book.hpp>

#include <gallery/kit/rules.hpp>

namespace gallery::kit {
namespace {

void add(usage_figures& to, const usage_figures& what) noexcept {
    to.count += what.count;
    to.original_bytes += what.original_bytes;
    to.preview_bytes += what.preview_bytes;
}

void subtract(usage_figures& from, const usage_figures& what) noexcept {
    from.count -= what.count;
    from.original_bytes -= what.original_bytes;
    from.preview_bytes -= what.preview_bytes;
}

void apply_to(tenant_usage& usage, const usage_book::difference& by) noexcept {
    add(usage.images, by.added.images);
    add(usage.kept, by.added.kept);
    subtract(usage.images, by.removed.images);
    subtract(usage.kept, by.removed.kept);
}

/// What a write adds beyond what it takes away, of each figure.
usage_figures growth(const usage_book::difference& by) noexcept {
    const auto beyond = [](std::uint64_t added, std::uint64_t removed) {
        return added > removed ? added - removed : 0;
    };
    return {beyond(by.added.images.count, by.removed.images.count),
            beyond(by.added.images.original_bytes, by.removed.images.original_bytes),
            beyond(by.added.images.preview_bytes, by.removed.images.preview_bytes)};
}

}  // namespace

std::optional<usage_book::charge> usage_book::take(const tenant_id& tenant, const difference& by,
                                                   const usage_limit& limit) {
    const lock_guard lock(mutex_);
    auto& mine = accounts_[tenant];
    const auto grown = growth(by);
    auto before = mine.stored.images;
    add(before, mine.reserved);
    auto after = before;
    add(after, grown);
    if (!limit.allows(before, after)) {
        if (mine.stored == tenant_usage{} && mine.reserved == usage_figures{}) accounts_.erase(tenant);
        return std::nullopt;
    }
    add(mine.reserved, grown);
    return charge(*this, tenant, by);
}

void usage_book::end(const charge& what, bool committed) noexcept {
    const lock_guard lock(mutex_);
    // A charge that reserves nothing, as that of a kept version, does not keep an empty account.
    const auto where = accounts_.try_emplace(what.tenant_).first;
    subtract(where->second.reserved, growth(what.by_));
    settle(where, committed ? what.by_ : difference{});
}

void usage_book::apply(const tenant_id& tenant, const difference& by) {
    const lock_guard lock(mutex_);
    settle(accounts_.try_emplace(tenant).first, by);
}

void usage_book::settle(std::unordered_map<tenant_id, account>::iterator where,
                        const difference& by) noexcept {
    apply_to(where->second.stored, by);
    apply_to(all_, by);
    if (where->second.stored == tenant_usage{} && where->second.reserved == usage_figures{})
        accounts_.erase(where);
}

tenant_usage usage_book::usage(const std::optional<tenant_id>& tenant) const {
    const lock_guard lock(mutex_);
    if (!tenant) return all_;
    const auto found = accounts_.find(*tenant);
    return found == accounts_.end() ? tenant_usage{} : found->second.stored;
}

usage_book::difference usage_book::of_write(const image_record* previous, const image_record* next,
                                            const previous_version& rule) noexcept {
    difference by;
    if (next != nullptr) by.added.images = figures_of(*next);
    if (previous != nullptr) by.removed.images = figures_of(*previous);
    if (previous != nullptr && rule.is_kept()) by.added.kept = figures_of(*previous);
    return by;
}

usage_book::difference usage_book::of_dropping(const image_record& kept) noexcept {
    difference by;
    by.removed.kept = figures_of(kept);
    return by;
}

usage_book::difference usage_book::of_keeping(const image_record& kept) noexcept {
    difference by;
    by.added.kept = figures_of(kept);
    return by;
}

}  // namespace gallery::kit
