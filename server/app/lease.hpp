// SPDX-License-Identifier: Apache-2.0
/// Work that one of several servers on a store does at a time.
///
/// A lease is a document that names its holder and for how long it is held after each renewal. It is taken
/// and renewed under a precondition of the store, so that one server wins. No clock is compared with
/// another's: a waiting server measures with its own clock how long the document has not changed. A holder
/// that was stopped for longer than the lease may believe for a moment that it still holds it. Therefore
/// everything that is done under a lease must be harmless when two do it, or require the lease itself in its
/// write.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace gallery::app {

class lease {
public:
    using clock = std::chrono::steady_clock;

    /// @p store outlives this. @p holder is an id of this server that no other has, and the same after a
    /// restart, so that it need not wait for itself. All members are used by one coroutine at a time.
    lease(document_store& store, std::string name, std::string holder, std::chrono::milliseconds length,
          std::function<clock::time_point()> now = clock::now);

    /// Takes the lease or renews it. False: another server holds it; ask again. Errors: those of the store.
    task<result<bool>> acquire();
    /// Renews it only if it is still held as it was by the last acquire() or renew(). False: it was taken by
    /// another server, or never held. Errors: those of the store.
    task<result<bool>> renew();
    /// Gives it back, if it is held. Errors: those of the store.
    task<result<void>> release();

    /// Another store has taken the place of this one: what was held there is not held here.
    void forget() noexcept;

    /// A part of a write that then takes place only if the lease is still held as it was by the last
    /// acquire(). Precondition: that returned true.
    [[nodiscard]] document_write requirement() const;

private:
    [[nodiscard]] document as_document() const;
    task<result<bool>> write(precondition condition);

    document_store& store_;
    const std::string name_;
    const std::string holder_;
    const std::chrono::milliseconds length_;
    std::function<clock::time_point()> now_;
    revision held_ = 0;  ///< 0: not held
    revision seen_ = 0;  ///< of another holder's, unchanged since seen_at_
    clock::time_point seen_at_;
};

}  // namespace gallery::app
