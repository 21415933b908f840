// SPDX-License-Identifier: Apache-2.0
#include "plugins/measured_engine.hpp"

#include "plugins/forwarding_engine.hpp"
#include "plugins/late_listener.hpp"
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

void measured_parts::mask(std::vector<std::string>& texts) const {
    for (auto& text : texts)
        text = secrets_.masked(std::move(text));
}

/// Waits for an engine's answer, checks it and counts it. @p at keeps the engine open until then.
template <class T, class Check>
task<result<T>> measured_parts::await_answer(operation what, unsigned rate, engine_slot::pin at,
                                             task<result<T>> inner, Check check) {
    static_cast<void>(at);
    constexpr bool is_write = is_outcome_of_write<T>;
    const bool timed = mine(what).due(source::engine, rate);
    const auto begin = timed ? clock::now() : clock::time_point();
    auto outcome = co_await std::move(inner);
    if constexpr (!std::is_void_v<T>) {
        if (outcome) {
            if (auto wrong = check(*outcome)) outcome = std::move(*wrong);
        }
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
task<result<T>> measured_parts::measure(operation what, engine_slot::pin at, task<result<T>> inner,
                                        Check check) {
    return await_answer(what, 1, std::move(at), std::move(inner), std::move(check));
}

/// For operations of every request. One in measured_images::sample_rate is timed.
template <class T, class Check>
task<result<T>> measured_parts::sample(operation what, engine_slot::pin at, task<result<T>> inner,
                                       Check check) {
    return await_answer(what, measured_images::sample_rate, std::move(at), std::move(inner),
                        std::move(check));
}

/// The time at the gate is not the engine's.
template <class T, class Call, class Check>
task<result<T>> measured_parts::write(operation what, Call call, Check check) {
    auto admitted = gate_.try_pass();
    if (!admitted) {
        auto waited = co_await gate_.wait_to_pass();
        admitted.emplace(std::move(waited));
    }
    auto answer = write_ungated<T>(what, std::move(call), std::move(check));
    co_return co_await std::move(answer);
}

template <class T, class Call, class Check>
task<result<T>> measured_parts::write_ungated(operation what, Call call, Check check) {
    auto at = engine();
    auto begun = call(*at);
    return await_answer(what, 1, std::move(at), std::move(begun), std::move(check));
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
    auto at = parts_.engine();
    auto asked = at->images().find(tenant, std::move(key));
    return parts_.sample(operation::find, std::move(at), std::move(asked), as_found(parts_.name, "find"));
}
task<result<record_ptr>> measured_images::find_by_id(image_id id) {
    auto at = parts_.engine();
    auto asked = at->images().find_by_id(id);
    return parts_.sample(operation::find, std::move(at), std::move(asked),
                         as_found(parts_.name, "find_by_id"));
}
task<result<record_ptr>> measured_images::find_by_public_key(std::string public_key) {
    auto at = parts_.engine();
    auto asked = at->images().find_by_public_key(std::move(public_key));
    return parts_.sample(operation::find, std::move(at), std::move(asked),
                         as_found(parts_.name, "find_by_public_key"));
}
task<result<std::vector<record_ptr>>> measured_images::find_by_content(tenant_id tenant, sha256_digest etag) {
    auto at = parts_.engine();
    auto asked = at->images().find_by_content(tenant, etag);
    return parts_.measure(operation::find, std::move(at), std::move(asked),
                          as_found(parts_.name, "find_by_content"));
}
task<result<body>> measured_images::read(record_ptr record, representation which) {
    auto at = parts_.engine();
    auto asked = at->images().read(record, which);
    return parts_.sample(operation::read, std::move(at), std::move(asked),
                         [this, record = std::move(record), which](const body& content) {
                             return unsound(parts_.name, content, *record, which);
                         });
}
task<result<body>> measured_images::read_aside(record_ptr record, representation which) {
    auto at = parts_.engine();
    auto asked = at->images().read_aside(record, which);
    return parts_.sample(operation::read, std::move(at), std::move(asked),
                         [this, record = std::move(record), which](const body& content) {
                             return unsound(parts_.name, content, *record, which);
                         });
}
task<result<void>> measured_images::check_body(record_ptr record, representation which) {
    auto at = parts_.engine();
    auto asked = at->images().check_body(std::move(record), which);
    return parts_.measure(operation::check, std::move(at), std::move(asked), as_it_is);
}
std::optional<record_ptr> measured_images::find_now(const tenant_id& tenant, std::string_view key) {
    const auto at = parts_.engine();
    return parts_.answer_now(
        operation::find, [&] { return at->images().find_now(tenant, key); }, is_there);
}
std::optional<record_ptr> measured_images::find_by_public_key_now(std::string_view public_key) {
    const auto at = parts_.engine();
    return parts_.answer_now(
        operation::find, [&] { return at->images().find_by_public_key_now(public_key); }, is_there);
}
std::optional<body> measured_images::read_now(const image_record& record, representation which) {
    const auto at = parts_.engine();
    return parts_.answer_now(
        operation::read, [&] { return at->images().read_now(record, which); },
        [&](const body& content) { return is_sound(content, record.descriptor(which)); });
}
task<result<image_page>> measured_images::list(image_query query) {
    auto at = parts_.engine();
    auto asked = at->images().list(std::move(query));
    return parts_.measure(operation::list, std::move(at), std::move(asked), [this](const image_page& page) {
        return unsound(parts_.name, "list", page.images);
    });
}
task<result<scan_page<record_ptr>>> measured_images::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                          std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->images().scan(tenant, std::move(cursor), limit);
    return parts_.measure(
        operation::scan, std::move(at), std::move(asked),
        [this](const scan_page<record_ptr>& page) { return unsound(parts_.name, "scan", page.items); });
}
task<result<checked_page<record_ptr>>> measured_images::scan_readable(std::string cursor, std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->images().scan_readable(std::move(cursor), limit);
    return parts_.measure(operation::scan, std::move(at), std::move(asked),
                          [this](checked_page<record_ptr>& found) {
                              parts_.mask(found.unreadable);
                              return unsound(parts_.name, "scan_readable", found.page.items);
                          });
}
task<result<tenant_usage>> measured_images::usage(std::optional<tenant_id> tenant) {
    auto at = parts_.engine();
    auto asked = at->images().usage(tenant);
    return parts_.measure(operation::usage, std::move(at), std::move(asked), as_it_is);
}
task<result<scan_page<kept_version>>> measured_images::kept(std::optional<tenant_id> tenant, kept_order order,
                                                            std::string cursor, std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->images().kept(tenant, order, std::move(cursor), limit);
    return parts_.measure(
        operation::kept, std::move(at), std::move(asked),
        [this](const scan_page<kept_version>& page) { return unsound(parts_.name, "kept", page.items); });
}
task<result<checked_page<kept_version>>> measured_images::kept_readable(std::string cursor,
                                                                        std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->images().kept_readable(std::move(cursor), limit);
    return parts_.measure(operation::kept, std::move(at), std::move(asked),
                          [this](checked_page<kept_version>& found) {
                              parts_.mask(found.unreadable);
                              return unsound(parts_.name, "kept_readable", found.page.items);
                          });
}
task<result<scan_page<kept_version>>> measured_images::kept_of(image_id id, std::string cursor,
                                                               std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->images().kept_of(id, std::move(cursor), limit);
    return parts_.measure(
        operation::kept, std::move(at), std::move(asked),
        [this](const scan_page<kept_version>& page) { return unsound(parts_.name, "kept_of", page.items); });
}
task<result<kept_version>> measured_images::find_kept(image_id id, revision content_rev) {
    auto at = parts_.engine();
    auto asked = at->images().find_kept(id, content_rev);
    return parts_.measure(
        operation::kept, std::move(at), std::move(asked),
        [this](const kept_version& found) { return unsound(parts_.name, "find_kept", found.record); });
}
task<result<write_outcome>> measured_images::save(image_record record, body original, body preview,
                                                  write_rules rules) {
    auto begin = [record = std::move(record), original = std::move(original), preview = std::move(preview),
                  rules](storage_engine& on) mutable {
        return on.images().save(std::move(record), std::move(original), std::move(preview), rules);
    };
    return parts_.write<write_outcome>(operation::save, std::move(begin),
                                       as_written(parts_.name, "save", true));
}
task<result<write_outcome>> measured_images::update(image_record record, precondition condition) {
    auto begin = [record = std::move(record), condition](storage_engine& on) mutable {
        return on.images().update(std::move(record), condition);
    };
    return parts_.write<write_outcome>(operation::update, std::move(begin),
                                       as_written(parts_.name, "update", true));
}
task<result<write_outcome>> measured_images::erase(tenant_id tenant, std::string key, write_rules rules) {
    auto begin = [tenant, key = std::move(key), rules](storage_engine& on) mutable {
        return on.images().erase(tenant, std::move(key), rules);
    };
    return parts_.write<write_outcome>(operation::erase, std::move(begin),
                                       as_written(parts_.name, "erase", false));
}
task<result<write_outcome>> measured_images::save_kept(image_record record, body original, body preview,
                                                       std::int64_t kept_time, bool is_erased) {
    auto begin = [record = std::move(record), original = std::move(original), preview = std::move(preview),
                  kept_time, is_erased](storage_engine& on) mutable {
        return on.images().save_kept(std::move(record), std::move(original), std::move(preview), kept_time,
                                     is_erased);
    };
    return parts_.write<write_outcome>(operation::kept, std::move(begin),
                                       as_written(parts_.name, "save_kept", true));
}
task<result<write_outcome>> measured_images::drop_kept(image_id id, revision content_rev) {
    auto begin = [id, content_rev](storage_engine& on) { return on.images().drop_kept(id, content_rev); };
    return parts_.write<write_outcome>(operation::kept, std::move(begin),
                                       as_written(parts_.name, "drop_kept", false));
}

// ---- documents and changes ------------------------------------------------------------------------

task<result<document>> measured_documents::find(std::string kind, std::string id) {
    auto at = parts_.engine();
    auto asked = at->documents().find(std::move(kind), std::move(id));
    return parts_.measure(operation::documents, std::move(at), std::move(asked), as_it_is);
}
task<result<scan_page<document>>> measured_documents::scan(std::string kind, std::string cursor,
                                                           std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->documents().scan(std::move(kind), std::move(cursor), limit);
    return parts_.measure(operation::documents, std::move(at), std::move(asked), as_it_is);
}
task<result<documents_outcome>> measured_documents::write(std::vector<document_write> parts) {
    const auto count = parts.size();
    auto begin = [parts = std::move(parts)](storage_engine& on) mutable {
        return on.documents().write(std::move(parts));
    };
    auto check = [this, count](const documents_outcome& outcome) {
        return unsound(parts_.name, outcome, count);
    };
    if (!is_gated_)
        return parts_.write_ungated<documents_outcome>(operation::documents, std::move(begin),
                                                       std::move(check));
    return parts_.write<documents_outcome>(operation::documents, std::move(begin), std::move(check));
}
task<result<change_batch>> measured_feed::changes(revision after, std::size_t limit) {
    auto at = parts_.engine();
    auto asked = at->feed().changes(after, limit);
    return parts_.measure(operation::changes, std::move(at), std::move(asked), as_it_is);
}
task<result<revision>> measured_feed::last() {
    auto at = parts_.engine();
    auto asked = at->feed().last();
    return parts_.measure(operation::changes, std::move(at), std::move(asked), as_it_is);
}
void measured_feed::on_change(std::function<void()> notify) {
    const lock_guard lock(mutex_);
    listener_ = notify;
    parts_.engine()->feed().on_change(std::move(notify));
}
void measured_feed::move(change_feed& before, change_feed& next) {
    const lock_guard lock(mutex_);
    before.on_change({});
    next.on_change(listener_);
}
void measured_feed::notify() {
    std::function<void()> listener;
    {
        const lock_guard lock(mutex_);
        listener = listener_;
    }
    if (listener) listener();
}

// ---- the engine -----------------------------------------------------------------------------------

namespace {

/// An engine that somebody else owns, too.
class joint_engine final : public forwarding_engine {
public:
    explicit joint_engine(std::shared_ptr<storage_engine> inner)
        : forwarding_engine(*inner), inner_(std::move(inner)) {}

private:
    std::shared_ptr<storage_engine> inner_;
};

}  // namespace

measured_engine::measured_engine(std::unique_ptr<storage_engine> inner, std::string name,
                                 secret_texts secrets)
    : parts_(std::make_shared<late_listening_engine>(std::move(inner)), std::move(name), std::move(secrets)) {
}

std::shared_ptr<storage_engine> measured_engine::exchange(std::shared_ptr<storage_engine> next) {
    change_feed& feed = next->feed();
    auto before = parts_.slot().exchange(std::move(next));
    feed_.move(before->feed(), feed);
    feed_.notify();
    if (std::exchange(is_exchanged_, true)) return before;
    // Until now, this object has measured its answers.
    auto lent = std::make_unique<joint_engine>(std::move(before));
    return std::make_shared<measured_engine>(std::move(lent), parts_.name, parts_.secrets());
}

task<result<check_report>> measured_engine::check() {
    auto at = parts_.engine();
    auto asked = at->check();
    auto report = co_await parts_.measure(operation::check, std::move(at), std::move(asked), as_it_is);
    if (report && !parts_.secrets().empty()) {
        for (auto& problem : report->problems)
            problem = parts_.secrets().masked(std::move(problem));
    }
    co_return report;
}

task<result<rewrite_report>> measured_engine::rewrite_bodies(std::function<void(std::uint64_t)> progress) {
    const auto at = parts_.engine();
    auto asked = at->rewrite_bodies(std::move(progress));
    auto report = co_await std::move(asked);
    if (!report) {
        auto failed = report.error();
        failed.message = parts_.secrets().masked(std::move(failed.message));
        co_return failed;
    }
    for (auto& problem : report->problems)
        problem = parts_.secrets().masked(std::move(problem));
    co_return report;
}

write_state measured_engine::writing() const {
    auto state = parts_.engine()->writing();
    state.reason = parts_.secrets().masked(std::move(state.reason));
    return state;
}

void measured_engine::change_options(const std::map<std::string, std::string>& options) {
    parts_.engine()->change_options(options);
}

std::vector<statistic> measured_engine::statistics() const {
    return parts_.engine()->statistics();
}

}  // namespace gallery::plugins
