// SPDX-License-Identifier: Apache-2.0
// The mirror while a snapshot is loaded: what is committed meanwhile is neither lost nor there twice.
#include "boost_test.hpp"

#include "mirror.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace gallery;
using namespace gallery::postgres;

namespace {

constexpr revision epoch = revision{1} << 40;
const tenant_id owner{uuid{{7}}};

event saved(revision rev, const std::string& key) {
    image_record record;
    record.tenant = owner;
    record.key = key;
    record.title = key;
    record.id = image_id{uuid{{static_cast<std::uint8_t>(key.front())}}};
    record.rev = rev;
    record.content_rev = rev;
    event one;
    one.what = change::kind::image_saved;
    one.rev = rev;
    one.write = uuid{{static_cast<std::uint8_t>(rev)}};
    one.image = {std::make_shared<const image_record>(std::move(record)), uuid{}};
    return one;
}

struct mirrored {
    mirror contents{100};

    mirrored() { contents.set_history({{1, 0}}); }
    void load(revision at, const std::vector<event>& images) {
        contents.begin_load();
        for (const auto& one : images)
            contents.load_image(one.image);
        contents.end_load(at, 0, {});
    }
    [[nodiscard]] bool has(const std::string& key) const {
        return static_cast<bool>(contents.images().find(owner, key));
    }
    [[nodiscard]] std::size_t listed() const { return contents.images().scan(owner, {}, 10)->items.size(); }
    void is_sound() const {
        std::vector<std::string> problems;
        BOOST_TEST(contents.images().verify(problems) != 0U);
        BOOST_TEST(problems.empty());
        BOOST_TEST(contents.usage().usage(owner).images.count == contents.images().size());
        BOOST_TEST(listed() == contents.images().size());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_mirror, mirrored)

BOOST_AUTO_TEST_CASE(has_what_is_committed_while_it_is_loaded_for_the_first_time) {
    load(epoch, {});
    contents.begin_load();
    contents.apply({saved(epoch + 1, "a")}, epoch + 1);
    BOOST_TEST(contents.is_loading());
    // The snapshot has it as well.
    contents.load_image(saved(epoch + 1, "a").image);
    contents.end_load(epoch + 1, 0, {});
    BOOST_TEST(!contents.is_loading());
    BOOST_TEST(has("a"));
    BOOST_TEST(contents.images().size() == 1U);
    is_sound();
}

BOOST_AUTO_TEST_CASE(has_what_is_committed_after_the_snapshot_was_taken) {
    for (const bool is_empty : {true, false}) {
        mirrored one;
        const std::vector<event> before =
            is_empty ? std::vector<event>() : std::vector{saved(epoch + 1, "a")};
        one.load(epoch + 1, before);
        one.contents.begin_load();
        one.contents.apply({saved(epoch + 2, "b")}, epoch + 2);
        for (const auto& known : before)
            one.contents.load_image(known.image);
        one.contents.end_load(epoch + 1, 0, {});
        BOOST_TEST(one.has("b"));
        BOOST_TEST(one.has("a") != is_empty);
        BOOST_TEST(one.contents.position() == epoch + 2);
        one.is_sound();
    }
}

BOOST_AUTO_TEST_CASE(does_not_have_what_the_store_has_lost) {
    load(epoch + 5, {saved(epoch + 5, "a")});
    contents.begin_load();
    contents.apply({saved(epoch + 6, "b")}, epoch + 6);
    contents.load_image(saved(epoch + 3, "c").image);
    contents.end_load(epoch + 3, 0, {});
    BOOST_TEST(!has("a"));
    BOOST_TEST(!has("b"));
    BOOST_TEST(has("c"));
    BOOST_TEST(contents.position() == epoch + 3);
    is_sound();
}

BOOST_AUTO_TEST_CASE(can_begin_again_after_a_load_that_did_not_end) {
    load(epoch + 2, {saved(epoch + 1, "a"), saved(epoch + 2, "b")});
    contents.begin_load();
    contents.load_image(saved(epoch + 3, "c").image);
    BOOST_TEST(contents.is_loading());
    load(epoch + 4, {saved(epoch + 2, "b"), saved(epoch + 4, "d")});
    BOOST_TEST(!has("a"));
    BOOST_TEST(has("b"));
    BOOST_TEST(!has("c"));
    BOOST_TEST(has("d"));
    is_sound();
}

BOOST_AUTO_TEST_SUITE_END()
