// The log of changes and the mark of revisions, damaged in every way.
#include "tree_fixture.hpp"

#include <thread>

using namespace gallery;
using namespace gallery::contract;
using gallery::test::await;

namespace {

struct log_fixture : tree_fixture {
    std::vector<revision> revisions;

    void save_some(unsigned count) {
        for (unsigned i = 0; i < count; ++i)
            revisions.push_back(must_save(make(tenant_number(1), "k" + std::to_string(i), 5, 0))->rev);
    }
    bool has_gap(revision after) { return await(store().changes(after, 10))->gap; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(log_of_changes, log_fixture)

BOOST_AUTO_TEST_CASE(a_last_line_that_is_half_written_is_cut_off) {
    save_some(3);
    close();
    const auto whole = content_of(log_file());
    write(log_file(), whole + "0badc0de {\"revision\":99,\"chan");
    take_log();
    reopen();
    BOOST_TEST(was_logged(take_log(), "cut off the end"));
    BOOST_TEST(changes_after(0).size() == 3U);
    save_some(1);
    BOOST_TEST(changes_after(0).size() == 4U);
    reopen();
    BOOST_TEST(changes_after(0).size() == 4U);
}

BOOST_AUTO_TEST_CASE(damage_in_the_middle_is_a_gap_and_no_silence) {
    save_some(5);
    close();
    auto text = content_of(log_file());
    text[text.find("\"k2\"") + 1] = 'x';
    write(log_file(), text);
    take_log();
    reopen();
    BOOST_TEST(was_logged(take_log(), "gap"));
    BOOST_TEST(has_gap(0));
    BOOST_TEST(has_gap(revisions[1]));
    BOOST_TEST(changes_after(revisions[2]).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_missing_log_is_a_gap_for_all_who_read_before) {
    save_some(3);
    const auto last = last_change();
    close();
    fs::remove_all(root() / ".gallery/changes");
    reopen();
    BOOST_TEST(has_gap(0));
    BOOST_TEST(has_gap(revisions[1]));
    BOOST_TEST(last_change() >= last);
    const auto now = last_change();
    save_some(1);
    BOOST_TEST(changes_after(now).size() == 1U);
    reopen();
    BOOST_TEST(has_gap(revisions[1]));
    BOOST_TEST(changes_after(now).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_missing_or_damaged_mark_never_leads_to_a_revision_used_before) {
    for (const auto* content : {"", "12x\n", "no number"}) {
        save_some(1);
        const auto last = erase(tenant_number(1), "k0")->rev;
        close();
        if (*content == '\0')
            fs::remove(root() / ".gallery/revision");
        else
            write(root() / ".gallery/revision", content);
        reopen();
        BOOST_TEST(must_save(make(tenant_number(1), "k"))->rev > last);
    }
}

BOOST_AUTO_TEST_CASE(old_logs_go_and_ten_thousand_changes_stay) {
    const auto write_documents = [&](unsigned count) {
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < 16; ++t)
            threads.emplace_back([&, t] {
                for (unsigned i = 0; i < count / 16; ++i)
                    (void)save_document({"session", "s" + std::to_string(t), std::to_string(i), 0});
            });
    };
    write_documents(10'400);
    BOOST_TEST(names_in(root() / ".gallery/changes").size() == 2U);
    write_documents(10'400);
    BOOST_TEST(names_in(root() / ".gallery/changes").size() == 2U);
    const auto last = last_change();
    reopen();
    BOOST_TEST(last_change() == last);
    const auto oldest = await(store().changes(0, 1));
    BOOST_TEST(oldest->gap);
    BOOST_TEST(changes_after(oldest->changes.front().rev, 1000).size() >= 10'000U - 1);
}

BOOST_AUTO_TEST_SUITE_END()
