// SPDX-License-Identifier: Apache-2.0
// Long random sequences of operations, each outcome and the whole content compared with a model.
#include "model.hpp"
#include "store_fixture.hpp"

using namespace gallery;
using namespace gallery::contract;

namespace {

struct random_fixture : store_fixture {
    struct kept {
        image what;
        record_ptr record;
    };
    std::map<std::pair<tenant_id, std::string>, kept> content;
    std::map<std::pair<std::string, std::string>, document> accounts;
    std::vector<change> expected_feed;
    revision newest = 0;

    const kept* there(const tenant_id& tenant, const std::string& key) const {
        const auto found = content.find({tenant, key});
        return found == content.end() ? nullptr : &found->second;
    }
    static revision rev_of(const kept* item) { return item == nullptr ? 0 : item->record->rev; }

    precondition random_condition(revision current) {
        switch (number(6)) {
            case 0:
                return precondition::absent();
            case 1:
                return precondition::match(current + number(2));
            case 2:
                return precondition::match(current);
            default:
                return precondition::any();
        }
    }

    void expect_newer(revision rev) {
        BOOST_TEST_REQUIRE(rev > newest);
        newest = rev;
    }
    void note(change::kind what, const image_record& record, revision rev) {
        change one;
        one.what = what;
        one.rev = rev;
        one.tenant = record.tenant;
        one.key = record.key;
        one.id = record.id;
        expected_feed.push_back(one);
    }

    void random_save() {
        const auto tenant = tenant_number(static_cast<unsigned>(number(2)));
        const auto key = "k" + std::to_string(number(12));
        const auto* current = there(tenant, key);
        auto next = make(tenant, key, number(number(8) == 0 ? 100'000 : 500), number(60));
        if (current != nullptr && number(2) == 0) {
            next.record.id = current->what.record.id;
            next.record.public_key = current->what.record.public_key;
        }
        const kept* other = nullptr;  // now and then a public key that may be somebody else's
        if (number(8) == 0 && !content.empty()) {
            auto at = content.begin();
            std::advance(at, static_cast<std::ptrdiff_t>(number(content.size())));
            next.record.public_key = at->second.what.record.public_key;
            if (at->first != std::pair(tenant, key)) other = &at->second;
        }
        const auto condition = random_condition(rev_of(current));
        const auto outcome = save(next, condition);
        BOOST_TEST_REQUIRE(outcome.has_value());
        if (!condition.holds(rev_of(current))) return expect_conflict(*outcome, current);
        if (other != nullptr) {
            BOOST_TEST_REQUIRE(outcome->status == write_status::public_key_taken);
            BOOST_TEST_REQUIRE(outcome->rev == rev_of(current));
            return;
        }
        BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
        expect_newer(outcome->rev);
        content[{tenant, key}] = {next, outcome->record};
        note(change::kind::image_saved, next.record, outcome->rev);
    }

    void expect_conflict(const write_outcome& outcome, const kept* current) {
        BOOST_TEST_REQUIRE(outcome.status == write_status::conflict);
        BOOST_TEST_REQUIRE(outcome.rev == rev_of(current));
        BOOST_TEST_REQUIRE((outcome.record == nullptr) == (current == nullptr));
        if (current != nullptr) BOOST_TEST_REQUIRE((*outcome.record == *current->record));
    }

    void random_update_or_erase() {
        const auto tenant = tenant_number(static_cast<unsigned>(number(2)));
        const auto key = "k" + std::to_string(number(12));
        const auto* current = there(tenant, key);
        const auto condition = random_condition(rev_of(current));
        const bool erases = number(2) == 0;
        auto wanted = make(tenant, key).record;
        wanted.title = "title " + std::to_string(number(1000));
        const auto outcome = erases ? erase(tenant, key, condition) : update(wanted, condition);
        BOOST_TEST_REQUIRE(outcome.has_value());
        if (current == nullptr) {
            BOOST_TEST_REQUIRE(outcome->status == write_status::absent);
            BOOST_TEST_REQUIRE(outcome->rev == 0U);
            return;
        }
        if (!condition.holds(current->record->rev)) return expect_conflict(*outcome, current);
        BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
        expect_newer(outcome->rev);
        note(erases ? change::kind::image_erased : change::kind::image_updated, current->what.record,
             outcome->rev);
        if (erases) {
            content.erase({tenant, key});
            return;
        }
        auto& item = content[{tenant, key}];
        auto& record = item.what.record;
        record.title = wanted.title;
        record.file_name = wanted.file_name;
        record.sub_type = wanted.sub_type;
        record.is_public = wanted.is_public;
        record.tags = wanted.tags;
        record.modified_time = wanted.modified_time;
        BOOST_TEST_REQUIRE(outcome->record->content_rev == item.record->content_rev);
        item.record = outcome->record;
    }

    void random_document() {
        const document wanted{number(2) == 0 ? "user" : "tenant", "d" + std::to_string(number(6)),
                              std::to_string(number(1000)), 0};
        const auto name = std::pair(wanted.kind, wanted.id);
        const auto current = accounts.contains(name) ? accounts[name].rev : 0;
        const auto condition = random_condition(current);
        const bool erases = number(3) == 0;
        const auto outcome = erases ? await(documents().erase(wanted.kind, wanted.id, condition))
                                    : save_document(wanted, condition);
        BOOST_TEST_REQUIRE(outcome.has_value());
        if (erases && current == 0) {
            BOOST_TEST_REQUIRE(outcome->status == write_status::absent);
        } else if (!condition.holds(current)) {
            BOOST_TEST_REQUIRE(outcome->status == write_status::conflict);
            BOOST_TEST_REQUIRE(outcome->rev == current);
        } else {
            BOOST_TEST_REQUIRE(outcome->status == write_status::committed);
            expect_newer(outcome->rev);
            change one;
            one.what = erases ? change::kind::document_erased : change::kind::document_saved;
            one.rev = outcome->rev;
            one.document_kind = wanted.kind;
            one.document_id = wanted.id;
            expected_feed.push_back(one);
            if (erases) {
                accounts.erase(name);
            } else {
                accounts[name] = wanted;
                accounts[name].rev = outcome->rev;
            }
        }
    }

    void expect_all() {
        for (const auto& [name, item] : content) {
            expect_stored(item.what);
            BOOST_TEST_REQUIRE((*must_find(name.first, name.second) == *item.record));
        }
        BOOST_TEST_REQUIRE(scan_all(std::nullopt, 5).size() == content.size());
        std::size_t count = 0;
        for (const auto* kind : {"user", "tenant"}) {
            const auto page = await(documents().scan(kind, "", 100));
            for (const auto& doc : page->items) {
                ++count;
                BOOST_TEST_REQUIRE((doc == accounts.at({doc.kind, doc.id})));
            }
        }
        BOOST_TEST_REQUIRE(count == accounts.size());
        const auto all = changes_after(0, 64);
        BOOST_TEST_REQUIRE(all.size() == expected_feed.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            BOOST_TEST_REQUIRE((all[i].what == expected_feed[i].what && all[i].rev == expected_feed[i].rev &&
                                all[i].key == expected_feed[i].key && all[i].id == expected_feed[i].id &&
                                all[i].document_id == expected_feed[i].document_id));
        }
        expect_sound();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(random_operations, random_fixture)

BOOST_AUTO_TEST_CASE(every_outcome_and_all_content_agree_with_the_model) {
    for (int round = 0; round < 12; ++round) {
        for (int i = 0; i < 60; ++i) {
            switch (number(5)) {
                case 0:
                    random_document();
                    break;
                case 1:
                case 2:
                    random_update_or_erase();
                    break;
                default:
                    random_save();
                    break;
            }
        }
        expect_all();
        if (round % 3 == 2) {
            reopen();
            expect_all();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
