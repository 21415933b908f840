# SPDX-License-Identifier: Apache-2.0
"""The switch of a running server to its mirror, and back: requests, restarts, refusals, and the way out."""
import json
import os
import random
import shutil
import subprocess
import threading
import time
import unittest

from admin_tool import CONFIGURATION, NOT_FOUND, REFUSED, USAGE, run
from harness import BUILD, SYSADMIN, TENANT, Server, png, sha256
from mirror_tool import MIRROR, MirrorTest
from test_copy import gallery_of


class SwitchTest(MirrorTest):
    def target(self, name="one"):
        return str(self.backups / name)

    def begin(self, engine="filesystem", name="one"):
        self.json("mirror", "start", engine, "--path", self.target(name))
        self.wait_until_current()

    def switch(self):
        self.wait_for(lambda now: now.get("canSwitch"))
        return self.json("mirror", "switch", "--yes")

    def active_file(self):
        return self.server.data / "data/active-store.json"

    def check_config(self):
        return subprocess.run([str(BUILD / "bin/gallery-server"), "--check-config"], env=self.server.environment(),
                              capture_output=True, text=True, timeout=120, check=False)


class Switches(SwitchTest):
    def test_it_serves_from_the_mirror_and_goes_back(self):
        self.fill(20)
        self.call("mirror", "switch", "--yes", code=NOT_FOUND)
        self.begin()
        seen = gallery_of(self.tenant)
        switched = self.switch()
        old = {"engine": "rocksdb", "path": str(self.server.data / "data/storage")}
        new = {"engine": "filesystem", "path": self.target()}
        self.assertEqual(("following", new, old), (switched["state"], switched["active"], switched["mirror"]))
        self.assertEqual(old, switched["lastSwitch"]["from"])
        self.assertLess(switched["lastSwitch"]["heldMilliseconds"], 1000)
        self.assertEqual(0o600, self.active_file().stat().st_mode & 0o777)
        self.assertEqual(seen, gallery_of(self.tenant))
        figures = self.metrics()
        self.assertEqual(1, figures["gallery_mirror_switches_total", ()])
        self.assertLess(figures["gallery_mirror_last_switch_hold_seconds", ()], 1)
        self.assertLess(figures["gallery_writes_longest_hold_seconds", ()], 1)
        self.fill(5, "after the switch")
        self.wait_until_current()
        # The served store has the caches of its configuration, whatever it had as a mirror.
        for _ in range(2):
            gallery_of(self.tenant)
        self.assertGreater(self.metrics()["gallery_storage_body_cache_bytes", ()], 0)
        seen = gallery_of(self.tenant)

        # Also after a restart, whatever the configuration names.
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        log = self.server.wait_for_report(2)
        self.assertIn("chosen by the switch of", log)
        self.assertEqual(new, self.state()["active"])
        self.assertEqual(seen, gallery_of(self.tenant))
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))

        back = self.switch()
        self.assertEqual((old, new), (back["active"], back["mirror"]))
        self.assertEqual(seen, gallery_of(self.tenant))
        self.fill(3, "back again")
        self.server.kill()
        self.server.start()
        self.assertEqual(old, self.state()["active"])
        self.wait_until_current()
        self.assertIn("completed", self.json("mirror", "stop", "--yes"))

    def test_accounts_and_tokens_are_the_same_after_a_switch(self):
        self.begin()
        token = self.tenant.token
        self.switch()
        self.assertEqual(200, self.tenant.get("/api/auth/user").status)
        self.assertEqual(token, self.tenant.token)
        # Written with revisions of the new store, by a server that has read those of the old one.
        me = self.tenant.get("/api/auth/user").json()
        key = self.tenant.post("/api/apiKey", {"description": "after", "userId": me["id"]})
        self.assertEqual(200, key.status, key)
        self.assertEqual(200, self.admin.post("/api/tenant", {"title": "after the switch"}).status)
        self.switch()
        titles = [one["title"] for one in self.admin.get("/api/tenants?pageSize=100&page=0").json()["data"]]
        self.assertIn("after the switch", titles)
        fields = {"X-Authorization": f"ApiKey {key.json()['value']}"}
        self.assertEqual(200, self.tenant.request("GET", "/api/auth/user", None, fields, authenticate=False).status)

    def test_commands_without_a_server_use_the_store_of_the_switch(self):
        self.fill(5)
        self.begin()
        self.switch()
        images = self.tenant.list(pageSize=1, includeSystemImages="true").json()["totalElements"]
        self.assertEqual(0, self.server.terminate())
        env = self.server.environment()
        done = run("verify", "--json", env=env)
        self.assertEqual(0, done.returncode, done)
        report = json.loads(done.stdout)
        self.assertIn(self.target(), report["store"])
        self.assertGreaterEqual(report["images"], images)
        done = run("reset-sysadmin", "--json", env=env)
        self.assertEqual(0, done.returncode, done)
        checked = self.check_config()
        self.assertEqual(0, checked.returncode, checked)
        self.assertIn("filesystem.so", checked.stdout)
        self.assertIn("chosen by the switch of", checked.stdout)
        self.server.start()
        password = json.loads(done.stdout)["password"]
        self.assertEqual(200, self.server.client((SYSADMIN[0], password)).get("/api/auth/user").status)

    def test_no_server_starts_on_the_old_store(self):
        self.fill(3)
        self.begin()
        self.switch()
        self.wait_until_current()
        self.assertEqual(0, self.server.terminate())
        place = self.folder / "other"
        (place / "data").mkdir(mode=0o700, parents=True)
        shutil.copytree(self.server.data / "data/storage", place / "data/storage")
        os.chmod(place / "data/storage", 0o700)
        other = Server(plugin="rocksdb", data=place)
        other.start(wait=False)
        self.assertNotEqual(0, other.process.wait(120))
        self.assertIn("not the current one", other.log())
        self.assertIn(f"filesystem:{self.target()}", other.log())

    def test_a_store_that_is_not_there_is_not_created_and_the_old_one_can_be_used_again(self):
        self.fill(3)
        self.begin()
        self.switch()
        self.fill(2, "followed")
        self.wait_until_current()
        seen = gallery_of(self.tenant)
        self.server.kill()
        os.rename(self.target(), self.target("away"))
        self.server.start(wait=False)
        self.assertNotEqual(0, self.server.process.wait(120))
        self.assertIn("Mount its disk", self.server.log())
        self.assertFalse((self.backups / "one").exists())
        # Another store in its place is refused, too.
        shutil.copytree(self.server.data / "data/storage", self.folder / "copy")
        done = run("copy", "--from", f"rocksdb:{self.folder}/copy", "--to", f"filesystem:{self.target()}", "--json")
        self.server.start(wait=False)
        self.assertNotEqual(0, self.server.process.wait(120), done)
        self.assertIn("another one than the store", self.server.log())

        env = self.server.environment()
        done = run("reinstate", env=env)
        self.assertEqual(USAGE, done.returncode, done)
        self.assertTrue(self.active_file().exists())
        done = run("reinstate", "--yes", env=env)
        self.assertEqual(0, done.returncode, done)
        self.assertFalse(self.active_file().exists())
        self.server.start()
        self.assertEqual("rocksdb", self.state()["active"]["engine"])
        self.assertEqual("none", self.state()["state"])
        self.assertEqual(seen, gallery_of(self.tenant))
        done = run("reinstate", "--yes", env=env)
        self.assertNotEqual(0, done.returncode, done)  # the server holds the store
        self.assertEqual(0, self.server.terminate())
        done = run("reinstate", "--yes", env=env)
        self.assertEqual(REFUSED, done.returncode, done)

    def test_the_old_store_is_used_again_only_while_no_server_runs_on_the_new_one(self):
        self.fill(3)
        self.begin()
        self.switch()
        self.wait_until_current()
        self.json("mirror", "stop", "--abandon", "--yes")
        env = self.server.environment()
        done = run("reinstate", "--yes", env=env)
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn("stop the server first", done.stderr)
        self.assertTrue(self.active_file().exists())
        self.assertEqual(0, self.server.terminate())
        done = run("reinstate", "--yes", env=env)
        self.assertEqual(0, done.returncode, done)
        # The other one is not the store of the server any more.
        self.server.plugin = "filesystem"
        self.server.extra["STORAGE_PATH"] = self.target()
        self.server.start(wait=False)
        self.assertNotEqual(0, self.server.process.wait(120))
        self.assertIn("not the current one", self.server.log())

    def test_a_copy_is_not_taken_for_a_store_of_the_server(self):
        self.fill(3)
        for name in ("complete", "incomplete"):
            self.begin(name=name)
            self.json("mirror", "stop", "--yes", *([] if name == "complete" else ["--abandon"]))
            self.json("mirror", "forget", "--yes")
        self.begin()
        self.switch()
        self.assertEqual(0, self.server.terminate())
        self.server.plugin = "filesystem"
        self.server.extra["STORAGE_PATH"] = self.target("incomplete")
        done = run("reinstate", "--yes", env=self.server.environment())
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn("was never the store of the server", done.stderr)
        self.server.extra["STORAGE_PATH"] = self.target("complete")
        done = run("reinstate", env=self.server.environment())
        self.assertEqual(USAGE, done.returncode, done)
        self.assertRegex(done.stderr, "only up to 20[0-9-]+ [0-9:]+Z.*everything later is lost")
        self.assertTrue(self.active_file().exists())

    def test_a_restore_after_a_switch_leaves_the_old_store_alone(self):
        self.fill(3)
        saved = self.target("saved")
        self.call("backup", saved)
        expected = gallery_of(self.tenant)
        self.begin()
        self.switch()
        self.fill(2, "later")
        self.wait_until_current()
        self.assertEqual(0, self.server.terminate())
        self.assertTrue((self.server.data / "data/mirror.json").exists())
        shutil.rmtree(self.target())
        done = run("restore", saved, env=self.server.environment())
        self.assertEqual(0, done.returncode, done)
        self.server.start()
        state = self.state()
        self.assertEqual((self.target(), "none"), (state["active"]["path"], state["state"]))
        self.assertEqual(expected, gallery_of(self.tenant))

    def test_a_file_that_cannot_be_read_stops_the_start(self):
        self.begin()
        self.switch()
        self.assertEqual(0, self.server.terminate())
        text = self.active_file().read_text()
        self.active_file().write_text("{}")
        self.server.start(wait=False)
        self.assertNotEqual(0, self.server.process.wait(120))
        self.assertIn("active-store.json cannot be read", self.server.log())
        self.assertNotEqual(0, self.check_config().returncode)
        self.assertEqual(CONFIGURATION, run("verify", env=self.server.environment()).returncode)
        self.active_file().write_text(text)
        self.server.start()

    def test_the_options_of_the_mirror_are_those_of_the_store_after_a_switch(self):
        self.json("mirror", "start", "filesystem", "--path", self.target(), "--option", "threads=3")
        self.wait_until_current()
        self.switch()
        self.assertIn('"threads":"3"', self.active_file().read_text())
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        # A configuration that names the same store has its own options.
        self.assertEqual(0, self.server.terminate())
        self.server.plugin = "filesystem"
        self.server.extra["STORAGE_PATH"] = self.target()
        self.server.start()
        log = self.server.wait_for_report(3)
        self.assertNotIn("chosen by the switch", log.rsplit(" is ready\n", 1)[1])

    def test_the_data_folder_can_be_moved(self):
        self.server.terminate()
        self.server.extra["MIRROR_ALLOWED_PATHS"] = ""
        self.server.start()
        self.fill(4)
        self.json("mirror", "start", "filesystem", "--path", "second")
        self.wait_until_current()
        self.switch()
        seen = gallery_of(self.tenant)
        self.assertEqual(0, self.server.terminate())
        moved = self.folder / "moved"
        moved.mkdir(mode=0o700)
        shutil.move(self.server.data / "data", moved / "data")
        other = Server(plugin="rocksdb", data=moved)
        other.start()
        self.addCleanup(other.stop)
        self.assertEqual(seen, gallery_of(other.client(TENANT)))
        active = other.client(SYSADMIN).get(MIRROR).json()["active"]
        self.assertEqual({"engine": "filesystem", "path": str(moved / "data/second")}, active)


class Client(threading.Thread):
    """Uploads, replaces, reads, revalidates and deletes images of its own until it is ended. Remembers every answer
    that is not as it must be."""

    def __init__(self, server, number):
        super().__init__()
        self.client = server.client(TENANT)
        self.number = number
        self.random = random.Random(number)
        self.ending = threading.Event()
        self.images = {}
        self.failed = []
        self.requests = 0
        self.longest_write = 0

    def expect(self, status, answer):
        self.requests += 1
        if answer.status != status:
            self.failed.append(f"expected {status}, found {answer}")
        return answer.status == status

    def write(self, send):
        begun = time.monotonic()
        answer = send()
        self.longest_write = max(self.longest_write, time.monotonic() - begun)
        return answer

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
        except Exception as e:  # noqa: BLE001: it must not look like success
            self.failed.append(f"{type(e).__name__}: {e}")

    def step(self):
        key = f"client-{self.number}-{self.random.randrange(12)}.png"
        before = self.images.get(key)
        data = png(1 + self.random.randrange(60), 7, text=f"{key} {self.requests}")
        if before is None:
            self.expect(200, self.write(lambda: self.client.upload(key, data)))
        elif self.random.random() < 0.15:
            self.expect(200, self.write(lambda: self.client.delete(f"/api/images/tenant/{key}")))
            del self.images[key]
            self.expect(404, self.client.image(key))
            return
        else:
            self.expect(200, self.write(lambda: self.client.replace(key, key, data)))
        self.images[key] = data
        self.check(key)
        if before is not None:
            # The ETag of the version before is not valid any more.
            old = self.client.image(key, headers={"If-None-Match": f'"{sha256(before)}"'})
            if self.expect(200, old) and old.body != data:
                self.failed.append(f"{key} is stale")
        self.check(self.random.choice(list(self.images)))

    def check(self, key):
        seen = self.client.image(key)
        if self.expect(200, seen) and seen.body != self.images[key]:
            self.failed.append(f"{key} is stale")
        again = self.client.image(key, headers={"If-None-Match": f'"{sha256(self.images[key])}"'})
        self.expect(304, again)


def switch_under_load(test, clients, rounds, other):
    """While clients work, the server of `test` is switched from rocksdb to the engine `other` and back. No request fails.
    Returns the clients, and how long writes were held each time."""
    clients = [Client(test.server, i) for i in range(clients)]
    for each in clients:
        each.start()
    held = []
    try:
        for i in range(2 * rounds):
            before = sum(each.requests for each in clients)
            while sum(each.requests for each in clients) < before + 20 * len(clients):
                test.assertFalse([text for each in clients for text in each.failed][:3])
                time.sleep(0.01)
            switched = test.switch()
            test.assertEqual("rocksdb" if i % 2 else other, switched["active"]["engine"])
            held.append(switched["lastSwitch"]["heldMilliseconds"])
    finally:
        for each in clients:
            each.ending.set()
        for each in clients:
            each.join()
    test.assertEqual([], [text for each in clients for text in each.failed][:5])
    print(f"measured: {sum(each.requests for each in clients)} requests; writes were held {held} ms; the longest write "
          f"took {max(each.longest_write for each in clients):.3f} s", flush=True)
    return clients, held


class Load(SwitchTest):
    """While clients work, the store is switched three times in each direction."""
    rounds = int(os.environ.get("GALLERY_SWITCH_ROUNDS", "3"))
    clients = int(os.environ.get("GALLERY_SWITCH_CLIENTS", "6"))

    def test_no_request_fails_no_answer_is_stale_and_nothing_is_lost(self):
        self.fill(40)
        self.begin()
        clients, held = switch_under_load(self, self.clients, self.rounds, "filesystem")
        self.assertLess(max(held), 1000)
        self.assertEqual(2 * self.rounds, self.metrics()["gallery_mirror_switches_total", ()])
        for each in clients:
            for key in each.images:
                each.check(key)
            self.assertEqual([], each.failed)
        # Both stores are equal, byte for byte.
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        # Also for a server that has never seen the other one.
        seen = gallery_of(self.tenant)
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.assertEqual(seen, gallery_of(self.tenant))


if __name__ == "__main__":
    unittest.main()
