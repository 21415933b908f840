// SPDX-License-Identifier: Apache-2.0
// From a finished exchange to its line.
#include "app/access_log.hpp"

#include "auth/principal.hpp"
#include "boost_test.hpp"
#include "http/head_parser.hpp"
#include "scratch_folder.hpp"

#include <boost/json/parse.hpp>

#include <cstddef>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include "count_allocations.hpp"
#define GALLERY_ALLOCATIONS_ARE_COUNTED 1
#else
#define GALLERY_ALLOCATIONS_ARE_COUNTED 0
#endif

using namespace gallery;
using config::access_log_format;

namespace {

/// A request of which the answer has been sent.
class finished {
public:
    explicit finished(std::string head, bool from_proxy = false) : head_(std::move(head)) {
        const auto outcome = http::parse_head(head_, {}, message_->mutable_head());
        BOOST_TEST_REQUIRE((outcome.status == http::head_status::complete));
        message_->set_peer("192.0.2.7", false);
        message_->set_front(nullptr, from_proxy);
        message_->set_ids(ids_);
    }
    http::request& message() { return *message_; }
    [[nodiscard]] http::finished_exchange exchange() const {
        return {.message = *message_,
                .verb = message_->verb(),
                .target = message_->target(),
                .route = "image.download",
                .remote_address = message_->remote_address(),
                .status = 200,
                .bytes_in = 0,
                .bytes_out = 5321,
                .duration = std::chrono::microseconds(182),
                .hot = true,
                .may_be_hot = true,
                .complete = true};
    }

private:
    std::string head_;
    http::request_ids ids_;
    std::unique_ptr<http::request> message_ = std::make_unique<http::request>();
};

std::string request(std::string_view more = "") {
    return "GET /api/images/tenant/pump.svg HTTP/1.1\r\nHost: a\r\nX-Authorization: Bearer SECRET\r\n"
           "Referer: https://gallery.example/x?SECRET\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
           std::string(more) + "\r\n";
}

class file_log {
public:
    explicit file_log(access_log_format format)
        : log_(std::move(app::access_log::open({format, path()}, {}).value())) {}
    [[nodiscard]] app::access_log& get() const { return *log_; }
    [[nodiscard]] std::string path() const { return (folder_.path() / "access.log").string(); }
    [[nodiscard]] std::string text() const {
        BOOST_TEST_REQUIRE(log_->flush(std::chrono::seconds(60)));
        std::ostringstream out;
        out << std::ifstream(path()).rdbuf();
        return out.str();
    }

private:
    test::scratch_folder folder_;
    std::unique_ptr<app::access_log> log_;
};

boost::json::object line_of(const http::finished_exchange& e) {
    const file_log log(access_log_format::json);
    log.get().observe(e);
    return boost::json::parse(log.text()).as_object();
}

std::shared_ptr<auth::principal> somebody() {
    auto who = std::make_shared<auth::principal>();
    who->user.value = parse_uuid("00112233-4455-6677-8899-aabbccddeeff").value();
    who->tenant.value = parse_uuid("784f394c-42b6-435a-983c-b7beff2784f9").value();
    who->email = "somebody@example.com";
    return who;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(access_logs)

BOOST_AUTO_TEST_CASE(a_line_names_the_sender_by_ids_and_nothing_secret) {
    finished done(request());
    const auto who = somebody();
    done.message().attachment() = std::shared_ptr<const auth::principal>(who);
    for (const auto format : {access_log_format::combined, access_log_format::json}) {
        const file_log log(format);
        log.get().observe(done.exchange());
        const auto text = log.text();
        BOOST_TEST(text.find("00112233-4455-6677-8899-aabbccddeeff") != text.npos, text);
        BOOST_TEST(text.find("784f394c-42b6-435a-983c-b7beff2784f9") != text.npos, text);
        BOOST_TEST(text.find("Mozilla/5.0 (X11; Linux x86_64)") != text.npos, text);
        BOOST_TEST(text.find("SECRET") == text.npos, text);
        BOOST_TEST(text.find("somebody") == text.npos, text);
        BOOST_TEST(text.find(done.message().request_id()) != text.npos, text);
    }
    auto line = line_of(done.exchange());
    BOOST_TEST(!line.contains("apiKey"));
    who->api_key = api_key_id{parse_uuid("0a1b2c3d-0000-4000-8000-00000000000f").value()};
    line = line_of(done.exchange());
    BOOST_TEST(line.at("apiKey").as_string() == "0a1b2c3d-0000-4000-8000-00000000000f");
}

BOOST_AUTO_TEST_CASE(the_outcome_of_the_cache_follows_from_who_answered) {
    const finished done(request());
    const auto outcome = [&done](bool hot, bool may_be_hot, unsigned status) {
        auto e = done.exchange();
        e.hot = hot;
        e.may_be_hot = may_be_hot;
        e.status = status;
        const auto line = line_of(e);
        const auto* const cache = line.if_contains("cache");
        return cache == nullptr ? std::string("none") : std::string(cache->as_string());
    };
    BOOST_TEST(outcome(true, true, 200) == "hit");
    BOOST_TEST(outcome(true, true, 206) == "hit");
    BOOST_TEST(outcome(true, true, 304) == "revalidated");
    BOOST_TEST(outcome(false, true, 200) == "miss");
    BOOST_TEST(outcome(false, true, 304) == "miss");
    BOOST_TEST(outcome(false, false, 200) == "none");
    BOOST_TEST(outcome(true, true, 404) == "none");
    BOOST_TEST(outcome(false, true, 500) == "none");
}

BOOST_AUTO_TEST_CASE(ids_come_from_trusted_proxies_only) {
    const auto parent =
        std::string("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
    const auto id = std::string("X-Request-ID: proxy-1\r\n");
    auto line = line_of(finished(request(parent + id), true).exchange());
    BOOST_TEST(line.at("id").as_string() == "proxy-1");
    BOOST_TEST(line.at("trace").as_string() == "0af7651916cd43dd8448eb211c80319c");
    line = line_of(finished(request(parent), true).exchange());
    BOOST_TEST(line.at("id").as_string() == "0af7651916cd43dd8448eb211c80319c");
    line = line_of(finished(request(parent + id), false).exchange());
    BOOST_TEST(line.at("id").as_string().size() == 16U);
    BOOST_TEST(!line.contains("trace"));
}

#if GALLERY_ALLOCATIONS_ARE_COUNTED

BOOST_AUTO_TEST_CASE(a_line_costs_no_allocation) {
    finished done(request());
    done.message().attachment() = std::shared_ptr<const auth::principal>(somebody());
    for (const auto format : {access_log_format::combined, access_log_format::json}) {
        const file_log log(format);
        log.get().observe(done.exchange());  // makes this thread's buffer
        BOOST_TEST_REQUIRE(log.get().flush(std::chrono::seconds(60)));
        test::allocations = 0;
        test::counting = true;
        for (int i = 0; i < 5000; ++i)
            log.get().observe(done.exchange());
        test::counting = false;
        BOOST_TEST(test::allocations == 0U);
        BOOST_TEST(log.get().read().written == 5001U);
    }
}

#endif

BOOST_AUTO_TEST_SUITE_END()
