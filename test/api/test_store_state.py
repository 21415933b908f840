# SPDX-License-Identifier: Apache-2.0
"""What the server makes of a store that stops writing, that does not know whether it wrote, and that repeats its
secrets: the plugin `switchable` of test/contract/bad_plugins does each of them when its folder has a file for it."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, TENANT, Client, Server, free_port, png, scrape

SECRETS = ("hunter2-key", "db://gallery:hunter2@store")


class StoreState(unittest.TestCase):
    def setUp(self):
        # Where only this user can write, whatever the build's folder is.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-plugin-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.plugin = self.folder / "switchable.so"
        shutil.copy(BUILD / "lib/gallery/test-plugins/switchable.so", self.plugin)
        os.chmod(self.plugin, 0o644)
        self.switches = self.folder / "switches"
        self.switches.mkdir()
        self.metrics_port = free_port()
        self.config = self.folder / "gallery.yml"
        self.configure()

    def configure(self, **options):
        options = {"folder": self.switches, "access_key": SECRETS[0], "connection_uri": SECRETS[1], **options}
        lines = "".join(f'    {name}: "{value}"\n' for name, value in options.items())
        self.config.write_text(f"storage:\n  switchable:\n{lines}")

    def switch(self, name, on=True):
        if on:
            (self.switches / name).touch()
        else:
            (self.switches / name).unlink()

    def start(self):
        server = Server(plugin=str(self.plugin), environment={
            "METRICS_BIND_PORT": str(self.metrics_port), "LOG_LEVEL": "debug"})
        server.arguments = ["--config", str(self.config)]
        self.addCleanup(server.stop)
        return server.start()

    def metric(self, name):
        return scrape(self.metrics_port)[name, ()]

    def expect_no_secret(self, text):
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def expect_ready(self, server, writes):
        client = Client(server)
        self.assertEqual(200, client.get("/health/live").status)
        self.assertEqual(200, client.get("/health/ready").status)
        self.assertEqual(200, client.get("/health/ready?for=read").status)
        answer = client.get("/health/ready?for=write")
        if writes:
            self.assertEqual((200, {"status": "UP"}), (answer.status, answer.json()))
            self.assertIsNone(answer.header("X-Request-ID"))
        else:
            request = answer.header("X-Request-ID")
            self.assertTrue(request)
            self.assertEqual((503, {"status": "DOWN", "requestId": request}), (answer.status, answer.json()))
        self.assertEqual(400, client.get("/health/ready?for=wriet").status)
        self.assertEqual(1 if writes else 0, self.metric("gallery_storage_writable"))

    def expect_refused(self, answer, words):
        """503 without an invitation to try again, and without a path, an address or an engine's words."""
        self.assertEqual(503, answer.status, answer)
        body = answer.json()
        self.assertEqual(2, body["errorCode"])
        self.assertIn(words, body["message"])
        self.assertIsNone(answer.header("Retry-After"))
        for inside in (str(self.folder), "switchable", "db://", "disk of"):
            self.assertNotIn(inside, str(answer.headers) + answer.body.decode())

    def test_a_store_that_stops_writing_is_said_and_goes_on_being_read(self):
        server = self.start()
        tenant = server.client(TENANT)
        picture = png(4, 4)
        self.assertEqual(200, tenant.upload("a.png", picture).status)
        self.expect_ready(server, True)
        for again, (state, words) in enumerate((("read_only", "was opened read-only"),
                                                ("failed", "has stopped writing")), start=1):
            with self.subTest(state):
                self.switch(state)
                for write in (lambda: tenant.upload("b.png", png(5, 5)),
                              lambda: tenant.replace("a.png", "a.png", png(6, 6)),
                              lambda: tenant.put("/api/images/tenant/a.png/info", {"title": "other"}),
                              lambda: tenant.delete("/api/images/tenant/a.png"),
                              lambda: tenant.post("/api/customer", {"title": f"North {state}"})):
                    self.expect_refused(write(), "Nothing was changed")
                self.expect_ready(server, False)
                self.assertEqual(picture, tenant.image("a.png").body)
                self.assertEqual(200, Client(server, TENANT).list().status)
                server.wait_for_log(f"the store {words}: ")
                self.switch(state, False)
                self.expect_ready(server, True)
                # Said once each, however many writes were refused.
                log = server.wait_for_log("the store accepts writes again", again)
                self.assertEqual((1, again), (log.count(f"the store {words}: "), log.count("accepts writes again")), log)
        self.assertEqual(0, server.terminate())
        self.expect_no_secret(server.log_path.read_text())

    def test_a_document_of_which_a_part_was_stored_says_so(self):
        server = self.start()
        tenant = server.client(TENANT)
        pictures = [base64.b64encode(png(4, 4, text=text)).decode() for text in ("one", "two")]
        document = json.dumps([f"data:image/png;base64,{data}" for data in pictures]).encode()
        before = tenant.list().json()["totalElements"]
        self.switch("last")
        refused = tenant.request("POST", "/api/images/extract", document, {"Content-Type": "application/json"})
        self.expect_refused(refused, "1 new image was stored")
        message = refused.json()["message"]
        self.assertIn("The picture at '/1' ", message)
        self.assertNotIn("Nothing was changed", message)
        self.assertNotIn("read_only", message)
        self.assertEqual(before + 1, tenant.list().json()["totalElements"])
        self.switch("read_only", False)
        again = tenant.request("POST", "/api/images/extract", document, {"Content-Type": "application/json"})
        self.assertEqual([False, True], [image["created"] for image in again.json()["images"]])

    def test_a_write_whose_outcome_is_unknown_is_reported_as_that(self):
        server = self.start()
        tenant = server.client(TENANT)
        listed = lambda: [(i["resourceKey"], i["title"]) for i in tenant.list(pageSize=100).json()["data"]]  # noqa: E731
        samples = listed()
        self.switch("unknown")
        writes = {
            "upload": lambda: tenant.upload("a.png", png(4, 4)),
            "title": lambda: tenant.put("/api/images/tenant/a.png/info", {"title": "other"}),
            "replacement": lambda: tenant.replace("a.png", "a.png", png(6, 6)),
            "import": lambda: tenant.put("/api/image/import", {
                "title": "i", "fileName": "i.svg", "type": "IMAGE", "mediaType": "image/svg+xml",
                "data": "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI0IiBoZWlnaHQ9IjQiLz4="}),
            "erasure": lambda: tenant.delete("/api/images/tenant/i.svg"),
            "customer": lambda: tenant.post("/api/customer", {"title": "North"}),
        }
        for what, write in writes.items():
            with self.subTest(what):
                self.expect_refused(write(), "may or may not have happened")
        # Scripts must not take it for "try again later" (75).
        told = subprocess.run([str(BUILD / "bin/gallery-admin"), "customer", "create", "South"], env={
            "PATH": os.environ["PATH"], "GALLERY_URL": f"http://127.0.0.1:{server.port}", "GALLERY_USER": TENANT[0],
            "GALLERY_PASSWORD": TENANT[1]}, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(70, told.returncode, told.stderr)
        self.assertIn("may or may not have happened", told.stderr)
        # This store has done all of it, once.
        self.switch("unknown", False)
        self.assertEqual([("a.png", "other")], [image for image in listed() if image not in samples])
        customers = tenant.get("/api/customers?pageSize=10&page=0&textSearch=North").json()
        self.assertEqual(1, customers["totalElements"])
        self.assertEqual(0, server.terminate())
        self.expect_no_secret(server.log_path.read_text())

    def test_a_start_on_a_store_that_accepts_no_writes_is_refused_only_where_it_has_no_accounts(self):
        self.switch("read_only")
        server = Server(plugin=str(self.plugin))
        server.arguments = ["--config", str(self.config)]
        self.addCleanup(server.stop)
        with self.assertRaisesRegex(AssertionError, "the server ended with 69"):
            server.start()
        self.assertIn("the store is served, but it does not accept writes: The disk of ******** has no inodes left.",
                      server.log())
        self.expect_no_secret(server.log_path.read_text())

    def check_config(self, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GALLERY_", "STORAGE_", "HTTP_"))}
        env.update({"STORAGE_PLUGIN": str(self.plugin), "GALLERY_DATA": str(self.folder / "data"), **environment})
        return subprocess.run([str(BUILD / "bin/gallery-server"), "--config", str(self.config), "--check-config"],
                              env=env, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)

    def test_the_schema_decides_what_is_shown(self):
        done = self.check_config()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f'storage.switchable.folder: "{self.switches}"', done.stdout)
        for option in ("access_key", "connection_uri"):
            self.assertIn(f'storage.switchable.{option}: "********"', done.stdout)
        # Of a plugin that is not the selected one nobody has read the schema.
        other = self.check_config(STORAGE_ROCKSDB_WRITERS="7")
        self.assertIn('storage.rocksdb.writers: "********"', other.stdout)
        self.assertIn('storage.rocksdb.readers: "8"', other.stdout)
        self.expect_no_secret(done.stdout + done.stderr)

    def test_no_secret_is_in_what_a_start_that_fails_says(self):
        uri = "db://gallery:hunter2@refused"
        self.configure(connection_uri=uri)
        for arguments in ([], ["--check-config"]):
            env = {**os.environ, "STORAGE_PLUGIN": str(self.plugin), "GALLERY_DATA": str(self.folder / "data"),
                   "HTTP_BIND_PORT": "0", "LOG_LEVEL": "debug"}
            done = subprocess.run([str(BUILD / "bin/gallery-server"), "--config", str(self.config), *arguments], env=env,
                                  cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
            text = done.stdout + done.stderr
            self.assertIn("nobody answers at ********", text)
            self.assertNotIn("hunter2", text)
        done = subprocess.run([str(BUILD / "bin/gallery-admin"), "verify", "--config", str(self.config)], env=env,
                              cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("nobody answers at ********", done.stdout + done.stderr)
        self.assertNotIn("hunter2", done.stdout + done.stderr)

    def test_the_plugin_gets_values_in_the_form_of_their_type(self):
        self.configure(patience="2m")
        server = self.start()
        server.wait_for_log("opened with the key ******** at ********, waiting for 120000 ms")

    def test_bad_options_of_the_engine_are_said_with_all_other_mistakes(self):
        self.configure(patience="soon", colour="red")
        self.config.write_text(self.config.read_text() + "server:\n  port: x\nlogging:\n  level: loud\nnonsense: 1\n")
        done = self.check_config(HTTP_HEADER_TIMEOUT="never", GALLERY_DEMO_PASSWORD="x" * 80)
        self.assertEqual(78, done.returncode)
        for words in ("server.port: expected", "logging.level: expected", "nonsense: expected a key",
                      "variable HTTP_HEADER_TIMEOUT)", "variable GALLERY_DEMO_PASSWORD)",
                      "storage.switchable.patience: expected a duration", 'found "soon"',
                      "storage.switchable.colour: the plugin switchable has no such option"):
            self.assertIn(words, done.stderr)
        self.expect_no_secret(done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
