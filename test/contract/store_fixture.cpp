// SPDX-License-Identifier: Apache-2.0
#include "store_fixture.hpp"

#include <exception>
#include <iterator>
#include <ostream>

namespace gallery {

std::ostream& operator<<(std::ostream& out, errc code) {
    return out << to_string(code);
}

std::ostream& operator<<(std::ostream& out, write_status status) {
    constexpr const char* names[] = {"committed", "conflict", "absent", "public_key_taken", "over_limit"};
    const auto number = static_cast<std::size_t>(status);
    if (number >= std::size(names)) return out << "the status " << number << ", which is none";
    return out << names[number];
}

}  // namespace gallery

namespace gallery::contract {

tenant_id tenant_number(unsigned number) {
    tenant_id id;
    id.value.data[0] = 0x70;
    id.value.data[14] = static_cast<std::uint8_t>(number >> 8);
    id.value.data[15] = static_cast<std::uint8_t>(number);
    return id;
}

bool same_but_revisions(image_record a, image_record b) {
    a.rev = a.content_rev = b.rev = b.content_rev = 0;
    return a == b;
}

store_fixture::store_fixture() : random(under_test().seed) {
    auto opened = open_store(folder());
    BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open: " << opened.error().message);
    engine_ = std::move(*opened);
}

store_fixture::~store_fixture() {
    if (!engine_ || !checked_at_end_) return;
    try {
        expect_sound();
    } catch (const std::exception& e) {
        BOOST_ERROR(e.what());
    }
}

void store_fixture::reopen() {
    if (!durable()) return;
    engine_.reset();
    auto opened = open_store(folder());
    BOOST_REQUIRE_MESSAGE(opened.has_value(), "the store did not open again: " << opened.error().message);
    engine_ = std::move(*opened);
}

void store_fixture::expect_sound() {
    const auto report = await(engine().check());
    // Not required: a destructor asks, out of which a failed requirement would end the process.
    BOOST_CHECK_MESSAGE(report.has_value(), "check: " << report.error().message);
    if (!report) return;
    for (const auto& problem : report->problems)
        BOOST_ERROR("check found: " << problem);
}

std::string store_fixture::random_bytes(std::size_t size) {
    std::string text(size + 8, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
        const auto word = random();
        std::memcpy(text.data() + i, &word, 8);
    }
    text.resize(size);
    return text;
}

uuid store_fixture::random_id() {
    uuid id{};
    for (auto& byte : id)
        byte = static_cast<std::uint8_t>(random());
    return id;
}

std::string store_fixture::random_public_key() {
    static constexpr std::string_view letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::string key(32, ' ');
    for (auto& c : key)
        c = letters[number(letters.size())];
    return key;
}

image store_fixture::make(tenant_id tenant, std::string key, std::size_t size, std::size_t preview_size) {
    image made;
    made.record.id = image_id{random_id()};
    made.record.tenant = tenant;
    made.record.title = "Title of " + key;
    made.record.file_name = key;
    made.record.key = std::move(key);
    made.record.is_public = number(2) == 1;
    made.record.public_key = random_public_key();
    made.record.created_time = static_cast<std::int64_t>(1'700'000'000'000 + number(1'000'000'000));
    made.record.modified_time = made.record.created_time + static_cast<std::int64_t>(number(1'000'000));
    for (const auto* tag : {"blue", "logo", "\xc3\xa4"})
        if (number(2) == 1) made.record.tags.emplace_back(tag);
    return with_bytes(std::move(made), size, preview_size);
}

image store_fixture::with_bytes(image base, std::size_t size, std::size_t preview_size) {
    base.original = random_bytes(size);
    base.preview = random_bytes(preview_size);
    base.record.original = {"image/jpeg", 640, 480, size, sha256(base.original)};
    base.record.preview = {"image/png", 250, 188, preview_size, sha256(base.preview)};
    base.record.preview_is_original = false;
    return base;
}

result<record_ptr> store_fixture::find(tenant_id tenant, std::string key) {
    return await(store().find(tenant, std::move(key)));
}

result<write_outcome> store_fixture::save(const image& what, write_rules rules) {
    return await(store().save(what.record, bytes::own(what.original), bytes::own(what.preview), rules));
}

result<write_outcome> store_fixture::update(const image_record& record, precondition condition) {
    return await(store().update(record, condition));
}

result<write_outcome> store_fixture::erase(tenant_id tenant, std::string key, write_rules rules) {
    return await(store().erase(tenant, std::move(key), rules));
}

result<image_page> store_fixture::list(const image_query& query) {
    return await(store().list(query));
}

result<write_outcome> store_fixture::save_document(document doc, precondition condition) {
    return await(documents().save(std::move(doc), condition));
}

result<std::string> store_fixture::read(record_ptr record, representation which) {
    auto got = await(store().read(std::move(record), which));
    if (!got) return got.error();
    if (got->region() != nullptr && got->region()->file == nullptr)
        return error{errc::internal, "the body is a region of a file that is null"};
    const auto loaded = got->load();
    if (!loaded) return error{errc::io_error, "the body could not be loaded"};
    return std::string(loaded->view());
}

std::vector<record_ptr> store_fixture::scan_all(std::optional<tenant_id> tenant, std::size_t limit) {
    return all_pages<record_ptr>(
        limit, [&](const std::string& cursor) { return await(store().scan(tenant, cursor, limit)); });
}

std::vector<change> store_fixture::changes_after(revision after, std::size_t limit) {
    std::vector<change> all;
    for (;;) {
        auto batch = await(feed().changes(after, limit));
        BOOST_REQUIRE_MESSAGE(batch.has_value(), "changes: " << batch.error().message);
        BOOST_TEST_REQUIRE(!batch->gap);
        BOOST_TEST_REQUIRE(batch->changes.size() <= limit);
        if (batch->changes.empty()) return all;
        BOOST_TEST_REQUIRE(batch->next == batch->changes.back().rev);
        for (const auto& one : batch->changes) {
            BOOST_TEST_REQUIRE(one.rev > after);
            after = one.rev;
            all.push_back(one);
        }
    }
}

revision store_fixture::last_change() {
    const auto last = await(feed().last());
    BOOST_REQUIRE_MESSAGE(last.has_value(), "last_change: " << last.error().message);
    return *last;
}

record_ptr store_fixture::must_save(const image& what, write_rules rules) {
    const auto outcome = save(what, rules);
    BOOST_REQUIRE_MESSAGE(outcome.has_value(), "save: " << outcome.error().message);
    BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
    BOOST_TEST_REQUIRE(outcome->rev != 0U);
    BOOST_TEST_REQUIRE((outcome->record != nullptr));
    BOOST_TEST(outcome->record->rev == outcome->rev);
    BOOST_TEST(outcome->record->content_rev == outcome->rev);
    BOOST_TEST(same_but_revisions(*outcome->record, what.record));
    return outcome->record;
}

record_ptr store_fixture::must_find(tenant_id tenant, std::string key) {
    const auto found = find(tenant, std::move(key));
    BOOST_REQUIRE_MESSAGE(found.has_value(), "find: " << found.error().message);
    return *found;
}

void store_fixture::expect_stored(const image& wanted) {
    BOOST_TEST_CONTEXT("key of " << wanted.record.key.size() << " bytes: " << wanted.record.key) {
        const auto found = must_find(wanted.record.tenant, wanted.record.key);
        BOOST_TEST(same_but_revisions(*found, wanted.record));
        const auto by_id = await(store().find_by_id(wanted.record.id));
        BOOST_TEST((by_id.has_value() && **by_id == *found));
        const auto by_public_key = await(store().find_by_public_key(wanted.record.public_key));
        BOOST_TEST((by_public_key.has_value() && **by_public_key == *found));
        const auto original = read(found, representation::original);
        BOOST_TEST((original.has_value() && *original == wanted.original));
        const auto preview = read(found, representation::preview);
        BOOST_TEST((preview.has_value() &&
                    *preview == (wanted.record.preview_is_original ? wanted.original : wanted.preview)));
    }
}

void store_fixture::expect_absent(const image& gone) {
    const auto is_not_found = [](const auto& outcome) {
        return outcome.has_error() && outcome.error().code == errc::not_found;
    };
    BOOST_TEST(is_not_found(find(gone.record.tenant, gone.record.key)));
    BOOST_TEST(is_not_found(await(store().find_by_id(gone.record.id))));
    BOOST_TEST(is_not_found(await(store().find_by_public_key(gone.record.public_key))));
}

}  // namespace gallery::contract
