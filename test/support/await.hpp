// SPDX-License-Identifier: Apache-2.0
/// Runs a coroutine of the gallery to its end in a test's thread.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gallery::test {

/// An io_context for each thread that asks. They are kept for later threads and never destroyed before the
/// process ends: whoever resumed a coroutine on one may still be about to leave it (contexts outlive stores).
class thread_context {
public:
    thread_context() {
        const std::lock_guard lock(mutex());
        auto& unused = free_contexts();
        if (unused.empty()) unused.push_back(std::make_unique<asio::io_context>(1));
        context_ = std::move(unused.back());
        unused.pop_back();
    }
    thread_context(const thread_context&) = delete;
    thread_context& operator=(const thread_context&) = delete;
    ~thread_context() {
        const std::lock_guard lock(mutex());
        free_contexts().push_back(std::move(context_));
    }
    asio::io_context& get() noexcept { return *context_; }

private:
    static std::mutex& mutex() {
        static auto* const one = new std::mutex;
        return *one;
    }
    static std::vector<std::unique_ptr<asio::io_context>>& free_contexts() {
        static auto* const all = new std::vector<std::unique_ptr<asio::io_context>>;
        return *all;
    }
    std::unique_ptr<asio::io_context> context_;
};

/// Any thread; each has an io_context of its own, on which the coroutine runs and must resume. Throws what
/// the coroutine throws, and logic_error where it resumed on another thread's context or never.
template <class T>
T await(task<T> work) {
    thread_local thread_context mine;
    auto& context = mine.get();
    std::optional<T> value;
    std::exception_ptr failure;
    context.restart();
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T got) {
        failure = thrown;
        if (!thrown) value.emplace(std::move(got));
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    if (!value) throw std::logic_error("the coroutine did not end on the context it was started on");
    return std::move(*value);
}

}  // namespace gallery::test
