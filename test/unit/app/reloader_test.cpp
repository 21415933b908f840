// SPDX-License-Identifier: Apache-2.0
// A reload uses a configuration as a whole or not at all, and says what it did.
#include "app/reloader.hpp"

#include "boost_test.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace gallery;
using namespace gallery::app;

namespace {

config::environment no_variables() {
    return [](const std::string&) { return std::optional<std::string>(); };
}

/// The steps of a reload without a server.
struct steps_of_test {
    std::string text;        ///< of the file
    std::string wrong;       ///< what check() says; empty: nothing
    std::string impossible;  ///< what apply() says
    std::vector<config::settings> applied;

    reloader::steps make() {
        reloader::steps steps;
        steps.read = [this] { return config::check_text(text, "/etc/gallery/my.yml", no_variables()); };
        steps.check = [this](const auto&, const auto&) -> result<void> {
            if (wrong.empty()) return {};
            return error{errc::invalid_argument, wrong};
        };
        steps.rules = [](const std::string&) { return config::option_rule(); };
        steps.apply = [this](const config::comparison& found) -> result<std::vector<config::change>> {
            if (!impossible.empty()) return error{errc::invalid_argument, impossible};
            applied.push_back(found.next.values);
            return std::vector<config::change>();
        };
        steps.paths = {"/etc/gallery/my.yml"};
        return steps;
    }
    static config::configuration start() {
        return config::load_text("", "/etc/gallery/my.yml", no_variables()).value();
    }
};

std::string joined(const std::vector<log_line>& lines) {
    std::string all;
    for (const auto& [level, text] : lines)
        all += std::string(log_levels.name_of(level)) + " " + text + "\n";
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reloads)

BOOST_AUTO_TEST_CASE(a_good_file_is_used_and_described) {
    steps_of_test test;
    reloader reloads(steps_of_test::start(), test.make());
    test.text = "logging: {level: debug}\nserver: {port: 9090}\n";
    const auto done = reloads.reload();
    BOOST_TEST_REQUIRE(done.has_value());
    BOOST_TEST(joined(describe(*done)) ==
               "info the configuration was reloaded: 1 setting changed; 1 setting requires a restart\n"
               "info changed: logging.level: \"info\" -> \"debug\"\n"
               "warning not in use before a restart: server.port: \"8080\" -> \"9090\"\n");
    BOOST_TEST_REQUIRE(test.applied.size() == 1U);
    BOOST_TEST((test.applied[0].logging.level == log_level::debug));
    BOOST_TEST(test.applied[0].server.port == 8080);
    BOOST_TEST(joined(describe(reloads.reload().value())) ==
               "info the configuration was reloaded: nothing has changed; 1 setting requires a restart\n"
               "warning not in use before a restart: server.port: \"8080\" -> \"9090\"\n");
    const auto counted = reloads.counters();
    BOOST_TEST(counted.done == 2U);
    BOOST_TEST(counted.failed == 0U);
    BOOST_TEST(counted.needs_restart == 1U);
}

BOOST_AUTO_TEST_CASE(any_fault_leaves_everything_as_it_was) {
    steps_of_test test;
    reloader reloads(steps_of_test::start(), test.make());
    const auto refused = [&](const std::string& words) {
        const auto done = reloads.reload();
        BOOST_TEST_REQUIRE(done.has_error());
        BOOST_TEST((done.error().code == errc::invalid_argument));
        BOOST_TEST(done.error().message.find(words) != std::string::npos, done.error().message);
        BOOST_TEST(test.applied.empty());
        BOOST_TEST(reloads.counters().has_failed_last);
    };
    test.text = "logging: [";
    refused("/etc/gallery/my.yml:1: this is not YAML");
    test.text = "logging: {level: debug, levl: info}";
    refused(
        "logging.levl: expected a key of etc/gallery.yml, found an unknown one; did you mean logging.level?");
    test.text = "logging: {level: debug}\nimage: {workers: 1000}";
    refused("my.yml:2: image.workers: expected a whole number between 0 and 256, found \"1000\"");
    test.text = "logging: {level: debug}";
    test.wrong = "that is not allowed";
    refused("that is not allowed");
    test.wrong.clear();
    test.impossible = "no memory";
    refused("no memory");
    test.impossible.clear();
    BOOST_TEST(reloads.reload().value().changed.size() == 1U);
    BOOST_TEST(!reloads.counters().has_failed_last);
    BOOST_TEST(reloads.counters().failed == 5U);
}

BOOST_AUTO_TEST_CASE(settings_that_wait_for_a_restart_are_judged_by_the_value_in_use) {
    steps_of_test test;
    const auto start = config::load_text("server: {ssl: {enabled: true}}", "my.yml", no_variables()).value();
    reloader reloads(start, test.make());
    test.text = "server: {ssl: {enabled: false, cert_file: \"\"}}";
    const auto done = reloads.reload();
    BOOST_TEST_REQUIRE(done.has_error());
    BOOST_TEST(done.error().message.find("server.ssl.cert_file") != std::string::npos);
    BOOST_TEST(test.applied.empty());
}

BOOST_AUTO_TEST_CASE(an_exception_is_a_failed_reload) {
    steps_of_test test;
    auto steps = test.make();
    steps.apply = [](const config::comparison&) -> result<std::vector<config::change>> {
        throw std::runtime_error("a bug");
    };
    reloader reloads(steps_of_test::start(), std::move(steps));
    BOOST_TEST((reloads.reload().error().code == errc::internal));
    BOOST_TEST(reloads.counters().failed == 1U);
}

BOOST_AUTO_TEST_CASE(reloads_at_the_same_time_happen_one_after_the_other) {
    steps_of_test test;
    auto steps = test.make();
    std::atomic<int> inside{0};
    std::atomic<bool> together{false};
    const auto apply = steps.apply;
    steps.apply = [&](const config::comparison& found) {
        if (++inside > 1) together = true;
        auto done = apply(found);
        std::this_thread::yield();
        --inside;
        return done;
    };
    reloader reloads(steps_of_test::start(), std::move(steps));
    test.text = "logging: {level: debug}";
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&reloads] {
            for (int k = 0; k < 25; ++k)
                static_cast<void>(reloads.reload());
        });
    }
    for (auto& one : threads)
        one.join();
    BOOST_TEST(!together);
    BOOST_TEST(reloads.counters().done == 100U);
    BOOST_TEST(test.applied.size() == 100U);
}

BOOST_AUTO_TEST_CASE(clients_see_no_folders) {
    steps_of_test test;
    reloader reloads(steps_of_test::start(), test.make());
    test.text = "server: {ssl: {cert_file: /srv/keys/new.pem}}";
    test.impossible = "The certificate chain '/srv/keys/new.pem' cannot be used: No such file";
    const auto done = reloads.reload();
    BOOST_TEST_REQUIRE(done.has_error());
    BOOST_TEST(reloads.for_client(done.error().message) ==
               "The certificate chain 'new.pem' cannot be used: No such file");
    test.text = "x: 1";
    BOOST_TEST(reloads.for_client(reloads.reload().error().message) ==
               "my.yml:1: x: expected a key of etc/gallery.yml, found an unknown one");
    BOOST_TEST(without_folders("/a/b and /a/b/c and b", {"/a/b", "/a/b/c", "b", "/"}) == "b and c and b");
}

BOOST_AUTO_TEST_CASE(each_problem_is_a_line_of_the_log) {
    BOOST_TEST(joined(describe(error{errc::invalid_argument, "a: one\nb: two"})) ==
               "error the configuration was not reloaded, and the former one is still in use. Correct the "
               "following and reload it again\nerror a: one\nerror b: two\n");
}

BOOST_AUTO_TEST_SUITE_END()
