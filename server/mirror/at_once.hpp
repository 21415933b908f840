// SPDX-License-Identifier: Apache-2.0
/// Does the same with many items, several of them at a time.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::mirror {

namespace detail {

template <class Item>
struct shared_turns {
    std::vector<Item> items;
    std::function<task<result<void>>(Item)> work;
    std::size_t next = 0;
    std::size_t running = 0;
    std::optional<error> failure;
    std::optional<resumption<>> waiting;
};

template <class Item>
task<void> take_turns(shared_turns<Item>& all) {
    while (!all.failure && all.next < all.items.size()) {
        Item mine = std::move(all.items[all.next++]);
        auto done = co_await all.work(std::move(mine));
        if (!done && !all.failure) all.failure = done.error();
    }
}

}  // namespace detail

/// Awaits @p work for every item, at most @p width at a time, in order of the items. After the first failure
/// no further item is begun. Returns when nothing of it runs any more. Precondition: the executor of the
/// awaiting coroutine belongs to one thread. Errors: the first one of @p work; internal if it throws.
template <class Item>
task<result<void>> for_each_at_once(std::vector<Item> items, std::size_t width,
                                    std::function<task<result<void>>(Item)> work) {
    detail::shared_turns<Item> all;
    all.items = std::move(items);
    all.work = std::move(work);
    const io_executor executor = co_await asio::this_coro::executor;
    const auto count = std::min(width, all.items.size());
    all.running = count;
    for (std::size_t i = 0; i < count; ++i) {
        asio::co_spawn(executor, detail::take_turns(all), [&all](std::exception_ptr thrown) {
            if (thrown && !all.failure)
                all.failure = error{errc::internal, "a storage engine threw an exception, expected an error"};
            if (--all.running == 0 && all.waiting) all.waiting->complete();
        });
    }
    if (all.running > 0) {
        auto start = [&all](resumption<> waiting) { all.waiting.emplace(std::move(waiting)); };
        co_await suspend(std::move(start));
    }
    if (all.failure) co_return *all.failure;
    co_return result<void>();
}

}  // namespace gallery::mirror
