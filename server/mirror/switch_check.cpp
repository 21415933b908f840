// SPDX-License-Identifier: Apache-2.0
#include "mirror/switch_check.hpp"

#include "mirror/at_once.hpp"
#include "mirror/sameness.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace gallery::mirror {

namespace {

constexpr std::size_t feed_batch = 1'000;

constexpr const char* is_missing = "is missing in the mirror";
constexpr const char* is_surplus_text = "is only in the mirror";
constexpr const char* is_different = "differs in the mirror";

scan_reader<document> reader_of(document_store& store, std::size_t page) {
    return scan_reader<document>(
        [&store, page](std::string cursor) { return store.scan("", std::move(cursor), page); });
}

scan_reader<record_ptr> reader_of(image_store& store, std::size_t page) {
    return scan_reader<record_ptr>([&store, page](std::string cursor) {
        const std::optional<tenant_id> everybody;
        return store.scan(everybody, std::move(cursor), page);
    });
}

document_name name_of_document(const document& of) {
    return {of.kind, of.id};
}

bool is_same_document(const document& a, const document& b) {
    return !is_copied(a.kind) || a.body == b.body;
}

image_name name_of_image(const record_ptr& of) {
    return {of->tenant, of->key};
}

bool is_same_record(const record_ptr& a, const record_ptr& b) {
    return is_same_image(*a, *b);
}

std::string text_of(const image_name& name) {
    return "the " + item_of_image(name.first, name.second);
}
std::string text_of(const document_name& name) {
    return "the " + item_of_document(name.first, name.second);
}
std::string text_of(const image_id& id) {
    return "the sequence of kept versions of the image " + to_string(id);
}

bool is_compared(const image_name&) {
    return true;
}
bool is_compared(const document_name& name) {
    return is_copied(name.first);
}

/// @p a and @p b: what was found in the source and in the target.
template <class T, class Same>
result<std::string> difference_between(const result<T>& a, const result<T>& b, const Same& is_same) {
    const auto is_absent = [](const result<T>& of) { return !of && of.error().code == errc::not_found; };
    const auto is_bad = [](const result<T>& of) { return !of && is_damage(of.error()); };
    if (!a && !is_absent(a) && !is_bad(a)) return of_source(a.error());
    if (!b && !is_absent(b) && !is_bad(b)) return of_target(b.error());
    if (is_bad(a)) return std::string("cannot be read from the store");
    if (is_bad(b)) return std::string("cannot be read from the mirror");
    if (!a && !b) return std::string();
    if (!b) return std::string(is_missing);
    if (!a) return std::string(is_surplus_text);
    return std::string(is_same(*a, *b) ? "" : is_different);
}

task<result<bool>> contains(image_store& store, kept_version version, std::size_t page) {
    const auto versions = co_await versions_of(store, version.record->id, page);
    if (!versions) co_return versions.error();
    co_return std::any_of(versions->begin(), versions->end(),
                          [&version](const kept_version& one) { return is_same_version(one, version); });
}

}  // namespace

switch_check::switch_check(work& all, revision position)
    : all_(all),
      position_(position),
      source_documents_(reader_of(all.from.documents(), all.options.page)),
      target_documents_(reader_of(all.to.documents(), all.options.page)),
      source_images_(reader_of(all.from.images(), all.options.page)),
      target_images_(reader_of(all.to.images(), all.options.page)),
      source_kept_(all.from.images(), all.options.page),
      target_kept_(all.to.images(), all.options.page) {}

// ---- the pass --------------------------------------------------------------------------------------

task<result<void>> switch_check::compare_page() {
    result<bool> has_ended = true;
    part next = part::end;
    switch (at_) {
        case part::documents:
            next = part::images;
            has_ended = co_await compare_ordered<document, document_name>(
                source_documents_, target_documents_, name_of_document, is_same_document);
            break;
        case part::images:
            next = part::kept;
            has_ended = co_await compare_ordered<record_ptr, image_name>(source_images_, target_images_,
                                                                         name_of_image, is_same_record);
            break;
        case part::kept:
            has_ended = co_await compare_kept();
            break;
        case part::end:
            break;
    }
    if (!has_ended) co_return has_ended.error();
    if (*has_ended) at_ = next;
    co_return result<void>();
}

/// Both scans are in the order of the names.
template <class Item, class Name>
task<result<bool>> switch_check::compare_ordered(scan_reader<Item>& source, scan_reader<Item>& target,
                                                 Name (*name)(const Item&),
                                                 bool (*is_same)(const Item&, const Item&)) {
    for (std::size_t i = 0; i < all_.options.page; ++i) {
        const auto wanted = co_await source.current();
        if (!wanted) co_return of_source(wanted.error());
        const auto there = co_await target.current();
        if (!there) co_return of_target(there.error());
        const Item* const ours = *wanted;
        const Item* const theirs = *there;
        if (ours == nullptr && theirs == nullptr) co_return true;
        const bool is_ours = theirs == nullptr || (ours != nullptr && name(*ours) <= name(*theirs));
        const bool is_theirs = ours == nullptr || (theirs != nullptr && name(*theirs) <= name(*ours));
        const bool is_equal = is_ours && is_theirs && is_same(*ours, *theirs);
        Name found = name(is_ours ? *ours : *theirs);
        if (!is_equal && is_compared(found)) add(std::move(found));
        if (is_ours) source.skip();
        if (is_theirs) target.skip();
    }
    co_return false;
}

/// Versions are dropped anywhere in the sequence and kept at its end. The sequences are brought in step again
/// behind each difference.
task<result<bool>> switch_check::compare_kept() {
    for (std::size_t i = 0; i < all_.options.page; ++i) {
        const auto wanted = co_await source_kept_.current();
        if (!wanted) co_return of_source(wanted.error());
        const auto there = co_await target_kept_.current();
        if (!there) co_return of_target(there.error());
        const auto& ours = *wanted;
        const auto& theirs = *there;
        if (!ours && !theirs) co_return true;
        bool is_in_target = false;
        bool is_in_source = false;
        const bool is_same = ours && theirs && is_same_version(*ours, *theirs);
        if (!is_same && ours) {
            add(ours->record->id);
            kept_version copy = *ours;
            const auto found = co_await contains(all_.to.images(), std::move(copy), all_.options.page);
            if (!found) co_return of_target(found.error());
            is_in_target = *found;
        }
        if (!is_same && theirs) {
            add(theirs->record->id);
            kept_version copy = *theirs;
            const auto found = co_await contains(all_.from.images(), std::move(copy), all_.options.page);
            if (!found) co_return of_source(found.error());
            is_in_source = *found;
        }
        // One that is also in the other store comes there later, unless both are in another order.
        const bool is_disorder = is_in_target && is_in_source;
        if (is_same || is_disorder || !is_in_target) source_kept_.skip();
        if (is_same || is_disorder || !is_in_source) target_kept_.skip();
    }
    co_return false;
}

// ---- the changes -----------------------------------------------------------------------------------

task<result<void>> switch_check::note_changes(revision position, bool is_end) {
    while (position_ < position) {
        const auto batch = co_await all_.from.feed().changes(position_, feed_batch);
        if (!batch) co_return of_source(batch.error());
        if (batch->gap) {
            co_return error{errc::busy,
                            "changes were lost from the feed while the stores were compared. Try again when "
                            "there is less load."};
        }
        for (const auto& one : batch->changes) {
            if (one.rev > position) break;
            change copy = one;
            if (auto noted = co_await note(std::move(copy)); !noted) co_return noted;
        }
        position_ = batch->changes.empty() ? position : std::min(batch->next, position);
    }
    if (is_end) co_return verdict();
    co_return result<void>();
}

task<result<void>> switch_check::note(change one) {
    switch (one.what) {
        case change::kind::image_saved:
        case change::kind::image_updated:
        case change::kind::image_erased:
            add(image_name(one.tenant, one.key));
            break;
        case change::kind::document_saved:
        case change::kind::document_erased:
            if (is_copied(one.document_kind)) add(document_name(one.document_kind, one.document_id));
            co_return result<void>();
        case change::kind::version_kept:
            break;
        case change::kind::version_dropped:
            add(one.id);
            co_return result<void>();
    }
    if (one.kept == 0) co_return result<void>();
    // If it has been dropped since, that change names its image.
    const auto version = co_await version_kept_by(all_, std::move(one));
    if (!version) co_return version.error();
    if (*version) add((*version)->record->id);
    co_return result<void>();
}

// ---- the open items --------------------------------------------------------------------------------

task<result<void>> switch_check::compare_open() {
    std::vector<item> items;
    items.reserve(open_.size());
    for (const auto& each : open_)
        items.push_back(each.first);
    std::function<task<result<void>>(item)> one = [this](item what) { return compare(std::move(what)); };
    co_return co_await for_each_at_once(std::move(items), all_.options.at_once, std::move(one));
}

task<result<void>> switch_check::compare(item what) {
    if (auto may = all_.may_go_on(); !may) co_return may;
    item copy = what;
    auto comparing = std::visit([this](auto&& name) { return difference(std::move(name)); }, std::move(copy));
    auto found = co_await std::move(comparing);
    if (!found) co_return found.error();
    if (found->empty()) {
        open_.erase(what);
    } else {
        open_[what] = std::move(*found);
    }
    co_return result<void>();
}

task<result<std::string>> switch_check::difference(image_name name) {
    std::string key = name.second;
    const auto there = co_await all_.to.images().find(name.first, std::move(key));
    const auto wanted = co_await all_.from.images().find(name.first, std::move(name.second));
    co_return difference_between(wanted, there, is_same_record);
}

task<result<std::string>> switch_check::difference(document_name name) {
    std::string kind = name.first;
    std::string id = name.second;
    const auto there = co_await all_.to.documents().find(std::move(kind), std::move(id));
    const auto wanted = co_await all_.from.documents().find(std::move(name.first), std::move(name.second));
    co_return difference_between(wanted, there, is_same_document);
}

task<result<std::string>> switch_check::difference(image_id id) {
    const auto there = co_await versions_of(all_.to.images(), id, all_.options.page);
    const auto wanted = co_await versions_of(all_.from.images(), id, all_.options.page);
    const auto is_same = [](const std::vector<kept_version>& a, const std::vector<kept_version>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same_version);
    };
    co_return difference_between(wanted, there, is_same);
}

result<void> switch_check::verdict() const {
    const auto differs = [](const auto& each) { return !each.second.empty(); };
    const auto first = std::find_if(open_.begin(), open_.end(), differs);
    if (first == open_.end()) return {};
    const auto others = std::count_if(open_.begin(), open_.end(), differs) - 1;
    std::string text = std::visit([](const auto& name) { return text_of(name); }, first->first);
    text += " " + first->second + ", although all changes were applied";
    if (others > 0) text += " (and " + std::to_string(others) + " more)";
    return error{errc::corrupt, text + ". Verify the mirror: gallery-admin mirror verify"};
}

}  // namespace gallery::mirror
