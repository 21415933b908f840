# SPDX-License-Identifier: Apache-2.0
"""A server whose store can be mirrored, and what tests of mirrors and backups do with it."""
import os
import pathlib
import random
import shutil
import tempfile
import threading
import time

from harness import TENANT, Server, png
from task_tool import TaskTest
from test_copy import gallery_of, path_of, upload

MIRROR = "/api/system/mirror"


class MirrorTest(TaskTest):
    """Each test has a server of its own; mirrors may be below self.backups."""
    state_at = MIRROR

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-mirror-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.backups = self.folder / "backup"
        self.backups.mkdir(mode=0o700)
        self.start_server(MIRROR_ALLOWED_PATHS=str(self.backups))
        self.chooser = random.Random(3)

    def fill(self, count, name="picture"):
        for i in range(count):
            upload(self.tenant, f"{name} {i}.png", png(1 + self.chooser.randrange(90), 9, text=f"{name} {i}"))

    def wait_until_current(self):
        """It has caught up with what was written before the call."""
        written = time.time_ns() // 1_000_000
        return self.wait_for(lambda now: now["state"] == "following" and now["currentTime"] > written)

    def serve(self, folder, plugin, check):
        """Starts a server on a copy of the store and calls @p check with it."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (place / "data").mkdir(mode=0o700)
        shutil.copytree(folder, place / "data/storage")
        os.chmod(place / "data/storage", 0o700)
        other = Server(plugin=plugin, data=place)
        other.start()
        try:
            check(other)
        finally:
            other.stop()

    def check_served(self, folder, plugin):
        """A server on the store answers as this one does now."""
        seen = gallery_of(self.tenant)
        self.serve(folder, plugin, lambda other: self.assertEqual(seen, gallery_of(other.client(TENANT))))


class Writers:
    """Clients that upload, replace, delete and read until the end of the block, but not without end: a mirror that is
    given little of a busy machine must be able to catch up. No request may fail."""

    def __init__(self, server, count=4, rounds=120):
        self.server, self.rounds = server, rounds
        self.ending = threading.Event()
        self.failed = []
        self.requests = 0
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(count)]

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for each in self.threads:
            each.join()

    def check(self, answer, *allowed):
        self.requests += 1
        if answer.status not in (200, *allowed):
            self.failed.append(answer)

    def write(self, number):
        client = self.server.client(TENANT)
        mine = random.Random(number)
        last = {}
        count = 0
        while not self.ending.is_set() and count < self.rounds:
            count += 1
            name = f"writer {number} {mine.randrange(8)}.png"
            data = png(1 + mine.randrange(50), 5, text=f"{number} {count}")
            answer = client.replace(name, name, data) if name in last else client.upload(name, data)
            self.check(answer)
            last[name] = data
            seen = client.image(name)
            self.check(seen)
            if seen.status == 200 and seen.body != data:
                self.failed.append(f"{name} is stale")
            if mine.random() < 0.2:
                self.check(client.delete(f"/api/images/tenant/{name.replace(' ', '%20')}"))
                del last[name]
