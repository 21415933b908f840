// SPDX-License-Identifier: Apache-2.0
/// How the programs of this folder end when something fails.
#pragma once

#include <gallery/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace gallery::load {

/// Ends the process with a message.
[[noreturn]] inline void stop(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

/// The value, or the end of the process with the error.
template <class T>
T must(result<T> given) {
    if (!given) stop(given.error().message);
    return std::move(*given);
}

}  // namespace gallery::load
