// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

#include "boost_test.hpp"
#include "plugin_under_test.hpp"

#include <unistd.h>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

namespace gallery::contract {

namespace {

using clock_type = std::chrono::steady_clock;

}  // namespace

struct watched::entry {
    std::string call;
    clock_type::time_point since = clock_type::now();
    boost::unit_test::test_unit_id test_case = boost::unit_test::framework::current_test_case_id();
};

namespace {

std::string name_of(boost::unit_test::test_unit_id test_case) {
    if (test_case == boost::unit_test::INV_TEST_UNIT_ID) return "outside of the test cases";
    return boost::unit_test::framework::get(test_case, boost::unit_test::TUT_ANY).full_name();
}

/// The calls under way, oldest first, and the thread that looks at the oldest.
class watch {
public:
    /// Never destroyed: a call may be under way when the process ends.
    static watch& one() {
        static auto& it = *new watch;
        return it;
    }

    std::list<watched::entry>::iterator begin(std::string call) {
        const std::lock_guard lock(mutex_);
        calls_.push_back({std::move(call)});
        if (calls_.size() == 1) changed_.notify_one();
        return std::prev(calls_.end());
    }
    void end(std::list<watched::entry>::iterator call) {
        const std::lock_guard lock(mutex_);
        calls_.erase(call);
    }

private:
    watch() {
        std::thread([this] { look(); }).detach();
    }

    [[noreturn]] void look() {
        const auto limit = under_test().limit;
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return !calls_.empty(); });
            const auto due = calls_.front().since + limit;
            if (due <= clock_type::now()) give_up(calls_.front());
            changed_.wait_until(lock, due, [] { return false; });
        }
    }

    [[noreturn]] static void give_up(const watched::entry& call) {
        std::cout << std::flush;
        std::cerr << "contract_suite: " << name_of(call.test_case) << ": the plugin did not answer within "
                  << under_test().limit.count() << " s: " << call.call << std::endl;
        std::_Exit(3);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<watched::entry> calls_;
};

}  // namespace

watched::watched(std::string call) : place_(watch::one().begin(std::move(call))) {}

watched::~watched() {
    watch::one().end(place_);
}

}  // namespace gallery::contract
