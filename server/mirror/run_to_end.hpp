// SPDX-License-Identifier: Apache-2.0
/// Runs a coroutine to its end on the calling thread.
#pragma once

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <utility>

namespace gallery::mirror {

/// Nothing else runs on @p context. Errors: those of @p work; internal if it throws.
template <class T>
result<T> run_to_end(asio::io_context& context, task<result<T>> work) {
    result<T> out = error{errc::internal, "a storage engine threw an exception, expected an error"};
    context.restart();
    asio::co_spawn(context, std::move(work), [&out](std::exception_ptr thrown, result<T> value) {
        if (!thrown) out = std::move(value);
    });
    context.run();
    return out;
}

}  // namespace gallery::mirror
