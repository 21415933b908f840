// SPDX-License-Identifier: Apache-2.0
// Lines of many threads reach their file once and in order, and where they cannot they are counted and nobody
// waits.
#include "app/line_log.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace gallery;
using app::line_log;
using app::line_ring;
using app::line_sink;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds test_patience{60};

/// What a sink in memory does, and what it was given. Any thread.
class plan {
public:
    void stop_writing() { set(is_stopped_, true); }
    void go_on() { set(is_stopped_, false); }
    /// From now on writes fail after @p accepted more bytes.
    void fail_after(std::size_t accepted, int reason) {
        const std::scoped_lock lock(mutex_);
        room_ = accepted;
        reason_ = reason;
    }
    void mend() {
        const std::scoped_lock lock(mutex_);
        reason_ = 0;
    }
    std::string text() {
        const std::scoped_lock lock(mutex_);
        return text_;
    }
    unsigned reopened() {
        const std::scoped_lock lock(mutex_);
        return reopened_;
    }
    void wait_until_stopped() {
        std::unique_lock lock(mutex_);
        BOOST_REQUIRE(changed_.wait_for(lock, test_patience, [this] { return is_waiting_; }));
    }

    line_sink::outcome write(std::string_view first, std::string_view second) {
        std::unique_lock lock(mutex_);
        is_waiting_ = is_stopped_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !is_stopped_; });
        is_waiting_ = false;
        const auto all = std::string(first) + std::string(second);
        const auto taken = reason_ == 0 ? all.size() : std::min(room_, all.size());
        text_ += all.substr(0, taken);
        room_ -= reason_ == 0 ? 0 : taken;
        return {taken, taken == all.size() ? 0 : reason_};
    }
    result<void> reopen() {
        const std::scoped_lock lock(mutex_);
        ++reopened_;
        if (reason_ != 0) return error{errc::invalid_argument, "it cannot be opened"};
        return {};
    }

private:
    void set(bool& what, bool value) {
        const std::scoped_lock lock(mutex_);
        what = value;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
    bool is_stopped_ = false;
    bool is_waiting_ = false;
    std::size_t room_ = 0;
    int reason_ = 0;
    unsigned reopened_ = 0;
};

class planned_sink final : public line_sink {
public:
    explicit planned_sink(plan& what) : plan_(what) {}
    outcome write(std::string_view first, std::string_view second) noexcept override {
        return plan_.write(first, second);
    }
    result<void> reopen() override { return plan_.reopen(); }

private:
    plan& plan_;
};

struct messages {
    std::mutex mutex;
    std::vector<std::string> lines;

    [[nodiscard]] log_function to_here() {
        return [this](log_level, std::string_view text) {
            const std::scoped_lock lock(mutex);
            lines.emplace_back(text);
        };
    }
    std::size_t count(std::string_view words) {
        const std::scoped_lock lock(mutex);
        std::size_t found = 0;
        for (const auto& line : lines)
            found += line.find(words) != line.npos ? 1U : 0U;
        return found;
    }
};

bool flush(line_log& lines) {
    return lines.flush(test_patience);
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// While it exists, no file of this process grows beyond @p bytes.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit now{bytes, old_.rlim_max};
        BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, before_);
    }

private:
    void (*before_)(int);
    rlimit old_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(line_rings)

BOOST_AUTO_TEST_CASE(a_ring_gives_back_what_was_appended_whatever_the_sizes) {
    std::mt19937 random(7);  // NOLINT: repeatable
    line_ring ring(256);
    std::string expected;
    std::string got;
    unsigned refused = 0;
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 3 != 0) {
            const std::string line = std::string(random() % 90, static_cast<char>('a' + step % 26)) + "\n";
            const auto used = ring.used();
            const bool fits = ring.append(line);
            BOOST_TEST_REQUIRE(fits == (used + line.size() <= 256U));
            if (fits) expected += line;
            refused += fits ? 0U : 1U;
        } else {
            const auto waiting = ring.waiting();
            BOOST_TEST_REQUIRE(waiting.size() == ring.used());
            const auto all = std::string(waiting.first) + std::string(waiting.second);
            const auto taken = all.empty() ? 0 : random() % (all.size() + 1);
            got += all.substr(0, taken);
            ring.consume(taken);
        }
    }
    const auto rest = ring.waiting();
    got.append(rest.first).append(rest.second);
    BOOST_TEST(got == expected);
    BOOST_TEST(refused > 100U);
}

BOOST_AUTO_TEST_CASE(a_ring_that_is_emptied_uses_the_beginning_of_its_memory) {
    line_ring ring(1024);
    const char* begin = nullptr;
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST_REQUIRE(ring.append("seventeen letters"));
        const auto waiting = ring.waiting();
        if (begin == nullptr) begin = waiting.first.data();
        BOOST_TEST(static_cast<const void*>(waiting.first.data()) == static_cast<const void*>(begin));
        ring.consume(waiting.size());
    }
}

BOOST_AUTO_TEST_CASE(two_threads_pass_every_byte_once) {
    line_ring ring(512);
    constexpr unsigned lines = 20'000;
    std::thread producer([&ring] {
        for (unsigned i = 0; i < lines; ++i) {
            const auto line = std::to_string(i) + "\n";
            while (!ring.append(line))
                std::this_thread::yield();
        }
    });
    std::string got;
    unsigned ends = 0;
    while (ends < lines) {
        const auto waiting = ring.waiting();
        if (waiting.size() == 0) std::this_thread::yield();
        got.append(waiting.first).append(waiting.second);
        ends += static_cast<unsigned>(std::count(waiting.first.begin(), waiting.first.end(), '\n') +
                                      std::count(waiting.second.begin(), waiting.second.end(), '\n'));
        ring.consume(waiting.size());
    }
    producer.join();
    std::istringstream in(got);
    std::string line;
    for (unsigned i = 0; i < lines; ++i) {
        std::getline(in, line);
        BOOST_TEST_REQUIRE(line == std::to_string(i));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(line_logs)

BOOST_AUTO_TEST_CASE(every_line_of_every_thread_is_written_once_and_in_its_order) {
    plan sink;
    constexpr unsigned lines_each = 5000;
    {
        line_log lines("the log", std::make_unique<planned_sink>(sink), {});
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < 4; ++t)
            threads.emplace_back([&lines, t] {
                auto& mine = lines.add_buffer();
                for (unsigned i = 0; i < lines_each; ++i)
                    mine.append(std::to_string(t) + " " + std::to_string(i) + "\n");
            });
        for (auto& each : threads)
            each.join();
        BOOST_TEST(flush(lines));
        const auto counted = lines.read();
        BOOST_TEST(counted.written == 4 * lines_each);
        BOOST_TEST(counted.refused + counted.unwritten == 0U);
    }
    std::map<unsigned, unsigned> next;
    std::istringstream in(sink.text());
    unsigned thread = 0;
    unsigned number = 0;
    while (in >> thread >> number)
        BOOST_TEST_REQUIRE(next[thread]++ == number);
    BOOST_TEST(next.size() == 4U);
    for (const auto& [of, count] : next)
        BOOST_TEST(count == lines_each, "thread " << of);
}

BOOST_AUTO_TEST_CASE(the_end_writes_what_is_waiting) {
    plan sink;
    {
        line_log lines("the log", std::make_unique<planned_sink>(sink), {},
                       {.interval = std::chrono::hours(1)});
        lines.add_buffer().append("last words\n");
    }
    BOOST_TEST(sink.text() == "last words\n");
}

BOOST_AUTO_TEST_CASE(a_sink_that_is_slow_loses_lines_which_are_counted_and_nobody_waits) {
    plan sink;
    messages said;
    line_log lines("the log", std::make_unique<planned_sink>(sink), said.to_here(),
                   {.buffer_bytes = 1024, .interval = milliseconds(1)});
    auto& mine = lines.add_buffer();
    sink.stop_writing();
    mine.append("first\n");
    sink.wait_until_stopped();
    // The writer is in the middle of a write. The buffer takes what it has room for, the rest is lost.
    const std::string line = std::string(99, 'x') + "\n";
    for (int i = 0; i < 100; ++i)
        mine.append(line);
    BOOST_TEST(lines.read().refused == 90U);
    sink.go_on();
    BOOST_TEST(flush(lines));
    BOOST_TEST(sink.text().size() == 6 + 10 * 100U);
    mine.append("last\n");
    BOOST_TEST(flush(lines));
    BOOST_TEST(sink.text().ends_with("x\nlast\n"));
    const auto counted = lines.read();
    BOOST_TEST(counted.written == 12U);
    BOOST_TEST(counted.refused == 90U);
    BOOST_TEST(counted.unwritten == 0U);
    BOOST_TEST(said.count("the log lost 90 lines") == 1U);
}

BOOST_AUTO_TEST_CASE(a_half_full_buffer_does_not_wait_for_the_interval) {
    plan sink;
    line_log lines("the log", std::make_unique<planned_sink>(sink), {},
                   {.buffer_bytes = 1024, .interval = std::chrono::hours(1)});
    auto& mine = lines.add_buffer();
    // The writer may miss a call while it begins to wait, but not every one.
    const auto deadline = std::chrono::steady_clock::now() + test_patience;
    while (sink.text().empty() && std::chrono::steady_clock::now() < deadline) {
        mine.append(std::string(99, 'x') + "\n");
        std::this_thread::yield();
    }
    BOOST_TEST(!sink.text().empty());
}

BOOST_AUTO_TEST_CASE(what_a_full_disk_does_not_take_is_counted_and_said_once) {
    plan sink;
    messages said;
    line_log lines("the log", std::make_unique<planned_sink>(sink), said.to_here());
    auto& mine = lines.add_buffer();
    sink.fail_after(13, ENOSPC);
    mine.append("line one\n");
    mine.append("line two\n");
    mine.append("line three\n");
    BOOST_TEST(flush(lines));
    for (int i = 0; i < 5; ++i) {
        mine.append("lost\n");
        BOOST_TEST(flush(lines));
    }
    // How many rounds the first three lines took is not known; whole lines within 13 bytes are one.
    const auto counted = lines.read();
    BOOST_TEST(counted.written == 1U);
    BOOST_TEST(counted.unwritten == 7U);
    BOOST_TEST(counted.refused == 0U);
    BOOST_TEST(said.count("the log cannot be written: No space left on device") == 1U);
    sink.mend();
    mine.append("again\n");
    BOOST_TEST(flush(lines));
    BOOST_TEST(said.count("the log is written again") == 1U);
    BOOST_TEST(sink.text().ends_with("again\n"));
    BOOST_TEST(lines.read().written == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_again_is_said) {
    plan sink;
    messages said;
    line_log lines("the log", std::make_unique<planned_sink>(sink), said.to_here());
    lines.reopen();
    BOOST_TEST(flush(lines));
    BOOST_TEST(sink.reopened() == 1U);
    BOOST_TEST(said.count("the log was reopened") == 1U);
    sink.fail_after(0, EACCES);
    lines.reopen();
    BOOST_TEST(flush(lines));
    BOOST_TEST(sink.reopened() == 2U);
    BOOST_TEST(said.count("it cannot be opened; the file that was open is still used") == 1U);
}

BOOST_AUTO_TEST_CASE(no_line_is_lost_while_the_file_is_renamed_and_opened_again) {
    const test::scratch_folder folder;
    const auto file = folder.path() / "access.log";
    constexpr unsigned rounds = 20;
    unsigned appended = 0;
    {
        line_log lines("the log", std::move(app::open_file_sink(file.string()).value()), {},
                       {.interval = milliseconds(1)});
        auto& mine = lines.add_buffer();
        for (unsigned round = 0; round < rounds; ++round) {
            for (unsigned i = 0; i < 500; ++i)
                mine.append(std::to_string(appended++) + "\n");
            std::filesystem::rename(file, folder.path() / ("access.log." + std::to_string(round)));
            lines.reopen();
            for (unsigned i = 0; i < 500; ++i)
                mine.append(std::to_string(appended++) + "\n");
            BOOST_TEST_REQUIRE(flush(lines));
            BOOST_TEST_REQUIRE(std::filesystem::exists(file));
        }
        BOOST_TEST(lines.read().written == appended);
    }
    std::string all;
    for (unsigned round = 0; round < rounds; ++round)
        all += content_of(folder.path() / ("access.log." + std::to_string(round)));
    all += content_of(file);
    std::istringstream in(all);
    std::string line;
    for (unsigned i = 0; i < appended; ++i) {
        std::getline(in, line);
        BOOST_TEST_REQUIRE(line == std::to_string(i));
    }
    BOOST_TEST(!std::getline(in, line));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(line_sinks)

BOOST_AUTO_TEST_CASE(a_file_is_appended_to_and_is_for_its_owner_only) {
    const test::scratch_folder folder;
    const auto file = folder.path() / "log";
    std::ofstream(file) << "before\n";
    auto sink = std::move(app::open_file_sink(file.string()).value());
    const auto done = sink->write("one\ntw", "o\n");
    BOOST_TEST(done.written == 8U);
    BOOST_TEST(done.reason == 0);
    BOOST_TEST(content_of(file) == "before\none\ntwo\n");
    std::filesystem::rename(file, folder.path() / "log.1");
    BOOST_TEST(sink->write("three\n", "").reason == 0);
    BOOST_TEST_REQUIRE(sink->reopen().has_value());
    BOOST_TEST(sink->write("four\n", "").reason == 0);
    BOOST_TEST(content_of(folder.path() / "log.1") == "before\none\ntwo\nthree\n");
    BOOST_TEST(content_of(file) == "four\n");
    struct stat made {};
    BOOST_TEST_REQUIRE(::stat(file.c_str(), &made) == 0);
    BOOST_TEST((made.st_mode & 0077U) == 0U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_said_with_its_path) {
    const test::scratch_folder folder;
    for (const auto& path : {folder.path() / "no folder" / "log", folder.path()}) {
        const auto opened = app::open_file_sink(path.string());
        BOOST_TEST_REQUIRE(!opened.has_value());
        BOOST_TEST((opened.error().code == errc::invalid_argument));
        BOOST_TEST(opened.error().message.find("'" + path.string() + "'") != std::string::npos);
    }
    const auto file = folder.path() / "log";
    auto sink = std::move(app::open_file_sink(file.string()).value());
    std::filesystem::rename(file, folder.path() / "log.1");
    std::filesystem::create_directory(file);
    BOOST_TEST(!sink->reopen().has_value());
    BOOST_TEST(sink->write("still there\n", "").reason == 0);
    BOOST_TEST(content_of(folder.path() / "log.1") == "still there\n");
}

BOOST_AUTO_TEST_CASE(after_a_line_that_was_cut_off_the_next_begins_on_a_line_of_its_own) {
    const test::scratch_folder folder;
    const auto file = folder.path() / "log";
    auto sink = std::move(app::open_file_sink(file.string()).value());
    {
        const file_size_limit limit(22);
        const auto done = sink->write("line one\nline t", "wo\nline three\n");
        BOOST_TEST(done.written == 22U);
        BOOST_TEST(done.reason == EFBIG);
        // Not even the end of the line fits.
        BOOST_TEST(sink->write("line four\n", "").reason == EFBIG);
    }
    BOOST_TEST(sink->write("line five\n", "").reason == 0);
    BOOST_TEST(content_of(file) == "line one\nline two\nline\nline five\n");
    {
        const file_size_limit limit(content_of(file).size() + 5);
        BOOST_TEST(sink->write("six\nseven\n", "").written == 5U);
    }
    BOOST_TEST(sink->write("eight\n", "").written == 6U);
    BOOST_TEST(content_of(file).ends_with("five\nsix\ns\neight\n"));
}

BOOST_AUTO_TEST_CASE(a_full_device_is_a_reason) {
    auto sink = std::move(app::open_file_sink("/dev/full").value());
    const auto done = sink->write("one\n", "");
    BOOST_TEST(done.written == 0U);
    BOOST_TEST(done.reason == ENOSPC);
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_read_holds_nobody_up_and_gets_whole_lines) {
    const test::scratch_folder folder;
    const auto pipe = folder.path() / "pipe";
    BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    BOOST_TEST(!app::open_file_sink(pipe.string()).has_value());  // nobody reads
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    BOOST_TEST_REQUIRE(reader >= 0);
    auto sink = std::move(app::open_file_sink(pipe.string()).value());
    const std::string line = std::string(99, 'x') + "\n";
    std::string lines;
    for (int i = 0; i < 20'000; ++i)
        lines += line;
    const auto done = sink->write(lines, "");
    BOOST_TEST(done.reason == ETIMEDOUT);
    BOOST_TEST(done.written > 0U);
    BOOST_TEST(done.written < lines.size());
    BOOST_TEST(done.written % line.size() == 0U);
    std::string got(lines.size(), '\0');
    const auto bytes = ::read(reader, got.data(), got.size());
    BOOST_TEST(bytes == static_cast<ssize_t>(done.written));
    ::close(reader);
    auto* const before = std::signal(SIGPIPE, SIG_IGN);  // as in the server
    BOOST_TEST(sink->write("one\n", "").reason == EPIPE);
    std::signal(SIGPIPE, before);
}

BOOST_AUTO_TEST_SUITE_END()
