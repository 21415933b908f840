// SPDX-License-Identifier: Apache-2.0
#include "plugins/shifted_engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace gallery::plugins {

namespace {

/// 0 is not a revision.
constexpr precondition never = precondition::match(0);

bool is_match(precondition condition) noexcept {
    constexpr revision unreached = std::numeric_limits<revision>::max();
    return !condition.holds(0) && !condition.holds(unreached);
}

std::size_t slot_of(const image_record* address, std::size_t slots) noexcept {
    // Records are hundreds of bytes apart; the product mixes all bits into the upper ones.
    const auto mixed = (reinterpret_cast<std::uintptr_t>(address) >> 4) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed >> 40) % slots;
}

}  // namespace

// ---- conversions -----------------------------------------------------------------------------------

revision_shift::revision_shift(revision base) : base_(base), mark_("\x01" + std::to_string(base) + "\x01") {}

record_ptr revision_shift::copied_out(const record_ptr& own) const {
    if (!own) return own;
    auto copy = std::make_shared<image_record>(*own);
    copy->rev = out(copy->rev);
    copy->content_rev = out(copy->content_rev);
    return copy;
}

record_ptr revision_shift::out(const record_ptr& own) {
    if (!own) return own;
    recent& mine = recent_.mine();
    pair& known = mine.by_own[slot_of(own.get(), mine.by_own.size())];
    if (known.own != own) {
        known = {own, copied_out(own)};
        mine.by_shifted[slot_of(known.shifted.get(), mine.by_shifted.size())] = known;
    }
    return known.shifted;
}

record_ptr revision_shift::in(const image_record& shifted) {
    recent& mine = recent_.mine();
    const pair& known = mine.by_shifted[slot_of(&shifted, mine.by_shifted.size())];
    if (known.shifted.get() == &shifted) return known.own;
    auto copy = std::make_shared<image_record>(shifted);
    copy->rev = in(copy->rev);
    copy->content_rev = in(copy->content_rev);
    return copy;
}

void revision_shift::shift(kept_version& version) const {
    version.record = copied_out(version.record);
    version.kept_rev = out(version.kept_rev);
}

void revision_shift::shift(write_outcome& outcome) {
    outcome.rev = out(outcome.rev);
    outcome.record = out(outcome.record);
    outcome.kept = out(outcome.kept);
}

std::string revision_shift::cursor_out(std::string own) const {
    return own.empty() ? own : mark_ + own;
}

result<std::string> revision_shift::cursor_in(std::string shifted) const {
    if (shifted.empty()) return shifted;
    if (!shifted.starts_with(mark_))
        return error{errc::stale, "The store was switched during a scan. Begin the scan again"};
    return shifted.substr(mark_.size());
}

// ---- images ----------------------------------------------------------------------------------------

namespace {

task<result<record_ptr>> shifted_record(task<result<record_ptr>> asked, revision_shift& by) {
    auto found = co_await std::move(asked);
    if (found) *found = by.out(*found);
    co_return found;
}

task<result<scan_page<kept_version>>> shifted_page(task<result<scan_page<kept_version>>> asked,
                                                   revision_shift& by) {
    auto page = co_await std::move(asked);
    if (!page) co_return page;
    for (auto& version : page->items)
        by.shift(version);
    page->cursor = by.cursor_out(std::move(page->cursor));
    co_return page;
}

task<result<write_outcome>> shifted_outcome(task<result<write_outcome>> asked, revision_shift& by) {
    auto outcome = co_await std::move(asked);
    if (outcome) by.shift(*outcome);
    co_return outcome;
}

}  // namespace

task<result<record_ptr>> shifted_images::find(tenant_id tenant, std::string key) {
    return shifted_record(inner_.find(tenant, std::move(key)), by_);
}

task<result<record_ptr>> shifted_images::find_by_id(image_id id) {
    return shifted_record(inner_.find_by_id(id), by_);
}

task<result<record_ptr>> shifted_images::find_by_public_key(std::string public_key) {
    return shifted_record(inner_.find_by_public_key(std::move(public_key)), by_);
}

task<result<std::vector<record_ptr>>> shifted_images::find_by_content(tenant_id tenant, sha256_digest etag) {
    auto found = co_await inner_.find_by_content(tenant, etag);
    if (!found) co_return found;
    for (auto& record : *found)
        record = by_.copied_out(record);
    co_return found;
}

task<result<body>> shifted_images::read(record_ptr record, representation which) {
    if (!record) return inner_.read(std::move(record), which);
    return inner_.read(by_.in(*record), which);
}

task<result<body>> shifted_images::read_aside(record_ptr record, representation which) {
    if (!record) return inner_.read_aside(std::move(record), which);
    return inner_.read_aside(by_.in(*record), which);
}

task<result<void>> shifted_images::check_body(record_ptr record, representation which) {
    if (!record) return inner_.check_body(std::move(record), which);
    return inner_.check_body(by_.in(*record), which);
}

std::optional<record_ptr> shifted_images::find_now(const tenant_id& tenant, std::string_view key) {
    auto found = inner_.find_now(tenant, key);
    if (found) *found = by_.out(*found);
    return found;
}

std::optional<record_ptr> shifted_images::find_by_public_key_now(std::string_view public_key) {
    auto found = inner_.find_by_public_key_now(public_key);
    if (found) *found = by_.out(*found);
    return found;
}

std::optional<body> shifted_images::read_now(const image_record& record, representation which) {
    const auto own = by_.in(record);
    if (own->content_rev == 0) return std::nullopt;
    return inner_.read_now(*own, which);
}

task<result<image_page>> shifted_images::list(image_query query) {
    auto page = co_await inner_.list(std::move(query));
    if (!page) co_return page;
    for (auto& record : page->images)
        record = by_.copied_out(record);
    co_return page;
}

task<result<scan_page<record_ptr>>> shifted_images::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                         std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto page = co_await inner_.scan(tenant, std::move(*own), limit);
    if (!page) co_return page;
    for (auto& record : page->items)
        record = by_.copied_out(record);
    page->cursor = by_.cursor_out(std::move(page->cursor));
    co_return page;
}

task<result<checked_page<record_ptr>>> shifted_images::scan_readable(std::string cursor, std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto found = co_await inner_.scan_readable(std::move(*own), limit);
    if (!found) co_return found;
    for (auto& record : found->page.items)
        record = by_.copied_out(record);
    found->page.cursor = by_.cursor_out(std::move(found->page.cursor));
    co_return found;
}

task<result<tenant_usage>> shifted_images::usage(std::optional<tenant_id> tenant) {
    return inner_.usage(tenant);
}

task<result<scan_page<kept_version>>> shifted_images::kept(std::optional<tenant_id> tenant, kept_order order,
                                                           std::string cursor, std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto asked = inner_.kept(tenant, order, std::move(*own), limit);
    co_return co_await shifted_page(std::move(asked), by_);
}

task<result<checked_page<kept_version>>> shifted_images::kept_readable(std::string cursor,
                                                                       std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto found = co_await inner_.kept_readable(std::move(*own), limit);
    if (!found) co_return found;
    for (auto& version : found->page.items)
        by_.shift(version);
    found->page.cursor = by_.cursor_out(std::move(found->page.cursor));
    co_return found;
}

task<result<scan_page<kept_version>>> shifted_images::kept_of(image_id id, std::string cursor,
                                                              std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto asked = inner_.kept_of(id, std::move(*own), limit);
    co_return co_await shifted_page(std::move(asked), by_);
}

task<result<kept_version>> shifted_images::find_kept(image_id id, revision content_rev) {
    auto found = co_await inner_.find_kept(id, by_.in(content_rev));
    if (found) by_.shift(*found);
    co_return found;
}

/// The condition on the engine's own revisions. A revision that is replaced never becomes the current one
/// again, so a match that does not hold now never holds.
task<result<precondition>> shifted_images::own_condition(precondition condition, tenant_id tenant,
                                                         std::string key) {
    if (!is_match(condition)) co_return condition;
    const auto current = co_await inner_.find(tenant, std::move(key));
    if (!current && current.error().code != errc::not_found) co_return current.error();
    const bool holds = current && condition.holds(by_.out((*current)->rev));
    co_return holds ? precondition::match((*current)->rev) : never;
}

task<result<write_outcome>> shifted_images::save(image_record record, body original, body preview,
                                                 write_rules rules) {
    std::string key = record.key;
    const auto condition = co_await own_condition(rules.condition, record.tenant, std::move(key));
    if (!condition) co_return condition.error();
    rules.condition = *condition;
    auto saving = inner_.save(std::move(record), std::move(original), std::move(preview), rules);
    co_return co_await shifted_outcome(std::move(saving), by_);
}

task<result<write_outcome>> shifted_images::update(image_record record, precondition condition) {
    std::string key = record.key;
    const auto own = co_await own_condition(condition, record.tenant, std::move(key));
    if (!own) co_return own.error();
    auto updating = inner_.update(std::move(record), *own);
    co_return co_await shifted_outcome(std::move(updating), by_);
}

task<result<write_outcome>> shifted_images::erase(tenant_id tenant, std::string key, write_rules rules) {
    std::string name = key;
    const auto condition = co_await own_condition(rules.condition, tenant, std::move(name));
    if (!condition) co_return condition.error();
    rules.condition = *condition;
    auto erasing = inner_.erase(tenant, std::move(key), rules);
    co_return co_await shifted_outcome(std::move(erasing), by_);
}

task<result<write_outcome>> shifted_images::save_kept(image_record record, body original, body preview,
                                                      std::int64_t kept_time, bool is_erased) {
    return shifted_outcome(
        inner_.save_kept(std::move(record), std::move(original), std::move(preview), kept_time, is_erased),
        by_);
}

task<result<write_outcome>> shifted_images::drop_kept(image_id id, revision content_rev) {
    return shifted_outcome(inner_.drop_kept(id, by_.in(content_rev)), by_);
}

// ---- documents and changes -------------------------------------------------------------------------

task<result<document>> shifted_documents::find(std::string kind, std::string id) {
    auto found = co_await inner_.find(std::move(kind), std::move(id));
    if (found) found->rev = by_.out(found->rev);
    co_return found;
}

task<result<scan_page<document>>> shifted_documents::scan(std::string kind, std::string cursor,
                                                          std::size_t limit) {
    auto own = by_.cursor_in(std::move(cursor));
    if (!own) co_return own.error();
    auto page = co_await inner_.scan(std::move(kind), std::move(*own), limit);
    if (!page) co_return page;
    for (auto& doc : page->items)
        doc.rev = by_.out(doc.rev);
    page->cursor = by_.cursor_out(std::move(page->cursor));
    co_return page;
}

task<result<documents_outcome>> shifted_documents::write(std::vector<document_write> parts) {
    for (auto& part : parts) {
        if (!is_match(part.condition)) continue;
        std::string kind = part.doc.kind;
        std::string id = part.doc.id;
        const auto current = co_await inner_.find(std::move(kind), std::move(id));
        if (!current && current.error().code != errc::not_found) co_return current.error();
        const bool holds = current && part.condition.holds(by_.out(current->rev));
        part.condition = holds ? precondition::match(current->rev) : never;
    }
    auto outcome = co_await inner_.write(std::move(parts));
    if (!outcome) co_return outcome;
    for (auto& rev : outcome->revs)
        rev = by_.out(rev);
    outcome->current = by_.out(outcome->current);
    co_return outcome;
}

task<result<change_batch>> shifted_feed::changes(revision after, std::size_t limit) {
    if (after < by_.base() && limit > 0) {
        // The position is noted first, so that what the caller reads anew contains all changes before it.
        change_batch lost;
        lost.gap = true;
        lost.horizon = std::chrono::steady_clock::now();
        const auto last = co_await inner_.last();
        if (!last) co_return last.error();
        lost.next = by_.base() + *last;
        co_return lost;
    }
    auto batch = co_await inner_.changes(std::max(after, by_.base()) - by_.base(), limit);
    if (!batch) co_return batch;
    batch->next += by_.base();
    for (auto& one : batch->changes) {
        one.rev = by_.out(one.rev);
        one.kept = by_.out(one.kept);
    }
    co_return batch;
}

task<result<revision>> shifted_feed::last() {
    auto last = co_await inner_.last();
    if (last) *last += by_.base();
    co_return last;
}

void shifted_feed::on_change(std::function<void()> notify) {
    inner_.on_change(std::move(notify));
}

shifted_engine::shifted_engine(storage_engine& inner, revision base)
    : forwarding_engine(inner),
      by_(base),
      images_(inner.images(), by_),
      documents_(inner.documents(), by_),
      feed_(inner.feed(), by_) {}

}  // namespace gallery::plugins
