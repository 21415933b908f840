// SPDX-License-Identifier: Apache-2.0
// The exchange of the engine of a store while it is used.
#include "plugins/measured_engine.hpp"

#include "forwarding_store.hpp"
#include "memory/memory_store.hpp"
#include "pictures.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace gallery::plugins::test {

namespace {

using namespace std::chrono_literals;

/// Says when it is closed, and keeps readers until they are let go.
class slow_store final : public bad::forwarding_store {
public:
    explicit slow_store(std::atomic<bool>& open) : open_(open) { open_ = true; }
    ~slow_store() override { open_ = false; }

    using forwarding_store::find;
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        if (key != "slow") co_return co_await inner().find(tenant, std::move(key));
        auto start = [this](resumption<> waiting) { waiting_.emplace(std::move(waiting)); };
        co_await suspend(std::move(start));
        co_return error{errc::busy, open_ ? "while it was open" : "after it was closed"};
    }
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override {
        return inner().find_now(tenant, key);
    }
    std::optional<body> read_now(const image_record& record, representation which) override {
        return inner().read_now(record, which);
    }
    void let_go() { std::exchange(waiting_, std::nullopt)->complete(); }

private:
    std::atomic<bool>& open_;
    std::optional<resumption<>> waiting_;
};

struct exchange_fixture {
    exchange_fixture() {
        auto made = std::make_unique<slow_store>(is_first_open);
        first = made.get();
        served.emplace(std::move(made), "first");
    }

    /// Another store of the same contents, as a mirror.
    static std::shared_ptr<storage_engine> copy_of(storage_engine& from) {
        auto out = std::make_shared<measured_engine>(make_memory_engine(), "second");
        const auto all = await(from.images().scan(std::nullopt, "", 1000)).value();
        for (const auto& record : all.items) {
            const auto content = await(from.images().read(record, representation::original)).value();
            BOOST_REQUIRE(
                await(out->images().save(*record, content, body(), precondition::any())).has_value());
        }
        return out;
    }
    std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next) {
        BOOST_REQUIRE(served->can_exchange());
        return served->exchange(std::move(next));
    }

    std::atomic<bool> is_first_open{false};
    slow_store* first = nullptr;
    std::optional<measured_engine> served;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(exchanges, exchange_fixture)

BOOST_AUTO_TEST_CASE(calls_reach_the_new_engine_and_old_records_are_refused) {
    const auto old = save(*served, "a.png", "text");
    auto next = copy_of(*served);
    auto* const second = next.get();
    const auto before = exchange(std::move(next));
    BOOST_TEST(text_of(*served, old) == "error: stale");
    BOOST_TEST(!served->images().read_now(*old, representation::original).has_value());
    const auto current = find(*served, "a.png");
    BOOST_TEST(current->rev > old->rev);
    BOOST_TEST(text_of(*served, current) == "text");
    const auto lost = try_save(*served, *old, "text", precondition::match(old->rev));
    BOOST_TEST(bool(lost->status == write_status::conflict));
    BOOST_TEST((*lost->record == *current));
    const auto saved = save(*served, "a.png", "later");
    BOOST_TEST(text_of(*second, find(*second, "a.png")) == "later");
    BOOST_TEST(text_of(*before, find(*before, "a.png")) == "text");
    // The engines themselves have their own numbers.
    BOOST_TEST(find(*before, "a.png")->rev == old->rev);
    BOOST_TEST(find(*second, "a.png")->rev < saved->rev);
}

BOOST_AUTO_TEST_CASE(back_and_forth_no_record_of_an_earlier_time_is_taken_for_a_later_one) {
    std::vector<record_ptr> all{save(*served, "a.png", "0")};
    auto next = copy_of(*served);
    for (int i = 1; i < 8; ++i) {
        next = exchange(std::move(next));
        for (const auto& old : all) {
            BOOST_TEST(text_of(*served, old) == "error: stale");
            BOOST_TEST(bool(try_save(*served, *old, "x", precondition::match(old->rev))->status ==
                            write_status::conflict));
        }
        // Both engines have what was written when they were the current one.
        all.push_back(save(*served, "a.png", std::to_string(i)));
        BOOST_TEST(all.back()->rev > all[all.size() - 2]->rev);
        BOOST_TEST(text_of(*served, find(*served, "a.png")) == std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(an_engine_is_closed_when_its_last_call_has_ended) {
    asio::io_context context;
    std::optional<std::string> answer;
    asio::co_spawn(context, served->images().find(some_tenant(), "slow"),
                   [&answer](std::exception_ptr, const result<record_ptr>& found) {
                       answer = found.has_error() ? found.error().message : "no error";
                   });
    context.poll();
    auto before = exchange(copy_of(*served));
    std::thread closing([&before] { before.reset(); });
    // The call still runs, and other calls are answered by the new engine.
    BOOST_TEST(is_first_open);
    BOOST_TEST(!served->images().find_now(some_tenant(), "slow").has_value());
    first->let_go();
    context.restart();
    while (!answer)
        context.run_for(10ms);
    closing.join();
    BOOST_TEST(*answer == "while it was open");
    BOOST_TEST(!is_first_open);
}

BOOST_AUTO_TEST_CASE(a_call_that_is_never_awaited_does_not_keep_an_engine_open) {
    auto never_awaited = std::make_optional(served->images().find(some_tenant(), "a.png"));
    auto before = exchange(copy_of(*served));
    never_awaited.reset();
    before.reset();
    BOOST_TEST(!is_first_open);
}

BOOST_AUTO_TEST_CASE(a_write_at_the_gate_goes_to_the_engine_behind_it) {
    auto next = copy_of(*served);
    auto* const second = next.get();
    served->gate().seal(1h);
    asio::io_context context;
    std::optional<write_status> status;
    asio::co_spawn(context, served->documents().save({"user", "a", "{}", 0}, precondition::absent()),
                   [&status](std::exception_ptr, const result<write_outcome>& saved) {
                       if (saved) status = saved->status;
                   });
    context.poll();
    BOOST_TEST(served->gate().under_way() == 0U);
    const auto before = exchange(std::move(next));
    served->gate().open();
    context.restart();
    context.run();
    BOOST_REQUIRE(status.has_value());
    BOOST_TEST(bool(*status == write_status::committed));
    BOOST_TEST(await(second->documents().find("user", "a")).has_value());
    BOOST_TEST(await(before->documents().find("user", "a")).has_error());
}

BOOST_AUTO_TEST_CASE(the_listener_follows_the_exchange) {
    int told = 0;
    served->feed().on_change([&told] { ++told; });
    save(*served, "a.png", "1");
    BOOST_TEST(told == 1);
    const auto seen = await(served->feed().last()).value();
    auto next = copy_of(*served);
    const auto before = exchange(std::move(next));
    BOOST_TEST(told == 2);  // so that the gap is noticed at once
    BOOST_TEST(await(served->feed().changes(seen, 10))->gap);
    save(*before, "b.png", "a change of the mirror");
    BOOST_TEST(told == 2);
    save(*served, "a.png", "2");
    BOOST_TEST(told == 3);
    const auto second = exchange(before);
    BOOST_TEST(told == 4);
    save(*second, "a.png", "a change of the mirror");
    BOOST_TEST(told == 4);
    save(*served, "a.png", "3");
    BOOST_TEST(told == 5);
}

BOOST_AUTO_TEST_CASE(under_load_every_call_is_answered_by_an_open_engine) {
    save(*served, "a.png", "text");
    std::atomic<bool> is_ending{false};
    std::atomic<int> wrong{0};
    std::atomic<std::uint64_t> reads{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (!is_ending) {
                const auto found = served->images().find_now(some_tenant(), "a.png");
                if (!found) {
                    ++wrong;
                    continue;
                }
                const auto content = served->images().read_now(**found, representation::original);
                // Without an answer, the engine was exchanged between the two.
                if (content && content->load()->view() != "text") ++wrong;
                const auto asked = await(served->images().find(some_tenant(), "a.png"));
                if (!asked) ++wrong;
                ++reads;
            }
        });
    }
    for (int i = 0; i < 200; ++i) {
        auto before = exchange(copy_of(*served));
        // Closed while calls are made, each of which began before the exchange or on the next engine.
        before.reset();
    }
    while (reads < 100)
        std::this_thread::yield();
    is_ending = true;
    for (auto& each : threads)
        each.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
