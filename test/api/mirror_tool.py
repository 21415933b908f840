# SPDX-License-Identifier: Apache-2.0
"""A server whose store can be mirrored, and what tests of mirrors and backups do with it."""
import json
import os
import pathlib
import random
import shutil
import tempfile
import threading
import time
import unittest

from admin_tool import environment, run
from harness import SYSADMIN, TENANT, Server, free_port, png, scrape
from test_copy import gallery_of, path_of, upload

MIRROR = "/api/system/mirror"


class MirrorTest(unittest.TestCase):
    """Each test has a server of its own; mirrors may be below self.backups."""
    plugin = "rocksdb"
    options = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-mirror-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.backups = self.folder / "backup"
        self.backups.mkdir(mode=0o700)
        self.metrics_port = free_port()
        self.server = Server(plugin=self.plugin, environment={
            "MIRROR_ALLOWED_PATHS": str(self.backups), "METRICS_BIND_PORT": str(self.metrics_port), **self.options})
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
        answer = self.admin.get(MIRROR)
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
        written = time.time_ns() // 1_000_000
        return self.wait_for(lambda now: now["state"] == "following" and now["currentTime"] > written)

    def metrics(self):
        return scrape(self.metrics_port)

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
