// SPDX-License-Identifier: Apache-2.0
// What a server has in memory of a store that others write, too.
#include "app/change_follower.hpp"

#include "accounts/authenticator.hpp"
#include "accounts/documents_in_memory.hpp"
#include "accounts/node.hpp"
#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace {

using namespace gallery;
using namespace std::chrono_literals;
using gallery::test::documents_in_memory;
using clock_type = std::chrono::steady_clock;

/// A server's memory with its follower, on a thread of its own.
class server {
public:
    explicit server(documents_in_memory& store, std::chrono::milliseconds patience = 10s)
        : server(store, app::follower_options{.interval = 5ms, .patience = patience}) {}
    server(documents_in_memory& store, app::follower_options options)
        : fresh(1h),
          accounts(store, {.fresh = &fresh}),
          guard_(asio::make_work_guard(context_)),
          thread_([this] { context_.run(); }),
          follower_(
              store, etags, accounts, fresh, std::make_shared<app::change_signal>(), context_.get_executor(),
              [](std::string_view) {}, std::move(options)) {
        accounts.follow_with([this] { return follower_.catch_up(); });
        BOOST_REQUIRE(run(follower_.begin()));
        BOOST_REQUIRE(run(accounts.load()));
        follower_.start();
    }
    ~server() {
        stop();
        guard_.reset();
        thread_.join();
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    void stop() { follower_.stop(); }

    /// On the server's thread.
    template <class T>
    T run(task<T> work) {
        std::promise<T> outcome;
        asio::co_spawn(context_, std::move(work),
                       [&](std::exception_ptr, T value) { outcome.set_value(std::move(value)); });
        return outcome.get_future().get();
    }
    result<void> catch_up() { return run(follower_.catch_up()); }
    void read_soon() { follower_.read_soon(); }

    cache::freshness fresh;
    cache::etag_cache etags{1 << 20, std::chrono::minutes(10)};
    accounts::directory accounts;

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::thread thread_;
    app::change_follower follower_;
};

template <class Condition>
bool becomes_true(Condition condition) {
    for (const auto until = clock_type::now() + 20s; clock_type::now() < until;) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(follower)

BOOST_AUTO_TEST_CASE(memory_has_what_another_server_wrote_once_it_has_caught_up) {
    documents_in_memory store;
    test::node other(store);
    server one(store);
    for (int i = 0; i < 50; ++i) {
        const auto tenant = other.add_tenant("T" + std::to_string(i)).value();
        BOOST_REQUIRE(one.catch_up());
        BOOST_TEST_REQUIRE(one.accounts.find_tenant(tenant->id) != nullptr);
    }
}

BOOST_AUTO_TEST_CASE(memory_is_not_fresh_while_the_store_is_not_the_current_one) {
    documents_in_memory store;
    std::atomic<bool> is_current{true};
    std::atomic<int> checks{0};
    app::follower_options options{.interval = 5ms, .patience = 10s};
    options.check_current = [&]() -> task<result<void>> {
        ++checks;
        if (is_current) co_return result<void>();
        co_return error{errc::unavailable, "another store has taken its place"};
    };
    // In the past, so that only further looks at the end of the feed make memory fresh.
    std::atomic<bool> behind{true};
    store.horizon = [&] { return clock_type::now() - (behind ? 2h : 0h); };
    server one(store, std::move(options));
    BOOST_REQUIRE(one.catch_up());
    is_current = false;
    const auto by = one.run([](documents_in_memory& to) -> task<result<write_outcome>> {
        document doc{"superseded", "by", "{}", 0};
        co_return co_await to.save(std::move(doc), precondition::any());
    }(store));
    BOOST_REQUIRE(by.has_value());
    BOOST_REQUIRE(becomes_true([&] { return checks > 0; }));
    behind = false;
    const auto before = checks.load();
    BOOST_REQUIRE(becomes_true([&] { return checks > before + 1; }));
    BOOST_TEST(!one.fresh.holds());
    is_current = true;
    BOOST_TEST(becomes_true([&] { return one.fresh.holds(); }));
}

BOOST_AUTO_TEST_CASE(the_feed_is_looked_at_when_others_begin_to_write) {
    documents_in_memory store;
    std::atomic<bool> is_alone{true};
    app::follower_options options{.interval = 5ms, .patience = 10s};
    options.is_alone = [&] { return is_alone.load(); };
    options.alone_interval = 1h;
    std::atomic<int> looks{0};
    store.horizon = [&] {
        ++looks;
        return clock_type::now();
    };
    server one(store, std::move(options));
    BOOST_REQUIRE(becomes_true([&] { return looks > 0; }));
    is_alone = false;
    one.read_soon();
    const auto before = looks.load();
    BOOST_TEST(becomes_true([&] { return looks > before + 5; }));
}

BOOST_AUTO_TEST_CASE(memory_is_as_fresh_as_the_feed_says) {
    documents_in_memory store;
    // The feed is looked at, and each look finds the end as it was two hours ago.
    std::atomic<bool> behind{true};
    store.horizon = [&] { return clock_type::now() - (behind ? 2h : 0h); };
    server one(store);
    BOOST_REQUIRE(one.catch_up());
    BOOST_TEST(!one.fresh.holds());
    behind = false;
    BOOST_TEST(becomes_true([&] { return one.fresh.holds(); }));
}

BOOST_AUTO_TEST_CASE(nothing_is_decided_while_the_feed_cannot_be_read) {
    documents_in_memory store;
    std::atomic<bool> cut_off{false};
    store.before_changes = [&]() -> std::optional<error> {
        if (cut_off) return error{errc::unavailable, "no way to the store"};
        return {};
    };
    test::node other(store);
    server one(store, 50ms);
    cut_off = true;
    // Not through the feed, which is cut off.
    document unseen;
    unseen.kind = "thing";
    unseen.id = "thing";
    BOOST_REQUIRE(test::await(store.save(unseen, precondition::any())));
    const auto late = one.catch_up();
    BOOST_REQUIRE(!late);
    BOOST_TEST((late.error().code == errc::unavailable));
    accounts::tenant value;
    value.title = "T";
    BOOST_TEST(!one.run(one.accounts.create(value)).has_value());
    BOOST_TEST(store.count("tenant") == 0U);
    cut_off = false;
    BOOST_TEST(becomes_true([&] { return one.catch_up().has_value(); }));
    BOOST_TEST(one.run(one.accounts.create(value)).has_value());
}

BOOST_AUTO_TEST_CASE(an_end_of_the_server_does_not_leave_anybody_waiting) {
    documents_in_memory store;
    store.before_changes = []() -> std::optional<error> { return error{errc::unavailable, "cut"}; };
    auto one = std::make_unique<server>(store, 10s);
    document unseen;
    unseen.kind = "thing";
    unseen.id = "thing";
    BOOST_REQUIRE(test::await(store.save(unseen, precondition::any())));
    std::atomic<bool> asked{false};
    std::thread waiting([&] {
        asked = true;
        BOOST_TEST(!one->catch_up().has_value());
    });
    BOOST_TEST(becomes_true([&] { return asked.load(); }));
    const auto began = clock_type::now();
    one->stop();
    waiting.join();
    BOOST_TEST((clock_type::now() - began < 9s));
    one.reset();
}

BOOST_AUTO_TEST_SUITE_END()
