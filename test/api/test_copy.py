# SPDX-License-Identifier: Apache-2.0
"""gallery-admin copy: between closed stores of two engines, interrupted, damaged, and refused."""
import json
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.parse

from admin_tool import BINARY, CONFIGURATION, REFUSED, UNREACHABLE, USAGE, environment, run
from harness import SYSADMIN, TENANT, Server, png

PAGE_SIZE = 100


def path_of(image):
    """The link of an image as a request has it."""
    return urllib.parse.quote(image["link"])


def upload(client, key, data, title=None):
    answer = client.upload(key, data, title or key)
    assert answer.status == 200, answer
    return answer.json()


def gallery_of(client):
    """What a tenant sees: every field of every image, and the bytes of both representations with their etags."""
    found = {}
    for page in range(1000):
        answer = client.list(pageSize=PAGE_SIZE, page=page, includeSystemImages="true").json()
        for one in answer["data"]:
            bodies = []
            for suffix in ("", "/preview"):
                body = client.get(path_of(one) + suffix)
                assert body.status == 200, body
                bodies.append((body.body, body.header("ETag"), body.header("Content-Type")))
            found[one["link"]] = (one, bodies)
        if not answer["hasNext"]:
            return found
    raise AssertionError("the list does not end")


class Copies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A store with images of two tenants, written by a server and closed."""
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-copy-"))
        cls.source = cls.folder / "source"
        server = Server(plugin="rocksdb", data=cls.source)
        cls.source.mkdir()
        server.start()
        try:
            tenant = server.client(TENANT)
            chooser = random.Random(5)
            for i in range(60):
                upload(tenant, f"picture {i} ä.png", png(1 + chooser.randrange(60), 7, text=f"number {i}"), f"Title {i}")
            for one in tenant.list(pageSize=7).json()["data"]:
                changed = dict(one, title="changed " + one["title"])
                assert tenant.put(path_of(one) + "/info", changed).status == 200
            cls.seen = gallery_of(tenant)
        finally:
            server.stop()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="gallery-copy-", dir=self.folder))

    def address(self, engine, folder):
        return f"{engine}:{folder}"

    def copy(self, *arguments, source=None, target=None, engine="filesystem", code=0, words=()):
        done = run("copy", "--from", self.address("rocksdb", source or self.source / "data/storage"),
                   "--to", self.address(engine, target or self.place / "target"), *arguments)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)
        return done

    def serves_the_same(self, engine, storage):
        server = Server(plugin=engine, data=self.place / "served")
        (self.place / "served/data").mkdir(mode=0o700, parents=True)
        shutil.move(storage, self.place / "served/data/storage")
        server.start()
        try:
            self.assertEqual(self.seen, gallery_of(server.client(TENANT)))
            server.client(SYSADMIN)
        finally:
            server.stop()
            shutil.rmtree(self.place / "served")

    def test_a_server_on_the_copy_answers_as_the_one_on_the_source(self):
        for engine in ("filesystem", "rocksdb"):
            with self.subTest(engine=engine):
                target = self.place / engine
                report = json.loads(self.copy("--verify", "--json", target=target, engine=engine).stdout)
                self.assertTrue(report["complete"])
                self.assertTrue(report["verified"]["same"])
                self.assertEqual(report["images"], report["copied"])
                self.assertGreaterEqual(report["images"], 60)
                self.serves_the_same(engine, target)

    def test_again_it_transfers_nothing(self):
        self.copy()
        report = json.loads(self.copy("--json").stdout)
        self.assertTrue(report["complete"])
        self.assertEqual((0, 0, 0), (report["copied"], report["updated"], report["documentsWritten"]))
        self.assertIn("the copy is complete", self.copy().stdout)
        self.assertEqual("", self.copy("--quiet").stdout)

    def test_only_what_has_changed_is_transferred(self):
        source = self.place / "source"
        shutil.copytree(self.source, source)
        storage = source / "data/storage"
        self.copy(source=storage)
        server = Server(plugin="rocksdb", data=source)
        server.start()
        tenant = server.client(TENANT)
        upload(tenant, "one more.png", png(9, 9, text="one more"))
        self.assertEqual(200, tenant.delete(next(link for link in self.own(tenant) if "one" not in link)).status)
        seen = gallery_of(tenant)
        server.stop()
        report = json.loads(self.copy("--json", "--verify", source=storage).stdout)
        self.assertEqual((1, 1), (report["copied"], report["erased"]), report)
        self.seen, before = seen, self.seen
        try:
            self.serves_the_same("filesystem", self.place / "target")
        finally:
            self.seen = before

    def own(self, client):
        return [path_of(one) for one in client.list(pageSize=PAGE_SIZE).json()["data"]
                if one["link"].startswith("/api/images/tenant/")]

    def test_a_killed_copy_continues(self):
        chooser = random.Random(11)
        for _ in range(12):
            process = subprocess.Popen(
                [str(BINARY), "copy", "--from", self.address("rocksdb", self.source / "data/storage"), "--to",
                 self.address("filesystem", self.place / "target"), "--at-once", "1"],
                env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chooser.uniform(0.05, 0.4))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
        report = json.loads(self.copy("--json", "--verify").stdout)
        self.assertTrue(report["complete"] and report["verified"]["same"], report)
        self.serves_the_same("filesystem", self.place / "target")

    def flip(self, store, number):
        """Other bytes in one image of a closed filesystem store. Returns how to restore them."""
        originals = sorted(p for p in store.glob("*/*/original*") if p.is_file())
        self.assertGreater(len(originals), 50)
        victim = originals[number]
        before = victim.read_bytes()
        victim.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        return lambda: victim.write_bytes(before)

    def copy_files(self, source, target, *arguments, code=0):
        """A copy of a filesystem store to a rocksdb store."""
        done = run("copy", "--from", f"filesystem:{source}", "--to", f"rocksdb:{target}", "--json", *arguments)
        self.assertEqual(code, done.returncode, done)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr)

    def test_a_server_does_not_start_on_an_incomplete_copy_and_takes_over_a_complete_one(self):
        healthy, target = self.place / "healthy", self.place / "served/data/storage"
        target.parent.mkdir(mode=0o700, parents=True)
        self.copy(target=healthy)
        self.flip(healthy, 3)
        self.copy_files(healthy, target, code=REFUSED)
        server = Server(plugin="rocksdb", data=self.place / "served")
        server.start(wait=False)
        self.assertNotEqual(0, server.process.wait(120))
        self.assertIn("incomplete copy of filesystem:", server.log())
        self.assertEqual(1, len(self.copy_files(healthy, target, "--skip-damaged")["damaged"]))
        server.start()
        server.stop()
        server.wait_for_log("copy of filesystem:", times=2)
        # It is a store of its own now, which no later copy overwrites.
        self.assertIn("other data", self.copy_files(healthy, target, code=REFUSED)["message"])

    def test_a_damaged_image_is_named_and_all_others_are_copied(self):
        healthy = self.place / "healthy"
        self.copy(target=healthy)
        mend = self.flip(healthy, 17)
        target = self.place / "second"
        report = self.copy_files(healthy, target, code=REFUSED)
        self.assertFalse(report["complete"])
        self.assertEqual(1, len(report["damaged"]), report)
        self.assertEqual(report["images"] - 1, report["copied"])
        mend()
        report = self.copy_files(healthy, target, "--verify")
        self.assertEqual((True, 1), (report["complete"], report["copied"]))

    def test_verification_finds_a_damaged_copy(self):
        self.copy()
        self.flip(self.place / "target", 3)
        self.copy("--verify", code=REFUSED, words=["damaged in target"])

    def test_other_targets_are_refused(self):
        (self.place / "files").mkdir(mode=0o700)
        (self.place / "files/thesis.txt").write_text("not a store")
        self.copy(target=self.place / "files", code=REFUSED, words=["contains other files"])
        self.assertEqual(["thesis.txt"], [p.name for p in (self.place / "files").iterdir()])
        (self.place / "database/db").mkdir(mode=0o700, parents=True)
        (self.place / "database").chmod(0o700)
        (self.place / "database/db/table").write_text("of another program")
        self.copy(target=self.place / "database", engine="rocksdb", code=REFUSED, words=["contains other files"])
        other = Server(plugin="rocksdb", data=self.place / "other")
        (self.place / "other").mkdir()
        other.start()
        other.stop()
        self.copy(target=self.place / "other/data/storage", engine="rocksdb", code=REFUSED, words=["other data"])
        self.copy()
        elsewhere = self.place / "elsewhere"
        shutil.copytree(self.source / "data/storage", elsewhere)
        self.copy(source=elsewhere, code=REFUSED, words=["copy of rocksdb:"])
        self.copy("--any-source", source=elsewhere)

    def test_a_running_server_keeps_it_out(self):
        source = self.place / "source"
        shutil.copytree(self.source, source)
        server = Server(plugin="rocksdb", data=source)
        server.start()
        try:
            self.copy(source=source / "data/storage", code=UNREACHABLE, words=["another process"])
        finally:
            server.stop()

    def test_a_source_that_is_not_there_is_not_made(self):
        for source in (self.place / "nowhere", self.place):
            self.copy(source=source, code=CONFIGURATION)
        self.assertEqual([], list(self.place.iterdir()))

    def test_wrong_options_are_named(self):
        for arguments, word in (((), "--from and --to"), (("--form", "a"), "--form"),
                                (("--from", "rocksdb", "--to", "rocksdb:x"), "PLUGIN:PATH"),
                                (("--from", "rocksdb:", "--to", "rocksdb:x"), "no folder"),
                                (("--from", "rocksdb:x", "--to", "rocksdb:y", "--at-once", "0"), "--at-once")):
            done = run("copy", *arguments)
            self.assertEqual(USAGE, done.returncode, done)
            self.assertIn(word, done.stderr)
        done = run("copy", "--from", f"rocksdb:{self.source}/data/storage", "--to", f"rocksdb:{self.place}/x",
                   "--from-option", "colour=blue")
        self.assertEqual(CONFIGURATION, done.returncode, done)
        self.assertIn("colour", done.stderr)


if __name__ == "__main__":
    unittest.main()
