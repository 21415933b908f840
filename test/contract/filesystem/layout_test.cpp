// SPDX-License-Identifier: Apache-2.0
// What an operator sees with ls.
#include "tree_fixture.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <thread>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

std::string repeated(const std::string& part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += part;
    return text;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(layout, tree_fixture)

BOOST_AUTO_TEST_CASE(an_image_is_a_folder_with_its_bytes_and_a_readable_record) {
    const auto one = make(tenant_number(1), "pump_(1).jpg", 5000, 300);
    const auto saved = must_save(one);
    const auto home = tenant_folder(1) / "pump_(1).jpg";
    const std::vector<std::string> wanted = {"original.jpg", "preview.png", "record.json"};
    BOOST_TEST(names_in(home) == wanted);
    BOOST_TEST((content_of(home / "original.jpg") == one.original));
    BOOST_TEST((content_of(home / "preview.png") == one.preview));
    const auto text = content_of(home / "record.json");
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') > 20);
    const auto record = boost::json::parse(text).as_object();
    BOOST_TEST(record.at("key").as_string() == "pump_(1).jpg");
    BOOST_TEST(record.at("id").as_string() == to_string(one.record.id));
    BOOST_TEST(record.at("revision").to_number<std::uint64_t>() == saved->rev);
    BOOST_TEST(record.at("original").as_object().at("sha256").as_string() ==
               to_hex(one.record.original.etag));
    BOOST_TEST(record.at("preview").as_object().at("file").as_string() == "preview.png");
}

BOOST_AUTO_TEST_CASE(a_preview_that_is_the_original_is_no_file) {
    auto one = make(tenant_number(1), "small.png", 100, 0);
    one.record.preview_is_original = true;
    one.record.original.media_type = "image/svg+xml";
    must_save(one);
    const std::vector<std::string> wanted = {"original.svg", "record.json"};
    BOOST_TEST(names_in(tenant_folder(1) / "small.png") == wanted);
}

BOOST_AUTO_TEST_CASE(an_unknown_media_type_is_bin_and_nothing_of_it_reaches_the_path) {
    auto one = make(tenant_number(1), "a", 100, 10);
    one.record.original.media_type = "image/../../../etc/passwd";
    must_save(one);
    const std::vector<std::string> wanted = {"original.bin", "preview.png", "record.json"};
    BOOST_TEST(names_in(tenant_folder(1) / "a") == wanted);
}

BOOST_AUTO_TEST_CASE(names_of_folders_are_readable_safe_and_distinct_in_any_file_system) {
    // The part before the tilde; no tilde where the key is the name.
    const std::vector<std::pair<std::string, std::string>> expected = {
        {"photo.png", "photo.png"},
        {"with space (2).png", "with space (2).png"},
        {"Photo.PNG", "Photo.PNG~"},
        {"..", "%2E.~"},
        {".hidden", "%2Ehidden~"},
        {"trailing.", "trailing.~"},
        {"a/b", "a%2Fb~"},
        {"a%2Fb", "a%252Fb~"},
        {"tab\there", "tab%09here~"},
        {"con", "con~"},
        {"\xE5\x9B\xBE\xE5\x83\x8F.png", "\xE5\x9B\xBE\xE5\x83\x8F.png~"},
        {"\xC3\xA9", "\xC3\xA9~"},
        {"a\xE2\x80\xAE"
         "b",
         "a%E2%80%AEb~"},
    };
    for (const auto& [key, name] : expected) {
        must_save(make(tenant_number(2), key, 10, 0));
        const auto names = names_in(tenant_folder(2));
        BOOST_TEST_REQUIRE(names.size() == 1U);
        if (name.ends_with('~'))
            BOOST_TEST((names[0].starts_with(name) && names[0].size() == name.size() + 24), names[0]);
        else
            BOOST_TEST(names[0] == name);
        erase(tenant_number(2), key).value();
        // The remains are removed behind the outcome; the next store would remove them, too.
        while (!names_in(tenant_folder(2)).empty())
            std::this_thread::yield();
    }
}

BOOST_AUTO_TEST_CASE(no_name_is_longer_than_a_file_system_allows) {
    for (const auto* part : {"x", "/", "\xF0\x9F\x90\x98"})
        must_save(make(tenant_number(1), repeated(part, 255), 10, 0));
    const auto names = names_in(tenant_folder(1));
    BOOST_TEST(names.size() == 3U);
    for (const auto& name : names)
        BOOST_TEST(name.size() <= 255U);
}

BOOST_AUTO_TEST_CASE(accounts_and_changes_are_in_the_tree) {
    must_save(make(tenant_number(1), "a"));
    save_document({"user", "u-1", "{\"name\": \"x\"}", 0}).value();
    const auto text = content_of(root() / ".gallery/accounts/user/u-1.json");
    BOOST_TEST(text.ends_with("\n{\"name\": \"x\"}"));
    const auto log = content_of(log_file());
    BOOST_TEST(std::count(log.begin(), log.end(), '\n') == 3);
    BOOST_TEST(log.find("\"image_saved\"") != std::string::npos);
    BOOST_TEST(log.find("\"document_saved\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(others_may_not_read_the_tree) {
    must_save(make(tenant_number(1), "a"));
    save_document({"user", "u-1", "{}", 0}).value();
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
        struct stat info {};
        BOOST_TEST_REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
        BOOST_TEST((info.st_mode & S_IRWXO) == 0U, entry.path());
    }
}

BOOST_AUTO_TEST_CASE(a_copy_of_the_tree_is_the_store) {
    std::vector<image> images;
    for (const auto* key : {"a", "B", "\xC3\xA9", "c/d"}) {
        images.push_back(make(tenant_number(1), key, 40'000));
        must_save(images.back());
    }
    save_document({"user", "u", "{\"a\":1}", 0}).value();
    erase(tenant_number(1), "a").value();
    const auto begin = last_change();
    const test::scratch_folder copy;
    // While the store is open, and nobody writes: the lock is not copied, and there is nothing else that a
    // copy could miss. The remains of the erasure may vanish under it, which cp says and goes on.
    const auto command = "cp -a '" + root().string() + "/.' '" + copy.path().string() + "' 2>/dev/null";
    BOOST_TEST(WIFEXITED(std::system(command.c_str())));
    must_save(make(tenant_number(1), "later"));
    leave_unchecked();
    close();
    auto opened = open_store(copy.path());
    BOOST_TEST_REQUIRE(opened.has_value());
    take(std::move(*opened));
    expect_absent(images[0]);
    for (std::size_t i = 1; i < images.size(); ++i)
        expect_stored(images[i]);
    BOOST_TEST(await(documents().find("user", "u"))->body == "{\"a\":1}");
    BOOST_TEST(last_change() == begin);
    BOOST_TEST(must_save(images[0])->rev > begin);
    expect_sound();
    close();
}

BOOST_AUTO_TEST_SUITE_END()
