// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"
#include "boost_test.hpp"

#include <csignal>
#include <future>

#include <pthread.h>
#include <unistd.h>

namespace {

using gallery::app::signal_listener;

/// The listener blocks its signals on the thread that makes it; the tests after it begin as before.
class signal_mask {
public:
    signal_mask() { ::pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
    signal_mask(const signal_mask&) = delete;
    signal_mask& operator=(const signal_mask&) = delete;
    ~signal_mask() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(nothing_is_reloaded_once_the_server_stops) {
    const signal_mask mask;
    signal_listener listener;
    int reloads = 0;  // the listener's thread only, and this one after the listener's last call
    std::promise<void> reloaded;
    std::promise<void> ended;
    listener.listen(
        [&] {
            if (++reloads == 1) reloaded.set_value();
        },
        [&] { ended.set_value(); });
    ::kill(::getpid(), SIGHUP);
    reloaded.get_future().wait();
    ::kill(::getpid(), SIGUSR1);  // has no effect
    ::kill(::getpid(), SIGTERM);
    listener.wait();
    // Of two signals that wait the one with the lower number is delivered first: SIGHUP.
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGTERM);
    ended.get_future().wait();
    BOOST_TEST(reloads == 1);
}

BOOST_AUTO_TEST_SUITE_END()
