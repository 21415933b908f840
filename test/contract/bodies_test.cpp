// SPDX-License-Identifier: Apache-2.0
// Bytes of every size, in memory and in files, and records that are no longer current.
#include "store_fixture.hpp"

#include <fcntl.h>
#include <fstream>

using namespace gallery;
using namespace gallery::contract;

BOOST_FIXTURE_TEST_SUITE(bodies, store_fixture)

BOOST_AUTO_TEST_CASE(bodies_of_every_size_come_back) {
    const std::size_t sizes[] = {0,      1,      2,      4095,   4096,      4097,    16'383,       16'384,
                                 32'767, 32'768, 32'769, 65'536, 1'000'000, 1 << 20, (8 << 20) + 3};
    std::vector<image> images;
    for (const auto size : sizes) {
        images.push_back(make(tenant_number(1), "size " + std::to_string(size), size, size / 3));
        must_save(images.back(), precondition::absent());
    }
    for (const auto& one : images)
        expect_stored(one);
    reopen();
    for (const auto& one : images)
        expect_stored(one);  // from the disk
    for (const auto& one : images)
        expect_stored(one);  // from memory, where an engine keeps them
}

// A server that was switched to another store closes the one before while it may still send bodies of it.
BOOST_AUTO_TEST_CASE(a_body_stays_readable_after_the_store_was_closed) {
    std::vector<image> images;
    for (const std::size_t size : {100, 5'000, 40'000, 300'000, 3 << 20}) {
        images.push_back(make(tenant_number(1), "closed " + std::to_string(size), size, size / 2));
        must_save(images.back());
    }
    reopen();  // so that they are read from the disk
    std::vector<body> bodies;
    for (const auto& one : images) {
        const auto record = must_find(tenant_number(1), one.record.key);
        for (const auto which : {representation::original, representation::preview}) {
            auto content = await(store().read(record, which));
            BOOST_REQUIRE(content.has_value());
            bodies.push_back(std::move(*content));
        }
    }
    close();
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto original = bodies[2 * i].load();
        const auto preview = bodies[2 * i + 1].load();
        BOOST_TEST((original && original->view() == images[i].original));
        BOOST_TEST((preview && preview->view() == images[i].preview));
    }
}

// An engine need not have an answer at once; one that it has is the coroutine's.
BOOST_AUTO_TEST_CASE(what_is_answered_at_once_is_as_new_as_what_is_waited_for) {
    const auto tenant = tenant_number(1);
    const auto expect_now = [&](const image& wanted) {
        const auto record = must_find(tenant, wanted.record.key);
        if (const auto now = store().find_now(tenant, wanted.record.key)) BOOST_TEST((**now == *record));
        if (const auto now = store().find_by_public_key_now(wanted.record.public_key))
            BOOST_TEST((**now == *record));
        for (const auto which : {representation::original, representation::preview}) {
            const auto waited = read(record, which);
            BOOST_TEST_REQUIRE(waited.has_value());
            if (const auto now = store().read_now(*record, which)) {
                const auto loaded = now->load();
                BOOST_TEST((loaded && loaded->view() == *waited));
            }
        }
    };
    const std::size_t sizes[] = {0, 100, 40'000, 300'000, 2 << 20};
    for (const auto size : sizes) {
        auto one = make(tenant, "now " + std::to_string(size), size, size / 2);
        must_save(one, precondition::absent());
        expect_now(one);
        expect_now(one);
        one = with_bytes(std::move(one), size + 1, size / 2 + 1);
        const auto old = must_find(tenant, one.record.key);
        must_save(one);
        expect_now(one);
        // Of a record that was replaced an engine gives its own bytes or none.
        if (const auto kept = store().read_now(*old, representation::original))
            BOOST_TEST(kept->size() == size);
        one.record.title = "another title";
        one.record.is_public = !one.record.is_public;
        BOOST_TEST_REQUIRE(update(one.record).has_value());
        expect_now(one);
        BOOST_TEST_REQUIRE(erase(tenant, one.record.key).has_value());
        BOOST_TEST(!store().find_now(tenant, one.record.key));
        BOOST_TEST(!store().find_by_public_key_now(one.record.public_key));
    }
}

BOOST_AUTO_TEST_CASE(bodies_are_checked_where_they_are_stored) {
    const auto tenant = tenant_number(1);
    const auto is_sound = [this](const record_ptr& record, representation which) {
        return await(store().check_body(record, which)).has_value();
    };
    for (const std::size_t size : {0, 100, 40'000, 300'000}) {
        auto one = make(tenant, "checked " + std::to_string(size), size, size / 2);
        must_save(one, precondition::absent());
        reopen();
        const auto record = must_find(tenant, one.record.key);
        for (const auto which : {representation::original, representation::preview})
            BOOST_TEST(is_sound(record, which));
        // One that is replaced and kept, and one that is dropped.
        one = with_bytes(std::move(one), size + 1, size / 2 + 1);
        const auto kept =
            await(store().save(one.record, body(bytes::own(one.original)), body(bytes::own(one.preview)),
                               {precondition::any(), previous_version::keep(1'800'000'000'000)}));
        BOOST_TEST_REQUIRE(kept.has_value());
        BOOST_TEST(is_sound(record, representation::original));
        BOOST_TEST(is_sound(kept->record, representation::original));
        BOOST_TEST_REQUIRE(await(store().drop_kept(record->id, record->content_rev)).has_value());
        const auto dropped = await(store().check_body(record, representation::original));
        BOOST_TEST_REQUIRE(dropped.has_error());
        BOOST_TEST((dropped.error().code == errc::stale));
    }
}

BOOST_AUTO_TEST_CASE(a_copy_leaves_the_bytes_of_requests_in_memory) {
    const auto tenant = tenant_number(1);
    const auto which = representation::original;
    for (const std::size_t size : {0, 100, 40'000, 300'000}) {
        auto one = make(tenant, "copied " + std::to_string(size), size, size / 2);
        must_save(one, precondition::absent());
        reopen();
        const auto record = must_find(tenant, one.record.key);
        const bool was_in_memory = store().read_now(*record, which).has_value();
        const auto copied = await(store().read_aside(record, which));
        BOOST_TEST_REQUIRE(copied.has_value());
        BOOST_TEST((copied->load()->view() == one.original));
        BOOST_TEST(store().read_now(*record, which).has_value() == was_in_memory);
        // A preview has its own bytes.
        const auto preview = await(store().read_aside(record, representation::preview));
        BOOST_TEST_REQUIRE(preview.has_value());
        BOOST_TEST((preview->load()->view() == one.preview));
        // What a request has read is still there after it.
        BOOST_TEST_REQUIRE(await(store().read(record, which)).has_value());
        const bool is_in_memory = store().read_now(*record, which).has_value();
        BOOST_TEST_REQUIRE(await(store().read_aside(record, which)).has_value());
        BOOST_TEST(store().read_now(*record, which).has_value() == is_in_memory);
        must_save(with_bytes(one, size + 1, size / 2));
        const auto gone = await(store().read_aside(record, which));
        BOOST_TEST_REQUIRE(gone.has_error());
        BOOST_TEST((gone.error().code == errc::stale));
    }
}

BOOST_AUTO_TEST_CASE(fifty_mebibytes_come_back) {
    const auto large = make(tenant_number(1), "large", 50U << 20, 100);
    must_save(large);
    expect_stored(large);
    reopen();
    expect_stored(large);
    BOOST_TEST(erase(tenant_number(1), "large")->status == write_status::committed);
}

BOOST_AUTO_TEST_CASE(empty_previews_and_originals_are_bodies) {
    const auto empty = make(tenant_number(1), "empty", 0, 0);
    must_save(empty);
    expect_stored(empty);
    reopen();
    expect_stored(empty);
}

BOOST_AUTO_TEST_CASE(bodies_may_arrive_as_regions_of_files) {
    const auto path = folder() + ".bytes";
    const auto wanted = make(tenant_number(1), "from a file", 70'000, 900);
    std::ofstream(path, std::ios::binary) << "before" << wanted.original << wanted.preview << "behind";
    const auto file =
        std::make_shared<const gallery::file_handle>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ::unlink(path.c_str());
    const auto saved = await(store().save(wanted.record, file_region{file, 6, 70'000},
                                          file_region{file, 70'006, 900}, precondition::absent()));
    BOOST_TEST_REQUIRE(saved.has_value());
    BOOST_TEST(saved->status == write_status::committed);
    expect_stored(wanted);
    reopen();
    expect_stored(wanted);
}

BOOST_AUTO_TEST_CASE(a_slice_of_a_body_is_a_range_of_its_bytes) {
    for (const std::size_t size : {1000U, 100'000U}) {
        const auto wanted = make(tenant_number(1), "a", size);
        must_save(wanted);
        const auto whole = await(store().read(must_find(tenant_number(1), "a"), representation::original));
        BOOST_TEST_REQUIRE(whole.has_value());
        BOOST_TEST(whole->size() == size);
        const auto part = whole->slice(17, 500).load();
        BOOST_TEST_REQUIRE(part.has_value());
        BOOST_TEST(part->view() == std::string_view(wanted.original).substr(17, 500));
    }
}

BOOST_AUTO_TEST_CASE(a_body_in_hand_outlives_replacement_and_erasure) {
    for (const std::size_t size : {1000U, 100'000U}) {
        const auto wanted = make(tenant_number(1), "a", size);
        must_save(wanted);
        const auto held = await(store().read(must_find(tenant_number(1), "a"), representation::original));
        BOOST_TEST_REQUIRE(held.has_value());
        must_save(make(tenant_number(1), "a", size));
        erase(tenant_number(1), "a").value();
        const auto loaded = held->load();
        BOOST_TEST_REQUIRE(loaded.has_value());
        BOOST_TEST((loaded->view() == wanted.original));
    }
}

BOOST_AUTO_TEST_CASE(a_replaced_or_erased_record_is_stale) {
    const auto first = make(tenant_number(1), "a", 1000, 100);
    const auto old = must_save(first);
    const auto is_stale = [&](const record_ptr& record) {
        for (const auto which : {representation::original, representation::preview}) {
            const auto got = read(record, which);
            if (!got.has_error() || got.error().code != errc::stale) return false;
        }
        return true;
    };
    BOOST_TEST(read(old, representation::original).has_value());  // hot where an engine keeps bytes
    must_save(with_bytes(first, 1000, 100));
    BOOST_TEST(is_stale(old));
    const auto second = must_find(tenant_number(1), "a");
    erase(tenant_number(1), "a").value();
    BOOST_TEST(is_stale(second));
    must_save(first);  // the same bytes, but another save
    BOOST_TEST(is_stale(second));
    reopen();
    BOOST_TEST(is_stale(second));
}

BOOST_AUTO_TEST_CASE(a_record_from_before_an_update_can_still_be_read) {
    const auto wanted = make(tenant_number(1), "a");
    const auto before = must_save(wanted);
    auto changed = *before;
    changed.title = "changed";
    update(changed).value();
    const auto got = read(before, representation::original);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST((*got == wanted.original));
    reopen();
    BOOST_TEST((read(before, representation::preview).value() == wanted.preview));
    expect_stored([&] {
        auto now = wanted;
        now.record.title = "changed";
        return now;
    }());
}

BOOST_AUTO_TEST_CASE(bytes_equal_to_the_end_of_a_neighbour_are_kept_apart) {
    auto one = make(tenant_number(1), "one", 40'000, 40'000);
    auto two = with_bytes(make(tenant_number(1), "two"), 40'000, 40'000);
    two.original = one.original;  // equal bytes under two keys, and as original and preview
    two.record.original = one.record.original;
    two.preview = one.original;
    two.record.preview.etag = one.record.original.etag;
    must_save(one);
    must_save(two);
    expect_stored(one);
    expect_stored(two);
    erase(tenant_number(1), "one").value();
    expect_stored(two);
}

BOOST_AUTO_TEST_SUITE_END()
