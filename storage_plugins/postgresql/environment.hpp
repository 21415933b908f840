// SPDX-License-Identifier: Apache-2.0
/// What the parts of one open store share.
#pragma once

#include "options.hpp"
#include "schema.hpp"

#include <gallery/task.hpp>
#include <gallery/uuid.hpp>

namespace gallery::postgres {

struct environment {
    asio::io_context&
        engine;  ///< with one thread: everything of this engine runs there unless stated otherwise
    asio::thread_pool& workers;  ///< for what blocks or computes long
    const options& chosen;
    const log_function& log;
    uuid node;  ///< of this opening
};

}  // namespace gallery::postgres
