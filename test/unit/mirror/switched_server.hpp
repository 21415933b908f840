// SPDX-License-Identifier: Apache-2.0
/// A server with two stores, a and b, of which it serves one and the other is its mirror. It can be stopped
/// and started again.
#pragma once

#include "mirror/identity.hpp"
#include "mirror/service.hpp"
#include "mirror/superseded.hpp"
#include "plugins/measured_engine.hpp"

#include "stores.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gallery::mirror::test {

/// A store as a server opens and closes it, while the test keeps it. Nobody listens to it.
class opened_store final : public storage_engine {
public:
    opened_store(storage_engine& inner, std::atomic<int>& open) : inner_(inner), open_(open), feed_(inner) {
        ++open_;
    }
    ~opened_store() override { --open_; }
    image_store& images() noexcept override { return inner_.images(); }
    document_store& documents() noexcept override { return inner_.documents(); }
    change_feed& feed() noexcept override { return feed_; }
    task<result<check_report>> check() override { return inner_.check(); }
    [[nodiscard]] write_state writing() const override { return inner_.writing(); }
    [[nodiscard]] std::vector<statistic> statistics() const override { return inner_.statistics(); }

private:
    class quiet_feed final : public change_feed {
    public:
        explicit quiet_feed(storage_engine& of) : inner_(of.feed()) {}
        task<result<change_batch>> changes(revision after, std::size_t limit) override {
            return inner_.changes(after, limit);
        }
        task<result<revision>> last() override { return inner_.last(); }
        void on_change(std::function<void()>) override {}

    private:
        change_feed& inner_;
    };
    storage_engine& inner_;
    std::atomic<int>& open_;
    quiet_feed feed_;
};

/// The store of the server, as the server implements it.
class test_store final : public served_store {
public:
    test_store(std::unique_ptr<storage_engine> first, known_store place)
        : engine_(std::move(first), "memory"), place_(std::move(place)) {}

    std::function<void()> on_seal;          ///< after the gate is sealed
    std::function<void()> on_hold_on;       ///< before the limit is removed
    std::function<void()> before_exchange;  ///< after the decision
    std::function<void()> after_exchange;   ///< before the old store is noted
    std::function<void(storage_engine&, const known_store&)> on_move_caches;
    std::function<result<void>()> may_be{};  ///< instead of true

    /// What the parts of a server use.
    plugins::measured_engine& served() { return engine_; }

    [[nodiscard]] known_store where() const override {
        const lock_guard lock(mutex_);
        return place_;
    }
    [[nodiscard]] storage_engine& engine() override { return current_ ? *current_ : engine_; }
    [[nodiscard]] document_store& ungated_documents() override {
        return current_ ? current_->documents() : engine_.ungated_documents();
    }
    [[nodiscard]] result<void> can_be(const target_address&) const override {
        return may_be ? may_be() : result<void>();
    }
    void seal_writes(std::chrono::milliseconds longest) override {
        engine_.gate().seal(longest);
        if (on_seal) on_seal();
    }
    void open_gate() override { engine_.gate().open(); }
    [[nodiscard]] std::uint64_t writes_under_way() const override { return engine_.gate().under_way(); }
    [[nodiscard]] std::uint64_t writes_begun() const override { return engine_.gate().begun(); }
    [[nodiscard]] bool hold_on(std::uint64_t known) override {
        if (on_hold_on) on_hold_on();
        return engine_.gate().hold_on(known);
    }
    std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next,
                                             known_store place) override {
        if (before_exchange) before_exchange();
        current_ = next;
        auto before = engine_.exchange(std::move(next));
        {
            const lock_guard lock(mutex_);
            place_ = std::move(place);
        }
        if (after_exchange) after_exchange();
        return before;
    }

    void move_caches(storage_engine& former, const known_store& former_place) override {
        if (on_move_caches) on_move_caches(former, former_place);
    }

private:
    plugins::measured_engine engine_;
    std::shared_ptr<storage_engine> current_;
    mutable mutex mutex_;
    known_store place_ GALLERY_GUARDED_BY(mutex_);
};

class switched_server {
public:
    explicit switched_server(const std::string& engine = "memory") : switched_server(engine, {}) {}
    /// With all of its files in a folder that is there.
    switched_server(const std::string& engine, const std::filesystem::path& root)
        : root_(root.empty() ? folder_.path() : root),
          stored_a(engine, root_ / "a"),
          stored_b(engine, root_ / "b") {}
    ~switched_server() { stop(); }

private:
    gallery::test::scratch_folder folder_;
    std::filesystem::path root_;

public:
    scratch_store stored_a;
    scratch_store stored_b;
    faulty_store a{*stored_a};
    faulty_store b{*stored_b};
    std::atomic<int> open{0};              ///< stores, of the server and of the mirror
    std::atomic<int> opened_former{0};     ///< targets that were the store of the server
    std::atomic<int> opening_priority{0};  ///< of the thread that has opened the last target
    std::function<result<void>()> may_be;  ///< test_store::may_be
    other_servers* others = nullptr;
    std::chrono::milliseconds keep_turn{20};
    std::chrono::milliseconds switch_timeout{60'000};
    std::chrono::milliseconds longest_catch_up{60'000};
    std::chrono::milliseconds longest_giving_back{60'000};
    std::string active_file = (root_ / "active-store.json").string();
    std::unique_ptr<test_store> store;
    std::unique_ptr<service> mirror;

    [[nodiscard]] std::string state_file() const { return (root_ / "mirror.json").string(); }

    /// As Linux counts it, of this thread.
    static int own_priority() {
        return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)));
    }
    static target_address address(const std::string& path) { return {"memory", path, {}}; }
    storage_engine& at(const std::string& path) { return path == "/a" ? a : b; }
    storage_engine& stored_at(const std::string& path) { return path == "/a" ? *stored_a : *stored_b; }
    std::unique_ptr<storage_engine> open_at(const std::string& path) {
        return std::make_unique<opened_store>(at(path), open);
    }

    /// As the server starts: on the store of the file, or on a.
    void start() {
        const auto decided = read_active_store(active_file).value();
        const std::string path = decided ? decided->now.address.path : "/a";
        store = std::make_unique<test_store>(open_at(path), known_store{address(path), "memory", {}});
        store->may_be = may_be;
        auto& documents = store->served().documents();
        const auto identity = await(ensure_identity(documents)).value();
        if (decided) {
            BOOST_REQUIRE(identity == decided->now.identity);
            require(await(release_store(documents)));
        } else if (others != nullptr) {
            require(await(give_back_store(documents, others->id())));
        }
        BOOST_REQUIRE(!await(find_successor(documents)).value().has_value());
        mirror_options options;
        options.served = store.get();
        options.others = others;
        options.keep_turn = keep_turn;
        options.active_file = active_file;
        options.state_file = state_file();
        options.switch_timeout = switch_timeout;
        options.longest_catch_up = longest_catch_up;
        options.longest_giving_back = longest_giving_back;
        options.check = [](target_address where) { return result<target_address>(std::move(where)); };
        options.open = [this](const target_address& where, bool) -> result<std::unique_ptr<storage_engine>> {
            opening_priority = own_priority();
            return std::unique_ptr<storage_engine>(
                std::make_unique<plugins::measured_engine>(open_at(where.path), "memory"));
        };
        options.open_former = [this, open = options.open](const target_address& where, bool may_create) {
            ++opened_former;
            return open(where, may_create);
        };
        options.hold_writes = [this](std::chrono::milliseconds longest) {
            store->served().gate().close(longest);
        };
        options.release_writes = [this] { store->served().gate().open(); };
        options.copying = small_pages();
        options.interval = std::chrono::milliseconds(1);
        options.retry = std::chrono::milliseconds(1);
        options.log = [](bool, std::string_view) {};
        mirror = std::make_unique<service>(store->engine(), std::move(options));
        require(mirror->resume());
    }
    void stop() {
        if (mirror) mirror->shut_down();
        store.reset();
        mirror.reset();
    }
    void restart() {
        stop();
        BOOST_TEST(open == 0);
        start();
    }

    result<mirror_status> begin(const std::string& path = "/b") {
        start_request request;
        request.target = address(path);
        return await(mirror->start(std::move(request)));
    }
    /// With some contents, and the mirror in b, which follows.
    void start_with_mirror() {
        fill(*stored_a);
        start();
        const auto begun = begin();
        BOOST_REQUIRE_MESSAGE(begun.has_value(), message_of(begun));
        wait_until_current();
    }

    [[nodiscard]] std::string active() const { return store->where().address.path; }
    [[nodiscard]] std::string other() const { return active() == "/a" ? "/b" : "/a"; }
    storage_engine& served() { return store->served(); }

    mirror_status wait_for(const std::function<bool(const mirror_status&)>& is_wanted) {
        for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);;) {
            auto now = mirror->status();
            if (is_wanted(now)) return now;
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until,
                                  "the state was not reached: " + now.problem);
            // Not yield(): the thread of the mirror has a low priority, and would wait for this one.
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    void wait_until_current() {
        const auto last = await(stored_at(active()).feed().last()).value();
        wait_for([last](const mirror_status& now) {
            return now.state == mirror_state::following && now.position >= last && now.lag == 0;
        });
    }
    void switch_over() {
        const auto before = active();
        const auto done = await(mirror->switch_over());
        BOOST_REQUIRE_MESSAGE(done.has_value(), message_of(done));
        BOOST_REQUIRE(active() != before);
    }

    /// One store is the one of the server, and the other says so. Both are equal.
    void check_switched_to(const std::string& path) {
        BOOST_TEST(active() == path);
        const auto decided = read_active_store(active_file).value();
        BOOST_REQUIRE(decided.has_value());
        BOOST_TEST(decided->now.address.path == path);
        BOOST_TEST(decided->before.address.path == other());
        BOOST_TEST(decided->now.identity == await(find_identity(stored_at(path).documents())).value());
        BOOST_TEST(decided->before.identity == await(find_identity(stored_at(other()).documents())).value());
        BOOST_TEST(!await(find_successor(stored_at(path).documents())).value().has_value());
        BOOST_TEST(!await(find_mark(stored_at(path).documents())).value().has_value());
        wait_until_current();
        const auto by = await(find_successor(stored_at(other()).documents())).value();
        BOOST_REQUIRE(by.has_value());
        BOOST_TEST((*by == successor_of(*decided)));
        const auto marked = await(find_mark(stored_at(other()).documents())).value();
        BOOST_REQUIRE(marked.has_value());
        BOOST_TEST(marked->value.source_id == decided->now.identity);
        BOOST_TEST(!marked->value.is_complete);
        const auto now = mirror->status();
        BOOST_TEST(now.path == other());
        BOOST_TEST(now.can_switch);
        check_same(*stored_a, *stored_b);
    }
    /// After a switch that was given up: as before.
    void check_not_switched() {
        BOOST_TEST(active() == "/a");
        BOOST_TEST(!std::filesystem::exists(active_file));
        BOOST_TEST(!await(find_successor(stored_a->documents())).value().has_value());
        BOOST_TEST(!store->served().gate().is_closed());
        save_document(served(), "user", "after-the-attempt", "{}");
        BOOST_TEST(await(stored_a->documents().find("user", "after-the-attempt")).has_value());
        wait_until_current();
        check_same(*stored_a, *stored_b);
    }
};

}  // namespace gallery::mirror::test
