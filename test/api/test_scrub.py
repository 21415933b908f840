# SPDX-License-Identifier: Apache-2.0
"""The scrub of a running server: passes, damage on the disk, restarts, and the tool."""
import time
import unittest

from admin_tool import NOT_PERMITTED, REFUSED, USAGE
from harness import TENANT, Client, png
from shapes import validator
from task_tool import TaskTest

SCRUB = "/api/system/scrub"


class ScrubTest(TaskTest):
    state_at = SCRUB

    def setUp(self):
        self.start_server()

    def restart(self):
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.log_in()

    def upload(self, name, text):
        """Large enough for rocksdb to store it in a file apart from the record."""
        answer = self.tenant.upload(name, png(text=text * 1000))
        self.assertEqual(200, answer.status, answer)
        return answer.json()

    def scrub(self, code=0):
        """A whole pass."""
        return self.json("scrub", "start", "--rate", "0", "--watch", code=code)

    def figure(self, name):
        return self.metrics()["gallery_scrub_" + name, ()]

    def flip(self, data):
        """Changes a byte of the original on the disk, in its place."""
        part = data[60:160]
        flipped = 0
        for path in (self.server.data / "data/storage").rglob("*"):
            if not path.is_file() or path.suffix == ".log":
                continue
            at = path.read_bytes().find(part)
            if at < 0:
                continue
            with open(path, "r+b", buffering=0) as file:
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ 1]))
            flipped += 1
        self.assertGreater(flipped, 0)


class Passes(ScrubTest):
    def test_the_server_waits_for_the_interval_and_a_command_begins_a_pass_at_once(self):
        waiting = self.wait_for(lambda now: now["dueTime"] > 0)
        self.assertEqual(("idle", 0, 0), (waiting["state"], waiting["startedTime"], waiting["completedTime"]))
        week = 7 * 86_400_000
        self.assertAlmostEqual(time.time() * 1000 + week, waiting["dueTime"], delta=600_000)
        for i in range(5):
            self.upload(f"picture {i}.png", f"picture {i}")
        done = self.scrub()
        validator(self.server.client().get("/v3/api-docs").json(), "Scrub").validate(done)
        self.assertEqual(("idle", 0, [], ""), (done["state"], done["damagedBodies"], done["damaged"], done["problem"]))
        self.assertGreaterEqual(done["completedTime"], done["startedTime"])
        self.assertGreaterEqual(done["images"]["done"], 5)
        self.assertEqual(done["images"]["total"], done["images"]["done"])
        self.assertEqual(done["bytes"]["total"], done["bytes"]["done"])
        self.assertGreaterEqual(done["bodies"], done["images"]["done"])
        self.assertAlmostEqual(done["startedTime"] + week, done["dueTime"], delta=1000)
        self.assertEqual(done["bodies"], self.figure("bodies_total"))
        self.assertEqual(done["bytes"]["done"], self.figure("read_bytes_total"))
        self.assertEqual((0, 0), (self.figure("damaged"), self.figure("running")))
        self.assertAlmostEqual(done["completedTime"] / 1000, self.figure("completed_timestamp_seconds"), delta=0.01)
        self.assertAlmostEqual(done["dueTime"] / 1000, self.figure("due_timestamp_seconds"), delta=0.01)
        self.call("scrub", "status", words=["idle", "completed"])

    def test_a_slow_pass_goes_on_after_a_restart_and_can_be_stopped(self):
        self.upload("picture.png", "picture")
        begun = self.json("scrub", "start", "--rate", "1")
        self.assertEqual(("running", 1), (begun["state"], begun["bytesPerSecond"]))
        self.assertEqual(1, self.figure("running"))
        # The server stops at once although the next body is to wait for hours.
        self.restart()
        now = self.wait_for(lambda state: state["state"] == "running")
        self.assertEqual((begun["startedTime"], 1), (now["startedTime"], now["bytesPerSecond"]))
        stopped = self.json("scrub", "stop")
        self.assertEqual(("idle", 0), (stopped["state"], stopped["completedTime"]))
        self.assertIn("stopped", stopped["problem"])
        self.call("scrub", "status", "--watch", code=REFUSED, words=["stopped"])
        self.call("scrub", "stop")
        # A pass that is started again with another rate goes on with it.
        self.call("scrub", "start", "--rate", "1")
        self.assertGreater(self.scrub()["completedTime"], 0)

    def test_only_system_administrators_may_use_it_and_wrong_values_are_refused(self):
        self.call("scrub", "status", who=TENANT, code=NOT_PERMITTED)
        self.assertEqual(403, self.server.client().get(SCRUB).status)
        self.assertEqual(401, Client(self.server).get(SCRUB).status)
        self.assertEqual(400, self.admin.post(SCRUB + "/start", {"bytesPerSecond": -1}).status)
        self.assertEqual(400, self.admin.post(SCRUB + "/start", {"bytesPerSecond": "fast"}).status)
        self.call("scrub", "start", "--rate", "fast", code=USAGE)
        self.assertEqual("idle", self.state()["state"])


class Damage(ScrubTest):
    def test_a_rotten_image_is_found_named_counted_and_forgotten_when_it_is_uploaded_again(self):
        name = "rotten.png"
        data = png(text="rotten" * 1000)
        uploaded = self.tenant.upload(name, data)
        self.assertEqual(200, uploaded.status, uploaded)
        key = uploaded.json()["resourceKey"]
        self.upload("sound.png", "sound")
        self.restart()  # rocksdb writes the bytes into files
        link = uploaded.json()["link"]
        self.assertEqual(200, self.tenant.get(link).status)  # the engine has it in memory
        self.assertEqual(0, self.scrub()["damagedBodies"])
        self.flip(data)
        found = self.scrub(code=REFUSED)
        self.assertEqual(1, found["damagedBodies"])
        damaged = found["damaged"][0]
        self.assertEqual((key, "original"), (damaged["key"], damaged["body"]))
        self.assertEqual(uploaded.json()["tenantId"], damaged["tenantId"])
        validator(self.server.client().get("/v3/api-docs").json(), "Scrub").validate(found)
        self.assertEqual(1, self.figure("damaged"))
        self.call("scrub", "status", words=[key, damaged["tenantId"]["id"]])
        # Known after a restart, and logged once.
        self.restart()
        self.assertEqual(1, self.wait_for(lambda now: now["damagedBodies"] > 0)["damagedBodies"])
        self.scrub(code=REFUSED)
        lines = [line for line in self.server.log_path.read_text().splitlines() if "scrub: damaged" in line]
        self.assertEqual(1, len(lines), lines)
        self.assertIn(key, lines[0])
        self.assertIn(damaged["tenantId"]["id"], lines[0])
        replaced = self.tenant.replace(key, name, png(text="sound" * 1000))
        self.assertEqual(200, replaced.status, replaced)
        self.assertEqual(0, self.scrub()["damagedBodies"])
        self.assertEqual(0, self.figure("damaged"))


class DamageOnFilesystem(Damage):
    plugin = "filesystem"


class Background(ScrubTest):
    options = {"STORAGE_SCRUB_INTERVAL": "1s", "STORAGE_SCRUB_RATE": "0"}

    def test_passes_begin_by_themselves(self):
        first = self.wait_for(lambda now: now["completedTime"] > 0)
        self.wait_for(lambda now: now["completedTime"] > first["completedTime"])


if __name__ == "__main__":
    unittest.main()
