// SPDX-License-Identifier: Apache-2.0
// Keys, titles and file names are data, whatever they look like.
#include "store_fixture.hpp"

#include <filesystem>
#include <set>

using namespace gallery;
using namespace gallery::contract;

namespace {

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += part;
    return text;
}

std::vector<std::string> names_from_hell() {
    std::vector<std::string> names = {".",
                                      "..",
                                      "...",
                                      "../x",
                                      "../../etc/passwd",
                                      "a/b",
                                      "/",
                                      "//",
                                      "/etc/passwd",
                                      "a/../b",
                                      "\\",
                                      "..\\x",
                                      "C:\\x",
                                      "%2F",
                                      "%2f",
                                      "%2e%2e",
                                      "%",
                                      "%%",
                                      "%00",
                                      "a%2Fb",
                                      " ",
                                      "  ",
                                      " a",
                                      "a ",
                                      "a.",
                                      "a..",
                                      ".a",
                                      ".gallery",
                                      ".tmp-1",
                                      "original.png",
                                      "record.json",
                                      "preview.png",
                                      "lock",
                                      "-",
                                      "-rf",
                                      "--",
                                      "~",
                                      "~root",
                                      "*",
                                      "?",
                                      "a?b",
                                      "a*b",
                                      "\"",
                                      "'",
                                      "`",
                                      "$HOME",
                                      "$(id)",
                                      ";",
                                      "|",
                                      "<",
                                      ">",
                                      "&",
                                      "#",
                                      "!",
                                      "\n",
                                      "a\nb",
                                      "\r\n",
                                      "\t",
                                      "\x01",
                                      "\x1b[31m",
                                      "\x7f",
                                      "CON",
                                      "con",
                                      "nul.png",
                                      "aux",
                                      "com1",
                                      "A",
                                      "a",
                                      "AB",
                                      "Ab",
                                      "aB",
                                      "ab",
                                      "Photo.PNG",
                                      "photo.png",
                                      "PHOTO.PNG",
                                      "\xC3\xA9",
                                      "e\xCC\x81",  // NFC and NFD of one letter
                                      "\xC3\x89",
                                      "E\xCC\x81",
                                      "\xEA\xB0\x80",
                                      "\xE1\x84\x80\xE1\x85\xA1",  // and of a syllable
                                      "\xE2\x84\xAB",
                                      "\xC3\x85",  // Angstrom sign and the letter
                                      "\xEF\xAC\x81",
                                      "fi",  // a ligature and its letters
                                      "\xC3\x9F",
                                      "ss",
                                      "SS",
                                      "\xC4\xB0",
                                      "i\xCC\x87",
                                      "I",
                                      "i",
                                      "\xC4\xB1",
                                      "\xC5\xBF",
                                      "s",
                                      "S",
                                      "\xE2\x84\xAA",
                                      "k",
                                      "K",
                                      "\xE2\x80\xAE"
                                      "gnp.exe",
                                      "\xE2\x80\x8B",
                                      "a\xE2\x80\x8B",
                                      "\xEF\xBB\xBF",
                                      "\xC2\xA0",
                                      "\xC2\x85",
                                      "\xE2\x80\xA8",
                                      "\xF0\x9F\x90\x98",
                                      "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9",
                                      "\xF4\x8F\xBF\xBF",
                                      "\xEF\xBF\xBF",
                                      "name_(1).ext",
                                      "name_(2).ext",
                                      "a:b",
                                      "a,b=c+d@e",
                                      "with space.png",
                                      "\xE5\x9B\xBE\xE5\x83\x8F.png"};
    // At the limits of the contract, and of what one part of a path can be; pairs that differ at the end
    // only.
    for (const auto* part : {"x", "X", ".", " ", "%", "/", "\xC3\xA9", "\xE5\x9B\xBE", "\xF0\x9F\x90\x98"})
        for (const std::size_t count : {63U, 64U, 85U, 86U, 127U, 128U, 200U, 250U, 254U, 255U})
            names.push_back(repeated(part, count));
    for (const auto* part : {"x", "\xF0\x9F\x90\x98"}) {
        names.push_back(repeated(part, 254) + "a");
        names.push_back(repeated(part, 254) + "b");
        names.push_back(repeated(part, 254) + "A");
    }
    return names;
}

struct names_fixture : store_fixture {
    std::vector<image> save_all() {
        std::vector<image> images;
        std::set<std::string> distinct;
        for (const auto& name : names_from_hell()) {
            if (!distinct.insert(name).second) continue;
            auto one = make(tenant_number(1), name, 30 + number(50), number(20));
            one.record.title = name;
            one.record.file_name = name;
            must_save(one, precondition::absent());
            images.push_back(one);
        }
        return images;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(names, names_fixture)

BOOST_AUTO_TEST_CASE(every_key_is_stored_found_listed_replaced_and_erased_as_itself) {
    auto images = save_all();
    for (const auto& one : images)
        expect_stored(one);
    BOOST_TEST(scan_all(tenant_number(1), 10).size() == images.size());
    image_query query;
    query.tenant = tenant_number(1);
    query.page_size = 1000;
    BOOST_TEST(list(query)->total == images.size());
    reopen();
    for (const auto& one : images)
        expect_stored(one);
    for (auto& one : images) {
        one = with_bytes(one, 60, 6);
        must_save(one);
    }
    expect_sound();
    for (std::size_t i = 0; i < images.size(); i += 2)
        BOOST_TEST(erase(tenant_number(1), images[i].record.key)->status == write_status::committed);
    reopen();
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (i % 2 == 0)
            expect_absent(images[i]);
        else
            expect_stored(images[i]);
    }
}

BOOST_AUTO_TEST_CASE(no_key_leads_out_of_the_stores_folder) {
    if (!durable()) return;
    const auto parent = std::filesystem::path(folder()).parent_path();
    const auto siblings = [&] {
        std::set<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(parent))
            found.insert(entry.path().filename());
        return found;
    };
    // Other programs use that folder, too: only what appears in it and has one of the names is of interest.
    const auto before = siblings();
    save_all();
    reopen();
    const auto names = names_from_hell();
    for (const auto& name : siblings())
        BOOST_TEST((before.contains(name) || std::find(names.begin(), names.end(), name) == names.end()));
    BOOST_TEST((before.contains("x") || !std::filesystem::exists(parent / "x")));
}

BOOST_AUTO_TEST_CASE(long_titles_and_file_names_come_back) {
    for (const auto* part : {"x", "%", "\"", "\\", "\n", "\xF0\x9F\x90\x98"}) {
        auto one = make(tenant_number(1), std::string("key of ") + part);
        one.record.title = repeated(part, 255);
        one.record.file_name = repeated(part, 255);
        one.record.tags = {repeated(part, 63) + "x", repeated(part, 63) + "y"};
        must_save(one);
        reopen();
        expect_stored(one);
    }
}

BOOST_AUTO_TEST_CASE(extreme_values_come_back) {
    auto one = make(tenant_number(1), "a", 10, 10);
    one.record.title.clear();
    one.record.file_name.clear();
    one.record.tags.clear();
    one.record.original.media_type.clear();
    one.record.original.width = one.record.original.height = 0xFFFFFFFF;
    one.record.preview.media_type = "image/svg+xml; charset=\"utf-8\"";
    one.record.preview.width = one.record.preview.height = 0;
    for (const auto time : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                            std::numeric_limits<std::int64_t>::max()}) {
        one.record.created_time = time;
        one.record.modified_time = time;
        must_save(one);
        reopen();
        expect_stored(one);
    }
    auto extreme_ids = make(tenant_id{}, "a");
    extreme_ids.record.id = image_id{};
    must_save(extreme_ids);
    auto largest = make(tenant_number(0), "a");
    for (auto& byte : largest.record.tenant.value)
        byte = 0xFF;
    for (auto& byte : largest.record.id.value)
        byte = 0xFF;
    must_save(largest);
    reopen();
    expect_stored(extreme_ids);
    expect_stored(largest);
    BOOST_TEST(scan_all(std::nullopt, 1).size() == 3U);
}

BOOST_AUTO_TEST_CASE(nul_in_a_searched_text_finds_nothing) {
    must_save(make(tenant_number(1), "a"));
    image_query query;
    query.tenant = tenant_number(1);
    query.text_search = std::string("\0", 1);
    const auto page = list(query);
    BOOST_TEST((page.has_error() || page->total == 0));
}

BOOST_AUTO_TEST_SUITE_END()
