# SPDX-License-Identifier: Apache-2.0
"""gallery-admin rewrite-bodies: images of the rocksdb engine move between its database and files, also if the command
is killed meanwhile."""
import json
import pathlib
import random
import struct
import subprocess
import time
import unittest
import zlib

from admin_tool import BINARY, UNREACHABLE, USAGE, run
from harness import Server, png

LIMIT = "STORAGE_ROCKSDB_BODY_FILE_BYTES"
IMAGES = 60
KILLS = 8


def noise(seed, side):
    """A valid picture that compresses badly: about 3 bytes a pixel."""
    chooser = random.Random(seed)
    rows = b"".join(b"\0" + chooser.randbytes(3 * side) for _ in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


class RewriteBodies(unittest.TestCase):
    def setUp(self):
        self.server = Server("rocksdb", environment={LIMIT: "0"})
        self.addCleanup(self.server.stop)
        self.server.start()
        client = self.server.client()
        self.images = {f"image{n}.png": noise(n, 120 + n) if n % 2 else png(text=str(n)) for n in range(IMAGES)}
        for name, data in self.images.items():
            self.assertEqual(200, client.upload(name, data).status)
        self.images["image1.png"] = noise("new", 150)
        self.assertEqual(200, client.replace("image1.png", "image1.png", self.images["image1.png"]).status)
        self.server.terminate()

    def admin(self, *words):
        return subprocess.run([str(BINARY), *words], env=self.server.environment(), capture_output=True, text=True,
                              cwd=self.server.data, timeout=300)

    def files(self):
        return [p for p in pathlib.Path(self.server.data / "data/storage/bodies").rglob("*") if p.is_file()]

    def expect_all(self):
        report = self.admin("verify", "--json")
        self.assertEqual(0, report.returncode, report.stdout + report.stderr)
        self.server.start()
        client = self.server.client()
        for name, data in self.images.items():
            self.assertEqual(data, client.image(name).body, name)
        self.server.terminate()

    def test_images_move_to_files_and_back(self):
        self.assertEqual(USAGE, run("rewrite-bodies", "--nonsense").returncode)
        self.assertEqual([], self.files())
        self.server.extra[LIMIT] = "32K"
        self.server.start()
        held = self.admin("rewrite-bodies")
        self.assertEqual(UNREACHABLE, held.returncode, held.stderr)
        self.server.terminate()
        done = self.admin("rewrite-bodies", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        report = json.loads(done.stdout)
        large = sum(len(data) >= 32 * 1024 for data in self.images.values())
        self.assertGreaterEqual(report["bodies"], large)
        self.assertEqual([], report["problems"])
        self.assertEqual(report["bodies"], len(self.files()))
        self.assertEqual(report["bytes"], sum(p.stat().st_size for p in self.files()))
        self.expect_all()
        self.assertEqual(0, json.loads(self.admin("rewrite-bodies", "--json").stdout)["bodies"])
        self.server.extra[LIMIT] = "0"
        self.expect_all()
        done = self.admin("rewrite-bodies")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f"{report['bodies']} bodies", done.stdout)
        self.assertEqual([], self.files())
        self.expect_all()

    def test_a_kill_at_any_moment_loses_nothing(self):
        chooser = random.Random(7)
        whole = None
        for attempt in range(KILLS):
            self.server.extra[LIMIT] = ("32K", "0")[attempt % 2]
            begun = time.monotonic()
            command = subprocess.Popen([str(BINARY), "rewrite-bodies", "--quiet"], env=self.server.environment(),
                                       cwd=self.server.data)
            if whole is None:  # the first one is not killed, and shows how long it takes
                self.assertEqual(0, command.wait(300))
                whole = time.monotonic() - begun
                continue
            time.sleep(chooser.uniform(0, whole))
            command.kill()
            command.wait()
            report = self.admin("verify", "--json")
            self.assertEqual(0, report.returncode, report.stdout + report.stderr)
        self.server.extra[LIMIT] = "32K"
        self.assertEqual(0, self.admin("rewrite-bodies").returncode)
        self.expect_all()


if __name__ == "__main__":
    unittest.main()
