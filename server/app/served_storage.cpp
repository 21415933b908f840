// SPDX-License-Identifier: Apache-2.0
#include "app/served_storage.hpp"

#include "plugins/host.hpp"
#include "plugins/options.hpp"

#include <utility>

namespace gallery::app {

mirror::known_store served_storage::where() const {
    const lock_guard lock(mutex_);
    return where_;
}

storage_engine& served_storage::engine() {
    return current_ ? *current_ : store_;
}

document_store& served_storage::ungated_documents() {
    return current_ ? current_->documents() : store_.ungated_documents();
}

result<void> served_storage::can_be(const mirror::target_address& other) const {
    const auto plugin = plugins::load_plugin(other.engine, plugin_dir_);
    if (!plugin) return plugin.error();
    if (!store_.can_exchange())
        return error{errc::unavailable, "The store was switched very often. Restart the server first"};
    return {};
}

std::shared_ptr<storage_engine> served_storage::exchange(std::shared_ptr<storage_engine> next,
                                                         mirror::known_store place) {
    current_ = next;
    auto before = store_.exchange(std::move(next));
    sharing_.own();
    const lock_guard lock(mutex_);
    where_ = std::move(place);
    return before;
}

void served_storage::move_caches(storage_engine& former, const mirror::known_store& former_place) {
    const auto change = [this](storage_engine& of, const mirror::known_store& place, bool is_served) {
        const auto plugin = plugins::load_plugin(place.address.engine, plugin_dir_);
        if (!plugin) return;
        auto options = place.address.options;
        if (!is_served) options = plugins::with_least_caches(*plugin->descriptor, std::move(options));
        const auto complete = plugins::complete_options(*plugin->descriptor, std::move(options));
        if (complete) of.change_options(*complete);
    };
    // The smaller one first, so that both together never need more.
    change(former, former_place, false);
    change(engine(), where(), true);
}

void served_storage::note_options(std::map<std::string, std::string> options) {
    const lock_guard lock(mutex_);
    where_.address.options = std::move(options);
}

}  // namespace gallery::app
