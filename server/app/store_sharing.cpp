// SPDX-License-Identifier: Apache-2.0
#include "app/store_sharing.hpp"

#include "plugins/engine_slot.hpp"
#include "plugins/host.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace gallery::app {

namespace {

/// In which all accounts are read from the new store of a switch.
constexpr std::chrono::milliseconds longest_reading{10'000};

result<void> refusal_of(const result<std::vector<api::node>>& others) {
    if (!others) return others.error();
    if (others->empty()) return {};
    std::string names;
    for (const auto& one : *others)
        names += (names.empty() ? "" : ", ") + one.address;
    return error{errc::busy, "other servers use a store of the switch: " + names +
                                 ". Stop them first. A server that was killed counts for half a minute"};
}

}  // namespace

store_sharing::store_sharing(bool is_shared, cache::freshness& fresh, std::string plugin_dir, std::string id)
    : is_shared_(is_shared), fresh_(fresh), plugin_dir_(std::move(plugin_dir)), id_(std::move(id)) {
    if (!is_shared) own();
}

void store_sharing::use(node_registry& nodes, change_follower& follower, lease& mirror_turn) {
    nodes_ = &nodes;
    follower_ = &follower;
    mirror_turn_ = &mirror_turn;
}

void store_sharing::own() noexcept {
    is_shared_.store(false, std::memory_order_release);
    fresh_.own();
}

bool store_sharing::can_share(const mirror::target_address& store) const {
    const auto plugin = plugins::load_plugin(store.engine, plugin_dir_);
    return plugin && plugin->descriptor->shared;
}

task<result<bool>> store_sharing::take_turn() {
    if (!is_shared()) co_return true;
    co_return co_await mirror_turn_->acquire();
}

task<result<void>> store_sharing::end_turn() {
    if (!is_shared()) co_return result<void>();
    co_return co_await mirror_turn_->release();
}

task<result<void>> store_sharing::check_alone() {
    const auto others = co_await nodes_->others();
    co_return refusal_of(others);
}

task<result<void>> store_sharing::check_absent(storage_engine& on) {
    const auto others = co_await nodes_->others(on.documents());
    co_return refusal_of(others);
}

task<result<void>> store_sharing::join(storage_engine& on) {
    const auto last = co_await on.feed().last();
    if (!last) co_return last.error();
    if (*last >= plugins::engine_slot::width) {
        co_return error{errc::unavailable,
                        "the revisions of the store are too high, after many failovers of its database. Stop "
                        "the server, and start it on the store"};
    }
    co_return co_await nodes_->join(on.documents());
}

task<result<void>> store_sharing::leave(storage_engine& on) {
    return nodes_->leave(on.documents());
}

task<result<void>> store_sharing::read_theirs() {
    return follower_->catch_up();
}

task<result<void>> store_sharing::admit() {
    // Before the freshness is limited: with many accounts, this takes longer than that.
    auto read = co_await follower_->catch_up(longest_reading);
    fresh_.share(std::chrono::steady_clock::now());
    is_shared_.store(true, std::memory_order_release);
    follower_->read_soon();  // the interval was that of a server alone
    co_return read;
}

}  // namespace gallery::app
