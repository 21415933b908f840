// SPDX-License-Identifier: Apache-2.0
#include "accounts/tenant_profiles.hpp"

#include "accounts/account_documents.hpp"
#include "accounts/profile_data.hpp"
#include "accounts/tenants.hpp"
#include "boost_test.hpp"
#include "house.hpp"
#include "node.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace gallery;
using namespace gallery::accounts;
using gallery::test::documents_in_memory;
using gallery::test::house;
using gallery::test::node;
using gallery::test::run;

system_administrator some_administrator() {
    auto who = std::make_shared<auth::principal>();
    who->tenant = system_tenant;
    who->role = auth::authority::sys_admin;
    return prove<system_administrator>(std::move(who)).value();
}

/// profileData with one member in its configuration.
std::string data_with(const std::string& member) {
    return R"({"configuration":{)" + member + "}}";
}

tenant_profile new_profile(std::string name, const std::string& member = R"("maxResourceSize":100)") {
    tenant_profile value;
    value.name = std::move(name);
    BOOST_REQUIRE(set_data(value, data_with(member)));
    return value;
}

tenant new_tenant(std::optional<tenant_profile_id> profile = {}) {
    tenant value;
    value.title = "T";
    value.profile = profile;
    return value;
}

directory::edit<tenant> with_profile(std::optional<tenant_profile_id> profile) {
    return [profile](tenant& value) -> result<void> {
        value.profile = profile;
        return {};
    };
}

directory::edit<tenant_profile> with_size(std::uint64_t bytes) {
    return [bytes](tenant_profile& value) {
        return set_data(value, data_with("\"maxResourceSize\":" + std::to_string(bytes)));
    };
}

std::uint64_t size_limit_of(const directory& accounts, tenant_id id) {
    const auto limits = accounts.limits_of(id);
    return limits ? limits->max_resource_size : 0;
}

/// Lets @p meanwhile happen once, before the next document of this kind is written. It runs in a thread of
/// its own, because that of the test is inside a coroutine.
template <class Function>
void meanwhile_before_writing(documents_in_memory& store, std::string kind, Function meanwhile) {
    store.before_write = [kind = std::move(kind), meanwhile,
                          done = false](const std::string& written) mutable -> std::optional<error> {
        if (done || written != kind) return {};
        done = true;
        std::thread(meanwhile).join();
        return {};
    };
}

tenant_images_eraser no_images() {
    return [](tenant_id) -> task<result<void>> { co_return result<void>(); };
}

std::size_t default_profiles(const directory& accounts) {
    std::size_t count = 0;
    for (const auto& each : accounts.profiles())
        count += each->is_default ? 1 : 0;
    return count;
}

struct two_servers {
    documents_in_memory store;
    node one{store};
    node other{store};

    two_servers() {
        BOOST_REQUIRE(run(one.accounts.ensure_default_profile()));
        BOOST_REQUIRE(run(other.follow()));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tenant_profiles_of_the_server)

// ---- profileData --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_limits_are_those_of_the_configuration) {
    const auto profile =
        new_profile("P", R"("maxResourceSize":1048576,"maxResourcesInBytes":9007199254740991,)"
                         R"("tenantServerRestLimitsConfiguration":"100:1,2000:60",)"
                         R"("customerServerRestLimitsConfiguration":"5:1")");
    BOOST_REQUIRE(profile.limits);
    const tenant_limits expected{.max_resource_size = 1048576,
                                 .max_resources_bytes = 9007199254740991,
                                 .tenant_requests = "100:1,2000:60",
                                 .customer_requests = "5:1"};
    BOOST_TEST((*profile.limits == expected));
}

BOOST_AUTO_TEST_CASE(zero_null_and_empty_are_no_limits) {
    for (const std::string member :
         {R"("maxResourceSize":0)", R"("maxResourcesInBytes":null)",
          R"("tenantServerRestLimitsConfiguration":"")", R"("customerServerRestLimitsConfiguration":null)",
          R"("maxDevices":5)"}) {
        BOOST_TEST_CONTEXT(member) {
            BOOST_TEST((new_profile("P", member).limits == nullptr));
        }
    }
    tenant_profile empty;
    BOOST_REQUIRE(set_data(empty, {}));
    BOOST_TEST((empty.limits == nullptr));
    BOOST_TEST(empty.data.find(R"("maxResourceSize":0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_the_server_does_not_interpret_is_kept) {
    tenant_profile value;
    const std::string text =
        R"({"configuration":{"type":"DEFAULT","maxDevices":7,"smsEnabled":true},"queueConfiguration":[{"name":"Main"}]})";
    BOOST_REQUIRE(set_data(value, text));
    BOOST_TEST(value.data == text);
    BOOST_REQUIRE(set_data(value, data_with(R"("maxUsers":1)")));
    BOOST_TEST(value.data == R"({"configuration":{"maxUsers":1,"type":"DEFAULT"}})");
}

BOOST_AUTO_TEST_CASE(malformed_limits_are_refused_with_the_field_and_change_nothing) {
    const std::pair<std::string, std::string> refused[] = {
        {"[]", "'profileData'"},
        {"{", "'profileData'"},
        {"{}", "configuration should be specified"},
        {R"({"configuration":null})", "configuration should be specified"},
        {R"({"configuration":[]})", "'profileData.configuration'"},
        {data_with(R"("maxResourceSize":-1)"), "'profileData.configuration.maxResourceSize' is -1"},
        {data_with(R"("maxResourceSize":1.5)"), "maxResourceSize"},
        {data_with(R"("maxResourceSize":"10")"), "maxResourceSize"},
        {data_with(R"("maxResourcesInBytes":9007199254740992)"), "0 to 9007199254740991"},
        {data_with(R"("maxResourcesInBytes":9223372036854775808)"), "maxResourcesInBytes"},
        {data_with(R"("tenantServerRestLimitsConfiguration":7)"), "tenantServerRestLimitsConfiguration"},
        {data_with(R"("tenantServerRestLimitsConfiguration":"7")"),
         "tenantServerRestLimitsConfiguration' is not a rate limit. The rate '7'"},
        {data_with(R"("customerServerRestLimitsConfiguration":"1:1,2:1")"),
         "customerServerRestLimitsConfiguration"},
    };
    for (const auto& [text, words] : refused) {
        BOOST_TEST_CONTEXT(text) {
            auto value = new_profile("P");
            const auto before = value.data;
            const auto done = set_data(value, text);
            BOOST_TEST_REQUIRE(!done.has_value());
            BOOST_TEST((done.error().code == errc::invalid_argument));
            BOOST_TEST(done.error().message.find(words) != std::string::npos, done.error().message);
            BOOST_TEST(value.data == before);
            BOOST_TEST(value.limits->max_resource_size == 100U);
        }
    }
}

/// Another version of the server may have accepted them.
BOOST_AUTO_TEST_CASE(a_stored_profile_with_limits_that_are_not_accepted_is_kept_with_the_others) {
    const auto stored_with = [](std::string data) {
        tenant_profile value;
        value.id = tenant_profile_id{random_uuid()};
        value.name = "P";
        value.data = std::move(data);
        return from_document<tenant_profile>(to_document(value));
    };
    const auto data = data_with(R"("maxResourceSize":-1,"maxResourcesInBytes":9007199254740992,)"
                                R"("tenantServerRestLimitsConfiguration":"1:1",)"
                                R"("customerServerRestLimitsConfiguration":"x")");
    const auto profile = stored_with(data);
    BOOST_TEST_REQUIRE(profile.has_value());
    BOOST_TEST(profile->data == data);
    BOOST_REQUIRE(profile->limits);
    BOOST_TEST((*profile->limits == tenant_limits{.tenant_requests = "1:1"}));
    BOOST_TEST_REQUIRE(profile->ignored_limits.size() == 3U);
    BOOST_TEST(profile->ignored_limits[0].find("maxResourceSize' is -1") != std::string::npos);
    BOOST_TEST(profile->ignored_limits[1].find("maxResourcesInBytes' is 9007199254740992") !=
               std::string::npos);
    BOOST_TEST(profile->ignored_limits[2].find("customerServerRestLimitsConfiguration'") !=
               std::string::npos);
    const std::pair<std::string, std::size_t> others[] = {{"[]", 1},
                                                          {"{}", 0},
                                                          {R"({"configuration":null})", 0},
                                                          {R"({"configuration":[]})", 1},
                                                          {data_with(R"("maxUsers":-1)"), 0}};
    for (const auto& [other, ignored] : others) {
        BOOST_TEST_CONTEXT(other) {
            const auto without = stored_with(other);
            BOOST_TEST_REQUIRE(without.has_value());
            BOOST_TEST(without->data == other);
            BOOST_TEST((without->limits == nullptr));
            BOOST_TEST(without->ignored_limits.size() == ignored);
        }
    }
    const auto broken = stored_with("{");
    BOOST_TEST_REQUIRE(!broken.has_value());
    BOOST_TEST((broken.error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_not_accepted_is_logged_once_per_load_until_it_is_corrected) {
    documents_in_memory store;
    std::vector<std::string> lines;
    directory_options options;
    options.log = [&](std::string_view line) { lines.emplace_back(line); };
    tenant_profile value;
    value.id = tenant_profile_id{random_uuid()};
    value.name = "Of another version";
    value.data = data_with(R"("maxResourceSize":-1,"maxResourcesInBytes":5)");
    std::vector<document_write> parts;
    parts.push_back(document_write::save(to_document(value), precondition::absent()));
    BOOST_REQUIRE(run(store.write(std::move(parts))));
    directory first(store, options);
    BOOST_REQUIRE(run(first.load()));
    BOOST_TEST_REQUIRE(lines.size() == 1U);
    for (const auto& words : {std::string("'Of another version'"), to_string(value.id),
                              std::string("maxResourceSize' is -1"), std::string("does not apply")})
        BOOST_TEST(lines[0].find(words) != std::string::npos, lines[0]);
    // Nothing else reads it again.
    BOOST_REQUIRE(run(first.create(new_tenant(value.id))));
    BOOST_REQUIRE(run(first.ensure_default_profile()));
    BOOST_TEST(lines.size() == 1U);
    BOOST_REQUIRE(run(first.load()));
    BOOST_TEST(lines.size() == 2U);
    tenant_profiles all(first);
    submitted_profile sent;
    sent.id = value.id.value;
    sent.name = value.name;
    sent.data = data_with(R"("maxResourceSize":1)");
    const auto saved = run(all.save(some_administrator(), sent));
    BOOST_TEST_REQUIRE(saved.has_value());
    BOOST_TEST((*saved)->ignored_limits.empty());
    BOOST_REQUIRE(run(first.load()));
    BOOST_TEST(lines.size() == 2U);
}

// ---- the limits of a tenant ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_tenant_has_the_limits_of_its_profile_also_after_a_restart) {
    house h;
    BOOST_REQUIRE(run(h.accounts.ensure_default_profile()));
    const auto profile = run(h.accounts.create(new_profile("Small"))).value();
    const auto limited = run(h.accounts.create(new_tenant(profile->id))).value();
    const auto usual = run(h.accounts.create(new_tenant())).value();
    directory again(h.store);
    BOOST_REQUIRE(run(again.load()));
    for (const auto* accounts : {&h.accounts, &again}) {
        BOOST_TEST(size_limit_of(*accounts, limited->id) == 100U);
        BOOST_TEST((accounts->limits_of(usual->id) == nullptr));
        BOOST_TEST((accounts->limits_of(system_tenant) == nullptr));
    }
    BOOST_TEST(again.find_profile(profile->id)->data == profile->data);
}

BOOST_AUTO_TEST_CASE(changed_profiles_and_tenants_have_an_effect_at_once) {
    house h;
    const auto first = run(h.accounts.ensure_default_profile()).value();
    const auto profile = run(h.accounts.create(new_profile("Small"))).value();
    const auto id = run(h.accounts.create(new_tenant(profile->id))).value()->id;
    BOOST_REQUIRE(run(h.accounts.change_profile(profile->id, with_size(200))));
    BOOST_TEST(size_limit_of(h.accounts, id) == 200U);
    BOOST_REQUIRE(run(h.accounts.change_tenant(id, with_profile(first->id))));
    BOOST_TEST((h.accounts.limits_of(id) == nullptr));
    BOOST_REQUIRE(run(h.accounts.change_profile(first->id, with_size(300))));
    BOOST_TEST(size_limit_of(h.accounts, id) == 300U);
    // Also for tenants that have no account here, and not for system images.
    BOOST_TEST(size_limit_of(h.accounts, tenant_id{random_uuid()}) == 300U);
    BOOST_TEST((h.accounts.limits_of(system_tenant) == nullptr));
}

BOOST_AUTO_TEST_CASE(changes_of_other_servers_have_an_effect_when_the_feed_brings_them) {
    two_servers s;
    const auto profile = run(s.one.accounts.create(new_profile("Small"))).value();
    const auto id = run(s.one.accounts.create(new_tenant(profile->id))).value()->id;
    BOOST_TEST((s.other.accounts.limits_of(id) == nullptr));
    BOOST_REQUIRE(run(s.other.follow()));
    BOOST_TEST(size_limit_of(s.other.accounts, id) == 100U);
    BOOST_REQUIRE(run(s.one.accounts.change_profile(profile->id, with_size(200))));
    BOOST_REQUIRE(run(s.other.follow()));
    BOOST_TEST(size_limit_of(s.other.accounts, id) == 200U);
    BOOST_REQUIRE(run(s.one.accounts.make_default(profile->id)));
    BOOST_REQUIRE(run(s.other.follow()));
    BOOST_TEST((s.other.accounts.default_profile()->id == profile->id));
    BOOST_TEST(default_profiles(s.other.accounts) == 1U);
}

/// Versions without profiles stored whatever id a client had sent.
BOOST_AUTO_TEST_CASE(tenants_of_earlier_versions_have_the_first_profile) {
    house h;
    const auto first = run(h.accounts.ensure_default_profile()).value();
    BOOST_REQUIRE(run(h.accounts.change_profile(first->id, with_size(300))));
    auto stored = new_tenant(tenant_profile_id{random_uuid()});
    stored.id = tenant_id{random_uuid()};
    const auto without = run(h.accounts.create(new_tenant())).value();
    BOOST_REQUIRE(run(h.store.write({document_write::save(to_document(stored), precondition::absent())})));
    BOOST_REQUIRE(run(h.accounts.load()));
    tenants all(h.accounts, no_images(), {}, false);
    // They keep it when another one becomes the default.
    const auto next = run(h.accounts.create(new_profile("Next"))).value();
    BOOST_REQUIRE(run(h.accounts.make_default(next->id)));
    BOOST_TEST(run(h.accounts.delete_profile(first->id)).has_error());
    for (const auto id : {stored.id, without->id}) {
        BOOST_TEST(size_limit_of(h.accounts, id) == 300U);
        BOOST_TEST(
            (all.find(prove<administrator>(some_administrator().shared()).value(), id).value()->profile ==
             first->id));
        // It can be changed and deleted as any other.
        BOOST_REQUIRE(run(h.accounts.change_tenant(id, [](tenant& value) -> result<void> {
            value.title = "New";
            return {};
        })));
        BOOST_REQUIRE(run(h.accounts.delete_tenant(id, no_images())));
    }
}

BOOST_AUTO_TEST_CASE(a_new_tenant_gets_the_default_profile_and_a_changed_one_keeps_its_own) {
    house h;
    tenants all(h.accounts, no_images(), {}, false);
    const auto save = [&](std::optional<uuid> id, std::optional<tenant_profile_id> profile) {
        submitted<tenant> sent;
        sent.id = id;
        sent.value = new_tenant(profile);
        return run(all.save(some_administrator(), std::move(sent)));
    };
    const auto made = save({}, {}).value();
    const auto first = h.accounts.default_profile();
    BOOST_REQUIRE(first);
    BOOST_TEST((made->profile == first->id));
    const auto small = run(h.accounts.create(new_profile("Small"))).value();
    BOOST_TEST((save(made->id.value, small->id).value()->profile == small->id));
    BOOST_TEST((save(made->id.value, {}).value()->profile == small->id));
    // The default profile of today stays that of the tenant.
    BOOST_TEST((save(made->id.value, first->id).value()->profile == first->id));
    BOOST_REQUIRE(run(h.accounts.make_default(small->id)));
    BOOST_TEST((h.accounts.find_tenant(made->id)->profile == first->id));
    BOOST_TEST((save({}, {}).value()->profile == small->id));
    for (const auto id : {std::optional<uuid>(), std::optional<uuid>(made->id.value)}) {
        const auto unknown = save(id, tenant_profile_id{random_uuid()});
        BOOST_TEST_REQUIRE(!unknown.has_value());
        BOOST_TEST((unknown.error().code == errc::not_found));
    }
}

// ---- tokens that were verified before -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(new_profiles_tenants_and_users_leave_verified_tokens_alone) {
    two_servers s;
    const auto before_one = s.one.accounts.epoch().current();
    const auto before_other = s.other.accounts.epoch().current();
    const auto profile = run(s.one.accounts.create(new_profile("Small"))).value();
    BOOST_REQUIRE(run(s.other.follow()));
    const auto id = run(s.one.accounts.create(new_tenant(profile->id))).value()->id;
    const auto user = s.one.add_user("a@b.example", id).value();
    BOOST_REQUIRE(run(s.other.follow()));
    BOOST_TEST(s.other.accounts.find_user(user->id) != nullptr);
    BOOST_TEST(size_limit_of(s.other.accounts, id) == 100U);
    BOOST_TEST(s.one.accounts.epoch().current() == before_one);
    BOOST_TEST(s.other.accounts.epoch().current() == before_other);
    // Changes do invalidate.
    BOOST_REQUIRE(run(s.one.accounts.change_profile(profile->id, with_size(200))));
    BOOST_REQUIRE(run(s.other.follow()));
    BOOST_TEST(s.one.accounts.epoch().current() > before_one);
    BOOST_TEST(s.other.accounts.epoch().current() > before_other);
}

/// The profile is written again when the tenant gets it, and a server that reads the feed late takes over the
/// later of the two.
BOOST_AUTO_TEST_CASE(a_profile_that_becomes_known_after_its_tenant_invalidates) {
    two_servers s;
    const auto tenant = run(s.one.accounts.create(new_tenant())).value()->id;
    BOOST_REQUIRE(run(s.other.follow()));
    const auto profile = run(s.one.accounts.create(new_profile("Small"))).value();
    BOOST_REQUIRE(run(s.one.accounts.change_tenant(tenant, with_profile(profile->id))));
    const auto changes = run(s.store.changes(s.other.seen, 1000)).value().changes;
    for (const auto& each : changes) {
        const auto size = size_limit_of(s.other.accounts, tenant);
        const auto epoch = s.other.accounts.epoch().current();
        BOOST_REQUIRE(run(s.other.accounts.apply(each)));
        const bool changed = size_limit_of(s.other.accounts, tenant) != size;
        BOOST_TEST((!changed || s.other.accounts.epoch().current() > epoch));
    }
    BOOST_TEST(size_limit_of(s.other.accounts, tenant) == 100U);
}

BOOST_AUTO_TEST_CASE(tokens_of_users_of_thingsboard_are_verified_again_when_their_tenant_becomes_known) {
    documents_in_memory store;
    const directory_options shared_key{.foreign_users = true};
    node one(store, shared_key);
    node other(store, shared_key);
    BOOST_REQUIRE(run(one.accounts.ensure_default_profile()));
    const auto profile = run(one.accounts.create(new_profile("Small"))).value();
    BOOST_REQUIRE(run(other.follow()));
    const auto invalidates = [&](tenant value) {
        const auto before_one = one.accounts.epoch().current();
        const auto before_other = other.accounts.epoch().current();
        BOOST_REQUIRE(run(one.accounts.create(std::move(value))));
        BOOST_REQUIRE(run(other.follow()));
        return std::pair(one.accounts.epoch().current() > before_one,
                         other.accounts.epoch().current() > before_other);
    };
    BOOST_TEST((invalidates(new_tenant()) == std::pair(false, false)));
    auto adopted = new_tenant(profile->id);
    adopted.id = tenant_id{random_uuid()};
    BOOST_TEST((invalidates(adopted) == std::pair(true, true)));
    const auto epoch = other.accounts.epoch().current();
    BOOST_REQUIRE(one.add_user("a@b.example", adopted.id));
    BOOST_REQUIRE(run(other.follow()));
    BOOST_TEST(other.accounts.epoch().current() > epoch);
}

// ---- the default profile ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(servers_that_start_at_the_same_time_create_one_default_profile) {
    documents_in_memory store;
    node one(store);
    node other(store);
    meanwhile_before_writing(store, "tenant_profile",
                             [&] { BOOST_TEST(run(other.accounts.ensure_default_profile()).has_value()); });
    const auto made = run(one.accounts.ensure_default_profile());
    BOOST_REQUIRE(made);
    BOOST_TEST((*made)->name == "Default");
    BOOST_TEST((*made)->is_default);
    BOOST_TEST(((*made)->limits == nullptr));
    BOOST_TEST(store.count("tenant_profile") == 1U);
}

BOOST_AUTO_TEST_CASE(there_is_one_default_profile_whatever_two_servers_make_the_default) {
    two_servers s;
    const auto a = run(s.one.accounts.create(new_profile("A"))).value();
    const auto b = run(s.one.accounts.create(new_profile("B"))).value();
    meanwhile_before_writing(s.store, "tenant_profile",
                             [&] { BOOST_TEST(run(s.other.accounts.make_default(b->id)).has_value()); });
    BOOST_REQUIRE(run(s.one.accounts.make_default(a->id)));
    s.store.before_write = nullptr;
    BOOST_REQUIRE(run(s.other.follow()));
    directory again(s.store);
    BOOST_REQUIRE(run(again.load()));
    for (const auto* accounts : {&s.one.accounts, &s.other.accounts, &again}) {
        BOOST_TEST(default_profiles(*accounts) == 1U);
        BOOST_TEST((accounts->default_profile()->id == a->id));
    }
}

BOOST_AUTO_TEST_CASE(the_default_profile_stays_the_default_and_no_other_can_be_sent_as_it) {
    house h;
    tenant_profiles all(h.accounts);
    submitted_profile sent;
    sent.name = "Second";
    sent.is_default = true;
    const auto second = run(all.save(some_administrator(), sent));
    BOOST_TEST_REQUIRE(!second.has_value());
    BOOST_TEST(second.error().message == "Another default tenant profile is present!");
    const auto first = h.accounts.default_profile();
    sent.id = first->id.value;
    sent.is_default = false;
    BOOST_TEST(run(all.save(some_administrator(), sent)).value()->is_default);
    sent.id.reset();
    sent.name = "Third";
    const auto third = run(all.save(some_administrator(), sent)).value();
    sent.id = third->id.value;
    sent.is_default = true;
    BOOST_TEST(!run(all.save(some_administrator(), sent)).has_value());
    BOOST_TEST((h.accounts.default_profile()->id == first->id));
}

BOOST_AUTO_TEST_CASE(a_store_that_takes_no_writes_has_no_default_profile_and_no_limits) {
    house h;
    h.store.before_write = [](const std::string&) { return std::optional<error>({errc::no_space, "full"}); };
    const auto made = run(h.accounts.ensure_default_profile());
    BOOST_TEST_REQUIRE(!made.has_value());
    BOOST_TEST((made.error().code == errc::no_space));
    BOOST_TEST((h.accounts.default_profile() == nullptr));
    BOOST_TEST((h.accounts.limits_of(tenant_id{random_uuid()}) == nullptr));
    h.store.before_write = nullptr;
    BOOST_TEST(run(h.accounts.ensure_default_profile()).has_value());
}

// ---- names --------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_name_belongs_to_one_profile) {
    two_servers s;
    const auto first = run(s.one.accounts.create(new_profile("Small"))).value();
    const auto renamed = [](std::string name) -> directory::edit<tenant_profile> {
        return [name](tenant_profile& value) -> result<void> {
            value.name = name;
            return {};
        };
    };
    // The other server has not read the feed.
    const auto second = run(s.other.accounts.create(new_profile("Small")));
    BOOST_TEST_REQUIRE(!second.has_value());
    BOOST_TEST((second.error().code == errc::already_exists));
    BOOST_TEST(!run(s.other.accounts.create(new_profile("Default"))).has_value());
    BOOST_TEST(!run(s.other.accounts.create(new_profile(""))).has_value());
    const auto other = run(s.other.accounts.create(new_profile("small"))).value();
    BOOST_TEST(!run(s.other.accounts.change_profile(other->id, renamed("Small"))).has_value());
    BOOST_REQUIRE(run(s.one.accounts.change_profile(first->id, renamed("Large"))));
    BOOST_TEST(run(s.other.accounts.change_profile(other->id, renamed("Small"))).has_value());
    BOOST_REQUIRE(run(s.one.accounts.delete_profile(first->id)));
    BOOST_TEST(run(s.other.accounts.create(new_profile("Large"))).has_value());
    BOOST_TEST(s.store.count("tenant_profile_name") == s.store.count("tenant_profile"));
}

// ---- deletion -----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_default_profile_and_one_of_a_tenant_cannot_be_deleted) {
    house h;
    const auto first = run(h.accounts.ensure_default_profile()).value();
    const auto profile = run(h.accounts.create(new_profile("Small"))).value();
    const auto id = run(h.accounts.create(new_tenant(profile->id))).value()->id;
    const auto refused = [&](tenant_profile_id which, const std::string& words) {
        const auto done = run(h.accounts.delete_profile(which));
        BOOST_TEST_REQUIRE(!done.has_value());
        BOOST_TEST((done.error().code == errc::invalid_argument));
        BOOST_TEST(done.error().message.find(words) != std::string::npos, done.error().message);
    };
    refused(first->id, "Deletion of Default Tenant Profile is prohibited!");
    refused(profile->id, "The tenant profile referenced by the tenants cannot be deleted!");
    BOOST_REQUIRE(run(h.accounts.delete_tenant(id, no_images())));
    BOOST_TEST(run(h.accounts.delete_profile(profile->id)).has_value());
    const auto again = run(h.accounts.delete_profile(profile->id));
    BOOST_TEST_REQUIRE(!again.has_value());
    BOOST_TEST((again.error().code == errc::not_found));
    BOOST_TEST(h.store.count("tenant_profile_name") == 1U);
}

BOOST_AUTO_TEST_CASE(a_profile_that_another_server_gives_to_a_tenant_meanwhile_is_not_deleted) {
    two_servers s;
    const auto profile = run(s.one.accounts.create(new_profile("Small"))).value();
    const auto id = run(s.one.accounts.create(new_tenant())).value()->id;
    BOOST_REQUIRE(run(s.other.follow()));
    const auto is_refused = [&](auto give) {
        meanwhile_before_writing(s.store, "tenant_profile", [&] { BOOST_TEST(give()); });
        const auto done = run(s.one.accounts.delete_profile(profile->id));
        s.store.before_write = nullptr;
        return !done && done.error().code == errc::invalid_argument;
    };
    BOOST_TEST(is_refused(
        [&] { return run(s.other.accounts.change_tenant(id, with_profile(profile->id))).has_value(); }));
    BOOST_REQUIRE(run(s.other.accounts.change_tenant(id, with_profile(std::nullopt))));
    BOOST_TEST(is_refused([&] { return run(s.other.accounts.create(new_tenant(profile->id))).has_value(); }));
}

BOOST_AUTO_TEST_CASE(a_tenant_does_not_get_a_profile_that_another_server_deletes_meanwhile) {
    two_servers s;
    const auto profile = run(s.one.accounts.create(new_profile("Small"))).value();
    meanwhile_before_writing(s.store, "tenant", [&] {
        BOOST_TEST(run(s.other.accounts.delete_profile(profile->id)).has_value());
    });
    const auto made = run(s.one.accounts.create(new_tenant(profile->id)));
    BOOST_TEST_REQUIRE(!made.has_value());
    BOOST_TEST((made.error().code == errc::not_found));
    BOOST_TEST(s.store.count("tenant") == 0U);
}

/// The default profile is not written with each tenant. A former default profile is not deleted all the same.
BOOST_AUTO_TEST_CASE(a_former_default_profile_is_not_deleted_while_tenants_have_it) {
    two_servers s;
    const auto first = s.one.accounts.default_profile();
    const auto second = run(s.one.accounts.create(new_profile("Second"))).value();
    const auto revision = first->rev;
    BOOST_REQUIRE(run(s.other.accounts.create(new_tenant(first->id))));
    BOOST_TEST(run(s.store.find("tenant_profile", to_string(first->id))).value().rev == revision);
    BOOST_REQUIRE(run(s.other.accounts.make_default(second->id)));
    const auto done = run(s.one.accounts.delete_profile(first->id));
    BOOST_TEST_REQUIRE(!done.has_value());
    BOOST_TEST((done.error().code == errc::invalid_argument));
    BOOST_TEST(s.store.count("tenant_profile") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
