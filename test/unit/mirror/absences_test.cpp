// SPDX-License-Identifier: Apache-2.0
// What an engine has taken out of service is not found, and is not erased in the copy.
#include "stores.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace gallery::mirror::test {

namespace {

namespace fs = std::filesystem;

void break_file(const fs::path& file) {
    BOOST_REQUIRE_MESSAGE(fs::exists(file), file);
    std::ofstream(file, std::ios::trunc) << "{";
}

/// The engine takes the image out of service when it opens the store again.
void lose_image(scratch_store& store, const tenant_id& of, const std::string& key) {
    store.close();
    break_file(store.folder() / to_string(of) / key / "record.json");
    store.reopen();
    BOOST_REQUIRE(await(store->images().find(of, key)).has_error());
}

bool has_image(storage_engine& store, const tenant_id& of, const std::string& key) {
    return await(store.images().find(of, key)).has_value();
}

bool has_document(storage_engine& store, const std::string& kind, const std::string& id) {
    return await(store.documents().find(kind, id)).has_value();
}

/// Copies all, and returns the copier.
std::unique_ptr<copier> run(storage_engine& source, storage_engine& target) {
    auto all = std::make_unique<copier>(source, target, "the source", small_pages());
    require(await(all->begin(false)));
    require(await(all->copy_all()));
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(entries_out_of_service)

BOOST_AUTO_TEST_CASE(an_image_is_kept_in_the_copy_and_counts_as_damage) {
    scratch_store source("filesystem");
    scratch_store target("memory");
    fill(*source);
    run(*source, *target);
    lose_image(source, tenant(1), "key-1");
    // The feed says of others that they were erased.
    erase(*source, tenant(2), "key-2");
    auto all = run(*source, *target);
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));
    BOOST_TEST(!has_image(*target, tenant(2), "key-2"));
    BOOST_TEST(all->done().damaged == 1U);
    BOOST_REQUIRE(all->problems().size() == 1U);
    BOOST_TEST(mentions(all->problems(), "'key-1'"));
    BOOST_TEST(bool(await(all->complete(false)).error().code == errc::corrupt));

    // While it follows.
    erase(*source, tenant(2), "key-5");
    save(*source, make_picture(tenant(1), "key-4", "another text"));
    require(await(all->copy_all()));
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));
    BOOST_TEST(!has_image(*target, tenant(2), "key-5"));
    BOOST_TEST(all->done().damaged == 1U);

    // Without it, only if that is asked for; and even then the good copy is kept.
    const auto compared = await(compare(all->shared(), {})).value();
    for (const auto& text : compared.problems)
        BOOST_ERROR(text);
    BOOST_TEST(compared.known_damage.size() == 1U);
    require(await(all->complete(true)));
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));

    // Until the operator has dealt with it.
    source.close();
    fs::remove_all(source.folder() / ".gallery/set-aside");
    source.reopen();
    all = run(*source, *target);
    require(await(all->complete(false)));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(an_image_that_was_never_copied_counts_as_damage) {
    scratch_store source("filesystem");
    scratch_store target("memory");
    fill(*source, 10);
    lose_image(source, tenant(1), "key-1");
    const auto all = run(*source, *target);
    BOOST_TEST(all->done().damaged == 1U);
    BOOST_TEST(mentions(all->problems(), "1 entry of the source cannot be read"));
    BOOST_TEST(bool(await(all->complete(false)).error().code == errc::corrupt));
    // It is uploaded again, and the entry is still there.
    save(*source, make_picture(tenant(1), "key-1", "again"));
    require(await(all->copy_all()));
    BOOST_TEST(all->done().damaged == 1U);
}

BOOST_AUTO_TEST_CASE(documents_and_kept_versions_are_kept_in_the_copy) {
    scratch_store source("filesystem");
    scratch_store target("memory");
    fill(*source);
    run(*source, *target);
    const auto versions = all_kept(*target).size();
    source.close();
    break_file(source.folder() / ".gallery/accounts/user/id-2.json");
    int broken = 0;
    for (const auto& one : fs::directory_iterator(source.folder() / to_string(tenant(1)))) {
        if (broken > 0 || !one.path().filename().string().starts_with(".kept-")) continue;
        break_file(one.path() / "record.json");
        ++broken;
    }
    BOOST_REQUIRE(broken == 1);
    source.reopen();
    BOOST_REQUIRE(!has_document(*source, "user", "id-2"));
    BOOST_REQUIRE(all_kept(*source).size() == versions - 1);
    BOOST_REQUIRE(await(source->documents().erase("user", "id-4", precondition::any())).has_value());
    const auto all = run(*source, *target);
    BOOST_TEST(has_document(*target, "user", "id-2"));
    BOOST_TEST(!has_document(*target, "user", "id-4"));
    BOOST_TEST(all_kept(*target).size() == versions);
    BOOST_TEST(all->done().damaged == 2U);
    BOOST_TEST(mentions(all->problems(), "user/id-2"));
    BOOST_TEST(mentions(all->problems(), "a kept version"));
    const auto compared = await(compare(all->shared(), {})).value();
    for (const auto& text : compared.problems)
        BOOST_ERROR(text);
    // Which version was dropped is not known then.
    const auto dropped = all_kept(*source).front().record;
    BOOST_REQUIRE(await(source->images().drop_kept(dropped->id, dropped->content_rev)).has_value());
    require(await(all->copy_all()));
    BOOST_TEST(all_kept(*target).size() == versions);
    BOOST_TEST(all->done().damaged == 3U);
}

BOOST_AUTO_TEST_CASE(an_image_does_not_give_its_public_key_to_another_one) {
    scratch_store source("filesystem");
    scratch_store target("memory");
    fill(*source, 10);
    run(*source, *target);
    const auto lost = *await(source->images().find(tenant(1), "key-1")).value();
    const auto moved = *await(source->images().find(tenant(2), "key-2")).value();
    lose_image(source, tenant(1), "key-1");
    auto other = make_picture(tenant(1), "with its public key", "another image");
    other.record.public_key = lost.public_key;
    save(*source, other);
    // That of an image that was erased moves.
    erase(*source, tenant(2), "key-2");
    auto next = make_picture(tenant(1), "another", "yet another image");
    next.record.public_key = moved.public_key;
    save(*source, next);
    const auto all = run(*source, *target);
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));
    BOOST_TEST(!has_image(*target, tenant(1), "with its public key"));
    BOOST_TEST(has_image(*target, tenant(1), "another"));
    BOOST_TEST(mentions(all->problems(), "'with its public key'"));
    BOOST_TEST(all->done().damaged == 2U);
}

BOOST_AUTO_TEST_CASE(a_change_of_an_image_that_is_not_found_removes_nothing) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store lossy(*source);
    const auto all = run(lossy, *target);
    save(*source, make_picture(tenant(1), "key-1", "newer"));
    lossy.faulty.on_find = [](const std::string& key) -> std::optional<error> {
        if (key == "key-1") return error{errc::not_found, "no such image"};
        return std::nullopt;
    };
    require(await(all->copy_all()));
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));
    // The erasure comes in a later batch.
    lossy.faulty.on_find = nullptr;
    erase(*source, tenant(1), "key-1");
    require(await(all->copy_all()));
    BOOST_TEST(!has_image(*target, tenant(1), "key-1"));
    check_same(*source, *target);
}

BOOST_AUTO_TEST_CASE(an_engine_without_the_figure_is_checked_once_and_only_if_something_is_missing) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store foreign(*source);
    run(foreign, *target);
    BOOST_TEST(foreign.checks == 0);
    foreign.faulty.on_find = [](const std::string& key) -> std::optional<error> {
        if (key == "key-1" || key == "key-2") return error{errc::not_found, "no such image"};
        return std::nullopt;
    };
    foreign.problem = "the image 'key-1' was set aside";
    const auto all = run(foreign, *target);
    BOOST_TEST(foreign.checks == 1);
    BOOST_TEST(has_image(*target, tenant(1), "key-1"));
    BOOST_TEST(all->done().damaged == 2U);
    BOOST_TEST(mentions(all->problems(), foreign.problem));

    foreign.problem.clear();
    BOOST_TEST(run(foreign, *target)->done().damaged == 0U);
    BOOST_TEST(foreign.checks == 2);
    BOOST_TEST(!has_image(*target, tenant(1), "key-1"));
}

BOOST_AUTO_TEST_CASE(an_engine_without_the_figure_is_not_checked_while_it_is_written) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store foreign(*source);
    run(foreign, *target);
    save(*target, make_picture(tenant(1), "only here", "surplus"));
    erase(*source, tenant(2), "key-2");
    auto options = small_pages();
    options.is_source_written = true;
    copier all(foreign, *target, "the source", std::move(options));
    require(await(all.begin(false)));
    require(await(all.copy_all()));
    BOOST_TEST(foreign.checks == 0);
    BOOST_TEST(has_image(*target, tenant(1), "only here"));
    BOOST_TEST(!has_image(*target, tenant(2), "key-2"));
    BOOST_TEST(all.done().damaged == 1U);
    BOOST_TEST(mentions(all.problems(), "does not report"));
}

BOOST_AUTO_TEST_CASE(an_engine_that_reports_nothing_out_of_service_is_not_checked) {
    scratch_store source("memory");
    scratch_store target("memory");
    fill(*source);
    faulty_store sound(*source);
    sound.set_aside = 0;
    run(sound, *target);
    save(*target, make_picture(tenant(1), "only here", "surplus"));
    BOOST_TEST(run(sound, *target)->done().damaged == 0U);
    BOOST_TEST(!has_image(*target, tenant(1), "only here"));
    BOOST_TEST(sound.checks == 0);
}

BOOST_AUTO_TEST_CASE(what_a_copy_had_set_aside_and_was_copied_again_is_no_damage_when_it_is_a_source) {
    scratch_store source("memory");
    scratch_store copy("filesystem");
    scratch_store restored("memory");
    fill(*source);
    require(await(run(*source, *copy)->complete(false)));
    lose_image(copy, tenant(1), "key-1");
    require(await(run(*source, *copy)->complete(false)));
    check_same(*source, *copy);
    const auto all = run(*copy, *restored);
    BOOST_TEST(all->done().damaged == 0U);
    require(await(all->complete(false)));
    check_same(*source, *restored);
    // Only what it has lost since.
    lose_image(copy, tenant(2), "key-2");
    BOOST_TEST(run(*copy, *restored)->done().damaged == 1U);
    BOOST_TEST(has_image(*restored, tenant(2), "key-2"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::mirror::test
