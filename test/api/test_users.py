# SPDX-License-Identifier: Apache-2.0
"""Users: invitations, activation, roles, and what ends with the next request."""
import json
import threading
import unittest

from accounts import NOBODY, AccountTest
from harness import SYSADMIN, TENANT, Client


class Users(AccountTest):
    def test_an_invited_user_chooses_a_password_and_is_in(self):
        tenant = self.make_tenant()
        user = self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"], firstName="Zoë", phone="+49 1")
        self.assertEqual(("TENANT_ADMIN", "Zoë", tenant["id"], user["email"], False),
                         (user["authority"], user["firstName"], user["tenantId"], user["name"],
                          user["additionalInfo"]["userCredentialsEnabled"]))
        self.assertError(401, 10, self.anonymous.post("/api/auth/login", {"username": user["email"], "password": ""}))
        path = f"/api/user/{user['id']['id']}"
        answer = self.admin.get(path + "/activationLink")
        self.assertTrue(answer.header("Content-Type").startswith("text/plain"))
        link = answer.body.decode()
        self.assertTrue(link.startswith(f"http://127.0.0.1:{self.server.port}/api/noauth/activate?activateToken="))
        self.assertEqual(link, self.admin.get(path + "/activationLink").body.decode())
        followed = self.anonymous.get(link[link.index("/api"):])
        token = link.split("=")[1]
        self.assertEqual((303, f"/login/createPassword?activateToken={token}"),
                         (followed.status, followed.header("Location")))
        self.assertError(400, 31, self.anonymous.post("/api/noauth/activate", {
            "activateToken": token, "password": "12345"}), "6 or more")
        pair = self.assertStatus(200, self.anonymous.post("/api/noauth/activate?sendActivationMail=false", {
            "activateToken": token, "password": "secret-1"})).json()
        self.assertEqual({"token", "refreshToken"}, set(pair))
        me = self.me(self.with_token(pair["token"])).json()
        self.assertTrue(me["additionalInfo"]["userCredentialsEnabled"])
        self.assertError(400, 31, self.anonymous.post("/api/noauth/activate", {
            "activateToken": token, "password": "secret-2"}), "activateToken")
        self.assertError(409, 35, self.anonymous.get(f"/api/noauth/activate?activateToken={token}"))
        self.assertError(400, 31, self.anonymous.get("/api/noauth/activate"))
        self.assertError(400, 31, self.admin.get(path + "/activationLink"), "already activated")

    def test_an_invited_user_who_is_disabled_needs_another_link(self):
        user = self.invite(self.admin, "TENANT_ADMIN", tenantId=self.make_tenant()["id"])
        path = f"/api/user/{user['id']['id']}"
        link = lambda: self.assertStatus(200, self.admin.get(path + "/activationLink")).body.decode().split("=")[1]
        choose = lambda token: self.anonymous.post("/api/noauth/activate", {
            "activateToken": token, "password": "secret-1"})
        handed_out = link()
        self.assertStatus(200, self.admin.post(path + "/userCredentialsEnabled?userCredentialsEnabled=false"))
        self.assertError(400, 31, choose(handed_out), "activateToken")
        self.assertError(409, 35, self.anonymous.get(f"/api/noauth/activate?activateToken={handed_out}"))
        self.assertError(401, 10, self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": "secret-1"}))
        info = self.admin.get(path).json()["additionalInfo"]
        self.assertEqual((False, False), (info["userActivated"], info["userCredentialsEnabled"]))
        self.assertStatus(200, choose(link()))

    def test_one_activation_link_used_by_many_at_once_lets_one_in(self):
        user = self.invite(self.admin, "TENANT_ADMIN", tenantId=self.make_tenant()["id"])
        link = self.admin.get(f"/api/user/{user['id']['id']}/activationLink").body.decode()
        statuses = []

        def activate(number):
            statuses.append(Client(self.server).post("/api/noauth/activate", {
                "activateToken": link.split("=")[1], "password": f"secret-{number}"}).status)
        threads = [threading.Thread(target=activate, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200] + [400] * 7, sorted(statuses))

    def test_one_email_for_many_creations_at_once_makes_one_user(self):
        tenant, email, statuses = self.make_tenant(), f"{self.unique()}@example.test", []

        def create(number):
            statuses.append(self.with_token(self.admin.token).post("/api/user", {
                "email": email.upper() if number % 2 else email, "authority": "TENANT_ADMIN",
                "tenantId": tenant["id"]}).status)
        threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200] + [400] * 7, sorted(statuses))

    def test_a_disabled_user_is_out_with_the_next_request_on_every_connection(self):
        _, user, client = self.tenant_with_admin()
        key = client.post("/api/apiKey", {"description": "d"}).json()
        clients = [self.with_token(client.token) for _ in range(6)] + [self.with_token(key["value"], "ApiKey")]
        for each in clients:
            each.keep = True
            self.assertStatus(200, self.me(each))
        path = f"/api/user/{user['id']['id']}/userCredentialsEnabled"
        self.assertStatus(200, self.admin.post(path + "?userCredentialsEnabled=false"))
        for each in clients:
            self.assertError(401, 10, self.me(each))
        self.assertEqual(401, self.anonymous.post("/api/auth/token", {"refreshToken": client.refresh_token}).status)
        self.assertError(401, 10, self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": "secret-1"}), "not active")
        self.assertStatus(200, self.admin.post(path + "?userCredentialsEnabled=True"))
        self.assertStatus(200, self.me(clients[-1]))
        self.assertError(401, 11, self.me(clients[0]))
        self.assertStatus(200, self.me(self.server.client((user["email"], "secret-1"))))
        self.assertError(400, 31, self.admin.post(path + "?userCredentialsEnabled=2"), "userCredentialsEnabled")

    def test_a_changed_role_counts_with_the_next_request_on_every_connection(self):
        _, user, admin = self.tenant_with_admin()
        other = self.activate(admin, self.invite(admin, "TENANT_ADMIN"))
        customer = self.make_customer(admin)
        clients = [self.with_token(admin.token) for _ in range(6)]
        for client in clients:
            client.keep = True
            self.assertStatus(200, client.list())
        demoted = self.assertStatus(200, other.post("/api/user", {
            **self.me(admin).json(), "authority": "CUSTOMER_USER", "customerId": customer["id"]})).json()
        self.assertEqual(("CUSTOMER_USER", customer["id"]), (demoted["authority"], demoted["customerId"]))
        for client in clients:
            self.assertError(403, 20, client.list())
        self.assertStatus(200, other.post("/api/user", {**demoted, "authority": "TENANT_ADMIN", "customerId": None}))
        for client in clients:
            self.assertStatus(200, client.list())

    def test_nobody_raises_himself(self):
        customer, member, client = self.customer_user(self.tenant)
        me = self.me(client).json()
        self.assertError(403, 20, client.post("/api/user", {**me, "authority": "TENANT_ADMIN", "customerId": None}))
        self.assertError(403, 20, client.post("/api/user", {**me, "authority": "SYS_ADMIN"}))
        _, _, admin = self.tenant_with_admin()
        mine = self.me(admin).json()
        self.assertError(403, 20, admin.post("/api/user", {**mine, "authority": "SYS_ADMIN"}))
        self.assertError(400, 31, admin.post("/api/user", {
            **mine, "tenantId": {"entityType": "TENANT", "id": NOBODY}}), "tenant id")
        self.assertError(403, 20, admin.post("/api/user", {"email": "x@example.test", "authority": "SYS_ADMIN"}))
        other = self.activate(admin, self.invite(admin, "TENANT_ADMIN"))
        self.assertError(403, 20, admin.post("/api/user", {**self.me(other).json(), "authority": "SYS_ADMIN"}))
        self.assertEqual("TENANT_ADMIN", self.me(other).json()["authority"])

    def test_everybody_may_rename_himself(self):
        _, _, client = self.customer_user(self.tenant)
        me = self.me(client).json()
        changed = self.assertStatus(200, client.post("/api/user", {**me, "firstName": "New"})).json()
        self.assertEqual(("New", me["authority"], me["customerId"]),
                         (changed["firstName"], changed["authority"], changed["customerId"]))
        self.assertEqual("New", self.me(client).json()["firstName"])

    def test_who_may(self):
        tenant, user, admin = self.tenant_with_admin()
        customer, member, member_client = self.customer_user(admin)
        sysadmin = self.me(self.admin).json()
        path = lambda u, suffix="": f"/api/user/{u['id']['id']}{suffix}"
        # Another tenant's, the system's: nobody's business.
        for client in (self.tenant, self.customer):
            for target in (user, member, sysadmin):
                self.assertError(403, 20, client.get(path(target)))
                self.assertError(403, 20, client.delete(path(target)))
                self.assertError(403, 20, client.post(path(target, "/userCredentialsEnabled")))
                self.assertError(403, 20, client.get(path(target, "/activationLink")))
                self.assertError(403, 20, client.post(path(target, "/password"), {"password": "secret-9"}))
                self.assertError(403, 20, client.post("/api/user", {**target, "firstName": "X"}))
                self.assertError(403, 20, client.get(f"/api/apiKeys/{target['id']['id']}?pageSize=1&page=0"))
                self.assertError(403, 20, client.post("/api/apiKey", {"userId": target["id"], "description": "x"}))
        # A system administrator keeps administrators, a tenant's administrator the tenant's users.
        self.assertStatus(200, self.admin.get(path(user)))
        self.assertError(403, 20, self.admin.get(path(member)))
        self.assertStatus(200, admin.get(path(member)))
        self.assertStatus(200, member_client.get(path(member)))
        self.assertError(403, 20, member_client.get(path(user)))
        self.assertError(403, 20, member_client.post("/api/user", {
            "email": "x@example.test", "authority": "CUSTOMER_USER", "customerId": customer["id"]}))
        self.assertError(403, 20, self.admin.post("/api/user", {
            "email": "x@example.test", "authority": "CUSTOMER_USER", "tenantId": tenant["id"],
            "customerId": customer["id"]}))
        # Nobody decides about himself.
        self.assertError(403, 20, self.admin.delete(path(sysadmin)), "himself")
        self.assertError(403, 20, self.admin.post(path(sysadmin, "/userCredentialsEnabled?userCredentialsEnabled=false")))
        self.assertError(403, 20, admin.post(path(user, "/userCredentialsEnabled?userCredentialsEnabled=false")))
        self.assertError(403, 20, admin.delete(path(user)))
        # Unknown and malformed.
        self.assertError(404, 32, self.admin.get(f"/api/user/{NOBODY}"), NOBODY)
        self.assertError(400, 31, self.admin.get("/api/user/x"), "userId")

    def test_a_tenants_administrator_makes_users_of_the_own_tenant_whatever_was_sent(self):
        other = self.make_tenant()
        user = self.invite(self.tenant, "TENANT_ADMIN", tenantId=other["id"])
        self.assertEqual(self.me(self.tenant).json()["tenantId"], user["tenantId"])
        _, _, stranger = self.tenant_with_admin()
        foreign = self.make_customer(stranger)
        self.assertError(400, 31, self.tenant.post("/api/user", {
            "email": "y@example.test", "authority": "CUSTOMER_USER", "customerId": foreign["id"]}))

    def test_bad_users_are_400(self):
        tenant = self.make_tenant()["id"]
        good = {"email": "z@example.test", "authority": "TENANT_ADMIN", "tenantId": tenant}
        for change, word in [({"email": ""}, "email"), ({"email": "x"}, "email"), ({"email": "a@b@c"}, "email"),
                             ({"email": None}, "email"), ({"authority": None}, "authority"),
                             ({"authority": "KING"}, "authority"), ({"authority": "REFRESH_TOKEN"}, "authority"),
                             ({"tenantId": None}, "tenant"), ({"firstName": "x" * 256}, "firstName"),
                             ({"tenantId": {"entityType": "TENANT", "id": NOBODY}}, "tenant"),
                             ({"additionalInfo": 7}, "additionalInfo"), ({"email": TENANT[0].upper()}, "already present")]:
            with self.subTest(str(change)[:60]):
                self.assertError(400, 31, self.admin.post("/api/user", {**good, **change}), word)
        self.assertError(400, 31, self.admin.post("/api/user?sendActivationMail=x", good), "sendActivationMail")
        self.assertError(404, 32, self.admin.post("/api/user", {**good, "id": {"entityType": "USER", "id": NOBODY}}))

    def test_deleted_users_are_gone_at_once(self):
        _, user, client = self.tenant_with_admin()
        key = client.post("/api/apiKey", {"description": "d"}).json()
        self.assertStatus(200, self.admin.request("DELETE", f"/api/user/{user['id']['id']}", b"{}",
                                                  {"Content-Type": "application/json"}))
        self.assertError(401, 10, self.me(client))
        self.assertError(401, 10, self.me(self.with_token(key["value"], "ApiKey")))
        self.assertError(404, 32, self.admin.get(f"/api/user/{user['id']['id']}"))
        self.assertError(404, 32, self.admin.delete(f"/api/user/{user['id']['id']}"))

    def test_an_administrator_sets_somebody_elses_password(self):
        _, user, client = self.tenant_with_admin()
        path = f"/api/user/{user['id']['id']}/password"
        self.assertError(400, 31, self.admin.post(path, {"password": "123"}))
        self.assertError(400, 31, self.admin.post(path, {}), "password")
        self.assertStatus(200, self.admin.post(path, {"password": "secret-2"}))
        self.assertEqual(401, self.me(client).status)
        self.assertStatus(200, self.me(self.server.client((user["email"], "secret-2"))))

    def test_lists_have_who_they_should(self):
        tenant, user, admin = self.tenant_with_admin()
        customer, member, member_client = self.customer_user(admin)
        emails = lambda answer: {u["email"] for u in self.assertStatus(200, answer).json()["data"]}
        page = "pageSize=1000&page=0"
        self.assertEqual({user["email"]}, emails(self.admin.get(f"/api/tenant/{tenant['id']['id']}/users?{page}")))
        self.assertEqual({user["email"], member["email"]}, emails(admin.get(f"/api/users?{page}")))
        self.assertEqual({member["email"]}, emails(member_client.get(f"/api/users?{page}")))
        everybody = emails(self.admin.get(f"/api/users?{page}"))
        self.assertLessEqual({SYSADMIN[0], user["email"]}, everybody)
        self.assertNotIn(member["email"], everybody)
        found = f"/api/customer/{customer['id']['id']}/users?{page}"
        self.assertEqual({member["email"]}, emails(admin.get(found)))
        self.assertError(403, 20, self.tenant.get(found))
        self.assertEqual({member["email"]}, emails(admin.get(
            f"/api/users?{page}&textSearch={member['email'].upper()}&sortProperty=email&sortOrder=asc")))
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{NOBODY}/users?{page}"))


if __name__ == "__main__":
    unittest.main()
