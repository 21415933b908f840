// SPDX-License-Identifier: Apache-2.0
// What an engine answers and cannot be is an error before anybody makes use of it.
#include "plugins/measured_engine.hpp"

#include "await.hpp"
#include "boost_test.hpp"
#include "forwarding_store.hpp"
#include "plugins.hpp"
#include "plugins/probe.hpp"

#include <thread>

#include <fcntl.h>

namespace gallery::plugins::test {

using gallery::test::await;

namespace {

/// Answers as told, after it has done what was asked.
class twisted_store final : public bad::forwarding_store {
public:
    bool no_records = false;
    bool hollow_version = false;
    std::optional<write_status> status;
    std::optional<error> failure;
    std::function<body(const body&)> twist;
    std::function<void(documents_outcome&)> twist_documents;

    using forwarding_store::find;
    using forwarding_store::scan;
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override {
        return without(inner().find(tenant, std::move(key)));
    }
    task<result<record_ptr>> find_by_id(image_id id) override { return without(inner().find_by_id(id)); }
    task<result<record_ptr>> find_by_public_key(std::string public_key) override {
        return without(inner().find_by_public_key(std::move(public_key)));
    }
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override {
        if (no_records) return record_ptr();
        return inner().find_now(tenant, key);
    }
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override {
        if (no_records) return record_ptr();
        return inner().find_by_public_key_now(public_key);
    }
    task<result<body>> read(record_ptr record, representation which) override {
        auto got = co_await inner().read(std::move(record), which);
        if (got && twist) got = twist(*got);
        co_return got;
    }
    std::optional<body> read_now(const image_record& record, representation which) override {
        auto got = inner().read_now(record, which);
        if (got && twist) got = twist(*got);
        return got;
    }
    task<result<image_page>> list(image_query query) override {
        auto page = co_await inner().list(std::move(query));
        if (no_records) page->images.back() = nullptr;
        co_return page;
    }
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override {
        auto page = co_await inner().scan(tenant, std::move(cursor), limit);
        if (no_records && !page->items.empty()) page->items.back() = nullptr;
        co_return page;
    }
    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override {
        auto found = co_await inner().find_by_content(tenant, etag);
        if (no_records) found->push_back(nullptr);
        co_return found;
    }
    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id>, kept_order, std::string,
                                               std::size_t) override {
        co_return versions();
    }
    task<result<scan_page<kept_version>>> kept_of(image_id, std::string, std::size_t) override {
        co_return versions();
    }
    task<result<kept_version>> find_kept(image_id, revision) override { co_return kept_version{}; }
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        return twisted(inner().save(std::move(record), std::move(original), std::move(preview), rules));
    }
    task<result<write_outcome>> update(image_record record, precondition condition) override {
        return twisted(inner().update(std::move(record), condition));
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        return twisted(inner().erase(tenant, std::move(key), rules));
    }
    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override {
        return twisted(inner().save_kept(std::move(record), std::move(original), std::move(preview),
                                         kept_time, is_erased));
    }
    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        return twisted(inner().drop_kept(id, content_rev));
    }
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        auto outcome = co_await forwarding_store::write(std::move(parts));
        if (failure) co_return *failure;
        if (status) outcome->status = *status;
        if (twist_documents) twist_documents(*outcome);
        co_return outcome;
    }

private:
    [[nodiscard]] scan_page<kept_version> versions() const {
        scan_page<kept_version> page;
        if (hollow_version) page.items.emplace_back();
        return page;
    }
    task<result<record_ptr>> without(task<result<record_ptr>> asked) {
        auto found = co_await std::move(asked);
        if (failure) co_return *failure;
        if (no_records) found = record_ptr();
        co_return found;
    }
    task<result<write_outcome>> twisted(task<result<write_outcome>> asked) {
        auto outcome = co_await std::move(asked);
        if (failure) co_return *failure;
        if (no_records) outcome->record = nullptr;
        if (status) outcome->status = *status;
        co_return outcome;
    }
};

struct measured_fixture {
    measured_fixture() {
        auto made = std::make_unique<twisted_store>();
        engine = made.get();
        measured = std::make_unique<measured_engine>(std::move(made), "twisted");
        store = &measured->images();
        documents = &measured->documents();
        picture.id = image_id{random_uuid()};
        picture.tenant = tenant_id{random_uuid()};
        picture.key = "a.png";
        picture.public_key = std::string(32, 'p');
        picture.original = {"image/png", 1, 1, original.size(), sha256(original)};
        picture.preview = {"image/png", 1, 1, preview.size(), sha256(preview)};
        record = save().value().record;
    }

    result<write_outcome> save() {
        return await(store->save(picture, bytes::own(original), bytes::own(preview), precondition::any()));
    }

    /// Of an engine that does not keep the contract: says whose it is, and what was called.
    template <class T>
    static void expect_broken(const result<T>& answer, const std::string& call) {
        BOOST_TEST_CONTEXT(call) {
            BOOST_TEST_REQUIRE(answer.has_error());
            // Of a write nobody knows whether it happened.
            const bool is_write = std::is_same_v<T, write_outcome> || std::is_same_v<T, documents_outcome>;
            BOOST_TEST((answer.error().code == (is_write ? errc::unknown_outcome : errc::internal)));
            for (const auto& word : {std::string("twisted"), " " + call + "()"})
                BOOST_TEST(contains(answer.error().message, word), answer.error().message);
        }
    }

    std::string original = std::string(102, 'o');
    std::string preview = std::string(20, 'v');
    image_record picture;
    record_ptr record;
    twisted_store* engine = nullptr;
    std::unique_ptr<measured_engine> measured;
    image_store* store = nullptr;
    document_store* documents = nullptr;
};

// So many that some are measured and some are not.
constexpr unsigned often = 2 * measured_images::sample_rate;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(measured, measured_fixture)

BOOST_AUTO_TEST_CASE(sound_answers_are_handed_on) {
    for (unsigned i = 0; i < often; ++i) {
        const auto found = await(store->find(picture.tenant, picture.key));
        BOOST_TEST((**found == *record));
        BOOST_TEST((**store->find_now(picture.tenant, picture.key) == *record));
        BOOST_TEST(await(store->read(record, representation::preview))->load()->view() == preview);
        BOOST_TEST(store->read_now(*record, representation::original)->load()->view() == original);
    }
    auto as_original = *record;
    as_original.preview_is_original = true;
    as_original.preview = {};
    BOOST_TEST(store->read_now(as_original, representation::preview).has_value());
}

BOOST_AUTO_TEST_CASE(a_body_that_does_not_fit_its_record_is_corrupt_and_never_handed_on) {
    const auto file = std::make_shared<const file_handle>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::vector<std::pair<std::string, body>> bodies = {
        {"3 bytes", bytes::permanent("abc")},
        {"0 bytes", body()},
        {"103 bytes", bytes::own(std::string(103, 'x'))},
        {"101 bytes", file_region{file, 0, 101}},
        {"without bytes", file_region{nullptr, 0, 102}},
    };
    for (const auto& [found, wrong] : bodies) {
        BOOST_TEST_CONTEXT(found) {
            engine->twist = [&twisted = wrong](const body&) { return twisted; };
            for (unsigned i = 0; i < often; ++i) {
                const auto read = await(store->read(record, representation::original));
                BOOST_TEST_REQUIRE(read.has_error());
                BOOST_TEST((read.error().code == errc::corrupt));
                for (const auto& word : {found, std::string("twisted"), std::string("original"), picture.key,
                                         std::string("102")})
                    BOOST_TEST(contains(read.error().message, word), read.error().message);
                BOOST_TEST(!store->read_now(*record, representation::original).has_value());
            }
        }
    }
    engine->twist = [&](const body&) { return file_region{file, 7, 20}; };
    BOOST_TEST(await(store->read(record, representation::preview)).has_value());
    BOOST_TEST(store->read_now(*record, representation::preview).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_without_its_record_is_an_error_that_names_the_plugin) {
    engine->no_records = true;
    for (unsigned i = 0; i < often; ++i) {
        expect_broken(await(store->find(picture.tenant, picture.key)), "find");
        expect_broken(await(store->find_by_id(picture.id)), "find_by_id");
        expect_broken(await(store->find_by_public_key(picture.public_key)), "find_by_public_key");
        BOOST_TEST(!store->find_now(picture.tenant, picture.key).has_value());
        BOOST_TEST(!store->find_by_public_key_now(picture.public_key).has_value());
    }
    image_query query;
    query.tenant = picture.tenant;
    expect_broken(await(store->list(query)), "list");
    expect_broken(await(store->scan(picture.tenant, "", 10)), "scan");
    expect_broken(await(store->find_by_content(picture.tenant, picture.original.etag)), "find_by_content");
    engine->hollow_version = true;
    expect_broken(await(store->kept(picture.tenant, kept_order::newest_first, "", 10)), "kept");
    expect_broken(await(store->kept_of(picture.id, "", 10)), "kept_of");
    expect_broken(await(store->find_kept(picture.id, 1)), "find_kept");
    expect_broken(save(), "save");
    expect_broken(await(store->save_kept(picture, bytes::own(original), bytes::own(preview), 1, false)),
                  "save_kept");
    expect_broken(await(store->update(picture, precondition::any())), "update");
    // An erasure has no record.
    BOOST_TEST(await(store->erase(picture.tenant, picture.key, precondition::any())).has_value());
}

BOOST_AUTO_TEST_CASE(a_lost_write_needs_no_record) {
    engine->no_records = true;
    const auto lost =
        await(store->save(picture, bytes::own(original), bytes::own(preview), precondition::absent()));
    BOOST_TEST((lost.has_value() && lost->status == write_status::conflict));
}

BOOST_AUTO_TEST_CASE(a_status_that_is_none_is_an_error_that_names_the_plugin) {
    engine->status = static_cast<write_status>(9);
    expect_broken(save(), "save");
    expect_broken(await(store->update(picture, precondition::any())), "update");
    expect_broken(await(store->erase(picture.tenant, picture.key, precondition::any())), "erase");
    expect_broken(await(store->drop_kept(picture.id, 1)), "drop_kept");
    expect_broken(await(documents->save({"user", "u", "{}", 0}, precondition::any())), "write");
    engine->status = write_status::over_limit;
    expect_broken(await(documents->save({"user", "u", "{}", 0}, precondition::any())), "write");
}

BOOST_AUTO_TEST_CASE(an_outcome_that_does_not_fit_its_documents_is_an_error_that_names_the_plugin) {
    const auto write = [&] { return await(documents->save({"user", "u", "{}", 0}, precondition::any())); };
    engine->twist_documents = [](documents_outcome& outcome) { outcome.revs.clear(); };
    expect_broken(write(), "write");
    engine->twist_documents = [](documents_outcome& outcome) {
        outcome.status = write_status::conflict;
        outcome.failed = 1;
    };
    expect_broken(write(), "write");
    engine->twist_documents = {};
    BOOST_TEST(write().has_value());
}

BOOST_AUTO_TEST_CASE(every_operation_is_counted_whoever_answers_it_and_on_whichever_thread) {
    const auto total = [&](operation what) {
        std::uint64_t sum = 0;
        for (const auto n : measured->figures(what).counts)
            sum += n;
        return sum;
    };
    const auto found_before = total(operation::find);
    for (unsigned i = 0; i < 10; ++i) {
        (void)await(store->find(picture.tenant, picture.key));
        (void)store->find_now(picture.tenant, picture.key);
        (void)store->find_by_public_key_now(picture.public_key);
        (void)store->read_now(*record, representation::original);
    }
    // What is not in memory is counted by the coroutine that is asked then.
    (void)store->find_now(picture.tenant, "another");
    std::thread([&] { (void)store->find_now(picture.tenant, picture.key); }).join();
    BOOST_TEST(total(operation::find) - found_before == 31U);
    BOOST_TEST(total(operation::read) == 10U);
    BOOST_TEST(total(operation::save) == 1U);
    BOOST_TEST(measured->figures(operation::find).errors == 0U);
}

BOOST_AUTO_TEST_CASE(every_failure_is_counted_and_answers_are_none) {
    engine->no_records = true;
    for (unsigned i = 0; i < 70; ++i)
        (void)await(store->find(picture.tenant, picture.key));
    BOOST_TEST(measured->figures(operation::find).errors == 70U);
    engine->no_records = false;
    (void)await(store->find(picture.tenant, "not there"));
    BOOST_TEST(measured->figures(operation::find).errors == 70U);
}

BOOST_AUTO_TEST_CASE(a_write_that_failed_is_told_of) {
    int told = 0;
    measured->on_failed_write([&] { ++told; });
    (void)save();
    (void)await(store->find(picture.tenant, "not there"));
    BOOST_TEST(told == 0);
    engine->status = static_cast<write_status>(9);
    (void)save();
    (void)await(documents->save({"user", "u", "{}", 0}, precondition::any()));
    BOOST_TEST(told == 2);
}

BOOST_AUTO_TEST_CASE(a_write_that_failed_without_an_answer_has_an_unknown_outcome_and_a_read_has_not) {
    for (const auto code : {errc::io_error, errc::unavailable, errc::internal}) {
        engine->failure = error{code, "the disk did not confirm"};
        BOOST_TEST((save().error().code == errc::unknown_outcome));
        const auto saved = await(documents->save({"user", "u", "{}", 0}, precondition::any()));
        BOOST_TEST((saved.error().code == errc::unknown_outcome));
        BOOST_TEST(contains(saved.error().message, "did not confirm"), saved.error().message);
        BOOST_TEST((await(store->find(picture.tenant, picture.key)).error().code == code));
    }
    for (const auto code : {errc::no_space, errc::read_only, errc::busy, errc::invalid_argument}) {
        engine->failure = error{code, "nothing was changed"};
        BOOST_TEST((save().error().code == code));
    }
}

BOOST_AUTO_TEST_CASE(the_probe_survives_answers_without_records) {
    engine->no_records = true;
    const auto probed = probe(std::move(measured), false, std::chrono::seconds(60));
    BOOST_TEST_REQUIRE(probed.has_error());
    BOOST_TEST(contains(probed.error().message, "saving an image"), probed.error().message);
    BOOST_TEST(contains(probed.error().message, "twisted"), probed.error().message);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::plugins::test
