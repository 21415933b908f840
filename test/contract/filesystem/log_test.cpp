// SPDX-License-Identifier: Apache-2.0
// The log of changes and the mark of revisions, damaged in every way.
#include "disk_fault.hpp"
#include "tree_fixture.hpp"

#include <boost/crc.hpp>

#include <cerrno>
#include <cstdio>
#include <functional>

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
    /// A line of the log as the store writes it.
    static std::string line(const std::string& json) {
        boost::crc_32_type crc;
        crc.process_bytes(json.data(), json.size());
        char digits[9];
        std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(crc.checksum()));
        return std::string(digits) + ' ' + json + '\n';
    }
    /// Opens a store whose log is full but for one change; returns the log's text.
    std::string open_with_log_of(revision last) {
        close();
        auto text = line(R"({"format":"gallery changes 1","after":0})");
        for (revision rev = 1; rev <= last; ++rev)
            text += line(R"({"revision":)" + std::to_string(rev) +
                         R"(,"change":"document_saved","kind":"session","id":"s"})");
        write(log_file(), text);
        reopen();
        BOOST_TEST_REQUIRE(last_change() == last);
        return text;
    }
    bool has_gap(revision after) { return await(feed().changes(after, 10))->gap; }
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
    BOOST_TEST(was_logged(take_log(), "removed the end"));
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

BOOST_AUTO_TEST_CASE(where_no_new_log_can_be_begun_the_old_one_goes_on) {
    const auto text = open_with_log_of(9'999);
    const auto old_log = log_file();
    save_some(1);  // from the next one on a new log is due
    struct refusal {
        disk_call which;
        bool stays;  ///< the new file, which cannot be removed either
    };
    for (const auto& [which, stays] : {refusal{disk_call::rename, false}, refusal{disk_call::open, false},
                                       refusal{disk_call::open, true}}) {
        auto name = std::to_string(last_change());
        name.insert(0, 20 - name.size(), '0');
        name += ".log";
        const disk_fault fault(which, name, EIO);
        const disk_fault removal(disk_call::remove, stays ? name : "no such file", EIO);
        save_some(1);
        BOOST_TEST(fault.hits() == 1U);
        BOOST_TEST(names_in(root() / ".gallery/changes").size() == (stays ? 2U : 1U));
    }
    BOOST_TEST(content_of(old_log).starts_with(text));
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(changes_after(9'900).size() == 99U + revisions.size());
        BOOST_TEST(last_change() == revisions.back());
        take_log();
        reopen();
        BOOST_TEST(!was_logged(take_log(), "gap"));
    }
    // And when it can be, again.
    save_some(2);
    BOOST_TEST(changes_after(9'900).size() == 99U + revisions.size());
    reopen();
    BOOST_TEST(changes_after(9'900).size() == 99U + revisions.size());
    BOOST_TEST(must_find(tenant_number(1), "k0")->rev >= revisions[revisions.size() - 2]);
}

BOOST_AUTO_TEST_CASE(a_start_on_a_full_disk_goes_on_with_a_log_that_is_full) {
    (void)open_with_log_of(9'999);
    save_some(1);  // from the next one on a new log is due
    close();
    {
        const disk_fault no_new_file(disk_call::create, "", ENOSPC);
        reopen();
        revisions.push_back(erase(tenant_number(1), "k0")->rev);
    }
    save_some(2);
    reopen();
    BOOST_TEST(changes_after(9'900).size() == 99U + revisions.size());
}

BOOST_AUTO_TEST_CASE(marks_of_any_length_are_read) {
    for (const auto* content :
         {"70000\n", "00000000000000080000\n", "1\n", "no number, and longer than a mark is"}) {
        close();
        write(root() / ".gallery/revision", content);
        const auto last = std::max<revision>(revisions.empty() ? 0 : revisions.back(), std::atoi(content));
        reopen();
        save_some(1);
        BOOST_TEST(revisions.back() > last);
        BOOST_TEST(content_of(root() / ".gallery/revision").size() == 21U);
    }
}

BOOST_AUTO_TEST_CASE(old_logs_go_and_ten_thousand_changes_stay) {
    make_changes(10'400);
    BOOST_TEST(names_in(root() / ".gallery/changes").size() == 2U);
    make_changes(10'400);
    BOOST_TEST(names_in(root() / ".gallery/changes").size() == 2U);
    const auto last = last_change();
    reopen();
    BOOST_TEST(last_change() == last);
    const auto oldest = await(feed().changes(0, 1));
    BOOST_TEST(oldest->gap);
    BOOST_TEST(changes_after(oldest->changes.front().rev, 1000).size() >= 10'000U - 1);
}

BOOST_AUTO_TEST_SUITE_END()
