// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "coding"
#include "coding/compress.hpp"

#include "boost_test.hpp"

#include <zlib.h>

#include <random>
#include <string>

using namespace gallery;

namespace {

std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += "<path d=\"M" + std::to_string(text.size()) + " 0h10v10h-10z\"/>\n";
    text.resize(size);
    return text;
}

std::string gunzip(const std::string& data, std::size_t size) {
    std::string out(size + 1, '\0');
    z_stream stream{};
    BOOST_TEST_REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    BOOST_TEST(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::inflateEnd(&stream);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compression)

BOOST_AUTO_TEST_CASE(what_is_compressed_is_smaller_and_comes_back) {
    for (const std::size_t size : {200U, 5'000U, 300'000U}) {
        const auto text = text_of(size);
        for (const auto how : {effort::on_request, effort::once}) {
            const auto zipped = compress(text, content_coding::gzip, how);
            BOOST_TEST_REQUIRE(zipped.has_value());
            BOOST_TEST(zipped->size() < text.size());
            BOOST_TEST((gunzip(*zipped, size) == text));
            BOOST_TEST((compress(text, content_coding::gzip, how) == zipped),
                       "an ETag is the same each time");
            const auto brotli = compress(text, content_coding::brotli, how);
            BOOST_TEST_REQUIRE(brotli.has_value());
            BOOST_TEST(brotli->size() < text.size());
            BOOST_TEST((compress(text, content_coding::brotli, how) == brotli));
            BOOST_TEST((*brotli != *zipped));
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_that_does_not_become_smaller) {
    std::mt19937 random(3);
    std::string noise(10'000, '\0');
    for (auto& c : noise)
        c = static_cast<char>(random());
    for (const auto coding : {content_coding::gzip, content_coding::brotli}) {
        BOOST_TEST(!compress(noise, coding, effort::once).has_value());
        BOOST_TEST(!compress("", coding, effort::once).has_value());
        BOOST_TEST(!compress("a", coding, effort::on_request).has_value());
    }
    BOOST_TEST(!compress(text_of(5'000), content_coding::identity, effort::once).has_value());
}

BOOST_AUTO_TEST_CASE(each_coding_has_the_name_of_http) {
    BOOST_TEST(content_codings.name_of(content_coding::gzip) == "gzip");
    BOOST_TEST(content_codings.name_of(content_coding::brotli) == "br");
    BOOST_TEST(content_codings.name_of(content_coding::identity).empty());
    BOOST_TEST(!content_codings.find("identity").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
