// SPDX-License-Identifier: Apache-2.0
#include "plugins/measured_engine.hpp"

#include "plugins/soundness.hpp"

#include <chrono>
#include <type_traits>

namespace gallery::plugins {

namespace {

using clock = std::chrono::steady_clock;
using source = operation_counters::source;

/// Answers are not failures of the engine.
bool is_failure(const error& e) noexcept {
    return e.code != errc::not_found && e.code != errc::stale;
}

/// By storage.hpp, a write that fails with these may or may not have happened.
bool leaves_open(errc code) noexcept {
    return code == errc::io_error || code == errc::unavailable || code == errc::internal;
}

template <class T>
inline constexpr bool is_outcome_of_write =
    std::is_same_v<T, write_outcome> || std::is_same_v<T, documents_outcome>;

/// The texts of these failures reach clients, and an engine's may name its files and parts. Texts of all
/// others are for the log alone, so they stay.
std::string_view public_text(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
            return "The store does not accept this: a value is too long or malformed.";
        case errc::not_found:
            return "There is no entry with this name in the store.";
        case errc::already_exists:
            return "This name is taken.";
        case errc::too_large:
            return "This is larger than the store accepts.";
        case errc::precondition_failed:
        case errc::version_conflict:
            return "This was changed by another request in the meantime.";
        default:
            return {};
    }
}

bool is_there(const record_ptr& record) noexcept {
    return record != nullptr;
}

}  // namespace

operation_counters::figures measured_parts::figures(operation what) const {
    operation_counters::figures sum;
    counters_.for_each(
        [&](const counters& of_thread) { of_thread.of[static_cast<std::size_t>(what)].add_to(sum); });
    return sum;
}

/// Waits for an engine's answer, checks it and counts it.
template <class T, class Check>
task<result<T>> measured_parts::await_answer(operation what, unsigned rate, task<result<T>> inner,
                                             Check check) {
    constexpr bool is_write = is_outcome_of_write<T>;
    // Before the time is taken: this is not the engine's.
    if (is_write && gate_.is_closed()) co_await gate_.wait_until_open();
    const bool timed = mine(what).due(source::engine, rate);
    const auto begin = timed ? clock::now() : clock::time_point();
    auto outcome = co_await std::move(inner);
    if (outcome) {
        if (auto wrong = check(*outcome)) outcome = std::move(*wrong);
    }
    // Asked for again: this may be another thread than before.
    operation_counters& count = mine(what);
    if (timed) {
        count.add(source::engine, clock::now() - begin);
    } else {
        count.add(source::engine);
    }
    if (!outcome) {
        error failed = outcome.error();
        if (const auto text = public_text(failed.code); !text.empty()) failed.message = text;
        failed.message = secrets_.masked(std::move(failed.message));
        const bool is_counted = is_failure(failed);
        if (is_counted) count.add_error();
        if (is_write && leaves_open(failed.code)) failed.code = errc::unknown_outcome;
        outcome = std::move(failed);
        if (is_write && is_counted && failed_write_) failed_write_();
    }
    co_return outcome;
}

/// For operations that are rare or slow. Each one is timed.
template <class T, class Check>
task<result<T>> measured_parts::measure(operation what, task<result<T>> inner, Check check) {
    return await_answer(what, 1, std::move(inner), std::move(check));
}

/// For operations of every request. One in measured_images::sample_rate is timed.
template <class T, class Check>
task<result<T>> measured_parts::sample(operation what, task<result<T>> inner, Check check) {
    return await_answer(what, measured_images::sample_rate, std::move(inner), std::move(check));
}

/// The same for an answer from memory. A missing or unsound answer is requested again by the coroutine, which
/// counts and reports it.
template <class Ask, class Check>
auto measured_parts::answer_now(operation what, Ask&& ask, Check&& is_good) {
    operation_counters& count = mine(what);
    const bool timed = count.due(source::memory, measured_images::sample_rate);
    const auto begin = timed ? clock::now() : clock::time_point();
    auto answer = ask();
    const auto end = timed ? clock::now() : clock::time_point();
    if (answer && !is_good(*answer)) answer.reset();
    if (!answer) return answer;
    if (timed) {
        count.add(source::memory, end - begin);
    } else {
        count.add(source::memory);
    }
    return answer;
}

namespace {

/// For answers without an invariant to check.
constexpr auto as_it_is = [](const auto&) { return std::optional<error>(); };

/// Checks a record, a list or an outcome. @p call is the function that returned it.
auto as_found(const std::string& engine, const char* call) {
    return [&engine, call](const auto& answer) { return unsound(engine, call, answer); };
}

auto as_written(const std::string& engine, const char* call, bool has_record) {
    return [&engine, call, has_record](const write_outcome& outcome) {
        return unsound(engine, call, outcome, has_record);
    };
}

}  // namespace

// ---- images --------------------------------------------------------------------------------------

task<result<record_ptr>> measured_images::find(tenant_id tenant, std::string key) {
    return parts_.sample(operation::find, inner_.find(tenant, std::move(key)), as_found(parts_.name, "find"));
}
task<result<record_ptr>> measured_images::find_by_id(image_id id) {
    return parts_.sample(operation::find, inner_.find_by_id(id), as_found(parts_.name, "find_by_id"));
}
task<result<record_ptr>> measured_images::find_by_public_key(std::string public_key) {
    return parts_.sample(operation::find, inner_.find_by_public_key(std::move(public_key)),
                         as_found(parts_.name, "find_by_public_key"));
}
task<result<std::vector<record_ptr>>> measured_images::find_by_content(tenant_id tenant, sha256_digest etag) {
    return parts_.measure(operation::find, inner_.find_by_content(tenant, etag),
                          as_found(parts_.name, "find_by_content"));
}
task<result<body>> measured_images::read(record_ptr record, representation which) {
    auto reading = inner_.read(record, which);
    return parts_.sample(operation::read, std::move(reading),
                         [this, record = std::move(record), which](const body& content) {
                             return unsound(parts_.name, content, *record, which);
                         });
}
std::optional<record_ptr> measured_images::find_now(const tenant_id& tenant, std::string_view key) {
    return parts_.answer_now(
        operation::find, [&] { return inner_.find_now(tenant, key); }, is_there);
}
std::optional<record_ptr> measured_images::find_by_public_key_now(std::string_view public_key) {
    return parts_.answer_now(
        operation::find, [&] { return inner_.find_by_public_key_now(public_key); }, is_there);
}
std::optional<body> measured_images::read_now(const image_record& record, representation which) {
    return parts_.answer_now(
        operation::read, [&] { return inner_.read_now(record, which); },
        [&](const body& content) { return is_sound(content, record.descriptor(which)); });
}
task<result<image_page>> measured_images::list(image_query query) {
    return parts_.measure(operation::list, inner_.list(std::move(query)), [this](const image_page& page) {
        return unsound(parts_.name, "list", page.images);
    });
}
task<result<scan_page<record_ptr>>> measured_images::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                          std::size_t limit) {
    return parts_.measure(
        operation::scan, inner_.scan(tenant, std::move(cursor), limit),
        [this](const scan_page<record_ptr>& page) { return unsound(parts_.name, "scan", page.items); });
}
task<result<tenant_usage>> measured_images::usage(std::optional<tenant_id> tenant) {
    return parts_.measure(operation::usage, inner_.usage(tenant), as_it_is);
}
task<result<scan_page<kept_version>>> measured_images::kept(std::optional<tenant_id> tenant, kept_order order,
                                                            std::string cursor, std::size_t limit) {
    return parts_.measure(
        operation::kept, inner_.kept(tenant, order, std::move(cursor), limit),
        [this](const scan_page<kept_version>& page) { return unsound(parts_.name, "kept", page.items); });
}
task<result<scan_page<kept_version>>> measured_images::kept_of(image_id id, std::string cursor,
                                                               std::size_t limit) {
    return parts_.measure(
        operation::kept, inner_.kept_of(id, std::move(cursor), limit),
        [this](const scan_page<kept_version>& page) { return unsound(parts_.name, "kept_of", page.items); });
}
task<result<kept_version>> measured_images::find_kept(image_id id, revision content_rev) {
    return parts_.measure(
        operation::kept, inner_.find_kept(id, content_rev),
        [this](const kept_version& found) { return unsound(parts_.name, "find_kept", found.record); });
}
task<result<write_outcome>> measured_images::save(image_record record, body original, body preview,
                                                  write_rules rules) {
    return parts_.measure(operation::save,
                          inner_.save(std::move(record), std::move(original), std::move(preview), rules),
                          as_written(parts_.name, "save", true));
}
task<result<write_outcome>> measured_images::update(image_record record, precondition condition) {
    return parts_.measure(operation::update, inner_.update(std::move(record), condition),
                          as_written(parts_.name, "update", true));
}
task<result<write_outcome>> measured_images::erase(tenant_id tenant, std::string key, write_rules rules) {
    return parts_.measure(operation::erase, inner_.erase(tenant, std::move(key), rules),
                          as_written(parts_.name, "erase", false));
}
task<result<write_outcome>> measured_images::save_kept(image_record record, body original, body preview,
                                                       std::int64_t kept_time, bool is_erased) {
    return parts_.measure(
        operation::kept,
        inner_.save_kept(std::move(record), std::move(original), std::move(preview), kept_time, is_erased),
        as_written(parts_.name, "save_kept", true));
}
task<result<write_outcome>> measured_images::drop_kept(image_id id, revision content_rev) {
    return parts_.measure(operation::kept, inner_.drop_kept(id, content_rev),
                          as_written(parts_.name, "drop_kept", false));
}

// ---- documents, changes, the engine ----------------------------------------------------------------

task<result<document>> measured_documents::find(std::string kind, std::string id) {
    return parts_.measure(operation::documents, inner_.find(std::move(kind), std::move(id)), as_it_is);
}
task<result<scan_page<document>>> measured_documents::scan(std::string kind, std::string cursor,
                                                           std::size_t limit) {
    return parts_.measure(operation::documents, inner_.scan(std::move(kind), std::move(cursor), limit),
                          as_it_is);
}
task<result<documents_outcome>> measured_documents::write(std::vector<document_write> parts) {
    const auto count = parts.size();
    return parts_.measure(
        operation::documents, inner_.write(std::move(parts)),
        [this, count](const documents_outcome& outcome) { return unsound(parts_.name, outcome, count); });
}
task<result<change_batch>> measured_feed::changes(revision after, std::size_t limit) {
    return parts_.measure(operation::changes, inner_.changes(after, limit), as_it_is);
}
task<result<revision>> measured_feed::last() {
    return parts_.measure(operation::changes, inner_.last(), as_it_is);
}
task<result<check_report>> measured_engine::check() {
    auto report = co_await parts_.measure(operation::check, parts_.engine->check(), as_it_is);
    if (report && !parts_.secrets().empty()) {
        for (auto& problem : report->problems)
            problem = parts_.secrets().masked(std::move(problem));
    }
    co_return report;
}
write_state measured_engine::writing() const {
    auto state = parts_.engine->writing();
    state.reason = parts_.secrets().masked(std::move(state.reason));
    return state;
}

}  // namespace gallery::plugins
