// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

#include <csignal>
#include <initializer_list>

#include <pthread.h>

namespace gallery::app {

namespace {

sigset_t set_of(std::initializer_list<int> signals) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    return set;
}

sigset_t handled() noexcept {
    return set_of({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
}

}  // namespace

signal_listener::signal_listener() {
    const sigset_t set = handled();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void signal_listener::end_at_once(std::function<void()> at_once) {
    thread_ = std::thread([this, at_once = std::move(at_once)] {
        const sigset_t set = set_of({SIGTERM, SIGINT, SIGUSR1});
        while (!ending_) {
            int signal = 0;
            if (::sigwait(&set, &signal) == 0 && signal != SIGUSR1) at_once();
        }
    });
}

void signal_listener::listen(std::function<void()> hang_up, std::function<void()> at_once) {
    end_thread();
    thread_ = std::thread([this, hang_up = std::move(hang_up), at_once = std::move(at_once)] {
        const sigset_t set = handled();
        bool stopping = false;
        while (!ending_) {
            int signal = 0;
            // SIGUSR1 comes from end_thread(). Others may send it, too, which has no effect.
            if (::sigwait(&set, &signal) != 0 || signal == SIGUSR1) continue;
            if (signal == SIGHUP) {
                // Of what is being stopped nothing may be used any more.
                if (!stopping) hang_up();
            } else if (stopping) {
                at_once();
            } else {
                stopping = true;
                stop_.set_value();
            }
        }
    });
}

void signal_listener::wait() {
    stop_.get_future().wait();
}

signal_listener::~signal_listener() {
    end_thread();
}

void signal_listener::end_thread() {
    if (!thread_.joinable()) return;
    ending_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
    ending_ = false;
}

}  // namespace gallery::app
