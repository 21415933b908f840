// SPDX-License-Identifier: Apache-2.0
#include "gallery_fixture.hpp"

#include "images/keys.hpp"
#include "images/resource_export.hpp"

#include "boost_test.hpp"
#include "forwarding_store.hpp"

#include <boost/asio/co_spawn.hpp>

#include <set>

using namespace gallery;
using gallery::test::may_write;
using test::await;

namespace {

const images::record_check unchecked;

images::resource_export exported(const std::string& key, const std::string& content) {
    images::resource_export made;
    made.resource_key = key;
    made.file_name = key;
    made.title = "title of " + key;
    made.data.assign(content.begin(), content.end());
    made.digest = sha256(content);
    return made;
}

/// A reference store that loses writes for no reason.
class refusing_store final : public bad::forwarding_store {
public:
    write_status status = write_status::conflict;
    unsigned refusals = ~0U;  ///< so many, then it does what it is asked
    unsigned saves = 0;

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        ++saves;
        if (saves > 10'000) throw std::logic_error("asked without end");
        if (saves <= refusals) co_return write_outcome{status, 7, nullptr};
        co_return co_await inner().save(std::move(record), std::move(original), std::move(preview), rules);
    }
};

struct refusing_fixture : test::gallery_fixture {
    refusing_fixture() {
        auto made = std::make_unique<refusing_store>();
        refusing = made.get();
        refused = std::move(made);
    }
    result<record_ptr> upload_refused() {
        images::new_image image;
        image.file = file("logo.png", "PICTURE");
        images::image_service refused_gallery{*refused, etags, test::inspect_by_prefix};
        return await(refused_gallery.upload(may_write(tenant), std::move(image)));
    }

    std::unique_ptr<image_store> refused;
    refusing_store* refusing = nullptr;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(image_uses, test::gallery_fixture)

BOOST_AUTO_TEST_CASE(an_upload_has_everything_that_its_bytes_say) {
    const auto record = upload("a.png").value();
    BOOST_TEST(record->key == "a.png");
    BOOST_TEST(record->title == "a.png");
    BOOST_TEST(record->is_public);
    BOOST_TEST(images::is_public_key(record->public_key));
    BOOST_TEST(record->original.media_type == "image/png");
    BOOST_TEST(record->original.size == 7U);
    BOOST_TEST((record->original.etag == sha256(std::string("PICTURE"))));
    BOOST_TEST(content(record) == "PICTURE");
    BOOST_TEST(content(record, representation::preview) == "preview of PICTURE");
    BOOST_TEST((record->preview.etag == sha256(std::string("preview of PICTURE"))));
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_stores_nothing) {
    BOOST_TEST((upload("a.png", "words").error().code == errc::not_an_image));
    BOOST_TEST((await(gallery.find(may_write(tenant), "a.png")).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(simultaneous_uploads_of_one_name_get_all_the_numbers) {
    asio::io_context context;
    std::set<std::string> keys;
    for (int i = 0; i < 16; ++i) {
        images::new_image image;
        image.file = file("logo.png", "PICTURE " + std::to_string(i));
        asio::co_spawn(context, gallery.upload(may_write(tenant), std::move(image)),
                       [&](std::exception_ptr, result<record_ptr> got) { keys.insert(got.value()->key); });
    }
    context.run();
    BOOST_TEST(keys.size() == 16U);
    BOOST_TEST(keys.contains("logo.png"));
    for (int i = 1; i < 16; ++i)
        BOOST_TEST(keys.contains("logo_(" + std::to_string(i) + ").png"));
}

BOOST_FIXTURE_TEST_CASE(a_store_that_refuses_a_free_key_for_ever_is_an_error, refusing_fixture) {
    const auto uploaded = upload_refused();
    BOOST_TEST_REQUIRE(uploaded.has_error());
    BOOST_TEST((uploaded.error().code == errc::internal));
    BOOST_TEST(uploaded.error().message.find("'logo.png'") != std::string::npos, uploaded.error().message);
    BOOST_TEST(refusing->saves < 100U);
}

BOOST_FIXTURE_TEST_CASE(an_upload_that_loses_a_key_which_is_free_again_takes_it, refusing_fixture) {
    refusing->refusals = 20;
    const auto uploaded = upload_refused();
    BOOST_TEST_REQUIRE(uploaded.has_value());
    BOOST_TEST((*uploaded)->key == "logo.png");
}

BOOST_FIXTURE_TEST_CASE(a_status_that_a_save_does_not_have_is_an_error, refusing_fixture) {
    for (const auto status : {write_status::absent, static_cast<write_status>(9)}) {
        refusing->status = status;
        refusing->saves = 0;
        const auto uploaded = upload_refused();
        BOOST_TEST_REQUIRE(uploaded.has_error());
        BOOST_TEST((uploaded.error().code == errc::internal));
        BOOST_TEST(refusing->saves == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_replacement_keeps_what_the_image_is_known_by) {
    const auto before = upload("a.png").value();
    await(gallery.rename(may_write(tenant), "a.png", "Renamed", unchecked)).value();
    const auto after =
        await(gallery.replace(may_write(tenant), "a.png", file("b.png", "PICTURE 2"), unchecked)).value();
    BOOST_TEST((after->id == before->id));
    BOOST_TEST(after->key == "a.png");
    BOOST_TEST(after->title == "Renamed");
    BOOST_TEST(after->public_key == before->public_key);
    BOOST_TEST(after->created_time == before->created_time);
    BOOST_TEST(after->file_name == "b.png");
    BOOST_TEST(content(after) == "PICTURE 2");
}

BOOST_AUTO_TEST_CASE(a_check_that_fails_changes_nothing) {
    const auto before = upload("a.png").value();
    const images::record_check refuse = [](const image_record*) -> result<void> {
        return error{errc::precondition_failed, "no"};
    };
    BOOST_TEST((
        await(gallery.replace(may_write(tenant), "a.png", file("a.png", "PICTURE 2"), refuse)).error().code ==
        errc::precondition_failed));
    BOOST_TEST(
        (await(gallery.erase(may_write(tenant), "a.png", refuse)).error().code == errc::precondition_failed));
    BOOST_TEST((await(gallery.rename(may_write(tenant), "a.png", "New", refuse)).error().code ==
                errc::precondition_failed));
    BOOST_TEST((await(gallery.publish(may_write(tenant), "a.png", false, refuse)).error().code ==
                errc::precondition_failed));
    for (const auto* key : {"a.png", "new.png"}) {
        const auto imported = await(gallery.import(may_write(tenant), exported(key, "PICTURE 3"), refuse));
        BOOST_TEST((imported.error().code == errc::precondition_failed), key);
    }
    BOOST_TEST(await(gallery.find(may_write(tenant), "a.png")).value()->rev == before->rev);
}

BOOST_AUTO_TEST_CASE(every_write_forgets_the_etags_before_it_is_acknowledged) {
    const auto record = upload("a.png").value();
    const auto by_key = cache::etag_key::image(tenant, "a.png", representation::original);
    const auto by_link = cache::etag_key::link(record->public_key, representation::original);
    const auto now = std::chrono::steady_clock::now();
    const auto remember = [&] {
        for (const auto& key : {by_key, by_link})
            BOOST_REQUIRE(
                etags.complete_fill(etags.begin_fill(key), key, {.digest = record->original.etag}, now));
    };
    const auto forgotten = [&] { return !etags.find(by_key, now) && !etags.find(by_link, now); };
    remember();
    await(gallery.rename(may_write(tenant), "a.png", "x", unchecked)).value();
    BOOST_TEST(forgotten());
    remember();
    await(gallery.publish(may_write(tenant), "a.png", false, unchecked)).value();
    BOOST_TEST(forgotten());
    remember();
    await(gallery.replace(may_write(tenant), "a.png", file("a.png", "PICTURE 2"), unchecked)).value();
    BOOST_TEST(forgotten());
    remember();
    await(gallery.import(may_write(tenant), exported("a.png", "PICTURE 3"), unchecked)).value();
    BOOST_TEST(forgotten());
    remember();
    await(gallery.erase(may_write(tenant), "a.png", unchecked)).value();
    BOOST_TEST(forgotten());
}

BOOST_AUTO_TEST_CASE(an_unpublished_image_is_not_found_by_its_link) {
    const auto record = upload("a.png").value();
    BOOST_TEST((await(gallery.find_public(record->public_key)).value()->id == record->id));
    await(gallery.publish(may_write(tenant), "a.png", false, unchecked)).value();
    BOOST_TEST((await(gallery.find_public(record->public_key)).error().code == errc::not_found));
    BOOST_TEST((await(gallery.find_public("no key")).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(an_import_keeps_a_free_public_key_and_never_takes_anothers) {
    auto document = exported("a.png", "PICTURE");
    document.public_key = std::string(32, 'k');
    document.is_public = true;
    const auto first = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST(first->public_key == document.public_key);
    BOOST_TEST(first->is_public);
    document.resource_key = "b.png";
    const auto second = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST(images::is_public_key(second->public_key));
    BOOST_TEST(second->public_key != first->public_key);
    BOOST_TEST((await(gallery.find_public(first->public_key)).value()->id == first->id));
}

BOOST_AUTO_TEST_CASE(an_import_over_an_image_keeps_its_id_and_public_key) {
    const auto before = upload("a.png").value();
    auto document = exported("a.png", "PICTURE 2");
    document.public_key = std::string(32, 'k');
    const auto after = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST((after->id == before->id));
    BOOST_TEST(after->public_key == before->public_key);
    BOOST_TEST(after->title == "title of a.png");
    BOOST_TEST(after->is_public);
    BOOST_TEST(content(after) == "PICTURE 2");
    document.is_public = false;
    document.sub_type = image_sub_type::scada_symbol;
    const auto last = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST(!last->is_public);
    BOOST_TEST((last->sub_type == image_sub_type::scada_symbol));
}

BOOST_AUTO_TEST_CASE(an_import_over_an_image_keeps_what_the_document_does_not_say) {
    const auto before = upload("a.png").value();
    await(gallery.rename(may_write(tenant), "a.png", "Renamed", unchecked)).value();
    images::resource_export document;
    document.resource_key = "a.png";
    document.data = {'P', 'I', 'C', 'T', 'U', 'R', 'E', '2'};
    document.digest = sha256(std::string_view("PICTURE2"));
    const auto after = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST((after->id == before->id));
    BOOST_TEST(after->title == "Renamed");
    BOOST_TEST(after->file_name == "a.png");
    BOOST_TEST(after->is_public);
    BOOST_TEST((after->sub_type == before->sub_type));
    BOOST_TEST(content(after) == "PICTURE2");
}

BOOST_AUTO_TEST_CASE(tags_are_kept_in_order_and_once) {
    upload("a.png").value();
    const auto tagged =
        await(gallery.tag(may_write(tenant), "a.png", {"pump", "hall 3", "pump"}, unchecked)).value();
    BOOST_TEST((tagged->tags == std::vector<std::string>{"hall 3", "pump"}));
    BOOST_TEST((await(gallery.find(may_write(tenant), "a.png")).value()->tags == tagged->tags));
    std::vector<std::string> many(17);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = "tag " + std::to_string(i);
    const std::vector<std::vector<std::string>> wrong{{""}, {"a\nb"}, {"\xff"}, {std::string(65, 'x')}, many};
    for (const auto& tags : wrong) {
        const auto refused = await(gallery.tag(may_write(tenant), "a.png", tags, unchecked));
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().code == errc::invalid_argument));
    }
    many.pop_back();
    BOOST_TEST(await(gallery.tag(may_write(tenant), "a.png", many, unchecked)).value()->tags.size() == 16U);
    BOOST_TEST(await(gallery.tag(may_write(tenant), "a.png", {}, unchecked)).value()->tags.empty());
    BOOST_TEST(
        (await(gallery.tag(may_write(tenant), "b.png", {}, unchecked)).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(an_import_has_tags_and_a_time_of_creation) {
    auto document = exported("a.png", "PICTURE");
    document.tags = {"b", "a"};
    document.created_time = 1'600'000'000'123;
    const auto made = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST((made->tags == std::vector<std::string>{"a", "b"}));
    BOOST_TEST(made->created_time == document.created_time);
    BOOST_TEST(made->modified_time > document.created_time);
    // An image that exists keeps its time, and its tags where the document has none.
    document.created_time = 1'500'000'000'000;
    document.tags.reset();
    const auto again = await(gallery.import(may_write(tenant), document, unchecked)).value();
    BOOST_TEST(again->created_time == made->created_time);
    BOOST_TEST((again->tags == made->tags));
    document.tags.emplace();
    BOOST_TEST(await(gallery.import(may_write(tenant), document, unchecked)).value()->tags.empty());
    document.tags = {std::string(65, 'x')};
    BOOST_TEST((await(gallery.import(may_write(tenant), document, unchecked)).error().code ==
                errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_import_without_a_key_never_touches_another_image) {
    const auto before = upload("logo.png").value();
    auto document = exported("logo.png", "PICTURE 2");
    document.resource_key.clear();
    for (const auto* key : {"logo_(1).png", "logo_(2).png"}) {
        const auto imported = await(gallery.import(may_write(tenant), document, unchecked)).value();
        BOOST_TEST(imported->key == key);
        BOOST_TEST(imported->file_name == "logo.png");
        BOOST_TEST((imported->id != before->id));
    }
    BOOST_TEST(await(gallery.find(may_write(tenant), "logo.png")).value()->rev == before->rev);
    const images::record_check only_new = [](const image_record* current) -> result<void> {
        if (current == nullptr) return {};
        return error{errc::precondition_failed, "there is one"};
    };
    BOOST_TEST(await(gallery.import(may_write(tenant), document, only_new)).value()->key == "logo_(3).png");
    document.file_name.clear();
    BOOST_TEST((await(gallery.import(may_write(tenant), document, unchecked)).error().code ==
                errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(all_images_of_a_tenant_go_and_nobody_elses) {
    const auto other = tenant;
    const auto kept = upload("kept.png").value();
    tenant = tenant_id{random_uuid()};
    for (int i = 0; i < 300; ++i)
        upload(std::to_string(i) + ".png").value();
    const write_rules keeping{precondition::any(), previous_version::keep(1)};
    for (const auto& whose : {tenant, other}) {
        const auto victim = whose == other ? std::string("kept.png") : std::string("7.png");
        const auto before = await(gallery.find(may_write(whose), victim)).value();
        const auto bytes_of_it = await(store->read(before, representation::original)).value();
        const auto preview = await(store->read(before, representation::preview)).value();
        BOOST_TEST(await(store->save(*before, bytes_of_it, preview, keeping)).value().kept != 0U);
    }
    await(gallery.erase_all(may_write(tenant))).value();
    BOOST_TEST((await(store->usage(tenant)).value() == tenant_usage{}));
    BOOST_TEST(await(store->usage(other)).value().images.count == 1U);
    BOOST_TEST(await(store->usage(other)).value().kept.count == 1U);
    BOOST_TEST((await(gallery.find(may_write(other), "kept.png")).value()->id == kept->id));
}

BOOST_AUTO_TEST_CASE(an_image_that_outlives_its_tenant_is_not_kept) {
    bool deleted = false;
    // The whole deletion falls between the arrival of the bytes and the write of the record.
    const auto inspect = [&](imaging::upload data) -> task<result<imaging::picture>> {
        deleted = true;
        if (auto erased = co_await gallery.erase_all(may_write(tenant)); !erased) co_return erased.error();
        co_return co_await test::inspect_by_prefix(std::move(data));
    };
    images::image_service slow(*store, etags, inspect,
                               [&](const tenant_id& id) { return deleted && id == tenant; });
    upload("before.png").value();
    images::new_image image;
    image.file = file("late.png", "PICTURE");
    const auto uploaded = await(slow.upload(may_write(tenant), std::move(image)));
    BOOST_REQUIRE(uploaded.has_error());
    BOOST_TEST((uploaded.error().code == errc::not_found));

    deleted = false;
    auto document = exported("late.png", "PICTURE");
    document.public_key = std::string(32, 'k');
    document.is_public = true;
    const auto imported = await(slow.import(may_write(tenant), document, unchecked));
    BOOST_REQUIRE(imported.has_error());
    BOOST_TEST((imported.error().code == errc::not_found));
    BOOST_TEST(await(gallery.find_public(std::string(32, 'k'))).has_error());
    BOOST_TEST(await(store->scan(tenant, "", 10)).value().items.empty());
}

BOOST_AUTO_TEST_CASE(an_import_over_an_image_that_goes_with_its_tenant_is_not_kept) {
    bool deleted = false;
    upload("a.png").value();
    // The image that is to be overwritten is found, and erased before it is.
    images::image_service late(*store, etags, test::inspect_by_prefix,
                               [&](const tenant_id&) { return deleted; });
    const images::record_check erasing = [&](const image_record* current) -> result<void> {
        if (current != nullptr) await(gallery.erase_all(may_write(tenant))).value();
        deleted = true;
        return {};
    };
    const auto imported = await(late.import(may_write(tenant), exported("a.png", "PICTURE 2"), erasing));
    BOOST_REQUIRE(imported.has_error());
    BOOST_TEST((imported.error().code == errc::not_found));
    BOOST_TEST(await(store->scan(tenant, "", 10)).value().items.empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_answered_from_memory_that_is_too_old) {
    const auto stored = upload("a.png").value();
    cache::freshness fresh(std::chrono::hours(1));
    images::image_service asked(*store, etags, test::inspect_by_prefix, {}, fresh);
    const auto may = images::permit_of_the_server<images::image_operation::view>(tenant);
    BOOST_TEST(!asked.find_now(may, "a.png").has_value());
    BOOST_TEST(!asked.find_public_now(stored->public_key).has_value());
    // The store itself is asked all the same.
    BOOST_TEST(await(asked.find(may.lend(), "a.png")).has_value());
    fresh.renew(std::chrono::steady_clock::now());
    BOOST_TEST(asked.find_now(may, "a.png").has_value());
    BOOST_TEST(asked.find_public_now(stored->public_key).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_that_was_asked_for_is_taken_or_refused) {
    images::new_image image;
    image.file = file("a.png", "PICTURE");
    image.key = "wanted.png";
    BOOST_TEST(await(gallery.upload(may_write(tenant), image)).value()->key == "wanted.png");
    const auto again = await(gallery.upload(may_write(tenant), image));
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == errc::version_conflict));
}

BOOST_AUTO_TEST_SUITE_END()
