// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, with time that the test itself lets pass.
#include "turns/fair_queue.hpp"
#include "imaging/recent_timeouts.hpp"
#include "imaging/time_budget.hpp"

#include <gallery/uuid.hpp>

#include "boost_test.hpp"

#include <vector>

namespace imaging = gallery::imaging;
using gallery::tenant_id;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct item {
    tenant_id owner;
    milliseconds cost{};
};
using queue = gallery::fair_queue<tenant_id, item>;

tenant_id tenant() {
    return tenant_id{gallery::random_uuid()};
}

// Workers that take what the queue gives them; time jumps from one end of a job to the next.
struct simulation {
    simulation(queue& q, unsigned workers) : from(q), free(workers) {}

    void fill() {
        while (free > 0) {
            auto next = from.take();
            if (!next) return;
            --free;
            running.push_back({now + next->cost, *next});
        }
    }
    // The owner of the job that ends next.
    tenant_id step() {
        fill();
        const auto first = std::ranges::min_element(running, {}, [](const auto& r) { return r.first; });
        BOOST_REQUIRE((first != running.end()));
        const auto [end, done] = *first;
        now = end;
        running.erase(first);
        ++free;
        from.done(done.owner, done.cost);
        return done.owner;
    }

    queue& from;
    unsigned free;
    milliseconds now{0};
    std::vector<std::pair<milliseconds, item>> running;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fair_queue)

BOOST_AUTO_TEST_CASE(a_tenant_with_nothing_queued_waits_for_one_running_job_at_most) {
    for (const unsigned workers : {1u, 2u, 4u}) {
        queue q(1'000, 10'000);
        simulation s(q, workers);
        const auto flooding = tenant();
        const auto other = tenant();
        for (int i = 0; i < 100; ++i)
            q.push(flooding, {flooding, seconds(3)});
        s.fill();
        for (int i = 0; i < 20; ++i) {
            s.step();
            s.fill();
            const auto asked = s.now;
            q.push(other, {other, milliseconds(20)});
            while (s.step() != other) {
            }
            BOOST_TEST((s.now - asked <= seconds(3) + milliseconds(20)));
        }
    }
}

BOOST_AUTO_TEST_CASE(many_that_flood_do_not_keep_a_newcomer_waiting) {
    queue q(1'000, 10'000);
    simulation s(q, 1);
    for (int t = 0; t < 30; ++t) {
        const auto flooding = tenant();
        for (int i = 0; i < 5; ++i)
            q.push(flooding, {flooding, seconds(2)});
    }
    s.step();
    s.fill();
    const auto other = tenant();
    q.push(other, {other, milliseconds(10)});
    s.step();
    BOOST_TEST((s.step() == other));
}

BOOST_AUTO_TEST_CASE(worker_time_is_shared_and_not_the_number_of_pictures) {
    queue q(10'000, 20'000);
    simulation s(q, 1);
    const auto slow = tenant();
    const auto fast = tenant();
    for (int i = 0; i < 100; ++i)
        q.push(slow, {slow, seconds(1)});
    for (int i = 0; i < 5'000; ++i)
        q.push(fast, {fast, milliseconds(10)});
    milliseconds used_by_fast{0};
    while (s.now < seconds(20)) {
        if (s.step() == fast) used_by_fast += milliseconds(10);
    }
    BOOST_TEST((used_by_fast > seconds(8) && used_by_fast < seconds(12)));
}

// Two tenants that each come back as soon as they are served must not starve one that waits.
BOOST_AUTO_TEST_CASE(coming_back_at_once_earns_no_precedence) {
    queue q(1'000, 10'000);
    simulation s(q, 1);
    const auto a = tenant();
    const auto b = tenant();
    const auto patient = tenant();
    for (int i = 0; i < 100; ++i)
        q.push(patient, {patient, seconds(1)});
    q.push(a, {a, seconds(1)});
    q.push(b, {b, seconds(1)});
    int served = 0;
    for (int i = 0; i < 60; ++i) {
        const auto who = s.step();
        if (who == patient)
            ++served;
        else
            q.push(who, {who, seconds(1)});
    }
    BOOST_TEST(served >= 18);
}

BOOST_AUTO_TEST_CASE(queues_are_bounded_and_idle_tenants_forgotten) {
    queue q(2, 3);
    const auto a = tenant();
    const auto b = tenant();
    const auto c = tenant();
    using enum queue::room;
    q.push(a, {a, seconds(1)});
    q.push(a, {a, seconds(1)});
    BOOST_TEST((q.room_for(a) == user_is_full));
    BOOST_TEST((q.room_for(b) == yes));
    q.push(b, {b, seconds(1)});
    BOOST_TEST((q.room_for(c) == all_is_full));
    while (auto next = q.take())
        q.done(next->owner, next->cost);
    BOOST_TEST(q.size() == 0u);
    BOOST_TEST(q.users() == 0u);
    BOOST_TEST((q.room_for(a) == yes));
}

BOOST_AUTO_TEST_CASE(a_content_is_remembered_for_a_while_and_not_too_many_are) {
    imaging::recent_timeouts seen;
    const auto content = [](unsigned n) { return gallery::sha256(std::to_string(n)); };
    const imaging::recent_timeouts::time_point start{};
    seen.add(content(1), start);
    BOOST_TEST(seen.contains(content(1), start + minutes(9)));
    BOOST_TEST(!seen.contains(content(2), start));
    BOOST_TEST(!seen.contains(content(1), start + minutes(10)));
    for (unsigned n = 0; n <= imaging::recent_timeouts::max_contents; ++n)
        seen.add(content(n), start + minutes(20));
    BOOST_TEST(!seen.contains(content(0), start + minutes(20)));
    BOOST_TEST(seen.contains(content(1), start + minutes(20)));
}

BOOST_AUTO_TEST_CASE(time_grows_with_the_size_of_the_file) {
    using imaging::format;
    using imaging::time_budget;
    BOOST_TEST((time_budget(format::svg, 4'000, seconds(60)) < milliseconds(3'010)));
    BOOST_TEST((time_budget(format::svg, 10 << 20, seconds(60)) > seconds(12)));
    BOOST_TEST((time_budget(format::png, 4'000, seconds(60)) >= seconds(10)));
    BOOST_TEST((time_budget(format::jpeg, 100 << 20, seconds(60)) == seconds(60)));
    BOOST_TEST((time_budget(format::svg, 4'000, seconds(1)) == seconds(1)));
}

BOOST_AUTO_TEST_SUITE_END()
