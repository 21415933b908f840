# SPDX-License-Identifier: Apache-2.0
"""Tenant profiles as ThingsBoard's clients keep them, and the profile of a tenant."""
import unittest

from accounts import NOBODY, AccountTest
from harness import SYSADMIN, SYSTEM_TENANT, Server
from shapes import validator

PROFILE = "/api/tenantProfile"
INFO = "/api/tenantProfileInfo"
PAGE = "pageSize=1000&page=0"


def profile_id(value):
    return {"entityType": "TENANT_PROFILE", "id": value}


class ProfileTest(AccountTest):
    def save(self, **fields):
        return self.admin.post(PROFILE, {"name": self.unique("profile"), **fields})

    def make_profile(self, configuration=None, **fields):
        if configuration is not None:
            fields["profileData"] = {"configuration": configuration}
        return self.assertStatus(200, self.save(**fields)).json()

    def path(self, profile, suffix=""):
        return f"{PROFILE}/{profile['id']['id']}{suffix}"

    def default_info(self):
        return self.assertStatus(200, self.admin.get(f"{INFO}/default")).json()

    def profile_of(self, tenant):
        return self.assertStatus(200, self.admin.get(f"/api/tenant/{tenant['id']['id']}")).json()["tenantProfileId"]["id"]


class Profiles(ProfileTest):
    def test_a_profile_is_made_changed_found_and_deleted(self):
        made = self.make_profile({"type": "DEFAULT", "maxResourceSize": 1048576, "maxResourcesInBytes": 5000000000,
                                  "tenantServerRestLimitsConfiguration": "100:1,2000:60",
                                  "customerServerRestLimitsConfiguration": "5:1"},
                                 name=(name := self.unique("Prö")), description="two\nlines")
        self.assertEqual({"id", "createdTime", "name", "description", "default", "isolatedTbRuleEngine", "profileData"},
                         set(made))
        self.assertEqual((name, "two\nlines", False, False),
                         tuple(made[each] for each in ("name", "description", "default", "isolatedTbRuleEngine")))
        self.assertGreater(made["createdTime"], 1_600_000_000_000)
        self.assertEqual(made, self.admin.get(self.path(made)).json())
        self.assertEqual({"id": made["id"], "name": name}, self.admin.get(f"{INFO}/{made['id']['id']}").json())
        changed = self.assertStatus(200, self.admin.post(PROFILE, {**made, "name": name + " 2"})).json()
        self.assertEqual({**made, "name": name + " 2"}, changed)
        self.assertEqual(changed, self.admin.get(self.path(made)).json())
        self.assertStatus(200, self.admin.delete(self.path(made)))
        for answer in (self.admin.get(self.path(made)), self.admin.delete(self.path(made)),
                       self.admin.post(PROFILE, made), self.admin.post(self.path(made, "/default")),
                       self.admin.get(f"{INFO}/{made['id']['id']}")):
            self.assertError(404, 32, answer, f"Tenant profile with id [{made['id']['id']}] is not found")

    def test_what_the_server_does_not_interpret_comes_back(self):
        data = {"configuration": {"type": "DEFAULT", "maxDevices": 7, "warnThreshold": 0.8, "smsEnabled": True,
                                  "transportTenantMsgRateLimit": "1000:1,20000:60", "wsUpdatesPerSessionRateLimit": None,
                                  "maxResourceSize": 0, "later": {"nested": [1, "ä", None]}},
                "queueConfiguration": [{"name": "Main", "topic": "tb_rule_engine.main", "partitions": 10}]}
        made = self.make_profile(profileData=data, isolatedTbRuleEngine=True)
        self.assertEqual((data, True), (made["profileData"], made["isolatedTbRuleEngine"]))
        self.assertEqual(made, self.assertStatus(200, self.admin.post(PROFILE, made)).json())
        # ThingsBoard's clients tell the kind of a configuration by its type.
        self.assertEqual("DEFAULT", self.make_profile({"maxUsers": 1})["profileData"]["configuration"]["type"])
        self.assertEqual("DEFAULT", self.make_profile()["profileData"]["configuration"]["type"])

    def test_a_name_is_required_and_unique(self):
        made = self.make_profile()
        self.assertError(400, 31, self.save(name=made["name"]), "Tenant profile with such name already exists!")
        self.assertError(400, 31, self.save(name=self.default_info()["name"]), "already exists")
        other = self.make_profile()
        self.assertError(400, 31, self.admin.post(PROFILE, {**other, "name": made["name"]}), "already exists")
        for name in ("", None):
            self.assertError(400, 31, self.save(name=name), "Tenant profile name should be specified!")
        self.assertStatus(200, self.save(name="ä" * 255))
        self.assertStatus(200, self.admin.delete(self.path(made)))
        self.assertStatus(200, self.admin.post(PROFILE, {**other, "name": made["name"]}))

    def test_malformed_profiles_are_400_with_the_reason(self):
        def limits(**fields):
            return {"profileData": {"configuration": fields}}
        field = "profileData.configuration."
        for body, *words in [
                ({"name": "n" * 256}, "name", "255"), ({"name": 7}, "name"), ({"name": "a\u0000b"}, "name"),
                ({"description": "d" * 4097}, "description"), ({"default": "perhaps"}, "default"), ({"id": "x"}, "id"),
                ({"id": {"entityType": "TENANT", "id": NOBODY}}, "id", "TENANT_PROFILE"),
                ({"profileData": "x"}, "profileData"), ({"profileData": {}}, "configuration should be specified"),
                ({"profileData": {"configuration": []}}, field[:-1]),
                ({"profileData": {"configuration": {"x": "y" * 17000}}}, "profileData", "16 KiB"),
                (limits(maxResourceSize=-1), field + "maxResourceSize", "-1", "0 means no limit"),
                (limits(maxResourceSize=0.5), field + "maxResourceSize"),
                (limits(maxResourcesInBytes="1"), field + "maxResourcesInBytes"),
                (limits(maxResourcesInBytes=2 ** 53), field + "maxResourcesInBytes", "9007199254740991"),
                (limits(maxResourceSize=2 ** 63), field + "maxResourceSize", "9007199254740991"),
                (limits(tenantServerRestLimitsConfiguration="100"), field + "tenantServerRestLimitsConfiguration",
                 "'100'", "requests:seconds"),
                (limits(tenantServerRestLimitsConfiguration="100:1,5:0"), "'5:0'", "number of seconds"),
                (limits(customerServerRestLimitsConfiguration="10:1,20:1"), field + "customerServerRestLimitsConfiguration",
                 "'20:1'", "repeats"),
                (limits(customerServerRestLimitsConfiguration=5), field + "customerServerRestLimitsConfiguration", "text")]:
            with self.subTest(body=str(body)[:90]):
                self.assertError(400, 31, self.save(**body), *words)
        self.assertError(400, 31, self.admin.post(PROFILE, []), "JSON object")
        for path in (PROFILE, INFO):
            self.assertError(400, 31, self.admin.get(f"{path}/x"), "tenantProfileId")
            self.assertError(404, 32, self.admin.get(f"{path}/{NOBODY}"), NOBODY)
        self.assertError(404, 32, self.save(id=profile_id(NOBODY)), NOBODY)

    def test_a_refused_change_changes_nothing(self):
        made = self.make_profile({"type": "DEFAULT", "maxResourceSize": 5})
        bad = {**made, "name": "changed", "profileData": {"configuration": {"maxResourceSize": -5}}}
        self.assertError(400, 31, self.admin.post(PROFILE, bad))
        self.assertEqual(made, self.admin.get(self.path(made)).json())

    def test_pages_are_searched_and_sorted(self):
        prefix = self.unique("Page")
        names = [f"{prefix}-{i}" for i in (3, 1, 4, 0, 2)]
        made = {name: self.make_profile(name=name) for name in names}
        for path, item in (("/api/tenantProfiles", lambda one: one),
                           ("/api/tenantProfileInfos", lambda one: {"id": one["id"], "name": one["name"]})):
            got = []
            for number in range(3):
                page = self.admin.get(f"{path}?pageSize=2&page={number}&textSearch={prefix.lower()}"
                                      "&sortProperty=name&sortOrder=ASC").json()
                self.assertEqual((5, 3, number < 2), (page["totalElements"], page["totalPages"], page["hasNext"]))
                got += page["data"]
            self.assertEqual([item(made[name]) for name in sorted(names)], got)
            self.assertEqual(5, len(self.admin.get(f"{path}?pageSize=9&page=0&textSearch={prefix}").json()["data"]))
            for query, word in (("pageSize=1", "page"), ("pageSize=1&page=0&sortProperty=secret", "sortProperty")):
                self.assertError(400, 31, self.admin.get(f"{path}?{query}"), word)
            first = self.admin.get(f"{path}?pageSize=1&page=0&sortProperty=isDefault&sortOrder=DESC").json()["data"][0]
            self.assertEqual(self.default_info()["id"], first["id"])

    def test_answers_have_the_described_shapes(self):
        document = self.anonymous.get("/v3/api-docs").json()
        made = self.make_profile()
        for name, value in (("TenantProfile", made), ("TenantProfileInfo", self.default_info()),
                            ("PageOfTenantProfiles", self.admin.get(f"/api/tenantProfiles?{PAGE}").json()),
                            ("PageOfTenantProfileInfos", self.admin.get(f"/api/tenantProfileInfos?{PAGE}").json()),
                            ("Tenant", self.make_tenant())):
            with self.subTest(name):
                validator(document, name).validate(value)


class OfTenants(ProfileTest):
    def test_a_tenant_has_the_profile_that_it_was_given(self):
        small, large = self.make_profile(), self.make_profile()
        made = self.assertStatus(200, self.admin.post("/api/tenant", {
            "title": self.unique("tenant"), "tenantProfileId": small["id"]})).json()
        self.assertEqual((small["id"], small["id"]["id"]), (made["tenantProfileId"], self.profile_of(made)))
        made = self.assertStatus(200, self.admin.post("/api/tenant", {**made, "tenantProfileId": large["id"]})).json()
        self.assertEqual((large["id"], large["id"]["id"]), (made["tenantProfileId"], self.profile_of(made)))
        # Of clients that do not know profiles.
        del made["tenantProfileId"]
        made = self.assertStatus(200, self.admin.post("/api/tenant", {**made, "city": "Köln"})).json()
        self.assertEqual(large["id"]["id"], self.profile_of(made))
        self.assertIn(large["id"], [one["tenantProfileId"] for one in self.admin.get(f"/api/tenants?{PAGE}").json()["data"]])
        unknown = profile_id(NOBODY)
        for tenant in ({"title": "t"}, {k: v for k, v in made.items() if k != "version"}):
            answer = self.admin.post("/api/tenant", {**tenant, "tenantProfileId": unknown})
            self.assertError(404, 32, answer, f"Tenant profile with id [{NOBODY}] is not found")
        self.assertError(400, 31, self.admin.post("/api/tenant", {
            "title": "t", "tenantProfileId": made["id"]}), "tenantProfileId")
        self.assertEqual(large["id"]["id"], self.profile_of(made))

    def test_a_tenant_without_a_profile_has_the_default_one(self):
        usual = self.default_info()["id"]
        self.assertEqual(usual, self.make_tenant()["tenantProfileId"])
        # What an earlier version answered, and clients send back.
        made = self.assertStatus(200, self.admin.post("/api/tenant", {
            "title": self.unique("tenant"), "tenantProfileId": profile_id(SYSTEM_TENANT)})).json()
        self.assertEqual(usual, made["tenantProfileId"])
        own = self.tenant.get(f"/api/tenant/{self.me(self.tenant).json()['tenantId']['id']}").json()
        self.assertEqual(usual, own["tenantProfileId"])

    def test_a_profile_that_tenants_have_is_not_deleted(self):
        profile = self.make_profile()
        tenants = [self.assertStatus(200, self.admin.post("/api/tenant", {
            "title": self.unique("tenant"), "tenantProfileId": profile["id"]})).json() for _ in range(2)]
        words = "The tenant profile referenced by the tenants cannot be deleted!"
        self.assertError(400, 31, self.admin.delete(self.path(profile)), words, "2 tenants")
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{tenants[0]['id']['id']}"))
        self.assertError(400, 31, self.admin.delete(self.path(profile)), words, "1 tenant")
        self.assertStatus(200, self.admin.post("/api/tenant", {**tenants[1], "tenantProfileId": self.default_info()["id"]}))
        self.assertStatus(200, self.admin.delete(self.path(profile)))


class DefaultProfile(ProfileTest):
    """With a server of its own, because the default profile is that of all tests."""

    def test_there_is_one_default_profile(self):
        first = self.assertStatus(200, self.admin.get(self.path(self.default_info()))).json()
        self.assertEqual(("Default", True), (first["name"], first["default"]))
        self.assertEqual({"type": "DEFAULT", "maxResourcesInBytes": 0, "maxResourceSize": 0},
                         first["profileData"]["configuration"])
        self.assertError(400, 31, self.admin.delete(self.path(first)), "Deletion of Default Tenant Profile is prohibited!")
        self.assertError(400, 31, self.save(default=True), "Another default tenant profile is present!")
        self.assertTrue(self.assertStatus(200, self.admin.post(PROFILE, {**first, "default": False})).json()["default"])
        before = self.make_tenant()
        second = self.make_profile()
        made = self.assertStatus(200, self.admin.post(self.path(second, "/default"))).json()
        self.assertEqual({**second, "default": True}, made)
        self.assertEqual({"id": second["id"], "name": second["name"]}, self.default_info())
        profiles = self.admin.get(f"/api/tenantProfiles?{PAGE}").json()["data"]
        self.assertEqual([second["id"]], [one["id"] for one in profiles if one["default"]])
        self.assertStatus(200, self.admin.post(self.path(second, "/default")))
        # Existing tenants keep theirs, as in ThingsBoard.
        self.assertEqual(first["id"]["id"], self.profile_of(before))
        self.assertEqual(second["id"], self.make_tenant()["tenantProfileId"])
        self.assertError(400, 31, self.admin.delete(self.path(first)), "cannot be deleted")


class Restart(unittest.TestCase):
    def test_profiles_outlive_the_server(self):
        with Server() as server:
            admin = server.client(SYSADMIN)
            made = admin.post(PROFILE, {"name": "Kept", "profileData": {"configuration": {"maxResourceSize": 7}}}).json()
            admin.post(f"{PROFILE}/{made['id']['id']}/default")
            tenant = admin.post("/api/tenant", {"title": "Kept"}).json()
            before = admin.get(f"/api/tenantProfiles?{PAGE}").json()
            self.assertEqual(2, before["totalElements"])
            server.kill()
            server.start()
            admin = server.client(SYSADMIN)
            self.assertEqual(before, admin.get(f"/api/tenantProfiles?{PAGE}").json())
            self.assertEqual(made["id"], admin.get(f"/api/tenant/{tenant['id']['id']}").json()["tenantProfileId"])
            self.assertEqual(made["id"], admin.get(f"{INFO}/default").json()["id"])


if __name__ == "__main__":
    unittest.main()
