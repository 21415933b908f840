// SPDX-License-Identifier: Apache-2.0
// What survives closing and opening again, and that damaged bytes are found. Needs a durable plugin.
#include "store_fixture.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace gallery;
using namespace gallery::contract;

namespace {

struct durability_fixture : store_fixture {
    /// Changes one byte behind each occurrence of @p marker in all files of the store; returns how many.
    std::size_t damage(const std::string& marker) {
        if (!under_test().damage_command.empty()) return damage_by_command(marker);
        std::size_t damaged = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
            if (!entry.is_regular_file()) continue;
            std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
            const std::string content{std::istreambuf_iterator<char>(file), {}};
            for (auto at = content.find(marker); at != std::string::npos; at = content.find(marker, at + 1)) {
                const auto where = at + marker.size() + 3;
                if (where >= content.size()) continue;
                file.clear();
                file.seekp(static_cast<std::streamoff>(where));
                file.put(static_cast<char>(content[where] ^ 0x10));
                ++damaged;
            }
        }
        return damaged;
    }

    std::size_t damage_by_command(const std::string& marker) {
        const auto store = std::filesystem::path(folder()).filename().string();
        const auto command =
            under_test().damage_command + " '" + folder() + "' '" + store + "' '" + marker + "'";
        FILE* answer = ::popen(command.c_str(), "r");
        BOOST_TEST_REQUIRE((answer != nullptr));
        std::size_t damaged = 0;
        const bool is_number = std::fscanf(answer, "%zu", &damaged) == 1;
        BOOST_REQUIRE_MESSAGE(::pclose(answer) == 0 && is_number, command << " failed, or printed no number");
        return damaged;
    }

    std::vector<image> save_marked(const std::string& marker) {
        std::vector<image> images;
        for (const std::size_t size : {200U, 5'000U, 40'000U, 300'000U, 3'000'000U}) {
            auto one = make(tenant_number(1), "marked " + std::to_string(size), size, size / 2);
            one.original.replace(size / 3, marker.size(), marker);
            one.preview.replace(size / 5, marker.size(), marker);
            one.record.original.etag = sha256(one.original);
            one.record.preview.etag = sha256(one.preview);
            must_save(one);
            images.push_back(one);
        }
        return images;
    }
};

constexpr auto marker = "GALLERY contract suite: bytes to be damaged";

constexpr auto no_damage =
    "nothing was damaged: the files in the store's folder do not show the bytes; name a --damage-command";

bool is_damage(errc code) {
    return code == errc::corrupt || code == errc::io_error;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(durability, durability_fixture)

BOOST_AUTO_TEST_CASE(every_kind_of_write_survives_reopening_at_once) {
    if (!durable()) return;
    auto one = make(tenant_number(1), "a", 40'000);
    must_save(one);
    reopen();
    expect_stored(one);
    expect_sound();

    one = with_bytes(one, 100, 100'000);
    must_save(one);
    reopen();
    expect_stored(one);
    expect_sound();

    one.record.title = "changed";
    const auto updated = update(one.record).value();
    reopen();
    expect_stored(one);
    BOOST_TEST((*must_find(tenant_number(1), "a") == *updated.record));
    expect_sound();

    const auto last = erase(tenant_number(1), "a")->rev;
    reopen();
    expect_absent(one);
    BOOST_TEST(last_change() == last);
    expect_sound();

    const auto saved = save_document({"user", "u", "{\"a\":1}", 0})->rev;
    reopen();
    BOOST_TEST(await(documents().find("user", "u"))->rev == saved);
    BOOST_TEST(await(documents().erase("user", "u", precondition::match(saved)))->status ==
               write_status::committed);
    reopen();
    BOOST_TEST(await(documents().find("user", "u")).has_error());
    BOOST_TEST(must_save(one)->rev > last);
}

BOOST_AUTO_TEST_CASE(reopening_many_times_changes_nothing) {
    if (!durable()) return;
    std::vector<image> images;
    for (int i = 0; i < 20; ++i)
        images.push_back(make(tenant_number(i % 3U), "k" + std::to_string(i), 100 + number(50'000)));
    for (const auto& one : images)
        must_save(one);
    const auto last = last_change();
    const auto before = scan_all(std::nullopt, 100);
    for (int i = 0; i < 3; ++i) {
        reopen();
        BOOST_TEST(last_change() == last);
        const auto after = scan_all(std::nullopt, 100);
        BOOST_TEST(std::equal(before.begin(), before.end(), after.begin(), after.end(),
                              [](const auto& a, const auto& b) { return *a == *b; }));
    }
}

BOOST_AUTO_TEST_CASE(a_second_opening_of_an_open_store_is_refused) {
    if (!durable()) return;
    const auto second = open_store(folder());
    BOOST_TEST_REQUIRE(second.has_error());
    BOOST_TEST(second.error().code == errc::unavailable);
    BOOST_TEST(second.error().message.find(folder()) != std::string::npos);
    must_save(make(tenant_number(1), "a"));
}

BOOST_AUTO_TEST_CASE(damaged_bytes_are_an_error_after_opening) {
    if (!durable()) return;
    const auto images = save_marked(marker);
    const auto sound = make(tenant_number(1), "sound", 100'000);
    must_save(sound);
    close();
    const auto damaged = damage(marker);
    BOOST_REQUIRE_MESSAGE(damaged != 0, no_damage);
    leave_unchecked();
    auto opened = open_store(folder());
    if (!opened) {
        BOOST_TEST(is_damage(opened.error().code));
        return;
    }
    opened->reset();
    reopen();
    std::size_t found = 0;
    for (const auto& one : images) {
        const auto record = must_find(one.record.tenant, one.record.key);
        for (const auto which : {representation::original, representation::preview}) {
            const auto got = read(record, which);
            if (got.has_value()) {
                BOOST_TEST((*got == (which == representation::original ? one.original : one.preview)));
                continue;
            }
            BOOST_TEST(is_damage(got.error().code));
            ++found;
        }
    }
    BOOST_TEST(found == 2 * images.size());
    expect_stored(sound);
    // The way out of it: saving the image again.
    const auto healed = with_bytes(images.front(), 500, 50);
    must_save(healed);
    expect_stored(healed);
}

BOOST_AUTO_TEST_CASE(damage_under_an_open_store_never_becomes_wrong_bytes) {
    if (!durable()) return;
    const auto images = save_marked(marker);
    for (const bool hot : {true, false}) {
        if (hot)
            for (const auto& one : images)
                expect_stored(one);
        BOOST_REQUIRE_MESSAGE(damage(marker) != 0, no_damage);
        leave_unchecked();
        for (const auto& one : images) {
            const auto record = must_find(one.record.tenant, one.record.key);
            for (const auto which : {representation::original, representation::preview}) {
                const auto got = read(record, which);
                if (got.has_value())
                    BOOST_TEST((*got == (which == representation::original ? one.original : one.preview)));
                else
                    BOOST_TEST(is_damage(got.error().code));
            }
        }
        // The same bits again make the bytes right again.
        damage(marker);
    }
}

BOOST_AUTO_TEST_SUITE_END()
