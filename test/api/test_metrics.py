# SPDX-License-Identifier: Apache-2.0
"""The metrics are what Prometheus expects, and they count what happened."""
import http.client
import os
import re
import shutil
import subprocess
import time
import unittest

from harness import BUILD, TENANT, Client, ServerTest, free_port, png, scrape

WRONG = (TENANT[0], "wrong-password-1")


class Metrics(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.metrics_port = free_port()
        cls.options = {"environment": {"METRICS_BIND_PORT": str(cls.metrics_port)}}
        super().setUpClass()

    def page(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    def figures(self):
        return scrape(self.metrics_port)

    def figure(self, name, **labels):
        return self.figures().get((name, tuple(sorted(labels.items()))), 0)

    def expect_grown(self, before, expected, limit=20):
        """@p expected: {(name, labels): by how much}. An answer is counted when its last byte has left, which may be
        after the client has it."""
        def grown(now):
            return {key: now.get(key, 0) - before.get(key, 0) for key in expected}
        self.assertEqual(expected, grown(self.figures_once(lambda now: grown(now) == expected, limit)))

    def figures_once(self, holds, limit):
        """The figures for which holds() is true, or those when the limit has passed."""
        deadline = time.monotonic() + limit
        while not holds(now := self.figures()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return now

    def route_that_answered(self, status, limit=20):
        """The only route with this status, which may be counted after the client has the answer."""
        def routes(now):
            return [dict(labels)["route"] for (name, labels), number in now.items()
                    if name == "gallery_http_requests_total" and dict(labels)["status"] == status and number]
        found = routes(self.figures_once(routes, limit))
        self.assertEqual(1, len(found), found)
        return found[0]

    def test_promtool_finds_nothing_to_complain_of(self):
        promtool = shutil.which("promtool")
        self.assertIsNotNone(promtool, "promtool is not installed; etc/bootstrap.sh installs it (prometheus)")
        self.tenant.upload("promtool.png", png(3, 3))
        self.tenant.image("promtool.png")
        page = self.page()
        done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
        # It would notice.
        wrong = "# HELP a_total b\n# TYPE a_total gauge\na_total 1\n"
        done = subprocess.run([promtool, "check", "metrics"], input=wrong, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertNotEqual(0, done.returncode)

    def test_what_only_grows_is_a_counter(self):
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", self.page(), re.M))
        self.assertGreater(len(kinds), 40)
        for name, kind in kinds.items():
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
        self.assertIn("gallery_storage_body_cache_hits_total", kinds)

    def test_answers_are_counted_by_route_and_status(self):
        self.assertStatus(200, self.tenant.upload("status.png", png(7, 7)))
        etag = self.tenant.image("status.png").header("ETag")
        before = self.figures()
        for _ in range(3):
            self.assertStatus(200, self.tenant.image("status.png"))
        for _ in range(2):
            self.assertStatus(304, self.tenant.image("status.png", headers={"If-None-Match": etag}))
        self.assertStatus(206, self.tenant.image("status.png", headers={"Range": "bytes=0-3"}))
        self.assertStatus(416, self.tenant.image("status.png", headers={"Range": "bytes=999999-"}))
        self.assertStatus(401, Client(self.server).get("/api/images/tenant/status.png"))
        self.assertStatus(404, self.tenant.image("missing.png"))
        self.assertStatus(412, self.tenant.image("status.png", headers={"If-Match": '"other"'}))
        route = self.route_that_answered("416")
        self.expect_grown(before, {
            ("gallery_http_requests_total", (("route", route), ("status", status))): number
            for status, number in (("200", 3), ("304", 2), ("206", 1), ("416", 1), ("401", 1), ("404", 1), ("412", 1))})

    def test_every_operation_of_the_store_is_counted(self):
        operation = lambda what, name="gallery_storage_operation_duration_seconds_count": (  # noqa: E731
            name, (("operation", what),))
        before = self.figures()
        self.assertStatus(200, self.tenant.upload("counted.png", png(9, 9)))
        self.expect_grown(before, {operation("save"): 1})
        # The first answer finds the image, then its bytes are not in memory, and it begins again.
        before = self.figures()
        self.assertStatus(200, self.tenant.image("counted.png"))
        self.expect_grown(before, {operation("find"): 2, operation("read"): 1})
        before = self.figures()
        for _ in range(150):
            self.assertStatus(200, self.tenant.image("counted.png"))
        # One lookup and one body a request: the ETag cache is off.
        self.expect_grown(before, {operation("find"): 150, operation("read"): 150})
        now = self.figures()
        for what in ("find", "read", "save"):
            everything = ("gallery_storage_operation_duration_seconds_bucket", (("le", "+Inf"), ("operation", what)))
            self.assertEqual(now[operation(what)], now[everything])
            self.assertGreater(now[operation(what, "gallery_storage_operation_duration_seconds_sum")], 0)

    def test_logins_are_counted_by_their_outcome(self):
        outcome = lambda what: ("gallery_logins_total", (("outcome", what),))  # noqa: E731
        before = self.figures()
        for _ in range(2):
            self.assertStatus(401, Client(self.server).post("/api/auth/login", {"username": WRONG[0],
                                                                               "password": WRONG[1]}))
        self.assertStatus(401, Client(self.server).post("/api/auth/login", {"username": "nobody", "password": "x"}))
        Client(self.server, TENANT)
        self.expect_grown(before, {outcome("failed"): 3, outcome("succeeded"): 1, outcome("held_off"): 0})

    def test_the_process_and_the_build_are_described(self):
        pid = self.server.process.pid
        now = time.time()
        self.assertGreater(self.figure("process_resident_memory_bytes"), 4 << 20)
        self.assertGreater(self.figure("process_virtual_memory_bytes"), self.figure("process_resident_memory_bytes"))
        self.assertGreater(self.figure("process_cpu_seconds_total"), 0)
        started = self.figure("process_start_time_seconds")
        self.assertLess(now - 3600, started)
        self.assertLess(started, now + 2)
        self.assertAlmostEqual(len(os.listdir(f"/proc/{pid}/fd")), self.figure("process_open_fds"), delta=5)
        self.assertGreater(self.figure("process_max_fds"), self.figure("process_open_fds"))
        version = subprocess.run([BUILD / "bin/gallery-server", "--version"], capture_output=True, text=True,
                                 check=True).stdout.split()[-1]
        self.assertEqual(1, self.figure("gallery_build_info", version=version))


class Tenants(ServerTest):
    """The demonstration's tenant has the only place; system administrators are among the others."""
    asked = 0  # requests of that tenant

    @classmethod
    def setUpClass(cls):
        cls.metrics_port = free_port()
        cls.options = {"environment": {"METRICS_BIND_PORT": str(cls.metrics_port), "METRICS_TENANTS": "1",
                                       "IMAGE_WORKERS": "1"}}
        super().setUpClass()

    def figures(self, name, label="tenant"):
        return {dict(labels)[label]: number for (full, labels), number in scrape(self.metrics_port).items()
                if full == "gallery_" + name}

    def wait_for(self, holds, limit=20):
        deadline = time.monotonic() + limit
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def ask(self, send):
        answer = send()
        type(self).asked += 1
        return self.assertStatus(200, answer)

    def test_requests_bytes_and_contents_are_those_of_the_tenant(self):
        self.ask(lambda: self.tenant.upload("first.png", png(text="first")))
        # An answer is counted when its last byte has left, which may be after the client has it.
        self.wait_for(lambda: self.asked in self.figures("tenant_requests_total").values())
        names = set(self.figures("tenant_requests_total"))
        self.assertEqual(2, len(names))
        self.assertIn("other", names)
        own = (names - {"other"}).pop()
        before = self.figures("tenant_requests_total"), self.figures("tenant_sent_bytes_total")
        images, stored = self.figures("tenant_images"), self.figures("tenant_stored_bytes")
        data = png(text="x" * 3000)
        uploaded = self.ask(lambda: self.tenant.upload("second.png", data)).json()
        for _ in range(3):
            self.ask(lambda: self.tenant.get(uploaded["link"]))
        self.assertStatus(200, self.admin.get("/api/system/nodes"))
        self.wait_for(lambda: self.figures("tenant_requests_total")[own] == self.asked
                      and self.figures("tenant_requests_total")["other"] > before[0]["other"])
        self.assertGreater(self.figures("tenant_sent_bytes_total")[own], before[1][own] + 3 * len(data))
        self.assertEqual(images[own] + 1, self.figures("tenant_images")[own])
        self.assertEqual(images["other"], self.figures("tenant_images")["other"])
        self.assertGreaterEqual(self.figures("tenant_stored_bytes")[own], stored[own] + len(data))
        self.assertEqual(stored["other"], self.figures("tenant_stored_bytes")["other"])

    def test_each_worker_has_figures(self):
        before = self.figures("imaging_worker_pictures_total", "worker")
        self.assertEqual({"0"}, set(before))
        self.ask(lambda: self.tenant.upload("worker.png", png(text="worker")))
        self.assertEqual(before["0"] + 1, self.figures("imaging_worker_pictures_total", "worker")["0"])
        self.assertGreater(self.figures("imaging_worker_busy_seconds_total", "worker")["0"], 0)
        self.assertEqual({"0": 0}, self.figures("imaging_worker_failures_total", "worker"))
        self.assertEqual({"0": 0}, self.figures("imaging_worker_restarts_total", "worker"))


if __name__ == "__main__":
    unittest.main()
