// SPDX-License-Identifier: Apache-2.0
// Bytes that change on the disk, also of bodies that the engine has in its memory.
#include "scrubbed_store.hpp"

#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace gallery::scrub::test {

namespace {

/// Flips a bit in every file below @p folder that contains @p text, in its place or at @p place. Returns in
/// how many.
int flip_on_disk(const std::filesystem::path& folder, const std::string& text,
                 std::optional<std::size_t> place = std::nullopt) {
    int flipped = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string all(std::istreambuf_iterator<char>(in), {});
        const auto found = all.find(text);
        if (found == std::string::npos) continue;
        const auto at = place.value_or(found);
        const int file = ::open(entry.path().c_str(), O_WRONLY | O_CLOEXEC);
        const char other = static_cast<char>(all[at] ^ 1);
        if (::pwrite(file, &other, 1, static_cast<off_t>(at)) == 1) ++flipped;
        ::close(file);
    }
    return flipped;
}

result<bytes> read_original(storage_engine& store, const record_ptr& record) {
    const auto content = await(store.images().read(record, representation::original));
    if (!content) return content.error();
    return content->load().value_or(bytes());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rot)

BOOST_AUTO_TEST_CASE(a_byte_that_changes_on_the_disk_is_found_although_the_engine_has_the_body_in_memory) {
    for (const char* engine : {"filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            scratch_store store(engine);
            fill(*store);
            // Small enough for the memory of the file engine, and large enough for a file of its own.
            save(*store, make_picture(tenant(1), "rotten", "an unlucky picture", 9'000));
            store.reopen();  // the bytes are in files
            const auto record = await(store->images().find(tenant(1), "rotten")).value();
            BOOST_REQUIRE(read_original(*store, record).has_value());
            surroundings around;
            server one(*store, around);
            one.pass();
            BOOST_TEST(one.status().stored.damaged() == 0U);
            BOOST_REQUIRE(read_original(*store, record).has_value());  // it is in memory again

            BOOST_REQUIRE(flip_on_disk(store.folder(), "original an unlucky picture:") > 0);
            BOOST_TEST(read_original(*store, record).has_value());
            one.pass();
            const auto now = one.status().stored;
            BOOST_REQUIRE(now.damaged() == 1U);
            BOOST_TEST(now.damage.all().front().key == "rotten");
            BOOST_TEST(bool(now.damage.all().front().tenant == tenant(1)));
            BOOST_TEST(bool(now.damage.all().front().which == representation::original));
            BOOST_TEST(now.completed_at == around.now);
            BOOST_TEST(mentions(around.problems, "the original of the image 'rotten'"));
            BOOST_TEST(mentions(around.problems, to_string(tenant(1))));
            BOOST_TEST(now.done.bodies == contents(*store).bodies);  // the others were read
        }
    }
}

BOOST_AUTO_TEST_CASE(a_pass_does_not_fill_the_memory_of_the_engine) {
    for (const char* engine : {"filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            scratch_store store(engine);
            fill(*store);
            store.reopen();
            surroundings around;
            server one(*store, around);
            one.pass();
            for (const auto& record : await(store->images().scan(std::nullopt, "", 1'000)).value().items)
                BOOST_TEST(!store->images().read_now(*record, representation::original).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_body_of_a_kept_version_that_rots_is_found) {
    for (const char* engine : {"filesystem", "rocksdb"}) {
        BOOST_TEST_CONTEXT(engine) {
            scratch_store store(engine);
            fill(*store);
            store.reopen();
            BOOST_REQUIRE(flip_on_disk(store.folder(), "original picture 8:") > 0);
            surroundings around;
            server one(*store, around);
            one.pass();
            BOOST_REQUIRE(one.status().stored.damaged() == 1U);
            BOOST_TEST(one.status().stored.damage.all().front().key == "key-8");
        }
    }
}

BOOST_AUTO_TEST_CASE(records_that_rot_are_counted_and_the_images_behind_them_are_read) {
    scratch_store store("rocksdb");
    constexpr unsigned count = 300;
    const auto key = [](unsigned i) { return "key-" + std::to_string(1000 + i); };
    for (unsigned i = 0; i < count; ++i)
        save(*store, make_picture(tenant(1), key(i), "picture " + std::to_string(i)));
    store.reopen();  // the records are in a table
    // The first block of the table of records. Of the property's name the table has what differs from the one
    // before it.
    BOOST_REQUIRE(flip_on_disk(store.folder(), "namerecords", 100) == 1);
    surroundings around;
    server one(*store, around);
    one.pass();
    unsigned lost = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (await(store->images().find(tenant(1), key(i)))) continue;
        ++lost;
        if (lost <= 50) BOOST_TEST(mentions(around.problems, '"' + key(i) + '"'));
    }
    BOOST_TEST_REQUIRE(lost > 0U);
    BOOST_TEST_REQUIRE(lost < count);
    const auto now = one.status();
    BOOST_TEST(now.stored.done.unread == lost);
    BOOST_TEST(now.stored.done.images == count - lost);
    BOOST_TEST(now.is_incomplete);
    BOOST_TEST(now.problem.find(key(0)) != std::string::npos);
    BOOST_TEST(now.stored.completed_at == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::scrub::test
