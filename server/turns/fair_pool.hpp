// SPDX-License-Identifier: Apache-2.0
/// Threads for work that would block an I/O thread, used by turns.
#pragma once

#include "turns/fair_turns.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/asio/thread_pool.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace gallery {

/// As many threads as there are turns. Must outlive its work in progress.
template <class Key>
class fair_pool {
public:
    using limits = typename fair_turns<Key>::limits;

    /// @p what as of fair_turns.
    fair_pool(std::string_view what, limits bounds) : turns_(what, bounds), threads_(bounds.at_once) {}

    /// offload() when it is the turn of @p who. @p work returns a result. Errors: its own, and as of
    /// fair_turns::take().
    template <class Work>
    task<std::invoke_result_t<Work&>> run(Key who, Work work) {
        const auto turn = co_await turns_.take(std::move(who));
        if (!turn) co_return turn.error();
        co_return co_await offload(threads_, std::move(work));
    }

    /// Refuses all waiting callers, and ends the work in progress. Called before their I/O contexts are
    /// destroyed.
    void stop() {
        turns_.stop();
        threads_.join();
    }

private:
    fair_turns<Key> turns_;
    asio::thread_pool threads_;
};

}  // namespace gallery
