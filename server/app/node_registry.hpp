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
#include <gallery/model.hpp>
#include <gallery/mutex.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gallery::app {

/// How often announce() is to be awaited.
constexpr std::chrono::seconds announcement_interval{10};

/// What a server has written about itself last.
struct announcement {
    api::node node;
    revision rev = 0;

    /// Whether the server counts as being there, if both clocks agree.
    [[nodiscard]] bool is_recent(std::int64_t now) const;
};

/// How long a server that does not announce itself still counts.
std::chrono::milliseconds missing_after() noexcept;

/// Of the server with this id; empty if it has signed off or was never on the store. Errors: those of the
/// store.
task<result<std::optional<announcement>>> find_announcement(document_store& on, std::string id);
/// A part of a write that takes place only if the server has not announced itself since.
document_write require_silence(const std::string& id, const std::optional<announcement>& last);

/// The id of this server, which it keeps in @p folder so that it is the same after a restart. Blocks. Error:
/// io_error.
result<std::string> load_or_create_node_id(const std::string& folder);

class node_registry {
public:
    /// @p store outlives this. @p self: its times are filled in here. While the store is not shared, this
    /// server is the only one and nothing is written.
    node_registry(document_store& store, std::function<bool()> is_shared, api::node self,
                  std::function<std::int64_t()> now);

    /// Of later announcements. Any thread.
    void set_address(std::string address);

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

    /// The other servers that may be up. Any thread. Besides those of list(), a server counts until this one
    /// has not seen an announcement for as long by its own clock: the clocks of two machines may differ.
    /// Errors: those of the store.
    task<result<std::vector<api::node>>> others();

    // Of a store that is not the one of this server yet, or any more; any thread.

    /// The other servers that are up. Errors: those of the store.
    [[nodiscard]] task<result<std::vector<api::node>>> others(document_store& on) const;
    task<result<void>> join(document_store& on) const;
    task<result<void>> leave(document_store& on) const;

private:
    /// With the present time.
    [[nodiscard]] api::node self() const;
    [[nodiscard]] task<result<std::vector<api::node>>> read(document_store& on) const;
    /// Notes what is known of the server now. False while it may be up.
    bool is_silent(const api::node& of);

    document_store& store_;
    std::function<bool()> is_shared_;
    const std::string id_;
    std::function<std::int64_t()> now_;
    mutable mutex mutex_;
    api::node self_ GALLERY_GUARDED_BY(mutex_);
    struct observation {
        std::int64_t announced = 0;  ///< by the clock of the other server
        std::int64_t seen_at = 0;    ///< by the own clock, first
    };
    std::map<std::string, observation> observed_ GALLERY_GUARDED_BY(mutex_);  ///< by id
};

}  // namespace gallery::app
