// SPDX-License-Identifier: Apache-2.0
// Parts of the engine that need no database.
#define BOOST_TEST_MODULE parts of the engine on PostgreSQL
#include "boost_test.hpp"

#include "scratch_folder.hpp"

#include "endpoints.hpp"
#include "failure.hpp"
#include "session.hpp"
#include "values.hpp"

#include <gallery/bytes.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>

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

result<std::vector<endpoint>> confined_servers(const std::string& dsn, std::vector<std::string> hosts) {
    return endpoints_of(dsn, std::chrono::milliseconds(3000), confinement{std::move(hosts)});
}

using option_list = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Each environment variable that libpq knows has the value "leaked".
class leaking_environment {
public:
    leaking_environment() {
        const option_list all(PQconninfoParse("", nullptr), &PQconninfoFree);
        for (const auto* one = all.get(); one->keyword != nullptr; ++one) {
            if (one->envvar == nullptr || std::string_view(one->keyword).starts_with("service")) continue;
            ::setenv(one->envvar, "leaked", 1);
            names_.emplace_back(one->envvar);
        }
    }
    leaking_environment(const leaking_environment&) = delete;
    leaking_environment& operator=(const leaking_environment&) = delete;
    ~leaking_environment() {
        for (const auto& name : names_)
            ::unsetenv(name.c_str());
    }
    [[nodiscard]] std::size_t size() const { return names_.size(); }

private:
    std::vector<std::string> names_;
};

/// What libpq makes of a connection string.
std::map<std::string, std::string> values_in_use(const std::string& connection_string) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> made(PQconnectStart(connection_string.c_str()),
                                                            &PQfinish);
    const option_list all(PQconninfo(made.get()), &PQconninfoFree);
    std::map<std::string, std::string> out;
    for (const auto* one = all.get(); one->keyword != nullptr; ++one)
        out[one->keyword] = one->val == nullptr ? "" : one->val;
    return out;
}

std::size_t count_leaked(const std::map<std::string, std::string>& values) {
    std::size_t count = 0;
    for (const auto& [keyword, value] : values) {
        if (value == "leaked") ++count;
    }
    return count;
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

BOOST_AUTO_TEST_CASE(a_confined_connection_takes_nothing_from_the_environment_or_from_files) {
    const leaking_environment environment;
    BOOST_TEST(environment.size() > 15U);
    const std::string dsn = "host=127.0.0.1 port=1 user=me password='it\\'s \\\\ mine'";
    auto free = servers_of(dsn.c_str());
    BOOST_TEST(count_leaked(values_in_use(free.front().connection_string())) > 10U);

    const auto confined = confined_servers(dsn, {"127.0.0.1"}).value();
    auto used = values_in_use(confined.front().connection_string());
    for (const auto& [keyword, value] : used)
        BOOST_TEST(value != "leaked", keyword);
    BOOST_TEST(used.at("password") == "it's \\ mine");
    BOOST_TEST(used.at("port") == "1");
    BOOST_TEST(used.at("dbname") == "me");  // the default that depends on the user only
    BOOST_TEST(used.at("options") == "");
    BOOST_TEST(used.at("gssencmode") == "disable");
    for (const auto* file : {"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"})
        BOOST_TEST(!std::ifstream(used.at(file)).is_open(), file);
}

BOOST_AUTO_TEST_CASE(a_confined_connection_string_is_complete_and_names_no_file) {
    const std::string good = "host=db user=me password=secret ";
    BOOST_TEST(confined_servers(good + "sslmode=require dbname=a connect_timeout=1", {"db"}).has_value());
    BOOST_TEST(confined_servers("postgresql://me:secret@db:1/a?sslmode=require", {"db"}).has_value());
    for (const auto* more :
         {"passfile=/p", "service=s", "sslkey=/k", "sslcert=/c", "sslrootcert=/r", "sslrootcert=rel",
          "sslcrl=/c", "sslcrldir=/d", "sslpassword=p", "krbsrvname=k", "gsslib=gssapi", "gssencmode=prefer",
          "options=-cfsync=off", "replication=true", "requirepeer=root", "client_encoding=SQL_ASCII"}) {
        const auto refused = confined_servers(good + more, {"db"});
        BOOST_TEST_REQUIRE(refused.has_error(), more);
        BOOST_TEST((refused.error().code == errc::invalid_argument));
        BOOST_TEST(refused.error().message.find("secret") == std::string::npos);
    }
    for (const auto* less : {"", "host=db user=me", "host=db password=secret", "user=me password=secret",
                             "host=db user=me password=''", "host='db,' user=me password=secret"})
        BOOST_TEST(confined_servers(less, {"db", ""}).has_error(), less);
    BOOST_TEST(confined_servers(good + "sslrootcert=system", {"db"}).has_value() ==
               (PQlibVersion() >= 160'000));
    ::setenv("PGSERVICE", "leaked", 1);
    BOOST_TEST(confined_servers(good, {"db"}).has_error());
    ::unsetenv("PGSERVICE");
    BOOST_TEST(confined_servers(good, {"db"}).has_value());
}

BOOST_AUTO_TEST_CASE(a_confined_connection_goes_only_to_hosts_that_are_allowed) {
    const auto allows = [](const std::string& where, std::vector<std::string> hosts) {
        const auto made = confined_servers(where + " user=me password=secret", std::move(hosts));
        if (made.has_error()) BOOST_TEST((made.error().code == errc::permission_denied));
        return made.has_value();
    };
    BOOST_TEST(!allows("host=db", {}));
    BOOST_TEST(allows("host=DB", {"other", "db"}));
    BOOST_TEST(!allows("host=db.example", {"db"}));
    BOOST_TEST(allows("host=db port=7", {"db"}));
    BOOST_TEST(allows("host=db", {"db:5432"}));
    BOOST_TEST(!allows("host=db port=22", {"db:5432"}));
    BOOST_TEST(!allows("host=a,db", {"db"}));
    BOOST_TEST(allows("host=a,db port=1,2", {"db:2", "a:1"}));
    BOOST_TEST(!allows("host=a,db port=2,1", {"db:2", "a:1"}));
    BOOST_TEST(!allows("host=db hostaddr=10.0.0.1", {"db"}));
    BOOST_TEST(!allows("host=db hostaddr=10.0.0.1", {"10.0.0.1"}));
    BOOST_TEST(allows("hostaddr=10.0.0.1", {"10.0.0.1"}));
    BOOST_TEST(allows("host=::1 port=7", {"[::1]:7"}));
    BOOST_TEST(allows("host=::1 port=7", {"::1"}));
    BOOST_TEST(!allows("host=::1 port=8", {"[::1]:7"}));
    BOOST_TEST(!allows("host=/run/postgresql", {"localhost"}));
    BOOST_TEST(allows("host=/run/postgresql", {"/run/postgresql"}));
}

BOOST_AUTO_TEST_CASE(root_certificates_are_a_file_for_each_server) {
    const gallery::test::scratch_folder folder;
    auto servers = confined_servers("host=a,b user=me password=secret", {"a", "b"}).value();
    BOOST_TEST(use_root_certificates("", folder.path().string(), servers).has_value());
    BOOST_TEST(!servers.front().parameters.contains("sslrootcert"));
    BOOST_TEST_REQUIRE(use_root_certificates("PEM\n", folder.path().string(), servers).has_value());
    for (const auto& one : servers) {
        std::ifstream in(one.parameters.at("sslrootcert"));
        BOOST_TEST(std::string(std::istreambuf_iterator<char>(in), {}) == "PEM\n");
    }
    auto two = servers_of("host=a sslrootcert=/r");
    BOOST_TEST(
        (use_root_certificates("PEM\n", folder.path().string(), two).error().code == errc::invalid_argument));
    BOOST_TEST((use_root_certificates("PEM\n", "/nowhere", servers).error().code == errc::io_error));
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
