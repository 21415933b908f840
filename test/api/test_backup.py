# SPDX-License-Identifier: Apache-2.0
"""gallery-admin backup and restore, and keeping the backups of several days."""
import hashlib
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.parse

from admin_tool import BINARY, REFUSED, run
from harness import ROOT, TENANT, Server, png
from mirror_tool import MIRROR, MirrorTest, Writers
from restored import Answers, RestoreTest
from test_copy import gallery_of, path_of

class Backups(RestoreTest):
    def test_a_restored_server_answers_every_request_as_the_original_did(self):
        answers = Answers(self.server, self.fill_all())
        self.assertEqual([], answers.unknown_routes())
        expected, routes = answers.of(self.server)
        # Each route that reads was answered with success for somebody.
        self.assertEqual([], [route for route, statuses in routes.items() if not statuses & {200, 303}])
        self.assertIn(206, routes["/api/images/{type}/{key}"])
        report = self.json("backup", str(self.backups / "nightly"), "--verify")
        self.assertTrue(report["verified"]["same"])
        # What is written later is not part of it.
        self.fill(3, "later")
        self.assertEqual(200, self.tenant.delete("/api/images/tenant/picture%201.png").status)
        for plugin in ("filesystem", "rocksdb"):
            with self.subTest(plugin):
                self.check_restored(self.backups / "nightly", expected, answers, plugin)

    def test_a_backup_can_be_of_another_engine(self):
        answers = Answers(self.server, self.fill_all())
        expected, _ = answers.of(self.server)
        self.json("backup", str(self.backups / "nightly"), "--engine", "rocksdb")
        self.check_restored(self.backups / "nightly", expected, answers, "filesystem", engine="rocksdb")

    def test_repeated_only_changes_are_transferred(self):
        self.fill(20)
        target = str(self.backups / "nightly")
        first = self.json("backup", target)
        self.assertGreaterEqual(first["images"], 20)
        self.assertEqual(first["time"] / 1000, self.metrics()["gallery_mirror_backup_timestamp_seconds", ()])
        self.assertEqual((first["images"], first["bytes"]), (first["imagesTransferred"], first["bytesTransferred"]))
        second = self.json("backup", target)
        self.assertEqual((0, 0), (second["imagesTransferred"], second["bytesTransferred"]))
        self.assertEqual((first["images"], first["bytes"]), (second["images"], second["bytes"]))
        self.fill(2, "new")
        third = self.json("backup", target)
        self.assertEqual((first["images"] + 2, 2), (third["images"], third["imagesTransferred"]))
        self.assertGreater(third["revision"], second["revision"])
        done = self.call("backup", target, words=["is complete as of revision", f"{third['images']} images"])
        self.assertIn("0 images (0 bytes) were transferred", done.stdout)
        self.check_served(self.backups / "nightly", "filesystem")

    def test_during_writes_it_is_one_state_of_the_store_and_no_request_fails(self):
        self.fill(60)
        target = self.backups / "busy"
        with Writers(self.server) as writers:
            report = self.json("backup", str(target), "--verify")
        self.assertEqual([], writers.failed)
        self.assertEqual([], report["verified"]["repaired"])
        self.assertLess(self.metrics()["gallery_writes_longest_hold_seconds", ()], 1)
        done = run("copy", "--from", f"filesystem:{target}", "--to", f"rocksdb:{self.folder}/copy", "--verify", "--json")
        self.assertEqual(0, done.returncode, done)
        self.assertEqual(report["images"], json.loads(done.stdout)["images"])

    def test_a_command_that_is_interrupted_does_not_interrupt_the_backup(self):
        self.fill(60)
        target = self.backups / "nightly"
        process = subprocess.Popen([str(BINARY), "backup", str(target)], env=self.env(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.wait_for(lambda now: now["state"] != "none")
        process.kill()
        process.wait()
        self.server.kill()
        self.server.start()
        self.wait_for(lambda now: now["state"] == "stopped" and "completed" in now)
        self.check_served(target, "filesystem")

    def test_a_backup_of_another_store_is_refused_and_left_unchanged(self):
        self.fill(5)
        target = self.backups / "nightly"
        self.json("backup", str(target))
        (self.folder / "other").mkdir()
        with Server(plugin="rocksdb", data=self.folder / "other", environment={
                "MIRROR_ALLOWED_PATHS": str(self.backups)}) as other:
            env = dict(self.env(), GALLERY_URL=f"http://127.0.0.1:{other.port}")
            done = run("backup", str(target), env=env)
            self.assertEqual(REFUSED, done.returncode, done)
            self.assertIn("is a copy of", done.stderr)
        self.check_served(target, "filesystem")


class BesideAMirror(MirrorTest):
    """The commands of operations.md for a nightly backup of a server that has a mirror."""

    def setUp(self):
        super().setUp()
        text = (ROOT / "etc/doc/operations.md").read_text()
        block = re.search(r"^    # with a mirror in (\S+)\n((?:^    .*\n)+)", text, re.M)
        self.mirror = str(self.backups / "store")
        self.lines = [line.replace(block.group(1), self.mirror).replace("/backup/gallery", str(self.backups))
                      for line in re.findall(r"^    Exec\w+=/usr/bin/gallery-admin (.*)", block.group(2), re.M)]
        self.assertEqual(["mirror stop", "backup " + str(self.backups), "mirror start"],
                         [re.match(r"mirror \w+|backup .*(?=/current)", line).group(0) for line in self.lines])

    def nightly(self):
        for line in self.lines:
            self.call(*line.split())

    def test_a_backup_is_refused_while_a_mirror_follows(self):
        self.fill(5)
        self.json("mirror", "start", "filesystem", "--path", self.mirror)
        self.wait_until_current()
        self.call("backup", str(self.backups / "current"), code=REFUSED,
                  words=["There is a mirror already, in filesystem:" + self.mirror, "gallery-admin mirror stop", "start it again"])
        self.assertEqual("following", self.state()["state"])
        self.assertFalse((self.backups / "current").exists())

    def test_the_mirror_is_stopped_and_continued(self):
        self.fill(12)
        self.json("mirror", "start", "rocksdb", "--path", self.mirror)
        self.wait_until_current()
        for night in range(2):
            self.fill(2, f"night {night}")
            self.nightly()
            self.check_served(self.backups / "current", "filesystem")
            self.fill(1, f"morning {night}")
            self.wait_until_current()
            self.assertEqual(1, self.state()["imagesCopied"])  # nothing else was copied again
        self.json("mirror", "switch", "--yes")
        self.assertEqual(self.mirror, self.state()["active"]["path"])


class Replaced(MirrorTest):
    """One byte in a second: a backup never ends by itself."""
    options = {"MIRROR_MAX_RATE": "1"}

    def test_the_result_of_another_backup_is_not_reported_as_that_of_the_command(self):
        self.fill(3)
        command = subprocess.Popen([str(BINARY), "backup", str(self.backups / "first")], env=self.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.wait_for(lambda now: now["state"] == "copying")
        # It asks again when the other backup is in progress.
        command.send_signal(signal.SIGSTOP)
        self.assertEqual(200, self.admin.post(MIRROR + "/stop", {"abandon": True}).status)
        started = self.admin.post(MIRROR + "/start", {"engine": "filesystem", "path": str(self.backups / "second"),
                                                      "backup": True})
        self.assertEqual(200, started.status, started)
        command.send_signal(signal.SIGCONT)
        output, problem = command.communicate(timeout=120)
        self.assertEqual((REFUSED, ""), (command.returncode, output))
        self.assertIn("another one was started", problem)
        second = self.state()
        self.assertEqual(("copying", started.json()["run"]), (second["state"], second["run"]))
        self.assertNotIn(second["run"], ("", first["run"]))


class Damage(MirrorTest):
    plugin = "filesystem"

    def test_a_backup_without_a_damaged_image_is_complete_only_if_that_was_asked_for(self):
        self.fill(12)
        self.assertEqual(0, self.server.terminate())
        victim = sorted((self.server.data / "data/storage").glob("*/*/original*"))[3]
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        self.server.start()
        target = str(self.backups / "nightly")
        self.call("backup", target, code=REFUSED, words=["not complete", "cannot be read from the store"])
        self.assertEqual("failed", self.state()["state"])
        (self.folder / "other").mkdir()
        other = Server(plugin="rocksdb", data=self.folder / "other")
        done = run("restore", target, env=other.environment())
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn("incomplete copy", done.stderr)
        report = self.json("backup", target, "--skip-damaged")
        self.assertEqual(1, report["damaged"])


    def test_an_image_that_the_engine_has_set_aside_stays_in_the_backup(self):
        self.fill(12)
        target = str(self.backups / "nightly")
        self.json("backup", target)
        one = next(one for one in self.tenant.list(pageSize=100).json()["data"] if one["title"] == "picture 3.png")
        self.assertEqual(0, self.server.terminate())
        record, = (self.server.data / "data/storage").glob("*/picture*3.png/record.json")
        record.write_text("{")
        self.server.start()
        self.assertEqual(404, self.tenant.get(path_of(one)).status)
        self.assertEqual(1, self.metrics()["gallery_storage_entries_set_aside", ()])
        # Others are erased, which the feed says.
        self.assertEqual(200, self.tenant.delete("/api/images/tenant/picture%205.png").status)
        self.call("backup", target, code=REFUSED, words=["not complete", "cannot be read from the store", "picture 3"])
        report = self.json("backup", target, "--skip-damaged", "--verify")
        self.assertEqual((1, True), (report["damaged"], report["verified"]["same"]))
        (self.folder / "other").mkdir()
        other = Server(plugin="rocksdb", data=self.folder / "other")
        done = run("restore", target, env=other.environment())
        self.assertEqual(0, done.returncode, done)
        other.start()
        try:
            titles = {each["title"] for each in other.client(TENANT).list(pageSize=100).json()["data"]}
            self.assertIn("picture 3.png", titles)
            self.assertNotIn("picture 5.png", titles)
            self.assertEqual(200, other.client(TENANT).get(path_of(one)).status)
        finally:
            other.stop()

    def test_a_damaged_backup_is_restored_without_an_image_only_if_that_was_asked_for(self):
        self.fill(12)
        target = self.backups / "nightly"
        self.json("backup", str(target))
        victim = sorted(target.glob("*/picture*/original*"))[3]
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        (self.folder / "other").mkdir()
        other = Server(plugin="rocksdb", data=self.folder / "other")
        done = run("restore", str(target), env=other.environment())
        self.assertEqual(REFUSED, done.returncode, done)
        done = run("restore", str(target), "--skip-damaged", env=other.environment())
        self.assertEqual(0, done.returncode, done)
        with other:
            self.assertEqual(11, len([link for link in gallery_of(other.client(TENANT)) if "picture" in link]))


class Days(MirrorTest):
    """The script of operations.md that keeps the backups of several days."""

    def setUp(self):
        super().setUp()
        text = (ROOT / "etc/doc/operations.md").read_text()
        block = re.search(r"(?:^    .*\n|^\n)*^    # /etc/gallery/keep-backups\n(?:^    .*\n|^\n)*", text, re.M).group(0)
        script = "\n".join(line[4:] for line in block.splitlines()).strip() + "\n"
        self.assertTrue(script.startswith("#!/bin/sh\n"), script)
        self.assertIn("/backup/gallery", script)
        self.script = self.folder / "keep-backups"
        self.script.write_text(script.replace("/backup/gallery", str(self.backups)))
        self.script.chmod(0o700)

    def keep(self, day):
        """The script on this day."""
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        (bin_folder / "date").write_text(f"#!/bin/sh\necho {day}\n")
        (bin_folder / "date").chmod(0o700)
        subprocess.run([str(self.script)], check=True, env=dict(os.environ, PATH=f"{bin_folder}:{os.environ['PATH']}"))

    def digests(self, folder):
        return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
                for file in folder.rglob("*") if file.is_file()}

    def test_later_backups_do_not_change_the_files_of_earlier_ones(self):
        self.fill(20)
        current = self.backups / "current"
        self.json("backup", str(current))
        first = gallery_of(self.tenant)
        self.keep("2026-11-01")
        before = self.digests(self.backups / "2026-11-01")
        self.assertEqual(before, self.digests(current))

        # Every kind of write that a backup makes in its store.
        self.fill(5, "new")
        images = [one for one in self.tenant.list(pageSize=100).json()["data"] if one["title"].startswith("picture")]
        for number, one in enumerate(images):
            path = path_of(one)
            if number % 4 == 0:
                self.assertEqual(200, self.tenant.delete(path).status)
            elif number % 4 == 1:
                key = urllib.parse.unquote(path.split("/")[-1])
                self.assertEqual(200, self.tenant.replace(key, key, png(50, 3, text=f"new {number}")).status)
            elif number % 4 == 2:
                self.assertEqual(200, self.tenant.put(path + "/info", dict(one, title=f"changed {number}")).status)
        self.call("user", "create", "new@example.com", "--role", "SYS_ADMIN")
        self.json("backup", str(current), "--verify")
        self.keep("2026-11-02")
        self.json("backup", str(current))
        self.assertEqual(before, self.digests(self.backups / "2026-11-01"))
        # The test could fail: some files of a store are written in place.
        inodes = {file.stat().st_ino for file in self.backups.joinpath("2026-11-01").rglob("*") if file.is_file()}
        after = self.digests(current)
        self.assertTrue([name for name, digest in before.items() if after.get(name, digest) != digest])
        # An image that has not changed is on the disk once.
        shared = [file for file in current.glob("*/*/original*") if file.stat().st_ino in inodes]
        self.assertGreaterEqual(len(shared), 5)
        self.assertGreaterEqual(shared[0].stat().st_nlink, 3)

        self.serve(self.backups / "2026-11-01", "filesystem",
                   lambda other: self.assertEqual(first, gallery_of(other.client(TENANT))))
        self.check_served(self.backups / "2026-11-02", "filesystem")
        # A restore from it, which opens it, changes none of the shared files.
        shared_files = {name: digest for name, digest in before.items() if not name.startswith(".gallery")}
        place = self.folder / "restored"
        place.mkdir()
        other = Server(plugin="rocksdb", data=place)
        done = run("restore", str(self.backups / "2026-11-01"), env=other.environment())
        self.assertEqual(0, done.returncode, done)
        now = self.digests(self.backups / "2026-11-01")
        self.assertEqual(shared_files, {name: now.get(name) for name in shared_files})

    def test_two_weeks_are_kept_and_a_run_that_was_interrupted_is_repeated(self):
        self.fill(2)
        self.json("backup", str(self.backups / "current"))
        (self.backups / "partial").mkdir()
        for day in range(1, 18):
            self.keep(f"2026-11-{day:02}")
        self.keep("2026-11-17")
        self.assertEqual(["current", *(f"2026-11-{day:02}" for day in range(4, 18))],
                         sorted(os.listdir(self.backups), key=lambda name: (name != "current", name)))


if __name__ == "__main__":
    unittest.main()
