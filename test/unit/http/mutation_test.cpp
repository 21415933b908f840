// SPDX-License-Identifier: Apache-2.0
// Deterministic mutations of real inputs through every parser: nothing crashes, reads beyond its input or
// breaks an invariant. The fuzz entry points in test/fuzz share the checks.
#include "boost_test.hpp"

#include "../../fuzz/http_targets.hpp"

#include <random>
#include <string>
#include <vector>

namespace gallery::http::test {

namespace {

const std::vector<std::string> seeds = {
    "GET /api/images/tenant/a%20b?x=1 HTTP/1.1\r\nHost: gallery.local:8080\r\nX-Authorization: Bearer abc\r\n"
    "If-None-Match: \"a\", W/\"b,c\"\r\nRange: bytes=0-499\r\nIf-Range: \"a\"\r\nAccept-Encoding: "
    "gzip;q=0.5, br\r\n\r\n",
    "POST http://a:80/x HTTP/1.0\r\nContent-Length: 12\r\nConnection: keep-alive, close\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: [::1]:1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    "5;x=\"y\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "5\r\nhello\r\n1\r\n \r\n0\r\n\r\n",
    "3 ; a;b=c\t;\td = \"e\\\"\t\xE9;=\" ;f\r\nabc\r\n00;g=h\r\nA: \xFF\r\nB:\r\n\r\nGET",
    "1;x=\"\\\r\"\r\na\r\n0\r\nContent-Length: 3\r\n\r\n",
    "--BOUND\r\nContent-Disposition: form-data; name=\"file\"; filename=\"k\xC3\xA4se.png\"; "
    "filename*=UTF-8''a%20b\r\n"
    "Content-Type: image/png\r\n\r\nbytes\r\n--BOUN\r\n--BOUND\r\nContent-Disposition: form-data; "
    "name=title\r\n\r\nT"
    "\r\n--BOUND--\r\n",
    "\"a\", W/\"b\", *, c , \"d,e\"",
    "bytes=0-1,-5, 7-",
    "gzip;q=1.000, br;q=0.5, *;q=0, identity",
    "form-data; name=\"a\\\"b\"; filename=\"%22%0D\"; filename*=utf-8'en'%E2%82%AC",
    "multipart/form-data; charset=\"x\\\"y\"; boundary=----WebKitFormBoundaryABC",
    "pageSize=30&page=0&textSearch=%25a+b&force",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
};

std::string mutate(std::string text, std::mt19937& random) {
    static constexpr std::string_view interesting =
        "\r\n\0\t \"\\%,;=:/-*?&#\x7F\xC3\xFF"
        "0aA9";
    const auto rounds = 1 + random() % 6;
    for (unsigned i = 0; i < rounds; ++i) {
        const auto at = text.empty() ? 0 : random() % text.size();
        const char c =
            random() % 2 == 0 ? interesting[random() % interesting.size()] : static_cast<char>(random());
        switch (random() % 6) {
            case 0:
                if (!text.empty()) text[at] = c;
                break;
            case 1:
                text.insert(at, 1, c);
                break;
            case 2:
                if (!text.empty()) text.erase(at, 1 + random() % 8);
                break;
            case 3:
                text.insert(at, text.substr(random() % (text.size() + 1), random() % 40));
                break;
            case 4:
                text.resize(at);
                break;
            default: {
                const auto& other = seeds[random() % seeds.size()];
                text.insert(at, other.substr(random() % other.size(), random() % 30));
            }
        }
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mutations)

BOOST_AUTO_TEST_CASE(no_mutation_breaks_a_parser) {
    std::mt19937 random(20);
    for (const auto& seed : seeds)
        fuzz::all(seed);
    int changed = 0;
    for (int i = 0; i < 40'000; ++i) {
        const auto& seed = seeds[random() % seeds.size()];
        const auto text = mutate(seed, random);
        if (text != seed) ++changed;
        fuzz::all(text);
    }
    // Beside what the targets hold themselves, by ending the process: they were given what no seed is.
    BOOST_TEST(changed > 30'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
