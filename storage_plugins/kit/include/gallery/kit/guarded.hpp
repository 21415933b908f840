// SPDX-License-Identifier: Apache-2.0
/// The edge where exceptions of an engine become errors.
#pragma once

#include <gallery/error.hpp>

#include <exception>
#include <new>
#include <string>
#include <type_traits>

namespace gallery::kit {

/// Calls @p work, which returns a result or an optional one, and turns an exception, which is a bug or a lack
/// of memory, into an error. @p engine is the plugin's name, for the message.
template <class Work>
std::invoke_result_t<Work&> guarded(const char* engine, Work&& work) noexcept {
    using outcome = std::invoke_result_t<Work&>;
    try {
        return work();
    } catch (const std::bad_alloc&) {
        return outcome(error{
            errc::busy, std::string("The storage engine ") + engine + " is out of memory; try again later."});
    } catch (const std::exception& bug) {
        return outcome(
            error{errc::internal, std::string("The storage engine ") + engine + " failed: " + bug.what()});
    }
}

}  // namespace gallery::kit
