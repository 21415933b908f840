// SPDX-License-Identifier: Apache-2.0
// Archives as libzip reads them, with its strictest check, and what they look like beyond 4 GiB.
#include "coding/zip_writer.hpp"

#include "boost_test.hpp"

#include <zip.h>

#include <cstdint>
#include <string>
#include <string_view>

using namespace gallery;

namespace {

struct archive {
    zip_writer writer;
    std::string text;

    void add(std::string_view name, std::string_view content, std::int64_t time_ms = 0) {
        text += writer.begin({name, content.size(), zip_crc(0, content), time_ms});
        text += content;
    }
};

struct opened_archive {
    explicit opened_archive(const std::string& text) {
        zip_error_t failed;
        zip_error_init(&failed);
        auto* const source = zip_source_buffer_create(text.data(), text.size(), 0, &failed);
        BOOST_TEST_REQUIRE(source != nullptr);
        all = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &failed);
        BOOST_TEST_REQUIRE(all != nullptr, zip_error_strerror(&failed));
        zip_error_fini(&failed);
    }
    opened_archive(const opened_archive&) = delete;
    opened_archive& operator=(const opened_archive&) = delete;
    ~opened_archive() { zip_discard(all); }

    [[nodiscard]] std::string content(std::string_view name) const {
        zip_stat_t about;
        BOOST_TEST_REQUIRE(zip_stat(all, std::string(name).c_str(), ZIP_FL_ENC_UTF_8, &about) == 0);
        auto* const file = zip_fopen_index(all, about.index, 0);
        BOOST_TEST_REQUIRE(file != nullptr);
        // One byte more, so that the checksum is compared.
        std::string out(about.size + 1, '\0');
        BOOST_TEST(zip_fread(file, out.data(), out.size()) == static_cast<zip_int64_t>(about.size));
        zip_fclose(file);
        out.pop_back();
        return out;
    }

    zip_t* all = nullptr;
};

std::uint64_t number_at(const std::string& text, std::size_t at, unsigned bytes) {
    std::uint64_t out = 0;
    for (unsigned i = bytes; i-- > 0;)
        out = out << 8U | static_cast<unsigned char>(text.at(at + i));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zip_archives)

BOOST_AUTO_TEST_CASE(the_checksum_is_the_usual_one_in_any_number_of_parts) {
    const std::string_view text = "123456789";
    BOOST_TEST(zip_crc(0, text) == 0xCBF43926U);
    BOOST_TEST(zip_crc(zip_crc(0, text.substr(0, 4)), text.substr(4)) == 0xCBF43926U);
}

BOOST_AUTO_TEST_CASE(another_program_reads_what_was_written) {
    archive made;
    made.add("pump.svg", "<svg/>", 1'700'000'000'000);
    made.add("Ölpumpe №1.png", std::string(100'000, '\x7f'));
    made.add("empty", "");
    made.text += made.writer.finish();
    const opened_archive read(made.text);
    BOOST_TEST(zip_get_num_entries(read.all, 0) == 3);
    BOOST_TEST(read.content("pump.svg") == "<svg/>");
    BOOST_TEST(read.content("Ölpumpe №1.png") == std::string(100'000, '\x7f'));
    BOOST_TEST(read.content("empty").empty());
    // 2023-11-14 22:13:20, behind signature, version, flags and method.
    BOOST_TEST(number_at(made.text, 10, 2) == (22U << 11U | 13U << 5U | 20U / 2U));
    BOOST_TEST(number_at(made.text, 12, 2) == ((2023U - 1980U) << 9U | 11U << 5U | 14U));
}

BOOST_AUTO_TEST_CASE(times_that_zip_cannot_state_are_the_nearest_ones) {
    for (const std::int64_t before : {std::int64_t{-1}, std::int64_t{0}, INT64_MIN}) {
        archive made;
        made.add("x", "", before);
        BOOST_TEST(number_at(made.text, 10, 4) == (1U << 5U | 1U) << 16U);
    }
    archive made;
    made.add("x", "", INT64_MAX);
    BOOST_TEST(number_at(made.text, 12, 2) == (127U << 9U | 12U << 5U | 31U));
}

BOOST_AUTO_TEST_CASE(an_archive_may_have_more_entries_than_16_bits_can_count) {
    // 65,535 is the first number that the old field cannot state.
    for (const unsigned count : {65'534U, 65'535U, 70'000U}) {
        archive made;
        for (unsigned i = 0; i < count; ++i)
            made.add(std::to_string(i), "x");
        made.text += made.writer.finish();
        BOOST_TEST((made.text.find("PK\x06\x06") != std::string::npos) == (count > 65'534));
        const opened_archive read(made.text);
        BOOST_TEST(zip_get_num_entries(read.all, 0) == count);
        BOOST_TEST(read.content(std::to_string(count - 1)) == "x");
    }
}

BOOST_AUTO_TEST_CASE(positions_and_sizes_from_4_gib_on_are_written_as_zip64) {
    constexpr std::uint64_t large = 5ULL << 30U;
    zip_writer writer;
    const auto first = writer.begin({"a", large, 1, 0});
    // Both sizes are in a field behind the name.
    BOOST_TEST(first.size() == 30U + 1U + 20U);
    BOOST_TEST(number_at(first, 18, 4) == 0xFFFFFFFFU);
    BOOST_TEST(number_at(first, 31, 2) == 1U);
    BOOST_TEST(number_at(first, 35, 8) == large);
    BOOST_TEST(number_at(first, 43, 8) == large);
    const auto second = writer.begin({"b", 3, 1, 0});
    BOOST_TEST(second.size() == 30U + 1U);
    const auto end = writer.finish();
    // The directory: "a" with both sizes, "b" with its position.
    const auto of_second = 46U + 1U + 20U;
    BOOST_TEST(number_at(end, of_second + 42, 4) == 0xFFFFFFFFU);
    BOOST_TEST(number_at(end, of_second + 46 + 1 + 4, 8) == first.size() + large);
    const auto directory = of_second + 46U + 1U + 12U;
    const auto begins = first.size() + large + second.size() + 3;
    BOOST_TEST(number_at(end, directory, 4) == 0x06064b50U);
    BOOST_TEST(number_at(end, directory + 32, 8) == 2U);
    BOOST_TEST(number_at(end, directory + 40, 8) == directory);
    BOOST_TEST(number_at(end, directory + 48, 8) == begins);
    BOOST_TEST(number_at(end, directory + 56, 4) == 0x07064b50U);
    BOOST_TEST(number_at(end, directory + 64, 8) == begins + directory);
    BOOST_TEST(number_at(end, directory + 76, 4) == 0x06054b50U);
    BOOST_TEST(number_at(end, directory + 76 + 10, 2) == 2U);
    BOOST_TEST(number_at(end, directory + 76 + 16, 4) == 0xFFFFFFFFU);
    BOOST_TEST(end.size() == directory + 56U + 20U + 22U);
}

BOOST_AUTO_TEST_SUITE_END()
