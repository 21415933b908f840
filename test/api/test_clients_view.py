# SPDX-License-Identifier: Apache-2.0
"""The server as clients see it: links behind proxies and below a path, pages of other origins, ids of errors."""
import re
import unittest

from accounts import AccountTest
from harness import ServerTest, png, quote

PAGE = {"Origin": "https://page.example"}


class Links(AccountTest):
    """Nobody is trusted."""
    options = {"environment": {}}
    trusted, base = False, ""

    def links(self, headers):
        """Activation link, and both links of an image, as a client gets them."""
        _, user, _ = self.invited()
        link = self.assertStatus(200, self.admin.get(f"/api/user/{user['id']['id']}/activationLink", headers=headers))
        info = self.assertStatus(200, self.tenant.get(f"/api/images/tenant/{self.key}/info", headers=headers)).json()
        page = self.assertStatus(200, self.tenant.get("/api/images?pageSize=100&page=0", headers=headers)).json()
        listed = next(one for one in page["data"] if one["resourceKey"] == self.key)
        self.assertEqual((info["link"], info["publicLink"]), (listed["link"], listed["publicLink"]))
        return link.body.decode(), info["link"], info["publicLink"]

    def invited(self):
        tenant = self.make_tenant()
        return tenant, self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"]), None

    def setUp(self):
        super().setUp()
        self.info = self.assertStatus(200, self.tenant.upload(f"{self.unique()}.png", png(text=self.id()))).json()
        self.key = self.info["resourceKey"]

    def test_links_are_what_the_client_can_follow(self):
        forwarded = {"X-Forwarded-Proto": "HTTPS, http", "X-Forwarded-Host": "gallery.example",
                     "X-Forwarded-Port": "8443", "X-Forwarded-Prefix": "/outside/"}
        standard = {"Forwarded": 'for="[2001:db8::1]:1";proto=https;host="gallery.example:8443"',
                    "X-Forwarded-Prefix": "/outside"}
        direct = f"http://127.0.0.1:{self.server.port}"
        for headers in ({}, forwarded, standard):
            with self.subTest(headers):
                believed = self.trusted and bool(headers)
                root = "https://gallery.example:8443/outside" if believed else direct + self.base
                prefix = "/outside" if believed else self.base
                link, image, public = self.links(headers)
                self.assertTrue(link.startswith(root + "/api/noauth/activate?activateToken="), link)
                self.assertEqual(prefix + "/api/images/tenant/" + self.key, image)
                self.assertEqual(f"{prefix}/api/images/public/{self.info['publicResourceKey']}", public)
                # Whether the proxy cuts the prefix off or not, and also below itself, as clients with a base URL
                # ask for it.
                for path in (public, prefix + public):
                    self.assertStatus(200, self.anonymous.get(path, headers=headers))
                self.assertStatus(200, self.tenant.get(image, headers=headers))
                redirect = self.anonymous.get(link[link.index("/api/"):], headers=headers)
                self.assertStatus(303, redirect)
                self.assertTrue(redirect.header("Location").startswith(prefix + "/login/createPassword?"), redirect.headers)

    def test_an_export_has_the_link_that_every_server_understands(self):
        exported = self.assertStatus(200, self.tenant.get(f"/api/images/tenant/{self.key}/export",
                                                          headers={"X-Forwarded-Prefix": "/outside"})).json()
        self.assertEqual("/api/images/tenant/" + self.key, exported["link"])


class LinksBehindProxy(Links):
    """The tests are the proxy."""
    options = {"environment": {"HTTP_TRUSTED_PROXIES": "127.0.0.1"}}
    trusted = True


class LinksBelowPath(Links):
    options = {"environment": {"HTTP_BASE_PATH": "/gallery/"}}
    base = "/gallery"


class LinksBehindProxyBelowPath(Links):
    options = {"environment": {"HTTP_TRUSTED_PROXIES": "127.0.0.1", "HTTP_BASE_PATH": "/gallery"}}
    trusted, base = True, "/gallery"


class Pages(ServerTest):
    """Every origin may use the API, which is the default."""
    options = {"environment": {"HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION": "/api/image*/**=100000;/api/**=65536"}}
    origin, vary, image_vary = "*", None, None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.tenant.upload("of pages \u00fc 100%.png", png(text="pages")).json()["resourceKey"]
        cls.public = cls.tenant.info(cls.key).json()["publicLink"]
        cls.path = f"/api/images/tenant/{quote(cls.key)}"

    def assertReadable(self, status, answer, is_image=False):
        self.assertStatus(status, answer)
        self.assertEqual(self.origin, answer.header("Access-Control-Allow-Origin"), answer.headers)
        self.assertEqual(self.image_vary if is_image else self.vary, answer.header("Vary"), answer.headers)
        self.assertEqual("ETag, x-filename, Content-Disposition", answer.header("Access-Control-Expose-Headers"))
        self.assertIsNone(answer.header("Access-Control-Allow-Credentials"))
        return answer

    def test_answers_and_errors_can_be_read(self):
        image = self.assertReadable(200, self.tenant.get(self.path, headers=PAGE), is_image=True)
        self.assertReadable(200, self.tenant.request("HEAD", self.path, headers=PAGE), is_image=True)
        for _ in range(2):
            unchanged = self.tenant.get(self.path, headers={**PAGE, "If-None-Match": image.header("ETag")})
            self.assertReadable(304, unchanged, is_image=True)
        self.assertReadable(206, self.tenant.get(self.path, headers={**PAGE, "Range": "bytes=0-3"}), is_image=True)
        self.assertReadable(412, self.tenant.get(self.path, headers={**PAGE, "If-Match": '"x"'}))
        self.assertReadable(200, self.tenant.get("/api/images?pageSize=1&page=0", headers=PAGE))
        self.assertReadable(401, self.anonymous.get(self.path, headers=PAGE))
        self.assertReadable(404, self.tenant.get("/api/images/tenant/nothing.png", headers=PAGE))
        self.assertReadable(404, self.tenant.get("/api/nothing", headers=PAGE))
        self.assertReadable(405, self.tenant.request("PATCH", self.path, headers=PAGE))
        self.assertReadable(413, self.tenant.upload("large.png", bytes(200_000), headers=PAGE))
        for _ in range(6):
            refused = self.anonymous.post("/api/auth/login", {"username": "page@gallery.local", "password": "wrong-1"},
                                          headers=PAGE)
        self.assertReadable(429, refused)

    def test_who_sends_no_origin_is_told_nothing_of_it(self):
        for answer in (self.tenant.get(self.path), self.tenant.get("/api/images?pageSize=1&page=0"),
                       self.anonymous.get("/health/live", headers=PAGE)):
            self.assertStatus(200, answer)
            self.assertIsNone(answer.header("Access-Control-Allow-Origin"))

    def test_public_links_are_open_to_all_pages(self):
        etag = self.anonymous.get(self.public).header("ETag")
        for headers in ({}, PAGE, {"Origin": "null"}):
            for condition, status in (({}, 200), ({"If-None-Match": etag}, 304)):
                answer = self.assertStatus(status, self.anonymous.get(self.public, headers={**headers, **condition}))
                self.assertEqual("*", answer.header("Access-Control-Allow-Origin"))
                self.assertEqual("cross-origin", answer.header("Cross-Origin-Resource-Policy"))
                self.assertEqual("ETag, x-filename, Content-Disposition", answer.header("Access-Control-Expose-Headers"))
                self.assertIsNone(answer.header("Vary"))
        gone = self.anonymous.get("/api/images/public/" + "A" * 32, headers=PAGE)
        self.assertStatus(404, gone)
        self.assertEqual("*", gone.header("Access-Control-Allow-Origin"))

    def test_every_route_answers_a_preflight(self):
        document = self.anonymous.get("/v3/api-docs").json()
        seen = 0
        for pattern, methods in document["paths"].items():
            if not pattern.startswith("/api/"):
                continue
            path = re.sub(r"\{[^}]*\}", "tenant", pattern)
            for method in methods:
                with self.subTest(f"{method} {pattern}"):
                    answer = self.anonymous.request("OPTIONS", path, headers={
                        **PAGE, "Access-Control-Request-Method": method.upper(),
                        "Access-Control-Request-Headers": "x-authorization, if-match"})
                    self.assertStatus(204, answer)
                    self.assertIn(answer.header("Access-Control-Allow-Origin"), (self.origin, "*"))
                    self.assertIn(method.upper(), answer.header("Access-Control-Allow-Methods").split(", "))
                    self.assertEqual("x-authorization, if-match", answer.header("Access-Control-Allow-Headers"))
                    self.assertEqual("1800", answer.header("Access-Control-Max-Age"))
                    seen += 1
        self.assertGreater(seen, 40)

    def test_the_file_name_is_sent_as_it_is_where_it_can_travel(self):
        for name, sent in (("plain name 100%.png", "plain name 100%.png"), (" a\u00fc .png", "%20a%C3%BC .png"),
                           ("\u65e5 (1);.png", "%E6%97%A5 (1);.png")):
            info = self.assertStatus(200, self.tenant.upload(name, png(text=ascii(name)))).json()
            for path in (f"/api/images/tenant/{quote(info['resourceKey'])}", info["publicLink"]):
                answer = self.assertStatus(200, self.tenant.get(path))
                self.assertEqual(sent, answer.header("x-filename"))
                self.assertEqual("default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox",
                                 answer.header("Content-Security-Policy"))


class ListedPages(Pages):
    """Some origins, and browsers that keep pictures for a while."""
    options = {"environment": {
        **Pages.options["environment"],
        "TB_CORS_ALLOWED_ORIGIN_PATTERNS": "https://*.example, https://other.test",
        "CACHE_SPECS_IMAGE_TENANT_BROWSER_TTL": "10"}}
    origin, vary, image_vary = PAGE["Origin"], "Origin", "Origin, X-Authorization, Authorization"

    def test_a_copy_in_a_cache_is_not_given_to_another_page_or_account(self):
        self.assertEqual(self.image_vary, self.assertStatus(200, self.tenant.get(self.path)).header("Vary"))
        stranger = self.assertStatus(200, self.tenant.get(self.path, headers={"Origin": "https://evil.test"}))
        self.assertEqual((None, self.image_vary),
                         (stranger.header("Access-Control-Allow-Origin"), stranger.header("Vary")))
        refused = self.anonymous.request("OPTIONS", self.path, headers={
            "Origin": "https://evil.test", "Access-Control-Request-Method": "GET"})
        self.assertError(403, 20, refused)
        self.assertIsNone(refused.header("Access-Control-Allow-Origin"))


class Errors(ServerTest):
    def test_an_error_has_an_id_and_what_is_none_has_not(self):
        ids = set()
        for answer in (self.anonymous.get("/api/images"), self.tenant.get("/api/images/tenant/nothing.png"),
                       self.tenant.get("/nothing"), self.tenant.request("PATCH", "/api/image")):
            self.assertGreaterEqual(answer.status, 400)
            self.assertEqual({"status", "message", "errorCode", "timestamp", "requestId"}, set(answer.json()))
            self.assertRegex(answer.header("X-Request-ID"), r"^[0-9a-f]{16}$")
            self.assertEqual(answer.header("X-Request-ID"), answer.json()["requestId"])
            ids.add(answer.header("X-Request-ID"))
        self.assertEqual(4, len(ids))
        self.assertIsNone(self.tenant.list().header("X-Request-ID"))
        # Only a trusted proxy may choose it.
        self.assertNotEqual("mine", self.tenant.get("/nothing", headers={"X-Request-ID": "mine"}).header("X-Request-ID"))


if __name__ == "__main__":
    unittest.main()
