// SPDX-License-Identifier: Apache-2.0
#include "auth/password.hpp"
#include "auth/login_limiter.hpp"
#include "auth/network.hpp"
#include "auth/signing_key.hpp"
#include "await.hpp"
#include "boost_test.hpp"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::auth;
using gallery::test::await;

/// Cheap on purpose; the cost is one test's subject only.
constexpr password_cost quick{.log_n = 4, .r = 8, .p = 1};

/// bcrypt of "tenant", made by another program.
const std::string bcrypt_of_tenant = "$2a$04$abcdefghijklmnopqrstuuUiyF1cU73/ubLCs8GfUBCukpLol0IVK";

struct folder {
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "gallery-auth-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    std::filesystem::path path;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(passwords)

BOOST_AUTO_TEST_CASE(a_hash_matches_its_password_only) {
    const auto stored = hash_password("correct horse", quick);
    BOOST_TEST(verify_password("correct horse", stored));
    for (const auto* other : {"", "correct", "correct horse ", "Correct horse", "correct horsf"}) {
        BOOST_TEST(!verify_password(other, stored), other);
    }
    BOOST_TEST(hash_password("correct horse", quick) != stored);  // a fresh salt
    BOOST_TEST(stored.find("correct") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_default_cost_takes_32_MiB) {
    const auto stored = hash_password("secret1", {});
    BOOST_TEST(stored.starts_with("$scrypt$ln=15,r=8,p=1$"));
    BOOST_TEST(verify_password("secret1", stored));
    BOOST_TEST(!is_outdated_hash(stored, {}));
    BOOST_TEST(is_outdated_hash(stored, {.log_n = 16, .r = 8, .p = 1}));
}

BOOST_AUTO_TEST_CASE(bcrypt_hashes_of_imported_accounts_are_checked) {
    BOOST_TEST(verify_password("tenant", bcrypt_of_tenant));
    BOOST_TEST(!verify_password("Tenant", bcrypt_of_tenant));
    BOOST_TEST(!verify_password(std::string("tenant\0x", 8), bcrypt_of_tenant));
    auto with_b = bcrypt_of_tenant;
    with_b[2] = 'b';
    BOOST_TEST(verify_password("tenant", with_b));
    with_b[2] = 'y';
    BOOST_TEST(verify_password("tenant", with_b));
    BOOST_TEST(is_outdated_hash(bcrypt_of_tenant, {}));
}

BOOST_AUTO_TEST_CASE(what_is_no_hash_matches_nothing) {
    auto too_dear = bcrypt_of_tenant;
    too_dear.replace(4, 2, "31");
    for (const auto& stored : std::vector<std::string>{
             "", "x", "tenant", "$scrypt$", "$scrypt$ln=4,r=8,p=1$$",
             "$scrypt$ln=30,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
             "$scrypt$ln=4,r=8000,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "$1$abc$def", too_dear}) {
        BOOST_TEST(!verify_password("tenant", stored), stored);
        BOOST_TEST(!verify_password("", stored), stored);
    }
}

BOOST_AUTO_TEST_CASE(the_policy_counts_characters) {
    BOOST_TEST(check_password_policy("äöüßéè").has_value());
    BOOST_TEST(check_password_policy(std::string(72, 'x')).has_value());
    BOOST_TEST(!check_password_policy("12345").has_value());
    BOOST_TEST(!check_password_policy(std::string(73, 'x')).has_value());
    BOOST_TEST(!check_password_policy("abc\ndefg").has_value());
    BOOST_TEST(!check_password_policy("abcdef\xff").has_value());
    BOOST_TEST(check_password_policy(generate_password()).has_value());
    BOOST_TEST(generate_password() != generate_password());
}

BOOST_AUTO_TEST_CASE(the_service_checks_and_offers_a_better_hash) {
    password_service service(quick);
    const auto good = await(service.verify("tenant", bcrypt_of_tenant));
    BOOST_REQUIRE(good);
    BOOST_TEST(good->matches);
    BOOST_TEST(verify_password("tenant", good->better_hash));
    BOOST_TEST(!is_outdated_hash(good->better_hash, quick));
    const auto current = await(service.verify("tenant", good->better_hash));
    BOOST_TEST((current->matches && current->better_hash.empty()));
    const auto wrong = await(service.verify("other1", bcrypt_of_tenant));
    BOOST_TEST((!wrong->matches && wrong->better_hash.empty()));
    const auto unknown = await(service.verify("tenant", ""));
    BOOST_TEST(!unknown->matches);
}

BOOST_AUTO_TEST_CASE(a_flood_of_tries_is_refused_and_holds_up_no_other_client) {
    asio::io_context context(1);  // outlives the service, whose threads post to it
    password_service service({.log_n = 10, .r = 8, .p = 1});
    constexpr std::size_t room = password_service::threads + password_service::queue_limit_each;
    constexpr std::size_t flood = room + 70;
    std::size_t done = 0;
    std::size_t refused = 0;
    for (std::size_t i = 0; i < flood; ++i) {
        asio::co_spawn(context.get_executor(), service.hash("secret1", "192.0.2.1"),
                       [&](std::exception_ptr, result<std::string> out) {
                           if (out) {
                               ++done;
                           } else {
                               BOOST_TEST((out.error().code == errc::too_many_requests));
                               ++refused;
                           }
                       });
    }
    asio::co_spawn(context.get_executor(), service.hash("secret1", "192.0.2.2"),
                   [](std::exception_ptr, const result<std::string>& out) { BOOST_TEST(out.has_value()); });
    context.run();
    BOOST_TEST(done == room);
    BOOST_TEST(refused == flood - room);
    // And afterwards there is room again.
    BOOST_TEST(await(service.hash("secret1", "192.0.2.1")).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(login_limits)

using std::chrono::minutes;
using std::chrono::seconds;

using time_point = login_limiter::time_point;

/// Whether a password could be tried, which was wrong.
bool fails(login_limiter& limiter, std::string_view account, std::string_view address, time_point now) {
    auto attempt = limiter.begin(account, address, now);
    if (attempt.refused()) return false;
    attempt.failed(now);
    return true;
}

/// Fails as long as it may.
void use_up(login_limiter& limiter, std::string_view account, std::string_view address, time_point now) {
    int failures = 0;
    while (fails(limiter, account, address, now))
        ++failures;
    BOOST_TEST(failures == login_limiter::free_failures);
}

/// How long to wait before a password may be tried; nothing is tried.
std::optional<seconds> wait_of(login_limiter& limiter, std::string_view account, std::string_view address,
                               time_point now) {
    return limiter.begin(account, address, now).refused();
}

BOOST_AUTO_TEST_CASE(failures_are_free_at_first_and_then_held_off_ever_longer_up_to_a_minute) {
    login_limiter limiter;
    time_point now{};
    use_up(limiter, "a", "1", now);
    seconds last{0};
    for (int i = 0; i < 10; ++i) {
        const auto wait = wait_of(limiter, "a", "1", now);
        BOOST_REQUIRE(wait);
        BOOST_TEST((*wait >= last && *wait <= login_limiter::longest_wait));
        last = *wait;
        now += *wait;
        auto attempt = limiter.begin("a", "1", now);
        BOOST_TEST(!attempt.refused().has_value());               // never for ever
        BOOST_TEST(wait_of(limiter, "a", "1", now).has_value());  // and one at a time
        attempt.failed(now);
    }
    BOOST_TEST((last == login_limiter::longest_wait));
}

BOOST_AUTO_TEST_CASE(tries_under_way_count_so_that_many_at_once_are_no_way_around) {
    login_limiter limiter;
    const time_point now{};
    std::vector<login_limiter::attempt> under_way;
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        auto attempt = limiter.begin("a", "1", now);
        if (const auto wait = attempt.refused()) {
            BOOST_TEST((*wait == seconds(1)));
            ++refused;
        } else {
            under_way.push_back(std::move(attempt));
        }
    }
    BOOST_TEST(under_way.size() == static_cast<std::size_t>(login_limiter::free_failures));
    BOOST_TEST(refused == 100 - login_limiter::free_failures);
    BOOST_TEST(!wait_of(limiter, "a", "2", now).has_value());
    for (auto& attempt : under_way)
        attempt.failed(now);
    BOOST_TEST(wait_of(limiter, "a", "1", now).has_value());
    // Those that had failed before count with those under way.
    login_limiter other;
    for (int i = 0; i < login_limiter::free_failures - 1; ++i)
        BOOST_TEST(fails(other, "a", "1", now));
    const auto last = other.begin("a", "1", now);
    BOOST_TEST(!last.refused().has_value());
    BOOST_TEST(wait_of(other, "a", "1", now).has_value());
}

BOOST_AUTO_TEST_CASE(a_try_that_ended_without_a_password_looked_at_leaves_nothing) {
    login_limiter limiter;
    const time_point now{};
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(!wait_of(limiter, "a", "1", now).has_value());
    use_up(limiter, "a", "1", now);
}

BOOST_AUTO_TEST_CASE(others_are_not_held_off) {
    login_limiter limiter;
    const time_point now{};
    use_up(limiter, "a", "1", now);
    BOOST_TEST(wait_of(limiter, "a", "1", now).has_value());
    BOOST_TEST(!wait_of(limiter, "a", "2", now).has_value());
    BOOST_TEST(!wait_of(limiter, "b", "1", now).has_value());
}

BOOST_AUTO_TEST_CASE(a_success_or_a_quarter_of_an_hour_forgets) {
    login_limiter limiter;
    const time_point now{};
    for (int i = 0; i < login_limiter::free_failures - 1; ++i)
        BOOST_TEST(fails(limiter, "a", "1", now));
    limiter.begin("a", "1", now).succeeded();
    use_up(limiter, "a", "1", now);
    BOOST_TEST(!wait_of(limiter, "a", "1", now + minutes(16)).has_value());
    use_up(limiter, "a", "1", now + minutes(16));
}

BOOST_AUTO_TEST_CASE(right_logins_one_after_the_other_are_not_held_off) {
    login_limiter limiter;
    const time_point now{};
    for (int i = 0; i < 100; ++i) {
        auto attempt = limiter.begin("a", "1", now);
        BOOST_TEST(!attempt.refused().has_value());
        attempt.succeeded();
    }
}

BOOST_AUTO_TEST_CASE(a_network_that_tries_many_names_is_held_off_and_no_other) {
    login_limiter limiter;
    const time_point start{seconds(1'000'000)};
    int number = 0;
    const auto next_fails = [&](const std::string& address, time_point now) {
        return fails(limiter, "u" + std::to_string(++number), address, now);
    };
    for (int i = 0; i < login_limiter::network_failures; ++i)
        BOOST_TEST(next_fails("2001:db8:0:1::" + std::to_string(i + 1), start));
    BOOST_TEST(!next_fails("2001:db8:0:1:ffff::1", start));
    BOOST_TEST(wait_of(limiter, "known", "2001:db8:0:1::7", start).value() ==
               login_limiter::network_interval);
    BOOST_TEST(!wait_of(limiter, "known", "2001:db8:0:2::7", start).has_value());
    BOOST_TEST(!wait_of(limiter, "known", "192.0.2.1", start).has_value());
    // Then once per interval; a right password costs nothing.
    const auto later = start + login_limiter::network_interval;
    limiter.begin("known", "2001:db8:0:1::7", later).succeeded();
    BOOST_TEST(next_fails("2001:db8:0:1::8", later));
    BOOST_TEST(!next_fails("2001:db8:0:1::8", later));
}

BOOST_AUTO_TEST_CASE(the_addresses_of_one_client_are_one) {
    BOOST_TEST(network_of("192.0.2.1") == "192.0.2.1");
    BOOST_TEST(network_of("::ffff:192.0.2.1") == "192.0.2.1");
    BOOST_TEST(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    BOOST_TEST(network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::"));
    BOOST_TEST(network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1"));
    BOOST_TEST(network_of(std::string(100, 'x')) == std::string(64, 'x'));
}

BOOST_AUTO_TEST_CASE(memory_is_bounded) {
    login_limiter limiter(3);
    const time_point now{};
    use_up(limiter, "a", "1", now);
    for (const auto* other : {"b", "c", "d"})
        BOOST_TEST(fails(limiter, other, "1", now));
    BOOST_TEST(!wait_of(limiter, "a", "1", now).has_value());
    const std::string account(100'000, 'x');
    const std::string address(100'000, 'y');
    use_up(limiter, account, address, now);
    BOOST_TEST(wait_of(limiter, account, address, now).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(signing_keys)

BOOST_AUTO_TEST_CASE(a_configured_key_has_at_least_512_bits) {
    BOOST_TEST(decode_signing_key(std::string(86, 'A') + "==").has_value());
    const auto weak = decode_signing_key("thingsboardDefaultSigningKey");
    BOOST_REQUIRE(!weak);
    BOOST_TEST(weak.error().message.find("512 bits") != std::string::npos);
    BOOST_TEST(weak.error().message.find("not 168") != std::string::npos);
    BOOST_TEST(!decode_signing_key("").has_value());
    BOOST_TEST(!decode_signing_key("not base64!").has_value());
}

BOOST_AUTO_TEST_CASE(a_new_key_is_long_enough_and_like_no_other) {
    BOOST_TEST(random_signing_key().size() == min_signing_key_size);
    BOOST_TEST(random_signing_key() != random_signing_key());
}

BOOST_AUTO_TEST_CASE(the_key_file_of_an_earlier_version_is_read) {
    const folder here;
    const auto file = here.path / "signing.key";
    BOOST_TEST(read_signing_key(file).value().empty());
    std::ofstream(file) << std::string(86, 'A') << "==\n";
    ::chmod(file.c_str(), 0600);
    BOOST_TEST(read_signing_key(file).value() == std::string(64, '\0'));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_or_that_is_damaged_stops_the_start) {
    const folder here;
    const auto file = here.path / "signing.key";
    std::ofstream(file) << std::string(86, 'A') << "==\n";
    ::chmod(file.c_str(), 0640);
    const auto open_to_all = read_signing_key(file);
    BOOST_REQUIRE(!open_to_all);
    BOOST_TEST(open_to_all.error().message.find("chmod 600") != std::string::npos);
    ::chmod(file.c_str(), 0600);
    std::ofstream(file, std::ios::trunc) << "AAAA\n";
    const auto damaged = read_signing_key(file);
    BOOST_REQUIRE(!damaged);
    BOOST_TEST(damaged.error().message.find("damaged") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
