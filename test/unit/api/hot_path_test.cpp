// SPDX-License-Identifier: Apache-2.0
// What a repeated request costs in memory, over the whole path: session, router, authenticator with its
// accounts, etag cache, image service, storage plugin, response. Every allocator of the process is counted.
#define BOOST_TEST_MODULE api
#include "accounts/house.hpp"
#include "accounts/profile_data.hpp"
#include "api/image_bytes.hpp"
#include "auth/client_limit.hpp"
#include "boost_test.hpp"
#include "http/forwarded.hpp"
#include "http/server.hpp"
#include "images/gallery_fixture.hpp"
#include "plugins/measured_engine.hpp"

#include <boost/asio/thread_pool.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include "count_allocations.hpp"

namespace gallery::test {

// The server with real accounts and the reference store. Members in the order in which they need each other.
struct whole_path {
    explicit whole_path(std::size_t etag_bytes) : etags(etag_bytes, std::chrono::minutes(10)) {
        const auto owner = accounts.add_tenant();
        accounts.add_user("designer@example.com", owner->id);
        token = accounts.log_in("designer@example.com").value().token;
        images::new_image image;
        image.file = gallery_fixture::file("a picture with a long name, as they have.png", content);
        record = await(gallery.upload(gallery::test::may_write(owner->id), std::move(image))).value();

        auto routes = std::make_shared<http::router>();
        api::add_endpoints(*routes, api::image_bytes_endpoints(), bytes, {});
        http::server_options options;
        options.address = "127.0.0.1";
        options.io_threads = 1;
        options.observe = [](const http::finished_exchange&) {};
        server = std::move(http::server::create(std::move(options)).value());
        if (!server->listen(std::move(routes))) throw std::runtime_error("cannot listen");
    }

    /// Of the tenant and, 1,000,000 in an hour, of the client's address, which is not exempt here.
    void limit_requests(const std::string& of_tenant = "1000000:3600") {
        accounts::tenant_profile profile;
        profile.name = "limited";
        accounts::set_data(
            profile, R"({"configuration":{"tenantServerRestLimitsConfiguration":")" + of_tenant + "\"}}")
            .value();
        const auto stored = run(accounts.accounts.create(std::move(profile))).value();
        auto give = [id = stored->id](accounts::tenant& value) -> result<void> {
            value.profile = id;
            return {};
        };
        run(accounts.accounts.change_tenant(record->tenant, give)).value();
        auto routes = std::make_shared<http::router>();
        api::add_endpoints(*routes, api::image_bytes_endpoints(), bytes, {});
        http::server_options options;
        options.admit = [this](const http::request& message) -> result<void> {
            const auto address = auth::parse_address(message.remote_address());
            if (http::is_forwarded(message)) return error{errc::internal, ""};  // asked as the server asks
            const auto now = auth::client_limit::clock::now();
            if (!clients.take(auth::network_key_of(address.value()), now)) return {};
            return error{errc::too_many_requests, ""};
        };
        server->apply(options, std::move(routes));
    }

    const std::string content = "PICTURE " + std::string(5000, 'x');
    auth::client_limit clients{{{1'000'000, 3'600}}};
    house accounts;
    plugins::measured_engine engine{open_memory_engine(), "memory"};  // as the server has it
    image_store* store = &engine.images();
    cache::etag_cache etags;
    images::image_service gallery{*store, etags, inspect_by_prefix};
    asio::thread_pool background{1};
    images::coded_bodies coded{background, 1 << 20};
    images::byte_budget memory{1 << 20, std::chrono::seconds(1)};
    api::image_bytes_services bytes{gallery,
                                    etags,
                                    coded,
                                    memory,
                                    [this](std::string_view credentials) {
                                        return accounts.gate.authenticate(credentials, accounts.time());
                                    },
                                    api::image_answers({})};
    std::string token;
    record_ptr record;
    std::unique_ptr<http::server> server;
};

// Repeats a request over one connection.
class repeater {
public:
    explicit repeater(std::uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval limit{10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("cannot connect");
    }
    repeater(const repeater&) = delete;
    repeater& operator=(const repeater&) = delete;
    ~repeater() { ::close(socket_); }

    // Allocates nothing. The answer's head and body; empty where there is none.
    std::string_view round(std::string_view request) noexcept {
        if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
        std::size_t have = 0;
        for (;;) {
            const auto got = ::recv(socket_, buffer_.data() + have, buffer_.size() - have, 0);
            if (got <= 0) return {};
            have += static_cast<std::size_t>(got);
            const std::string_view all(buffer_.data(), have);
            const auto end = all.find("\r\n\r\n");
            if (end == all.npos) continue;
            std::size_t size = 0;
            constexpr std::string_view name = "Content-Length: ";
            if (const auto at = all.find(name); at < end)
                std::from_chars(all.data() + at + name.size(), all.data() + end, size);
            if (have >= end + 4 + size) return all;
        }
    }

private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::array<char, 65536> buffer_;
};

struct outcome {
    std::size_t allocations = 0;
    std::size_t wrong = 0;  // answers with another status
};

outcome repeat(repeater& client, std::string_view request, std::string_view status) {
    const auto is_right = [&] { return client.round(request).substr(9, 3) == status; };
    outcome found;
    for (int i = 0; i < 50; ++i)
        found.wrong += is_right() ? 0 : 1;
    allocations = 0;
    counting = true;
    for (int i = 0; i < 1000; ++i)
        found.wrong += is_right() ? 0 : 1;
    counting = false;
    found.allocations = allocations;
    return found;
}

std::string request_of(const whole_path& house, const std::string& more = "", bool by_link = false) {
    const auto path =
        by_link ? "/api/images/public/" + house.record->public_key
                : "/api/images/tenant/a%20picture%20with%20a%20long%20name%2C%20as%20they%20have.png";
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" +
           (by_link ? "" : "X-Authorization: Bearer " + house.token + "\r\n") +
           "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: image/avif,image/webp,*/*;q=0.8\r\n" +
           more + "\r\n";
}

std::string condition(const whole_path& house) {
    return "If-None-Match: \"" + to_hex(house.record->original.etag) + "\"\r\n";
}

// A tick of the server's clock may fall in between, and Asio's timer allocates.
constexpr std::size_t ticks = 4;

BOOST_AUTO_TEST_SUITE(hot_path)

BOOST_AUTO_TEST_CASE(the_allocator_is_counted) {
    allocations = 0;
    counting = true;
    const std::string text(std::size_t{1000}, 'x');
    counting = false;
    BOOST_TEST(text.size() == 1000U);
    BOOST_TEST(allocations > 0U);
}

BOOST_AUTO_TEST_CASE(a_304_from_the_etag_cache_allocates_nothing) {
    whole_path house(1 << 20);
    repeater client(house.server->port());
    for (const bool by_link : {false, true}) {
        const auto before = house.etags.counters().hits;
        const auto found = repeat(client, request_of(house, condition(house), by_link), "304");
        BOOST_TEST(found.wrong == 0U);
        BOOST_TEST(found.allocations <= ticks);
        BOOST_TEST(house.etags.counters().hits - before >= 1000U);
    }
}

BOOST_AUTO_TEST_CASE(without_the_etag_cache_a_304_allocates_nothing_either) {
    whole_path house(0);
    repeater client(house.server->port());
    for (const bool by_link : {false, true}) {
        const auto found = repeat(client, request_of(house, condition(house), by_link), "304");
        BOOST_TEST(found.wrong == 0U);
        BOOST_TEST(found.allocations <= ticks);
    }
}

BOOST_AUTO_TEST_CASE(bytes_in_memory_are_sent_without_an_allocation) {
    whole_path house(1 << 20);
    repeater client(house.server->port());
    for (const bool by_link : {false, true}) {
        const auto request = request_of(house, "", by_link);
        const auto found = repeat(client, request, "200");
        BOOST_TEST(found.wrong == 0U);
        BOOST_TEST(found.allocations <= ticks);
        BOOST_TEST(client.round(request).ends_with("\r\n\r\n" + house.content));
    }
}

BOOST_AUTO_TEST_CASE(limits_of_requests_allocate_nothing) {
    whole_path house(1 << 20);
    house.limit_requests();
    repeater client(house.server->port());
    for (const bool by_link : {false, true}) {
        const auto unchanged = repeat(client, request_of(house, condition(house), by_link), "304");
        BOOST_TEST(unchanged.wrong == 0U);
        BOOST_TEST(unchanged.allocations <= ticks);
        const auto found = repeat(client, request_of(house, "", by_link), "200");
        BOOST_TEST(found.wrong == 0U);
        BOOST_TEST(found.allocations <= ticks);
    }
    // So that it is known that the limits were asked.
    const auto who = house.accounts.who(house.token).value();
    BOOST_TEST((who->tenant_requests != nullptr));
}

BOOST_AUTO_TEST_CASE(a_limit_refuses_before_the_caches_answer) {
    whole_path house(1 << 20);
    repeater client(house.server->port());
    const auto request = request_of(house, condition(house));
    BOOST_TEST(client.round(request).substr(9, 3) == "304");
    house.limit_requests("1:1000000");
    BOOST_TEST(client.round(request).substr(9, 3) == "304");
    const auto refused = client.round(request);
    BOOST_TEST(refused.substr(9, 3) == "429");
    BOOST_TEST(refused.find("Retry-After: ") != refused.npos);
    BOOST_TEST(refused.find("Too many requests for current tenant!") != refused.npos);
}

BOOST_AUTO_TEST_CASE(after_a_switch_of_the_store_nothing_is_allocated_either) {
    whole_path house(0);
    // As a mirror: the same image, with another revision.
    auto next = std::make_shared<plugins::measured_engine>(open_memory_engine(), "memory");
    const auto content = await(house.store->read(house.record, representation::original)).value();
    const auto preview = await(house.store->read(house.record, representation::preview)).value();
    for (int i = 0; i < 3; ++i)
        await(next->images().save(*house.record, content, preview, precondition::any())).value();
    const auto before = house.engine.exchange(std::move(next));
    repeater client(house.server->port());
    for (const bool by_link : {false, true}) {
        const auto unchanged = repeat(client, request_of(house, condition(house), by_link), "304");
        BOOST_TEST(unchanged.wrong == 0U);
        BOOST_TEST(unchanged.allocations <= ticks);
        const auto request = request_of(house, "", by_link);
        const auto found = repeat(client, request, "200");
        BOOST_TEST(found.wrong == 0U);
        BOOST_TEST(found.allocations <= ticks);
        BOOST_TEST(client.round(request).ends_with("\r\n\r\n" + house.content));
    }
}

BOOST_AUTO_TEST_CASE(a_revoked_token_is_refused_with_the_next_request_of_the_same_connection) {
    whole_path house(1 << 20);
    repeater client(house.server->port());
    const auto request = request_of(house, condition(house));
    BOOST_TEST(client.round(request).substr(9, 3) == "304");
    auto disable = [](accounts::user& account) -> result<void> {
        account.enabled = false;
        return {};
    };
    const auto account = house.accounts.accounts.find_user_by_email("designer@example.com");
    BOOST_TEST_REQUIRE(run(house.accounts.accounts.change_user(account->id, disable)).has_value());
    BOOST_TEST(client.round(request).substr(9, 3) == "401");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::test

#else
BOOST_AUTO_TEST_CASE(sanitizers_have_allocators_of_their_own) {}
#endif
