# SPDX-License-Identifier: Apache-2.0
"""Who is who: logging in, tokens, sessions, a signing key that another server has, and restarts."""
import base64
import hashlib
import hmac
import json
import threading
import time
import unittest
import uuid

from accounts import SIGNING_KEY, claims_of, encode, sign, AccountTest
from harness import CUSTOMER, SYSADMIN, SYSTEM_TENANT, TENANT, Client, Server, png


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

    def test_many_guesses_at_once_are_no_way_around(self):
        _, user, _ = self.tenant_with_admin()
        answers = []

        def guess(number):
            answers.append(Client(self.server).post("/api/auth/login", {
                "username": user["email"], "password": f"wrong-{number}"}))
        threads = [threading.Thread(target=guess, args=(n,)) for n in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({401, 429}, {a.status for a in answers})
        # One more wherever a second passed meanwhile, which on a slow machine it may.
        tried = [a for a in answers if a.status == 401]
        self.assertGreaterEqual(len(tried), 5)
        self.assertLess(len(tried), 15)

    def fail_from(self, address, email, times=5):
        for _ in range(times):
            self.assertError(401, 10, self.login_from(address, email, "wrong-1"))
        return self.login_from(address, email, "secret-1")

    def login_from(self, address, email, password):
        return self.anonymous.post("/api/auth/login", {"username": email, "password": password},
                                   headers={"X-Forwarded-For": address})

    def test_nobody_chooses_the_own_address(self):
        _, user, _ = self.tenant_with_admin()
        self.assertError(429, 33, self.fail_from("192.0.2.1", user["email"]))
        self.assertError(429, 33, self.login_from("192.0.2.2", user["email"], "secret-1"))


class BehindProxy(RateLimit):
    """The tests are the proxy."""
    options = {"environment": {"HTTP_TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "debug"}}

    def test_nobody_chooses_the_own_address(self):
        _, user, _ = self.tenant_with_admin()
        self.assertError(429, 33, self.fail_from("192.0.2.1", user["email"]))
        # What the client wrote itself stands before what the proxy has added.
        self.assertError(429, 33, self.login_from("192.0.2.2, 192.0.2.1", user["email"], "secret-1"))
        self.assertStatus(200, self.login_from("192.0.2.1, 192.0.2.2", user["email"], "secret-1"))
        self.server.wait_for_log("192.0.2.2 POST /api/auth/login 200")


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
                "two roles": sign({**good, "scopes": ["SYS_ADMIN", "TENANT_ADMIN"]}),
                "no tenant": sign({**good, "tenantId": SYSTEM_TENANT}),
                "unsigned": sign(good).rsplit(".", 1)[0] + "."}.items():
            with self.subTest(name):
                self.assertError(401, 10, self.me(self.with_token(token)))
        expired = self.with_token(sign(self.claims(exp=int(time.time()) - 1)))
        error = self.assertError(401, 11, self.me(expired))
        self.assertEqual("Token has expired", error["message"])

    def test_of_two_scopes_the_first_counts_and_a_system_administrator_needs_no_tenant(self):
        two = self.with_token(sign(self.claims(scopes=["TENANT_ADMIN", "SYS_ADMIN"])))
        self.assertEqual("TENANT_ADMIN", self.assertStatus(200, self.me(two)).json()["authority"])
        for tenant in ({"tenantId": None}, {}):
            claims = {**self.claims(scopes=["SYS_ADMIN"]), **tenant}
            if not tenant:
                del claims["tenantId"]
            me = self.assertStatus(200, self.me(self.with_token(sign(claims)))).json()
            self.assertEqual(("SYS_ADMIN", SYSTEM_TENANT), (me["authority"], me["tenantId"]["id"]))
        claims = self.claims()
        del claims["tenantId"]
        self.assertError(401, 10, self.me(self.with_token(sign(claims))))

    def test_a_thingsboard_servers_tenant_is_adopted_by_its_id(self):
        claims = self.claims()
        theirs = self.with_token(sign(claims))
        self.assertStatus(200, theirs.upload("before.png", png(text="before")))
        other = self.with_token(sign(self.claims()))  # of a tenant that is not adopted
        self.assertStatus(200, other.upload("other.png", png(text="other")))

        wanted = {"id": {"entityType": "TENANT", "id": claims["tenantId"]}, "title": "Adopted"}
        self.assertError(403, 20, self.tenant.post("/api/tenant", wanted))
        self.assertError(404, 32, self.admin.post("/api/tenant", {**wanted, "version": 1}))
        for bad in (SYSTEM_TENANT, str(uuid.UUID(int=0))):
            self.assertError(400, 31, self.admin.post("/api/tenant", {**wanted, "id": {"id": bad}}))
        tenant = self.assertStatus(200, self.admin.post("/api/tenant", wanted)).json()
        self.assertEqual((claims["tenantId"], "Adopted", 1), (tenant["id"]["id"], tenant["title"], tenant["version"]))
        changed = self.assertStatus(200, self.admin.post("/api/tenant", {**wanted, "title": "Renamed"})).json()
        self.assertEqual((tenant["id"], "Renamed", 2), (changed["id"], changed["title"], changed["version"]))

        # Its users of the other server go on, and it has users and API keys of its own.
        self.assertEqual(1, self.total(theirs))
        own = self.activate(self.admin, self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"]))
        self.assertStatus(200, own.image("before.png"))
        key = self.assertStatus(200, own.post("/api/apiKey", {"description": "device"})).json()["value"]
        device = self.with_token(key, "ApiKey")
        self.assertStatus(200, device.upload("device.png", png(text="device")))
        self.assertEqual(2, self.total(theirs))

        self.assertStatus(200, self.admin.delete("/api/tenant/" + claims["tenantId"]))
        for gone in (theirs, own, device):
            self.assertError(401, 10, self.me(gone))
        self.assertError(404, 32, self.admin.post("/api/tenant", wanted), "deleted")
        self.assertEqual(1, self.total(other))

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

    def test_tokens_of_users_whom_another_storage_knew_are_worth_nothing(self):
        server = Server(plugin="rocksdb", demo=False)
        try:
            server.start()
            admin = server.client(SYSADMIN)
            made = admin.post("/api/user", {"email": "mallory@example.test", "authority": "SYS_ADMIN"}).json()
            path = f"/api/user/{made['id']['id']}"
            self.assertEqual(200, admin.post(path + "/password", {"password": "secret-1"}).status)
            deleted = server.client(("mallory@example.test", "secret-1"))
            ended = server.client(SYSADMIN)
            self.assertEqual(200, ended.post("/api/auth/logout").status)
            self.assertEqual(200, admin.delete(path).status)
            self.assertEqual(401, deleted.get("/api/auth/user").status)
            self.assertEqual(0, server.terminate())
            server.plugin = "filesystem"
            server.extra["STORAGE_PATH"] = str(server.data / "data" / "filesystem")
            server.start()
            for client in (deleted, ended, admin):
                for answer in (client.get("/api/auth/user"), client.get("/api/tenants?pageSize=1&page=0"),
                               client.post("/api/user", {"email": "next@example.test", "authority": "SYS_ADMIN"})):
                    self.assertEqual(401, answer.status, answer)
                self.assertEqual(401, Client(server).post("/api/auth/token", {
                    "refreshToken": client.refresh_token}).status)
            self.assertEqual(200, server.client(SYSADMIN).get("/api/tenants?pageSize=1&page=0").status)
        finally:
            server.stop()

    def test_generated_passwords_are_shown_by_the_first_start_only(self):
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
            # When it is made, and in the last block of that start.
            self.assertEqual(2, server.log().count(f"{SYSADMIN[0]} "), server.log())
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
