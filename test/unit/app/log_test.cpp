// SPDX-License-Identifier: Apache-2.0
// What was logged before a flush has been written when it returns, whoever logs meanwhile.
#include "app/log.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;

namespace {

/// Sends what is written to standard error into a file.
class captured_errors {
public:
    explicit captured_errors(const std::string& file) : own_(::dup(STDERR_FILENO)) {
        const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        BOOST_TEST_REQUIRE(opened >= 0);
        ::dup2(opened, STDERR_FILENO);
        ::close(opened);
    }
    captured_errors(const captured_errors&) = delete;
    captured_errors& operator=(const captured_errors&) = delete;
    ~captured_errors() {
        ::dup2(own_, STDERR_FILENO);
        ::close(own_);
    }

private:
    int own_;
};

std::set<std::string> last_words_of(const std::string& file) {
    std::ifstream in(file);
    std::set<std::string> words;
    for (std::string line; std::getline(in, line);)
        words.insert(line.substr(line.rfind(' ') + 1));
    return words;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(a_flush_writes_all_lines_before_it_while_other_threads_log) {
    const test::scratch_folder folder;
    const auto file = (folder.path() / "log").string();
    for (unsigned round = 0; round < 100; ++round) {
        std::array<std::atomic<unsigned>, 4> logged{};
        std::array<unsigned, 4> before{};
        std::set<std::string> written;
        {
            const captured_errors capture(file);
            const app::log_scope scope({});
            std::vector<std::thread> threads;
            for (std::size_t i = 0; i < logged.size(); ++i)
                threads.emplace_back([&logged, i] {
                    // Fewer in all than can wait, so that none is dropped.
                    for (unsigned n = 0; n < 1000; ++n) {
                        app::log_info("line " + std::to_string(i) + "/" + std::to_string(n));
                        logged[i] = n + 1;
                    }
                });
            while (logged[0] == 0 || logged[3] == 0)
                std::this_thread::yield();
            for (std::size_t i = 0; i < logged.size(); ++i)
                before[i] = logged[i];
            app::flush_log();
            written = last_words_of(file);
            for (auto& thread : threads)
                thread.join();
        }
        for (std::size_t i = 0; i < before.size(); ++i)
            for (unsigned n = 0; n < before[i]; ++n)
                BOOST_TEST_REQUIRE(written.contains(std::to_string(i) + "/" + std::to_string(n)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
