// SPDX-License-Identifier: Apache-2.0
// Reports to the service manager, and the watchdog that makes them.
#include "app/service_manager.hpp"
#include "app/watchdog.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gallery::app {

namespace {

using namespace std::chrono_literals;
using test::scratch_folder;

/// What a service manager receives on; the name is a path, or begins with '@'.
class listening_manager {
public:
    explicit listening_manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        BOOST_REQUIRE_EQUAL(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    listening_manager(const listening_manager&) = delete;
    listening_manager& operator=(const listening_manager&) = delete;
    ~listening_manager() { ::close(socket_); }

    std::string next() {
        char text[128];
        const auto size = ::recv(socket_, text, sizeof text, MSG_DONTWAIT);
        return size < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(size));
    }

private:
    int socket_;
};

/// Runs a context until its end.
class running {
public:
    explicit running(asio::io_context& context) : thread_([&context] { context.run(); }) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { thread_.join(); }

private:
    std::thread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(service_managers)

BOOST_AUTO_TEST_CASE(reports_arrive_and_the_environment_is_not_left_to_others) {
    const scratch_folder folder;
    const auto path = (folder.path() / "notify").string();
    for (const auto& name : {path, "@gallery-test-" + std::to_string(::getpid())}) {
        listening_manager manager(name);
        ::setenv("WATCHDOG_USEC", "60000000", 1);
        ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
        const auto reports = service_manager::from_environment();
        for (const auto* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            BOOST_TEST((std::getenv(variable) == nullptr), variable);
        BOOST_TEST((reports.watchdog_timeout() == 60s));
        reports.opening();
        reports.ready("http://gallery.example:8080/");
        reports.alive();
        reports.reloading();
        reports.ready("http://gallery.example:8080/", "; note");
        reports.stopping();
        BOOST_TEST(manager.next() == "STATUS=opening the store");
        BOOST_TEST(manager.next() == "READY=1\nSTATUS=serving http://gallery.example:8080/");
        BOOST_TEST(manager.next() == "WATCHDOG=1");
        const auto reload = manager.next();
        BOOST_TEST(reload.starts_with("RELOADING=1\nMONOTONIC_USEC="), reload);
        BOOST_TEST(reload.ends_with("\nSTATUS=reloading the configuration"), reload);
        BOOST_TEST(manager.next() == "READY=1\nSTATUS=serving http://gallery.example:8080/; note");
        BOOST_TEST(manager.next() == "STOPPING=1\nSTATUS=stopping after in-flight requests are finished");
        BOOST_TEST(manager.next() == "nothing");
    }
}

BOOST_AUTO_TEST_CASE(without_a_service_manager_nothing_is_reported) {
    ::setenv("WATCHDOG_USEC", "60000000", 1);
    const auto reports = service_manager::from_environment();
    BOOST_TEST((reports.watchdog_timeout() == 0s));
    reports.ready("http://gallery.example:8080/");
}

BOOST_AUTO_TEST_CASE(the_watchdog_of_another_process_and_a_malformed_one_are_not_for_the_server) {
    for (const auto& [pid, time] : {std::pair("1", "60000000"), std::pair("", "6e7"), std::pair("", "-5")}) {
        const listening_manager manager("@gallery-test-other-" + std::to_string(::getpid()));
        ::setenv("WATCHDOG_USEC", time, 1);
        ::setenv("WATCHDOG_PID", pid, 1);
        BOOST_TEST((service_manager::from_environment().watchdog_timeout() == 0s), time);
    }
}

BOOST_AUTO_TEST_CASE(one_thread_that_hangs_ends_the_reports) {
    asio::io_context first;
    asio::io_context second;
    auto work_of_first = asio::make_work_guard(first);
    auto work_of_second = asio::make_work_guard(second);
    std::atomic<int> reports{0};
    std::promise<void> reported;
    auto watched = watch_threads({first.get_executor(), second.get_executor()}, 1ms, [&] {
        if (++reports == 3) reported.set_value();
    });
    {
        const running of_first(first);
        // Nothing runs the second context: a round cannot end. One without it can, as often as it takes.
        int others = 0;
        std::promise<void> others_reported;
        auto without_second = watch_threads({first.get_executor()}, 1ms, [&] {
            if (++others == 10) others_reported.set_value();
        });
        others_reported.get_future().wait();
        without_second->stop();
        BOOST_TEST(reports == 0);

        const running of_second(second);
        reported.get_future().wait();
        watched->stop();
        work_of_second.reset();
        work_of_first.reset();
    }
    BOOST_TEST(reports >= 3);
    watched.reset();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::app
