// SPDX-License-Identifier: Apache-2.0
#include "gallery_fixture.hpp"

#include "images/system_images.hpp"

#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <atomic>
#include <barrier>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

using namespace gallery;
using gallery::test::may_write;
using test::await;

namespace {

struct packaged_fixture : test::gallery_fixture {
    test::scratch_folder folder;

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder.path() / name) << text;
    }
    void package(int version) const {
        write("one.png", "PICTURE one v" + std::to_string(version));
        write("two.png", "PICTURE two v" + std::to_string(version));
        const auto v = std::to_string(version);
        write("index.json", R"([{"file":"one.png","title":"One","subType":"IMAGE","version":)" + v +
                                R"(},{"file":"two.png","title":"Two","subType":"SCADA_SYMBOL","version":)" +
                                v + "}]");
    }
    images::installed_images install() {
        return await(images::install_system_images(gallery, *store, engine->documents(), folder.path()))
            .value();
    }
    /// What a kill leaves that comes after the pictures were written and before that was noted.
    void forget_the_notes_since(const std::vector<document>& before) {
        for (const char* id : {"one_png", "two_png"})
            await(engine->documents().erase("system_image", id, precondition::any())).value();
        for (const auto& note : before)
            await(engine->documents().save(note, precondition::any())).value();
    }
    std::vector<document> notes() {
        return await(engine->documents().scan("system_image", "", 10)).value().items;
    }
    record_ptr system(const std::string& key) {
        auto found = await(gallery.find(may_write(system_tenant), key));
        return found ? *found : nullptr;
    }
};

const images::record_check unchecked;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(system_images, packaged_fixture)

BOOST_AUTO_TEST_CASE(they_are_installed_once) {
    package(1);
    BOOST_TEST(install().installed == 2U);
    BOOST_TEST(system("one.png")->title == "One");
    BOOST_TEST((system("two.png")->sub_type == image_sub_type::scada_symbol));
    const auto again = install();
    BOOST_TEST(again.installed == 0U);
    BOOST_TEST(again.kept == 2U);
}

BOOST_AUTO_TEST_CASE(servers_that_start_at_once_install_each_once) {
    package(1);
    const tenant_id demo{random_uuid()};
    constexpr int servers = 4;
    std::barrier together(servers);
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    std::atomic<std::size_t> problems{0};
    for (int i = 0; i < servers; ++i) {
        threads.emplace_back([&] {
            together.arrive_and_wait();
            const auto system =
                await(images::install_system_images(gallery, *store, engine->documents(), folder.path()));
            together.arrive_and_wait();
            const auto samples = await(images::install_samples(gallery, demo, folder.path(), 12));
            failures += system && samples ? 0 : 1;
            if (system && samples) problems += system->problems.size() + samples->problems.size();
        });
    }
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(failures == 0);
    BOOST_TEST(problems == 0U);
    BOOST_TEST(await(store->usage(system_tenant)).value().images.count == 2U);
    // Of the two pictures one is a SCADA symbol, which is no sample.
    BOOST_TEST(await(store->usage(demo)).value().images.count == 1U);
    BOOST_TEST(notes().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_later_version_updates_what_is_as_it_was_installed) {
    package(1);
    install();
    package(2);
    BOOST_TEST(install().updated == 2U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v2");
    package(3);
    BOOST_TEST(install().updated == 2U);
    BOOST_TEST(install().kept == 2U);
}

BOOST_AUTO_TEST_CASE(a_later_version_updates_them_in_a_copy_of_the_store_too) {
    package(1);
    install();
    await(gallery.rename(may_write(system_tenant), "two.png", "Mine", unchecked)).value();
    // As a copy stores them, with other revisions.
    for (const char* key : {"one.png", "two.png"}) {
        const auto record = system(key);
        const auto bytes_of = [&](representation which) { return await(store->read(record, which)).value(); };
        const auto copied = await(store->save(*record, bytes_of(representation::original),
                                              bytes_of(representation::preview), precondition::any()));
        BOOST_REQUIRE(copied.has_value());
        BOOST_REQUIRE(copied->rev != record->rev);
    }
    package(2);
    const auto found = install();
    BOOST_TEST(found.updated == 1U);
    BOOST_TEST(found.kept == 1U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v2");
    BOOST_TEST(content(system("two.png")) == "PICTURE two v1");
}

BOOST_AUTO_TEST_CASE(what_an_earlier_version_of_the_server_recorded_is_completed) {
    package(1);
    install();
    for (auto note : notes()) {
        const auto from = note.body.find("\"state\"");
        BOOST_REQUIRE(from != std::string::npos);
        note.body.erase(from, note.body.find(',', from) + 1 - from);
        await(engine->documents().save(note, precondition::any())).value();
    }
    BOOST_TEST(install().kept == 2U);
    for (const auto& note : notes())
        BOOST_TEST(note.body.find("\"state\"") != std::string::npos);
    package(2);
    BOOST_TEST(install().updated == 2U);
}

BOOST_AUTO_TEST_CASE(what_was_changed_before_its_state_was_recorded_stays_so_in_a_copy_too) {
    package(1);
    install();
    await(gallery.rename(may_write(system_tenant), "one.png", "Mine", unchecked)).value();
    await(gallery.erase(may_write(system_tenant), "two.png", unchecked)).value();
    const auto forget_state = [&] {
        for (auto note : notes()) {
            const auto from = note.body.find("\"state\"");
            note.body.erase(from, note.body.find(',', from) + 1 - from);
            await(engine->documents().save(note, precondition::any())).value();
        }
    };
    forget_state();
    install();
    // By chance, the copy has the recorded revision.
    for (auto note : notes()) {
        const auto from = note.body.find("\"revision\"");
        note.body.replace(from, std::string::npos,
                          "\"revision\":" + std::to_string(system("one.png")->rev) + "}");
        await(engine->documents().save(note, precondition::any())).value();
    }
    package(2);
    BOOST_TEST(install().kept == 2U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v1");
}

BOOST_AUTO_TEST_CASE(what_the_administrator_changed_or_deleted_stays_so) {
    package(1);
    install();
    await(gallery.rename(may_write(system_tenant), "one.png", "Mine", unchecked)).value();
    await(gallery.erase(may_write(system_tenant), "two.png", unchecked)).value();
    package(2);
    BOOST_TEST(install().kept == 2U);
    BOOST_TEST(system("one.png")->title == "Mine");
    BOOST_TEST(content(system("one.png")) == "PICTURE one v1");
    BOOST_TEST(!system("two.png"));
}

BOOST_AUTO_TEST_CASE(a_crash_before_the_note_of_an_installation_does_not_end_the_updates) {
    package(1);
    install();
    forget_the_notes_since({});
    install();
    BOOST_TEST(notes().size() == 2U);
    package(2);
    BOOST_TEST(install().updated == 2U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v2");
}

BOOST_AUTO_TEST_CASE(a_crash_before_the_note_of_an_update_does_not_end_the_updates) {
    package(1);
    install();
    const auto of_the_first = notes();
    package(2);
    install();
    forget_the_notes_since(of_the_first);
    install();
    package(3);
    BOOST_TEST(install().updated == 2U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v3");
}

BOOST_AUTO_TEST_CASE(what_the_administrator_changed_after_such_a_crash_stays_so) {
    package(1);
    install();
    forget_the_notes_since({});
    await(gallery.rename(may_write(system_tenant), "one.png", "Mine", unchecked)).value();
    BOOST_TEST(install().kept == 1U);
    package(2);
    BOOST_TEST(install().kept == 1U);
    BOOST_TEST(content(system("one.png")) == "PICTURE one v1");
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_installed_does_not_keep_the_others_out) {
    package(1);
    write("one.png", "words");
    const auto report = install();
    BOOST_TEST(report.installed == 1U);
    BOOST_TEST(report.problems.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_folder_without_an_index_is_an_error_that_names_it) {
    const auto got =
        await(images::install_system_images(gallery, *store, engine->documents(), folder.path()));
    BOOST_REQUIRE(got.has_error());
    BOOST_TEST(got.error().message.find(folder.path().string()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(samples_are_for_an_empty_gallery_only) {
    package(1);
    BOOST_TEST(await(images::install_samples(gallery, tenant, folder.path(), 5)).value().installed == 1U);
    BOOST_TEST(await(images::install_samples(gallery, tenant, folder.path(), 5)).value().installed == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
