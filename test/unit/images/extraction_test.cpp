// SPDX-License-Identifier: Apache-2.0
#include "images/extraction.hpp"

#include "boost_test.hpp"
#include "forwarding_store.hpp"
#include "gallery_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace gallery;
using namespace gallery::images;

namespace {

constexpr std::uint64_t all_previews = 1 << 30;

embedded_picture embedded(const std::string& path, const std::string& content, const std::string& key = "") {
    embedded_picture picture;
    picture.path = path;
    picture.count = 1;
    picture.data = bytes::own(content);
    picture.digest = sha256(content);
    picture.key = key;
    picture.file_name = key.empty() ? "made.png" : key;
    picture.title = "A title";
    return picture;
}

/// Lets others run before each save, and can become full.
struct yielding_store final : bad::forwarding_store {
    int space = 1000;  ///< saves that succeed

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        for (int i = 0; i < 20; ++i)
            co_await asio::post(use_task);
        if (space-- <= 0) co_return error{errc::no_space, "full"};
        co_return co_await inner().save(std::move(record), std::move(original), std::move(preview), rules);
    }
};

struct fixture : test::gallery_fixture {
    document_write_permit may() const {
        return {test::may_write(tenant), permit_of_the_server<image_operation::read>(system_tenant)};
    }
    result<extraction> extract(std::vector<embedded_picture> pictures, std::uint64_t previews = all_previews,
                               bool is_rehearsal = false) {
        return test::await(extract_pictures(gallery, may(), std::move(pictures), previews, is_rehearsal));
    }
    std::uint64_t count() {
        return test::await(gallery.count(permit_of_the_server<image_operation::read>(tenant))).value();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(extractions, fixture)

BOOST_AUTO_TEST_CASE(new_pictures_become_public_images) {
    auto symbol = embedded("/b", "PICTURE b", "b.svg");
    symbol.sub_type = image_sub_type::scada_symbol;
    const auto done = extract({embedded("/a", "PICTURE a"), symbol}).value();
    BOOST_TEST(done.stored == 2U);
    BOOST_TEST(!done.failure.has_value());
    const auto& first = *done.pictures[0].record;
    BOOST_TEST(done.pictures[0].is_new);
    BOOST_TEST(first.key == "made.png");
    BOOST_TEST(first.title == "A title");
    BOOST_TEST(first.is_public);
    BOOST_TEST(content(done.pictures[0].record) == "PICTURE a");
    BOOST_TEST(content(done.pictures[0].record, representation::preview) == "preview of PICTURE a");
    BOOST_TEST(done.pictures[1].record->key == "b.svg");
    BOOST_TEST((done.pictures[1].record->sub_type == image_sub_type::scada_symbol));
}

BOOST_AUTO_TEST_CASE(an_image_with_the_same_bytes_is_taken) {
    const auto there = upload("there.png", "PICTURE a").value();
    const auto done = extract({embedded("/a", "PICTURE a", "other.png")}).value();
    BOOST_TEST(done.stored == 0U);
    BOOST_TEST(!done.pictures[0].is_new);
    BOOST_TEST((done.pictures[0].record->id == there->id));
    BOOST_TEST(count() == 1U);
}

BOOST_AUTO_TEST_CASE(of_several_that_under_the_key_of_the_document_is_taken) {
    const auto one = upload("one.png", "PICTURE a").value();
    const auto two = upload("two.png", "PICTURE a").value();
    for (const auto& wanted : {one, two}) {
        const auto done = extract({embedded("/a", "PICTURE a", wanted->key)}).value();
        BOOST_TEST(done.pictures[0].record->key == wanted->key);
    }
}

BOOST_AUTO_TEST_CASE(an_image_under_the_key_of_the_document_comes_before_all_others) {
    new_image image;
    image.file = file("symbol.png", "PICTURE a");
    const auto of_system =
        test::await(gallery.upload(test::may_write(system_tenant), std::move(image))).value();
    std::vector<record_ptr> own;
    for (std::size_t i = 0; i < 2 * image_store::max_same_content; ++i)
        own.push_back(upload("copy.png", "PICTURE a").value());
    for (const auto& wanted : own) {
        const auto done = extract({embedded("/a", "PICTURE a", wanted->key)}).value();
        BOOST_TEST(done.pictures[0].record->key == wanted->key);
    }
    const auto done = extract({embedded("/a", "PICTURE a", "symbol.png")}).value();
    BOOST_TEST((done.pictures[0].record->id == of_system->id));
    // The image under the key has other bytes now.
    const auto other = extract({embedded("/b", "PICTURE b", "symbol.png")}).value();
    BOOST_TEST(other.pictures[0].is_new);
}

BOOST_AUTO_TEST_CASE(a_preview_becomes_the_preview_of_the_image_under_its_key) {
    const auto there = upload("there.png", "PICTURE a").value();
    const auto preview = content(there, representation::preview);
    const auto done = extract({embedded("/a", preview, "there.png")}).value();
    BOOST_TEST((done.pictures[0].record->id == there->id));
    BOOST_TEST((done.pictures[0].which == representation::preview));
    BOOST_TEST(!done.pictures[0].is_new);
    // Without the key it is a picture like any other; here one that the decoder refuses.
    BOOST_TEST(extract({embedded("/a", preview)}).has_error());
}

BOOST_AUTO_TEST_CASE(an_image_of_the_system_is_taken_and_not_of_another_tenant) {
    new_image image;
    image.file = file("system.png", "PICTURE s");
    const auto of_system =
        test::await(gallery.upload(test::may_write(system_tenant), std::move(image))).value();
    new_image foreign;
    foreign.file = file("foreign.png", "PICTURE f");
    (void)test::await(gallery.upload(test::may_write(tenant_id{random_uuid()}), std::move(foreign))).value();

    const auto done = extract({embedded("/s", "PICTURE s"), embedded("/f", "PICTURE f")}).value();
    BOOST_TEST((done.pictures[0].record->id == of_system->id));
    BOOST_TEST(done.pictures[1].is_new);
    BOOST_TEST(count() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_stored_if_one_picture_is_refused) {
    const auto done = extract({embedded("/a", "PICTURE a"), embedded("/b", "no picture")});
    BOOST_TEST_REQUIRE(done.has_error());
    BOOST_TEST((done.error().code == errc::not_an_image));
    BOOST_TEST(done.error().message.find("'/b'") != std::string::npos);
    BOOST_TEST(count() == 0U);
}

BOOST_AUTO_TEST_CASE(previews_that_do_not_fit_into_memory_are_made_again) {
    const auto done = extract({embedded("/a", "PICTURE a"), embedded("/b", "PICTURE b")}, 25).value();
    BOOST_TEST(done.stored == 2U);
    for (const auto& each : done.pictures)
        BOOST_TEST(content(each.record, representation::preview) == "preview of " + content(each.record));
}

// A few bytes may become a large drawing.
BOOST_AUTO_TEST_CASE(what_compressed_drawings_become_counts_as_memory) {
    std::size_t inspected = 0;
    const inspect_picture decompress = [&](imaging::upload what) -> task<result<imaging::picture>> {
        ++inspected;
        imaging::picture found;
        found.media_type = "image/svg+xml";
        found.preview_media_type = "image/png";
        found.preview = bytes::own(std::string("preview"));
        found.document = bytes::own(std::string(1000, what.original.memory()->view().back()));
        co_return found;
    };
    image_service with_drawings{*store, etags, decompress};
    const auto ask = [&](std::uint64_t kept, const std::string& mark) {
        std::vector<embedded_picture> wanted{embedded("/a", mark + "a"), embedded("/b", mark + "b"),
                                             embedded("/c", mark + "c")};
        inspected = 0;
        const auto done =
            test::await(extract_pictures(with_drawings, may(), std::move(wanted), kept, false)).value();
        for (const auto& each : done.pictures)
            BOOST_TEST(each.record->original.size == 1000U);
        return inspected;
    };
    BOOST_TEST(ask(2100, "x") == 4U);  // there is memory for two, so that the third is made again
    tenant = tenant_id{random_uuid()};
    BOOST_TEST(ask(3021, "y") == 3U);

    std::vector<embedded_picture> same{embedded("/a", "1z"), embedded("/b", "2z")};
    const auto rehearsed =
        test::await(extract_pictures(with_drawings, may(), std::move(same), all_previews, true)).value();
    BOOST_TEST(rehearsed.pictures[0].is_new);
    BOOST_TEST(!rehearsed.pictures[1].is_new);
}

BOOST_AUTO_TEST_CASE(a_rehearsal_stores_nothing) {
    (void)upload("there.png", "PICTURE a").value();
    const auto done =
        extract({embedded("/a", "PICTURE a"), embedded("/b", "PICTURE b")}, all_previews, true).value();
    BOOST_TEST(!done.pictures[0].is_new);
    BOOST_TEST(done.pictures[0].record->key == "there.png");
    BOOST_TEST(done.pictures[1].is_new);
    BOOST_TEST(done.pictures[1].record->key.empty());
    BOOST_TEST(count() == 1U);
    BOOST_TEST(extract({embedded("/b", "no picture")}, all_previews, true).has_error());
}

BOOST_AUTO_TEST_CASE(an_etag_without_bytes_finds_an_image_or_nothing) {
    (void)upload("there.png", "PICTURE a").value();
    auto known = embedded("/a", "PICTURE a");
    auto unknown = embedded("/b", "PICTURE b");
    known.data = unknown.data = {};
    const auto done = extract({known, unknown}).value();
    BOOST_TEST(done.pictures[0].record->key == "there.png");
    BOOST_TEST((done.pictures[1].record == nullptr));
    BOOST_TEST(done.stored == 0U);
}

BOOST_AUTO_TEST_CASE(simultaneous_requests_store_a_picture_once) {
    yielding_store slow;
    image_service on_slow{slow, etags, test::inspect_by_prefix};
    asio::io_context context;
    std::size_t stored = 0;
    std::vector<std::string> keys;
    const auto ask = [&]() -> task<> {
        std::vector<embedded_picture> wanted{embedded("/a", "PICTURE same"), embedded("/b", "PICTURE too")};
        const auto done = co_await extract_pictures(on_slow, may(), std::move(wanted), all_previews, false);
        stored += done.value().stored;
        keys.push_back(done.value().pictures[0].record->key);
    };
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(context, ask(), asio::detached);
    context.run();
    BOOST_TEST(stored == 2U);
    BOOST_TEST_REQUIRE(keys.size() == 5U);
    for (const auto& key : keys)
        BOOST_TEST(key == keys[0]);
}

BOOST_AUTO_TEST_CASE(images_that_were_stored_before_a_failure_stay_and_are_found_again) {
    yielding_store full;
    image_service on_full{full, etags, test::inspect_by_prefix};
    const auto ask = [&] {
        std::vector<embedded_picture> wanted{embedded("/a", "PICTURE a"), embedded("/b", "PICTURE b")};
        return test::await(extract_pictures(on_full, may(), std::move(wanted), all_previews, false));
    };
    full.space = 0;
    const auto nothing = ask();
    BOOST_TEST_REQUIRE(nothing.has_error());
    BOOST_TEST((nothing.error().code == errc::no_space));
    full.space = 1;
    const auto partly = ask().value();
    BOOST_TEST(partly.stored == 1U);
    BOOST_TEST_REQUIRE(partly.failure.has_value());
    BOOST_TEST((partly.failure->code == errc::no_space));
    BOOST_TEST(partly.failed_path == "/b");
    full.space = 9;
    const auto again = ask().value();
    BOOST_TEST(again.stored == 1U);
    BOOST_TEST(!again.pictures[0].is_new);
    BOOST_TEST(again.pictures[1].is_new);
}

BOOST_AUTO_TEST_SUITE_END()
