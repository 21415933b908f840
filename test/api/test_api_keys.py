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

    def test_a_key_cannot_change_the_password(self):
        device = self.with_token(self.make_key(self.tenant)["value"], "ApiKey")
        self.assertError(403, 20, device.post("/api/auth/changePassword", {
            "currentPassword": TENANT[1], "newPassword": "secret-9"}))


if __name__ == "__main__":
    unittest.main()
