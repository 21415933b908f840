# SPDX-License-Identifier: Apache-2.0
"""Imaging workers that crash, hang or use up their memory cost one upload a clear 400 and nobody else anything.

The server runs from a copy of its installation whose worker misbehaves when a picture asks for it.
"""
import base64
import concurrent.futures
import os
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

import harness
from harness import png, quote
from unharmed import Unharmed


class Workers(Unharmed):
    environment = {"IMAGE_TIMEOUT": "5s", "IMAGE_WORKERS": "2", "IMAGE_WORKER_MEMORY": "128MiB",
                   "IMAGE_MAX_QUEUED": "24"}

    @classmethod
    def setUpClass(cls):
        built = harness.BUILD
        worker = built / "lib" / "gallery" / "gallery-imaging-test-worker"
        if not worker.is_file():
            raise unittest.SkipTest(f"{worker} is not built")
        cls.folder = tempfile.TemporaryDirectory(prefix="gallery-workers-")
        root = pathlib.Path(cls.folder.name)
        (root / "bin").mkdir()
        (root / "etc").mkdir()
        (root / "lib" / "gallery").mkdir(parents=True)
        shutil.copy2(built / "bin" / "gallery-server", root / "bin")
        shutil.copy2(worker, root / "lib" / "gallery" / "gallery-imaging-worker")
        shutil.copytree(built / "lib" / "gallery" / "plugins", root / "lib" / "gallery" / "plugins")
        for path in [root, *root.rglob("*")]:
            path.chmod(0o755)
        libraries = f"{built / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
        cls.environment = {**cls.environment, "LD_LIBRARY_PATH": libraries}
        try:
            harness.BUILD = root
            super().setUpClass()
        except BaseException:
            cls.folder.cleanup()
            raise
        finally:
            harness.BUILD = built

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def ask(self, what, name="ask.png"):
        return self.tenant.upload(name, b"GALLERY-TEST:" + what.encode())

    def test_a_crash_is_one_uploads_400(self):
        with self.nothing_is_stored(crashes=1):
            self.assertError(400, 31, self.ask("crash"), "cannot be decoded", "decoder failed")

    def test_the_log_names_the_request_whose_picture_ended_a_worker(self):
        self.assertStatus(200, self.tenant.upload("named.png", png(text="named")))
        document = harness.export_document("named.png", b"GALLERY-TEST:crash")
        embedded = {"image": "data:image/png;base64," + base64.b64encode(b"GALLERY-TEST:crash").decode()}
        for answer in (self.ask("crash"), self.tenant.replace("named.png", "n.png", b"GALLERY-TEST:crash"),
                       self.tenant.put("/api/image/import", document),
                       self.tenant.post("/api/images/extract", embedded)):
            self.assertError(400, 31, answer, "decoder failed")
            self.server.wait_for_log(f"bytes of the request [{answer.json()['requestId']}]")

    def test_nonsense_from_a_worker_is_one_uploads_400(self):
        with self.nothing_is_stored(crashes=1):
            self.assertError(400, 31, self.ask("garbage"), "cannot be decoded", "decoder failed")

    def test_a_worker_that_hangs_or_spins_is_ended_at_its_deadline(self):
        for what in ("hang", "spin"):
            with self.subTest(what), self.nothing_is_stored(timeouts=1):
                self.assertError(400, 31, self.ask(what), "cannot be decoded", "5 seconds")
                # The same bytes are not tried again.
                self.assertError(400, 31, self.ask(what), "cannot be decoded", "short time ago")

    def test_a_worker_that_uses_up_its_memory_is_one_uploads_400(self):
        with self.nothing_is_stored(exhausted=1):
            self.assertError(400, 31, self.ask("memory"), "cannot be decoded", "128 MiB")

    def test_a_worker_can_open_and_reach_nothing(self):
        with self.nothing_is_stored():
            self.assertEqual("confined", self.ask("probe").json()["message"])

    def test_imports_and_replacements_meet_the_same(self):
        self.assertStatus(200, self.tenant.upload("kept.png", png(text="kept")))
        with self.nothing_is_stored(crashes=2):
            self.assertError(400, 31, self.tenant.replace("kept.png", "n.png", b"GALLERY-TEST:crash"), "decoder failed")
            document = harness.export_document("kept.png", b"GALLERY-TEST:crash")
            self.assertError(400, 31, self.tenant.put("/api/image/import", document), "decoder failed")
        self.assertEqual(png(text="kept"), self.tenant.image("kept.png").body)

    def test_one_tenants_queue_keeps_no_other_tenant_waiting(self):
        # Each picture occupies one of the two workers for a second: first come, first served would be 12 s.
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            flood = [pool.submit(self.ask, f"slow {i}") for i in range(40)]
            while self.measures("gallery_imaging_")["queued"] < 20:
                pass
            waits = []
            for i in range(4):
                began = time.monotonic()
                info = self.assertStatus(200, self.admin.upload(f"prompt-{i}.png", png(text=f"prompt {i}"))).json()
                waits.append(time.monotonic() - began)
                self.admin.delete(f"/api/images/system/{info['resourceKey']}")
            self.assertGreater(self.measures("gallery_imaging_")["queued"], 0)
            answers = [f.result() for f in flood]
        self.assertLess(max(waits), 4)
        refused = [a for a in answers if a.status == 429]
        self.assertEqual(40, len(refused) + sum(a.status == 400 and a.json()["message"] == "slow" for a in answers))
        self.assertTrue(refused)
        for answer in refused:
            self.assertIn("At most 24 pictures of a tenant can wait", answer.json()["message"])
            self.assertGreaterEqual(int(answer.header("Retry-After")), 1)

    def test_a_worker_that_is_killed_from_outside_costs_no_upload(self):
        before, lost = self.contents(), self.lost_workers()
        starts = self.measures("gallery_imaging_")["worker_starts_total"]
        answer = self.ask("killed")  # each time by a signal that no decoder sends itself
        self.assertEqual((503, "The server cannot do this at the moment. Try again later."),
                         (answer.status, answer.json()["message"]))
        self.assertEqual((before, lost), (self.contents(), self.lost_workers()))
        self.assertEqual(3, self.measures("gallery_imaging_")["interrupted_total"])
        # Each of them is replaced.
        while self.measures("gallery_imaging_")["worker_starts_total"] < starts + 3:
            pass

    def test_nobody_else_is_harmed_while_workers_are_lost(self):
        kept = self.assertStatus(200, self.tenant.upload("served.png", png(text="served"))).json()
        bad = ["crash", "hang twice", "memory", "garbage", "spin twice", "crash", "garbage", "memory"]
        over = threading.Event()

        def good_citizen(number):
            """Uploads and downloads until the others are through; every answer is the right one."""
            client, rounds = self.server.client(), 0
            while not over.is_set() or rounds == 0:
                data = png(5, 5, text=f"good {number} {rounds}")
                info = client.upload(f"good-{number}.png", data)
                self.assertEqual(200, info.status, info)
                key = info.json()["resourceKey"]
                self.assertEqual(data, client.image(key).body)
                self.assertEqual(png(text="served"), self.anonymous.get(kept["publicLink"]).body)
                self.assertEqual(200, client.delete("/api/images/tenant/" + quote(key)).status)
                rounds += 1
            return rounds

        with self.nothing_is_stored(crashes=4, timeouts=2, exhausted=2), \
                concurrent.futures.ThreadPoolExecutor(8) as pool:
            citizens = [pool.submit(good_citizen, i) for i in range(4)]
            try:
                answers = list(pool.map(lambda item: self.ask(item[1], f"bad-{item[0]}.png"), enumerate(bad)))
            finally:
                over.set()
            for answer in answers:
                self.assertError(400, 31, answer, "cannot be decoded")
            self.assertTrue(all(c.result() > 0 for c in citizens))


if __name__ == "__main__":
    unittest.main()
