#include "storage/measured_store.hpp"

#include <chrono>

namespace gallery::storage {

namespace {

bool due() noexcept {
    thread_local unsigned calls = 0;
    return (calls++ % measured_store::sample_rate) == 0;
}

template <class T>
task<result<T>> measure(latencies& into, task<result<T>> inner) {
    const auto begin = std::chrono::steady_clock::now();
    auto outcome = co_await std::move(inner);
    const auto end = std::chrono::steady_clock::now();
    const bool failed =
        !outcome && outcome.error().code != errc::not_found && outcome.error().code != errc::stale;
    into.add(std::chrono::duration<double>(end - begin).count(), failed);
    co_return outcome;
}

/// The same for an answer out of memory. What is not there is asked for again and measured then.
template <class Ask>
auto measure_now(latencies& into, Ask&& ask) {
    if (!due()) return ask();
    const auto begin = std::chrono::steady_clock::now();
    auto answer = ask();
    const auto end = std::chrono::steady_clock::now();
    if (answer) into.add(std::chrono::duration<double>(end - begin).count(), false);
    return answer;
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

// Not a coroutine: where nothing is measured the engine's own is handed on.
#define GALLERY_MEASURE(what, call) measure(latencies_[static_cast<std::size_t>(operation::what)], call)
#define GALLERY_SAMPLE(what, call) \
    auto inner = call;             \
    if (!due()) return inner;      \
    return GALLERY_MEASURE(what, std::move(inner))

task<result<record_ptr>> measured_store::find(tenant_id tenant, std::string key) {
    GALLERY_SAMPLE(find, inner_->find(tenant, std::move(key)));
}
task<result<record_ptr>> measured_store::find_by_id(image_id id) {
    GALLERY_SAMPLE(find, inner_->find_by_id(id));
}
task<result<record_ptr>> measured_store::find_by_public_key(std::string public_key) {
    GALLERY_SAMPLE(find, inner_->find_by_public_key(std::move(public_key)));
}
task<result<body>> measured_store::read(record_ptr record, representation which) {
    GALLERY_SAMPLE(read, inner_->read(std::move(record), which));
}
std::optional<record_ptr> measured_store::find_now(const tenant_id& tenant, std::string_view key) {
    return measure_now(latencies_[static_cast<std::size_t>(operation::find)],
                       [&] { return inner_->find_now(tenant, key); });
}
std::optional<record_ptr> measured_store::find_by_public_key_now(std::string_view public_key) {
    return measure_now(latencies_[static_cast<std::size_t>(operation::find)],
                       [&] { return inner_->find_by_public_key_now(public_key); });
}
std::optional<body> measured_store::read_now(const image_record& record, representation which) {
    return measure_now(latencies_[static_cast<std::size_t>(operation::read)],
                       [&] { return inner_->read_now(record, which); });
}
task<result<image_page>> measured_store::list(image_query query) {
    return GALLERY_MEASURE(list, inner_->list(std::move(query)));
}
task<result<scan_page<record_ptr>>> measured_store::scan(std::optional<tenant_id> tenant, std::string cursor,
                                                         std::size_t limit) {
    return GALLERY_MEASURE(scan, inner_->scan(tenant, std::move(cursor), limit));
}
task<result<write_outcome>> measured_store::save(image_record record, body original, body preview,
                                                 precondition condition) {
    return GALLERY_MEASURE(
        save, inner_->save(std::move(record), std::move(original), std::move(preview), condition));
}
task<result<write_outcome>> measured_store::update(image_record record, precondition condition) {
    return GALLERY_MEASURE(update, inner_->update(std::move(record), condition));
}
task<result<write_outcome>> measured_store::erase(tenant_id tenant, std::string key, precondition condition) {
    return GALLERY_MEASURE(erase, inner_->erase(tenant, std::move(key), condition));
}
task<result<document>> measured_store::find_document(std::string kind, std::string id) {
    return GALLERY_MEASURE(documents, inner_->find_document(std::move(kind), std::move(id)));
}
task<result<scan_page<document>>> measured_store::scan_documents(std::string kind, std::string cursor,
                                                                 std::size_t limit) {
    return GALLERY_MEASURE(documents, inner_->scan_documents(std::move(kind), std::move(cursor), limit));
}
task<result<write_outcome>> measured_store::save_document(document doc, precondition condition) {
    return GALLERY_MEASURE(documents, inner_->save_document(std::move(doc), condition));
}
task<result<write_outcome>> measured_store::erase_document(std::string kind, std::string id,
                                                           precondition condition) {
    return GALLERY_MEASURE(documents, inner_->erase_document(std::move(kind), std::move(id), condition));
}
task<result<change_batch>> measured_store::changes(revision after, std::size_t limit) {
    return GALLERY_MEASURE(changes, inner_->changes(after, limit));
}
task<result<check_report>> measured_store::check() {
    return GALLERY_MEASURE(check, inner_->check());
}

#undef GALLERY_SAMPLE
#undef GALLERY_MEASURE

}  // namespace gallery::storage
