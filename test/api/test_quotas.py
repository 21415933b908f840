# SPDX-License-Identifier: Apache-2.0
"""Limits of tenants: the size of an image, the bytes of all images, requests, and requests without a login."""
import base64
import contextlib
import http.client
import json
import threading
import unittest
import urllib.parse
import uuid

from accounts import AccountTest
from harness import SYSTEM_TENANT, Client, export_document, free_port, png, quote, scrape
from test_reload import ReloadTest

SLOW = "1000000"
"""Seconds: no request of such a rate comes back while a test runs."""


def picture(size):
    """A PNG of exactly this size, with bytes of its own."""
    mark = uuid.uuid4().hex
    least = len(png(text=mark))
    made = png(text=mark + "x" * (size - least))
    assert len(made) == size, (len(made), size)
    return made


class LimitTest(AccountTest):
    @classmethod
    def setUpClass(cls):
        cls.metrics_port = free_port()
        # The tests name the clients' addresses as a proxy on this machine.
        cls.options = {"environment": {"METRICS_BIND_PORT": str(cls.metrics_port), "HTTP_TRUSTED_PROXIES": "127.0.0.1",
                                       "HTTP_PUBLIC_REQUESTS_PER_CLIENT": f"5:{SLOW}"}}
        super().setUpClass()

    def limited(self, **configuration):
        """A tenant with a profile of its own, and its administrator."""
        tenant, user, client = self.tenant_with_admin()
        self.profile = self.assertStatus(200, self.admin.post("/api/tenantProfile", {
            "name": self.unique("profile"), "profileData": {"configuration": configuration}})).json()
        self.assertStatus(200, self.admin.post("/api/tenant", {
            **self.admin.get(f"/api/tenant/{tenant['id']['id']}").json(), "tenantProfileId": self.profile["id"]}))
        return tenant, user, client

    def change(self, **configuration):
        self.profile["profileData"]["configuration"] = configuration
        self.profile = self.assertStatus(200, self.admin.post("/api/tenantProfile", self.profile)).json()

    def usage(self, client, query=""):
        return self.assertStatus(200, client.get("/api/images/usage" + query)).json()

    def refusals(self, limit):
        return scrape(self.metrics_port)["gallery_limits_refused_total", (("limit", limit),)]

    def announce(self, client, method, target, length, content_type="multipart/form-data; boundary=x"):
        """The answer to a request whose body never comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, target)
            connection.putheader("X-Authorization", f"Bearer {client.token}")
            connection.putheader("Content-Type", content_type)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["message"]


class SizeOfAnImage(LimitTest):
    def test_the_limit_applies_to_every_way_in_which_an_image_comes(self):
        _, _, client = self.limited(maxResourceSize=2000)
        self.assertStatus(200, client.upload("a.png", picture(2000)))
        before = self.refusals("size")
        large = picture(2001)
        embedded = {"title": "board", "logo": "data:image/png;base64," + base64.b64encode(large).decode()}
        for name, answer in (("upload", client.upload("b.png", large)),
                             ("replace", client.replace("a.png", "a.png", large)),
                             ("import, new", client.put("/api/image/import", export_document("b.png", large))),
                             ("import, old", client.put("/api/image/import", export_document("a.png", large))),
                             ("extract", client.post("/api/images/extract", embedded)),
                             ("rehearsal", client.post("/api/images/extract?dryRun=true", embedded))):
            with self.subTest(name):
                self.assertError(413, 31, answer, "2000 bytes", "2001", "this tenant")
        self.assertEqual(1, self.total(client))
        self.assertEqual(before + 6, self.refusals("size"))
        # Another tenant has no limit.
        self.assertStatus(200, self.tenant.upload("b.png", large))

    def test_a_larger_image_is_refused_before_it_is_sent(self):
        _, _, client = self.limited(maxResourceSize=2000)
        for method, target, content_type in (("POST", "/api/image", "multipart/form-data; boundary=x"),
                                             ("PUT", "/api/image/import", "application/json")):
            with self.subTest(target):
                status, message = self.announce(client, method, target, 10_000_000, content_type)
                self.assertEqual(413, status, message)
                self.assertIn("2000 bytes", message)

    def test_a_changed_limit_applies_to_the_next_request_and_is_shown(self):
        _, _, client = self.limited(maxResourceSize=2000)
        user = self.customer_user(client)[2]
        for each in (client, user):
            parameters = each.get("/api/system/params").json()
            self.assertEqual((2000, 2000), (parameters["maxResourceSize"], parameters["maxUploadSize"]))
        self.change(maxResourceSize=3000)
        self.assertEqual(3000, client.get("/api/system/params").json()["maxResourceSize"])
        self.assertStatus(200, client.upload("a.png", picture(3000)))
        self.change()
        self.assertEqual(0, client.get("/api/system/params").json()["maxResourceSize"])
        self.assertStatus(200, client.upload("b.png", picture(3001)))
        self.assertEqual(0, self.admin.get("/api/system/params").json()["maxResourceSize"])


class BytesOfAllImages(LimitTest):
    def test_the_limit_applies_to_every_way_in_which_bytes_come(self):
        tenant, _, client = self.limited(maxResourcesInBytes=5000)
        self.assertStatus(200, client.upload("a.png", picture(3000)))
        before = self.refusals("quota")
        large = picture(2001)
        embedded = {"title": "board", "logo": "data:image/png;base64," + base64.b64encode(large).decode()}
        for name, answer in (("upload", client.upload("b.png", large)),
                             ("replace", client.replace("a.png", "a.png", picture(5001))),
                             ("import, new", client.put("/api/image/import", export_document("b.png", large))),
                             ("extract", client.post("/api/images/extract", embedded))):
            with self.subTest(name):
                self.assertError(413, 31, answer, "5000 bytes", "3000", "Delete images")
        self.assertEqual(before + 4, self.refusals("quota"))
        self.assertStatus(200, client.upload("b.png", picture(2000)))
        used = self.usage(client)
        self.assertEqual({"entityType": "TENANT", "id": tenant["id"]["id"]}, used["tenantId"])
        self.assertEqual((2, 5000, 5000), (used["images"], used["usedBytes"], used["maxResourcesInBytes"]))

    def test_a_tenant_above_its_limit_reads_deletes_and_replaces_by_less(self):
        _, _, client = self.limited()
        self.assertStatus(200, client.upload("a.png", first := picture(3000)))
        self.assertStatus(200, client.upload("b.png", picture(2000)))
        self.change(maxResourcesInBytes=1000)
        self.assertEqual(first, client.image("a.png").body)
        self.assertError(413, 31, client.upload("c.png", picture(500)), "1000 bytes")
        self.assertError(413, 31, client.replace("a.png", "a.png", picture(3001)), "instead of 3000")
        self.assertStatus(200, client.replace("a.png", "a.png", picture(3000)))
        self.assertStatus(200, client.replace("a.png", "a.png", picture(500)))
        self.assertStatus(200, client.put("/api/images/tenant/a.png/info", {"title": "other"}))
        self.assertStatus(200, client.delete("/api/images/tenant/b.png"))
        self.assertStatus(200, client.upload("c.png", picture(500)))
        self.assertEqual(1000, self.usage(client)["usedBytes"])

    def test_an_upload_that_cannot_fit_is_refused_before_it_is_sent(self):
        _, _, client = self.limited(maxResourcesInBytes=3000)
        self.assertStatus(200, client.upload("a.png", picture(3000)))
        status, message = self.announce(client, "POST", "/api/image", 1000)
        self.assertEqual(413, status, message)
        self.assertIn("3000 bytes", message)
        status, message = self.announce(client, "PUT", "/api/images/tenant/a.png", 100_000)
        self.assertEqual(413, status, message)

    def test_an_import_that_cannot_fit_is_refused_before_it_is_decoded(self):
        _, _, client = self.limited(maxResourcesInBytes=3000)
        self.assertStatus(200, client.upload("a.png", picture(2000)))

        def put(key, size):
            return client.put("/api/image/import", export_document(key, b"x" * size))
        self.assertError(413, 31, put("b.png", 1001), "3000 bytes", "2000")
        self.assertError(413, 31, put("a.png", 3001), "3000 bytes", "2000")
        # What has room is decoded, and is no picture.
        for key, size in (("b.png", 1000), ("a.png", 3000)):
            self.assertError(400, 31, put(key, size))
        self.assertEqual(2000, self.usage(client)["usedBytes"])

    def test_simultaneous_uploads_never_exceed_the_limit(self):
        _, _, client = self.limited(maxResourcesInBytes=20 * 2000 + 1999)
        answers, most, ended = [], [], threading.Event()

        def upload():
            own = self.with_token(client.token)
            for _ in range(5):
                answers.append(own.upload("same.png", picture(2000)))

        def watch():
            own = self.with_token(client.token)
            while not ended.is_set():
                most.append(self.usage(own)["usedBytes"])
        watcher = threading.Thread(target=watch)
        writers = [threading.Thread(target=upload) for _ in range(8)]
        for each in (watcher, *writers):
            each.start()
        for each in writers:
            each.join()
        ended.set()
        watcher.join()
        self.assertEqual(20, sum(answer.status == 200 for answer in answers))
        self.assertEqual(20, sum(answer.status == 413 for answer in answers), answers)
        self.assertLessEqual(max(most), 20 * 2000)
        self.assertEqual(20 * 2000, self.usage(client)["usedBytes"])
        self.assertEqual(20, self.total(client))

    def test_an_extraction_without_room_for_all_of_it_stores_nothing(self):
        _, _, client = self.limited(maxResourcesInBytes=3000)
        logos = ["data:image/png;base64," + base64.b64encode(picture(2000)).decode() for _ in range(2)]
        for target in ("/api/images/extract?dryRun=true", "/api/images/extract"):
            self.assertError(413, 31, client.post(target, {"title": "board", "logos": logos}), "3000 bytes")
            self.assertEqual(0, self.total(client))
        self.assertStatus(200, client.post("/api/images/extract", {"title": "board", "logos": logos[:1] * 2}))
        self.assertEqual(1, self.total(client))

    def test_usage_is_shown_to_whom_it_concerns(self):
        tenant, _, client = self.limited(maxResourceSize=4000, maxResourcesInBytes=9000)
        user = self.customer_user(client)[2]
        self.assertStatus(200, client.upload("a.png", picture(3000)))
        own = self.usage(client)
        self.assertEqual((1, 3000, 0, 0, 9000, 4000),
                         tuple(own[name] for name in ("images", "usedBytes", "keptVersions", "keptBytes",
                                                      "maxResourcesInBytes", "maxResourceSize")))
        self.assertGreaterEqual(own["bytes"], 3000)
        query = f"?tenantId={tenant['id']['id']}"
        self.assertEqual(own, self.usage(client, query))
        self.assertEqual(own, self.usage(self.admin, query))
        of_system = self.usage(self.admin)
        self.assertEqual((SYSTEM_TENANT, 0, 0), (of_system["tenantId"]["id"], of_system["maxResourcesInBytes"],
                                                 of_system["maxResourceSize"]))
        empty = self.tenant_with_admin()[0]["id"]["id"]
        self.assertEqual(0, self.usage(self.admin, f"?tenantId={empty}")["images"])
        self.assertEqual(of_system, self.usage(self.admin, f"?tenantId={SYSTEM_TENANT}"))
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{empty}"))
        for unknown in (empty, str(uuid.uuid4())):
            self.assertError(404, 32, self.admin.get(f"/api/images/usage?tenantId={unknown}"), unknown)
        self.assertError(403, 20, self.tenant.get("/api/images/usage" + query))
        self.assertError(403, 20, user.get("/api/images/usage"))
        self.assertError(400, 31, self.admin.get("/api/images/usage?tenantId=x"), "tenantId")
        self.assertError(401, 10, self.anonymous.get("/api/images/usage"))


class Requests(LimitTest):
    def refused(self, answer, *words):
        self.assertError(429, 33, answer, *words)
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        return int(answer.header("Retry-After"))

    def test_requests_of_a_tenant_are_limited(self):
        _, _, client = self.limited()
        key = client.upload("a.png", data := png(text="limited")).json()["resourceKey"]
        etag = client.image(key).header("ETag")
        before = self.refusals("rate_tenant")
        self.change(tenantServerRestLimitsConfiguration=f"3:{SLOW}")
        self.assertEqual(data, client.image(key).body)
        # Also what the caches answer counts, and is refused.
        self.assertStatus(304, client.image(key, headers={"If-None-Match": etag}))
        self.assertStatus(200, client.get("/api/auth/user"))
        for answer in (client.image(key, headers={"If-None-Match": etag}), client.image(key), client.list(),
                       client.upload("b.png", data)):
            wait = self.refused(answer, "Too many requests for current tenant!", f"3 requests in {SLOW} s")
            self.assertLessEqual(wait, int(SLOW) // 3 + 1)
        self.assertEqual(before + 4, self.refusals("rate_tenant"))
        # Other tenants, system administrators and public links are not concerned.
        self.assertStatus(200, self.tenant.list())
        self.assertStatus(200, self.admin.get("/api/tenants?pageSize=1&page=0"))
        self.change(tenantServerRestLimitsConfiguration=f"1:{SLOW}")
        self.assertStatus(200, client.list())
        self.refused(client.list(), "1 request in")
        self.change()
        self.assertStatus(200, client.list())

    def test_requests_of_each_customer_are_limited(self):
        _, _, client = self.limited()
        users = [self.customer_user(client)[2] for _ in range(2)]
        before = self.refusals("rate_customer")
        self.change(customerServerRestLimitsConfiguration=f"2:{SLOW}")
        for user in users:
            self.assertStatus(200, user.get("/api/auth/user"))
            self.assertStatus(200, user.get("/api/auth/user"))
            self.refused(user.get("/api/auth/user"), "Too many requests for current customer!")
        self.assertEqual(before + 2, self.refusals("rate_customer"))
        self.assertStatus(200, client.get("/api/auth/user"))

    def test_each_use_of_a_ticket_is_a_request(self):
        _, _, client = self.limited()
        key = self.assertStatus(200, client.upload("a.png", picture(500))).json()["resourceKey"]
        wanted = {"tenant": [key]}
        form = urllib.parse.urlencode({"images": json.dumps(wanted)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        before = self.refusals("rate_tenant")
        self.change(tenantServerRestLimitsConfiguration=f"3:{SLOW}")
        ticket = self.assertStatus(200, client.post("/api/images/zipTicket", wanted)).json()["ticket"]

        def download():
            return self.anonymous.request("POST", f"/api/images/zipDownload?ticket={quote(ticket)}", form, headers)
        for _ in range(2):
            self.assertStatus(200, download())
        self.refused(download(), "Too many requests for current tenant!")
        self.assertEqual(before + 1, self.refusals("rate_tenant"))

    def test_an_address_has_a_limited_number_of_requests_without_a_login(self):
        public = self.tenant.upload("public.png", data := png(text="public")).json()["publicLink"]
        before = self.refusals("rate_address")

        def ask(address, target=public, client=self.anonymous, **fields):
            return client.get(target, headers={"X-Forwarded-For": address, **fields})
        etag = ask("192.0.2.1").header("ETag")
        self.assertEqual(data, ask("192.0.2.1").body)
        self.assertStatus(304, ask("192.0.2.1", **{"If-None-Match": etag}))
        self.assertStatus(404, ask("192.0.2.1", "/api/absent"))
        nobody = {"username": "nobody@example.test", "password": "x"}
        self.assertStatus(401, self.anonymous.post("/api/auth/login", nobody, headers={"X-Forwarded-For": "192.0.2.1"}))
        for target in (public, "/api/absent", "/v3/api-docs"):
            self.refused(ask("192.0.2.1", target), "your address", f"5 requests in {SLOW} s")
        self.refused(ask("192.0.2.1", **{"If-None-Match": etag}))
        self.refused(self.anonymous.post("/api/auth/login", {}, headers={"X-Forwarded-For": "192.0.2.1"}))
        self.assertEqual(before + 5, self.refusals("rate_address"))
        # Not concerned: who logs in, health, other addresses, this machine.
        self.assertStatus(200, ask("192.0.2.1", "/api/images?pageSize=1&page=0", self.tenant))
        self.assertStatus(200, ask("192.0.2.1", "/health/ready"))
        self.assertStatus(200, ask("192.0.2.2"))
        for _ in range(6):
            self.assertStatus(200, self.anonymous.get(public))
        # A forwarded request is not this machine's own. Those without a readable address share one limit.
        unreadable = [{"X-Forwarded-For": "unknown"}, {"X-Forwarded-For": ""}, {"Forwarded": "for=_hidden"},
                      {"Forwarded": "=;"}, {"X-Forwarded-For": "unix:, 127.0.0.1"}, {"X-Forwarded-Proto": "http"}]
        for fields in unreadable[:5]:
            self.assertStatus(200, self.anonymous.get(public, headers=fields))
        for fields in unreadable:
            with self.subTest(fields):
                self.refused(self.anonymous.get(public, headers=fields), "your address")
        self.assertStatus(200, self.anonymous.get(public))
        # A network of IPv6 is one client.
        for host in range(5):
            self.assertStatus(200, ask(f"2001:db8::{host + 1}"))
        self.refused(ask("2001:db8::1:1"))


class Reload(ReloadTest):
    environment = {"HTTP_TRUSTED_PROXIES": "127.0.0.1"}

    def rates(self, text):
        return {"server": {"public_requests_per_client": text}}

    def statuses(self, address, count):
        anonymous = Client(self.server, keep=True)
        return [anonymous.get("/api/absent", headers={"X-Forwarded-For": address}).status for _ in range(count)]

    def test_the_limit_of_addresses_changes_without_a_restart(self):
        self.assertEqual([404] * 20, self.statuses("192.0.2.1", 20))
        report = self.reload(self.rates(f"2:{SLOW}"))
        self.assertEqual({"server.public_requests_per_client": ("", f"2:{SLOW}")}, self.changed(report))
        self.assertEqual([404, 404, 429], self.statuses("192.0.2.1", 3))
        # A reload of something else does not fill the buckets.
        self.reload({**self.rates(f"2:{SLOW}"), "image": {"max_resource_size": 5000}})
        self.assertEqual([429], self.statuses("192.0.2.1", 1))
        self.reload(self.rates(f"3:{SLOW}"))
        self.assertEqual([404, 404, 404, 429], self.statuses("192.0.2.1", 4))
        self.reload(self.rates(""))
        self.assertEqual([404] * 5, self.statuses("192.0.2.1", 5))

    def test_a_wrong_rate_is_refused(self):
        for wrong in ("100", "100:0", "1:1,2:1", "x:1"):
            with self.subTest(wrong):
                self.assertIn("100:1,2000:60", self.reload(self.rates(wrong), status=400))


if __name__ == "__main__":
    unittest.main()
