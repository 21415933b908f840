// SPDX-License-Identifier: Apache-2.0
/// Mutexes that state what they guard, in a form that clang checks (-Wthread-safety; etc/lint.sh runs it).
///
/// The types behave like those of the standard library, which carries no annotations. Other compilers ignore
/// the annotations. Rules:
///   - A member that a mutex guards is declared with GALLERY_GUARDED_BY(mutex).
///   - A function whose caller must hold a mutex is declared with GALLERY_REQUIRES(mutex).
///   - Declare a mutex before the members that it guards.
///   - clang checks a lambda as a function of its own. Wait in a loop, not with a predicate:
///     `while (!ready_) changed_.wait(mutex_);`
///   - Do not hold a lock across a co_await.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

// clang checks the attributes. GCC does not support them.
#if defined(__clang__)
#define GALLERY_THREAD_SAFETY(...) __attribute__((__VA_ARGS__))
#else
#define GALLERY_THREAD_SAFETY(...)
#endif

/// A type that can be held.
#define GALLERY_CAPABILITY(name) GALLERY_THREAD_SAFETY(capability(name))
/// A type that holds a capability from its constructor to its destructor.
#define GALLERY_SCOPED_CAPABILITY GALLERY_THREAD_SAFETY(scoped_lockable)
/// A member that may be used only while the mutex is held; for reading, a shared hold is enough.
#define GALLERY_GUARDED_BY(...) GALLERY_THREAD_SAFETY(guarded_by(__VA_ARGS__))
/// A pointer whose target may be used only while the mutex is held.
#define GALLERY_PT_GUARDED_BY(...) GALLERY_THREAD_SAFETY(pt_guarded_by(__VA_ARGS__))
/// A function that may be called only while the mutex is held.
#define GALLERY_REQUIRES(...) GALLERY_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define GALLERY_REQUIRES_SHARED(...) GALLERY_THREAD_SAFETY(requires_shared_capability(__VA_ARGS__))
/// A function that locks the mutex itself, so that its caller must not hold it.
#define GALLERY_EXCLUDES(...) GALLERY_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
// Functions that take or release a mutex. Without an argument: the object itself.
#define GALLERY_ACQUIRE(...) GALLERY_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define GALLERY_ACQUIRE_SHARED(...) GALLERY_THREAD_SAFETY(acquire_shared_capability(__VA_ARGS__))
#define GALLERY_RELEASE(...) GALLERY_THREAD_SAFETY(release_capability(__VA_ARGS__))
#define GALLERY_RELEASE_SHARED(...) GALLERY_THREAD_SAFETY(release_shared_capability(__VA_ARGS__))
#define GALLERY_RELEASE_GENERIC(...) GALLERY_THREAD_SAFETY(release_generic_capability(__VA_ARGS__))
#define GALLERY_TRY_ACQUIRE(...) GALLERY_THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
/// A function that is not checked. State the reason where it is used.
#define GALLERY_NO_THREAD_SAFETY GALLERY_THREAD_SAFETY(no_thread_safety_analysis)

namespace gallery {

class GALLERY_CAPABILITY("mutex") mutex {
public:
    mutex() = default;
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;
    void lock() GALLERY_ACQUIRE() { native_.lock(); }
    bool try_lock() GALLERY_TRY_ACQUIRE(true) { return native_.try_lock(); }
    void unlock() GALLERY_RELEASE() { native_.unlock(); }

private:
    friend class condition_variable;
    std::mutex native_;
};

class GALLERY_CAPABILITY("mutex") shared_mutex {
public:
    shared_mutex() = default;
    shared_mutex(const shared_mutex&) = delete;
    shared_mutex& operator=(const shared_mutex&) = delete;
    void lock() GALLERY_ACQUIRE() { native_.lock(); }
    void unlock() GALLERY_RELEASE() { native_.unlock(); }
    void lock_shared() GALLERY_ACQUIRE_SHARED() { native_.lock_shared(); }
    void unlock_shared() GALLERY_RELEASE_SHARED() { native_.unlock_shared(); }

private:
    std::shared_mutex native_;
};

/// Holds a mutex of any kind, exclusively, until the end of its scope.
template <class Mutex>
class GALLERY_SCOPED_CAPABILITY lock_guard {
public:
    explicit lock_guard(Mutex& held) GALLERY_ACQUIRE(held) : held_(held) { held_.lock(); }
    /// For a mutex that the caller has locked, for example with try_lock().
    lock_guard(Mutex& held, std::adopt_lock_t /*locked*/) GALLERY_REQUIRES(held) : held_(held) {}
    lock_guard(const lock_guard&) = delete;
    lock_guard& operator=(const lock_guard&) = delete;
    ~lock_guard() GALLERY_RELEASE() { held_.unlock(); }

private:
    Mutex& held_;
};

/// Holds a shared mutex for reading until the end of its scope.
class GALLERY_SCOPED_CAPABILITY shared_lock {
public:
    explicit shared_lock(shared_mutex& held) GALLERY_ACQUIRE_SHARED(held) : held_(held) {
        held_.lock_shared();
    }
    shared_lock(const shared_lock&) = delete;
    shared_lock& operator=(const shared_lock&) = delete;
    ~shared_lock() GALLERY_RELEASE_GENERIC() { held_.unlock_shared(); }

private:
    shared_mutex& held_;
};

/// Releases a held mutex until the end of its scope, for long work in the middle of a locked section.
class GALLERY_SCOPED_CAPABILITY unlock_guard {
public:
    explicit unlock_guard(mutex& held) GALLERY_RELEASE(held) : held_(held) { held_.unlock(); }
    unlock_guard(const unlock_guard&) = delete;
    unlock_guard& operator=(const unlock_guard&) = delete;
    ~unlock_guard() GALLERY_RELEASE() { held_.lock(); }  // releases the release

private:
    mutex& held_;
};

/// Waits are without predicates; they may also end without a notification.
class condition_variable {
public:
    void notify_one() noexcept { native_.notify_one(); }
    void notify_all() noexcept { native_.notify_all(); }

    void wait(mutex& held) GALLERY_REQUIRES(held) {
        std::unique_lock lock(held.native_, std::adopt_lock);
        native_.wait(lock);
        lock.release();
    }
    template <class Clock, class Duration>
    std::cv_status wait_until(mutex& held, std::chrono::time_point<Clock, Duration> deadline)
        GALLERY_REQUIRES(held) {
        std::unique_lock lock(held.native_, std::adopt_lock);
        const auto ended = native_.wait_until(lock, deadline);
        lock.release();
        return ended;
    }

private:
    std::condition_variable native_;
};

}  // namespace gallery
