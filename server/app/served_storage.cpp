// SPDX-License-Identifier: Apache-2.0
#include "app/served_storage.hpp"

#include "plugins/host.hpp"

#include <utility>

namespace gallery::app {

mirror::known_store served_storage::where() const {
    const lock_guard lock(mutex_);
    return where_;
}

storage_engine& served_storage::engine() {
    return current_ ? *current_ : store_;
}

result<void> served_storage::can_be(const mirror::target_address& other) const {
    const auto plugin = plugins::load_plugin(other.engine, plugin_dir_);
    if (!plugin) return plugin.error();
    if (plugin->descriptor->shared) {
        return error{errc::invalid_argument,
                     "A server cannot be switched to a store that several servers can share (" +
                         other.engine +
                         "). Stop the mirror and the server, and start the server with STORAGE_PLUGIN=" +
                         other.engine +
                         ". If it was switched before, run gallery-admin reinstate with this setting first"};
    }
    if (!store_.can_exchange())
        return error{errc::unavailable, "The store was switched very often. Restart the server first"};
    return {};
}

std::shared_ptr<storage_engine> served_storage::exchange(std::shared_ptr<storage_engine> next,
                                                         mirror::known_store place) {
    current_ = next;
    auto before = store_.exchange(std::move(next));
    const lock_guard lock(mutex_);
    where_ = std::move(place);
    return before;
}

}  // namespace gallery::app
