#include "app/signals.hpp"

#include <csignal>

#include <pthread.h>

namespace gallery::app {

namespace {

sigset_t handled() noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
        sigaddset(&set, signal);
    return set;
}

}  // namespace

signal_listener::signal_listener() {
    const sigset_t set = handled();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void signal_listener::listen(std::function<void()> reload, std::function<void()> at_once) {
    thread_ = std::thread([this, reload = std::move(reload), at_once = std::move(at_once)] {
        const sigset_t set = handled();
        bool stopping = false;
        for (;;) {
            int signal = 0;
            if (::sigwait(&set, &signal) != 0) continue;
            if (signal == SIGUSR1) return;  // from the destructor
            if (signal == SIGHUP) {
                reload();
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
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
}

}  // namespace gallery::app
