// SPDX-License-Identifier: Apache-2.0
/// Whether other servers can write to the store of this one now. A switch of the store can change that.
///
/// Whatever depends on it asks is_shared() each time. Memory is of limited freshness exactly while it is
/// true: own() and admit() change both together. During a switch, the claims of both stores keep other
/// servers away (mirror/switch_claims.hpp); so this server is the only one from before the exchange until
/// admit().
#pragma once

#include "app/change_follower.hpp"
#include "app/lease.hpp"
#include "app/node_registry.hpp"
#include "cache/freshness.hpp"
#include "mirror/other_servers.hpp"

#include <atomic>
#include <string>

namespace gallery::app {

class store_sharing final : public mirror::other_servers {
public:
    /// @p fresh outlives this; it becomes always fresh unless the store is shared. @p plugin_dir as in the
    /// settings, @p id the one of this server.
    store_sharing(bool is_shared, cache::freshness& fresh, std::string plugin_dir, std::string id);

    /// Any thread.
    [[nodiscard]] bool is_shared() const noexcept { return is_shared_.load(std::memory_order_acquire); }

    /// What a mirror needs, before there is one. All of them outlive its use. @p mirror_turn is a lease in
    /// the store of the server.
    void use(node_registry& nodes, change_follower& follower, lease& mirror_turn);

    /// Other servers do not write to the store of this one, and its memory contains what they have written:
    /// after an exchange, until admit().
    void own() noexcept;

    [[nodiscard]] std::string id() const override { return id_; }
    [[nodiscard]] bool can_share(const mirror::target_address& store) const override;
    task<result<bool>> take_turn() override;
    task<result<void>> end_turn() override;
    task<result<void>> check_alone() override;
    task<result<void>> check_absent(storage_engine& on) override;
    task<result<void>> join(storage_engine& on) override;
    task<result<void>> leave(storage_engine& on) override;
    task<result<void>> read_theirs() override;
    task<result<void>> admit() override;

private:
    std::atomic<bool> is_shared_;
    cache::freshness& fresh_;
    const std::string plugin_dir_;
    const std::string id_;
    node_registry* nodes_ = nullptr;
    change_follower* follower_ = nullptr;
    lease* mirror_turn_ = nullptr;
};

}  // namespace gallery::app
