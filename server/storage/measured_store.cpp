#include "storage/measured_store.hpp"

#include "storage/soundness.hpp"

#include <chrono>

namespace gallery::storage {

namespace {

bool due() noexcept {
    thread_local unsigned calls = 0;
    return (calls++ % measured_store::sample_rate) == 0;
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

/// Waits for an engine's answer and looks at it; measures it where @p into is given.
template <class T, class Look>
task<result<T>> looked_at(latencies* into, task<result<T>> inner, Look look) {
    using clock = std::chrono::steady_clock;
    const auto begin = into == nullptr ? clock::time_point() : clock::now();
    auto outcome = co_await std::move(inner);
    if (outcome) {
        if (auto wrong = look(*outcome)) outcome = std::move(*wrong);
    } else if (const auto text = public_text(outcome.error().code); !text.empty()) {
        outcome.error().message = text;
    }
    if (into != nullptr) {
        const auto end = clock::now();
        const bool failed =
            !outcome && outcome.error().code != errc::not_found && outcome.error().code != errc::stale;
        into->add(std::chrono::duration<double>(end - begin).count(), failed);
    }
    co_return outcome;
}

/// The same for an answer out of memory, with a look that only says yes or no. What is not there or not sound
/// is asked for again, and measured and reported then.
template <class Ask, class Look>
auto looked_at_now(latencies& into, Ask&& ask, Look&& is_good) {
    if (!due()) {
        auto answer = ask();
        if (answer && !is_good(*answer)) answer.reset();
        return answer;
    }
    const auto begin = std::chrono::steady_clock::now();
    auto answer = ask();
    const auto end = std::chrono::steady_clock::now();
    if (answer && !is_good(*answer)) answer.reset();
    if (answer) into.add(std::chrono::duration<double>(end - begin).count(), false);
    return answer;
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

void latencies::add(double seconds, bool failed) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && seconds > bounds[bucket])
        ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(seconds * 1e9), std::memory_order_relaxed);
    if (failed) errors_.fetch_add(1, std::memory_order_relaxed);
}

latencies::figures latencies::read() const noexcept {
    figures f;
    for (std::size_t i = 0; i < counts_.size(); ++i)
        f.counts[i] = counts_[i].load(std::memory_order_relaxed);
    f.sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    f.errors = errors_.load(std::memory_order_relaxed);
    return f;
}

latencies::figures measured_store::figures(operation what) const noexcept {
    return latencies_[static_cast<std::size_t>(what)].read();
}

latencies& measured_store::of(operation what) noexcept {
    return latencies_[static_cast<std::size_t>(what)];
}

template <class T, class Look>
task<result<T>> measured_store::measure(operation what, task<result<T>> inner, Look look) {
    return looked_at(&of(what), std::move(inner), std::move(look));
}

template <class T, class Look>
task<result<T>> measured_store::sample(operation what, task<result<T>> inner, Look look) {
    return looked_at(due() ? &of(what) : nullptr, std::move(inner), std::move(look));
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
        of(operation::find), [&] { return inner_->find_now(tenant, key); }, is_there);
}
std::optional<record_ptr> measured_store::find_by_public_key_now(std::string_view public_key) {
    return looked_at_now(
        of(operation::find), [&] { return inner_->find_by_public_key_now(public_key); }, is_there);
}
std::optional<body> measured_store::read_now(const image_record& record, representation which) {
    return looked_at_now(
        of(operation::read), [&] { return inner_->read_now(record, which); },
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
task<result<check_report>> measured_store::check() {
    return measure(operation::check, inner_->check(), as_it_is);
}

}  // namespace gallery::storage
