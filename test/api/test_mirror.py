# SPDX-License-Identifier: Apache-2.0
"""The mirror of a running server: gallery-admin mirror, backup and restore."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from admin_tool import BINARY, NOT_FOUND, NOT_PERMITTED, REFUSED, environment, run
from harness import SYSADMIN, TENANT, Server, free_port, png, scrape
from test_copy import gallery_of, path_of, upload


class MirrorTest(unittest.TestCase):
    options = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-mirror-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.backups = self.folder / "backup"
        self.backups.mkdir(mode=0o700)
        self.port = free_port()
        self.server = Server(plugin="rocksdb", environment={
            "MIRROR_ALLOWED_PATHS": str(self.backups), "METRICS_BIND_PORT": str(self.port), **self.options})
        self.addCleanup(self.server.stop)
        self.server.start()
        self.tenant = self.server.client(TENANT)
        self.admin = self.server.client(SYSADMIN)
        self.chooser = random.Random(3)

    def fill(self, count, name="picture"):
        for i in range(count):
            upload(self.tenant, f"{name} {i}.png", png(1 + self.chooser.randrange(90), 9, text=f"{name} {i}"))

    def env(self):
        return environment(GALLERY_URL=f"http://127.0.0.1:{self.server.port}", GALLERY_USER=SYSADMIN[0],
                           GALLERY_PASSWORD=SYSADMIN[1])

    def call(self, *arguments, code=0, words=()):
        done = run(*arguments, env=self.env())
        self.assertEqual(code, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)
        return done

    def json(self, *arguments, code=0):
        done = self.call(*arguments, "--json", code=code)
        return json.loads(done.stdout or done.stderr)

    def state(self):
        answer = self.admin.get("/api/system/mirror")
        self.assertEqual(200, answer.status, answer)
        return answer.json()

    def wait_for(self, is_wanted, limit=120):
        deadline = time.monotonic() + limit
        while not is_wanted(now := self.state()):
            self.assertLess(time.monotonic(), deadline, now)
            time.sleep(0.02)
        return now

    def wait_until_current(self):
        """It has caught up with what was written before the call."""
        before = self.state().get("changesApplied", 0)
        upload(self.tenant, f"beacon {self.chooser.random()}.png", png(3, 3, text=str(self.chooser.random())))
        return self.wait_for(lambda now: now["state"] == "following" and now["lagRevisions"] == 0
                             and now["changesApplied"] > before)

    def serve(self, folder, plugin, check):
        """Starts a server on a copy of the store and calls @p check with a client."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (place / "data").mkdir(mode=0o700)
        shutil.copytree(folder, place / "data/storage")
        os.chmod(place / "data/storage", 0o700)
        other = Server(plugin=plugin, data=place)
        other.start()
        try:
            check(other.client(TENANT))
        finally:
            other.stop()


class Mirrors(MirrorTest):
    def test_it_copies_follows_verifies_and_stops_at_a_revision(self):
        self.assertEqual("none", self.state()["state"])
        self.fill(30)
        started = self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.assertEqual({"engine": "filesystem", "path": str(self.backups / "one")}, started["mirror"])
        self.assertEqual("rocksdb", started["active"]["engine"])
        self.wait_until_current()
        self.fill(5, "later")
        links = [path_of(one) for one in self.tenant.list().json()["data"]]
        self.assertEqual(200, self.tenant.delete(links[0]).status)
        self.assertEqual(200, self.tenant.put(links[1] + "/info", dict(self.tenant.get(links[1] + "/info").json(),
                                                                     title="changed")).status)
        self.wait_until_current()
        self.assertTrue(self.json("mirror", "verify")["verified"]["same"])
        figures = scrape(self.port)
        self.assertEqual(1, figures["gallery_mirror_state", (("state", "following"),)])
        self.assertIn(("gallery_mirror_lag_revisions", ()), figures)
        stopped = self.json("mirror", "stop", "--yes")
        self.assertEqual(("stopped", True), (stopped["state"], stopped["complete"]))
        self.assertGreater(stopped["revision"], 35)
        seen = gallery_of(self.tenant)
        self.serve(self.backups / "one", "filesystem", lambda client: self.assertEqual(seen, gallery_of(client)))
        self.call("mirror", "forget", "--yes")
        self.assertEqual("none", self.state()["state"])
        self.call("mirror", "stop", "--yes", code=NOT_FOUND)

    def test_it_goes_on_after_a_restart_and_after_a_kill(self):
        self.fill(40)
        self.json("mirror", "start", "rocksdb", "--path", str(self.backups / "one"))
        state = self.server.data / "data/mirror.json"
        self.assertEqual(0o600, state.stat().st_mode & 0o777)
        self.server.kill()
        self.server.start()
        self.wait_until_current()
        self.fill(5, "after the kill")
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.server.wait_for_log("mirror", times=1)
        self.wait_until_current()
        self.assertTrue(self.json("mirror", "verify")["verified"]["same"])
        stopped = self.json("mirror", "stop", "--yes")
        self.assertTrue(stopped["complete"])
        seen = gallery_of(self.tenant)
        self.serve(self.backups / "one", "rocksdb", lambda client: self.assertEqual(seen, gallery_of(client)))

    def test_only_system_administrators_that_signed_in_may(self):
        me = self.admin.get("/api/auth/user").json()
        key = self.admin.post("/api/apiKey", {"description": "of a script", "userId": me["id"]}).json()["value"]
        requests = (("GET", ""), ("POST", "/start"), ("POST", "/verify"), ("POST", "/stop"), ("DELETE", ""))
        for method, rest in requests:
            with self.subTest(method + rest):
                target = "/api/system/mirror" + rest
                body = json.dumps({"engine": "filesystem", "path": str(self.backups / "x")}) if method == "POST" else None
                fields = {"Content-Type": "application/json"} if body else {}
                self.assertEqual(403, self.tenant.request(method, target, body, fields).status)
                self.assertEqual(403, self.tenant.request(
                    method, target, body, {**fields, "X-Authorization": f"ApiKey {key}"}).status)
                self.assertEqual(401, self.tenant.request(method, target, body, fields, authenticate=False).status)
        self.assertFalse((self.backups / "x").exists())

    def test_targets_that_are_not_allowed_or_hold_other_data_are_refused(self):
        outside = self.folder / "outside"
        for path in (outside, self.server.data / "data/storage", self.server.data / "data/storage/sub", "/"):
            self.call("mirror", "start", "filesystem", "--path", str(path), code=NOT_PERMITTED)
        self.assertFalse(outside.exists())
        self.call("mirror", "start", "/tmp/evil.so", "--path", str(self.backups / "a"), code=REFUSED)
        self.call("mirror", "start", "no-such-engine", "--path", str(self.backups / "a"), code=NOT_FOUND)
        foreign = self.backups / "foreign"
        foreign.mkdir(mode=0o700)
        (foreign / "letter.txt").write_text("private")
        self.call("mirror", "start", "rocksdb", "--path", str(foreign), code=REFUSED, words=["other files"])
        self.assertEqual(["letter.txt"], os.listdir(foreign))
        self.assertEqual("none", self.state()["state"])
        self.assertFalse((self.server.data / "data/mirror.json").exists())

    def test_options_of_the_engine_are_used_and_never_shown(self):
        self.call("mirror", "start", "filesystem", "--path", str(self.backups / "a"), "--option", "threads=3",
                  "--option", "colour=blue", code=REFUSED, words=["colour"])
        shown = self.call("mirror", "start", "filesystem", "--path", str(self.backups / "a"), "--option", "threads=3",
                          "--json").stdout
        self.assertNotIn("threads", shown)
        self.assertIn('"threads":"3"', (self.server.data / "data/mirror.json").read_text())
        self.wait_until_current()


class Backups(MirrorTest):
    def test_a_backup_is_repeated_into_the_same_folder_and_restored_to_another_engine(self):
        self.fill(30)
        target = self.backups / "nightly"
        first = self.json("backup", str(target), "--verify")
        self.assertTrue(first["complete"])
        self.assertGreaterEqual(first["imagesCopied"], 30)
        self.assertEqual("none", self.state()["state"])
        self.fill(2, "new")
        second = self.json("backup", str(target))
        self.assertEqual(2, second["imagesCopied"], second)
        seen = gallery_of(self.tenant)
        accounts = self.admin.get("/api/tenants?pageSize=100&page=0").json()
        self.call("backup", str(target), words=["complete as of revision"])

        for plugin in ("filesystem", "rocksdb"):
            with self.subTest(plugin):
                place = self.folder / f"restored-{plugin}"
                place.mkdir()
                other = Server(plugin=plugin, data=place)
                done = run("restore", str(target), "--verify", "--json", env=other.environment())
                self.assertEqual(0, done.returncode, done)
                self.assertTrue(json.loads(done.stdout)["verified"]["same"])
                other.start()
                try:
                    self.assertEqual(seen, gallery_of(other.client(TENANT)))
                    admin = other.client(SYSADMIN)
                    self.assertEqual(accounts, admin.get("/api/tenants?pageSize=100&page=0").json())
                    # The key that signs tokens is part of it: sessions go on.
                    other_tenant = other.client(TENANT)
                    other_tenant.token = self.tenant.token
                    self.assertEqual(200, other_tenant.get("/api/auth/user").status)
                finally:
                    other.stop()
                done = run("restore", str(target), env=other.environment())
                self.assertEqual(REFUSED, done.returncode, done)
                self.assertIn("other data", done.stderr)

    def test_a_backup_during_writes_is_one_state_of_the_store(self):
        self.fill(60)
        ending = threading.Event()
        failed = []

        def write(number):
            client = self.server.client(TENANT)
            mine = random.Random(number)
            count = 0
            while not ending.is_set():
                count += 1
                name = f"writer {number} {mine.randrange(8)}.png"
                data = png(1 + mine.randrange(50), 5, text=f"{number} {count}")
                known = client.info(name).status == 200
                answer = client.replace(name, name, data) if known else client.upload(name, data)
                if answer.status != 200:
                    failed.append(answer)
                if mine.random() < 0.2:
                    client.delete(f"/api/images/tenant/{name.replace(' ', '%20')}")

        writers = [threading.Thread(target=write, args=(i,)) for i in range(4)]
        for each in writers:
            each.start()
        try:
            report = self.json("backup", str(self.backups / "busy"), "--verify")
        finally:
            ending.set()
            for each in writers:
                each.join()
        self.assertEqual([], failed)
        self.assertTrue(report["complete"])
        hold = scrape(self.port)["gallery_writes_longest_hold_seconds", ()]
        self.assertLess(hold, 1)
        # Every image of it can be read, and it can be brought to the present state by the next backup.
        copy = self.folder / "copy"
        done = run("copy", "--from", f"filesystem:{self.backups}/busy", "--to", f"rocksdb:{copy}", "--verify")
        self.assertEqual(0, done.returncode, done)
        self.json("backup", str(self.backups / "busy"), "--verify")
        seen = gallery_of(self.tenant)
        self.serve(self.backups / "busy", "filesystem", lambda client: self.assertEqual(seen, gallery_of(client)))

    def test_an_interrupted_backup_is_continued_by_the_next_one(self):
        self.fill(60)
        target = self.backups / "nightly"
        process = subprocess.Popen([str(BINARY), "backup", str(target)], env=self.env(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(lambda now: now["state"] != "none")
        process.kill()
        process.wait()
        self.server.kill()
        self.server.start()
        self.json("backup", str(target))
        self.assertEqual("none", self.state()["state"])
        seen = gallery_of(self.tenant)
        self.serve(target, "filesystem", lambda client: self.assertEqual(seen, gallery_of(client)))


if __name__ == "__main__":
    unittest.main()
