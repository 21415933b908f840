#include "storage/measured_store.hpp"

#include "storage/soundness.hpp"

#include <chrono>
#include <type_traits>

namespace gallery::storage {

namespace {

using clock = std::chrono::steady_clock;
using source = operation_counters::source;

/// Answers are not failures of the engine.
bool is_failure(const error& e) noexcept {
    return e.code != errc::not_found && e.code != errc::stale;
}

/// The texts of these failures reach clients, and an engine's may name its files and parts. Texts of all
/// others are for the log alone, so they stay.
std::string_view public_text(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument:
            return "The store does not take this: a value is too long or malformed.";
        case errc::not_found:
            return "There is nothing of this name in the store.";
        case errc::already_exists:
            return "This name is taken.";
        case errc::too_large:
            return "This is larger than the store takes.";
        case errc::precondition_failed:
        case errc::version_conflict:
            return "This was changed in the meantime.";
        default:
            return {};
    }
}

/// What storage.hpp says of a write: after these it may or may not have happened.
bool leaves_open(errc code) noexcept {
    return code == errc::io_error || code == errc::unavailable || code == errc::internal;
}

bool is_there(const record_ptr& record) noexcept {
    return record != nullptr;
}

}  // namespace

std::string_view to_string(operation what) noexcept {
    static constexpr std::array<std::string_view, operation_count> names{
        "find", "read", "list", "scan", "save", "update", "erase", "documents", "changes", "check"};
    return names[static_cast<std::size_t>(what)];
}

void operation_counters::add(source from, std::chrono::nanoseconds duration) noexcept {
    const double seconds = std::chrono::duration<double>(duration).count();
    sample& s = samples_[static_cast<std::size_t>(from)];
    s.bucket = 0;
    while (s.bucket < bounds.size() && seconds > bounds[s.bucket])
        ++s.bucket;
    s.nanoseconds = static_cast<std::uint64_t>(duration.count());
    s.is_known = true;
    add(from);
}

void operation_counters::add_to(figures& sum) const noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
        sum.counts[i] += counts_[i].load(std::memory_order_relaxed);
    sum.sum += static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    sum.errors += errors_.load(std::memory_order_relaxed);
}

operation_counters::figures measured_store::figures(operation what) const {
    operation_counters::figures sum;
    counters_.for_each(
        [&](const counters& of_thread) { of_thread.of[static_cast<std::size_t>(what)].add_to(sum); });
    return sum;
}

/// Waits for an engine's answer, looks at it and counts it.
template <class T, class Look>
task<result<T>> measured_store::looked_at(operation what, unsigned rate, task<result<T>> inner, Look look) {
    constexpr bool is_write = std::is_same_v<T, write_outcome>;
    const bool timed = mine(what).due(source::engine, rate);
    const auto begin = timed ? clock::now() : clock::time_point();
    auto outcome = co_await std::move(inner);
    if (outcome) {
        if (auto wrong = look(*outcome)) outcome = std::move(*wrong);
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

/// The same for an answer out of memory, with a look that only says yes or no. What is not there or not sound
/// is asked for again, and counted and reported then.
template <class Ask, class Look>
auto measured_store::looked_at_now(operation what, Ask&& ask, Look&& is_good) {
    operation_counters& count = mine(what);
    const bool timed = count.due(source::memory, sample_rate);
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

template <class T, class Look>
task<result<T>> measured_store::measure(operation what, task<result<T>> inner, Look look) {
    return looked_at(what, 1, std::move(inner), std::move(look));
}

template <class T, class Look>
task<result<T>> measured_store::sample(operation what, task<result<T>> inner, Look look) {
    return looked_at(what, sample_rate, std::move(inner), std::move(look));
}

namespace {

/// For answers that say nothing which could be wrong by itself.
constexpr auto as_it_is = [](const auto&) { return std::optional<error>(); };

}  // namespace

task<result<record_ptr>> measured_store::find(tenant_id tenant, std::string key) {
    return sample(operation::find, inner_->find(tenant, std::move(key)),
                  [this](const record_ptr& found) { return unsound(engine_, "find", found); });
}
task<result<record_ptr>> measured_store::find_by_id(image_id id) {
    return sample(operation::find, inner_->find_by_id(id),
                  [this](const record_ptr& found) { return unsound(engine_, "find_by_id", found); });
}
task<result<record_ptr>> measured_store::find_by_public_key(std::string public_key) {
    return sample(operation::find, inner_->find_by_public_key(std::move(public_key)),
                  [this](const record_ptr& found) { return unsound(engine_, "find_by_public_key", found); });
}
task<result<body>> measured_store::read(record_ptr record, representation which) {
    auto reading = inner_->read(record, which);
    return sample(operation::read, std::move(reading),
                  [this, record = std::move(record), which](const body& content) {
                      return unsound(engine_, content, *record, which);
                  });
}
std::optional<record_ptr> measured_store::find_now(const tenant_id& tenant, std::string_view key) {
    return looked_at_now(
        operation::find, [&] { return inner_->find_now(tenant, key); }, is_there);
}
std::optional<record_ptr> measured_store::find_by_public_key_now(std::string_view public_key) {
    return looked_at_now(
        operation::find, [&] { return inner_->find_by_public_key_now(public_key); }, is_there);
}
std::optional<body> measured_store::read_now(const image_record& record, representation which) {
    return looked_at_now(
        operation::read, [&] { return inner_->read_now(record, which); },
        [&](const body& content) { return is_sound(content, record.descriptor(which)); });
}
task<result<image_page>> measured_store::list(image_query query) {
    return measure(operation::list, inner_->list(std::move(query)),
                   [this](const image_page& page) { return unsound(engine_, "list", page.images); });
}
task<result<scan_page<record_ptr>>> measured_store::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                         std::size_t limit) {
    return measure(
        operation::scan, inner_->scan(tenant, std::move(cursor), limit),
        [this](const scan_page<record_ptr>& page) { return unsound(engine_, "scan", page.items); });
}
task<result<write_outcome>> measured_store::save(image_record record, body original, body preview,
                                                 precondition condition) {
    return measure(operation::save,
                   inner_->save(std::move(record), std::move(original), std::move(preview), condition),
                   [this](const write_outcome& outcome) { return unsound(engine_, "save", outcome, true); });
}
task<result<write_outcome>> measured_store::update(image_record record, precondition condition) {
    return measure(
        operation::update, inner_->update(std::move(record), condition),
        [this](const write_outcome& outcome) { return unsound(engine_, "update", outcome, true); });
}
task<result<write_outcome>> measured_store::erase(tenant_id tenant, std::string key, precondition condition) {
    return measure(
        operation::erase, inner_->erase(tenant, std::move(key), condition),
        [this](const write_outcome& outcome) { return unsound(engine_, "erase", outcome, false); });
}
task<result<document>> measured_store::find_document(std::string kind, std::string id) {
    return measure(operation::documents, inner_->find_document(std::move(kind), std::move(id)), as_it_is);
}
task<result<scan_page<document>>> measured_store::scan_documents(std::string kind, std::string cursor,
                                                                 std::size_t limit) {
    return measure(operation::documents, inner_->scan_documents(std::move(kind), std::move(cursor), limit),
                   as_it_is);
}
task<result<write_outcome>> measured_store::save_document(document doc, precondition condition) {
    return measure(
        operation::documents, inner_->save_document(std::move(doc), condition),
        [this](const write_outcome& outcome) { return unsound(engine_, "save_document", outcome, false); });
}
task<result<write_outcome>> measured_store::erase_document(std::string kind, std::string id,
                                                           precondition condition) {
    return measure(
        operation::documents, inner_->erase_document(std::move(kind), std::move(id), condition),
        [this](const write_outcome& outcome) { return unsound(engine_, "erase_document", outcome, false); });
}
task<result<change_batch>> measured_store::changes(revision after, std::size_t limit) {
    return measure(operation::changes, inner_->changes(after, limit), as_it_is);
}
task<result<revision>> measured_store::last_change() {
    return measure(operation::changes, inner_->last_change(), as_it_is);
}
task<result<check_report>> measured_store::check() {
    auto report = co_await measure(operation::check, inner_->check(), as_it_is);
    if (report && !secrets_.empty()) {
        for (auto& problem : report->problems)
            problem = secrets_.masked(std::move(problem));
    }
    co_return report;
}
write_state measured_store::writing() const {
    auto state = inner_->writing();
    state.reason = secrets_.masked(std::move(state.reason));
    return state;
}

}  // namespace gallery::storage
