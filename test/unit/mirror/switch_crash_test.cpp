// SPDX-License-Identifier: Apache-2.0
// A server that ends at steps of a switch. Another process makes the switch and ends without any cleaning
// up; then exactly one store is the one of the server, it contains every acknowledged write, and the other
// one follows it. If other servers can share the stores, they may start on at most one of them.
#include "noted_others.hpp"
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

struct scenario {
    bool is_shared = false;    ///< other servers can share both stores
    bool is_back = false;      ///< the switch is one back to the first store
    bool is_given_up = false;  ///< after the mirror was complete
};

[[noreturn]] void switch_and_end(const scenario& of, const std::filesystem::path& root, int step,
                                 int report) {
    try {
        noted_others others;
        switched_server server("filesystem", root);
        if (of.is_shared) server.others = &others;
        fill(*server.stored_a, 6);
        server.start();
        if (!server.begin()) ::_exit(4);
        server.wait_until_current();
        if (of.is_back) {
            server.switch_over();
            server.wait_until_current();
        }
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
        server.store->on_hold_on = [&] {
            end.step();
            if (of.is_given_up) server.store->served().gate().open();
        };
        server.store->before_exchange = step_on;
        server.store->after_exchange = step_on;
        std::atomic<bool> is_ending{false};
        std::thread client([&] {
            if (!of.is_given_up) write_numbers(server, report, is_ending);
        });
        if (of.is_shared) end.arm();  // for the claims
        const auto done = await(server.mirror->switch_over());
        for (int i = 0; i < 3; ++i)
            end.step();  // while the old store follows
        is_ending = true;
        client.join();
        ::_exit(done.has_value() != of.is_given_up ? 0 : 5);
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

/// Whether a server without a data folder of its own can start on the store.
bool can_be_started(storage_engine& store) {
    if (await(find_successor(store.documents())).value().has_value()) return false;
    const auto marked = await(find_mark(store.documents())).value();
    return !marked || marked->value.is_complete;
}

struct ends {
    int switched = 0;
    int not_switched = 0;
};

/// Ends a server at every fourth step of the switch, because each takes a second on a slow disk. The
/// scenarios begin at different steps, and share most of them, so each step is one at which some server ends.
ends end_at_steps(const scenario& of) {
    constexpr int stride = 4;
    ends out;
    const std::string first = of.is_back ? "/b" : "/a";
    const int begin = 1 + (of.is_back ? 1 : 0) + (of.is_shared ? 2 : 0);
    for (int step = begin;; step += stride) {
        BOOST_REQUIRE(step < 400);
        const gallery::test::scratch_folder root;
        int pipe[2];
        BOOST_REQUIRE(::pipe(pipe) == 0);
        const auto child = ::fork();
        BOOST_REQUIRE(child >= 0);
        if (child == 0) {
            ::close(pipe[0]);
            switch_and_end(of, root.path(), step, pipe[1]);
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
            noted_others others;
            switched_server server("filesystem", root.path());
            if (of.is_shared) {
                server.others = &others;
                const bool both = can_be_started(*server.stored_a) && can_be_started(*server.stored_b);
                BOOST_TEST(!both);
            }
            server.start();
            const bool is_decided = server.active() != first;
            BOOST_TEST((!is_decided || !of.is_given_up));
            ++(is_decided ? out.switched : out.not_switched);
            const auto found = await(server.served().documents().find("user", "counter"));
            const auto number = found ? std::stoul(found->body) : 0UL;
            BOOST_TEST(number >= acknowledged);
            BOOST_TEST(number <= acknowledged + 1);
            server.wait_until_current();
            if (is_decided || of.is_back)
                server.check_switched_to(server.active());
            else
                server.check_not_switched();
            const auto other = server.other();
            server.switch_over();
            server.check_switched_to(other);
            server.stop();
        }
        if (code == 0) return out;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(switch_crashes)

BOOST_AUTO_TEST_CASE(wherever_it_ends_one_store_is_left_that_contains_every_acknowledged_write) {
    for (const bool is_shared : {false, true}) {
        for (const bool is_back : {false, true}) {
            BOOST_TEST_CONTEXT("shared: " << is_shared << ", back: " << is_back) {
                const auto ended = end_at_steps({is_shared, is_back, false});
                BOOST_TEST(ended.switched > 0);
                BOOST_TEST(ended.not_switched > 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(wherever_a_switch_that_is_given_up_ends_the_same_store_is_left) {
    for (const bool is_back : {false, true}) {
        BOOST_TEST_CONTEXT("back: " << is_back) {
            const auto ended = end_at_steps({true, is_back, true});
            BOOST_TEST(ended.switched == 0);
            BOOST_TEST(ended.not_switched > 0);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
