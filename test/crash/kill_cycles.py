#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real server with SIGKILL at random moments while clients write, starts it again, and holds it to what it
acknowledged.

Each client has images of its own and remembers, for each, the states that it may be in: the acknowledged one, and
while a request is under way also the one that the request would make. After each restart every image must be in one of
its states, byte for byte, with the title and etag that belong to them; the list must name exactly the images that are
there; and no other image may be there. Some of the kills hit the start itself. At the end the server is stopped and
`gallery-admin verify` hashes everything again.

usage: kill_cycles.py [--cycles N] [--plugin NAME] [--clients N] [--seed N] [--keep]
exit code: 0 where everything held, 1 otherwise; says the seed, so that a run can be repeated as far as time allows.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
import harness  # noqa: E402

IMAGES_PER_CLIENT = 12
LOAD_SECONDS = (0.02, 1.5)  # from when the clients begin until the kill
START_KILLS = 0.15          # share of the cycles whose start is killed, too
PAGE = 50


class Violation(Exception):
    """The server did not keep a promise."""


class Pictures:
    """Distinct valid pictures: mostly tiny, some large enough to lie in files of their own."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.count = 0
        self.noise = [bytes(self.random.randrange(256) for _ in range(3)) for _ in range(64)]
        self.large = [self._noisy(side) for side in (120, 200, 320)]

    def _noisy(self, side):
        import struct
        import zlib
        rows = b"".join(b"\0" + self.random.randbytes(3 * side) for _ in range(side))
        return struct.pack(">II", side, side), zlib.compress(rows, 1)

    def next(self, chooser):
        with self.lock:
            self.count += 1
            text = f"picture {self.count} " + "x" * chooser.randrange(2000)
        if chooser.random() < 0.7:
            return harness.png(chooser.randrange(1, 40), chooser.randrange(1, 40), chooser.choice(self.noise), text)
        return self._large(chooser.choice(self.large), text)

    @staticmethod
    def _large(picture, text):
        import struct
        import zlib
        size, data = picture

        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + bytes((8, 2, 0, 0, 0)))
                + chunk(b"tEXt", b"Comment\0" + text.encode()) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


class Image:
    """States are (bytes, title), or None where there is no image."""

    def __init__(self):
        self.states = [None]

    @property
    def settled(self):
        return len(self.states) == 1

    def present(self):
        return self.states[0] is not None


class Writer:
    """One client. Runs until the server is gone; every request is recorded before it is sent."""

    refusals = (503,)  # the statuses of a write that a server in trouble may answer

    def __init__(self, number, server, token, pictures, seed):
        self.number, self.server, self.pictures = number, server, pictures
        self.random = random.Random(seed)
        self.token = token
        self.images = {}
        self.serial = 0
        self.acknowledged = 0
        self.problem = None
        self.is_stopping = threading.Event()

    def run(self):
        client = harness.Client(self.server, keep=True, timeout=30)
        client.token = self.token
        try:
            while not self.is_stopping.is_set():
                self.step(client)
        except (OSError, http.client.HTTPException):
            return  # killed
        except Violation as e:
            self.problem = str(e)
        except Exception as e:  # noqa: BLE001: a mistake of this program must not look like success
            self.problem = f"{type(e).__name__}: {e}"
        finally:
            if client.connection:
                client.connection.close()

    def step(self, client):
        present = [key for key, image in self.images.items() if image.settled and image.present()]
        what = self.random.random()
        if not present or (what < 0.4 and len(present) < IMAGES_PER_CLIENT):
            self.upload(client)
        elif what < 0.7:
            self.replace(client, self.random.choice(present))
        elif what < 0.8:
            self.rename(client, self.random.choice(present))
        else:
            self.delete(client, self.random.choice(present))

    def request(self, image, new_state, send):
        """Sends a write. Until it is acknowledged both states are possible."""
        old = image.states[0]
        image.states = [old, new_state]
        answer = send()
        if answer.status in self.refusals:
            if b"Nothing was changed" in answer.body:
                image.states = [old]
            return None  # otherwise the outcome is unknown; the image is left alone until the check
        if answer.status != 200:
            raise Violation(f"client {self.number}: expected 200, found {answer}")
        image.states = [new_state]
        self.acknowledged += 1
        return answer

    def upload(self, client):
        self.serial += 1
        key = f"c{self.number}-{self.serial}.png"
        data = self.pictures.next(self.random)
        image = self.images[key] = Image()
        answer = self.request(image, (data, key), lambda: client.upload(key, data))
        if answer is not None and answer.json()["resourceKey"] != key:
            raise Violation(f"uploaded {key}, which was free, and it became {answer.json()['resourceKey']}")

    def replace(self, client, key):
        data = self.pictures.next(self.random)
        image = self.images[key]
        self.request(image, (data, image.states[0][1]), lambda: client.replace(key, "other.png", data))

    def rename(self, client, key):
        image = self.images[key]
        title = f"title {self.random.randrange(1 << 30)}"
        state = (image.states[0][0], title)
        self.request(image, state, lambda: client.put(f"/api/images/tenant/{key}/info", {"title": title}))

    def delete(self, client, key):
        self.request(self.images[key], None, lambda: client.delete(f"/api/images/tenant/{key}"))


def listed(client):
    """key -> TbResourceInfo of all images, by the pages of the list."""
    found, page = {}, 0
    while True:
        answer = client.list(pageSize=PAGE, page=page)
        if answer.status != 200:
            raise Violation(f"listing: {answer}")
        data = answer.json()
        for info in data["data"]:
            if info["resourceKey"] in found:
                raise Violation(f"{info['resourceKey']} is listed twice")
            found[info["resourceKey"]] = info
        if not data["hasNext"]:
            if data["totalElements"] != len(found):
                raise Violation(f"the list counts {data['totalElements']} images and has {len(found)}")
            return found
        page += 1


def describe(states):
    return " or ".join("absent" if s is None else f"{len(s[0])} bytes {harness.sha256(s[0])[:12]} '{s[1]}'" for s in states)


def check(server, token, writers, samples, settles=True):
    """Compares everything with what may be there, and settles what was under way."""
    client = harness.Client(server, keep=True)
    client.token = token
    listing = listed(client)
    outcomes = {"happened": 0, "did not": 0}
    images = 0
    for writer in writers:
        for key, image in list(writer.images.items()):
            info = listing.pop(key, None)
            answer = client.image(key)
            if info is None:
                if answer.status != 404:
                    raise Violation(f"{key} is not listed, but downloading it gives {answer}")
                state = None
            else:
                if answer.status != 200:
                    raise Violation(f"{key} is listed, but downloading it gives {answer}")
                etag = harness.sha256(answer.body)
                for where, value in (("list", info["etag"]), ("ETag", (answer.header("ETag") or "").strip('"')),
                                     ("descriptor", info["descriptor"]["etag"])):
                    if value != etag:
                        raise Violation(f"{key}: the bytes have the hash {etag}, its {where} says {value}")
                if info["descriptor"]["size"] != len(answer.body):
                    raise Violation(f"{key}: {len(answer.body)} bytes, its descriptor says {info['descriptor']['size']}")
                public = client.get(info["publicLink"], authenticate=False)
                if public.status != 200 or public.body != answer.body:
                    raise Violation(f"{key}: its public link gives {public}")
                preview = client.image(key, suffix="/preview")
                if preview.status != 200 or harness.sha256(preview.body) != info["descriptor"]["previewDescriptor"]["etag"]:
                    raise Violation(f"{key}: its preview does not fit its descriptor: {preview.status}")
                state = (answer.body, info["title"])
                images += 1
            if state not in image.states:
                raise Violation(f"{key}: expected {describe(image.states)}, found {describe([state])}")
            if not image.settled:
                outcomes["happened" if state == image.states[1] else "did not"] += 1
            if not settles:
                continue
            if state is None:
                del writer.images[key]  # names are never used twice
            else:
                image.states = [state]
    strangers = [key for key in listing if key not in samples]
    if strangers:
        raise Violation(f"images that nobody acknowledged or sent: {strangers}")
    missing = [key for key in samples if key not in listing]
    if missing:
        raise Violation(f"images that nobody deleted are gone: {missing}")
    if client.connection:
        client.connection.close()
    return images, outcomes


def verify(server):
    command = [str(harness.BUILD / "bin" / "gallery-admin"), "verify", "--json"]
    done = subprocess.run(command, env=server.environment(), cwd=server.data, capture_output=True, text=True, timeout=600,
                          check=False)
    if done.returncode != 0:
        raise Violation(f"gallery-admin verify ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def work_until(end, writers, cycle, others=()):
    """The writers, and other threads that have a `problem`, work until end() has ended the server."""
    threads = [*others, *(threading.Thread(target=w.run) for w in writers)]
    for thread in threads:
        thread.start()
    end()
    for thread in threads:
        thread.join()
    for each in (*others, *writers):
        if each.problem:
            raise Violation(f"cycle {cycle}: {each.problem}")


def run(options, server):
    chooser = random.Random(options.seed)
    pictures = Pictures(options.seed)
    server.start()
    administrator = server.client()
    token = administrator.token
    samples = set(listed(administrator))
    writers = [Writer(n, server, token, pictures, chooser.random()) for n in range(options.clients)]
    under_way = {"happened": 0, "did not": 0}

    def kill_soon():
        time.sleep(chooser.uniform(*LOAD_SECONDS))
        server.kill()

    begun = time.monotonic()
    images = 0
    for cycle in range(1, options.cycles + 1):
        work_until(kill_soon, writers, cycle)
        while chooser.random() < START_KILLS:
            server.start(wait=False)
            time.sleep(chooser.uniform(0, 0.4))
            server.kill()
        server.start()
        try:
            images, outcomes = check(server, token, writers, samples)
        except Violation as e:
            raise Violation(f"after cycle {cycle}: {e}") from e
        for name, count in outcomes.items():
            under_way[name] += count
        if cycle % 20 == 0:
            print(f"{cycle} cycles, {sum(w.acknowledged for w in writers)} writes acknowledged, {images} images", flush=True)
    if server.terminate() != 0:
        raise Violation(f"a graceful stop ended with {server.process.returncode}")
    report = verify(server)
    acknowledged = sum(w.acknowledged for w in writers)
    print(f"{options.plugin}: {options.cycles} kills in {time.monotonic() - begun:.0f} s; {acknowledged} acknowledged writes "
          f"all held; of {sum(under_way.values())} under way {under_way['happened']} happened; {images} images left; "
          f"verify: {report['images']} images, {report['bodies']} bodies, {report['indexEntries']} index entries, sound")
    if acknowledged == 0:
        raise Violation("no write was acknowledged, so nothing was tested")


def make_parser(description, cycles, clients):
    """With the options that the tests with kills have in common."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=cycles)
    parser.add_argument("--clients", type=int, default=clients)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="leave the data folder where something was wrong")
    return parser


def exit_code_of(work, options, server, again):
    """Calls work(options, server), and removes the server and its data. `again`: the options that repeat the run."""
    failed = True
    try:
        work(options, server)
        failed = False
    except (Violation, AssertionError) as e:
        print(f"FAILED with {again}: {e}\nthe server's log ends:\n{server.log()}")
    finally:
        server.kill()
        if failed and options.keep:
            print(f"data: {server.data}")
        else:
            server.stop()
    return 1 if failed else 0


def main():
    parser = make_parser(__doc__, cycles=5, clients=8)
    parser.add_argument("--plugin", default=os.environ.get("STORAGE_PLUGIN", "rocksdb"))
    options = parser.parse_args()
    return exit_code_of(run, options, harness.Server(plugin=options.plugin),
                        f"--plugin {options.plugin} --seed {options.seed}")


if __name__ == "__main__":
    sys.exit(main())
