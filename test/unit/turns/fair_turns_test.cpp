// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, in one thread.
#define GALLERY_TEST_MODULE "turns"
#include "turns/fair_turns.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using turns = fair_turns<std::string>;

struct outcome {
    std::optional<turns::turn> held;
    std::optional<errc> refused;
};

task<void> take_into(std::shared_ptr<outcome> out, turns& all, std::string who) {
    auto got = co_await all.take(std::move(who));
    if (got)
        out->held.emplace(std::move(*got));
    else
        out->refused = got.error().code;
}

task<void> take_first_into(std::shared_ptr<outcome> out, turns& all) {
    auto got = co_await all.take_first();
    out->held.emplace(std::move(got));
}

struct scene {
    asio::io_context context{1};
    turns all;

    explicit scene(turns::limits bounds) : all("things", bounds) {}

    void go_on() {
        context.restart();
        context.poll();
    }
    std::shared_ptr<outcome> take(std::string who) {
        auto out = std::make_shared<outcome>();
        asio::co_spawn(context, take_into(out, all, std::move(who)), asio::detached);
        go_on();
        return out;
    }
    std::shared_ptr<outcome> take_first() {
        auto out = std::make_shared<outcome>();
        asio::co_spawn(context, take_first_into(out, all), asio::detached);
        go_on();
        return out;
    }
    void end(const std::shared_ptr<outcome>& what) {
        what->held.reset();
        go_on();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(turns_of_many)

BOOST_AUTO_TEST_CASE(so_many_at_once_and_the_users_one_after_the_other) {
    scene s({.at_once = 2, .waiting_per_user = 10, .waiting = 100});
    const auto a = s.take("a");
    const auto b = s.take("a");
    BOOST_TEST((a->held && b->held));
    std::vector<std::shared_ptr<outcome>> more;
    for (int i = 0; i < 5; ++i)
        more.push_back(s.take("a"));
    const auto other = s.take("b");
    BOOST_TEST(!other->held.has_value());
    s.end(a);
    BOOST_TEST(other->held.has_value());
    BOOST_TEST(!more[0]->held.has_value());
    s.end(b);
    BOOST_TEST(more[0]->held.has_value());
    s.end(other);
    BOOST_TEST(more[1]->held.has_value());
    for (const auto& each : more)
        s.end(each);
    BOOST_TEST(s.all.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(one_users_queue_is_bounded_and_so_is_that_of_all) {
    scene s({.at_once = 1, .waiting_per_user = 2, .waiting = 3});
    const auto held = s.take("a");
    const auto first = s.take("a");
    const auto second = s.take("a");
    BOOST_TEST((s.take("a")->refused == errc::too_many_requests));
    const auto other = s.take("b");
    BOOST_TEST(!other->refused.has_value());
    BOOST_TEST((s.take("c")->refused == errc::busy));
    for (const auto& each : {held, first, second, other}) {
        BOOST_TEST(!each->refused.has_value());
    }
    s.end(held);
    BOOST_TEST(other->held.has_value());
    BOOST_TEST(!s.take("c")->refused.has_value());
    for (const auto& each : {other, first, second})
        s.end(each);
}

BOOST_AUTO_TEST_CASE(what_everybody_depends_on_goes_first) {
    scene s({.at_once = 1, .waiting_per_user = 10, .waiting = 10});
    const auto held = s.take("a");
    const auto waiting = s.take("b");
    const auto first = s.take_first();
    BOOST_TEST(!first->held.has_value());
    s.end(held);
    BOOST_TEST(first->held.has_value());
    BOOST_TEST(!waiting->held.has_value());
    s.end(first);
    BOOST_TEST(waiting->held.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
