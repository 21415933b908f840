// SPDX-License-Identifier: Apache-2.0
// Scenarios in YAML, and what is said of a mistake in one.
#include "load/scenario.hpp"

#include "boost_test.hpp"

#include <cmath>
#include <string>

namespace gallery::load {

namespace {

using namespace std::chrono_literals;

constexpr const char* least = R"(rate: 10
duration: 5s
visits:
  - requests: [get]
)";

/// The message for a scenario that has a mistake.
std::string mistake_in(const std::string& yaml) {
    const auto parsed = parse_scenario(yaml, "x.yml");
    return parsed ? "no mistake was found" : parsed.error().message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scenarios)

BOOST_AUTO_TEST_CASE(all_built_in_scenarios_are_valid) {
    BOOST_TEST(builtin_scenarios().size() == 5U);
    for (const auto& one : builtin_scenarios()) {
        const auto parsed = parse_scenario(one.yaml, std::string(one.name));
        BOOST_TEST_REQUIRE(parsed.has_value(), (parsed ? "" : parsed.error().message));
        BOOST_TEST(!parsed->description.empty());
        BOOST_TEST(!parsed->thresholds.empty());
        BOOST_TEST(parsed->requests_per_visit() >= 1.0);
    }
}

BOOST_AUTO_TEST_CASE(a_built_in_scenario_is_found_by_its_name_with_spaces_too) {
    const auto found = find_scenario("dashboard wall");
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->name == "dashboard-wall");
    const auto unknown = find_scenario("brwose");
    BOOST_TEST_REQUIRE(!unknown.has_value());
    BOOST_TEST((unknown.error().code == errc::not_found));
    BOOST_TEST(unknown.error().message.find("did you mean browse?") != std::string::npos,
               unknown.error().message);
}

BOOST_AUTO_TEST_CASE(every_key_is_read) {
    const auto parsed = parse_scenario(R"(description: words
stages:
  - {rate: 10, duration: 2s}
  - {rate: 40, duration: 1m}
warm_up: 1500ms
arrivals: even
connections: 2000
tenants: 3
images: 7
sizes: [{size: 2KiB, share: 3}, {size: 1 MB}]
popularity: 0.8
timeout: 4s
hashed: 0.5
visits:
  - name: page
    share: 2
    think: 250ms
    same_image: true
    requests:
      - list, get * 8
      - revalidate
  - requests: [upload]
thresholds: ["get p99 < 20ms", "errors < 1%"]
)",
                                       "x.yml");
    BOOST_TEST_REQUIRE(parsed.has_value(), (parsed ? "" : parsed.error().message));
    BOOST_TEST(parsed->stages.size() == 2U);
    BOOST_TEST((parsed->duration() == 62s));
    BOOST_TEST((parsed->warm_up == 1500ms));
    BOOST_TEST(parsed->is_even);
    BOOST_TEST(parsed->connections == 2000U);
    BOOST_TEST(parsed->tenants == 3U);
    BOOST_TEST(parsed->images == 7U);
    BOOST_TEST(parsed->sizes[0].bytes == 2048U);
    BOOST_TEST(parsed->sizes[1].bytes == 1'000'000U);
    BOOST_TEST(parsed->popularity == 0.8);
    BOOST_TEST((parsed->timeout == 4s));
    BOOST_TEST(parsed->hashed == 0.5);
    BOOST_TEST(parsed->visits[0].requests() == 10U);
    BOOST_TEST(parsed->visits[0].same_image);
    BOOST_TEST((parsed->longest_visit() == 250ms));
    // Two thirds of the visits have ten requests, the others one.
    BOOST_TEST(std::abs(parsed->requests_per_visit() - 7) < 1e-9);
    BOOST_TEST(parsed->thresholds.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_ramp_becomes_a_stage_and_a_rate_scales_all_of_them) {
    auto parsed = parse_scenario(std::string(least) + "ramp: 2s\n", "x.yml");
    BOOST_TEST_REQUIRE(parsed.has_value());
    BOOST_TEST((parsed->duration() == 7s));
    parsed->set_rate(100);
    for (const auto& one : parsed->stages)
        BOOST_TEST(one.rate == 100.0);
}

BOOST_AUTO_TEST_CASE(a_mistake_is_reported_with_its_file_and_line) {
    const std::string text(least);
    BOOST_TEST(mistake_in(text + "conections: 5\n") ==
               "x.yml:5: 'conections' is not a key of a scenario; did you mean connections?");
    BOOST_TEST(mistake_in(text + "connections: many\n") ==
               "x.yml:5: connections: expected a number from 1 to 100000, found 'many'");
    BOOST_TEST(mistake_in(text + "connections: 1.5\n") ==
               "x.yml:5: connections: expected a whole number, found '1.5'");
    BOOST_TEST(
        mistake_in(text + "\n\nwarm_up: soon\n").starts_with("x.yml:7: warm_up: 'soon' is not a duration"));
    BOOST_TEST(mistake_in(text + "rate: 3\n") == "x.yml:5: 'rate' is given twice");
    BOOST_TEST(mistake_in(text + "arrivals: odd\n") ==
               "x.yml:5: arrivals: expected even or random, found 'odd'");
    BOOST_TEST(
        mistake_in(text + "sizes:\n  - {size: 10}\n").starts_with("x.yml:6: size: expected a size from 200"));
    BOOST_TEST(mistake_in(text + "thresholds:\n  - p99 < 5ms\n  - p99 about 5ms\n")
                   .starts_with("x.yml:7: thresholds: "));
    BOOST_TEST(mistake_in(text + "warm_up: 5s\n").find("warm_up: expected less than") != std::string::npos);
    BOOST_TEST(
        mistake_in(
            "rate: 10\nduration: 5s\nvisits:\n  - name: a\n    requests:\n      - list\n      - gte * 2\n") ==
        "x.yml:7: 'gte' is not a request; did you mean get?");
    BOOST_TEST(mistake_in("rate: 10\nduration: 5s\nvisits:\n  - requests: [get * 0]\n")
                   .starts_with("x.yml:4: '0' is not a number of requests"));
    BOOST_TEST(mistake_in("rate: 1\nvisits:\n  - requests: [get]\n").find("requires 'rate' and 'duration'") !=
               std::string::npos);
    BOOST_TEST(mistake_in("rate: 1\nduration: 1s\n").find("requires 'visits'") != std::string::npos);
    BOOST_TEST(mistake_in("rate: 1\nvisits: [\n").find(": this is not YAML") != std::string::npos);
    BOOST_TEST(mistake_in("- a\n").find("x.yml:1") == 0U);
    BOOST_TEST(mistake_in("").find("x.yml:1") == 0U);
}

BOOST_AUTO_TEST_CASE(durations_and_sizes_have_units) {
    BOOST_TEST((*parse_duration("1.5s") == 1500ms));
    BOOST_TEST((*parse_duration("2 m") == 120s));
    BOOST_TEST((*parse_duration("50us") == 50us));
    for (const auto* const wrong : {"", "5", "s", "-1s", "1d", "1e99h", "nan s"})
        BOOST_TEST(!parse_duration(wrong).has_value(), wrong);
    BOOST_TEST(*parse_size("14KiB") == 14U * 1024);
    BOOST_TEST(*parse_size("100 KB") == 100'000U);
    BOOST_TEST(*parse_size("700") == 700U);
    for (const auto* const wrong : {"", "KiB", "5 apples", "-5", "99999 GiB"})
        BOOST_TEST(!parse_size(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
