// SPDX-License-Identifier: Apache-2.0
#include "images/coded_bodies.hpp"

#include "await.hpp"
#include "boost_test.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using namespace gallery::images;
using test::await;

namespace {

struct coding_fixture {
    asio::io_context context;  // outlives the pool, whose threads post to it
    asio::thread_pool pool{1};
    coded_bodies coded{pool, 4096};
    tenant_id owner{random_uuid()};
    int fetched = 0;

    result<coded_body> get(const std::string& text, content_coding coding = content_coding::gzip) {
        coded_bodies::load fetch = [this, text]() -> task<result<body>> {
            ++fetched;
            co_return body(bytes::own(text));
        };
        return await(coded.get(owner, sha256(text), coding, std::move(fetch)));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(coded, coding_fixture)

BOOST_AUTO_TEST_CASE(a_body_is_compressed_once_and_kept) {
    const std::string text(2000, 'a');
    const auto first = get(text).value();
    const auto second = get(text).value();
    BOOST_TEST(fetched == 1);
    BOOST_TEST(first.data.size() < text.size());
    BOOST_TEST(first.data.data() == second.data.data());
    BOOST_TEST((first.etag == sha256(first.data.span())));
    BOOST_TEST((get(text, content_coding::brotli).value().etag != first.etag));
}

BOOST_AUTO_TEST_CASE(who_has_much_to_compress_is_refused_and_others_are_not) {
    std::vector<resumption<>> reading;
    std::vector<result<coded_body>> answers;
    const auto ask = [&](tenant_id who, std::string text) {
        coded_bodies::load fetch = [&reading, text]() -> task<result<body>> {
            auto wait = [&reading](resumption<> waiting) { reading.push_back(std::move(waiting)); };
            co_await suspend(std::move(wait));
            co_return body(bytes::own(text));
        };
        asio::co_spawn(
            context, coded.get(who, sha256(text), content_coding::gzip, std::move(fetch)),
            [&](std::exception_ptr, result<coded_body> got) { answers.push_back(std::move(got)); });
        context.restart();
        context.poll();
    };
    for (int i = 0; i < 10; ++i)
        ask(owner, std::string(2000, static_cast<char>('a' + i)));
    BOOST_TEST(reading.size() == 2U);
    BOOST_TEST(answers.size() == 4U);
    for (const auto& refused : answers) {
        BOOST_REQUIRE(!refused);
        BOOST_TEST(coded_bodies::is_crowded(refused.error()));
    }
    ask(tenant_id{random_uuid()}, std::string(3000, 'z'));
    BOOST_TEST(answers.size() == 4U);
    while (answers.size() < 11) {
        for (auto& each : std::exchange(reading, {}))
            each.complete();
        context.restart();
        context.run_for(std::chrono::milliseconds(10));
    }
    for (std::size_t i = 4; i < answers.size(); ++i)
        BOOST_TEST(answers[i].has_value());
}

// The same drawing of another tenant may be damaged: one failure says nothing about the others' bytes.
BOOST_AUTO_TEST_CASE(those_who_ask_while_it_is_made_share_the_work_but_not_a_failure) {
    for (const bool first_fails : {true, false}) {
        const std::string text(2000, first_fails ? 'a' : 'b');
        fetched = 0;
        int made = 0;
        int failed = 0;
        const auto ask = [&](bool fails) -> task<> {
            coded_bodies::load fetch = [&fetched = fetched, &text, fails]() -> task<result<body>> {
                ++fetched;
                co_await asio::post(use_task);  // lets the others ask
                if (fails) co_return error{errc::corrupt, "damaged"};
                co_return body(bytes::own(text));
            };
            const auto got = co_await coded.get(owner, sha256(text), content_coding::gzip, std::move(fetch));
            ++(got ? made : failed);
        };
        for (int i = 0; i < 3; ++i)
            asio::co_spawn(context, ask(first_fails && i == 0), asio::detached);
        context.run();
        context.restart();
        BOOST_TEST(failed == (first_fails ? 1 : 0));
        BOOST_TEST(made == (first_fails ? 2 : 3));
        BOOST_TEST((first_fails || fetched == 1));
    }
}

BOOST_AUTO_TEST_CASE(who_waits_when_the_server_stops_is_answered_and_the_work_goes_on) {
    asio::steady_timer may_go_on(context, asio::steady_timer::time_point::max());
    const std::string text(2000, 'a');
    const coded_bodies::load fetch = [&]() -> task<result<body>> {
        boost::system::error_code cancelled;
        co_await may_go_on.async_wait(asio::redirect_error(use_task, cancelled));
        co_return body(bytes::own(text));
    };
    std::vector<result<coded_body>> answers;
    const auto ask = [&]() -> task<> {
        answers.push_back(co_await coded.get(owner, sha256(text), content_coding::gzip, fetch));
    };
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(context, ask(), asio::detached);
    context.poll();
    BOOST_TEST(answers.empty());
    std::thread([&] { coded.stop(); }).join();
    context.poll();
    BOOST_TEST_REQUIRE(answers.size() == 2U);
    for (const auto& answer : answers) {
        BOOST_TEST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().code == errc::unavailable));
    }
    asio::co_spawn(context, ask(), asio::detached);  // nor does anybody wait from now on
    context.poll();
    BOOST_TEST_REQUIRE(answers.size() == 3U);
    BOOST_TEST(answers.back().has_error());
    may_go_on.cancel();
    context.run();
    BOOST_TEST_REQUIRE(answers.size() == 4U);
    BOOST_TEST(answers.back().has_value());
}

BOOST_AUTO_TEST_CASE(what_does_not_get_smaller_is_remembered_as_such) {
    BOOST_TEST(get("ab").value().data.empty());
    BOOST_TEST(get("ab").value().data.empty());
    BOOST_TEST(fetched == 1);
}

BOOST_AUTO_TEST_CASE(never_more_is_kept_than_the_bound) {
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(get(std::string(3000, 'b') + std::to_string(i)).has_value());
        BOOST_TEST(coded.memory() <= 4096U);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_to_fetch_is_passed_on_and_not_kept) {
    coded_bodies::load fails = []() -> task<result<body>> { co_return error{errc::stale, "gone"}; };
    const auto got = await(coded.get(owner, sha256_digest{}, content_coding::gzip, std::move(fails)));
    BOOST_REQUIRE(got.has_error());
    BOOST_TEST((got.error().code == errc::stale));
    BOOST_TEST(coded.memory() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
