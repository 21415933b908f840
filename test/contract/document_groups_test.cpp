// SPDX-License-Identifier: Apache-2.0
// Several documents written in one atomic step.
#include "store_fixture.hpp"

#include <atomic>
#include <latch>
#include <thread>

using namespace gallery;
using namespace gallery::contract;

namespace {

using action = document_write::action;

document_write saving(std::string kind, std::string id, std::string body,
                      precondition condition = precondition::any()) {
    return document_write::save({std::move(kind), std::move(id), std::move(body), 0}, condition);
}

struct groups_fixture : store_fixture {
    result<documents_outcome> write(std::vector<document_write> parts) {
        return await(documents().write(std::move(parts)));
    }
    std::string body_of(const std::string& kind, const std::string& id) {
        const auto found = await(documents().find(kind, id));
        return found ? found->body : found.error().code == errc::not_found ? "none" : "an error";
    }
    revision rev_of(const std::string& kind, const std::string& id) {
        const auto found = await(documents().find(kind, id));
        return found ? found->rev : 0;
    }
    std::vector<document> all_documents(const std::string& kind, std::size_t limit) {
        return all_pages<document>(
            limit, [&](const std::string& cursor) { return await(documents().scan(kind, cursor, limit)); });
    }
};

bool is_invalid(const result<documents_outcome>& outcome) {
    return outcome.has_error() && outcome.error().code == errc::invalid_argument;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(document_groups, groups_fixture)

BOOST_AUTO_TEST_CASE(all_parts_are_written_in_one_step_with_a_revision_each) {
    save_document({"user", "old", "x", 0}).value();
    const auto tenant_rev = save_document({"tenant", "t", "y", 0})->rev;
    const auto before = last_change();
    const auto outcome = write({saving("user", "u", "1", precondition::absent()),
                                document_write::require("tenant", "t", precondition::match(tenant_rev)),
                                document_write::erase("user", "old", precondition::present()),
                                saving("email", "a-b", "2", precondition::absent())});
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
    BOOST_TEST_REQUIRE(outcome->revs.size() == 4U);
    BOOST_TEST(outcome->revs[0] > before);
    BOOST_TEST(outcome->revs[1] == tenant_rev);
    BOOST_TEST(outcome->revs[2] > outcome->revs[0]);
    BOOST_TEST(outcome->revs[3] > outcome->revs[2]);
    const auto check = [&] {
        BOOST_TEST(body_of("user", "u") == "1");
        BOOST_TEST(rev_of("user", "u") == outcome->revs[0]);
        BOOST_TEST(body_of("user", "old") == "none");
        BOOST_TEST(body_of("email", "a-b") == "2");
        BOOST_TEST(rev_of("email", "a-b") == outcome->revs[3]);
        BOOST_TEST(rev_of("tenant", "t") == tenant_rev);
        const auto changes = changes_after(before, 2);
        BOOST_TEST_REQUIRE(changes.size() == 3U);
        BOOST_TEST((changes[0].what == change::kind::document_saved && changes[0].document_id == "u" &&
                    changes[0].rev == outcome->revs[0]));
        BOOST_TEST((changes[1].what == change::kind::document_erased && changes[1].document_id == "old" &&
                    changes[1].rev == outcome->revs[2]));
        BOOST_TEST((changes[2].what == change::kind::document_saved && changes[2].document_kind == "email" &&
                    changes[2].rev == outcome->revs[3]));
    };
    check();
    reopen();
    check();
}

BOOST_AUTO_TEST_CASE(one_part_that_does_not_hold_leaves_everything_as_it_was) {
    const auto there = save_document({"user", "there", "before", 0})->rev;
    const auto before = last_change();
    const std::vector<std::pair<document_write, write_status>> failing = {
        {saving("user", "there", "x", precondition::absent()), write_status::conflict},
        {saving("user", "there", "x", precondition::match(there + 1)), write_status::conflict},
        {saving("user", "missing", "x", precondition::present()), write_status::conflict},
        {saving("user", "missing", "x", precondition::match(there)), write_status::conflict},
        {document_write::erase("user", "there", precondition::match(there + 1)), write_status::conflict},
        {document_write::erase("user", "there", precondition::absent()), write_status::conflict},
        {document_write::erase("user", "missing", precondition::any()), write_status::absent},
        {document_write::erase("user", "missing", precondition::match(7)), write_status::absent},
        {document_write::require("user", "there", precondition::absent()), write_status::conflict},
        {document_write::require("user", "missing", precondition::present()), write_status::conflict},
        {document_write::require("user", "missing", precondition::match(1)), write_status::conflict}};
    for (const auto& [part, status] : failing)
        for (const std::size_t place : {0U, 1U, 2U}) {
            std::vector<document_write> parts = {saving("other", "one", "new", precondition::absent()),
                                                 saving("other", "two", "new")};
            parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(place), part);
            const auto outcome = write(std::move(parts));
            BOOST_TEST_REQUIRE(outcome.has_value());
            BOOST_TEST(outcome->status == status);
            BOOST_TEST(outcome->failed == place);
            BOOST_TEST(outcome->current == (part.doc.id == "there" ? there : 0));
            BOOST_TEST(outcome->revs.empty());
            BOOST_TEST(body_of("other", "one") == "none");
            BOOST_TEST(body_of("other", "two") == "none");
            BOOST_TEST(body_of("user", "there") == "before");
        }
    BOOST_TEST(last_change() == before);
    reopen();
    BOOST_TEST(all_documents("", 10).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_first_part_that_does_not_hold_decides) {
    const auto rev = save_document({"user", "u", "1", 0})->rev;
    const auto outcome = write({saving("user", "a", "1"), saving("user", "u", "2", precondition::absent()),
                                document_write::erase("user", "missing", precondition::any())});
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == write_status::conflict);
    BOOST_TEST(outcome->failed == 1U);
    BOOST_TEST(outcome->current == rev);
}

BOOST_AUTO_TEST_CASE(a_list_that_only_requires_changes_nothing) {
    const auto rev = save_document({"user", "u", "1", 0})->rev;
    const auto outcome = write({document_write::require("user", "u", precondition::match(rev)),
                                document_write::require("user", "v", precondition::absent())});
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == write_status::committed);
    BOOST_TEST((outcome->revs == std::vector<revision>{rev, 0}));
    BOOST_TEST(last_change() == rev);
}

BOOST_AUTO_TEST_CASE(malformed_lists_are_refused_before_anything_is_judged) {
    save_document({"user", "there", "x", 0}).value();
    const auto before = last_change();
    const auto failing = saving("user", "there", "y", precondition::absent());
    BOOST_TEST(is_invalid(write({})));
    BOOST_TEST(is_invalid(write({failing, saving("user", "A", "1")})));
    BOOST_TEST(is_invalid(write({failing, saving("", "a", "1")})));
    BOOST_TEST(is_invalid(write({failing, document_write::erase("user", "../x", precondition::any())})));
    BOOST_TEST(is_invalid(write({failing, document_write::require("us er", "x", precondition::any())})));
    BOOST_TEST(is_invalid(write({failing, saving("user", "a", std::string(65'537, 'x'))})));
    BOOST_TEST(is_invalid(write({failing, saving("user", "a", "1"), saving("user", "a", "2")})));
    BOOST_TEST(is_invalid(write(
        {failing, saving("user", "a", "1"), document_write::require("user", "a", precondition::any())})));
    std::vector<document_write> many;
    for (std::size_t i = 0; i <= document_store::max_parts; ++i)
        many.push_back(saving("many", "d" + std::to_string(i), "1"));
    BOOST_TEST(is_invalid(write(many)));
    BOOST_TEST(last_change() == before);
    many.pop_back();
    for (auto& part : many)
        part.doc.body = std::string(document_store::max_body_size, 'b');
    const auto largest = write(many);
    BOOST_TEST_REQUIRE(largest.has_value());
    BOOST_TEST(largest->status == write_status::committed);
    reopen();
    BOOST_TEST(all_documents("many", 7).size() == document_store::max_parts);
}

BOOST_AUTO_TEST_CASE(all_documents_of_all_kinds_are_scanned_in_order) {
    std::vector<std::pair<std::string, std::string>> names;
    for (const auto* kind : {"b", "a", "a-b", "a_b", "zz"})
        for (const auto* id : {"2", "10", "x-y", "x"}) {
            save_document({kind, id, std::string(kind) + "/" + id, 0}).value();
            names.emplace_back(kind, id);
        }
    std::sort(names.begin(), names.end());
    reopen();
    for (const std::size_t limit : {1U, 3U, 20U, 100U}) {
        const auto all = all_documents("", limit);
        BOOST_TEST_REQUIRE(all.size() == names.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            BOOST_TEST(all[i].kind == names[i].first);
            BOOST_TEST(all[i].id == names[i].second);
            BOOST_TEST(all[i].body == all[i].kind + "/" + all[i].id);
        }
    }
    for (const auto* cursor : {"x", "after:", "\xff", "a/"}) {
        const auto got = await(documents().scan("", cursor, 5));
        BOOST_TEST((got.has_error() && got.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(of_16_writers_that_claim_one_name_one_wins_and_the_others_leave_nothing) {
    constexpr unsigned writer_count = 16;
    std::atomic<unsigned> committed = 0;
    std::atomic<unsigned> conflicts = 0;
    {
        std::latch start(writer_count);
        std::vector<std::jthread> threads;
        for (unsigned w = 0; w < writer_count; ++w)
            threads.emplace_back([&, w] {
                const auto name = "u" + std::to_string(w);
                std::vector<document_write> parts = {saving("user", name, "user", precondition::absent()),
                                                     saving("email", "taken", name, precondition::absent())};
                start.arrive_and_wait();
                const auto outcome = write(std::move(parts));
                if (!outcome) return;
                if (outcome->status == write_status::committed) ++committed;
                if (outcome->status == write_status::conflict && outcome->failed == 1) ++conflicts;
            });
    }
    BOOST_TEST(committed == 1U);
    BOOST_TEST(conflicts == writer_count - 1);
    const auto users = all_documents("user", 100);
    BOOST_TEST_REQUIRE(users.size() == 1U);
    BOOST_TEST(body_of("email", "taken") == users.front().id);
}

BOOST_AUTO_TEST_CASE(sixteen_writers_of_groups_lose_nothing_and_no_reader_sees_half_of_one) {
    constexpr unsigned writer_count = 16;
    constexpr unsigned groups = 3;
    constexpr unsigned documents_of_a_group = 4;
    const auto id_of = [](unsigned group, unsigned n) {
        return "g" + std::to_string(group) + "-" + std::to_string(n);
    };
    for (unsigned g = 0; g < groups; ++g)
        for (unsigned n = 0; n < documents_of_a_group; ++n)
            save_document({"group", id_of(g, n), "0", 0}).value();
    const auto begin = last_change();
    std::atomic<bool> ended = false;
    std::atomic<unsigned> halves = 0;
    std::atomic<unsigned> failed = 0;
    std::atomic<unsigned> seen = 0;
    {
        std::vector<std::jthread> readers;
        for (unsigned r = 0; r < 3; ++r)
            readers.emplace_back([&, r] {
                while (!ended) {
                    // Once one document shows a state, those that are read after it are at least as new.
                    unsigned long last = 0;
                    for (unsigned n = 0; n < documents_of_a_group; ++n) {
                        const auto found = await(documents().find("group", id_of(r % groups, n)));
                        const auto now = found ? std::stoul(found->body) : 0;
                        if (!found || now < last) ++halves;
                        last = now;
                    }
                    ++seen;
                }
            });
        std::vector<std::jthread> threads;
        for (unsigned w = 0; w < writer_count; ++w)
            threads.emplace_back([&, w] {
                for (unsigned done = 0; done < 6;) {
                    const auto group = (w + done) % groups;
                    std::vector<document_write> parts;
                    for (unsigned n = 0; n < documents_of_a_group; ++n) {
                        const auto found = await(documents().find("group", id_of(group, n)));
                        if (!found) return void(++failed);
                        parts.push_back(saving("group", id_of(group, n),
                                               std::to_string(std::stoul(found->body) + 1),
                                               precondition::match(found->rev)));
                    }
                    // In another order, so that two writer_count would wait for each other where locks had
                    // none.
                    if (w % 2 == 1) std::reverse(parts.begin(), parts.end());
                    const auto outcome = write(std::move(parts));
                    if (!outcome) return void(++failed);
                    if (outcome->status == write_status::committed) ++done;
                }
            });
        threads.clear();
        ended = true;
    }
    BOOST_TEST(failed == 0U);
    BOOST_TEST(halves == 0U);
    BOOST_TEST(seen > 0U);
    const auto check = [&] {
        unsigned long total = 0;
        for (unsigned g = 0; g < groups; ++g) {
            const auto first = body_of("group", id_of(g, 0));
            total += std::stoul(first);
            for (unsigned n = 1; n < documents_of_a_group; ++n)
                BOOST_TEST(body_of("group", id_of(g, n)) == first);
        }
        BOOST_TEST(total == writer_count * 6U);
    };
    check();
    BOOST_TEST(changes_after(begin).size() == writer_count * 6U * documents_of_a_group);
    reopen();
    check();
}

BOOST_AUTO_TEST_SUITE_END()
