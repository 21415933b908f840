// SPDX-License-Identifier: Apache-2.0
// What the fuzzers start from and what they once found, through each target: nothing crashes, reads beyond
// its input or breaks an invariant. Then the same with one byte changed at a time.
#define GALLERY_TEST_MODULE fuzz
#include "boost_test.hpp"
#include "targets.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fs = std::filesystem;
using gallery::fuzz::targets;

namespace {

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

fs::path corpus() {
    const auto* source = std::getenv("GALLERY_SOURCE");
    return fs::path(source != nullptr ? source : ".") / "test/fuzz/corpus";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(replay)

BOOST_AUTO_TEST_CASE(no_kept_input_breaks_any_target) {
    // A target that finds something ends the process.
    std::size_t inputs = 0;
    for (const auto& entry : fs::recursive_directory_iterator(corpus())) {
        if (!entry.is_regular_file()) continue;
        const auto input = content_of(entry.path());
        for (const auto& target : targets)
            target.run(input);
        ++inputs;
    }
    BOOST_TEST(inputs > 20U);
}

BOOST_AUTO_TEST_CASE(no_changed_byte_breaks_its_target) {
    for (const auto& target : targets) {
        const auto folder = corpus() / target.name;
        BOOST_TEST_REQUIRE(fs::is_directory(folder), "no inputs for " << target.name);
        std::size_t inputs = 0;
        for (const auto& entry : fs::directory_iterator(folder)) {
            ++inputs;
            const auto input = content_of(entry.path());
            for (std::size_t at = 0; at < input.size(); ++at) {
                auto changed = input;
                for (const char other : {'\0', '\xFF', '"', static_cast<char>(input[at] ^ 1)}) {
                    changed[at] = other;
                    target.run(changed);
                }
                target.run(std::string_view(input).substr(0, at));
            }
        }
        BOOST_TEST(inputs >= 8U, "too few inputs for " << target.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
