# SPDX-License-Identifier: Apache-2.0
"""A full disk, in the eyes of a client: pictures are served and deleted, people log out, keys are revoked; also after a
kill."""
import os
import subprocess
import tempfile
import time
import unittest

import small_disks
from harness import Client, Server, free_port, png, scrape

IMAGES = 40


class FullDisk(unittest.TestCase):
    @small_disks.needs_mounts
    def test_a_full_disk_serves_and_takes_what_frees_space_or_takes_rights_away(self):
        for plugin in ("rocksdb", "filesystem"):
            with self.subTest(plugin), tempfile.TemporaryDirectory(prefix="gallery-disk-") as folder:
                small_disks.mount(folder, "size=300m")
                try:
                    self.run_on(plugin, folder)
                finally:
                    subprocess.run(["umount", folder], check=True)

    def run_on(self, plugin, folder):
        metrics = free_port()
        server = Server(plugin, environment={"STORAGE_PATH": os.path.join(folder, "storage"),
                                             "METRICS_BIND_PORT": str(metrics)})
        try:
            server.start()
            client = server.client()
            images = {f"{number}.png": png(text=f"{number}" + "x" * 50_000) for number in range(2 * IMAGES)}
            for name, data in images.items():
                self.assertEqual(200, client.upload(name, data).status)
            keys = [client.post("/api/apiKey", {"description": str(number)}).json() for number in range(IMAGES)]
            sessions = [server.client() for _ in range(IMAGES)]
            names = list(images)

            reserve = self.reserve(metrics)
            self.assertGreater(reserve, 0)
            small_disks.fill(folder)
            self.assertEqual(507, client.upload("refused.png", png(text="r" * small_disks.MIB)).status)
            self.take_away(client, images, names[:IMAGES], keys[:IMAGES // 2], sessions[:IMAGES // 2])

            # The engine lends itself the reserve while it tidies. What is lent when the server ends is taken by the
            # other process, and comes back with free space only.
            self.wait_for_reserve(metrics, reserve * 0.9)
            server.kill()
            kept = self.kept_reserve(folder, reserve)
            small_disks.fill(folder)
            server.start()
            client = server.client()
            # The start took what its recovery writes, and nothing has become free since.
            self.wait_for_reserve(metrics, kept * 0.5)
            small_disks.fill(folder)
            self.take_away(client, images, names[IMAGES:], keys[IMAGES // 2:], sessions[IMAGES // 2:])
            for name in names:
                self.assertEqual(404, client.image(name).status)

            os.remove(os.path.join(folder, "ballast"))
            deadline = time.monotonic() + 300  # ends a test that hangs
            while (again := client.upload("again.png", png(text="a" * small_disks.MIB))).status != 200:
                self.assertEqual(507, again.status, again)
                self.assertLess(time.monotonic(), deadline, again)
        finally:
            server.stop()

    def reserve(self, metrics):
        """What the engine keeps for taking away: bytes or files."""
        return next(number for (name, _), number in scrape(metrics).items()
                    if name.startswith("gallery_storage_reserve_"))

    def wait_for_reserve(self, metrics, wanted):
        deadline = time.monotonic() + 600  # ends a test that hangs
        while (now := self.reserve(metrics)) < wanted:
            self.assertLess(time.monotonic(), deadline, f"the reserve is {now}, and not {wanted}")
            time.sleep(0.05)

    def kept_reserve(self, folder, full):
        """Of a server that has ended. Only rocksdb's has a length."""
        file = os.path.join(folder, "storage", "reserve")
        return min(full, os.path.getsize(file)) if os.path.isfile(file) else full

    def take_away(self, client, images, names, keys, sessions):
        for name in names:
            self.assertEqual(images[name], client.image(name).body)
            answer = client.delete(f"/api/images/tenant/{name}")
            self.assertEqual(200, answer.status, answer)
            self.assertEqual(404, client.image(name).status)
        for key in keys:
            answer = client.delete(f"/api/apiKey/{key['id']['id']}")
            self.assertEqual(200, answer.status, answer)
            answer = self.with_key(client, key)
            self.assertEqual(401, answer.status, answer)
        for session in sessions:
            self.assertEqual(200, session.get("/api/auth/user").status)
            answer = session.post("/api/auth/logout")
            self.assertEqual(200, answer.status, answer)
            self.assertEqual(401, session.get("/api/auth/user").status)

    def with_key(self, client, key):
        by_key = Client(client.server)
        by_key.token, by_key.scheme = key["value"], "ApiKey"
        return by_key.get("/api/auth/user")


if __name__ == "__main__":
    unittest.main()
