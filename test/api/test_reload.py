# SPDX-License-Identifier: Apache-2.0
"""A reload of the configuration: what it changes on connections that are open, what it does not change, and that a
wrong file changes nothing."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from admin_tool import NOT_PERMITTED, REFUSED, environment, run
from harness import BUILD, ROOT, SYSADMIN, TENANT, Client, Server, free_port, png, scrape

LIMIT = 60


def wait_until(condition, what):
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen: {what}")
        time.sleep(0.02)


class ReloadTest(unittest.TestCase):
    """Tests with a server and a configuration file of their own. JSON is YAML, so a file is a dictionary."""
    environment = {}
    first = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gallery-reload-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "my.yml"
        self.write(self.first)
        self.metrics_port = free_port()
        self.server = Server(environment={"METRICS_BIND_PORT": str(self.metrics_port), **self.environment})
        self.server.arguments = ["--config", str(self.file)]
        self.addCleanup(self.server.stop)
        self.server.start()
        self.server.wait_for_report()
        self.admin = self.server.client(SYSADMIN)
        self.tenant = self.server.client(TENANT, keep=True)

    def write(self, values):
        self.file.write_text(values if isinstance(values, str) else json.dumps(values))

    def reload(self, values, status=200):
        """By a request; returns the report, or the error's message."""
        self.write(values)
        answer = self.admin.post("/api/system/reload")
        self.assertEqual(status, answer.status, answer)
        return answer.json() if status == 200 else answer.json()["message"]

    def hang_up(self, values=None, *words):
        """By the signal; returns what was logged of it, once that has these words."""
        if values is not None:
            self.write(values)
        before = len(self.server.log_path.read_text())
        self.server.process.send_signal(signal.SIGHUP)

        def told():
            log = self.server.log_path.read_text()[before:]
            done = "the configuration was reloaded" in log or "the configuration was not reloaded" in log
            return done and all(word in log for word in words)
        wait_until(told, f"the reload is logged with {words}")
        return self.server.log_path.read_text()[before:]

    def changed(self, report):
        return {one["setting"]: (one["from"], one["to"]) for one in report["changed"]}

    def metric(self, name, **labels):
        return scrape(self.metrics_port)[name, tuple(sorted(labels.items()))]

    @contextlib.contextmanager
    def same_connection(self, client=None):
        """What is done inside is done on one connection, which was open before."""
        client = client or self.tenant
        client.get("/health/live")
        before = client.connection.sock.getsockname()
        yield
        self.assertIsNotNone(client.connection)
        self.assertEqual(before, client.connection.sock.getsockname())


class Scrub(ReloadTest):
    first = {"storage": {"scrub_interval": "0"}}

    def state(self):
        return self.admin.get("/api/system/scrub").json()

    def test_interval_and_rate_change_at_once(self):
        self.assertEqual(0, self.state()["dueTime"])
        report = self.reload({"storage": {"scrub_interval": "1d", "scrub_rate": "5MiB"}})
        self.assertEqual({"storage.scrub_interval": ("0", "1d"), "storage.scrub_rate": ("4MiB", "5MiB")},
                         self.changed(report))
        wait_until(lambda: self.state()["dueTime"] > 0, "the next pass is due")
        self.assertEqual(5 << 20, self.state()["bytesPerSecond"])


class Limits(ReloadTest):
    def test_the_size_of_images_changes_on_an_open_connection(self):
        data = png(64, 64, text="x" * 5000)
        self.assertEqual(200, self.tenant.upload("before.png", data).status)
        with self.same_connection():
            report = self.reload({"image": {"max_resource_size": 4000}})
            self.assertEqual({"image.max_resource_size": ("0", "4000")}, self.changed(report))
            self.assertEqual([], report["needsRestart"])
            self.assertEqual(4000, self.tenant.get("/api/system/params").json()["maxResourceSize"])
            self.assertEqual(4000, self.tenant.get("/api/system/params").json()["maxUploadSize"])
        self.assertEqual(413, self.tenant.upload("refused.png", data).status)
        self.assertEqual(200, self.tenant.upload("small.png", png()).status)
        with self.same_connection():
            self.reload({"transport": {"http": {"max_payload_size": "/api/image*/**=6000;/api/**=70000"}}})
            self.assertEqual({"maxResourceSize": 0, "maxUploadSize": 6000},
                             {k: v for k, v in self.tenant.get("/api/system/params").json().items() if "Size" in k})
            self.assertEqual(200, self.tenant.upload("after.png", data).status)

    def test_limits_of_pictures_and_the_number_of_workers_change(self):
        def workers():
            count = 0
            for each in pathlib.Path(f"/proc/{self.server.process.pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):  # the thread has ended
                    count += len(each.read_text().split())
            return count
        self.hang_up({"image": {"workers": 1}})
        wait_until(lambda: workers() == 1, "one worker is left")
        with self.same_connection():
            self.assertEqual({"image.workers": ("1", "3"), "image.max_pixels": ("200000000", "100")},
                             self.changed(self.reload({"image": {"workers": 3, "max_pixels": 100}})))
            self.assertEqual(3, workers())
            self.assertEqual(400, self.tenant.upload("large.png", png(11, 10)).status)
            self.assertEqual(200, self.tenant.upload("fits.png", png(10, 10)).status)
            self.reload({"image": {"workers": 2}})
            self.assertEqual(200, self.tenant.upload("large.png", png(11, 10)).status)
        wait_until(lambda: workers() == 2, "two workers are left")

    def test_upload_memory_admits_who_waits(self):
        # Both uploads together exceed what one tenant may use.
        self.reload({"transport": {"http": {"upload_memory": "1MiB", "upload_wait": "10m"}}})
        size = 700_000
        head = (f"POST /api/image HTTP/1.1\r\nHost: a\r\nX-Authorization: Bearer {self.tenant.token}\r\n"
                f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {size}\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.server.port)) as first, \
                socket.create_connection(("127.0.0.1", self.server.port)) as second:
            first.sendall(head)
            wait_until(lambda: self.metric("gallery_upload_bytes") > 0, "the first one has memory")
            second.sendall(head)
            wait_until(lambda: self.metric("gallery_uploads_waiting") == 1, "the second one waits")
            self.reload({"transport": {"http": {"upload_memory": "8MiB"}}})
            self.assertEqual(0, self.metric("gallery_uploads_waiting"))
            self.assertGreater(self.metric("gallery_upload_bytes"), size)

    def test_an_idle_connection_ends_after_the_new_time(self):
        with self.same_connection():
            self.reload({"server": {"timeouts": {"keep_alive": "1s"}}})
            self.assertEqual(200, self.tenant.get("/api/auth/user").status)
        connection = self.tenant.connection.sock
        connection.settimeout(LIMIT)
        self.assertEqual(b"", connection.recv(1))


class Answers(ReloadTest):
    def test_rules_for_pages_of_other_origins_change_on_an_open_connection(self):
        asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        with self.same_connection():
            self.assertEqual("*", self.tenant.get("/api/auth/user", headers=asks).header("Access-Control-Allow-Origin"))
            self.reload({"server": {"cors": {"allowed_origin_patterns": "https://b.example", "max_age": 7}}})
            answer = self.tenant.get("/api/auth/user", headers=asks)
            self.assertEqual((200, None), (answer.status, answer.header("Access-Control-Allow-Origin")))
            self.assertEqual(403, self.tenant.request("OPTIONS", "/api/images", headers=asks).status)
            asks["Origin"] = "https://b.example"
            preflight = self.tenant.request("OPTIONS", "/api/images", headers=asks)
            self.assertEqual((204, "https://b.example", "7"),
                             (preflight.status, preflight.header("Access-Control-Allow-Origin"),
                              preflight.header("Access-Control-Max-Age")))

    def test_prepared_lines_of_images_change(self):
        self.assertEqual(200, self.tenant.upload("a.png", png()).status)
        with self.same_connection():
            self.assertEqual("private, no-cache", self.tenant.image("a.png").header("Cache-Control"))
            self.reload({"cache": {"image": {"tenant_images_browser_ttl_in_minutes": 3}}})
            answer = self.tenant.image("a.png")
            self.assertEqual("private, max-age=180", answer.header("Cache-Control"))
            self.assertIn("Origin", answer.header("Vary"))
            self.reload({"server": {"cors": {"allowed_origin_patterns": ""}}})
            answer = self.tenant.image("a.png")
            self.assertEqual(("private, no-cache", None), (answer.header("Cache-Control"), answer.header("Vary")))

    def test_proxies_and_the_path_in_front_change_on_an_open_connection(self):
        names = {"X-Forwarded-Host": "there.example", "X-Forwarded-Proto": "https"}
        user = {"email": "someone@example.com", "authority": "SYS_ADMIN", "firstName": "Some", "lastName": "One"}
        admin = self.server.client(SYSADMIN, keep=True)
        user_id = admin.post("/api/user?sendActivationMail=false", user).json()["id"]["id"]

        def link():
            return admin.get(f"/api/user/{user_id}/activationLink", headers=names).body.decode()
        with self.same_connection(admin):
            self.assertTrue(link().startswith("http://127.0.0.1"), link())
            self.reload({"server": {"trusted_proxies": "127.0.0.1", "hsts_max_age": "1h", "base_path": "/g"}})
            self.assertTrue(link().startswith("https://there.example/g/"), link())
            self.assertEqual("max-age=3600", admin.get("/api/auth/user", headers=names).header("Strict-Transport-Security"))
            self.reload({})
            self.assertTrue(link().startswith("http://127.0.0.1"), link())

    def test_the_log_level_changes(self):
        self.assertNotIn(" debug ", self.server.log())
        self.hang_up({"logging": {"level": "debug"}}, 'changed: logging.level: "info" -> "debug"')
        self.tenant.get("/api/system/params?x=1")
        self.server.wait_for_log("GET /api/system/params 200")
        # The last line that is logged says that it is one of the last.
        self.hang_up({"logging": {"level": "error"}}, '"debug" -> "error"')
        self.write({"logging": {"level": "warning", "format": "json"}})
        self.assertEqual(200, self.admin.post("/api/system/reload").status)
        self.hang_up({"logging": {"level": "info", "format": "json"}},
                     '"message":"changed: logging.level: \\"warning\\" -> \\"info\\""')


class Caches(ReloadTest):
    first = {"cache": {"image": {"etag": {"max_size": 1 << 20}}}}

    def test_the_etag_cache_changes_its_size(self):
        self.tenant.upload("a.png", png())
        etag = self.tenant.image("a.png").header("ETag")
        asks = {"If-None-Match": etag}
        with self.same_connection():
            self.assertEqual(304, self.tenant.image("a.png", headers=asks).status)
            hits = self.metric("gallery_etag_cache_hits_total")
            self.assertGreater(self.metric("gallery_etag_cache_entries"), 0)
            large = self.metric("gallery_etag_cache_bytes")
            self.reload({"cache": {"image": {"etag": {"max_size": 16384}}}})
            self.assertLess(self.metric("gallery_etag_cache_bytes"), large)
            self.assertEqual(304, self.tenant.image("a.png", headers=asks).status)
            self.assertEqual(304, self.tenant.image("a.png", headers=asks).status)
            self.assertGreater(self.metric("gallery_etag_cache_hits_total"), hits)
            self.reload({})
            self.assertEqual(0, self.metric("gallery_etag_cache_bytes"))
            self.assertEqual(304, self.tenant.image("a.png", headers=asks).status)
            # A change is seen at once, whatever the cache was.
            self.reload(self.first)
            self.assertEqual(304, self.tenant.image("a.png", headers=asks).status)
            self.assertEqual(200, self.tenant.replace("a.png", "a.png", png(colour=(1, 2, 3))).status)
            self.assertEqual(200, self.tenant.image("a.png", headers=asks).status)

    def test_caches_of_the_storage_engine_evict_at_once(self):
        plugin = self.server.plugin
        if plugin not in ("rocksdb", "filesystem"):
            self.skipTest(f"{plugin} has no cache of images")
        self.tenant.upload("a.png", png())
        self.assertEqual(200, self.tenant.image("a.png").status)
        self.assertGreater(self.metric("gallery_storage_body_cache_bytes"), 0)
        report = self.reload({"storage": {plugin: {"cache_bytes": 0}}})
        self.assertEqual([f"storage.{plugin}.cache_bytes"],
                         [one for one in self.changed(report) if one.startswith("storage.")])
        self.assertEqual(0, self.metric("gallery_storage_body_cache_bytes"))
        self.assertEqual(200, self.tenant.image("a.png").status)
        self.assertEqual(0, self.metric("gallery_storage_body_cache_bytes"))
        threads = "threads" if plugin == "filesystem" else "writers"
        report = self.reload({"storage": {plugin: {"cache_bytes": "1M", threads: 3}}})
        self.assertEqual([f"storage.{plugin}.{threads}"], [one["setting"] for one in report["needsRestart"]])
        self.assertEqual(200, self.tenant.image("a.png").status)
        self.assertGreater(self.metric("gallery_storage_body_cache_bytes"), 0)


class Reports(ReloadTest):
    def test_what_needs_a_restart_is_named_and_not_used(self):
        values = {"server": {"port": free_port(), "io_threads": 3}, "security": {
            "demo_password": "another-password", "jwt": {"token_expiration_time": 1}}}
        for _ in range(2):
            report = self.reload(values)
            self.assertEqual({}, self.changed(report))
            by_name = {one["setting"]: one for one in report["needsRestart"]}
            self.assertEqual(["security.demo_password", "security.jwt.token_expiration_time", "server.io_threads",
                              "server.port"], list(by_name))
            self.assertEqual(("********", "********"),
                             (by_name["security.demo_password"]["from"], by_name["security.demo_password"]["to"]))
            self.assertEqual(str(values["server"]["port"]), by_name["server.port"]["to"])
        self.hang_up(None, "not in use before a restart: server.port: "
                           f'"{self.server.port}" -> "{values["server"]["port"]}"')
        self.assertNotIn("another-password", self.server.log_path.read_text())
        self.assertEqual(4, self.metric("gallery_configuration_needs_restart"))
        self.assertEqual(200, Client(self.server, TENANT).get("/api/auth/user").status)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", values["server"]["port"])).close()
        self.assertEqual([], self.reload({})["needsRestart"])
        self.assertEqual(0, self.metric("gallery_configuration_needs_restart"))

    def test_options_of_the_storage_engine_are_used_as_documented(self):
        page = (ROOT / "etc/doc/operations.md").read_text()
        rows = {when: re.search(rf"^\| {when} \| (.+) \|$", page, re.M)[1] for when in ("at once", "after a restart")}
        prefix = f"STORAGE_{self.server.plugin.upper()}_"
        options = re.findall(rf'^    (\w+): "\$\{{({prefix}\w+):(.*)\}}"$', (ROOT / "etc/gallery.yml").read_text(), re.M)
        self.assertGreater(len(options), 3)
        for name, variable, value in options:
            other = {"true": "false", "false": "true", "auto": "never"}.get(value) or (
                "9M" if value.endswith("M") else int(value) + 1)
            with self.subTest(variable):
                report = self.reload({"storage": {self.server.plugin: {name: other}}})
                path = f"storage.{self.server.plugin}.{name}"
                self.assertEqual(f"`{variable}`" in rows["at once"], path in self.changed(report))
                self.assertEqual(f"`{variable}`" in rows["after a restart"],
                                 path in [one["setting"] for one in report["needsRestart"]])

    def test_paths_are_in_the_log_and_not_in_the_answer(self):
        report = self.reload({"data": {"system_images_folder": "/srv/secret/place"}})
        self.assertEqual([{"setting": "data.system_images_folder", "from": None, "to": None}], report["needsRestart"])
        self.server.wait_for_log("/srv/secret/place")

    def test_a_change_that_the_environment_overrides_is_said(self):
        server = self.server
        self.write('logging: {level: "${LOG_LEVEL:info}"}')
        server.terminate()
        server.extra["LOG_LEVEL"] = "info"
        server.start()
        server.wait_for_report(starts=2)
        self.admin = server.client(SYSADMIN)
        report = self.reload('logging: {level: "${LOG_LEVEL:debug}"}')
        self.assertEqual([{"setting": "logging.level", "variables": "LOG_LEVEL"}], report["overridden"])
        self.assertEqual({}, self.changed(report))
        server.wait_for_log("the change has no effect, because the value comes from the environment (LOG_LEVEL)")

    def test_gallery_admin_reloads_and_prints_it(self):
        def call(*arguments, who=SYSADMIN):
            return run("reload", *arguments, env=environment(GALLERY_URL=f"http://127.0.0.1:{self.server.port}",
                                                             GALLERY_USER=who[0], GALLERY_PASSWORD=who[1]))
        done = call()
        self.assertEqual((0, "", "The configuration was reloaded; nothing has changed.\n"),
                         (done.returncode, done.stdout, done.stderr))
        self.write({"logging": {"level": "warning"}, "server": {"io_threads": 3},
                    "data": {"system_images_folder": "/srv/images"}})
        done = call()
        self.assertEqual(0, done.returncode, done.stderr)
        lines = [line.split(None, 1) for line in done.stdout.splitlines()]
        self.assertEqual("SETTING", lines[0][0])
        rows = dict(lines[1:])
        self.assertRegex(rows["logging.level"], r'^now +"info" +"warning"$')
        self.assertRegex(rows["server.io_threads"], r'^after a restart +"0" +"3"$')
        self.assertRegex(rows["data.system_images_folder"], r"^after a restart +\(a path\) +\(a path\)$")
        told = json.loads(call("--json").stdout)
        self.assertEqual(([], 2), (told["changed"], len(told["needsRestart"])))
        self.write({"logging": {"level": "loud"}})
        done = call()
        self.assertEqual(REFUSED, done.returncode)
        self.assertIn("my.yml:1: logging.level: expected ", done.stderr)
        self.assertIn('found "loud"', done.stderr)
        self.assertEqual(NOT_PERMITTED, call(who=TENANT).returncode)
        self.assertEqual(401, Client(self.server).post("/api/system/reload").status)


class WrongFiles(ReloadTest):
    first = {"logging": {"level": "info"}, "image": {"max_resource_size": 5000}}

    def test_a_wrong_file_changes_nothing_and_the_fault_is_said(self):
        good = {"logging": {"level": "debug"}, "image": {"max_resource_size": 100}}
        plugin = self.server.plugin
        cases = [
            ("logging: [", ["my.yml:", "not YAML"]),
            ({**good, "loging": {"level": "info"}}, ["my.yml:1: loging.level: ", "did you mean logging.level?"]),
            ({**good, "server": {"port": 70000}}, ["server.port", "between 0 and 65535", '"70000"']),
            ({**good, "image": {"max_resource_size": "many"}}, ["image.max_resource_size", '"many"']),
            ({**good, "server": {"cors": {"allowed_origin_patterns": "a.example"}}}, ["allowed_origin_patterns", "'a.example'"]),
            ({**good, "server": {"cors": {"allow_credentials": True}}}, ["allow_credentials", "matches every host"]),
            ({**good, "server": {"base_path": "/api"}}, ["server.base_path", '"/api"']),
            ({**good, "security": {"sysadmin_password": "äöü"}}, ["security.sysadmin_password"]),
            ({**good, "storage": {"rokcsdb": {"cache_bytes": 1}}}, ["storage.rokcsdb.cache_bytes"]),
            ({**good, "storage": {plugin: {"cache_bytes": "many"}}}, [f"storage.{plugin}.cache_bytes", '"many"']),
            ({**good, "storage": {plugin: {"cach_bytes": 1}}}, [f"storage.{plugin}.cach_bytes"]),
        ]
        failed = 0
        for values, words in cases:
            with self.subTest(words[0]):
                message = self.reload(values, 400)
                failed += 1
                for word in words:
                    self.assertIn(word, message)
                self.assertNotIn(str(self.folder), message)
                self.assertNotIn("äöü", message)
                self.assertEqual(5000, self.tenant.get("/api/system/params").json()["maxResourceSize"])
                self.hang_up(None, "the former one is still in use", *words)
                failed += 1
                self.assertEqual(1, self.metric("gallery_configuration_reload_failed"))
                self.assertEqual(failed, self.metric("gallery_configuration_reloads_total", outcome="failed"))
        self.assertNotIn(" debug ", self.server.log_path.read_text())
        self.assertIn(str(self.file), self.server.log_path.read_text())
        report = self.reload(good)
        self.assertEqual({"logging.level": ("info", "debug"), "image.max_resource_size": ("5000", "100")},
                         self.changed(report))
        self.assertEqual(0, self.metric("gallery_configuration_reload_failed"))

    def test_a_file_that_is_gone_does_not_bring_the_defaults(self):
        self.file.unlink()
        answer = self.admin.post("/api/system/reload")
        self.assertEqual(400, answer.status)
        self.assertIn("cannot read the configuration file my.yml", answer.json()["message"])
        self.assertEqual(5000, self.tenant.get("/api/system/params").json()["maxResourceSize"])


class Tls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gallery-reload-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.certificates = {}
        for name in ("first", "second", "third"):
            self.make(name)
        self.file = self.folder / "my.yml"
        self.use("first")
        self.server = Server(environment={"SSL_ENABLED": "true"})
        self.server.arguments = ["--config", str(self.file)]
        self.addCleanup(self.server.stop)
        self.server.start(wait=False)
        self.server.wait_for_report()

    def make(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"],
                       cwd=self.folder, check=True, capture_output=True, timeout=60)
        self.certificates[(self.folder / f"{name}.pem").read_text().strip()] = name

    def use(self, certificate, key=None, **more):
        self.file.write_text(json.dumps({"server": {"ssl": {
            "cert_file": str(self.folder / f"{certificate}.pem"), "key_file": str(self.folder / f"{key or certificate}.key"),
            **more}}}))

    def open(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=LIMIT, context=context)
        connection.connect()
        self.addCleanup(connection.close)
        return connection

    def certificate(self, connection=None):
        """The name of the one that the server sent."""
        sent = ssl.DER_cert_to_PEM_cert((connection or self.open()).sock.getpeercert(True))
        return self.certificates[sent.strip()]

    def hang_up(self, expected):
        before = self.server.log_path.read_text().count(expected)
        self.server.process.send_signal(signal.SIGHUP)
        return self.server.wait_for_log(expected, before + 1)

    def test_a_new_certificate_is_for_new_connections_and_the_open_ones_stay(self):
        connection = self.open()

        def ask():
            connection.request("GET", "/health/live")
            answer = connection.getresponse()
            return answer.status, answer.read()
        self.assertEqual(200, ask()[0])
        self.use("second")
        self.hang_up("the configuration was reloaded: 3 settings changed")
        log = self.server.wait_for_log("server.ssl (certificate): ")
        self.assertRegex(log, r"\"SHA-256 [0-9a-f]{64}, valid until \S+\" -> \"SHA-256 ")
        self.assertEqual("second", self.certificate())
        self.assertEqual((200, "first"), (ask()[0], self.certificate(connection)))
        # The same names with other contents.
        for kind in ("pem", "key"):
            os.replace(self.folder / f"third.{kind}", self.folder / f"second.{kind}")
        self.hang_up("the configuration was reloaded: 1 setting changed")
        self.assertEqual("third", self.certificate())
        self.hang_up("the configuration was reloaded: nothing has changed")
        self.assertEqual(200, ask()[0])

    def test_half_of_a_certificate_leaves_the_former_one_and_all_other_settings(self):
        self.use("first", key="second")
        self.hang_up("mismatch")
        self.assertEqual("first", self.certificate())
        text = (self.folder / "second.pem").read_text()
        self.use("second", min_version="TLSv1.3")
        (self.folder / "second.pem").write_text(text[:len(text) // 2])
        self.hang_up("second.pem' cannot be used")
        self.assertEqual("first", self.certificate())
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", self.server.port)) as plain:
            old.wrap_socket(plain).close()
        (self.folder / "second.pem").write_text(text)
        self.hang_up("the configuration was reloaded: ")
        self.assertEqual("second", self.certificate())
        with socket.create_connection(("127.0.0.1", self.server.port)) as plain, self.assertRaises(ssl.SSLError):
            old.wrap_socket(plain)


class UnderLoad(ReloadTest):
    def test_a_hundred_reloads_lose_no_request(self):
        self.assertEqual(200, self.tenant.upload("a.png", png()).status)
        stop, failures, counts = threading.Event(), [], []

        def client(number):
            one = self.server.client(TENANT, keep=True)
            one.get("/health/live")
            port, count = one.connection.sock.getsockname(), 0
            try:
                while not stop.is_set():
                    count += 1
                    answers = [one.image("a.png"), one.get("/api/system/params"), one.list()]
                    if count % 5 == 0:
                        answers.append(one.upload(f"{number}-{count}.png", png(text=f"{number} {count}")))
                    if any(each.status != 200 for each in answers):
                        failures.append(answers)
                if one.connection is None or one.connection.sock.getsockname() != port:
                    failures.append("another connection")
            except (OSError, http.client.HTTPException) as broken:
                failures.append(repr(broken))
            counts.append(count)
        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for one in threads:
            one.start()
        try:
            for i in range(100):
                values = {"cache": {"image": {"etag": {"max_size": (i % 3) << 16},
                                              "tenant_images_browser_ttl_in_minutes": i % 2}},
                          "image": {"workers": 1 + i % 3, "max_resource_size": 10_000 + i},
                          "transport": {"http": {"upload_memory": f"{1 + i % 5}MiB"}},
                          "server": {"cors": {"max_age": i}, "timeouts": {"keep_alive": f"{60 + i}s"}},
                          "storage": {self.server.plugin: {"cache_bytes": f"{i % 4}M"}}}
                if i % 10 == 9:
                    self.reload({**values, "image": {"workers": -1}}, 400)
                else:
                    self.reload(values)
        finally:
            stop.set()
            for one in threads:
                one.join()
        self.assertEqual([], failures)
        self.assertGreater(min(counts), 0)
        self.assertEqual(90, self.metric("gallery_configuration_reloads_total", outcome="done"))
        self.assertEqual(10, self.metric("gallery_configuration_reloads_total", outcome="failed"))

    def test_simultaneous_reloads_end_with_what_is_in_the_file(self):
        self.write({"image": {"max_resource_size": 1234}})
        statuses = []
        clients = [self.server.client(SYSADMIN) for _ in range(6)]

        def ask(client):
            statuses.append(client.post("/api/system/reload").status)
        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for one in threads:
            one.start()
        for _ in range(20):
            self.server.process.send_signal(signal.SIGHUP)
        for one in threads:
            one.join()
        self.assertEqual([200] * 6, statuses)
        self.assertEqual(1234, self.tenant.get("/api/system/params").json()["maxResourceSize"])

    def test_a_stop_during_reloads_is_clean(self):
        stop = threading.Event()

        def storm():
            while not stop.is_set() and self.server.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    self.server.process.send_signal(signal.SIGHUP)
        one = threading.Thread(target=storm)
        one.start()
        try:
            for i in range(10):
                self.reload({"image": {"workers": 1 + i % 4}})
            self.assertEqual(0, self.server.terminate())
        finally:
            stop.set()
            one.join()


class Service(ReloadTest):
    """The commands by which the unit of systemd reloads, run as systemd runs them: one after the other, up to the first
    one that fails."""
    environment = {"ACCESS_LOG_FORMAT": "combined", "ACCESS_LOG_FILE": "access.log"}

    def run_commands(self):
        unit = (ROOT / "etc/systemd/gallery.service.in").read_text()
        commands = re.findall(r"^ExecReload=(.+)$", unit, re.M)
        self.assertTrue(commands)
        environment = {**self.server.environment(), "MAINPID": str(self.server.process.pid)}
        for command in commands:
            words = [word.replace("@CMAKE_INSTALL_PREFIX@", str(BUILD)).replace(
                "--check-config", f"--check-config --config {self.file}") for word in shlex.split(command)]
            code = subprocess.run(words, env=environment, stderr=subprocess.DEVNULL, check=False).returncode
            if code != 0:
                return code
        return 0

    def test_a_wrong_file_fails_the_reload_and_still_reopens_the_access_log(self):
        log = self.server.data / "access.log"
        failed = "gallery_configuration_reload_failed"
        self.write("loging: {level: info}")
        os.rename(log, f"{log}.1")
        self.assertNotEqual(0, self.run_commands())
        self.server.wait_for_log("the access log was reopened")
        wait_until(lambda: self.metric(failed) == 1, "the failed reload is in the metrics")
        self.assertTrue(log.exists())
        self.write({})
        self.assertEqual(0, self.run_commands())
        wait_until(lambda: self.metric(failed) == 0, "the reload is in the metrics")


if __name__ == "__main__":
    unittest.main()
