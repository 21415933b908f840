// SPDX-License-Identifier: Apache-2.0
/// Coarse deadlines for many connections: setting one is a store; a tick reads only those that may be due.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gallery::http {

/// One per I/O thread, used on it only. Time is a count of ticks; who calls advance() decides what a tick is
/// (a second in the server, anything in a test). A deadline passes between `due` and one tick later.
class timer_wheel {
public:
    using tick = std::uint64_t;
    static constexpr tick never = ~tick{0};

    /// Base of what has a deadline; unlinks itself. Neither copied nor moved.
    class node {
    public:
        node() = default;
        node(const node&) = delete;
        node& operator=(const node&) = delete;
        ~node() { unlink(); }

    private:
        friend class timer_wheel;
        void unlink() noexcept {
            if (!next_) return;
            previous_->next_ = next_;
            next_->previous_ = previous_;
            next_ = previous_ = nullptr;
        }
        node* previous_ = nullptr;
        node* next_ = nullptr;
        tick due_ = never;
        tick filed_ = 0;  // the tick at which it is looked at; at most due_
    };

    timer_wheel() noexcept {
        for (auto& slot : slots_)
            slot.next_ = slot.previous_ = &slot;
    }
    timer_wheel(const timer_wheel&) = delete;
    timer_wheel& operator=(const timer_wheel&) = delete;

    [[nodiscard]] tick now() const noexcept { return now_; }

    /// Sets, moves or (with `never`) clears a deadline, in ticks from the wheel's beginning. Moving it back
    /// in time costs two list operations, moving it ahead one store.
    void arm(node& entry, tick due) noexcept {
        entry.due_ = due;
        if (due == never || (entry.next_ && entry.filed_ <= due)) return;
        entry.unlink();
        file(entry);
    }
    void arm_in(node& entry, tick ticks) noexcept { arm(entry, now_ + ticks); }
    void disarm(node& entry) noexcept { entry.due_ = never; }

    /// One tick passes; calls expired(node&) for each entry whose deadline it was. The callback may arm,
    /// disarm and destroy any entry.
    template <class Function>
    void advance(Function&& expired) {
        ++now_;
        node& slot = slots_[now_ % slots_.size()];
        node due_now;
        if (slot.next_ != &slot) {
            due_now.next_ = slot.next_;
            due_now.previous_ = slot.previous_;
            due_now.next_->previous_ = due_now.previous_->next_ = &due_now;
            slot.next_ = slot.previous_ = &slot;
        } else {
            return;
        }
        while (due_now.next_ != &due_now) {
            node& entry = *due_now.next_;
            entry.unlink();
            if (entry.due_ == never) continue;
            if (entry.due_ > now_) {
                file(entry);
                continue;
            }
            entry.due_ = never;
            expired(entry);
        }
        due_now.next_ = due_now.previous_ = nullptr;
    }

    ~timer_wheel() {
        for (auto& slot : slots_) {
            while (slot.next_ != &slot)
                slot.next_->unlink();
            slot.next_ = slot.previous_ = nullptr;
        }
    }

private:
    void file(node& entry) noexcept {
        const tick furthest = now_ + slots_.size() - 1;
        entry.filed_ = entry.due_ <= now_ ? now_ + 1 : entry.due_ < furthest ? entry.due_ : furthest;
        node& slot = slots_[entry.filed_ % slots_.size()];
        entry.previous_ = slot.previous_;
        entry.next_ = &slot;
        slot.previous_->next_ = &entry;
        slot.previous_ = &entry;
    }

    std::array<node, 256> slots_;
    tick now_ = 0;
};

}  // namespace gallery::http
