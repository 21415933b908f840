// SPDX-License-Identifier: Apache-2.0
// Moving many images.
#include "admin/transfer.hpp"

#include "boost_test.hpp"

#include <boost/json/serialize.hpp>

#include <atomic>
#include <optional>
#include <vector>

namespace gallery::admin {

BOOST_AUTO_TEST_SUITE(transfers)

BOOST_AUTO_TEST_CASE(each_item_is_worked_on_once_by_some_worker) {
    for (const std::size_t workers : {1U, 3U, 8U}) {
        std::vector<std::atomic<int>> seen(100);
        const auto done =
            in_parallel(workers, seen.size(), [&](std::size_t worker, std::size_t item) -> outcome<> {
                if (worker >= workers) return failure{};
                ++seen[item];
                return {};
            });
        BOOST_TEST(done.has_value());
        for (const auto& one : seen)
            BOOST_TEST(one == 1);
    }
    const auto never = [](std::size_t, std::size_t) -> outcome<> { return failure{}; };
    BOOST_TEST(in_parallel(4, 0, never).has_value());
}

BOOST_AUTO_TEST_CASE(after_a_failure_nothing_new_is_begun) {
    std::atomic<std::size_t> begun{0};
    const auto done = in_parallel(2, 1'000'000, [&](std::size_t, std::size_t item) -> outcome<> {
        ++begun;
        if (item == 5) return failure{exit_code::unreachable, "gone"};
        return {};
    });
    BOOST_TEST_REQUIRE(done.has_error());
    BOOST_TEST(done.error().message == "gone");
    BOOST_TEST(begun < 1'000'000U);
    std::size_t alone = 0;
    BOOST_TEST(in_parallel(1, 10, [&](std::size_t, std::size_t item) -> outcome<> {
                   alone = item;
                   if (item == 3) return failure{};
                   return {};
               }).has_error());
    BOOST_TEST(alone == 3U);
}

BOOST_AUTO_TEST_CASE(the_bar_shows_how_much_is_done) {
    BOOST_TEST(transfer_bar(0, 10, 0, 0) == "[>" + std::string(29, ' ') + "]  0/10");
    BOOST_TEST(transfer_bar(5, 10, 3'000'000, 2) ==
               "[" + std::string(15, '=') + ">" + std::string(14, ' ') + "]  5/10  1.5 MB/s");
    BOOST_TEST(transfer_bar(5, std::nullopt, 3'000'000, 2) == "5  1.5 MB/s");
    BOOST_TEST(transfer_bar(10, 10, 0, 1) == "[" + std::string(30, '=') + "]  10/10");
}

BOOST_AUTO_TEST_CASE(a_report_is_sorted_and_complete) {
    using fate = transfer_report::fate;
    transfer_report report;
    BOOST_TEST(report.is_empty());
    report.add(fate::created, "b");
    report.add(fate::created, "a");
    report.add(fate::replaced, "c", {"title"});
    report.add(fate::unchanged, "d");
    report.add(fate::differs, "e", {"picture", "tags"});
    report.clash("a", "publicResourceKey");
    report.failed("f", "why");
    report.verified(3, {"e"}, {"f"});
    BOOST_TEST(!report.is_empty());
    BOOST_TEST(
        boost::json::serialize(report.as_json()) ==
        R"({"created":["a","b"],"replaced":[{"key":"c","members":["title"]}],"unchanged":1,)"
        R"("differ":[{"key":"e","members":["picture","tags"]}],)"
        R"("clashes":[{"key":"a","members":["publicResourceKey"]}],)"
        R"("failed":[{"key":"f","message":"why"}],"verified":{"equal":3,"different":["e"],"missing":["f"]}})");
}

BOOST_AUTO_TEST_CASE(new_images_get_the_first_key_that_nobody_has) {
    transfer_target target(present_images{{"a.png", {}}, {"a_(2).png", {}}});
    target.reserve("a_(3).png");
    BOOST_TEST(target.new_key("a.png") == "a_(1).png");
    BOOST_TEST(target.new_key("a.png") == "a_(4).png");
    BOOST_TEST(target.new_key("b.png") == "b.png");
    // A candidate of another file name.
    BOOST_TEST(target.new_key("a_(5).png") == "a_(5).png");
    BOOST_TEST(target.new_key("a.png") == "a_(6).png");
}

BOOST_AUTO_TEST_CASE(answers_of_proxies_about_one_image_do_not_stop_the_others) {
    for (const int status : {400, 404, 405, 410, 412, 413, 414, 415, 422, 500})
        BOOST_TEST(is_of_one_image({exit_code::unreachable, "no JSON", status}), status);
    for (const int status : {0, 401, 403, 429, 502, 503, 504})
        BOOST_TEST(!is_of_one_image({exit_code::unreachable, "no JSON", status}), status);
    BOOST_TEST(is_of_one_image({exit_code::refused, "wrong file"}));
    BOOST_TEST(!is_of_one_image({exit_code::not_permitted, "no", 403}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
