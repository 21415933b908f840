// SPDX-License-Identifier: Apache-2.0
/// The engine that calls are made to, which can be exchanged for another one while they are made.
///
/// A call pins the engine: it runs to its end on the engine that was the current one when it began. After an
/// exchange the engine before is closed only when no pin of it is left. A pin is counted in memory of the
/// calling thread, so it costs a few instructions and moves no cache line between processor cores.
///
/// Revisions of different stores must not be taken for each other. Those of the first engine are as they are.
/// Those of each later one are shifted by a number of their own (shifted_engine.hpp).
#pragma once

#include "plugins/per_thread.hpp"
#include "plugins/shifted_engine.hpp"

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace gallery::plugins {

class engine_slot {
    struct place;

public:
    /// Revisions of an engine are below this number. Those of some engines have an epoch in their high bits.
    static constexpr revision width = revision{1} << 52;
    static constexpr std::size_t max_exchanges = 2'000;  ///< so that shifted revisions are positive numbers

    explicit engine_slot(std::shared_ptr<storage_engine> first);
    engine_slot(const engine_slot&) = delete;
    engine_slot& operator=(const engine_slot&) = delete;
    /// No call is under way.
    ~engine_slot();

    class pin {
    public:
        pin(pin&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
        pin& operator=(pin&&) = delete;
        ~pin() {
            if (at_ != nullptr) leave(*at_);
        }
        [[nodiscard]] storage_engine& operator*() const noexcept { return *at_->calls; }
        [[nodiscard]] storage_engine* operator->() const noexcept { return at_->calls; }

    private:
        friend class engine_slot;
        explicit pin(place& at) noexcept : at_(&at) {}
        place* at_;
    };

    /// The current engine. A pin may be moved to another thread.
    [[nodiscard]] pin take() {
        for (;;) {
            place* const at = current_.load(std::memory_order_acquire);
            uses& mine = at->counts.mine();
            // Sequentially consistent, as exchange() is: either this sees its new engine, or it sees this
            // call.
            mine.begun.store(mine.begun.load(std::memory_order_relaxed) + 1);
            if (current_.load() == at) [[likely]]
                return pin(*at);
            leave(*at);
        }
    }

    /// Whether exchange() may be called: not after max_exchanges.
    [[nodiscard]] bool can_exchange() const;
    /// Calls that begin after the return are made to @p next; those that run go on. Returns the engine before
    /// without a shift of its revisions. Its last owner waits until no call of it is under way, so it must
    /// not be an I/O thread. Precondition: can_exchange().
    std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next);

private:
    /// Written by one thread, except that a pin may be left on another one; each thread counts up both.
    struct uses {
        std::atomic<std::uint64_t> begun{0};
        std::atomic<std::uint64_t> ended{0};
    };
    /// Places exist as long as the slot: a thread may still be looking whether one is the current one.
    struct place {
        [[nodiscard]] bool is_unused() const;

        std::shared_ptr<storage_engine> engine;   ///< null when another one has taken its place
        std::unique_ptr<shifted_engine> shifted;  ///< null for the first one
        storage_engine* calls = nullptr;          ///< either of the two
        per_thread<uses> counts;
    };
    struct retired;

    static void leave(place& at) {
        auto& ended = at.counts.mine().ended;
        ended.store(ended.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    std::atomic<place*> current_{nullptr};
    mutable mutex mutex_;
    std::vector<std::shared_ptr<place>> places_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::plugins
