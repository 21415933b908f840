// SPDX-License-Identifier: Apache-2.0
/// Wraps an engine: checks its answers, and counts and measures its operations (operation_counters.hpp). The
/// server uses engines only through this class.
///
/// Invalid answers (soundness.hpp) become errors here, so the layers above need not expect them. Answers from
/// the engine's memory need no additional coroutine. A write that fails with a code that leaves its outcome
/// open (io_error, unavailable, internal) fails here with unknown_outcome, so the layers above can
/// distinguish it from a write that changed nothing. The values of secret options are removed from the
/// engine's error messages.
///
/// The engine can be exchanged while calls are made (engine_slot.hpp). Each write is admitted by a gate,
/// which can delay it (write_gate.hpp), and begins on the engine that is the current one after that.
#pragma once

#include "plugins/engine_slot.hpp"
#include "plugins/operation_counters.hpp"
#include "plugins/options.hpp"
#include "plugins/per_thread.hpp"
#include "plugins/write_gate.hpp"

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::plugins {

/// The wrapped engine and its counters.
class measured_parts {
public:
    measured_parts(std::shared_ptr<storage_engine> inner, std::string plugin, secret_texts secrets)
        : name(std::move(plugin)), slot_(std::move(inner)), secrets_(std::move(secrets)) {}

    const std::string name;  ///< the plugin's, for errors

    [[nodiscard]] engine_slot::pin engine() { return slot_.take(); }
    [[nodiscard]] engine_slot& slot() noexcept { return slot_; }
    [[nodiscard]] operation_counters::figures figures(operation what) const;
    [[nodiscard]] const secret_texts& secrets() const noexcept { return secrets_; }
    /// Replaces secrets in texts of the engine.
    void mask(std::vector<std::string>& texts) const;
    void on_failed_write(std::function<void()> notify) { failed_write_ = std::move(notify); }
    [[nodiscard]] write_gate& gate() noexcept { return gate_; }
    [[nodiscard]] const write_gate& gate() const noexcept { return gate_; }

    template <class T, class Check>
    task<result<T>> measure(operation what, engine_slot::pin at, task<result<T>> inner, Check check);
    template <class T, class Check>
    task<result<T>> sample(operation what, engine_slot::pin at, task<result<T>> inner, Check check);
    /// @p call begins the write on the engine that it is given.
    template <class T, class Call, class Check>
    task<result<T>> write(operation what, Call call, Check check);
    /// The same without the gate.
    template <class T, class Call, class Check>
    task<result<T>> write_ungated(operation what, Call call, Check check);
    template <class Ask, class Check>
    auto answer_now(operation what, Ask&& ask, Check&& is_good);

private:
    struct counters {
        std::array<operation_counters, operation_count> of;
    };
    operation_counters& mine(operation what) { return counters_.mine().of[static_cast<std::size_t>(what)]; }

    template <class T, class Check>
    task<result<T>> await_answer(operation what, unsigned rate, engine_slot::pin at, task<result<T>> inner,
                                 Check check);

    engine_slot slot_;
    secret_texts secrets_;
    std::function<void()> failed_write_;
    write_gate gate_;
    per_thread<counters> counters_;
};

/// Threads and errors: those of the wrapped store, corrupt for a body that does not match its record, and
/// internal for other invalid answers. For these, read_now() and its siblings return nothing, and the
/// coroutine returns the error. not_found and stale are answers and are not counted as errors.
class measured_images final : public image_store {
public:
    static constexpr unsigned sample_rate = 64;

    explicit measured_images(measured_parts& parts) : parts_(parts) {}

    GALLERY_OVERRIDE_IMAGE_STORE;
    task<result<checked_page<record_ptr>>> scan_readable(std::string cursor, std::size_t limit) override;
    task<result<checked_page<kept_version>>> kept_readable(std::string cursor, std::size_t limit) override;

private:
    measured_parts& parts_;
};

class measured_documents final : public document_store {
public:
    /// @p is_gated: writes wait at the gate.
    measured_documents(measured_parts& parts, bool is_gated) : parts_(parts), is_gated_(is_gated) {}

    GALLERY_OVERRIDE_DOCUMENT_STORE;

private:
    measured_parts& parts_;
    const bool is_gated_;
};

/// on_change() may be called at any time.
class measured_feed final : public change_feed {
public:
    explicit measured_feed(measured_parts& parts) : parts_(parts) {}

    GALLERY_OVERRIDE_CHANGE_FEED;

    /// Listens to @p next instead of to @p before.
    void move(change_feed& before, change_feed& next);
    /// As if there were a change.
    void notify();

private:
    measured_parts& parts_;
    mutex mutex_;
    std::function<void()> listener_ GALLERY_GUARDED_BY(mutex_);
};

class measured_engine final : public storage_engine {
public:
    /// Before the first write to @p inner. @p name is the plugin's, for errors.
    measured_engine(std::unique_ptr<storage_engine> inner, std::string name, secret_texts secrets = {});

    /// Sums over all threads.
    [[nodiscard]] operation_counters::figures figures(operation what) const { return parts_.figures(what); }

    /// @p notify is called after each failed write, on the thread that awaited it; it does not block. Set it
    /// once, before the first write that it must see.
    void on_failed_write(std::function<void()> notify) { parts_.on_failed_write(std::move(notify)); }

    /// Delays the writes to this store; the delay is not part of the measured durations.
    [[nodiscard]] write_gate& gate() noexcept { return parts_.gate(); }
    [[nodiscard]] const write_gate& gate() const noexcept { return parts_.gate(); }

    /// As engine_slot::exchange(). @p next is an engine of this class, or forwards to one: it measures its
    /// answers itself, and listeners may be set late. So does the returned one. The listener of feed() then
    /// listens to @p next, and is called once.
    std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next);
    [[nodiscard]] bool can_exchange() const { return parts_.slot().can_exchange(); }

    image_store& images() noexcept override { return images_; }
    document_store& documents() noexcept override { return documents_; }
    change_feed& feed() noexcept override { return feed_; }
    /// For the caller that has closed the gate: writes do not wait at it and are not counted by it.
    document_store& ungated_documents() noexcept { return ungated_documents_; }
    task<result<check_report>> check() override;
    task<result<rewrite_report>> rewrite_bodies(std::function<void(std::uint64_t)> progress) override;
    [[nodiscard]] write_state writing() const override;
    void change_options(const std::map<std::string, std::string>& options) override;
    [[nodiscard]] std::vector<statistic> statistics() const override;

private:
    mutable measured_parts parts_;  ///< a call to the engine is counted
    measured_images images_{parts_};
    measured_documents documents_{parts_, true};
    measured_documents ungated_documents_{parts_, false};
    measured_feed feed_{parts_};
    bool is_exchanged_ = false;
};

}  // namespace gallery::plugins
