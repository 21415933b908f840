# SPDX-License-Identifier: Apache-2.0
"""A server that is killed or stopped at each step of a switch from its own store to a database, and back. After a restart
exactly one store is active, no acknowledged write is lost, and nobody could have started on the other one."""
import contextlib
import http.client
import itertools
import json
import pathlib
import random
import sys
import time

import psycopg2

from admin_tool import REFUSED, run
from database_mirror import DatabaseMirrorTest
from harness import SYSADMIN, TENANT, Client, Server
from mirror_tool import MIRROR
from stepping_proxy import SteppingProxy
from support import wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from kill_cycles import Pictures, Writer, check, listed, work_until  # noqa: E402

WRITERS = 2
DATABASE, OWN = "postgresql", "rocksdb"


class SwitchSteps(DatabaseMirrorTest):
    schemas = itertools.count()

    def setUp(self):
        self.schema = f"steps{next(self.schemas)}"
        self.proxy = SteppingProxy(self.database.port)
        self.addCleanup(self.proxy.close)
        # A proxy on a busy machine takes its time.
        self.environment = {"MIRROR_ALLOWED_HOSTS": f"127.0.0.1:{self.proxy.port}", "MIRROR_SWITCH_TIMEOUT": "20s",
                            "GALLERY_CLUSTER_STALENESS": "10s"}
        super().setUp()

    def dsn(self, **changes):
        return super().dsn(**{"port": self.proxy.port, **changes})

    def begin(self):
        self.fill(10)
        done = self.start()
        self.assertEqual(0, done.returncode, done)
        self.wait_until_current()

    def other(self):
        """A second server on the database, not started."""
        other = Server(DATABASE, environment={
            "STORAGE_POSTGRESQL_DSN": super().dsn(), "STORAGE_POSTGRESQL_SCHEMA": self.schema,
            "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"})
        self.addCleanup(other.stop)
        return other

    def ask(self, sql):
        with contextlib.closing(psycopg2.connect(super().dsn())) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else connection.commit()

    def documents(self, kind):
        return [json.loads(bytes(body)) for (body,) in
                self.ask(f"select body from {self.schema}.document "
                         f"where kind = '{kind}'")]

    def state(self):
        """As soon as the server has read the changes of the database."""
        deadline = time.monotonic() + 120
        while (answer := self.admin.get(MIRROR)).status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(200, answer.status, answer)
        return answer.json()

    def decided(self):
        file = self.server.data / "data/active-store.json"
        return json.loads(file.read_text())["now"]["plugin"] if file.exists() else OWN

    def switch(self):
        self.wait_for(lambda now: now.get("canSwitch"))
        self.switch_until_the_step()
        return self.state()

    def go_to(self, engine):
        if self.state()["active"]["engine"] != engine:
            self.switch()
        self.wait_for(lambda now: now.get("canSwitch"))

    def try_to_switch(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.admin.post(MIRROR + "/switch")
        return None

    def switch_until_the_step(self):
        """Returns the steps, and whether the proxy has acted. A switch can be given up for lack of time."""
        deadline = time.monotonic() + 120
        while True:
            answer = self.try_to_switch()
            if answer is None or answer.status == 200 or self.proxy.acted.is_set():
                break
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.1)
        return self.proxy.seen, self.proxy.acted.is_set()

    def check_nobody_starts_on_the_database(self):
        if self.decided() == DATABASE or self.documents("superseded"):
            return
        marks = self.documents("mirror")
        self.assertTrue(marks and not marks[0]["complete"], marks)

    def check_one_store_is_active(self):
        state = self.state()
        active = state["active"]["engine"]
        self.assertEqual(self.decided(), active)
        self.assertEqual(OWN if active == DATABASE else DATABASE, state["mirror"]["engine"])
        self.assertEqual("", state["claimProblem"])
        self.wait_for(lambda now: now.get("canSwitch"))
        claims = [one for one in self.documents("superseded") if "node" in one]
        self.assertEqual([], claims)

    def test_a_kill_at_each_step_leaves_one_store_with_everything_that_was_acknowledged(self):
        self.begin()
        token = self.tenant.token
        samples = set(listed(self.tenant))
        chooser = random.Random(7)
        pictures = Pictures(7)
        writers = [Writer(n, self.server, token, pictures, chooser.random()) for n in range(WRITERS)]
        ends = {OWN: 0, DATABASE: 0}
        for target in (DATABASE, OWN):
            source = OWN if target == DATABASE else DATABASE
            for step in itertools.count(1):
                self.assertLess(step, 30)
                for is_after in (False, True):
                    self.go_to(source)
                    self.proxy.arm(step, is_after, self.server.process.kill)

                    def switch_and_kill():
                        seen.append(self.switch_until_the_step())
                        self.server.kill()

                    seen = []
                    work_until(switch_and_kill, writers, f"{target} {step} {is_after}")
                    steps, is_hit = seen[0]
                    self.proxy.disarm()
                    with self.subTest(target=target, steps=steps[:step], is_after=is_after):
                        self.check_nobody_starts_on_the_database()
                        self.server.start()
                        check(self.server, token, writers, samples)
                        self.check_one_store_is_active()
                        ends[self.decided()] += 1
                if not is_hit:
                    break
            # The claim, the last check or the successor, and what follows the decision.
            self.assertGreater(step, 3, steps)
        self.assertGreater(sum(one.acknowledged for one in writers), 100)
        self.assertGreater(min(ends.values()), 3, ends)

    def test_a_stop_at_each_step_signs_off_and_leaves_no_claim(self):
        self.begin()
        for target in (DATABASE, OWN):
            source = OWN if target == DATABASE else DATABASE
            for step in itertools.count(1):
                self.assertLess(step, 30)
                self.go_to(source)
                self.proxy.arm(step, True, self.server.process.terminate)
                steps, is_hit = self.switch_until_the_step()
                self.proxy.disarm()
                if is_hit:
                    with self.subTest(target=target, steps=steps[:step]):
                        self.assertEqual(0, self.server.process.wait(60))
                        self.assertEqual([], self.documents("node"))
                        self.assertEqual([], [one for one in self.documents("superseded") if "node" in one])
                        self.check_nobody_starts_on_the_database()
                    self.server.start()
                    self.check_one_store_is_active()
                else:
                    break
            self.assertGreater(step, 2, steps)

    def test_a_store_is_not_taken_from_a_server_that_switches(self):
        self.begin()
        self.switch()
        self.fill(2, "in the database")
        self.wait_until_current()
        other = self.other()
        refused = []

        def reinstate():
            done = run("reinstate", "--yes", env=other.environment())
            refused.append((done.returncode, done.stdout + done.stderr))

        # While the switch is in progress.
        self.proxy.arm(1, True, reinstate)
        self.assertEqual(200, self.try_to_switch().status)
        self.assertTrue(self.proxy.acted.is_set())
        self.proxy.disarm()
        self.assertEqual(OWN, self.state()["active"]["engine"])
        # The server is killed after the claim, and may still be there.
        self.go_to(DATABASE)
        self.proxy.arm(1, True, self.server.process.kill)
        self.try_to_switch()
        self.server.kill()
        self.proxy.disarm()
        self.assertTrue(self.documents("superseded")[0]["node"])
        reinstate()
        for code, text in refused:
            self.assertEqual(REFUSED, code, text)
            self.assertIn(f":{self.server.port}", text)
            self.assertIn("server that switches", text)
        other.start(wait=False)
        self.assertNotEqual(0, other.process.wait(120))
        # Nobody knows it any more.
        self.ask(f"delete from {self.schema}.document where kind = 'node'")
        done = run("reinstate", "--yes", env=other.environment())
        self.assertEqual(0, done.returncode, done)
        other.start()
        self.assertEqual(200, other.client(TENANT).get("/api/auth/user").status)
        # The server with the interrupted switch is one of those on the database then.
        self.server.start()
        self.assertEqual(DATABASE, self.server.client(SYSADMIN).get(MIRROR).json()["active"]["engine"])

    def test_a_claim_is_given_back_when_the_database_answers_again(self):
        self.begin()
        # After the claim of the mirror, and later of the store, the database is away.
        for step, engine in ((2, OWN), (1, DATABASE)):
            self.go_to(engine)
            self.proxy.arm(step, True, self.database.stop)
            refused = self.try_to_switch()
            self.assertNotEqual(200, refused.status, refused)
            self.assertTrue(self.proxy.acted.is_set())
            self.proxy.disarm()
            if engine == OWN:
                self.assertIn("No other server starts on the mirror", self.state()["claimProblem"])
                self.assertIn("No other server starts", self.call("mirror", "status").stdout)
            self.database.start()
            wait_for(lambda: not any("node" in one for one in self.documents("superseded")), "the claim stays")
            wait_for(lambda: Client(self.server).get("/health/ready").status == 200, "the server is not ready")
            self.wait_for(lambda now: not now["claimProblem"])
        self.assertEqual(OWN, self.switch()["active"]["engine"])
