# SPDX-License-Identifier: Apache-2.0
"""A server with a task in the background, and gallery-admin, which commands it."""
import json
import time
import unittest

from admin_tool import environment, run
from harness import SYSADMIN, TENANT, Server, free_port, scrape


class TaskTest(unittest.TestCase):
    """Each test has a server of its own."""
    plugin = "rocksdb"
    options = {}
    state_at = None
    """The path of the task's state."""

    def start_server(self, **settings):
        self.metrics_port = free_port()
        self.server = Server(plugin=self.plugin, environment={"METRICS_BIND_PORT": str(self.metrics_port), **settings,
                                                              **self.options})
        self.addCleanup(self.server.stop)
        self.server.start()
        self.log_in()

    def log_in(self):
        self.tenant = self.server.client(TENANT)
        self.admin = self.server.client(SYSADMIN)

    def env(self, who=SYSADMIN):
        return environment(GALLERY_URL=f"http://127.0.0.1:{self.server.port}", GALLERY_USER=who[0], GALLERY_PASSWORD=who[1])

    def call(self, *arguments, code=0, words=(), who=SYSADMIN):
        done = run(*arguments, env=self.env(who))
        self.assertEqual(code, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)
        return done

    def json(self, *arguments, code=0):
        done = self.call(*arguments, "--json", code=code)
        return json.loads(done.stdout or done.stderr)

    def state(self):
        answer = self.admin.get(self.state_at)
        self.assertEqual(200, answer.status, answer)
        return answer.json()

    def wait_for(self, is_wanted, limit=120):
        deadline = time.monotonic() + limit
        while not is_wanted(now := self.state()):
            self.assertLess(time.monotonic(), deadline, now)
            time.sleep(0.02)
        return now

    def metrics(self):
        return scrape(self.metrics_port)
