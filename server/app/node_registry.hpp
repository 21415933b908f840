// SPDX-License-Identifier: Apache-2.0
/// The servers on a store: each writes a document about itself every some seconds.
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
    /// @p store outlives this. @p self: its times are filled in here. Where the store is not shared, this
    /// server is the only one and nothing is written.
    node_registry(document_store& store, bool shared, api::node self, std::function<std::int64_t()> now);

    /// Writes that this server is there. Errors: those of the store.
    task<result<void>> announce();
    /// Removes what announce() wrote, at the end. Errors: those of the store.
    task<result<void>> withdraw();
    /// All servers that were there within the last day, by address. Times are each server's own. Errors:
    /// those of the store.
    task<result<std::vector<api::node>>> list();
    /// Forgets servers that have been missing for a day. For one server at a time; more do no harm. Errors:
    /// those of the store.
    task<result<void>> forget_missing();

private:
    document_store& store_;
    const bool shared_;
    api::node self_;
    std::function<std::int64_t()> now_;
};

}  // namespace gallery::app
