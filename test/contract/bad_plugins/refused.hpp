// SPDX-License-Identifier: Apache-2.0
/// For descriptors that must be refused before create() is called: calling it ends the process.
#pragma once

#include <gallery/plugin.hpp>

#include <cstdlib>

namespace gallery::bad {

inline result<std::unique_ptr<storage_engine>> must_not_be_called(const plugin_context&) noexcept {
    std::abort();
}

}  // namespace gallery::bad
