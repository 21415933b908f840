// SPDX-License-Identifier: Apache-2.0
/// Wraps an engine: checks its answers, and counts and measures its operations (operation_counters.hpp). The
/// server uses engines only through this class.
///
/// Invalid answers (soundness.hpp) become errors here, so the layers above need not expect them. Answers from
/// the engine's memory need no additional coroutine. A write that fails with a code that leaves its outcome
/// open (io_error, unavailable, internal) fails here with unknown_outcome, so the layers above can
/// distinguish it from a write that changed nothing. The values of secret options are removed from the
/// engine's error messages.
#pragma once

#include "plugins/operation_counters.hpp"
#include "plugins/options.hpp"
#include "plugins/per_thread.hpp"
#include "plugins/write_gate.hpp"

#include <gallery/storage.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::plugins {

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
    [[nodiscard]] write_gate& gate() noexcept { return gate_; }
    [[nodiscard]] const write_gate& gate() const noexcept { return gate_; }

    template <class T, class Check>
    task<result<T>> measure(operation what, task<result<T>> inner, Check check);
    template <class T, class Check>
    task<result<T>> sample(operation what, task<result<T>> inner, Check check);
    template <class Ask, class Check>
    auto answer_now(operation what, Ask&& ask, Check&& is_good);

private:
    struct counters {
        std::array<operation_counters, operation_count> of;
    };
    operation_counters& mine(operation what) { return counters_.mine().of[static_cast<std::size_t>(what)]; }

    template <class T, class Check>
    task<result<T>> await_answer(operation what, unsigned rate, task<result<T>> inner, Check check);

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

    /// Delays the writes to this store; the delay is not part of the measured durations.
    [[nodiscard]] write_gate& gate() noexcept { return parts_.gate(); }
    [[nodiscard]] const write_gate& gate() const noexcept { return parts_.gate(); }

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
