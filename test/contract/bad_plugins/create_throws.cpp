// SPDX-License-Identifier: Apache-2.0
// Breaks the promise that create() does not throw. The descriptor's type says noexcept, so a caller that
// calls it as that type has no way to catch and the process ends; one that calls it through a pointer to a
// function that may throw can.
#include <gallery/plugin.hpp>

#include <stdexcept>

namespace {

using creator = decltype(gallery::plugin_descriptor::create);

gallery::result<std::unique_ptr<gallery::storage_engine>> create(const gallery::plugin_context&) {
    throw std::runtime_error("create() of a bad plugin throws");
}

const gallery::plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "create_throws", "1", "{}", false, reinterpret_cast<creator>(&create)};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)
