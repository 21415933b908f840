// SPDX-License-Identifier: Apache-2.0
// What the pool owes when workers misbehave; the test worker misbehaves on demand.
#include "imaging/pool.hpp"

#include "support.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace imaging = gallery::imaging;
namespace make = gallery::imaging::test;
namespace asio = boost::asio;
using gallery::errc;

namespace {

std::unique_ptr<imaging::pool> started(imaging::pool_options options) {
    auto p = imaging::pool::start(std::move(options));
    BOOST_REQUIRE_MESSAGE(p.has_value(), (p.has_error() ? p.error().message : ""));
    return std::move(*p);
}

imaging::pool_options test_worker() {
    return make::quick_options(GALLERY_IMAGING_TEST_WORKER);
}

// The process id of the one child of this process; 0 where there is none.
pid_t only_child() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream in(entry.path() / "stat");
        pid_t id = 0;
        pid_t parent = 0;
        std::string name;
        std::string state;
        if (in >> id >> name >> state >> parent && parent == ::getpid() && state != "Z") return id;
    }
    return 0;
}

std::size_t children() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream in(entry.path() / "stat");
        pid_t id = 0;
        pid_t parent = 0;
        std::string name;
        std::string state;
        if (in >> id >> name >> state >> parent && parent == ::getpid() && state != "Z") ++count;
    }
    return count;
}

gallery::task<> put(imaging::pool* where, std::string what,
                    std::vector<gallery::result<imaging::picture>>* into,
                    gallery::tenant_id tenant = gallery::system_tenant) {
    auto upload = make::upload_of(std::move(what), tenant);
    auto answer = co_await where->inspect(std::move(upload));
    into->push_back(std::move(answer));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pool)

BOOST_AUTO_TEST_CASE(a_worker_that_crashes_costs_one_picture) {
    const auto p = started(test_worker());
    const auto lost = make::inspect(*p, "GALLERY-TEST:crash");
    BOOST_REQUIRE(lost.has_error());
    BOOST_TEST((lost.error().code == errc::not_an_image));
    BOOST_TEST(lost.error().message ==
               "The picture cannot be decoded: the decoder failed on it. Save it again with another program, "
               "or simplify it.");
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(p->stats().crashes == 1u);
    BOOST_TEST(p->stats().starts == 2u);
    BOOST_REQUIRE(p->stats().workers.size() == 1u);
    const auto figures = p->stats().workers.front();
    BOOST_TEST(figures.pictures == 2u);
    BOOST_TEST(figures.failures == 1u);
    BOOST_TEST(figures.starts == 2u);
    BOOST_TEST(figures.busy.count() > 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_hangs_is_killed_at_its_deadline) {
    auto options = test_worker();
    options.timeout = std::chrono::milliseconds(300);
    const auto p = started(std::move(options));
    for (const auto* how : {"GALLERY-TEST:hang", "GALLERY-TEST:spin"}) {
        const auto lost = make::inspect(*p, how);
        BOOST_REQUIRE(lost.has_error());
        BOOST_TEST((lost.error().code == errc::not_an_image));
    }
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(p->stats().timeouts == 2u);
    BOOST_TEST(p->stats().starts == 3u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_exceeds_its_memory_is_replaced) {
    auto options = test_worker();
    options.worker_memory_mib = 128;
    const auto p = started(std::move(options));
    const auto lost = make::inspect(*p, "GALLERY-TEST:memory");
    BOOST_REQUIRE(lost.has_error());
    BOOST_TEST(
        lost.error().message ==
        "The picture cannot be decoded: that takes more than 128 MiB of memory (IMAGE_WORKER_MEMORY).");
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(p->stats().exhausted == 1u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_sends_a_malformed_reply_is_ended) {
    const auto p = started(test_worker());
    BOOST_TEST(make::inspect(*p, "GALLERY-TEST:garbage").has_error());
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(p->stats().crashes == 1u);
}

BOOST_AUTO_TEST_CASE(a_confined_worker_can_only_compute) {
    const auto p = started(test_worker());
    BOOST_TEST_MESSAGE("layers: " + p->confinement());
    const auto answer = make::inspect(*p, "GALLERY-TEST:probe");
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST(answer.error().message == "confined");
    BOOST_TEST(p->confinement().find("seccomp") != std::string::npos);
    BOOST_TEST(p->confinement().find("resource limits") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(workers_are_replaced_after_their_share_at_no_pictures_cost) {
    auto options = test_worker();
    options.pictures_per_worker = 2;
    const auto p = started(std::move(options));
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(make::inspect(*p, make::make_png(2, 2)).has_value());
    BOOST_TEST(p->stats().starts == 3u);
    BOOST_TEST(p->stats().pictures == 5u);
}

BOOST_AUTO_TEST_CASE(pictures_wait_their_turn_and_a_full_queue_says_so) {
    auto options = test_worker();
    options.max_queued = 3;
    options.timeout = std::chrono::seconds(2);
    asio::io_context context;  // outlives the pool, whose threads post to it
    const auto p = started(std::move(options));
    std::vector<gallery::result<imaging::picture>> answers;
    // One keeps the only worker busy until its deadline; of the others three may wait.
    asio::co_spawn(context.get_executor(), put(p.get(), "GALLERY-TEST:hang", &answers), asio::detached);
    context.poll();
    while (p->stats().busy == 0)
        std::this_thread::yield();
    for (int i = 0; i < 5; ++i) {
        asio::co_spawn(context.get_executor(), put(p.get(), make::make_png(2, 2), &answers), asio::detached);
    }
    context.restart();
    context.run();
    BOOST_REQUIRE(answers.size() == 6u);
    const auto busy = std::ranges::count_if(
        answers, [](const auto& a) { return a.has_error() && a.error().code == errc::busy; });
    const auto good = std::ranges::count_if(answers, [](const auto& a) { return a.has_value(); });
    BOOST_TEST(busy == 2);
    BOOST_TEST(good == 3);
}

BOOST_AUTO_TEST_CASE(a_tenant_has_its_own_bound_and_room_is_left_for_others) {
    auto options = test_worker();
    options.max_queued_per_tenant = 2;
    options.timeout = std::chrono::seconds(2);
    asio::io_context context;  // outlives the pool, whose threads post to it
    const auto p = started(std::move(options));
    const auto other = gallery::tenant_id{gallery::random_uuid()};
    std::vector<gallery::result<imaging::picture>> many;
    std::vector<gallery::result<imaging::picture>> one;
    asio::co_spawn(context.get_executor(), put(p.get(), "GALLERY-TEST:hang", &many), asio::detached);
    context.poll();
    while (p->stats().busy == 0)
        std::this_thread::yield();
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(context.get_executor(), put(p.get(), make::make_png(2, 2), &many), asio::detached);
    asio::co_spawn(context.get_executor(), put(p.get(), make::make_png(2, 2), &one, other), asio::detached);
    context.restart();
    context.run();
    BOOST_REQUIRE(one.size() == 1u);
    BOOST_TEST(one[0].has_value());
    BOOST_TEST(std::ranges::count_if(many, [](const auto& a) {
                   return a.has_error() && a.error().code == errc::too_many_requests;
               }) == 3);
    BOOST_TEST(std::ranges::count_if(many, [](const auto& a) { return a.has_value(); }) == 2);
}

BOOST_AUTO_TEST_CASE(a_content_that_took_too_long_is_refused_at_once) {
    auto options = test_worker();
    options.timeout = std::chrono::milliseconds(300);
    const auto p = started(std::move(options));
    BOOST_TEST(make::inspect(*p, "GALLERY-TEST:hang").error().message ==
               "The picture cannot be decoded: that takes more than 0.3 seconds.");
    const auto again = make::inspect(*p, "GALLERY-TEST:hang");
    BOOST_REQUIRE(again.has_error());
    BOOST_TEST((again.error().code == errc::not_an_image));
    BOOST_TEST(
        again.error().message ==
        "The picture cannot be decoded: that took too long a short time ago. The same file is not tried "
        "again for 10 minutes.");
    BOOST_TEST(p->stats().timeouts == 1u);
    BOOST_TEST(p->stats().starts == 2u);
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
}

// What the kernel or an administrator does to a worker is not the picture's fault.
BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_or_stopped_from_outside_costs_no_picture) {
    for (const int signal : {SIGKILL, SIGTERM, SIGSTOP}) {
        BOOST_TEST_CONTEXT("signal " << signal) {
            asio::io_context context;  // outlives the pool, whose threads post to it
            const auto p = started(test_worker());
            std::vector<gallery::result<imaging::picture>> answers;
            asio::co_spawn(context.get_executor(), put(p.get(), "GALLERY-TEST:slow", &answers),
                           asio::detached);
            context.poll();
            while (p->stats().busy == 0)
                std::this_thread::yield();
            const auto worker = only_child();
            BOOST_REQUIRE(worker > 0);
            ::kill(worker, signal);
            context.restart();
            context.run();
            BOOST_REQUIRE(answers.size() == 1u);
            BOOST_REQUIRE(answers[0].has_error());
            BOOST_TEST(answers[0].error().message == "slow");  // what the second worker says of it
            BOOST_TEST(p->stats().starts == 2u);
            BOOST_TEST(p->stats().crashes + p->stats().timeouts == 0u);
        }
    }
}

BOOST_AUTO_TEST_CASE(workers_that_are_killed_again_and_again_are_no_verdict_about_the_picture) {
    const auto p = started(test_worker());
    const auto lost = make::inspect(*p, "GALLERY-TEST:killed");
    BOOST_REQUIRE(lost.has_error());
    BOOST_TEST((lost.error().code == errc::unavailable));
    BOOST_TEST(lost.error().message == "Pictures cannot be decoded at the moment. Try again later.");
    BOOST_TEST(p->stats().interrupted == 3u);
    BOOST_TEST(p->stats().crashes == 0u);
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
}

BOOST_AUTO_TEST_CASE(stopping_answers_everybody) {
    asio::io_context context;  // outlives the pool, whose threads post to it
    const auto p = started(test_worker());
    std::vector<gallery::result<imaging::picture>> answers;
    for (const auto* what : {"GALLERY-TEST:hang", "GALLERY-TEST:hang", "GALLERY-TEST:hang"}) {
        asio::co_spawn(context.get_executor(), put(p.get(), what, &answers), asio::detached);
    }
    context.poll();
    while (p->stats().busy == 0)
        std::this_thread::yield();
    p->stop();
    context.restart();
    context.run();
    BOOST_REQUIRE(answers.size() == 3u);
    for (const auto& a : answers)
        BOOST_TEST((a.has_error() && a.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(several_threads_get_their_own_answers) {
    auto options = test_worker();
    options.workers = 2;
    const auto p = started(std::move(options));
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (std::uint32_t t = 1; t <= 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint32_t i = 1; i <= 10; ++i) {
                const auto answer = make::inspect(*p, make::make_bmp(t, i));
                if (answer && answer->width == t && answer->height == i) ++right;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(right == 40);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_file_is_read_by_the_worker_itself) {
    asio::io_context context;  // outlives the pool, whose threads post to it
    const auto p = started(test_worker());
    const int file = ::memfd_create("upload", MFD_CLOEXEC);
    BOOST_REQUIRE(file >= 0);
    const auto picture = make::make_png(6, 7);
    const auto content = std::string(5000, 'x') + picture + "behind";
    BOOST_REQUIRE(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    gallery::file_region region{std::make_shared<gallery::file_handle>(file), 5000, picture.size()};
    std::vector<gallery::result<imaging::picture>> answers;
    auto work = [](imaging::pool* where, gallery::file_region what,
                   std::vector<gallery::result<imaging::picture>>* into) -> gallery::task<> {
        imaging::upload upload{gallery::system_tenant, {}, gallery::body(std::move(what))};
        auto answer = co_await where->inspect(std::move(upload));
        into->push_back(std::move(answer));
    };
    asio::co_spawn(context.get_executor(), work(p.get(), region, &answers), asio::detached);
    context.run();
    BOOST_REQUIRE(answers.size() == 1u);
    BOOST_REQUIRE(answers[0].has_value());
    BOOST_TEST(answers[0]->height == 7u);
}

BOOST_AUTO_TEST_CASE(further_workers_are_ready_at_once_and_surplus_ones_end_after_their_picture) {
    asio::io_context context;  // outlives the pool, whose threads post to it
    auto limits = test_worker();
    limits.timeout = std::chrono::seconds(2);
    const auto p = started(limits);
    BOOST_TEST(children() == 1u);
    limits.workers = 3;
    BOOST_TEST(p->apply(limits).has_value());
    BOOST_TEST(children() == 3u);
    BOOST_TEST(p->stats().starts == 3u);
    std::vector<gallery::result<imaging::picture>> answers;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(context.get_executor(), put(p.get(), "GALLERY-TEST:slow", &answers), asio::detached);
    context.poll();
    while (p->stats().busy < 3)
        std::this_thread::yield();
    limits.workers = 1;
    BOOST_TEST(p->apply(limits).has_value());
    context.restart();
    context.run();
    BOOST_REQUIRE(answers.size() == 3u);
    for (const auto& answer : answers)
        BOOST_TEST(answer.error().message == "slow");
    while (children() > 1)
        std::this_thread::yield();
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(p->stats().crashes + p->stats().interrupted == 0u);
    // Threads that have ended are not in the way of further ones.
    limits.workers = 2;
    BOOST_TEST(p->apply(limits).has_value());
    BOOST_TEST(children() == 2u);
    BOOST_TEST(p->stats().workers.size() == 3u);  // its place was free
}

BOOST_AUTO_TEST_CASE(other_limits_hold_for_the_next_picture) {
    auto limits = test_worker();
    limits.timeout = std::chrono::minutes(1);
    const auto p = started(limits);
    BOOST_TEST(make::inspect(*p, make::make_png(10, 10)).has_value());
    limits.max_pixels = 99;
    BOOST_TEST(p->apply(limits).has_value());
    BOOST_TEST(make::inspect(*p, make::make_png(10, 10)).error().message.find("pixels") != std::string::npos);
    BOOST_TEST(make::inspect(*p, make::make_png(9, 11)).has_value());
    // What took too long is tried again, since more time is allowed.
    for (const auto& [milliseconds, named] : {std::pair{300, "0.3"}, std::pair{400, "0.4"}}) {
        limits.timeout = std::chrono::milliseconds(milliseconds);
        BOOST_TEST(p->apply(limits).has_value());
        BOOST_TEST(make::inspect(*p, "GALLERY-TEST:hang").error().message ==
                   "The picture cannot be decoded: that takes more than " + std::string(named) + " seconds.");
    }
    limits.worker_memory_mib = 128;
    limits.timeout = std::chrono::minutes(1);
    BOOST_TEST(p->apply(limits).has_value());
    BOOST_TEST(
        make::inspect(*p, "GALLERY-TEST:memory").error().message ==
        "The picture cannot be decoded: that takes more than 128 MiB of memory (IMAGE_WORKER_MEMORY).");
}

BOOST_AUTO_TEST_CASE(limits_stay_as_they_were_where_a_further_worker_cannot_start) {
    const gallery::test::scratch_folder folder;
    const auto program = (folder.path() / "worker").string();
    std::filesystem::create_symlink(GALLERY_IMAGING_TEST_WORKER, program);
    auto limits = make::quick_options(program);
    const auto p = started(limits);
    std::filesystem::remove(program);
    limits.workers = 3;
    limits.max_pixels = 1;
    const auto refused = p->apply(limits);
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().code == errc::unavailable));
    BOOST_TEST(refused.error().message.find(program) != std::string::npos, refused.error().message);
    BOOST_TEST(make::inspect(*p, make::make_png(3, 3)).has_value());
    BOOST_TEST(children() == 1u);
    p->stop();
    BOOST_TEST((p->apply(limits).error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_start_is_named) {
    const auto p = imaging::pool::start(make::quick_options("/nonexistent/gallery-imaging-worker"));
    BOOST_REQUIRE(p.has_error());
    BOOST_TEST((p.error().code == errc::unavailable));
    BOOST_TEST(
        p.error().message ==
        "The imaging worker /nonexistent/gallery-imaging-worker cannot start: No such file or directory.");
    BOOST_TEST(imaging::pool::start(make::quick_options("/bin/true")).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
