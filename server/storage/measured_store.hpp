/// A store that looks at what another one answers, and measures it. The server has no other way to an engine.
///
/// Answers that cannot be (soundness.hpp) become errors here, so that nobody behind this has to expect them.
/// Every operation is counted. Of the two that every request makes, find and read, only one in sample_rate is
/// timed, and its duration stands for those up to the next one, because reading the clock takes longer than
/// finding a record in memory. Answers out of memory and answers that were waited for are sampled separately.
/// Counters belong to a thread (per_thread.hpp); what an engine has in memory is answered without a coroutine
/// of our own.
/// A write that fails with a code that leaves its outcome open (io_error, unavailable, internal) fails here
/// with unknown_outcome, so that every layer above can tell it from a write that changed nothing. The values
/// of secret options are removed from the engine's error messages.
#pragma once

#include "storage/options.hpp"
#include "storage/per_thread.hpp"

#include <gallery/storage.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::storage {

enum class operation : std::uint8_t {
    find,
    read,
    list,
    scan,
    save,
    update,
    erase,
    documents,
    changes,
    check
};
inline constexpr std::size_t operation_count = 10;

/// "find", "read", ...
std::string_view to_string(operation what) noexcept;

/// How often and how long one thread ran one operation, in buckets of durations.
class operation_counters {
public:
    /// Upper bounds of the buckets in seconds; what is above the last is in one more.
    static constexpr std::array<double, 14> bounds{0.000'01, 0.000'025, 0.000'05, 0.000'1, 0.000'25,
                                                   0.000'5,  0.001,     0.002'5,  0.005,   0.01,
                                                   0.05,     0.1,       0.5,      2.5};

    /// Calls that are alike enough for one duration to stand for others.
    enum class source : std::uint8_t { memory, engine };

    struct figures {
        std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< of each bucket, not cumulated
        double sum = 0;                                         ///< seconds
        std::uint64_t errors = 0;
    };

    /// Whether the next call has to be timed: the first one, and one in @p rate.
    [[nodiscard]] bool due(source from, unsigned rate) noexcept {
        sample& s = samples_[static_cast<std::size_t>(from)];
        return s.calls++ % rate == 0 || !s.is_known;
    }
    /// A call that was timed.
    void add(source from, std::chrono::nanoseconds duration) noexcept;
    /// A call that was not timed, which counts as long as the last one that was.
    void add(source from) noexcept {
        const sample& s = samples_[static_cast<std::size_t>(from)];
        add_alone(counts_[s.bucket], 1);
        add_alone(nanoseconds_, s.nanoseconds);
    }
    void add_error() noexcept { add_alone(errors_, 1); }

    void add_to(figures& sum) const noexcept;

private:
    /// Read and written by the owning thread only.
    struct sample {
        unsigned calls = 0;
        bool is_known = false;
        std::size_t bucket = 0;
        std::uint64_t nanoseconds = 0;
    };
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> nanoseconds_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::array<sample, 2> samples_{};
};

/// Threads and errors: those of the store inside; besides them corrupt for a body that does not fit its
/// record, and internal for other answers that cannot be. Of read_now() and its like these are empty, and the
/// coroutine says why. Errors counted are those that are not an answer: not_found and stale are answers.
class measured_store final : public image_store {
public:
    static constexpr unsigned sample_rate = 64;

    /// @p engine is the plugin's name, for errors.
    measured_store(std::unique_ptr<image_store> inner, std::string engine, secret_texts secrets = {})
        : inner_(std::move(inner)), engine_(std::move(engine)), secrets_(std::move(secrets)) {}

    /// Sums over all threads.
    [[nodiscard]] operation_counters::figures figures(operation what) const;

    /// @p notify is called after each write that failed, on the thread that it was awaited on; it does not
    /// block. Set before the first write that it has to see, and never after.
    void on_failed_write(std::function<void()> notify) { failed_write_ = std::move(notify); }

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override;
    task<result<record_ptr>> find_by_id(image_id id) override;
    task<result<record_ptr>> find_by_public_key(std::string public_key) override;
    task<result<body>> read(record_ptr record, representation which) override;
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override;
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override;
    std::optional<body> read_now(const image_record& record, representation which) override;
    task<result<image_page>> list(image_query query) override;
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override;
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override;
    task<result<write_outcome>> update(image_record record, precondition condition) override;
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override;
    task<result<document>> find_document(std::string kind, std::string id) override;
    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override;
    task<result<write_outcome>> save_document(document doc, precondition condition) override;
    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override;
    task<result<change_batch>> changes(revision after, std::size_t limit) override;
    task<result<revision>> last_change() override;
    void on_change(std::function<void()> notify) override { inner_->on_change(std::move(notify)); }
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override {
        return inner_->statistics();
    }

private:
    struct counters {
        std::array<operation_counters, operation_count> of;
    };
    operation_counters& mine(operation what) { return counters_.mine().of[static_cast<std::size_t>(what)]; }

    template <class T, class Look>
    task<result<T>> looked_at(operation what, unsigned rate, task<result<T>> inner, Look look);
    template <class Ask, class Look>
    auto looked_at_now(operation what, Ask&& ask, Look&& is_good);
    template <class T, class Look>
    task<result<T>> measure(operation what, task<result<T>> inner, Look look);
    template <class T, class Look>
    task<result<T>> sample(operation what, task<result<T>> inner, Look look);

    std::unique_ptr<image_store> inner_;
    std::string engine_;
    secret_texts secrets_;
    std::function<void()> failed_write_;
    per_thread<counters> counters_;
};

}  // namespace gallery::storage
