#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Switches a server with many pictures to a mirror and back while clients read, write, replace and delete without a
pause, and reports what they noticed.

    test/load/mirror_bench.py [--images 10000] [--clients 32] [--rounds 3] [--seconds 15] [--from rocksdb]
                              [--to filesystem] [--folder /tmp]

The pictures are the real ones of test/data/pictures, each changed by a comment of its own. A client knows the bytes of
the pictures that it writes: what it reads of them is stale where it differs from the last acknowledged write. It also
reads pictures of other clients, whose bytes must fit their ETag. One round is: copy into an empty mirror, follow, switch,
go on, switch back, go on, abandon. At the end both stores are compared by the server, byte for byte. For the engine
postgresql, it starts a database without a standby below the folder of temporary files; Debian's Python, for which
psycopg2 is installed, runs this.

Prints requests, failures, stale answers, the longest hold of writes, the p99 of reads without a mirror, while copying,
and while following, and the growth of the server's own memory. Exit code 1 if a request failed or was stale, if the
stores differ, if writes were held for more than a second, or if the p99 of reads while copying was more than twice that
without a mirror. The clients share the processors with the server, so the times are comparable with each other only.
"""
import argparse
import contextlib
import itertools
import multiprocessing
import pathlib
import random
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
import harness  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIRROR = "/api/system/mirror"
PROCESSES = 4
PHASES = ("quiet", "copying", "following", "switched")
LARGEST = 120_000
MOST_HELD = 1000        # milliseconds
MOST_OF_QUIET = 2.0     # p99 of reads
DATABASE = "postgresql"


def sources():
    folder = ROOT / "test/data/pictures"
    files = [*folder.glob("png/*.png"), *folder.glob("jpeg/*.jpg"), *folder.glob("svg/*.svg")]
    found = [(f.name, f.read_bytes()) for f in sorted(files)]
    found = [(name, data) for name, data in found if len(data) <= LARGEST]
    # The tiny ones are many; each size has about the same share.
    return [one for one in found if len(one[1]) > 1000] * 3 + found


def with_comment(name, data, text):
    """The same picture, with a comment of its own."""
    text = text.encode()
    if name.endswith(".png"):
        content = b"tEXt" + b"Comment\0" + text
        chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
        return data[:-12] + chunk + data[-12:]
    if name.endswith(".jpg"):
        return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]
    return data + b"\n<!-- " + text + b" -->\n"


class Client:
    """One connection with pictures of its own."""

    def __init__(self, number, options, server, token, phase, ending, others):
        self.number, self.options, self.phase, self.ending = number, options, phase, ending
        self.random = random.Random(number)
        self.sources = sources()
        self.client = harness.Client(server, keep=True, timeout=120)
        self.client.token = token
        self.own = {}       # key -> bytes' hash
        self.deleted = []
        self.serial = itertools.count()
        self.others = others
        self.problems = []
        self.reads = {name: [] for name in PHASES}
        self.writes = {name: [] for name in PHASES}
        self.requests = 0

    def fill(self, count):
        for _ in range(count):
            self.upload()

    def run(self):
        while not self.ending.value and len(self.problems) < 20:
            what = self.random.random()
            try:
                if what < 0.50:
                    self.read_own()
                elif what < 0.80:
                    self.read_other()
                elif what < 0.92:
                    self.replace()
                elif what < 0.96:
                    self.delete()
                else:
                    self.upload()
            except Exception as e:  # noqa: BLE001: each is a failed request
                self.problems.append(f"failed: {type(e).__name__}: {e}")

    def timed(self, kind, send):
        phase = PHASES[self.phase.value]
        begun = time.monotonic()
        answer = send()
        kind[phase].append(time.monotonic() - begun)
        self.requests += 1
        return answer

    def read_own(self):
        if self.deleted and self.random.random() < 0.1:
            key, expected = self.random.choice(self.deleted), None
        else:
            key = self.random.choice(list(self.own)) if len(self.own) < 50 else self.random.choice(self.keys)
            expected = self.own.get(key)
        headers = {"If-None-Match": f'"{expected}"'} if expected and self.random.random() < 0.5 else {}
        answer = self.timed(self.reads, lambda: self.client.image(key, headers=headers))
        if expected is None:
            if answer.status != 404:
                self.problems.append(f"stale: {key} was deleted: {answer}")
        elif answer.status == 304:
            if not headers:
                self.problems.append(f"failed: {key}: {answer}")
        elif answer.status != 200:
            self.problems.append(f"failed: {key}: {answer}")
        elif headers or harness.sha256(answer.body) != expected:
            self.problems.append(f"stale: {key}")

    def read_other(self):
        name, count = self.random.choice(self.others)
        key = f"{name}-{self.random.randrange(count)}"
        answer = self.timed(self.reads, lambda: self.client.image(key))
        if answer.status == 404:
            return
        if answer.status != 200 or harness.sha256(answer.body) != (answer.header("ETag") or "").strip('"'):
            self.problems.append(f"failed: {key}: {answer}")

    @property
    def keys(self):
        return tuple(self.own)

    def picture(self, text):
        name, data = self.random.choice(self.sources)
        return with_comment(name, data, text)

    def wanted(self, answer, what):
        if answer.status == 200:
            return True
        self.problems.append(f"failed: {what}: {answer}")
        return False

    def upload(self):
        key = f"c{self.number}-{next(self.serial)}"
        data = self.picture(key)
        if self.wanted(self.timed(self.writes, lambda: self.client.upload(key, data)), f"upload of {key}"):
            self.own[key] = harness.sha256(data)

    def replace(self):
        key = self.random.choice(self.keys)
        data = self.picture(f"{key} {self.random.random()}")
        if self.wanted(self.timed(self.writes, lambda: self.client.replace(key, key, data)), f"replacement of {key}"):
            self.own[key] = harness.sha256(data)

    def delete(self):
        if len(self.own) < 20:
            return
        key = self.random.choice(self.keys)
        if self.wanted(self.timed(self.writes, lambda: self.client.delete(f"/api/images/tenant/{key}")),
                       f"deletion of {key}"):
            del self.own[key]
            self.deleted.append(key)

    def check(self):
        """Every picture as it was acknowledged."""
        for key, expected in self.own.items():
            answer = self.client.image(key)
            if answer.status != 200 or harness.sha256(answer.body) != expected:
                self.problems.append(f"lost or other bytes: {key}: {answer.status}")


def process(numbers, options, server, token, phase, ending, filled, begin, results):
    each = options.images // options.clients
    others = [(f"c{n}", each) for n in range(options.clients)]
    clients = [Client(n, options, server, token, phase, ending, others) for n in numbers]

    def all_of(work):
        threads = [threading.Thread(target=work, args=(c,)) for c in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_of(lambda c: c.fill(each))
    for c in clients:
        c.reads = {name: [] for name in PHASES}
        c.writes = {name: [] for name in PHASES}
        c.requests = 0
    filled.release()
    begin.wait()
    all_of(lambda c: c.run())
    requests = sum(c.requests for c in clients)
    all_of(lambda c: c.check())
    results.put((requests, [p for c in clients for p in c.problems],
                 {name: [t for c in clients for t in c.reads[name]] for name in PHASES},
                 {name: [t for c in clients for t in c.writes[name]] for name in PHASES},
                 sum(len(c.own) for c in clients)))


def own_memory(pid):
    """MiB of the server's process that are no pages of files."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no memory of process {pid}")


class Memory(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.is_ending = pid, 0.0, False

    def run(self):
        while not self.is_ending:
            self.most = max(self.most, own_memory(self.pid))
            time.sleep(0.05)

    def take(self):
        most, self.most = self.most, 0.0
        return most


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] * 1000 if values else float("nan")


class Operator:
    def __init__(self, server):
        self.client = server.client(harness.SYSADMIN, keep=True, timeout=600)

    def state(self):
        answer = self.client.get(MIRROR)
        if answer.status != 200:
            raise SystemExit(f"the state of the mirror: {answer}")
        return answer.json()

    def wait_for(self, is_wanted):
        while not is_wanted(now := self.state()):
            if now["state"] == "failed":
                raise SystemExit(f"the mirror failed: {now}")
            time.sleep(0.02)
        return now

    def start(self, engine, **where):
        answer = self.client.post(MIRROR + "/start", {"engine": engine, **where})
        if answer.status != 200:
            raise SystemExit(f"the mirror does not start: {answer}")

    def switch(self):
        """Returns how long writes were held, in milliseconds, and how often it was refused before."""
        for refused in itertools.count():
            self.wait_for(lambda now: now.get("canSwitch"))
            answer = self.client.post(MIRROR + "/switch")
            if answer.status == 200:
                return answer.json()["lastSwitch"]["heldMilliseconds"], refused
            if answer.status != 400 or "nothing has changed" not in answer.json()["message"]:
                raise SystemExit(f"the switch: {answer}")

    def verify(self):
        answer = self.client.post(MIRROR + "/verify")
        if answer.status != 200:
            raise SystemExit(f"the verification does not begin: {answer}")
        return self.wait_for(lambda now: not now["verifying"] and "verified" in now)["verified"]

    def abandon(self):
        answer = self.client.post(MIRROR + "/stop", {"abandon": True})
        if answer.status != 200:
            raise SystemExit(f"the mirror is not abandoned: {answer}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15, help="of each phase that has no end of its own")
    parser.add_argument("--from", dest="source", default="rocksdb")
    parser.add_argument("--to", default="filesystem")
    parser.add_argument("--folder", type=pathlib.Path, help="for the data, instead of a temporary one")
    options = parser.parse_args()
    with contextlib.ExitStack() as ending:
        environment, target = {}, lambda number: {"path": f"mirror-{number}"}
        if DATABASE in (options.source, options.to):
            # psycopg2 is required for this engine only.
            sys.path.insert(0, str(ROOT / "test/cluster"))
            from single_postgres import SinglePostgres
            database = ending.enter_context(SinglePostgres())
            environment = {"MIRROR_ALLOWED_HOSTS": f"127.0.0.1:{database.port}",
                           "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"}
            if options.source == DATABASE:
                environment["STORAGE_POSTGRESQL_DSN"] = database.dsn()
            else:
                def target(number):
                    return {"options": {"dsn": database.dsn(), "schema": f"mirror{number}", "allow_unreplicated": "true"}}
        server = ending.enter_context(harness.Server(plugin=options.source, data=options.folder, environment=environment))
        return run(options, server, target)


def failures(problems, verified, holds, quiet, copying):
    """Why the exit code is 1. @p holds: milliseconds. @p quiet, @p copying: the p99 of reads in milliseconds."""
    found = problems[:20]
    if not verified["same"] or verified["repaired"]:
        found.append("the stores differ")
    if max(holds) > MOST_HELD:
        found.append(f"writes were held for {max(holds)} ms, more than {MOST_HELD} ms")
    if not copying <= MOST_OF_QUIET * quiet:  # also if nothing was read
        found.append(f"the p99 of reads while copying is {copying:.1f} ms, more than {MOST_OF_QUIET} times {quiet:.1f} ms")
    return found


def run(options, server, target):
    """@p target: where the mirror of a round is."""
    token = server.client().token
    operator = Operator(server)
    phase, ending = multiprocessing.Value("i", 0, lock=False), multiprocessing.Value("i", 0, lock=False)
    filled, begin, results = multiprocessing.Semaphore(0), multiprocessing.Event(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=process, args=(
        range(i, options.clients, PROCESSES), options, server, token, phase, ending, filled, begin, results))
        for i in range(PROCESSES)]
    begun = time.monotonic()
    for each in processes:
        each.start()
    for _ in processes:
        filled.acquire()
    print(f"{options.images} pictures uploaded in {time.monotonic() - begun:.0f} s", flush=True)
    memory = Memory(server.process.pid)
    memory.start()
    begin.set()

    def stay(name):
        phase.value = PHASES.index(name)
        time.sleep(options.seconds)

    stay("quiet")
    stay("quiet")
    usual, most, holds, refused = memory.take(), 0.0, [], 0
    for number in range(options.rounds):
        phase.value = PHASES.index("copying")
        begun = time.monotonic()
        operator.start(options.to, **target(number))
        operator.wait_for(lambda now: now["state"] == "following" and now.get("canSwitch"))
        copied = time.monotonic() - begun
        stay("following")
        most = max(most, memory.take())
        for _ in range(2):
            held, before = operator.switch()
            holds.append(held)
            refused += before
            stay("switched")
        print(f"round {number + 1}: copied in {copied:.1f} s; writes held for {holds[-2]} and {holds[-1]} ms", flush=True)
        if number + 1 < options.rounds:
            operator.abandon()
    ending.value = 1
    found = [results.get() for _ in processes]
    for each in processes:
        each.join()
    memory.is_ending = True
    memory.join()
    verified = operator.verify()
    problems = [p for one in found for p in one[1]]
    reads = {name: [t for one in found for t in one[2][name]] for name in PHASES}
    writes = {name: [t for one in found for t in one[3][name]] for name in PHASES}
    quiet = percentile(reads["quiet"], 0.99)
    print(f"{sum(one[0] for one in found)} requests by {options.clients} clients, {len(holds)} switches ({refused} refused "
          f"before), {len(problems)} failed or stale; {sum(one[4] for one in found)} pictures left, each checked")
    print(f"writes held for at most {max(holds)} ms; slowest write {max(t for w in writes.values() for t in w) * 1000:.0f} ms")
    for name in PHASES:
        p99 = percentile(reads[name], 0.99)
        print(f"reads, {name}: {len(reads[name])}, p50 {percentile(reads[name], 0.5):.1f} ms, p99 {p99:.1f} ms, "
              f"{p99 / quiet:.2f} of quiet; writes: {len(writes[name])}, p99 {percentile(writes[name], 0.99):.1f} ms")
    print(f"memory of the server: {usual:.0f} MiB without a mirror, {most:.0f} MiB with one, {most - usual:+.0f} MiB")
    print(f"verified: {verified}")
    found = failures(problems, verified, holds, quiet, percentile(reads["copying"], 0.99))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
