# SPDX-License-Identifier: Apache-2.0
"""What the database can do to a gallery server: a commit that is not replicated, revisions that go back, a full disk,
no standby at all."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

import psycopg2

from single_postgres import SinglePostgres
from support import Cluster, folder_for_postgres, wait_for

from harness import TENANT, png, sha256

MIB = 1024 * 1024


class Sending(threading.Thread):
    """A request whose response is waited for elsewhere. `answer` is the response, or None if it broke off."""

    def __init__(self, request):
        super().__init__(daemon=True)
        self.request, self.answer, self.is_answered = request, None, threading.Event()

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.answer = self.request()
        self.is_answered.set()


class Anomalies(unittest.TestCase):
    """Both standbys are down; nothing that is written now is replicated."""

    def setUp(self):
        # A primary that restarts itself must not be replaced meanwhile, however slow the machine is.
        self.cluster = Cluster("--restart", "0", "--patience", "100")
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        settings = json.loads((self.cluster.folder / "cluster.json").read_text())
        self.password = settings["passwords"]["postgres"]
        self.primary = self.cluster.pid("primary")
        self.tenant = self.cluster.nodes[0].client(TENANT, timeout=120)
        self.before = png(text="before")
        self.assertEqual(200, self.tenant.upload("image.png", self.before).status)
        self.cluster.kill("standby", "1")
        self.cluster.kill("standby", "2")

    def connect(self):
        """To the primary, as its superuser, whatever the standbys do."""
        data = next(p for p in self.cluster.folder.glob("pg?")
                    if (p / "postmaster.pid").read_text().split()[0] == str(self.primary))
        port = int((data / "postmaster.pid").read_text().splitlines()[3])
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=self.password, dbname="gallery",
                                      connect_timeout=5)
        connection.autocommit = True
        return connection

    def query(self, sql):
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def begin_write(self, data):
        """A replacement that waits for a standby; returns once the commit is on the primary's disk."""
        sending = Sending(lambda: self.tenant.replace("image.png", "x.png", data))
        sending.start()
        wait_for(self.waiting, "no commit waits for a standby")
        return sending

    def waiting(self):
        return self.query("select pid from pg_stat_activity where wait_event = 'SyncRep' and usename = 'gallery'")

    def changes(self):
        return dict(self.query("select rev, write from gallery.change"))

    def test_a_commit_with_a_warning_is_not_acknowledged(self):
        sending = self.begin_write(png(text="with a warning"))
        cancelled = 0
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            # Cancelled while it waits, a commit ends with a warning and then success.
            cancelled += len(self.query("select pg_cancel_backend(pid) from pg_stat_activity "
                                        "where wait_event = 'SyncRep' and usename = 'gallery'"))
            if sending.is_answered.wait(0.05):
                break
        self.assertGreater(cancelled, 0, "no commit was cancelled")
        # Not 200, whether there is an answer already or not.
        self.assertNotEqual(200, sending.answer and sending.answer.status, sending.answer)
        # Nor does a node show it.
        for node in self.cluster.nodes:
            with contextlib.suppress(OSError, AssertionError, http.client.HTTPException):
                answer = node.client(TENANT, timeout=5).image("image.png")
                self.assertIn(answer.status, (200, 503), answer)
                self.assertNotEqual(200 if sha256(answer.body) != sha256(self.before) else None, answer.status)

    def test_a_promoted_standby_repeats_no_revision(self):
        sending = self.begin_write(png(text="lost"))
        before = self.changes()
        # The primary restarts itself after a crash. It then shows the commit that no standby has.
        os.kill(self.waiting()[0][0], signal.SIGKILL)
        lost = wait_for(lambda: self.after_crash(before), "the primary does not show the commit after its restart")
        self.assertEqual(self.primary, self.cluster.pid("primary"), "the primary was replaced too early")

        self.cluster.kill("primary")
        wait_for(lambda: self.cluster.status()["primary"].isdigit()
                 and int(self.cluster.status()["primary"]) != self.primary, "nobody was promoted")
        self.primary = self.cluster.pid("primary")
        self.assertTrue(sending.is_answered.wait(120), "the write is not answered")
        # A node that finds that its write is lost repeats it on the new primary.
        acknowledged = sending.answer is not None and sending.answer.status == 200
        possible = {sha256(png(text="lost"))} if acknowledged else {sha256(png(text="lost")), sha256(self.before)}
        wait_for(lambda: all(node.is_ready() for node in self.cluster.nodes), "the nodes are not ready again")
        again = {}
        for number, node in enumerate(self.cluster.nodes):
            tenant = node.client(TENANT, timeout=60)
            answer = tenant.image("image.png")
            self.assertEqual(200, answer.status, answer)
            self.assertIn(sha256(answer.body), possible)
            possible = {sha256(png(text=f"again {number}"))}
            again[number] = png(text=f"again {number}")
            self.assertEqual(200, tenant.replace("image.png", "x.png", again[number]).status)
            for other in self.cluster.nodes:
                wait_for(lambda other=other, number=number: sha256(other.client(TENANT).image("image.png").body)
                         == sha256(again[number]), f"the replacement {number} is not seen everywhere")
        after = self.changes()
        reused = {rev for rev in lost if rev in after and after[rev] != lost[rev]}
        self.assertEqual(set(), reused, "revisions that meant something else before the failover")
        new = set(after) - set(before)
        self.assertGreater(min(new), max(lost), "a new revision is below one that was lost")

    def after_crash(self, before):
        """The changes that the primary shows and did not show before its crash."""
        with contextlib.suppress(psycopg2.Error):
            return {rev: write for rev, write in self.changes().items() if rev not in before}
        return None


class FullDisk(unittest.TestCase):
    def test_a_full_disk_on_the_primary(self):
        folder = folder_for_postgres("gallery-disk-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=711", "tmpfs", folder],
                                 stderr=subprocess.DEVNULL, check=False)
        if mounted.returncode != 0:
            os.rmdir(folder)
            self.skipTest("mounting a small file system is not permitted here")
        try:
            # PostgreSQL stops when it cannot write its log, so that belongs on another file system.
            with SinglePostgres(data=folder / "data") as postgres:
                server = postgres.server(STORAGE_POSTGRESQL_ALLOW_UNREPLICATED="true")
                try:
                    server.start()
                    self.run_on(server, folder)
                finally:
                    server.stop()
        finally:
            subprocess.run(["umount", folder], check=True)
            os.rmdir(folder)

    def run_on(self, server, folder):
        client = server.client()
        kept = png(text="k" * MIB)
        self.assertEqual(200, client.upload("kept.png", kept).status)
        total = client.list(pageSize=1).json()["totalElements"]
        with open(folder / "ballast", "ab", buffering=0) as file:
            for size in (MIB, 8192, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        refused = None
        for number in range(40):  # what is free inside of PostgreSQL's files is used first
            answer = client.upload(f"more-{number}.png", png(text=f"{number}" + "x" * MIB))
            if answer.status != 200:
                refused = f"more-{number}.png"
                self.assertEqual(507, answer.status, answer)
                break
            total += 1
        self.assertIsNotNone(refused, "the disk was never full")
        self.assertEqual(404, client.image(refused).status)
        self.assertEqual(total, client.list(pageSize=1).json()["totalElements"])
        self.assertEqual(sha256(kept), sha256(client.image("kept.png").body))
        os.remove(folder / "ballast")
        wait_for(lambda: client.upload("again.png", png(text="a" * MIB)).status == 200,
                 "uploads are refused though there is space")


class Unreplicated(unittest.TestCase):
    def test_a_server_without_standbys_is_refused_unless_allowed(self):
        with SinglePostgres() as postgres:
            server = postgres.server()
            server.demo = False  # no first accounts are needed
            try:
                server.start(wait=False)
                self.assertNotEqual(0, server.process.wait(60))
                log = pathlib.Path(server.log_path).read_text()
                for word in ("synchronous_standby_names", "allow_unreplicated"):
                    self.assertIn(word, log)
                server.extra["STORAGE_POSTGRESQL_ALLOW_UNREPLICATED"] = "true"
                server.start()
            finally:
                server.stop()


if __name__ == "__main__":
    unittest.main()
