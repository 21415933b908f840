// SPDX-License-Identifier: Apache-2.0
/// Wraps an engine: checks its answers and measures it. The server uses engines only through this
/// class.
///
/// Invalid answers (soundness.hpp) become errors here, so the layers above need not expect them. Every
/// operation is counted. Of the two operations of every request, find and read, only one in sample_rate
/// is timed, and its duration is used for those up to the next one, because reading the clock takes
/// longer than finding a record in memory. Answers from memory and answers that were waited for are
/// sampled separately. Counters belong to a thread (per_thread.hpp). Answers from the engine's memory
/// need no additional coroutine. A write that fails with a code that leaves its outcome open (io_error,
/// unavailable, internal) fails here with unknown_outcome, so the layers above can distinguish it from a
/// write that changed nothing. The values of secret options are removed from the engine's error
/// messages.
#pragma once

#include "plugins/options.hpp"
#include "plugins/per_thread.hpp"

#include <gallery/storage.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::plugins {

enum class operation : std::uint8_t {
    find,
    read,
    list,
    scan,
    save,
    update,
    erase,
    kept,
    usage,
    documents,
    changes,
    check
};
inline constexpr std::size_t operation_count = 12;

/// "find", "read", ...
std::string_view to_string(operation what) noexcept;

/// Number and durations of one operation on one thread, in buckets of durations.
class operation_counters {
public:
    /// Upper bounds of the buckets in seconds; what is above the last is in one more.
    static constexpr std::array<double, 14> bounds{0.000'01, 0.000'025, 0.000'05, 0.000'1, 0.000'25,
                                                   0.000'5,  0.001,     0.002'5,  0.005,   0.01,
                                                   0.05,     0.1,       0.5,      2.5};

    /// Calls that are similar enough for one duration to represent others.
    enum class source : std::uint8_t { memory, engine };

    struct figures {
        std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< of each bucket, not cumulated
        double sum = 0;                                         ///< seconds
        std::uint64_t errors = 0;
    };

    /// Whether the next call must be timed: the first one, and one in @p rate.
    [[nodiscard]] bool due(source from, unsigned rate) noexcept {
        sample& s = samples_[static_cast<std::size_t>(from)];
        return s.calls++ % rate == 0 || !s.is_known;
    }
    /// A call that was timed.
    void add(source from, std::chrono::nanoseconds duration) noexcept;
    /// A call that was not timed; it counts as long as the last timed one.
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

/// The wrapped engine and its counters.
class measured_parts {
public:
    measured_parts(std::unique_ptr<storage_engine> inner, std::string plugin, secret_texts secrets)
        : engine(std::move(inner)), name(std::move(plugin)), secrets_(std::move(secrets)) {}

    const std::unique_ptr<storage_engine> engine;
    const std::string name;  ///< the plugin's, for errors

    [[nodiscard]] operation_counters::figures figures(operation what) const;
    [[nodiscard]] const secret_texts& secrets() const noexcept { return secrets_; }
    void on_failed_write(std::function<void()> notify) { failed_write_ = std::move(notify); }

    template <class T, class Look>
    task<result<T>> measure(operation what, task<result<T>> inner, Look look);
    template <class T, class Look>
    task<result<T>> sample(operation what, task<result<T>> inner, Look look);
    template <class Ask, class Look>
    auto look_now(operation what, Ask&& ask, Look&& is_good);

private:
    struct counters {
        std::array<operation_counters, operation_count> of;
    };
    operation_counters& mine(operation what) { return counters_.mine().of[static_cast<std::size_t>(what)]; }

    template <class T, class Look>
    task<result<T>> looked_at(operation what, unsigned rate, task<result<T>> inner, Look look);

    secret_texts secrets_;
    std::function<void()> failed_write_;
    per_thread<counters> counters_;
};

/// Threads and errors: those of the wrapped store, corrupt for a body that does not match its record, and
/// internal for other invalid answers. For these, read_now() and its siblings return nothing, and the
/// coroutine returns the error. not_found and stale are answers and are not counted as errors.
class measured_images final : public image_store {
public:
    static constexpr unsigned sample_rate = 64;

    explicit measured_images(measured_parts& parts) : parts_(parts), inner_(parts.engine->images()) {}

    GALLERY_OVERRIDE_IMAGE_STORE;

private:
    measured_parts& parts_;
    image_store& inner_;
};

class measured_documents final : public document_store {
public:
    explicit measured_documents(measured_parts& parts) : parts_(parts), inner_(parts.engine->documents()) {}

    GALLERY_OVERRIDE_DOCUMENT_STORE;

private:
    measured_parts& parts_;
    document_store& inner_;
};

class measured_feed final : public change_feed {
public:
    explicit measured_feed(measured_parts& parts) : parts_(parts), inner_(parts.engine->feed()) {}

    task<result<change_batch>> changes(revision after, std::size_t limit) override;
    task<result<revision>> last() override;
    void on_change(std::function<void()> notify) override { inner_.on_change(std::move(notify)); }

private:
    measured_parts& parts_;
    change_feed& inner_;
};

class measured_engine final : public storage_engine {
public:
    /// @p name is the plugin's, for errors.
    measured_engine(std::unique_ptr<storage_engine> inner, std::string name, secret_texts secrets = {})
        : parts_(std::move(inner), std::move(name), std::move(secrets)) {}

    /// Sums over all threads.
    [[nodiscard]] operation_counters::figures figures(operation what) const { return parts_.figures(what); }

    /// @p notify is called after each failed write, on the thread that awaited it; it does not block. Set it
    /// once, before the first write that it must see.
    void on_failed_write(std::function<void()> notify) { parts_.on_failed_write(std::move(notify)); }

    image_store& images() noexcept override { return images_; }
    document_store& documents() noexcept override { return documents_; }
    change_feed& feed() noexcept override { return feed_; }
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    [[nodiscard]] std::vector<statistic> statistics() const override { return parts_.engine->statistics(); }

private:
    measured_parts parts_;
    measured_images images_{parts_};
    measured_documents documents_{parts_};
    measured_feed feed_{parts_};
};

}  // namespace gallery::plugins
