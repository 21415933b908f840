// SPDX-License-Identifier: Apache-2.0
// Large bodies in files beside the database: where they are, what a crash or a failing disk leaves of them,
// and how they are moved.
#include "filesystem/disk_fault.hpp"
#include "store_fixture.hpp"

#include "plugins/verify.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

namespace fs = std::filesystem;
constexpr std::size_t large = 100'000;

struct body_files_fixture : store_fixture {
    ~body_files_fixture() {
        for (const auto* name : {"body_file_bytes", "open_body_files"})
            under_test().options.erase(name);
    }

    const tenant_id tenant = tenant_number(1);

    [[nodiscard]] fs::path top() const { return fs::path(folder()) / "bodies"; }
    [[nodiscard]] std::vector<fs::path> files() const {
        std::vector<fs::path> found;
        if (!fs::exists(top())) return found;
        for (const auto& entry : fs::recursive_directory_iterator(top()))
            if (entry.is_regular_file()) found.push_back(entry.path());
        std::sort(found.begin(), found.end());
        return found;
    }
    /// Removals run on a thread of their own.
    void expect_files(std::size_t wanted) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (files().size() != wanted && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        BOOST_TEST_REQUIRE(files().size() == wanted);
    }
    image make_large(const std::string& key) { return make(tenant, key, large, 20); }

    void set(const char* option, const std::string& value) { under_test().options[option] = value; }
    void open_again() {
        close();
        auto opened = open_store(folder());
        BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open: " << opened.error().message);
        take(std::move(*opened));
    }
    std::vector<std::string> problems() {
        const auto report = await(engine().check());
        BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
        return report->problems;
    }
    rewrite_report rewrite() {
        auto report = await(engine().rewrite_bodies({}));
        BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
        return std::move(*report);
    }
    static bool has(const std::vector<std::string>& lines, const std::string& part) {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }
    double figure(const std::string& name) {
        for (const auto& one : engine().statistics())
            if (one.name == name) return one.value;
        return -1;
    }
    static std::string content_of(const fs::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void put(const fs::path& path, const std::string& content) {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(body_files, body_files_fixture)

BOOST_AUTO_TEST_CASE(bodies_from_the_configured_size_on_are_files_and_are_removed_with_their_last_record) {
    const auto small = make(tenant, "small", 32 * 1024 - 1, 100);
    must_save(small);
    expect_files(0);
    auto both = make(tenant, "both", 32 * 1024, large);
    must_save(both);
    expect_files(2);
    BOOST_TEST((content_of(files()[0]) == both.original));
    BOOST_TEST((content_of(files()[1]) == both.preview));
    // Replaced and dropped.
    both = with_bytes(both, large, 100);
    must_save(both);
    expect_files(1);
    // Replaced and kept, and the kept version dropped.
    const auto next = with_bytes(both, large, large);
    const auto outcome = save(next, write_rules(precondition::any(), previous_version::keep(5)));
    BOOST_TEST_REQUIRE(outcome.has_value());
    expect_files(3);
    const auto kept = await(store().find_kept(both.record.id, outcome->kept));
    BOOST_TEST_REQUIRE(kept.has_value());
    BOOST_TEST((*read(kept->record, representation::original) == both.original));
    BOOST_TEST_REQUIRE(await(store().drop_kept(both.record.id, outcome->kept)).has_value());
    expect_files(2);
    expect_stored(next);
    BOOST_TEST_REQUIRE(erase(tenant, "both").has_value());
    expect_files(0);
    expect_stored(small);
    reopen();
    expect_stored(small);
}

BOOST_AUTO_TEST_CASE(a_write_that_is_refused_leaves_no_file) {
    must_save(make_large("there"));
    const auto refused = save(make_large("there"), precondition::absent());
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->status == write_status::conflict);
    expect_files(1);
}

BOOST_AUTO_TEST_CASE(files_and_their_folders_are_durable_before_the_write_is_acknowledged) {
    const sync_record record;
    must_save(make_large("a"));
    const auto paths = record.paths();
    const auto at = [&](const std::string& end) {
        return std::find_if(paths.begin(), paths.end(),
                            [&](const auto& path) { return path.ends_with(end); });
    };
    const auto file = at("-original");
    const auto entry = std::find_if(
        file, paths.end(), [&](const auto& path) { return path == files()[0].parent_path().string(); });
    BOOST_TEST((file != paths.end()));
    BOOST_TEST((entry != paths.end()));
    BOOST_TEST((at("/bodies") < file));
    BOOST_TEST((std::find(paths.begin(), file, folder()) < file));
    BOOST_TEST((std::find_if(entry, paths.end(), [](const auto& path) { return path.ends_with(".log"); }) !=
                paths.end()));
}

BOOST_AUTO_TEST_CASE(open_files_are_used_again_and_their_number_is_bounded) {
    set("open_body_files", "4");
    reopen();
    std::vector<image> images;
    for (int i = 0; i < 20; ++i) {
        images.push_back(make_large("image" + std::to_string(i)));
        must_save(images.back());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(60));  // a file that was just written is not kept
    for (int round = 0; round < 2; ++round)
        for (const auto& one : images)
            expect_stored(one);
    BOOST_TEST(figure("body_cache_open_files") == 4);
    std::size_t open = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (fs::read_symlink(entry.path(), gone).string().starts_with(top().string())) ++open;
    }
    BOOST_TEST(open == 4U);
    const auto record = must_find(tenant, images.back().record.key);
    const auto now = store().read_now(*record, representation::original);
    BOOST_TEST_REQUIRE(now.has_value());
    BOOST_TEST((now->region() != nullptr));
    // An erased image does not keep its file open, nor its space.
    BOOST_TEST_REQUIRE(erase(tenant, images.back().record.key).has_value());
    BOOST_TEST(figure("body_cache_open_files") == 3);
    BOOST_TEST((now->load()->view() == images.back().original));
}

BOOST_AUTO_TEST_CASE(a_changed_file_is_noticed_by_reads_and_checks_though_it_was_read_before) {
    const auto one = make_large("a");
    const auto record = must_save(one);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    expect_stored(one);
    BOOST_TEST(figure("body_cache_open_files") == 1);
    leave_unchecked();
    auto content = content_of(files()[0]);
    content[large / 2] = static_cast<char>(content[large / 2] ^ 1);
    put(files()[0], content);
    const auto damaged = read(record, representation::original);
    BOOST_TEST_REQUIRE(damaged.has_error());
    BOOST_TEST(damaged.error().code == errc::corrupt);
    BOOST_TEST(await(store().check_body(record, representation::original)).error().code == errc::corrupt);
    const auto found = test::await(plugins::verify(engine(), {}));
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->problems.size() == 1U);
    BOOST_TEST(has(found->problems, files()[0].filename().string()));
    fs::resize_file(files()[0], large - 1);
    BOOST_TEST(has(problems(), "99999 bytes instead of 100000"));
    fs::remove(files()[0]);
    BOOST_TEST(has(problems(), "is missing"));
    BOOST_TEST(read(record, representation::original).error().code == errc::corrupt);
    // It can be replaced, and is sound then.
    must_save(one);
    expect_stored(one);
    expect_sound();
}

BOOST_AUTO_TEST_CASE(a_start_removes_what_a_crash_left_and_nothing_else) {
    const auto one = make_large("a");
    must_save(one);
    const auto first = files()[0];
    close();
    // As a crash before the write of the database leaves it: a number from the watermark on. After a clean
    // stop this is the number after the last one.
    const auto name = first.filename().string();
    const auto orphan = first.parent_path() / ("0000000000000001" + name.substr(16));
    BOOST_TEST_REQUIRE(name.starts_with("0000000000000000-"));
    put(orphan, "left");
    put(top() / "00000000000f" / ("000000000000f123" + name.substr(16)), "left");
    put(first.parent_path() / "notes.txt", "an operator's");
    take_log();
    open_again();
    BOOST_TEST(has(take_log(), "removed 2 files"));
    BOOST_TEST(!fs::exists(orphan));
    expect_files(2);
    expect_stored(one);
    BOOST_TEST(problems().size() == 1U);
    BOOST_TEST(has(problems(), "notes.txt does not belong to the store"));
    fs::remove(first.parent_path() / "notes.txt");
    // Numbers of this start are behind all that was there.
    must_save(make_large("b"));
    BOOST_TEST(files()[1].filename().string().starts_with("0000000000010000-"));
    // A file below the watermark is not looked for, and only reported.
    put(orphan, "left");
    open_again();
    BOOST_TEST(fs::exists(orphan));
    BOOST_TEST(problems().size() == 1U);
    BOOST_TEST(has(problems(), "belongs to no image"));
    fs::remove(orphan);
}

BOOST_AUTO_TEST_CASE(a_removal_that_a_crash_or_the_disk_prevented_is_made_up_for_by_the_next_start) {
    must_save(make_large("a"));
    must_save(make_large("b"));
    {
        const disk_fault fault(disk_call::remove, "-original", EIO);
        BOOST_TEST_REQUIRE(erase(tenant, "a").has_value());
        must_save(make_large("b"));
        close();  // the removals end before
        BOOST_TEST(fault.hits() == 2U);
    }
    BOOST_TEST(files().size() == 3U);
    open_again();
    BOOST_TEST(files().size() == 1U);
    expect_sound();
    open_again();
    BOOST_TEST(files().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_while_a_file_is_written_changes_nothing) {
    const auto one = make_large("a");
    must_save(one);
    const auto fails = [&](disk_call call, const std::string& part, int number, errc wanted) {
        const disk_fault fault(call, part, number);
        const auto outcome = save(with_bytes(one, large, 20));
        BOOST_TEST_REQUIRE(fault.hits() > 0U);
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == wanted);
    };
    fails(disk_call::create, "-original", ENOSPC, errc::no_space);
    fails(disk_call::create, "-original", EMFILE, errc::busy);
    fails(disk_call::sync, "-original", ENOSPC, errc::no_space);
    fails(disk_call::sync, "-original", EIO, errc::io_error);
    expect_files(1);
    expect_stored(one);
    BOOST_TEST((engine().writing().state == write_state::kind::ok));
    must_save(make_large("b"));
    // A folder whose state is unknown may lose later files as well.
    fails(disk_call::sync, "bodies/000000000000$", EIO, errc::io_error);
    BOOST_TEST((engine().writing().state == write_state::kind::failed));
    BOOST_TEST(save(make_large("c")).error().code == errc::read_only);
    expect_stored(one);
    open_again();
    expect_files(2);
    expect_stored(one);
    must_save(make_large("c"));
}

BOOST_AUTO_TEST_CASE(a_file_whose_write_may_have_happened_is_kept_until_the_next_start) {
    const auto old = make_large("a");
    must_save(old);
    const auto next = with_bytes(old, large, 20);
    {
        const disk_fault fault(disk_call::sync, ".log$", EIO);
        const auto outcome = save(next);
        BOOST_TEST_REQUIRE(fault.hits() == 1U);
        BOOST_TEST_REQUIRE(outcome.has_error());
        BOOST_TEST(outcome.error().code == errc::io_error);
    }
    BOOST_TEST(files().size() == 2U);
    open_again();
    // Either of the two, wholly, and no file besides.
    const auto record = must_find(tenant, "a");
    expect_stored(record->original.etag == old.record.original.etag ? old : next);
    expect_files(1);
}

BOOST_AUTO_TEST_CASE(without_the_folder_the_store_is_refused) {
    const auto one = make_large("a");
    must_save(one);
    close();
    fs::rename(top(), fs::path(folder()) / "aside");
    leave_unchecked();
    const auto refused = open_store(folder());
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().code == errc::corrupt);
    BOOST_TEST(refused.error().message.find("lacks the folder bodies") != std::string::npos);
    fs::rename(fs::path(folder()) / "aside", top());
    open_again();
    expect_stored(one);
    expect_sound();
}

BOOST_AUTO_TEST_CASE(bodies_are_moved_to_files_and_back_and_nothing_else_changes) {
    set("body_file_bytes", "0");
    reopen();
    std::vector<image> images;
    for (const std::size_t size : {0U, 100U, 20'000U, 40'000U, 300'000U, 3'000'000U}) {
        images.push_back(make(tenant, "size " + std::to_string(size), size, size / 2));
        must_save(images.back());
    }
    const auto before = make_large("kept");
    must_save(before);
    const auto outcome =
        save(with_bytes(before, large, large), write_rules(precondition::any(), previous_version::keep(5)));
    BOOST_TEST_REQUIRE(outcome.has_value());
    expect_files(0);
    const auto last = last_change();
    const auto expect_all = [&] {
        for (const auto& one : images)
            expect_stored(one);
        const auto kept = await(store().find_kept(before.record.id, outcome->kept));
        BOOST_TEST_REQUIRE(kept.has_value());
        BOOST_TEST((*read(kept->record, representation::original) == before.original));
        BOOST_TEST(last_change() == last);
        expect_sound();
    };
    set("body_file_bytes", "32768");
    reopen();
    expect_all();
    auto report = rewrite();
    BOOST_TEST(report.problems.empty());
    BOOST_TEST(report.bodies == 8U);  // 40000, 300000 and 3000000 with two previews; three of the kept image
    BOOST_TEST(report.bytes == 40'000U + 300'000 + 150'000 + 3'000'000 + 1'500'000 + 3 * large);
    expect_files(8);
    expect_all();
    BOOST_TEST(figure("blob_files_bytes") < 200'000);
    BOOST_TEST(rewrite().bodies == 0U);
    reopen();
    expect_all();
    set("body_file_bytes", "200000");
    reopen();
    expect_all();
    BOOST_TEST(rewrite().bodies == 5U);
    expect_files(3);
    set("body_file_bytes", "0");
    reopen();
    BOOST_TEST(rewrite().bodies == 3U);
    expect_files(0);
    expect_all();
    reopen();
    expect_all();
}

BOOST_AUTO_TEST_CASE(bodies_can_be_read_replaced_and_erased_while_they_are_moved) {
    constexpr unsigned count = 24;
    std::vector<image> images;
    for (unsigned i = 0; i < count; ++i) {
        images.push_back(make(tenant, "image" + std::to_string(i), 40'000, 20));
        must_save(images.back());
    }
    for (const auto* size : {"0", "32768", "0"}) {
        set("body_file_bytes", size);
        reopen();
        std::atomic<bool> has_ended = false;
        std::atomic<unsigned> wrong = 0;
        std::atomic<unsigned> reads = 0;
        std::vector<std::jthread> threads;
        for (unsigned who = 0; who < 2; ++who)
            threads.emplace_back([&, who] {
                for (unsigned i = who; !has_ended; i = (i + 1) % (count / 2), ++reads) {
                    const auto record = find(tenant, images[i].record.key);
                    const auto content = record ? read(*record, representation::original)
                                                : result<std::string>(record.error());
                    if (!content || *content != images[i].original) ++wrong;
                }
            });
        threads.emplace_back([&] {
            for (unsigned i = count / 2; !has_ended; i = i + 1 == count ? count / 2 : i + 1) {
                if (!save(images[i])) ++wrong;
                if (i % 5 == 0 && (!erase(tenant, images[i].record.key) || !save(images[i]))) ++wrong;
            }
        });
        while (reads < 20)
            std::this_thread::yield();
        const auto report = rewrite();
        BOOST_TEST(report.problems.empty());
        BOOST_TEST(report.bodies >= count / 2);
        has_ended = true;
        threads.clear();
        BOOST_TEST(wrong == 0U);
        expect_files(size[0] == '0' ? 0 : count);
        for (const auto& one : images)
            expect_stored(one);
        expect_sound();
    }
}

BOOST_AUTO_TEST_SUITE_END()
