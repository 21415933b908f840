// SPDX-License-Identifier: Apache-2.0
// Parts of the engine that need no database.
#define BOOST_TEST_MODULE parts of the engine on PostgreSQL
#include "boost_test.hpp"

#include "endpoints.hpp"
#include "failure.hpp"
#include "session.hpp"
#include "values.hpp"

#include <gallery/bytes.hpp>

#include <limits>

using namespace gallery;
using namespace gallery::postgres;

namespace {

errc code_of(const char* sqlstate, bool lost = false) {
    return to_error({sqlstate, "message", lost}, "testing").code;
}

field field_of(const parameter& from) {
    const auto view = from.view();
    return {view.data() == nullptr ? "" : view.data(), from.is_null() ? -1 : static_cast<int>(view.size())};
}

std::vector<endpoint> servers_of(const char* dsn) {
    return endpoints_of(dsn, std::chrono::milliseconds(3000)).value();
}

}  // namespace

BOOST_AUTO_TEST_CASE(failures_of_the_database_are_errors_of_the_contract) {
    BOOST_TEST((code_of("53100") == errc::no_space));
    BOOST_TEST((code_of("53300") == errc::busy));
    for (const auto* state : {"57P01", "57P02", "57P03", "08000", "08006", "25006"}) {
        BOOST_TEST((code_of(state) == errc::unavailable));
        BOOST_TEST(ends_connection(state));
    }
    for (const auto* state : {"40001", "40P01"}) {
        const failure repeated{state, "", false};
        BOOST_TEST(repeated.is_transient());
        BOOST_TEST((code_of(state) == errc::busy));
        BOOST_TEST(!ends_connection(state));
    }
    BOOST_TEST((code_of("", true) == errc::unavailable));
    BOOST_TEST((code_of("58030") == errc::io_error));
    // Unavailable leaves open whether a write happened.
    BOOST_TEST((not_done({"57P01", "message", true}, "writing").code == errc::busy));
    BOOST_TEST((not_done({"53100", "message", false}, "writing").code == errc::no_space));
    BOOST_TEST((code_of("XX001") == errc::corrupt));
    BOOST_TEST((code_of("42501") == errc::unavailable));
    BOOST_TEST((code_of("22P02") == errc::internal));
    BOOST_TEST((to_error({"53100", "no room", false}, "writing").message ==
                "PostgreSQL failed while writing: no room (SQLSTATE 53100)"));
}

BOOST_AUTO_TEST_CASE(a_connection_string_names_each_server_by_itself) {
    const auto three = servers_of("postgresql://user:secret@one:1,two:2,three:3/db?sslmode=require");
    BOOST_TEST_REQUIRE(three.size() == 3U);
    BOOST_TEST(three[1].name() == "two:2");
    BOOST_TEST(three[1].is_name());
    BOOST_TEST(three[2].parameters.at("sslmode") == "require");
    BOOST_TEST(three[2].parameters.at("password") == "secret");
    BOOST_TEST(three[2].parameters.at("target_session_attrs") == "read-write");
    BOOST_TEST(three[2].parameters.at("tcp_user_timeout") == "3000");

    const auto shared_port = servers_of("host=one,two port=7 dbname=db target_session_attrs=any");
    BOOST_TEST_REQUIRE(shared_port.size() == 2U);
    BOOST_TEST(shared_port[1].name() == "two:7");
    BOOST_TEST(shared_port[1].parameters.at("target_session_attrs") == "any");

    BOOST_TEST(!servers_of("host=/run/postgresql").front().is_name());
    BOOST_TEST(!servers_of("hostaddr=127.0.0.1").front().is_name());
    BOOST_TEST(servers_of("").size() == 1U);
    for (const auto* wrong :
         {"host=one,two port=1,2,3", "nonsense", "hosts=one", "host=one,two hostaddr=127.0.0.1"}) {
        const auto refused = endpoints_of(wrong, std::chrono::milliseconds(1));
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(only_waiting_commits_of_a_replicated_server_are_replicated) {
    BOOST_TEST(why_unreplicated("ANY 1 (a, b)", "on").empty());
    BOOST_TEST(why_unreplicated("*", "remote_apply").empty());
    BOOST_TEST(!why_unreplicated("", "on").empty());
    BOOST_TEST(!why_unreplicated("  ", "on").empty());
    for (const auto* level : {"off", "local", "remote_write"})
        BOOST_TEST(!why_unreplicated("*", level).empty());
}

BOOST_AUTO_TEST_CASE(values_come_back_from_the_binary_format) {
    for (const auto number : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                              std::numeric_limits<std::int64_t>::max(), std::int64_t{1} << 40})
        BOOST_TEST(int_of(field_of(of_int8(number))) == number);
    BOOST_TEST(int_of(field_of(of_int2(-2))) == -2);
    BOOST_TEST(int_of(field_of(of_int4(-70'000))) == -70'000);
    BOOST_TEST(bool_of(field_of(of_bool(true))));
    const auto id = random_uuid();
    BOOST_TEST((uuid_of(field_of(of_uuid(id))) == id));
    BOOST_TEST(text_of(field_of(of_text(""))).empty());
    for (const auto& texts :
         {std::vector<std::string>{}, std::vector<std::string>{"", "a,b", "\"{}\\", "\xc3\xa4"}})
        BOOST_TEST((texts_of(field_of(of_texts(texts))) == texts));
    BOOST_CHECK_THROW(int_of(field()), std::runtime_error);
    BOOST_CHECK_THROW(uuid_of(field_of(of_text("short"))), std::runtime_error);
    BOOST_CHECK_THROW(count_of(field_of(of_int8(-1))), std::runtime_error);
    BOOST_CHECK_THROW(texts_of(field_of(of_text("no array"))), std::runtime_error);
}
