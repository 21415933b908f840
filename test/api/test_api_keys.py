# SPDX-License-Identifier: Apache-2.0
"""API keys of devices and scripts."""
import pathlib
import time
import unittest

from accounts import AccountTest
from harness import TENANT, png


class ApiKeys(AccountTest):
    def make_key(self, client, **fields):
        return self.assertStatus(200, client.post("/api/apiKey", {"description": "a key", **fields})).json()

    def test_the_secret_is_shown_once_and_proves_its_user(self):
        me = self.me(self.tenant).json()
        key = self.make_key(self.tenant, userId=me["id"])
        self.assertRegex(key["value"], r"^tb_[0-9A-Za-z]{43,}$")
        self.assertEqual((me["id"], me["tenantId"], True, False, 0),
                         (key["userId"], key["tenantId"], key["enabled"], key["expired"], key["expirationTime"]))
        device = self.with_token(key["value"], "ApiKey")
        self.assertEqual(me["id"], self.me(device).json()["id"])
        self.assertStatus(200, device.upload(self.unique() + ".png", png(text=self.unique())))
        self.assertStatus(200, self.anonymous.get("/api/auth/user", headers={
            "Authorization": f"ApiKey {key['value']}"}))
        listed = self.tenant.get(f"/api/apiKeys/{me['id']['id']}?pageSize=100&page=0")
        self.assertNotIn(key["value"].encode(), listed.body)
        found = [k for k in listed.json()["data"] if k["id"] == key["id"]][0]
        self.assertNotIn("value", found)
        self.assertGreater(found["lastUsedTime"], 0)
        for path in pathlib.Path(self.server.data).rglob("*"):
            if path.is_file():
                self.assertNotIn(key["value"].encode(), path.read_bytes(), path)
                self.assertNotIn(TENANT[1].encode(), path.read_bytes(), path)

    def test_a_revoked_or_disabled_key_is_refused_with_the_next_request(self):
        key = self.make_key(self.tenant)
        path = f"/api/apiKey/{key['id']['id']}"
        devices = [self.with_token(key["value"], "ApiKey") for _ in range(6)]
        for device in devices:
            device.keep = True
            self.assertStatus(200, self.me(device))
        off = self.assertStatus(200, self.tenant.put(path + "/enabled/False")).json()
        self.assertFalse(off["enabled"])
        for device in devices:
            self.assertError(401, 10, self.me(device))
        self.assertStatus(200, self.tenant.put(path + "/enabled/true"))
        for device in devices:
            self.assertStatus(200, self.me(device))
        self.assertError(400, 31, self.tenant.put(path + "/enabled/perhaps"))
        self.assertStatus(200, self.tenant.request("DELETE", path, b"{}"))
        for device in devices:
            self.assertError(401, 10, self.me(device))
        self.assertError(404, 32, self.tenant.delete(path))

    def test_a_key_expires(self):
        key = self.make_key(self.tenant, expirationTime=int(time.time() * 1000) + 1500)
        device = self.with_token(key["value"], "ApiKey")
        self.assertStatus(200, self.me(device))
        deadline = time.monotonic() + 30
        while (answer := self.me(device)).status == 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertError(401, 11, answer)
        me = self.me(self.tenant).json()
        listed = self.tenant.get(f"/api/apiKeys/{me['id']['id']}?pageSize=100&page=0").json()["data"]
        self.assertTrue([k for k in listed if k["id"] == key["id"]][0]["expired"])
        self.assertError(400, 31, self.tenant.post("/api/apiKey", {"description": "x", "expirationTime": 1}), "past")
        self.assertError(400, 31, self.tenant.post("/api/apiKey", {"description": "x", "expirationTime": -1}))

    def test_keys_are_described_and_changed(self):
        key = self.make_key(self.tenant)
        path = f"/api/apiKey/{key['id']['id']}/description"
        self.assertEqual("as JSON", self.tenant.put(path, "as JSON").json()["description"])
        bare = self.tenant.request("PUT", path, "plain ä".encode(), {"Content-Type": "text/plain"})
        self.assertEqual("plain ä", self.assertStatus(200, bare).json()["description"])
        for body in (b"", b'""', b"x" * 256, b"\xff", b"a\nb"):
            self.assertError(400, 31, self.tenant.request("PUT", path, body))
        changed = self.tenant.post("/api/apiKey", {**key, "description": "again", "enabled": False}).json()
        self.assertEqual(("again", False, ""), (changed["description"], changed["enabled"], changed["value"]))
        self.assertError(400, 31, self.tenant.post("/api/apiKey", {"description": ""}), "description")
        self.assertError(400, 31, self.tenant.post("/api/apiKey", {}), "description")

    def test_an_administrator_makes_keys_for_the_tenants_users_and_nobody_for_others(self):
        _, user, client = self.customer_user(self.tenant)
        key = self.make_key(self.tenant, userId=user["id"])
        device = self.with_token(key["value"], "ApiKey")
        self.assertEqual("CUSTOMER_USER", self.me(device).json()["authority"])
        self.assertError(403, 20, device.list())
        _, _, stranger = self.tenant_with_admin()
        for call in (lambda: stranger.delete(f"/api/apiKey/{key['id']['id']}"),
                     lambda: stranger.put(f"/api/apiKey/{key['id']['id']}/enabled/false"),
                     lambda: stranger.put(f"/api/apiKey/{key['id']['id']}/description", "x"),
                     lambda: stranger.post("/api/apiKey", {**key, "description": "x"})):
            self.assertError(403, 20, call())
        self.assertStatus(200, self.me(device))
        self.assertStatus(200, client.delete(f"/api/apiKey/{key['id']['id']}"))

    def test_a_key_outlives_its_users_sessions_and_ends_with_the_customer(self):
        customer, user, client = self.customer_user(self.tenant)
        device = self.with_token(self.make_key(client)["value"], "ApiKey")
        device.keep = True
        self.assertStatus(200, self.me(device))
        self.assertStatus(200, client.post("/api/auth/logout?everywhere=true"))
        self.assertEqual(401, self.me(client).status)
        self.assertStatus(200, self.me(device))
        self.assertStatus(200, self.tenant.post(f"/api/user/{user['id']['id']}/password", {"password": "secret-2"}))
        self.assertStatus(200, self.me(device))
        self.assertStatus(200, self.tenant.delete(f"/api/customer/{customer['id']['id']}"))
        self.assertError(401, 10, self.me(device))

    def test_a_keys_rights_follow_its_users_role_with_the_next_request(self):
        _, user, client = self.customer_user(self.tenant)
        device = self.with_token(self.make_key(client)["value"], "ApiKey")
        device.keep = True
        self.assertError(403, 20, device.list())
        raised = self.assertStatus(200, self.tenant.post("/api/user", {
            **self.me(client).json(), "authority": "TENANT_ADMIN", "customerId": None})).json()
        self.assertEqual(user["id"], raised["id"])
        self.assertStatus(200, device.list())
        self.assertStatus(200, self.tenant.post("/api/user", {
            **raised, "authority": "CUSTOMER_USER", "customerId": user["customerId"]}))
        self.assertError(403, 20, device.list())



class NoMoreThanItself(AccountTest):
    """Who finds a key cannot make more of it than it is: another key, a later expiry, an account."""

    def setUp(self):
        self.home, self.user, self.client = self.tenant_with_admin()
        expires = int(time.time() * 1000) + 3600_000
        self.key = self.client.post("/api/apiKey", {"description": "script", "expirationTime": expires}).json()
        self.script = self.with_token(self.key["value"], "ApiKey")

    def assertRefused(self, answer):
        self.assertError(403, 20, answer, "API key", "sign in")

    def keys(self):
        answer = self.client.get(f"/api/apiKeys/{self.user['id']['id']}?pageSize=100&page=0")
        return self.assertStatus(200, answer).json()["data"]

    def test_it_makes_and_changes_no_keys_but_revokes_them(self):
        other = self.client.post("/api/apiKey", {"description": "other", "enabled": False}).json()
        own, path = f"/api/apiKey/{self.key['id']['id']}", f"/api/apiKey/{other['id']['id']}"
        before = [(k["id"], k["description"], k["enabled"], k["expirationTime"]) for k in self.keys()]
        for answer in (self.script.post("/api/apiKey", {"description": "next"}),
                       self.script.post("/api/apiKey", {"description": "next", "userId": self.user["id"]}),
                       self.script.post("/api/apiKey", {"id": self.key["id"], "description": "d", "expirationTime": 0}),
                       self.script.put(own + "/description", "d"), self.script.put(path + "/enabled/true")):
            self.assertRefused(answer)
        self.assertEqual(before, [(k["id"], k["description"], k["enabled"], k["expirationTime"]) for k in self.keys()])
        self.assertStatus(200, self.script.get(f"/api/apiKeys/{self.user['id']['id']}?pageSize=1&page=0"))
        self.assertStatus(200, self.client.put(path + "/enabled/true"))
        self.assertFalse(self.assertStatus(200, self.script.put(path + "/enabled/false")).json()["enabled"])
        self.assertStatus(200, self.script.delete(path))
        self.assertStatus(200, self.script.delete(own))
        self.assertError(401, 10, self.me(self.script))

    def test_it_takes_no_account_over(self):
        colleague = self.invite(self.client, "TENANT_ADMIN")
        other = self.activate(self.client, colleague)
        invited = self.invite(self.client, "TENANT_ADMIN")
        me = self.me(self.client).json()
        for answer in (
                self.script.post("/api/auth/changePassword", {
                    "currentPassword": "secret-1", "newPassword": "secret-9"}),
                self.script.post(f"/api/user/{colleague['id']['id']}/password", {"password": "secret-9"}),
                self.script.post(f"/api/user/{invited['id']['id']}/password", {"password": "secret-9"}),
                self.script.get(f"/api/user/{invited['id']['id']}/activationLink"),
                self.script.post("/api/user", {**me, "email": f"{self.unique()}@example.test"}),
                self.script.post("/api/user", {**self.me(other).json(), "email": f"{self.unique()}@example.test"})):
            self.assertRefused(answer)
        self.assertEqual(me, self.me(self.client).json())
        self.assertStatus(200, self.me(self.server.client((colleague["email"], "secret-1"))))
        # What opens nothing goes on.
        self.assertEqual("New", self.assertStatus(200, self.script.post("/api/user", {
            **me, "firstName": "New"})).json()["firstName"])

    def test_it_makes_no_equal_of_its_user(self):
        customer = self.make_customer(self.script)
        user = self.invite(self.script, "CUSTOMER_USER", customerId=customer["id"])
        self.assertRefused(self.script.post("/api/user", {
            "email": f"{self.unique()}@example.test", "authority": "TENANT_ADMIN"}))
        self.assertRefused(self.script.post("/api/user", {**user, "authority": "TENANT_ADMIN", "customerId": None}))
        moved = self.script.post("/api/user", {**user, "customerId": self.make_customer(self.script)["id"]})
        self.assertEqual("CUSTOMER_USER", self.assertStatus(200, moved).json()["authority"])

    def test_it_keeps_customers_and_makes_their_users(self):
        customer = self.make_customer(self.script)
        for activate in (True, False):
            user = self.invite(self.script, "CUSTOMER_USER", customerId=customer["id"])
            path = f"/api/user/{user['id']['id']}"
            if activate:
                self.activate(self.script, user)
            else:
                self.assertStatus(200, self.script.post(path + "/password", {"password": "secret-1"}))
            self.assertStatus(200, self.me(self.server.client((user["email"], "secret-1"))))
            # From here on the account is the user's.
            self.assertRefused(self.script.post(path + "/password", {"password": "secret-9"}))
            self.assertEqual(403, self.script.get(path + "/activationLink").status)
            self.assertStatus(200, self.script.post(path + "/userCredentialsEnabled?userCredentialsEnabled=false"))
            self.assertStatus(200, self.script.delete(path))
        second = self.with_token(self.client.post("/api/apiKey", {"description": "2"}).json()["value"], "ApiKey")
        user = self.invite(self.script, "CUSTOMER_USER", customerId=customer["id"])
        self.assertRefused(second.get(f"/api/user/{user['id']['id']}/activationLink"))
        self.activate(self.client, user)

    def test_a_system_administrators_key_makes_tenants_and_their_administrators(self):
        key = self.admin.post("/api/apiKey", {"description": "provisioning"}).json()
        script = self.with_token(key["value"], "ApiKey")
        tenant = self.assertStatus(200, script.post("/api/tenant", {"title": self.unique("tenant")})).json()
        self.assertRefused(script.post("/api/user", {
            "email": f"{self.unique()}@example.test", "authority": "SYS_ADMIN"}))
        client = self.activate(script, self.invite(script, "TENANT_ADMIN", tenantId=tenant["id"]))
        self.assertEqual(tenant["id"], self.me(client).json()["tenantId"])
        self.assertStatus(200, script.delete(f"/api/tenant/{tenant['id']['id']}"))


if __name__ == "__main__":
    unittest.main()
