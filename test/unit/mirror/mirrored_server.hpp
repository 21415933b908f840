// SPDX-License-Identifier: Apache-2.0
/// A store with the mirror service of a server, which can be stopped and started again.
#pragma once

#include "mirror/service.hpp"

#include "stores.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace gallery::mirror::test {

/// A target as the service opens and closes it, while the test keeps the store.
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
    scratch_store stored_source{"memory"};
    scratch_store stored_target{"memory"};
    faulty_store source{*stored_source};
    faulty_store target{*stored_target};
    std::atomic<int> open{0};      ///< targets
    std::atomic<int> failures{0};  ///< of opening the target
    std::atomic<int> created{0};   ///< openings that were allowed to create it
    std::atomic<int> held{0};
    std::atomic<int> holds{0};
    std::function<void()> while_held;
    std::function<void()> before_open;  ///< of the target
    /// Opens another target than stored_target.
    std::function<std::unique_ptr<storage_engine>()> open_other;
    std::chrono::milliseconds longest_hold{60'000};
    copy_options copying = small_pages();
    std::unique_ptr<service> mirror;

    mirrored_server() {
        source.set_aside = 0;
        copying.is_source_written = true;
    }
    ~mirrored_server() { stop(); }

    void start(bool is_resumed = true) {
        mirror_options options;
        options.source_name = "the source";
        options.state_file = state_file();
        options.check = [](target_address where) -> result<target_address> {
            if (where.path.empty()) return error{errc::permission_denied, "not there"};
            return where;
        };
        options.open = [this](const target_address& where,
                              bool may_create) -> result<std::unique_ptr<storage_engine>> {
            if (where.path != "/copy") return error{errc::invalid_argument, "no store in " + where.path};
            if (may_create) ++created;
            if (failures > 0) {
                --failures;
                return error{errc::unavailable, "the disk is not mounted"};
            }
            if (before_open) before_open();
            if (open_other) return open_other();
            return std::unique_ptr<storage_engine>(std::make_unique<borrowed_engine>(target, open));
        };
        options.hold_writes = [this](std::chrono::milliseconds) {
            ++held;
            ++holds;
            if (while_held) while_held();
        };
        options.release_writes = [this] { --held; };
        options.copying = copying;
        options.interval = std::chrono::milliseconds(1);
        options.retry = std::chrono::milliseconds(1);
        options.longest_hold = longest_hold;
        options.log = [](bool, std::string_view) {};
        mirror = std::make_unique<service>(source, std::move(options));
        BOOST_TEST(mirror->resume().has_value() == is_resumed);
    }
    void stop() { mirror.reset(); }
    void restart() {
        stop();
        BOOST_TEST(open == 0);
        start();
    }

    [[nodiscard]] std::string state_file() const { return (folder_.path() / "mirror.json").string(); }
    /// Until it is called with false, the state file cannot be replaced.
    void block_state_file(bool is_blocked) {
        const std::filesystem::path in_its_way(state_file() + ".new");
        if (is_blocked) {
            std::filesystem::create_directory(in_its_way);
        } else {
            std::filesystem::remove(in_its_way);
        }
    }

    result<mirror_status> begin(const std::string& path = "/copy", bool is_backup = false) {
        start_request request;
        request.target = {"memory", path, {}};
        request.is_backup = is_backup;
        return await(mirror->start(std::move(request)));
    }
    void require_begun(bool is_backup = false) {
        const auto begun = begin("/copy", is_backup);
        BOOST_REQUIRE_MESSAGE(begun.has_value(), message_of(begun));
    }

    /// The status, once it is the wanted one.
    mirror_status wait_for(const std::function<bool(const mirror_status&)>& is_wanted) {
        for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);;) {
            auto now = mirror->status();
            if (is_wanted(now)) return now;
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until,
                                  "the state was not reached: " + now.problem);
            // The thread of the mirror has a low priority, and would wait for this one.
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    }
    mirror_status wait_for(mirror_state state) {
        return wait_for([state](const mirror_status& now) { return now.state == state; });
    }
    void wait_until_current() {
        const auto last = await(stored_source->feed().last()).value();
        wait_for([last](const mirror_status& now) {
            return now.state == mirror_state::following && now.position >= last && now.lag == 0;
        });
    }
    mirror_status stop_complete() {
        const auto asked = await(mirror->stop());
        BOOST_REQUIRE_MESSAGE(asked.has_value(), message_of(asked));
        return wait_for([](const mirror_status& now) { return !now.is_stopping; });
    }
    mirror_status verify() {
        const auto asked = await(mirror->verify());
        BOOST_REQUIRE_MESSAGE(asked.has_value(), message_of(asked));
        return wait_for([](const mirror_status& now) { return !now.is_verifying; });
    }

    /// Whether the target itself says that it is complete.
    bool is_marked_complete() {
        const auto found = await(find_mark(stored_target->documents()));
        return found && found->has_value() && (*found)->value.is_complete;
    }

private:
    gallery::test::scratch_folder folder_;
};

}  // namespace gallery::mirror::test
