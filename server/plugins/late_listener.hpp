// SPDX-License-Identifier: Apache-2.0
/// The listener of a change feed, which can be changed while the store is written.
///
/// The contract allows one listener, set before the first write. The store that a server serves from may be
/// exchanged for one that has been written before, as a mirror. It gets its listener only then.
#pragma once

#include "plugins/forwarding_engine.hpp"

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace gallery::plugins {

/// Threads: all members on any thread.
class late_listener {
public:
    /// An empty function ends the listening. The one before may be called once more by a thread that is in
    /// notify() already, so what it uses lives as long as the store.
    void set(std::function<void()> notify) {
        const lock_guard lock(mutex_);
        if (!notify) {
            current_.store(nullptr);
            return;
        }
        all_.push_back(std::make_unique<const std::function<void()>>(std::move(notify)));
        current_.store(all_.back().get());
    }
    void notify() const {
        if (const auto* const known = current_.load()) (*known)();
    }

private:
    mutex mutex_;
    /// Never removed: another thread may be calling one. There is one more for each exchange of a store.
    std::vector<std::unique_ptr<const std::function<void()>>> all_ GALLERY_GUARDED_BY(mutex_);
    std::atomic<const std::function<void()>*> current_{nullptr};
};

/// An engine whose on_change() may be called at any time and repeatedly.
class late_listening_engine final : public forwarding_engine {
public:
    /// Before the first write to @p inner.
    explicit late_listening_engine(std::unique_ptr<storage_engine> inner)
        : forwarding_engine(*inner), inner_(std::move(inner)), feed_(inner_->feed()) {}

    change_feed& feed() noexcept override { return feed_; }

private:
    class late_feed final : public change_feed {
    public:
        explicit late_feed(change_feed& inner) : inner_(inner) {
            inner_.on_change([to = listener_] { to->notify(); });
        }
        task<result<change_batch>> changes(revision after, std::size_t limit) override {
            return inner_.changes(after, limit);
        }
        task<result<revision>> last() override { return inner_.last(); }
        void on_change(std::function<void()> notify) override { listener_->set(std::move(notify)); }

    private:
        std::shared_ptr<late_listener> listener_ = std::make_shared<late_listener>();
        change_feed& inner_;
    };

    std::unique_ptr<storage_engine> inner_;
    late_feed feed_;
};

}  // namespace gallery::plugins
