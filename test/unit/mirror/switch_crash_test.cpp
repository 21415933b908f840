// SPDX-License-Identifier: Apache-2.0
// A server that ends at each step of a switch. Another process makes the switch and ends without any cleaning
// up; then exactly one store is the one of the server, it contains every acknowledged write, and the other
// one follows it.
#include "switched_server.hpp"

#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace gallery::mirror::test {

namespace {

constexpr int ended_as_wanted = 42;

thread_local bool is_client = false;

/// Counts the steps of the switch from the moment when writes are held, and ends the process at one of them.
class fuse {
public:
    explicit fuse(int at) : left_(at) {}
    void arm() { is_armed_ = true; }
    void step() {
        if (is_armed_ && !is_client && --left_ == 0) ::_exit(ended_as_wanted);
    }

private:
    std::atomic<bool> is_armed_{false};
    std::atomic<int> left_;
};

/// Writes numbers to one document, and the acknowledged ones to @p report.
void write_numbers(switched_server& server, int report, const std::atomic<bool>& is_ending) {
    is_client = true;
    for (std::uint32_t n = 1; !is_ending; ++n) {
        const auto saved = await(
            server.served().documents().save({"user", "counter", std::to_string(n), 0}, precondition::any()));
        if (!saved || saved->status != write_status::committed) ::_exit(2);
        if (::write(report, &n, sizeof n) != sizeof n) ::_exit(3);
    }
}

[[noreturn]] void switch_and_end(const std::filesystem::path& root, int step, int report) {
    try {
        switched_server server("filesystem", root);
        fill(*server.stored_a, 6);
        server.start();
        if (!server.begin()) ::_exit(4);
        server.wait_until_current();
        fuse end(step);
        const auto burn = [&end]() -> std::optional<error> {
            end.step();
            return std::nullopt;
        };
        server.a.faulty_texts.on_write = burn;
        server.b.faulty_texts.on_write = burn;
        server.store->on_seal = [&end] {
            end.arm();
            end.step();
        };
        const auto step_on = [&end] { end.step(); };
        server.store->on_hold_on = step_on;
        server.store->before_exchange = step_on;
        server.store->after_exchange = step_on;
        std::atomic<bool> is_ending{false};
        std::thread client([&] { write_numbers(server, report, is_ending); });
        const auto done = await(server.mirror->switch_over());
        for (int i = 0; i < 3; ++i)
            end.step();  // while the old store follows
        is_ending = true;
        client.join();
        ::_exit(done ? 0 : 5);
    } catch (...) {
        ::_exit(6);
    }
}

/// The last number that was acknowledged; 0 if there is none.
std::uint32_t last_number(int report) {
    std::uint32_t last = 0;
    for (std::uint32_t n = 0; ::read(report, &n, sizeof n) == sizeof n;)
        last = n;
    return last;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(switch_crashes)

BOOST_AUTO_TEST_CASE(at_every_step_one_store_is_left_that_contains_every_acknowledged_write) {
    int switched = 0;
    int not_switched = 0;
    for (int step = 1;; ++step) {
        BOOST_REQUIRE(step < 200);
        const gallery::test::scratch_folder root;
        int pipe[2];
        BOOST_REQUIRE(::pipe(pipe) == 0);
        const auto child = ::fork();
        BOOST_REQUIRE(child >= 0);
        if (child == 0) {
            ::close(pipe[0]);
            switch_and_end(root.path(), step, pipe[1]);
        }
        ::close(pipe[1]);
        const auto acknowledged = last_number(pipe[0]);
        ::close(pipe[0]);
        int status = 0;
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        BOOST_REQUIRE(WIFEXITED(status));
        const int code = WEXITSTATUS(status);
        BOOST_REQUIRE_MESSAGE(code == 0 || code == ended_as_wanted, "the other process ended with " << code);

        BOOST_TEST_CONTEXT("step " << step) {
            switched_server server("filesystem", root.path());
            server.start();
            const bool is_decided = std::filesystem::exists(server.active_file);
            ++(is_decided ? switched : not_switched);
            const auto found = await(server.served().documents().find("user", "counter"));
            const auto number = found ? std::stoul(found->body) : 0UL;
            BOOST_TEST(number >= acknowledged);
            BOOST_TEST(number <= acknowledged + 1);
            server.wait_until_current();
            if (is_decided)
                server.check_switched_to("/b");
            else
                server.check_not_switched();
            server.switch_over();
            server.check_switched_to(is_decided ? "/a" : "/b");
        }
        if (code == 0) break;
    }
    BOOST_TEST(switched > 3);
    BOOST_TEST(not_switched > 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
