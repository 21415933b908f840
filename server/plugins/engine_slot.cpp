// SPDX-License-Identifier: Apache-2.0
#include "plugins/engine_slot.hpp"

#include <chrono>
#include <thread>

namespace gallery::plugins {

/// The ends are counted first. Both counts only grow, so equal sums mean that no call was under way at the
/// moment between the two.
bool engine_slot::place::is_unused() const {
    std::uint64_t ended = 0;
    std::uint64_t begun = 0;
    counts.for_each(
        [&ended](const uses& of_thread) { ended += of_thread.ended.load(std::memory_order_acquire); });
    counts.for_each([&begun](const uses& of_thread) { begun += of_thread.begun.load(); });
    return begun == ended;
}

/// Owns an engine that is no longer the current one.
struct engine_slot::retired {
    retired(std::shared_ptr<place> of, std::shared_ptr<storage_engine> what)
        : at(std::move(of)), engine(std::move(what)) {}
    retired(const retired&) = delete;
    retired& operator=(const retired&) = delete;
    ~retired() {
        constexpr std::chrono::milliseconds look_again{1};
        while (!at->is_unused())
            std::this_thread::sleep_for(look_again);
        at->shifted.reset();  // it has records of the engine
    }

    std::shared_ptr<place> at;
    std::shared_ptr<storage_engine> engine;
};

engine_slot::engine_slot(std::shared_ptr<storage_engine> first) {
    auto made = std::make_shared<place>();
    made->calls = first.get();
    made->engine = std::move(first);
    current_.store(made.get());
    places_.push_back(std::move(made));
}

engine_slot::~engine_slot() = default;

bool engine_slot::can_exchange() const {
    const lock_guard lock(mutex_);
    return places_.size() <= max_exchanges;
}

std::shared_ptr<storage_engine> engine_slot::exchange(std::shared_ptr<storage_engine> next) {
    const lock_guard lock(mutex_);
    auto made = std::make_shared<place>();
    made->shifted = std::make_unique<shifted_engine>(*next, width * places_.size());
    made->calls = made->shifted.get();
    made->engine = std::move(next);
    auto before = std::make_shared<retired>(places_.back(), places_.back()->engine);
    places_.push_back(made);
    current_.store(made.get());
    before->at->engine.reset();
    storage_engine* const engine = before->engine.get();
    return {std::move(before), engine};
}

}  // namespace gallery::plugins
