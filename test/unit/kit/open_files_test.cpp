// SPDX-License-Identifier: Apache-2.0
// Files that are kept open: which are returned, and which are closed.
#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <gallery/kit/body_file.hpp>
#include <gallery/kit/open_files.hpp>
#include <gallery/sha256.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

using namespace gallery;

namespace {

struct files_fixture {
    test::scratch_folder folder;
    kit::open_files<int, std::hash<int>> kept{2};

    [[nodiscard]] std::string path(int number) const {
        return (folder.path() / std::to_string(number)).string();
    }
    std::shared_ptr<const gallery::file_handle> make(int number, const std::string& content) const {
        std::ofstream(path(number), std::ios::binary | std::ios::trunc) << content;
        return open(number);
    }
    [[nodiscard]] std::shared_ptr<const gallery::file_handle> open(int number) const {
        return std::make_shared<const gallery::file_handle>(
            ::open(path(number).c_str(), O_RDONLY | O_CLOEXEC));
    }
    /// Until a later change gets another time.
    static void wait_for_the_clock() { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }
    void put(int number, const std::shared_ptr<const gallery::file_handle>& file) {
        kept.put(number, file, *kit::state_of(file->descriptor()), kept.generation());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(open_files, files_fixture)

BOOST_AUTO_TEST_CASE(the_least_recently_used_file_is_closed_first) {
    for (const int number : {1, 2, 3})
        make(number, "content");
    wait_for_the_clock();
    std::weak_ptr<const gallery::file_handle> second;
    for (const int number : {1, 2}) {
        auto file = open(number);
        if (number == 2) second = file;
        put(number, file);
    }
    BOOST_TEST(kept.find(1).has_value());
    put(3, open(3));
    BOOST_TEST(second.expired());
    BOOST_TEST(!kept.find(2).has_value());
    BOOST_TEST((kept.find(1)->load()->view() == "content"));
    BOOST_TEST(kept.find(3).has_value());
    BOOST_TEST(kept.statistics().files == 2U);
    kept.set_bound(0);
    BOOST_TEST(kept.statistics().files == 0U);
}

BOOST_AUTO_TEST_CASE(a_changed_file_is_not_returned_and_a_new_one_is_not_kept) {
    put(1, make(1, "content"));
    BOOST_TEST(!kept.find(1).has_value());  // a second change in this moment would leave no trace
    wait_for_the_clock();
    put(1, open(1));
    BOOST_TEST(kept.find(1).has_value());
    std::ofstream(path(1), std::ios::binary | std::ios::in) << "C";
    BOOST_TEST(!kept.find(1).has_value());
    BOOST_TEST(kept.statistics().files == 0U);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_opened_before_an_erasure_is_not_kept_after_it) {
    const auto file = make(1, "content");
    wait_for_the_clock();
    const auto state = *kit::state_of(file->descriptor());
    const auto generation = kept.generation();
    kept.erase(1);
    kept.put(1, file, state, generation);
    BOOST_TEST(!kept.find(1).has_value());
    kept.put(1, file, state, kept.generation());
    BOOST_TEST(kept.find(1).has_value());
}

BOOST_AUTO_TEST_CASE(a_body_is_read_only_if_size_and_hash_are_right) {
    const std::string content = "some content of a file";
    body_descriptor wanted;
    wanted.size = content.size();
    wanted.etag = sha256(content);
    const auto fault = [&](const std::string& stored) {
        const auto read =
            kit::read_verified(make(1, stored), wanted, 0, kit::read_purpose::check, "the file");
        return read ? std::string() : read.error().message;
    };
    BOOST_TEST(fault(content) == "");
    BOOST_TEST(fault(content + 'x') == "has 23 bytes instead of 22");
    BOOST_TEST(fault(std::string(content.size(), 'x')) == "has another SHA-256 than the record");
    const auto region =
        kit::read_verified(make(1, content), wanted, content.size(), kit::read_purpose::serve, "the file");
    BOOST_TEST((region && region->content.region() != nullptr));
    const auto memory = kit::read_verified(make(1, content), wanted, content.size() + 1,
                                           kit::read_purpose::serve, "the file");
    BOOST_TEST((memory && memory->content.memory()->view() == content));
}

BOOST_AUTO_TEST_SUITE_END()
