// SPDX-License-Identifier: Apache-2.0
// The small versioned documents of the accounts.
#include "store_fixture.hpp"

using namespace gallery;
using namespace gallery::contract;

namespace {

struct documents_fixture : store_fixture {
    result<document> find_document(std::string kind, std::string id) {
        return await(documents().find(std::move(kind), std::move(id)));
    }
    result<write_outcome> erase_document(std::string kind, std::string id,
                                         precondition condition = precondition::any()) {
        return await(documents().erase(std::move(kind), std::move(id), condition));
    }
    revision must_save_document(const document& doc, precondition condition = precondition::any()) {
        const auto outcome = save_document(doc, condition);
        BOOST_REQUIRE_MESSAGE(outcome.has_value(), "save_document: " << outcome.error().message);
        BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
        BOOST_TEST((outcome->record == nullptr));
        return outcome->rev;
    }
    std::vector<document> scan_all_documents(const std::string& kind, std::size_t limit) {
        std::vector<document> all;
        std::string cursor;
        do {
            auto page = await(documents().scan(kind, cursor, limit));
            BOOST_TEST_REQUIRE(page.has_value());
            BOOST_TEST_REQUIRE(page->items.size() <= limit);
            all.insert(all.end(), page->items.begin(), page->items.end());
            cursor = page->cursor;
        } while (!cursor.empty());
        return all;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(documents, documents_fixture)

BOOST_AUTO_TEST_CASE(a_document_comes_back_with_its_revision) {
    const std::vector<std::string> bodies = {"{}",
                                             "",
                                             "{\"name\": \"a\"}\n",
                                             "not JSON at all",
                                             "line\nline\r\n\n",
                                             "\xC3\xA9 \xF0\x9F\x90\x98",
                                             "\"\\\"",
                                             "{\"a\":{}}",
                                             std::string(65536, 'x')};
    for (const auto& body : bodies) {
        const auto rev = must_save_document({"user", "u1", body, 0});
        for (int i = 0; i < 2; ++i) {
            const auto found = find_document("user", "u1");
            BOOST_TEST_REQUIRE(found.has_value());
            BOOST_TEST((*found == document{"user", "u1", body, rev}));
            reopen();
        }
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_document_is_not_found) {
    must_save_document({"user", "u1", "{}", 0});
    for (const auto& [kind, id] :
         {std::pair{"user", "u2"}, {"tenant", "u1"}, {"use", "ru1"}, {"user", "U1"}}) {
        const auto found = find_document(kind, id);
        BOOST_TEST((found.has_error() && found.error().code == errc::not_found));
    }
}

BOOST_AUTO_TEST_CASE(preconditions_hold_for_documents) {
    const auto first = must_save_document({"user", "u", "1", 0}, precondition::absent());
    const auto lost = [&](const result<write_outcome>& outcome, revision current) {
        return outcome.has_value() && outcome->status == write_status::conflict && outcome->rev == current &&
               outcome->record == nullptr;
    };
    BOOST_TEST(lost(save_document({"user", "u", "2", 0}, precondition::absent()), first));
    BOOST_TEST(lost(save_document({"user", "u", "2", 0}, precondition::match(first + 1)), first));
    BOOST_TEST(lost(erase_document("user", "u", precondition::match(first + 1)), first));
    BOOST_TEST(find_document("user", "u")->body == "1");
    const auto second = must_save_document({"user", "u", "2", 99}, precondition::match(first));
    BOOST_TEST(second > first);
    BOOST_TEST(lost(save_document({"user", "u", "3", 0}, precondition::match(first)), second));
    BOOST_TEST(erase_document("user", "u", precondition::match(second))->status == write_status::committed);
    BOOST_TEST(find_document("user", "u").has_error());
    BOOST_TEST(lost(save_document({"user", "u", "3", 0}, precondition::match(second)), 0));
    for (const auto condition : {precondition::any(), precondition::match(second)})
        BOOST_TEST(erase_document("user", "u", condition)->status == write_status::absent);
    reopen();
    BOOST_TEST(find_document("user", "u").has_error());
}

BOOST_AUTO_TEST_CASE(a_scan_shows_one_kind_in_order_of_id) {
    std::vector<std::string> ids = {
        "0", "10", "9", "a", "a-b", "a_b", "ab", "b", "-", "_", std::string(128, 'z')};
    for (const auto& id : ids) {
        must_save_document({"user", id, "user " + id, 0});
        must_save_document({"user-x", id, "other", 0});
    }
    std::sort(ids.begin(), ids.end());
    reopen();
    for (const std::size_t limit : {1U, 3U, 11U, 100U}) {
        const auto all = scan_all_documents("user", limit);
        BOOST_TEST_REQUIRE(all.size() == ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            BOOST_TEST(all[i].id == ids[i]);
            BOOST_TEST(all[i].kind == "user");
            BOOST_TEST(all[i].body == "user " + ids[i]);
            BOOST_TEST(all[i].rev != 0U);
        }
    }
    BOOST_TEST(scan_all_documents("nothing", 10).empty());
    BOOST_TEST(scan_all_documents("use", 10).empty());
}

BOOST_AUTO_TEST_CASE(malformed_names_and_oversized_bodies_are_refused) {
    const auto refused = [&](const document& doc) {
        const auto outcome = save_document(doc);
        return outcome.has_error() && outcome.error().code == errc::invalid_argument;
    };
    const auto before = last_change();
    for (const auto& bad : {std::string(), std::string("A"), std::string("../x"), std::string("a/b"),
                            std::string("a.b"), std::string("a b"), std::string("\xC3\xA9"),
                            std::string("a\0b", 3), std::string(".."), std::string(129, 'a')}) {
        BOOST_TEST(refused({"user", bad, "{}", 0}));
        BOOST_TEST(refused({bad, "id", "{}", 0}));
        // What can never be there is simply not there.
        for (const auto& [kind, id] : {std::pair{std::string("user"), bad}, {bad, std::string("id")}}) {
            const auto found = find_document(kind, id);
            BOOST_TEST((found.has_error() && found.error().code == errc::not_found));
            const auto erased = erase_document(kind, id);
            BOOST_TEST((erased.has_error() && erased.error().code == errc::invalid_argument));
        }
        if (!bad.empty()) BOOST_TEST(scan_all_documents(bad, 10).empty());
    }
    BOOST_TEST(refused({std::string(33, 'k'), "id", "{}", 0}));
    BOOST_TEST(refused({"user", "id", std::string(65537, 'x'), 0}));
    BOOST_TEST(last_change() == before);
    must_save_document({std::string(32, 'k'), std::string(128, 'i'), "{}", 0});
    BOOST_TEST(scan_all_documents(std::string(32, 'k'), 1).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_cursor_that_no_scan_returns_is_refused) {
    must_save_document({"user", "u", "{}", 0});
    for (const auto* cursor : {"no cursor at all", "../x", "\xFF", "U"}) {
        const auto page = await(documents().scan("user", cursor, 10));
        BOOST_TEST((page.has_error() && page.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(documents_and_images_share_one_sequence_of_revisions) {
    const auto image = must_save(make(tenant_number(1), "a"))->rev;
    const auto doc = must_save_document({"user", "u", "{}", 0});
    const auto again = must_save(make(tenant_number(1), "a"))->rev;
    BOOST_TEST(image < doc);
    BOOST_TEST(doc < again);
}

BOOST_AUTO_TEST_SUITE_END()
