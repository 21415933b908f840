/// Runs a coroutine of the gallery to its end in a test's thread.
#pragma once

#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace gallery::test {

/// Any thread; each has an io_context of its own, on which the coroutine runs and must resume. Throws what
/// the coroutine throws, and logic_error where it resumed on another thread's context or never.
template <class T>
T await(task<T> work) {
    thread_local asio::io_context context{1};
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
