// SPDX-License-Identifier: Apache-2.0
/// The servers on a store: each writes a document about itself every some seconds.
///
/// A server writes its document before it serves, and only if no switch has claimed the store or has left it
/// (mirror/superseded.hpp). A switch therefore finds each server that could write to the store, or that
/// server does not start.
#pragma once

#include "api/system.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gallery::app {

/// How often announce() is to be awaited.
constexpr std::chrono::seconds announcement_interval{10};

/// The id of this server, which it keeps in @p folder so that it is the same after a restart. Blocks. Error:
/// io_error.
result<std::string> load_or_create_node_id(const std::string& folder);

class node_registry {
public:
    /// @p store outlives this. @p self: its times are filled in here. While the store is not shared, this
    /// server is the only one and nothing is written.
    node_registry(document_store& store, std::function<bool()> is_shared, api::node self,
                  std::function<std::int64_t()> now);

    /// Before other threads use this.
    void set_address(std::string address) { self_.address = std::move(address); }

    /// Writes that this server is there. Errors: unavailable if another store has taken the place of this
    /// one, or another server has claimed it for a switch; those of the store.
    task<result<void>> announce();
    /// Removes what announce() wrote, at the end. Errors: those of the store.
    task<result<void>> withdraw();
    /// All servers that were there within the last day, by address. Times are each server's own. Errors:
    /// those of the store.
    task<result<std::vector<api::node>>> list();
    /// Forgets servers that have been missing for a day. For one server at a time; more do no harm. Errors:
    /// those of the store.
    task<result<void>> forget_missing();

    // Of any store that can be shared, on any thread; the store is not the one of this server yet, or any
    // more.

    /// The other servers that are up. Errors: those of the store.
    [[nodiscard]] task<result<std::vector<api::node>>> others(document_store& on) const;
    task<result<void>> join(document_store& on) const;
    task<result<void>> leave(document_store& on) const;

private:
    [[nodiscard]] document as_document() const;
    [[nodiscard]] task<result<std::vector<api::node>>> read(document_store& on) const;

    document_store& store_;
    std::function<bool()> is_shared_;
    api::node self_;
    std::function<std::int64_t()> now_;
};

}  // namespace gallery::app
