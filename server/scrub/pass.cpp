// SPDX-License-Identifier: Apache-2.0
#include "scrub/pass.hpp"

#include <gallery/image_store.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace gallery::scrub {

namespace {

/// What a small read costs a disk besides its bytes, so that many small bodies are not read without a pause.
constexpr std::uint64_t least_price = 4096;

/// Records that cannot be read are logged at each pass, because nothing remembers them.
constexpr std::uint64_t most_logged = 50;

/// Whether an error is about what is stored, rather than about being able to ask.
bool is_damage(const error& e) noexcept {
    return e.code == errc::corrupt || e.code == errc::io_error;
}

damaged_body named(const image_record& record, representation which) {
    damaged_body out;
    out.id = record.id;
    out.content_rev = record.content_rev;
    out.which = which;
    out.tenant = record.tenant;
    out.key = record.key;
    return out;
}

}  // namespace

task<result<void>> pass::begin(saved_scrub& state) {
    const std::optional<tenant_id> everybody;
    const auto used = co_await store_.images().usage(everybody);
    if (!used) co_return used.error();
    state.is_running = true;
    state.started_at = options_.now();
    state.at = stage::known;
    state.cursor.clear();
    state.done = {};
    state.total = {};
    state.total.images = used->images.count;
    state.total.versions = used->kept.count;
    state.total.bytes = used->images.original_bytes + used->images.preview_bytes + used->kept.original_bytes +
                        used->kept.preview_bytes;
    state.problem.clear();
    co_return result<void>();
}

task<result<piece>> pass::advance(saved_scrub& state) {
    switch (state.at) {
        case stage::known:
            return known(state);
        case stage::images:
            return images(state);
        case stage::kept:
            break;
    }
    return kept(state);
}

void pass::next_stage(saved_scrub& state) {
    state.cursor.clear();
    state.at = state.at == stage::known ? stage::images : stage::kept;
}

task<result<piece>> pass::known(saved_scrub& state) {
    const std::vector<damaged_body> noted = state.damage.all();
    figures not_counted;  // they are read again with their images
    for (const auto& each : noted) {
        const auto record = co_await find_version(each);
        if (!record) co_return record.error();
        if (!*record) {
            state.damage.remove(each);
            continue;
        }
        auto reading = one_body(state, *record, each.which, not_counted);
        const auto read = co_await std::move(reading);
        if (!read || *read != piece::done) co_return read;
    }
    next_stage(state);
    co_return piece::done;
}

task<result<record_ptr>> pass::find_version(const damaged_body& noted) {
    std::string key = noted.key;
    const auto current = co_await store_.images().find(noted.tenant, std::move(key));
    if (current && (*current)->id == noted.id && (*current)->content_rev == noted.content_rev)
        co_return *current;
    // A record that cannot be read may be that of the body.
    if (!current && current.error().code != errc::not_found && !is_damage(current.error()))
        co_return current.error();
    const auto kept = co_await store_.images().find_kept(noted.id, noted.content_rev);
    if (kept) co_return kept->record;
    if (kept.error().code != errc::not_found && !is_damage(kept.error())) co_return kept.error();
    co_return record_ptr();
}

task<result<piece>> pass::images(saved_scrub& state) {
    std::string cursor = state.cursor;
    const auto found = co_await store_.images().scan_readable(std::move(cursor), options_.page);
    if (!found) co_return end_stage_early(state, found.error(), "the images");
    figures done = state.done;
    for (const auto& record : found->page.items) {
        auto reading = version(state, record, done);
        const auto read = co_await std::move(reading);
        if (!read || *read != piece::done) co_return read;
        ++done.images;
    }
    note_unread(state, found->unreadable, done);
    state.done = done;
    state.cursor = found->page.cursor;
    if (state.cursor.empty()) next_stage(state);
    co_return piece::done;
}

task<result<piece>> pass::kept(saved_scrub& state) {
    std::string cursor = state.cursor;
    const auto found = co_await store_.images().kept_readable(std::move(cursor), options_.page);
    if (!found) co_return end_stage_early(state, found.error(), "the kept versions");
    figures done = state.done;
    for (const auto& one : found->page.items) {
        auto reading = version(state, one.record, done);
        const auto read = co_await std::move(reading);
        if (!read || *read != piece::done) co_return read;
        ++done.versions;
    }
    note_unread(state, found->unreadable, done);
    state.done = done;
    state.cursor = found->page.cursor;
    co_return state.cursor.empty() ? piece::end : piece::done;
}

result<piece> pass::end_stage_early(saved_scrub& state, const error& failed, const char* what) {
    // The store was exchanged, or another version of the engine has written the cursor.
    const bool is_bad_cursor = failed.code == errc::invalid_argument || failed.code == errc::stale;
    if (is_bad_cursor && !state.cursor.empty()) {
        state.at = stage::known;
        state.cursor.clear();
        state.done = {};
        return piece::done;
    }
    if (!is_damage(failed)) return failed;
    const std::vector<std::string> lost{"reading the list of " + std::string(what) +
                                        " ended early, and those after it were not read: " + failed.message};
    note_unread(state, lost, state.done);
    const bool is_last = state.at == stage::kept;
    if (!is_last) next_stage(state);
    return is_last ? piece::end : piece::done;
}

void pass::note_unread(saved_scrub& state, const std::vector<std::string>& texts, figures& done) const {
    for (const auto& text : texts) {
        if (done.unread == 0) state.unread = text;
        if (done.unread < most_logged) options_.log(true, "scrub: not read: " + text);
        if (++done.unread == most_logged) options_.log(true, "scrub: further records are only counted");
    }
}

task<result<piece>> pass::version(saved_scrub& state, record_ptr record, figures& done) {
    auto original = one_body(state, record, representation::original, done);
    const auto read = co_await std::move(original);
    if (!read || *read != piece::done || record->preview_is_original) co_return read;
    auto preview = one_body(state, record, representation::preview, done);
    co_return co_await std::move(preview);
}

task<result<piece>> pass::one_body(saved_scrub& state, record_ptr record, representation which,
                                   figures& done) {
    if (options_.is_interrupted()) co_return piece::interrupted;
    const auto size = record->descriptor(which).size;
    std::function<bool()> interrupted = options_.is_interrupted;
    auto turn = pace_.wait(size + least_price, options_.rate(), std::move(interrupted));
    const bool waited = co_await std::move(turn);
    if (!waited) co_return piece::interrupted;
    auto asking = options_.go_on();
    const auto ours = co_await std::move(asking);
    if (!ours) co_return ours.error();
    if (!*ours) co_return piece::lost;

    auto reading = read_twice(record, which);
    const auto read = co_await std::move(reading);
    auto found = named(*record, which);
    if (!read && is_damage(read.error())) {
        found.problem = read.error().message;
        found.found_at = options_.now();
        const std::string text = "scrub: damaged: " + describe(found) + ": " + found.problem;
        const auto added = state.damage.add(std::move(found));
        if (added == damage_list::addition::added) options_.log(true, text);
        if (added == damage_list::addition::full) ++done.unnamed;
    } else if (!read && read.error().code != errc::stale) {
        co_return read.error();
    } else if (state.damage.remove(found) && read) {
        options_.log(false, "scrub: " + describe(found) + " is sound again");
    }
    ++done.bodies;
    done.bytes += size;
    options_.on_read(done);
    co_return piece::done;
}

task<result<void>> pass::read_twice(record_ptr record, representation which) {
    const auto first = co_await store_.images().check_body(record, which);
    if (first || !is_damage(first.error())) co_return first;
    co_return co_await store_.images().check_body(record, which);
}

}  // namespace gallery::scrub
