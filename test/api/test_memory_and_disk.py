# SPDX-License-Identifier: Apache-2.0
"""When the memory for uploads or the disk is full: 503 with Retry-After, 507, and afterwards all goes on."""
import os
import subprocess
import tempfile
import time
import unittest

from harness import Server, multipart, png
from unharmed import Unharmed, parse, read_all

MIB = 1024 * 1024


class Logged:
    def assertLogged(self, server, answer, words):
        """The line of the log that has the answer's id, which is written behind the answer."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for line in server.log().splitlines():
                if f"[{answer.header('X-Request-ID')}]" in line:
                    return self.assertIn(words, line)
            time.sleep(0.02)
        raise AssertionError(f"no line of the log has the id of {answer.headers}:\n{server.log()}")


class NoMemory(Unharmed, Logged):
    environment = {"HTTP_UPLOAD_MEMORY": "1MiB", "HTTP_UPLOAD_WAIT": "1s"}

    def test_an_upload_that_finds_no_memory_waits_and_is_then_asked_to_come_again(self):
        body, kind = multipart([("file", "waits.png", "image/png", png(text="x" * MIB))])
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                         "Connection: close")
        with self.nothing_is_stored():
            with self.connected() as first:
                first.sendall(head + body[:1000])
                while self.measures("gallery_upload")["_bytes"] < MIB:
                    pass
                answer = self.tenant.upload("refused.png", png(text="refused"))
                self.assertError(503, 2, answer, "busy")
                self.assertLogged(self.server, answer, "HTTP_UPLOAD_MEMORY")
                self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
                # Others go on meanwhile: what takes no memory for uploads does not wait.
                self.assertStatus(200, self.tenant.list())
            while self.measures("gallery_upload")["_bytes"] > 0:
                pass


class Memory(Unharmed):
    environment = {"HTTP_UPLOAD_MEMORY": "1MiB", "HTTP_UPLOAD_WAIT": "1s"}

    def test_an_upload_that_waits_is_let_in_when_another_one_ends(self):
        body, kind = multipart([("file", "first.png", "image/png", png(text="f" * MIB))])
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                         "Connection: close")
        small, small_kind = multipart([("file", "second.png", "image/png", png(text="second"))])
        with self.connected() as first, self.connected() as second:
            first.sendall(head + body[:1000])
            while self.measures("gallery_upload")["_bytes"] < MIB:
                pass
            second.sendall(self.head("POST", "/api/image", f"Content-Type: {small_kind}",
                                     f"Content-Length: {len(small)}", "Connection: close") + small)
            while self.measures("gallery_uploads")["_waiting"] < 1:
                pass
            first.sendall(body[1000:])
            self.assertStatus(200, parse(read_all(first)))
            self.assertStatus(200, parse(read_all(second)))


    def test_a_slow_tenant_leaves_room_to_the_others(self):
        body, kind = multipart([("file", "slow.png", "image/png", png(text="s" * (MIB // 2)))])
        head = self.head("POST", "/api/image", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
        large = png(text="l" * (MIB * 3 // 8))
        with self.connected() as slow:
            slow.sendall(head + body[:1000])
            while self.measures("gallery_upload")["_bytes"] < MIB // 2:
                pass
            self.assertError(503, 2, self.tenant.upload("large.png", large), "busy")
            info = self.assertStatus(200, self.admin.upload("large.png", large)).json()
        self.assertStatus(200, self.admin.delete("/api/images/system/" + info["resourceKey"]))
        while self.measures("gallery_upload")["_bytes"] > 0:
            pass


class Documents(Unharmed):
    environment = {"HTTP_UPLOAD_MEMORY": "1MiB", "HTTP_UPLOAD_WAIT": "1s"}

    def test_a_document_takes_the_memory_of_its_text_until_it_has_arrived(self):
        size = MIB // 4
        for route in ("extract", "collect", "inline"):
            with self.subTest(route), self.connected() as slow:
                slow.sendall(self.head("POST", f"/api/images/{route}", "Content-Type: application/json",
                                       f"Content-Length: {size}", "Connection: close") + b"[")
                while self.measures("gallery_upload")["_bytes"] == 0:
                    pass
                self.assertLessEqual(self.measures("gallery_upload")["_bytes"], size)
                # Three times as much for the document would leave no room for this.
                self.assertStatus(200, self.tenant.upload("beside.png", png(text="b" * (MIB * 3 // 8))))
                slow.sendall(b" " * (size - 2) + b"]")
                self.assertStatus(200, parse(read_all(slow)))
            while self.measures("gallery_upload")["_bytes"] > 0:
                pass


class Exports(Unharmed):
    environment = {"HTTP_UPLOAD_MEMORY": "64MiB", "HTTP_UPLOAD_WAIT": "1s"}

    def test_an_export_takes_memory_until_the_client_has_read_it(self):
        key = self.tenant.upload("export.png", png(text="e" * 16 * MIB)).json()["resourceKey"]
        head = self.head("GET", f"/api/images/tenant/{key}/export", "Connection: close")
        with self.connected() as reader:
            reader.sendall(head)
            self.assertIn(b"200", reader.recv(64))
            # The document in Base64; what the kernel has taken of it is in memory all the same.
            self.assertGreater(self.measures("gallery_upload")["_bytes"], 16 * MIB * 4 // 3)
            with self.connected() as second:
                second.sendall(head)
                self.assertError(503, 2, parse(read_all(second)), "busy")
            read_all(reader)
        while self.measures("gallery_upload")["_bytes"] > 0:
            pass


class Downloads(Unharmed):
    """Of what the store does not keep in memory."""
    environment = {"HTTP_UPLOAD_MEMORY": "64MiB", "HTTP_UPLOAD_WAIT": "1s", "STORAGE_ROCKSDB_CACHE_BYTES": "0",
                   "STORAGE_PLUGIN": "rocksdb"}

    def test_images_that_are_read_slowly_take_a_bounded_memory(self):
        key = self.tenant.upload("large.png", png(text="d" * 20 * MIB)).json()["resourceKey"]
        head = self.head("GET", f"/api/images/tenant/{key}", "Connection: close")
        with self.connected() as first, self.connected() as second:
            for reader in (first, second):
                reader.sendall(head)
                self.assertIn(b"200", reader.recv(64))
            with self.connected() as third:
                third.sendall(head)
                self.assertError(503, 2, parse(read_all(third)), "busy")
            # A 304 and another tenant's images take none of it.
            etag = self.tenant.info(key).json()["etag"]
            self.assertStatus(304, self.tenant.image(key, headers={"If-None-Match": f'"{etag}"'}))
            other = self.assertStatus(200, self.admin.upload("other.png", png(text="o" * MIB))).json()["resourceKey"]
            self.assertStatus(200, self.admin.image(other, "system"))
            read_all(first)
            self.assertStatus(200, self.tenant.image(key))
            read_all(second)
        self.assertStatus(200, self.admin.delete("/api/images/system/" + other))


class FullDisk(unittest.TestCase, Logged):
    def test_a_full_disk_is_507_and_when_there_is_room_again_all_goes_on(self):
        for plugin in ("rocksdb", "filesystem"):
            with self.subTest(plugin), tempfile.TemporaryDirectory(prefix="gallery-disk-") as folder:
                mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder],
                                         stderr=subprocess.DEVNULL, check=False)
                if mounted.returncode != 0:
                    self.skipTest("mounting a small file system is not permitted here")
                try:
                    self.fill_and_empty(plugin, folder)
                finally:
                    subprocess.run(["umount", folder], check=True)

    def fill_and_empty(self, plugin, folder):
        server = Server(plugin, environment={"STORAGE_PATH": os.path.join(folder, "storage")})
        try:
            server.start()
            client = server.client()
            kept = {}
            for number in range(8):
                data = png(text=f"{number}" + "x" * 100_000)
                self.assertEqual(200, client.upload(f"{number}.png", data).status)
                kept[f"{number}.png"] = data
            ballast = os.path.join(folder, "ballast")
            with open(ballast, "wb") as file:
                try:
                    while True:
                        file.write(bytes(MIB))
                        file.flush()
                except OSError:
                    pass
            # An engine may have taken room in advance; what it acknowledges there is kept as well.
            for number in range(100, 200):
                data = png(text=f"{number}" + "r" * 4 * MIB)
                refused = client.upload(f"{number}.png", data)
                if refused.status != 200:
                    break
                kept[f"{number}.png"] = data
            self.assertEqual((507, 2), (refused.status, refused.json()["errorCode"]), refused)
            # The client is told nothing of the engine; the log has it under the id of the answer.
            message = refused.json()["message"]
            self.assertNotRegex(message, r"/|STORAGE|rocksdb|filesystem|SST|IO error")
            self.assertLogged(server, refused, "no_space: ")
            for key, data in kept.items():  # what is there is served
                self.assertEqual(data, client.image(key).body)
            self.assertEqual(404, client.info(f"{number}.png").status)
            os.remove(ballast)
            # An engine may look for room only every few seconds; until it found some it says so.
            deadline = time.monotonic() + 60
            while (again := client.upload("again.png", png(text="a" * MIB))).status != 200:
                self.assertEqual(507, again.status, again)
                self.assertLess(time.monotonic(), deadline, again)
            self.assertEqual(len(kept) + 1, client.list().json()["totalElements"] - self.samples(client))
            self.assertEqual(0, server.terminate())
            server.start()
            client = server.client()
            for key, data in kept.items():
                self.assertEqual(data, client.image(key).body)
            self.assertEqual(200, client.info("again.png").status)
            self.assertEqual(404, client.info(f"{number}.png").status)
        finally:
            server.stop()

    def samples(self, client):
        """How many of the tenant's pictures came with --demo."""
        keys = [i["resourceKey"] for i in client.list().json()["data"]]
        return sum(1 for key in keys if not key[0].isdigit() and key != "again.png")


if __name__ == "__main__":
    unittest.main()
