// SPDX-License-Identifier: Apache-2.0
// The scanners that look at many bytes at a time find what the plain ones find, and read no further.
#include "boost_test.hpp"
#include "support.hpp"

#include "http/fields.hpp"
#include "http/scan.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::http::test {

namespace {

// On the heap and exactly as long as the text, so that the address sanitizer sees a read behind it.
struct exact {
    explicit exact(std::string_view text) : memory(new char[text.size()]), size(text.size()) {
        text.copy(memory.get(), size);
    }
    [[nodiscard]] const char* begin() const { return memory.get(); }
    [[nodiscard]] const char* end() const { return memory.get() + size; }
    std::unique_ptr<char[]> memory;
    std::size_t size;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scanning)

BOOST_AUTO_TEST_CASE(every_byte_at_every_place_ends_a_value_or_target_as_the_plain_scanner_says) {
    for (const std::size_t size : {1U, 15U, 16U, 17U, 31U, 63U, 64U, 65U, 79U, 130U}) {
        for (std::size_t place = 0; place < size; ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'a');
                text[place] = static_cast<char>(byte);
                const exact seen(text);
                if (scan::value(seen.begin(), seen.end()) != scan::plain::value(seen.begin(), seen.end()) ||
                    scan::target(seen.begin(), seen.end()) != scan::plain::target(seen.begin(), seen.end())) {
                    BOOST_ERROR("byte " << byte << " at " << place << " of " << size);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_near_colon_is_the_first_one) {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            std::string text(size, 'a');
            text[place] = ':';
            text[size - 1] = ':';
            const exact seen(text);
            const auto* const found = scan::near_colon(seen.begin(), seen.end());
            BOOST_TEST((found == nullptr || found == seen.begin() + place));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_name_is_known_in_any_case_and_with_no_other_letter) {
    for (const std::string_view name : {"te", "host", "Accept", "x-request-id", "If-None-Match",
                                        "X-Authorization", "x-forwarded-proto", "If-Unmodified-Since"}) {
        const auto id = parse_field(name);
        BOOST_TEST((id != field::other));
        for (std::size_t place = 0; place < name.size(); ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string other(name);
                other[place] = static_cast<char>(byte);
                const exact seen(other);
                const bool same = equals_ignoring_case(other, name);
                if ((parse_field({seen.begin(), seen.size}) == id) != same) {
                    BOOST_ERROR(name << " with byte " << byte << " at " << place);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::http::test
