"""Accounts: tokens, passwords, roles, tenants, customers, users, API keys. What clients see of them."""
import base64
import copy
import hashlib
import hmac
import json
import pathlib
import threading
import time
import unittest
import uuid

import jsonschema

from harness import CUSTOMER, ROOT, SYSADMIN, SYSTEM_TENANT, TENANT, Client, Server, ServerTest, png

THINGSBOARD = ROOT.parent / "shared" / "contract" / "thingsboard-images.openapi.json"
NOBODY = "784f394c-42b6-435a-983c-b7beff2784f9"
SIGNING_KEY = bytes(range(64))


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims, key=SIGNING_KEY, header=None, digest=hashlib.sha512):
    """A token as another program makes it."""
    text = f'{encode(json.dumps(header or {"alg": "HS512"}).encode())}.{encode(json.dumps(claims).encode())}'
    return f"{text}.{encode(hmac.new(key, text.encode(), digest).digest())}"


class AccountTest(ServerTest):
    def with_token(self, token, scheme="Bearer"):
        client = Client(self.server)
        client.token, client.scheme = token, scheme
        return client

    def unique(self, prefix="user"):
        return f"{prefix}-{uuid.uuid4().hex[:12]}"

    def make_tenant(self, title=None):
        return self.assertStatus(200, self.admin.post("/api/tenant", {"title": title or self.unique("tenant")})).json()

    def make_customer(self, by=None, title=None):
        answer = (by or self.tenant).post("/api/customer", {"title": title or self.unique("customer")})
        return self.assertStatus(200, answer).json()

    def invite(self, by, authority, **fields):
        user = {"email": f"{self.unique()}@example.test", "authority": authority, **fields}
        return self.assertStatus(200, by.post("/api/user?sendActivationMail=false", user)).json()

    def activate(self, by, user, password="secret-1"):
        link = self.assertStatus(200, by.get(f"/api/user/{user['id']['id']}/activationLink")).body.decode()
        token = link.split("activateToken=")[1]
        pair = self.assertStatus(200, self.anonymous.post(
            "/api/noauth/activate", {"activateToken": token, "password": password})).json()
        client = self.with_token(pair["token"])
        client.refresh_token = pair["refreshToken"]
        return client

    def tenant_with_admin(self):
        tenant = self.make_tenant()
        user = self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"])
        return tenant, user, self.activate(self.admin, user)

    def customer_user(self, by):
        customer = self.make_customer(by)
        user = self.invite(by, "CUSTOMER_USER", customerId=customer["id"])
        return customer, user, self.activate(by, user)

    def me(self, client):
        return client.get("/api/auth/user")


class Tokens(AccountTest):
    def test_the_claims_are_thingsboards(self):
        claims = claims_of(self.tenant.token)
        user = self.me(self.tenant).json()
        self.assertEqual({"alg": "HS512"}, json.loads(base64.urlsafe_b64decode(self.tenant.token.split(".")[0] + "==")))
        self.assertEqual(TENANT[0], claims["sub"])
        self.assertEqual(user["id"]["id"], claims["userId"])
        self.assertEqual(["TENANT_ADMIN"], claims["scopes"])
        self.assertEqual("thingsboard.io", claims["iss"])
        self.assertEqual(9000, claims["exp"] - claims["iat"])
        self.assertEqual(user["tenantId"]["id"], claims["tenantId"])
        self.assertEqual(SYSTEM_TENANT, claims["customerId"])
        self.assertIs(True, claims["enabled"])
        self.assertIs(False, claims["isPublic"])
        refresh = claims_of(self.tenant.refresh_token)
        self.assertEqual(["REFRESH_TOKEN"], refresh["scopes"])
        self.assertEqual(604800, refresh["exp"] - refresh["iat"])
        self.assertEqual(claims["sessionId"], refresh["sessionId"])
        self.assertTrue(refresh["jti"])

    def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(self):
        answers = []
        for name, password in [(TENANT[0], "wrong-1"), (f"{self.unique()}@example.test", TENANT[1]), ("", ""),
                               (TENANT[0], ""), (TENANT[0] + " ", TENANT[1])]:
            answer = self.anonymous.post("/api/auth/login", {"username": name, "password": password})
            answers.append(self.assertError(401, 10, answer)["message"])
        self.assertEqual({"Invalid username or password"}, set(answers))

    def test_names_are_compared_without_regard_to_case(self):
        self.assertEqual(200, self.anonymous.post("/api/auth/login", {
            "username": TENANT[0].upper(), "password": TENANT[1]}).status)

    def test_no_credentials_or_broken_ones_are_401(self):
        self.assertError(401, 10, self.me(self.anonymous))
        for value in ["Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz", self.tenant.token,
                      "ApiKey tb_x", "ApiKey " + self.tenant.token, "Bearer " + self.tenant.token[:-4] + "AAAA"]:
            with self.subTest(value[:30]):
                self.assertError(401, 10, self.anonymous.get("/api/auth/user", headers={"X-Authorization": value}))

    def test_x_authorization_comes_before_authorization(self):
        good, bad = f"Bearer {self.tenant.token}", "Bearer x.y.z"
        for headers, status in [({"Authorization": good}, 200), ({"X-Authorization": good, "Authorization": bad}, 200),
                                ({"X-Authorization": bad, "Authorization": good}, 401)]:
            self.assertEqual(status, self.anonymous.get("/api/auth/user", headers=headers).status)

    def test_a_refresh_token_is_good_for_refreshing_only_and_only_once(self):
        client = self.server.client(TENANT)
        self.assertError(401, 10, self.me(self.with_token(client.refresh_token)))
        self.assertError(401, 10, self.anonymous.post("/api/auth/token", {"refreshToken": client.token}))
        pair = self.assertStatus(200, self.anonymous.post("/api/auth/token", {
            "refreshToken": client.refresh_token})).json()
        self.assertEqual({"token", "refreshToken"}, set(pair))
        self.assertNotEqual(pair["refreshToken"], client.refresh_token)
        self.assertEqual(200, self.me(self.with_token(pair["token"])).status)
        self.assertEqual(claims_of(client.token)["sessionId"], claims_of(pair["token"])["sessionId"])
        # A few seconds later another tab may still use it; what it gets belongs to the same session.
        again = self.anonymous.post("/api/auth/token", {"refreshToken": client.refresh_token})
        self.assertStatus(200, again)

    def test_logout_ends_the_session_on_every_connection_at_once(self):
        client = self.server.client(TENANT, keep=True)
        others = [self.with_token(client.token) for _ in range(8)]
        for other in others:
            other.keep = True
            self.assertStatus(200, self.me(other))
        bystander = self.server.client(TENANT)
        self.assertStatus(200, client.post("/api/auth/logout"))
        for other in others:
            self.assertError(401, 11, self.me(other))
            self.assertError(401, 11, other.list())
        self.assertEqual(401, self.anonymous.post("/api/auth/token", {"refreshToken": client.refresh_token}).status)
        self.assertStatus(200, self.me(bystander))

    def test_logout_everywhere_ends_all_sessions_of_the_user(self):
        _, user, first = self.tenant_with_admin()
        credentials = (user["email"], "secret-1")
        second, third = self.server.client(credentials), self.server.client(credentials)
        self.assertStatus(200, first.post("/api/auth/logout?everywhere=true"))
        for client in (first, second, third):
            self.assertError(401, 11, self.me(client))
        self.assertStatus(200, self.me(self.server.client(credentials)))
        self.assertError(400, 31, self.server.client(credentials).post("/api/auth/logout?everywhere=perhaps"))

    def test_a_changed_password_ends_the_other_sessions(self):
        _, user, client = self.tenant_with_admin()
        other = self.server.client((user["email"], "secret-1"))
        change = lambda current, chosen: client.post("/api/auth/changePassword", {
            "currentPassword": current, "newPassword": chosen})
        self.assertError(400, 31, change("wrong-1", "secret-2"), "current password")
        self.assertError(400, 31, change("secret-1", "12345"), "6 or more")
        self.assertError(400, 31, change("secret-1", "x" * 73), "72")
        self.assertError(400, 31, change("secret-1", "secret-1"), "different")
        pair = self.assertStatus(200, change("secret-1", "secret-2")).json()
        self.assertEqual(401, self.me(client).status)
        self.assertEqual(401, self.me(other).status)
        self.assertStatus(200, self.me(self.with_token(pair["token"])))
        self.assertError(401, 10, self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": "secret-1"}))
        self.assertStatus(200, self.me(self.server.client((user["email"], "secret-2"))))

    def test_malformed_bodies_are_400(self):
        for path in ("/api/auth/login", "/api/auth/token", "/api/noauth/activate"):
            for body in (b"", b"{", b"[]", b"null", b'"x"', b'{"username":1,"password":2,"refreshToken":3}',
                         b"{}", b"\xff\xfe", b'{"username":"a","password":"\xff"}', b"[" * 5000):
                with self.subTest(f"{path} {body[:30]}"):
                    answer = self.anonymous.request("POST", path, body, {"Content-Type": "application/json"})
                    self.assertError(400, 31, answer)
        answer = self.anonymous.post("/api/auth/login", {"username": "a", "password": "x" * 100_000})
        self.assertError(413, 31, answer)

    def test_answers_about_accounts_are_not_stored_by_caches(self):
        answer = self.anonymous.post("/api/auth/login", {"username": TENANT[0], "password": TENANT[1]})
        self.assertEqual("no-store", answer.header("Cache-Control"))
        self.assertEqual("no-store", self.me(self.tenant).header("Cache-Control"))


class RateLimit(AccountTest):
    def test_guessing_is_held_off_and_nobody_else_is(self):
        _, user, _ = self.tenant_with_admin()
        attempt = lambda password: self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": password})
        for _ in range(5):
            self.assertError(401, 10, attempt("wrong-1"))
        answer = attempt("secret-1")
        self.assertError(429, 33, answer, "try again in")
        wait = int(answer.header("Retry-After"))
        self.assertLessEqual(1, wait)
        self.assertLessEqual(wait, 60)
        self.assertStatus(200, self.me(self.server.client(TENANT)))
        deadline = time.monotonic() + 30
        while (answer := attempt("secret-1")).status == 429 and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertStatus(200, answer)


class Tenants(AccountTest):
    def test_a_tenant_is_made_changed_found_and_listed(self):
        title = self.unique("Ünïcode")
        made = self.admin.post("/api/tenant", {
            "title": title, "email": "office@example.test", "region": "Global", "country": "DE", "city": "Köln",
            "zip": "50667", "additionalInfo": {"description": "one"}}).json()
        self.assertEqual((title, title, "DE", {"description": "one"}, 1),
                         (made["title"], made["name"], made["country"], made["additionalInfo"], made["version"]))
        path = f"/api/tenant/{made['id']['id']}"
        self.assertEqual(made, self.admin.get(path).json())
        changed = self.assertStatus(200, self.admin.post("/api/tenant", {**made, "title": title + " 2"})).json()
        self.assertEqual((made["id"], made["createdTime"], title + " 2", 2),
                         (changed["id"], changed["createdTime"], changed["title"], changed["version"]))
        self.assertError(409, 35, self.admin.post("/api/tenant", {**made, "title": "late"}))
        page = self.admin.get(f"/api/tenants?pageSize=10&page=0&textSearch={title[-8:].upper()}").json()
        self.assertEqual(([changed], 1, 1, False),
                         (page["data"], page["totalElements"], page["totalPages"], page["hasNext"]))

    def test_pages_are_complete_and_sorted(self):
        prefix = self.unique("page")
        titles = [f"{prefix}-{i:02}" for i in (3, 1, 4, 0, 2)]
        for title in titles:
            self.make_tenant(title)
        got = []
        for number in range(3):
            page = self.admin.get(f"/api/tenants?pageSize=2&page={number}&textSearch={prefix}"
                                  "&sortProperty=title&sortOrder=DESC").json()
            self.assertEqual((5, 3, number < 2), (page["totalElements"], page["totalPages"], page["hasNext"]))
            got += [t["title"] for t in page["data"]]
        self.assertEqual(sorted(titles, reverse=True), got)
        beyond = self.admin.get(f"/api/tenants?pageSize=2&page=9&textSearch={prefix}").json()
        self.assertEqual(([], 5, False), (beyond["data"], beyond["totalElements"], beyond["hasNext"]))

    def test_bad_parameters_are_400_with_the_parameters_name(self):
        for query, word in [("", "pageSize"), ("pageSize=1", "page"), ("pageSize=0&page=0", "pageSize"),
                            ("pageSize=-1&page=0", "pageSize"), ("pageSize=x&page=0", "pageSize"),
                            ("pageSize=99999999999999999999&page=0", "pageSize"), ("pageSize=1&page=-1", "page"),
                            ("pageSize=1&page=0&sortProperty=secret", "sortProperty"),
                            ("pageSize=1&page=0&sortOrder=UP", "sortOrder"),
                            ("pageSize=1&page=0&textSearch=%ff", "textSearch")]:
            with self.subTest(query):
                self.assertError(400, 31, self.admin.get("/api/tenants?" + query), word)
        for body, word in [({}, "title"), ({"title": ""}, "title"), ({"title": 7}, "title"),
                           ({"title": "x" * 256}, "title"), ({"title": "a\u0000b"}, "title"),
                           ({"title": "t", "email": "no"}, "email"), ({"title": "t", "id": "x"}, "id"),
                           ({"title": "t", "id": {"entityType": "USER", "id": NOBODY}}, "id"),
                           ({"title": "t", "additionalInfo": {"x": "y" * 20000}}, "additionalInfo")]:
            with self.subTest(body=str(body)[:60]):
                self.assertError(400, 31, self.admin.post("/api/tenant", body), word)
        self.assertError(400, 31, self.admin.get("/api/tenant/x"), "tenantId")
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{NOBODY}"), NOBODY)
        self.assertError(404, 32, self.admin.delete(f"/api/tenant/{NOBODY}"))
        self.assertError(404, 32, self.admin.post("/api/tenant", {
            "title": "t", "id": {"entityType": "TENANT", "id": NOBODY}}))

    def test_who_may(self):
        own = self.me(self.tenant).json()["tenantId"]["id"]
        other = self.make_tenant()["id"]["id"]
        self.assertStatus(200, self.tenant.get(f"/api/tenant/{own}"))
        for client in (self.tenant, self.customer):
            self.assertError(403, 20, client.get(f"/api/tenant/{other}"))
            self.assertError(403, 20, client.post("/api/tenant", {"title": "x"}))
            self.assertError(403, 20, client.delete(f"/api/tenant/{own}"))
            self.assertError(403, 20, client.get("/api/tenants?pageSize=1&page=0"))
            self.assertError(403, 20, client.get(f"/api/tenant/{own}/users?pageSize=1&page=0"))
        self.assertError(403, 20, self.customer.get(f"/api/tenant/{own}"))

    def test_deleting_a_tenant_deletes_its_users_keys_and_images(self):
        tenant, user, client = self.tenant_with_admin()
        customer, member, member_client = self.customer_user(client)
        key = client.post("/api/apiKey", {"userId": user["id"], "description": "d"}).json()
        image = self.assertStatus(200, client.upload("gone.png", png(text=self.unique()))).json()
        self.assertStatus(200, self.anonymous.get(image["publicLink"]))
        other = self.tenant.upload("stays.png", png(text=self.unique())).json()
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{tenant['id']['id']}"))
        self.assertError(404, 32, self.admin.get(f"/api/tenant/{tenant['id']['id']}"))
        for gone in (client, member_client, self.with_token(key["value"], "ApiKey")):
            self.assertEqual(401, self.me(gone).status)
            self.assertEqual(401, gone.image("gone.png").status)
        self.assertError(404, 32, self.anonymous.get(image["publicLink"]))
        self.assertError(404, 32, self.admin.get(f"/api/user/{user['id']['id']}"))
        self.assertEqual(401, self.anonymous.post("/api/auth/login", {
            "username": user["email"], "password": "secret-1"}).status)
        self.assertStatus(200, self.anonymous.get(other["publicLink"]))
        # The address is free again.
        second = self.make_tenant()
        self.assertStatus(200, self.admin.post("/api/user", {
            "email": user["email"], "authority": "TENANT_ADMIN", "tenantId": second["id"]}))


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


class Customers(AccountTest):
    def test_a_customer_is_made_changed_found_listed_and_deleted(self):
        title = self.unique("shop")
        made = self.make_customer(title=title)
        self.assertEqual(self.me(self.tenant).json()["tenantId"], made["tenantId"])
        path = f"/api/customer/{made['id']['id']}"
        self.assertEqual(made, self.tenant.get(path).json())
        changed = self.tenant.post("/api/customer", {**made, "city": "Ulm"}).json()
        self.assertEqual("Ulm", changed["city"])
        page = self.tenant.get(f"/api/customers?pageSize=5&page=0&textSearch={title}").json()
        self.assertEqual([changed], page["data"])
        user = self.invite(self.tenant, "CUSTOMER_USER", customerId=made["id"])
        client = self.activate(self.tenant, user)
        self.assertStatus(200, client.get(path))
        self.assertStatus(200, self.tenant.delete(path))
        self.assertError(404, 32, self.tenant.get(path))
        self.assertEqual(401, self.me(client).status)

    def test_a_taken_title_fails_or_is_made_unique(self):
        title = self.unique("twice")
        self.make_customer(title=title)
        self.assertError(400, 31, self.tenant.post("/api/customer", {"title": title}), "already exists")
        first = self.tenant.post("/api/customer?nameConflictPolicy=UNIQUIFY&uniquifyStrategy=INCREMENTAL",
                                 {"title": title}).json()
        self.assertEqual(title + "_1", first["title"])
        second = self.tenant.post("/api/customer?nameConflictPolicy=UNIQUIFY&uniquifySeparator=-",
                                  {"title": title}).json()
        self.assertTrue(second["title"].startswith(title + "-"))
        self.assertError(400, 31, self.tenant.post("/api/customer?nameConflictPolicy=MAYBE", {"title": "x"}),
                         "nameConflictPolicy")

    def test_who_may(self):
        _, _, stranger = self.tenant_with_admin()
        foreign = self.make_customer(stranger)
        path = f"/api/customer/{foreign['id']['id']}"
        for client in (self.tenant, self.customer, self.admin):
            self.assertError(403, 20, client.get(path))
            self.assertError(403, 20, client.delete(path))
        self.assertError(403, 20, self.tenant.post("/api/customer", {**foreign, "title": "mine"}))
        for client in (self.customer, self.admin):
            self.assertError(403, 20, client.post("/api/customer", {"title": "x"}))
            self.assertError(403, 20, client.get("/api/customers?pageSize=1&page=0"))
        own = self.me(self.customer).json()["customerId"]["id"]
        self.assertStatus(200, self.customer.get(f"/api/customer/{own}"))
        self.assertError(404, 32, self.tenant.get(f"/api/customer/{NOBODY}"))
        self.assertError(400, 31, self.tenant.get("/api/customer/x"), "customerId")
        self.assertError(400, 31, self.tenant.post("/api/customer", {}), "title")


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


class SharedSigningKey(AccountTest):
    """A server with a ThingsBoard server's signing key."""
    options = {"environment": {"JWT_TOKEN_SIGNING_KEY": base64.b64encode(SIGNING_KEY).decode()}}

    def claims(self, **changes):
        now = int(time.time())
        return {"sub": "t@thingsboard.example", "userId": str(uuid.uuid4()), "scopes": ["TENANT_ADMIN"],
                "sessionId": str(uuid.uuid4()), "exp": now + 9000, "iss": "thingsboard.io", "iat": now,
                "enabled": True, "isPublic": False, "tenantId": str(uuid.uuid4()), "customerId": SYSTEM_TENANT,
                **changes}

    def test_a_thingsboard_servers_token_reaches_its_tenant_and_no_other(self):
        claims = self.claims()
        client = self.with_token(sign(claims))
        me = self.assertStatus(200, self.me(client)).json()
        self.assertEqual((claims["userId"], claims["tenantId"], "TENANT_ADMIN"),
                         (me["id"]["id"], me["tenantId"]["id"], me["authority"]))
        self.assertStatus(200, client.upload("theirs.png", png(text="theirs")))
        self.assertEqual(1, self.total(client))
        other = self.with_token(sign(self.claims()))
        self.assertEqual(0, self.total(other))
        self.assertError(404, 32, other.image("theirs.png"))
        self.assertError(403, 20, client.post("/api/auth/changePassword", {
            "currentPassword": "secret-1", "newPassword": "secret-2"}))
        self.assertError(404, 32, client.post("/api/apiKey", {"description": "x"}))
        self.assertStatus(200, client.post("/api/auth/logout"))
        self.assertError(401, 11, self.me(client))

    def test_forgeries_are_401(self):
        good = self.claims()
        for name, token in {
                "another key": sign(good, bytes(64)), "no algorithm": sign(good, header={"alg": "none"}),
                "HS256": sign(good, header={"alg": "HS256"}, digest=hashlib.sha256),
                "issuer": sign({**good, "iss": "example.org"}), "disabled": sign({**good, "enabled": False}),
                "two roles": sign({**good, "scopes": ["TENANT_ADMIN", "SYS_ADMIN"]}),
                "no tenant": sign({**good, "tenantId": SYSTEM_TENANT}),
                "unsigned": sign(good).rsplit(".", 1)[0] + "."}.items():
            with self.subTest(name):
                self.assertError(401, 10, self.me(self.with_token(token)))
        expired = self.with_token(sign(self.claims(exp=int(time.time()) - 1)))
        error = self.assertError(401, 11, self.me(expired))
        self.assertEqual("Token has expired", error["message"])

    def test_for_users_known_here_the_account_counts(self):
        me = self.me(self.customer).json()
        client = self.with_token(sign(self.claims(userId=me["id"]["id"], scopes=["TENANT_ADMIN"])))
        self.assertEqual(("CUSTOMER_USER", me["tenantId"]),
                         (self.me(client).json()["authority"], self.me(client).json()["tenantId"]))
        _, user, _ = self.tenant_with_admin()
        foreign = self.with_token(sign(self.claims(userId=user["id"]["id"])))
        self.assertStatus(200, self.me(foreign))
        self.assertStatus(200, self.admin.delete(f"/api/user/{user['id']['id']}"))
        self.assertError(401, 10, self.me(foreign))
        self.assertError(401, 10, self.me(self.with_token(sign(self.claims(userId=user["id"]["id"])))))

    def test_our_tokens_are_verified_by_the_same_rule(self):
        head, body, signature = self.tenant.token.split(".")
        made = hmac.new(SIGNING_KEY, f"{head}.{body}".encode(), hashlib.sha512).digest()
        self.assertEqual(encode(made), signature)


class Restart(unittest.TestCase):
    def test_accounts_sessions_and_revocations_outlive_a_kill(self):
        server = Server()
        try:
            server.start()
            tenant = server.client(TENANT)
            ended = server.client(TENANT)
            refreshed = server.client(TENANT)
            key = tenant.post("/api/apiKey", {"description": "d"}).json()
            gone = tenant.post("/api/apiKey", {"description": "e"}).json()
            self.assertEqual(200, ended.post("/api/auth/logout").status)
            self.assertEqual(200, tenant.delete(f"/api/apiKey/{gone['id']['id']}").status)
            customer = tenant.post("/api/customer", {"title": "kept"}).json()
            server.kill()
            server.start()
            self.assertEqual(200, tenant.get("/api/auth/user").status)
            self.assertEqual(401, ended.get("/api/auth/user").status)
            self.assertEqual(200, tenant.get("/api/auth/user", headers={
                "X-Authorization": f"ApiKey {key['value']}"}).status)
            self.assertEqual(401, tenant.get("/api/auth/user", headers={
                "X-Authorization": f"ApiKey {gone['value']}"}).status)
            self.assertEqual(customer, tenant.get(f"/api/customer/{customer['id']['id']}").json())
            self.assertEqual(200, refreshed.post("/api/auth/token", {
                "refreshToken": refreshed.refresh_token}).status)
            for credentials in (SYSADMIN, TENANT, CUSTOMER):
                self.assertEqual(200, server.client(credentials).get("/api/auth/user").status)
        finally:
            server.stop()

    def test_generated_passwords_are_shown_once(self):
        server = Server(environment={"GALLERY_SYSADMIN_PASSWORD": "", "GALLERY_DEMO_PASSWORD": ""})
        try:
            server.start()
            shown = server.wait_for_report()
            words = shown.replace(",", " ").split()
            for email in (SYSADMIN[0], TENANT[0], CUSTOMER[0]):
                client = Client(server)
                self.assertTrue(any(client.post("/api/auth/login", {"username": email, "password": word}).status == 200
                                    for word in words[words.index(email):words.index(email) + 12]
                                    if len(word) == 20), shown)
            server.terminate()
            server.start()
            server.wait_for_report(2)
            self.assertEqual(1, server.log().count(f"{SYSADMIN[0]} "), server.log())
        finally:
            server.stop()


@unittest.skipUnless(THINGSBOARD.is_file(), "ThingsBoard's description is not at hand")
class Shapes(AccountTest):
    def test_answers_have_thingsboards_shapes(self):
        document = json.loads(THINGSBOARD.read_text())
        customer, member, client = self.customer_user(self.tenant)
        tenant, _, _ = self.tenant_with_admin()
        key = self.tenant.post("/api/apiKey", {"description": "d"}).json()
        me = self.me(self.tenant).json()
        page = "pageSize=10&page=0"
        for name, value in [
                ("User", me), ("User", member), ("User", self.me(self.admin).json()), ("Tenant", tenant),
                ("Customer", customer), ("ApiKey", key),
                ("ApiKeyInfo", self.tenant.put(f"/api/apiKey/{key['id']['id']}/enabled/true").json()),
                ("LoginResponse", self.anonymous.post("/api/auth/login", dict(zip(("username", "password"), TENANT))).json()),
                ("PageDataUser", self.tenant.get(f"/api/users?{page}").json()),
                ("PageDataTenant", self.admin.get(f"/api/tenants?{page}").json()),
                ("PageDataCustomer", self.tenant.get(f"/api/customers?{page}").json()),
                ("PageDataApiKeyInfo", self.tenant.get(f"/api/apiKeys/{me['id']['id']}?{page}").json()),
                ("ThingsboardErrorResponse", self.me(self.anonymous).json())]:
            with self.subTest(name):
                schema = {"$ref": f"#/components/schemas/{name}", "components": copy.deepcopy(document["components"])}
                jsonschema.Draft202012Validator(schema).validate(value)


if __name__ == "__main__":
    unittest.main()
