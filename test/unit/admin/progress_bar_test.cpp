// SPDX-License-Identifier: Apache-2.0
// The line that shows how far a copy is.
#include "admin/progress_bar.hpp"

#include "admin/store_address.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <fstream>
#include <string>

namespace gallery::admin {

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(it_shows_share_numbers_rate_and_the_time_left) {
    using namespace std::chrono_literals;
    BOOST_TEST(render_progress({1'000, 2'000, 1'500'000'000, 3'000'000'000}, {}, 30s) ==
               "[#####.....]  50 %  1000/2000 images  1.5/3.0 GB  50.0 MB/s  30 s left");
    // What an earlier run has copied is no part of the rate.
    BOOST_TEST(
        render_progress({1'000, 2'000, 1'500'000, 3'000'000}, {900, 2'000, 1'400'000, 3'000'000}, 1s) ==
        "[#####.....]  50 %  1000/2000 images  1.5/3.0 MB  100 kB/s  15 s left");
}

BOOST_AUTO_TEST_CASE(it_is_complete_where_there_is_nothing_to_do) {
    using namespace std::chrono_literals;
    BOOST_TEST(render_progress({}, {}, 0s) == "[##########] 100 %  0/0 images  0/0 B");
}

BOOST_AUTO_TEST_CASE(a_source_that_grows_does_not_exceed_the_bar) {
    using namespace std::chrono_literals;
    const auto text = render_progress({12, 10, 1'200, 1'000}, {}, 0s);
    BOOST_TEST(text == "[##########] 100 %  12/12 images  1.2/1.2 kB");
}

BOOST_AUTO_TEST_CASE(it_fits_into_a_line) {
    using namespace std::chrono_literals;
    for (const auto elapsed : {1ms, 1'000ms, 1'000'000ms, 1'000'000'000ms}) {
        const auto text =
            render_progress({9'999'999, 10'000'000, 1'234'567'890'123, 9'999'999'999'999}, {}, elapsed);
        BOOST_TEST(text.size() <= 79U, text);
    }
}

BOOST_AUTO_TEST_CASE(a_store_is_named_by_engine_and_folder) {
    const auto plain = parse_store_address("rocksdb:/srv/a:b", {}).value();
    BOOST_TEST(plain.plugin == "rocksdb");
    BOOST_TEST(plain.path == "/srv/a:b");
    const auto chosen = parse_store_address("postgresql:", {"dsn=host=a b=c", "name="}).value();
    BOOST_TEST(chosen.path.empty());
    BOOST_TEST(chosen.options.at("dsn") == "host=a b=c");
    BOOST_TEST(chosen.options.at("name").empty());
    for (const char* text : {"", "rocksdb", ":/srv"})
        BOOST_TEST(bool(parse_store_address(text, {}).error().code == exit_code::usage), text);
    const auto refused = parse_store_address("a:b", {"secret"});
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().message.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_option_of_a_store_may_be_in_a_file) {
    const gallery::test::scratch_folder folder;
    const auto file = folder.path() / "password";
    std::ofstream(file) << "a=b@c \n";
    const auto read = parse_store_address("postgresql:", {"password@" + file.string(), "dsn=a@b"}).value();
    BOOST_TEST(read.options.at("password") == "a=b@c ");
    BOOST_TEST(read.options.at("dsn") == "a@b");
    for (const auto& name : {folder.path() / "missing", folder.path()})
        BOOST_TEST(parse_store_address("a:b", {"password@" + name.string()}).has_error(), name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::admin
