// SPDX-License-Identifier: Apache-2.0
#include "boost_test.hpp"
#include "support.hpp"

#include "http/static_files.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gallery::http::test {

namespace {

struct site {
    std::filesystem::path folder;
    site() {
        char name[] = "/tmp/gallery-site-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name));
        folder = name;
        std::filesystem::create_directories(folder / "assets");
        write("index.html", "<!doctype html><title>Gallery</title>" + std::string(1000, ' '));
        write("main-5Q7ZK3XD.js", "console.log('x');" + std::string(2000, ';'));
        write("assets/logo.png", "\x89PNG");
    }
    ~site() { std::filesystem::remove_all(folder); }
    void write(const std::string& name, const std::string& content) const {
        std::ofstream(folder / name, std::ios::binary) << content;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(static_content)

BOOST_FIXTURE_TEST_CASE(an_application_is_served_with_its_rules, site) {
    auto files = static_files::load(folder);
    BOOST_REQUIRE(files);
    BOOST_TEST((*files)->count() == 3U);
    running_server server([&](router& routes) {
        routes.set_fallback(static_files::as_fallback(*files));
        routes.add(method::get, "/api/images", always([](request&) { return response::text(200, "api"); }));
    });
    client c(server.port());

    auto got = c.ask(get("/"));
    BOOST_TEST(got.status == 200U);
    BOOST_TEST(got.body.substr(0, 15) == "<!doctype html>");
    BOOST_TEST(got.header("Content-Type") == "text/html; charset=utf-8");
    BOOST_TEST(got.header("Cache-Control") == "no-cache");
    BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(got.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(got.header("Content-Security-Policy").find("script-src 'self'") != std::string::npos);
    BOOST_TEST(got.header("Vary") == "Accept-Encoding");
    const auto etag = got.header("ETag");

    got = c.ask(get("/index.html", "If-None-Match: " + etag + "\r\n"));
    BOOST_TEST(got.status == 304U);

    got = c.ask(get("/main-5Q7ZK3XD.js", "Accept-Encoding: gzip, br\r\n"));
    BOOST_TEST(got.header("Content-Encoding") == "br");
    BOOST_TEST(got.header("Cache-Control") == "public, max-age=31536000, immutable");
    BOOST_TEST(got.body.size() < 200U);
    const auto br_etag = got.header("ETag");
    got = c.ask(get("/main-5Q7ZK3XD.js", "Accept-Encoding: gzip\r\n"));
    BOOST_TEST(got.header("Content-Encoding") == "gzip");
    BOOST_TEST(got.header("ETag") != br_etag);
    got = c.ask(get("/main-5Q7ZK3XD.js", "Accept-Encoding: gzip\r\nIf-None-Match: " + br_etag + "\r\n"));
    BOOST_TEST(got.status == 200U);

    got = c.ask(get("/assets/logo.png"));
    BOOST_TEST(got.header("Content-Type") == "image/png");
    BOOST_TEST(got.count("Vary") == 0U);

    // Links into the application, but neither files nor the API nor programs.
    got = c.ask(get("/images/tenant/logo", "Accept: text/html,*/*\r\n"));
    BOOST_TEST(got.status == 200U);
    BOOST_TEST(got.header("ETag") == etag);
    BOOST_TEST(c.ask(get("/images/tenant/logo", "Accept: application/json\r\n")).status == 404U);
    BOOST_TEST(c.ask(get("/missing.js", "Accept: text/html\r\n")).status == 404U);
    BOOST_TEST(c.ask(get("/api/nothing", "Accept: text/html\r\n")).status == 404U);
    BOOST_TEST(c.ask(get("/api", "Accept: text/html\r\n")).status == 404U);
    BOOST_TEST(c.ask(get("/api/images", "Accept: text/html\r\n")).body == "api");
    BOOST_TEST(c.ask(get("/../../etc/passwd")).status == 404U);
    BOOST_TEST(c.ask(get("/assets/%2e%2e/index.html")).status == 404U);
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = c.receive(true);
    BOOST_REQUIRE(head);
    BOOST_TEST(head->header("Content-Length") == "1037");

    // A known path says which methods it has; an escaped one is the same path.
    got = c.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    BOOST_TEST(got.status == 405U);
    BOOST_TEST(got.header("Allow") == "GET, HEAD, OPTIONS");
    got = c.ask("OPTIONS /index.html HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(got.status == 204U);
    BOOST_TEST(got.header("Allow") == "GET, HEAD, OPTIONS");
    BOOST_TEST(c.ask("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status == 404U);
    BOOST_TEST(c.ask(get("/%69ndex.html")).header("ETag") == etag);
    BOOST_TEST(c.ask(get("/%61pi/nothing", "Accept: text/html\r\n")).status == 404U);
    BOOST_TEST(c.ask(get("/images/%zz", "Accept: text/html\r\n")).status == 404U);
}

BOOST_FIXTURE_TEST_CASE(what_the_build_has_compressed_is_sent_as_it_is_unless_it_is_older, site) {
    using std::filesystem::last_write_time;
    for (const std::string name : {"index.html.br", "index.html.gz", "main-5Q7ZK3XD.js.br", "alone.gz"})
        write(name, "of " + name);
    const auto changed = last_write_time(folder / "main-5Q7ZK3XD.js");
    last_write_time(folder / "index.html.br", last_write_time(folder / "index.html"));
    last_write_time(folder / "main-5Q7ZK3XD.js.br", changed - std::chrono::seconds(1));
    auto files = static_files::load(folder);
    BOOST_REQUIRE(files);
    BOOST_TEST((*files)->count() == 4U);
    running_server server([&](router& routes) { routes.set_fallback(static_files::as_fallback(*files)); });
    client c(server.port());
    const auto body_of = [&](const std::string& path, const std::string& coding) {
        const auto got = c.ask(get(path, "Accept-Encoding: " + coding + "\r\n"));
        BOOST_TEST(got.header("Content-Encoding") == coding);
        return got.body;
    };
    BOOST_TEST(body_of("/", "br") == "of index.html.br");
    BOOST_TEST(body_of("/index.html", "gzip") == "of index.html.gz");
    BOOST_TEST(body_of("/main-5Q7ZK3XD.js", "br") != "of main-5Q7ZK3XD.js.br");
    BOOST_TEST(c.ask(get("/main-5Q7ZK3XD.js")).body.substr(0, 17) == "console.log('x');");
    BOOST_TEST(c.ask(get("/index.html.br")).status == 404U);
    BOOST_TEST(c.ask(get("/alone.gz")).body == "of alone.gz");
}

BOOST_FIXTURE_TEST_CASE(the_page_names_the_path_below_which_the_client_sees_it, site) {
    write("index.html", "<!doctype html><head><base href=\"/\"/><title>x</title></head><a href=\"/\">" +
                            std::string(1000, 'x'));
    auto files = static_files::load(folder);
    BOOST_REQUIRE(files);
    const auto routes = [&](router& all) { all.set_fallback(static_files::as_fallback(*files)); };
    const auto base_of = [](const reply& got) {
        const auto at = got.body.find("<base href=\"");
        return got.body.substr(at, got.body.find('>', at) + 1 - at);
    };
    running_server plain(routes);
    client c(plain.port());
    const auto at_root = c.ask(get("/", "X-Forwarded-Prefix: /evil\r\n"));
    BOOST_TEST(base_of(at_root) == "<base href=\"/\"/>");

    running_server below(routes, [](server_options& options) {
        options.front.trusted = [](const boost::asio::ip::address& peer) { return peer.is_loopback(); };
        options.front.base_path = "/gallery";
    });
    client d(below.port());
    for (const char* path : {"/", "/index.html", "/images/x", "/gallery", "/gallery/", "/gallery/images/x"}) {
        const auto got = d.ask(get(path, "Accept: text/html\r\nAccept-Encoding: gzip, br\r\n"));
        BOOST_TEST(got.status == 200U, path);
        BOOST_TEST(base_of(got) == "<base href=\"/gallery/\"/>", path);
        BOOST_TEST(got.body.find("<a href=\"/\">") != std::string::npos, path);
        BOOST_TEST(got.header("ETag") != at_root.header("ETag"));
        BOOST_TEST(got.header("Content-Security-Policy").find("script-src 'self'") != std::string::npos);
        BOOST_TEST(
            d.ask(get(path, "Accept: text/html\r\nIf-None-Match: " + got.header("ETag") + "\r\n")).status ==
            304U);
    }
    BOOST_TEST(base_of(d.ask(get("/", "X-Forwarded-Prefix: /other\r\n"))) == "<base href=\"/other/\"/>");
    BOOST_TEST(d.ask(get("/gallery/assets/logo.png")).status == 200U);
    BOOST_TEST(d.ask(get("/gallery/missing.js", "Accept: text/html\r\n")).status == 404U);
}

BOOST_FIXTURE_TEST_CASE(a_folder_without_an_application_is_refused, site) {
    std::filesystem::remove(folder / "index.html");
    auto files = static_files::load(folder);
    BOOST_REQUIRE(!files);
    BOOST_TEST(files.error().message.find("index.html") != std::string::npos);
    files = static_files::load(folder / "nowhere");
    BOOST_REQUIRE(!files);
    BOOST_TEST((files.error().code == errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
