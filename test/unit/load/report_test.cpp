// SPDX-License-Identifier: Apache-2.0
// Reports: complete, and self-contained.
#include "load/report.hpp"

#include "load/plot.hpp"

#include "boost_test.hpp"

#include <boost/json/serialize.hpp>

#include <string>

namespace gallery::load {

namespace {

run_report sample() {
    statistics figures(0);
    constexpr std::int64_t ms = 1'000'000;
    for (int second = 0; second < 3; ++second) {
        for (int i = 0; i < 100; ++i) {
            figures.intend();
            figures.record(operation::get, i == 7 ? verdict::status : verdict::good, 0, 0, (i + 1) * ms, 1000,
                           100);
        }
        figures.end_second(static_cast<std::uint32_t>(second), 2);
    }
    figures.end(3000 * ms);
    run_report out;
    out.scenario = "a <test>";
    out.url = "http://127.0.0.1:8080";
    out.connections = 4;
    out.visit_rate = out.request_rate = 100;
    out.figures.totals = figures.totals();
    out.figures.rows = figures.rows();
    out.figures.faults = {{"get: HTTP 500", 3}};
    out.server = {{1, 0.5, 1U << 20U}, {2, 0.7, 2U << 20U}};
    out.thresholds = {{"p99 < 50ms", "99 ms", false}};
    return out;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reports)

BOOST_AUTO_TEST_CASE(the_page_refers_to_no_other_file_and_escapes_names) {
    const auto page = html_of_run(sample());
    for (const auto* const part : {"src=", "href=", "url(", "@import", "<script", "a <test>"})
        BOOST_TEST(!has(page, part), part);
    BOOST_TEST(has(page, "a &lt;test&gt;: <span class=\"bad\">a threshold is broken"));
    for (const auto* const plot :
         {"Latency", "Requests a second", "Megabytes a second", "Errors a second",
          "Processors that the server uses", "Resident memory of the server", "Latency by percentile"})
        BOOST_TEST(has(page, "class=\"title\">" + std::string(plot)), plot);
    BOOST_TEST(has(page, "get: HTTP 500"));
    BOOST_TEST(!has(page, "no data"));
    BOOST_TEST(!has(page, "nan"));
}

BOOST_AUTO_TEST_CASE(the_json_has_the_figures_of_all_and_of_each_kind) {
    const auto json = json_of_run(sample());
    BOOST_TEST(json.at("all").at("requests").to_number<int>() == 300);
    BOOST_TEST(json.at("requests").at("get").at("outcomes").at("status").to_number<int>() == 3);
    BOOST_TEST(json.at("requests").as_object().size() == 1U);
    BOOST_TEST(json.at("seconds").as_array().size() == 3U);
    BOOST_TEST(json.at("seconds").at(1).at("waiting").to_number<int>() == 2);
    BOOST_TEST(json.at("all").at("requestsPerSecond").to_number<double>() == 100.0);
    BOOST_TEST(!json.at("holds").as_bool());
    const auto p50 = json.at("all").at("latencyMicroseconds").at("p50").to_number<int>();
    BOOST_TEST(p50 >= 50'000);
    BOOST_TEST(p50 <= 50'500);
}

BOOST_AUTO_TEST_CASE(the_text_names_what_is_broken) {
    const auto text = text_of_run(sample());
    BOOST_TEST(has(text, "BROKEN  p99 < 50ms: 99 ms"));
    BOOST_TEST(has(text, "get: HTTP 500"));
}

BOOST_AUTO_TEST_CASE(a_generator_without_processor_time_is_warned_of) {
    auto run = sample();
    BOOST_TEST(warnings_of(run).empty());
    run.figures.cpu_seconds = 9.5;
    run.figures.wall_seconds = 10;
    for (int i = 0; i < 100; ++i)
        run.figures.lag.record(20'000);
    BOOST_TEST(warnings_of(run).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_search_shows_its_steps_by_rate_and_the_run_at_the_limit) {
    limit_report found;
    found.steps = {{100, 100, 1000, 2000, 0, 0.5, 0.1, true, ""},
                   {150, 120, 9000, 90'000, 0, 1, 0.1, false, "p99 < 50ms: 90 ms"},
                   {125, 125, 1500, 9000, 0, 0.8, 0.1, true, ""}};
    found.limit = 125;
    found.last_good = sample();
    const auto page = html_of_limit(found);
    BOOST_TEST(has(page, "Limit: 125.0 requests a second"));
    BOOST_TEST(page.find("<td>125.0</td>") < page.find("<td>150.0</td>"));
    BOOST_TEST(has(text_of_limit(found), "p99 < 50ms: 90 ms"));
    BOOST_TEST(json_of_limit(found).at("steps").as_array().size() == 3U);
}

BOOST_AUTO_TEST_CASE(plots_have_round_axes_and_say_where_there_is_nothing) {
    BOOST_TEST(round_up(0.0) == 1.0);
    BOOST_TEST(round_up(3.0) == 5.0);
    BOOST_TEST(round_up(5.0) == 5.0);
    BOOST_TEST(round_up(1200.0) == 2000.0);
    BOOST_TEST(has(svg_of({"empty", "s", "", {{"a", "#000", {}}}}), "no data"));
    const auto drawn = svg_of({"one", "s", "", {{"a", "#000", {{0, 1}, {10, 5}}}}});
    BOOST_TEST(has(drawn, "points=\"70.0,182.8 840.0,34.0 \""), drawn);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::load
