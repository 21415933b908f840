// SPDX-License-Identifier: Apache-2.0
// How coroutines wait for other threads.
#include <gallery/task.hpp>

#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <string>
#include <thread>

using namespace gallery;
using test::await;

namespace {

/// Tells when it is destroyed.
struct witness {
    bool* gone;
    ~witness() { *gone = true; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tasks)

BOOST_AUTO_TEST_CASE(a_suspended_coroutine_goes_on_on_its_own_thread_with_the_value_of_another) {
    std::jthread other;
    const auto work = [&]() -> task<std::string> {
        const auto here = std::this_thread::get_id();
        auto start = [&](resumption<std::string> waiting) {
            other = std::jthread(
                [waiting = std::move(waiting)]() mutable { waiting.complete("from elsewhere"); });
        };
        auto said = co_await suspend<std::string>(std::move(start));
        if (std::this_thread::get_id() != here) said += ", on the wrong thread";
        co_return said;
    };
    BOOST_TEST(await(work()) == "from elsewhere");
}

BOOST_AUTO_TEST_CASE(a_completion_inside_start_does_not_resume_inside_it) {
    const auto work = []() -> task<int> {
        bool started = false;
        auto start = [&](resumption<> waiting) {
            waiting.complete();
            started = true;
        };
        co_await suspend(std::move(start));
        co_return started ? 1 : 2;
    };
    BOOST_TEST(await(work()) == 1);
}

BOOST_AUTO_TEST_CASE(values_that_can_only_be_moved_are_handed_over) {
    const auto work = []() -> task<int> {
        auto start = [](resumption<std::unique_ptr<int>> waiting) {
            waiting.complete(std::make_unique<int>(7));
        };
        const auto value = co_await suspend<std::unique_ptr<int>>(std::move(start));
        co_return *value;
    };
    BOOST_TEST(await(work()) == 7);
}

BOOST_AUTO_TEST_CASE(a_resumption_that_is_dropped_destroys_the_coroutine_and_lets_the_context_end) {
    asio::io_context context{1};
    bool gone = false;
    bool went_on = false;
    const auto work = [&]() -> task<void> {
        const witness here{&gone};
        auto start = [](resumption<> waiting) { static_cast<void>(waiting); };
        co_await suspend(std::move(start));
        went_on = true;
    };
    asio::co_spawn(context.get_executor(), work(), [](std::exception_ptr) {});
    context.run();
    BOOST_TEST(gone);
    BOOST_TEST(!went_on);
}

BOOST_AUTO_TEST_CASE(offloaded_work_runs_elsewhere_and_its_value_comes_back) {
    asio::thread_pool pool{1};
    const auto work = [&]() -> task<bool> {
        const auto here = std::this_thread::get_id();
        auto ask = [] { return std::this_thread::get_id(); };
        const auto there = co_await offload(pool, std::move(ask));
        co_return there != here&& std::this_thread::get_id() == here;
    };
    BOOST_TEST(await(work()));
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()
