#include "storage/measured_engine.hpp"

#include "storage/soundness.hpp"

#include <chrono>

namespace gallery::storage {

namespace {

bool due() noexcept {
    thread_local unsigned calls = 0;
    return (calls++ % measured_images::sample_rate) == 0;
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

bool is_there(const record_ptr& record) noexcept {
    return record != nullptr;
}

}  // namespace

std::string_view to_string(operation what) noexcept {
    static constexpr std::array<std::string_view, operation_count> names{
        "find",  "read", "list",  "scan",      "save",    "update",
        "erase", "kept", "usage", "documents", "changes", "check"};
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

/// Of operations that are rare or slow each is measured.
template <class T, class Look>
task<result<T>> measured_parts::measure(operation what, task<result<T>> inner, Look look) {
    return looked_at(&of(what), std::move(inner), std::move(look));
}

/// Of operations that every request makes one in measured_images::sample_rate is measured.
template <class T, class Look>
task<result<T>> measured_parts::sample(operation what, task<result<T>> inner, Look look) {
    return looked_at(due() ? &of(what) : nullptr, std::move(inner), std::move(look));
}

/// The same for an answer out of memory, with a look that only says yes or no. What is not there or not sound
/// is asked for again, and measured and reported then.
template <class Ask, class Look>
auto measured_parts::look_now(operation what, Ask&& ask, Look&& is_good) {
    if (!due()) {
        auto answer = ask();
        if (answer && !is_good(*answer)) answer.reset();
        return answer;
    }
    const auto begin = std::chrono::steady_clock::now();
    auto answer = ask();
    const auto end = std::chrono::steady_clock::now();
    if (answer && !is_good(*answer)) answer.reset();
    if (answer) of(what).add(std::chrono::duration<double>(end - begin).count(), false);
    return answer;
}

namespace {

/// For answers that say nothing which could be wrong by itself.
constexpr auto as_it_is = [](const auto&) { return std::optional<error>(); };

/// Looks at a record, a list or an outcome; @p call is the function that answered it.
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
    return parts_.look_now(
        operation::find, [&] { return inner_.find_now(tenant, key); }, is_there);
}
std::optional<record_ptr> measured_images::find_by_public_key_now(std::string_view public_key) {
    return parts_.look_now(
        operation::find, [&] { return inner_.find_by_public_key_now(public_key); }, is_there);
}
std::optional<body> measured_images::read_now(const image_record& record, representation which) {
    return parts_.look_now(
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
task<result<check_report>> measured_engine::check() {
    return parts_.measure(operation::check, parts_.engine->check(), as_it_is);
}

}  // namespace gallery::storage
