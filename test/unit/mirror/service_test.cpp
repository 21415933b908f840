// SPDX-License-Identifier: Apache-2.0
// The mirror of a server: commands, restarts, failures, and the end at one revision.
#include "mirror/service.hpp"

#include "stores.hpp"

#include <gallery/bytes.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace gallery::mirror::test {

namespace {

/// An engine that another owner has: the service closes only this.
class borrowed_engine final : public storage_engine {
public:
    borrowed_engine(storage_engine& inner, std::atomic<int>& open) : inner_(inner), open_(open) { ++open_; }
    ~borrowed_engine() override { --open_; }
    image_store& images() noexcept override { return inner_.images(); }
    document_store& documents() noexcept override { return inner_.documents(); }
    change_feed& feed() noexcept override { return inner_.feed(); }
    task<result<check_report>> check() override { return inner_.check(); }
    [[nodiscard]] write_state writing() const override { return inner_.writing(); }
    [[nodiscard]] std::vector<statistic> statistics() const override { return {}; }

private:
    storage_engine& inner_;
    std::atomic<int>& open_;
};

class mirrored_server {
public:
    scratch_store source{"memory"};
    scratch_store target{"memory"};
    std::atomic<int> open{0};
    std::atomic<int> failures{0};  ///< of opening the target
    std::atomic<int> held{0};
    std::atomic<int> holds{0};
    std::function<void()> while_held;
    std::unique_ptr<service> mirror;

    mirrored_server() { start(); }
    ~mirrored_server() { stop(); }

    void start() {
        service_options options;
        options.source_name = "the source";
        options.state_file = (folder_.path() / "mirror.json").string();
        options.check = [](target_address where) -> result<target_address> {
            if (where.path.empty()) return error{errc::permission_denied, "not there"};
            return where;
        };
        options.open = [this](const target_address& where) -> result<std::unique_ptr<storage_engine>> {
            if (where.path != "/copy") return error{errc::invalid_argument, "no store in " + where.path};
            if (failures > 0) {
                --failures;
                return error{errc::unavailable, "the disk is not mounted"};
            }
            return std::unique_ptr<storage_engine>(std::make_unique<borrowed_engine>(*target, open));
        };
        options.hold_writes = [this]() -> task<bool> {
            ++held;
            ++holds;
            if (while_held) while_held();
            co_return true;
        };
        options.release_writes = [this] { --held; };
        options.copying = small_pages();
        options.interval = std::chrono::milliseconds(1);
        options.retry = std::chrono::milliseconds(1);
        mirror = std::make_unique<service>(*source, std::move(options));
    }
    void stop() { mirror.reset(); }

    target_address where(const std::string& path = "/copy") { return {"memory", path, {}}; }

    /// The state, once it is the wanted one.
    mirror_status wait_for(const std::function<bool(const mirror_status&)>& is_wanted) {
        for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);;) {
            auto now = mirror->status();
            if (is_wanted(now)) return now;
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the state was not reached");
            std::this_thread::yield();
        }
    }
    mirror_status wait_for(mirror_state state) {
        return wait_for([state](const mirror_status& now) { return now.state == state; });
    }
    void wait_until_current() {
        const auto last = await(source->feed().last()).value();
        wait_for([last](const mirror_status& now) {
            return now.state == mirror_state::following && now.position >= last && now.lag == 0;
        });
    }

private:
    gallery::test::scratch_folder folder_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(services)

BOOST_AUTO_TEST_CASE(a_mirror_copies_follows_and_ends_complete_at_a_revision) {
    mirrored_server server;
    fill(*server.source);
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    require(await(server.mirror->start(server.where(), false)));
    server.wait_until_current();
    save(*server.source, make_picture(tenant(1), "later", "later"));
    erase(*server.source, tenant(1), "key-1");
    server.wait_until_current();
    check_same(*server.source, *server.target);

    // A write right before the writes are held is part of the end.
    save(*server.source, make_picture(tenant(1), "last", "last"));
    const auto stopped = await(server.mirror->stop(false));
    BOOST_REQUIRE(stopped.has_value());
    BOOST_TEST(bool(stopped->state == mirror_state::stopped));
    BOOST_TEST(stopped->is_complete);
    BOOST_TEST(stopped->position == await(server.source->feed().last()).value());
    check_same(*server.source, *server.target);
    BOOST_TEST(await(find_mark(server.target->documents())).value()->value.is_complete);
    BOOST_TEST(server.holds == 1);
    BOOST_TEST(server.held == 0);
    BOOST_TEST(server.open == 0);
}

BOOST_AUTO_TEST_CASE(again_only_changes_are_transferred) {
    mirrored_server server;
    fill(*server.source);
    for (int i = 0; i < 3; ++i) {
        require(await(server.mirror->start(server.where(), false)));
        server.wait_until_current();
        const auto stopped = await(server.mirror->stop(false)).value();
        BOOST_TEST(stopped.is_complete);
        if (i > 0) BOOST_TEST(stopped.done.images_copied == 1U);
        check_same(*server.source, *server.target);
        require(await(server.mirror->forget()));
        save(*server.source, make_picture(tenant(0), "one more", "one more " + std::to_string(i)));
    }
}

BOOST_AUTO_TEST_CASE(a_second_mirror_and_commands_without_one_are_refused) {
    mirrored_server server;
    BOOST_TEST(bool(await(server.mirror->stop(false)).error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->verify()).error().code == errc::not_found));
    BOOST_TEST(bool(await(server.mirror->forget()).error().code == errc::not_found));
    require(await(server.mirror->start(server.where(), false)));
    BOOST_TEST(bool(await(server.mirror->start(server.where(), false)).error().code == errc::already_exists));
    BOOST_TEST(bool(await(server.mirror->forget()).error().code == errc::busy));
}

BOOST_AUTO_TEST_CASE(a_refused_target_leaves_no_mirror_behind) {
    mirrored_server server;
    BOOST_TEST(
        bool(await(server.mirror->start(server.where(""), false)).error().code == errc::permission_denied));
    const auto started = await(server.mirror->start(server.where("/elsewhere"), false));
    BOOST_REQUIRE(started.has_error());
    BOOST_TEST(started.error().message.find("/elsewhere") != std::string::npos);
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));

    save(*server.target, make_picture(tenant(1), "a", "of somebody else"));
    BOOST_TEST(bool(await(server.mirror->start(server.where(), false)).error().code == errc::already_exists));
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
    BOOST_TEST(server.open == 0);
    server.stop();
    server.start();
    require(server.mirror->resume());
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
}

BOOST_AUTO_TEST_CASE(a_mirror_goes_on_after_a_restart_of_the_server) {
    mirrored_server server;
    fill(*server.source, 60);
    require(await(server.mirror->start(server.where(), false)));
    server.stop();  // somewhere in the copy
    BOOST_TEST(server.open == 0);
    save(*server.source, make_picture(tenant(1), "meanwhile", "meanwhile"));
    server.start();
    require(server.mirror->resume());
    server.wait_until_current();
    check_same(*server.source, *server.target);
    BOOST_TEST(await(server.mirror->stop(false)).value().is_complete);

    server.stop();
    server.start();
    require(server.mirror->resume());
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::stopped));
    BOOST_TEST(server.open == 0);
}

BOOST_AUTO_TEST_CASE(a_target_that_fails_is_tried_again_and_the_reason_is_shown) {
    mirrored_server server;
    fill(*server.source);
    require(await(server.mirror->start(server.where(), false)));
    server.wait_until_current();
    server.stop();
    server.failures = 1'000'000;
    server.start();
    require(server.mirror->resume());
    const auto failed = server.wait_for(mirror_state::failed);
    BOOST_TEST(failed.problem == "the disk is not mounted");
    save(*server.source, make_picture(tenant(1), "meanwhile", "meanwhile"));
    server.failures = 0;
    server.wait_until_current();
    BOOST_TEST(server.mirror->status().problem.empty());
    check_same(*server.source, *server.target);
}

BOOST_AUTO_TEST_CASE(a_mirror_that_has_failed_can_be_stopped_and_forgotten) {
    mirrored_server server;
    fill(*server.source);
    require(await(server.mirror->start(server.where(), false)));
    server.wait_until_current();
    server.stop();
    server.failures = 1'000'000;
    server.start();
    require(server.mirror->resume());
    server.wait_for(mirror_state::failed);
    const auto stopped = await(server.mirror->stop(false)).value();
    BOOST_TEST(bool(stopped.state == mirror_state::stopped));
    BOOST_TEST(!stopped.is_complete);
    require(await(server.mirror->forget()));
    BOOST_TEST(bool(server.mirror->status().state == mirror_state::none));
}

BOOST_AUTO_TEST_CASE(a_verification_reports_what_differs_and_the_mirror_goes_on) {
    mirrored_server server;
    fill(*server.source);
    require(await(server.mirror->start(server.where(), false)));
    server.wait_until_current();
    require(await(server.mirror->verify()));
    auto now = server.wait_for([](const mirror_status& s) { return s.last_verified && !s.is_verifying; });
    BOOST_TEST(now.last_verified->problems.empty());
    BOOST_TEST(now.last_verified->images ==
               await(server.source->images().usage(std::nullopt)).value().images.count);

    erase(*server.target, tenant(1), "key-1");
    const auto before = now.last_verified->time;
    require(await(server.mirror->verify()));
    now = server.wait_for([before](const mirror_status& s) {
        return !s.is_verifying && s.last_verified && !s.last_verified->problems.empty() &&
               s.last_verified->time >= before;
    });
    BOOST_REQUIRE(now.last_verified->problems.size() == 1U);
    BOOST_TEST(now.last_verified->problems[0].find("key-1") != std::string::npos);
    save(*server.source, make_picture(tenant(1), "later", "later"));
    server.wait_until_current();
}

BOOST_AUTO_TEST_CASE(a_source_that_is_written_while_it_should_not_be_is_not_called_complete) {
    mirrored_server server;
    fill(*server.source);
    // Writes that the hold does not hold, as of another server on the store.
    std::atomic<bool> is_ending{false};
    std::thread other;
    server.while_held = [&] {
        if (other.joinable()) return;
        other = std::thread([&] {
            for (int i = 0; !is_ending; ++i)
                save(*server.source, make_picture(tenant(1), "busy", "write " + std::to_string(i)));
        });
    };
    require(await(server.mirror->start(server.where(), false)));
    server.wait_until_current();
    const auto stopped = await(server.mirror->stop(false));
    is_ending = true;
    if (other.joinable()) other.join();
    BOOST_TEST(server.held == 0);
    if (stopped.has_value()) {
        // It was between two writes, and says which revision it has.
        BOOST_TEST(stopped->is_complete);
    } else {
        BOOST_TEST(bool(stopped.error().code == errc::busy));
        server.wait_until_current();
        BOOST_TEST(await(server.mirror->stop(false)).value().is_complete);
        check_same(*server.source, *server.target);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
