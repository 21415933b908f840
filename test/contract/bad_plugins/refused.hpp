// SPDX-License-Identifier: Apache-2.0
/// For descriptors that must be refused before create() is called: calling it ends the process.
#pragma once

#include <gallery/plugin.hpp>

#include <cstdlib>

namespace gallery::bad {

inline result<std::unique_ptr<storage_engine>> must_not_be_called(const plugin_context&) noexcept {
    std::abort();
}

/// A descriptor with nothing wrong but its function, for a plugin that changes one member.
constexpr plugin_descriptor refused_as(const char* name) noexcept {
    return {GALLERY_PLUGIN_HEADER, name, "1", "{}", false, &must_not_be_called};
}

}  // namespace gallery::bad
