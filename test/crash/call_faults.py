#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the N-th system call of the storage engine fail while clients write, for N = 1, 2, ..., and holds the server to what
it acknowledged.

strace attaches to the threads of the server that are not named as threads of the network or of the log, and injects the
error into the N-th call of each. In a part of the cycles the fault hits the start of the server instead, in any thread.
The call, the error, and whether all later calls fail too, are chosen by chance. Synchronising a folder is a call of its
own. First the calls are counted without a fault; for one that is made more rarely than N times, N is reduced modulo that
count.

While the fault lasts, reads may fail with a status of the 500s, but they never return wrong bytes or an image that was
deleted. Without the fault, the running server must have every image in one of the states that its client may expect
(kill_cycles.py). It must take writes again, or refuse them with the text that nothing was changed, and say so at
/health/ready?for=write, or it must have ended with an exit code. After a restart everything is checked again.

usage: call_faults.py [--cycles N] [--first N] [--plugin NAME] [--clients N] [--seed N] [--call NAME] [--each] [--keep]
exit code: 0 where everything held, 1 otherwise, 77 where strace cannot trace; says the seed.
"""
import collections
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from kill_cycles import Pictures, Violation, Writer, check, describe, exit_code_of, listed, make_parser, verify  # noqa: E402

# sync_file_range is left out: Debian's RocksDB asserts that a call without flags, which does nothing, succeeds.
DISK = ("EIO", "ENOSPC")
OPENING = ("EMFILE", "ENFILE", "EIO", "ENOMEM")
CALLS = {
    "rocksdb": {
        "write": (*DISK, "EDQUOT"), "pwrite64": DISK, "fsync": DISK, "fdatasync": DISK, "openat": (*OPENING, "ENOSPC"),
        "rename": DISK, "ftruncate": DISK, "fallocate": DISK, "unlink": ("EIO", "EROFS"), "pread64": ("EIO",),
        "newfstatat": ("EIO",), "mkdirat": (*DISK, "EDQUOT"), "unlinkat": ("EIO", "EROFS"), "getdents64": ("EIO",),
    },
    "filesystem": {
        "write": (*DISK, "EDQUOT"), "pwrite64": DISK, "fsync": DISK, "fdatasync": DISK, "openat": (*OPENING, "ENOSPC"),
        "renameat": DISK, "renameat2": (*DISK, "EINVAL"), "linkat": (*DISK, "EPERM"), "mkdirat": (*DISK, "EDQUOT"),
        "unlinkat": ("EIO", "EROFS"), "ftruncate": DISK, "fallocate": (*DISK, "EOPNOTSUPP"), "getdents64": ("EIO",),
        "read": ("EIO",), "pread64": ("EIO",), "newfstatat": ("EIO",),
    },
}
# Few threads, so that the N-th call of a thread is almost the N-th of the engine; small buffers, so that tables are written.
SETTINGS = {"STORAGE_ROCKSDB_WRITERS": "2", "STORAGE_ROCKSDB_READERS": "1", "STORAGE_ROCKSDB_WRITE_BUFFER_BYTES": "8M",
            "STORAGE_ROCKSDB_CACHE_BYTES": "0", "STORAGE_FILESYSTEM_THREADS": "2", "STORAGE_FILESYSTEM_CACHE_BYTES": "0",
            "STORAGE_FILESYSTEM_OPEN_FILES": "0", "STORAGE_FILESYSTEM_RENAME_EXCHANGE": "never", "HTTP_IO_THREADS": "1"}
OTHER_THREADS = ("io-", "line-log")
STARTS = 0.2            # share of the faults that hit the start
LASTING = 0.35          # share of the faults that last: all later calls fail as well
REACH = 0.7             # share of the counted calls that are expected to come again
LOAD_SECONDS = 3        # for the N-th call to come
MORE_SECONDS = 0.3      # of writing with the fault
RECOVERY_SECONDS = 30   # for the server to decide whether it takes writes
START_SECONDS = 60      # for a start with a fault to end in either way
SKIPPED = 77


class Unavailable(Exception):
    """strace is missing, or may not trace."""


class FaultyWriter(Writer):
    refusals = (500, 503, 507)


Target = collections.namedtuple("Target", "is_start call on_folders")


class Fault:
    """One fault, as options of strace. Without an error it only counts."""

    def __init__(self, target, number=0, error=None, lasts=False, folders=()):
        self.target, self.number, self.error, self.lasts, self.folders = target, number, error, lasts, folders

    def __str__(self):
        return (f"{self.target.call} {self.error} at call {self.number}{' and after' if self.lasts else ''}"
                f"{' on folders' if self.folders else ''}, while it {'starts' if self.target.is_start else 'writes'}")

    def options(self, output):
        inject = f"inject={self.target.call}:error={self.error}:when={self.number}{'+' if self.lasts else ''}"
        return ["-qq", "-y", "-o", str(output), "-e", "signal=none", "-e", f"trace={self.target.call}",
                *(("-e", inject) if self.error else ()), *(word for folder in self.folders for word in ("-P", folder))]


class Tracer:
    """strace, attached to the engine's threads until detach()."""

    def __init__(self, fault, server, output):
        output.unlink(missing_ok=True)
        threads = list(engine_threads(server.process.pid))
        self.process = subprocess.Popen(
            ["strace", *fault.options(output), *(word for thread in threads for word in ("-p", str(thread)))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not all(is_traced(server.process.pid, thread) for thread in threads):
            if self.process.poll() is not None:
                raise Unavailable(f"strace: {self.process.stderr.read().strip()}")
            time.sleep(0.005)

    def detach(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # strace waits for the process, and that for strace, if it is ending
            self.process.kill()
            self.process.wait()


def engine_threads(process):
    for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
        if not (thread / "comm").read_text().startswith(OTHER_THREADS):
            yield int(thread.name)


def is_traced(process, thread):
    try:
        status = pathlib.Path(f"/proc/{process}/task/{thread}/status").read_text()
    except FileNotFoundError:
        return True  # it has ended
    return "TracerPid:\t0\n" not in status


def injections(output):
    return output.read_text(errors="replace").count("(INJECTED)") if output.exists() else 0


def folders_of(plugin, server):
    """Of which the engine synchronises the entries."""
    storage = server.data / "data/storage"
    if plugin == "rocksdb":
        bodies = storage / "bodies"
        return [str(storage / "db"), str(storage), str(bodies), *(str(path) for path in bodies.glob("*"))]
    return [str(path) for path in storage.iterdir() if path.is_dir()]


def calls_of_threads(output, folders):
    """How often the busiest thread made each call: {(call, whether on a folder): count}."""
    by_thread = collections.Counter()
    for line in output.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)\((?:\d+<([^>]*)>)?", line)
        if found:
            thread, call, path = found.groups()
            by_thread[thread, call, False] += 1
            if call == "fsync" and path in folders:
                by_thread[thread, call, True] += 1
    counts = collections.Counter()
    for (_, call, on_folders), count in by_thread.items():
        counts[call, on_folders] = max(counts[call, on_folders], count)
    return counts


def check_reads(server, token, writers):
    """With a fault: a read may fail, but what it returns is right."""
    client = harness.Client(server, keep=True)
    client.token = token
    for writer in writers:
        for key, image in writer.images.items():
            answer = client.image(key)
            if answer.status >= 500:
                continue
            if answer.status not in (200, 404):
                raise Violation(f"{key}: {answer}")
            found = answer.body if answer.status == 200 else None
            if not any((state[0] if state else None) == found for state in image.states):
                raise Violation(f"{key}, with the fault: expected {describe(image.states)}, found {answer}")


def state_of(server, token, name):
    """Whether the server goes on writing, or is read-only; it may take a while to find out."""
    client = harness.Client(server)
    client.token = token
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        answer = client.upload(name, harness.png(text=name))
        health = client.get("/health/ready?for=write", authenticate=False).status
        if answer.status == 200:
            if health != 200:
                raise Violation(f"an upload succeeds, and /health/ready?for=write answers {health}")
            if client.delete(f"/api/images/tenant/{name}").status != 200:
                raise Violation(f"what was uploaded cannot be deleted: {name}")
            return "goes on"
        if answer.status == 503 and b"Nothing was changed" in answer.body and health == 503:
            return "is read-only"
        if time.monotonic() > deadline:
            raise Violation(f"the server neither takes writes nor is it read-only: {answer}, health {health}")
        time.sleep(0.1)


class Run:
    """What the cycles share."""

    def __init__(self, options, server):
        self.options, self.server = options, server
        self.chooser = random.Random(options.seed)
        server.start()
        administrator = server.client()
        self.token = administrator.token
        self.samples = set(listed(administrator))
        pictures = Pictures(options.seed)
        self.writers = [FaultyWriter(n, server, self.token, pictures, self.chooser.random()) for n in range(options.clients)]
        self.output = server.data / "strace.log"
        self.outcomes = collections.Counter()
        self.reached = self.failed = 0
        self.reach = self.count_calls()

    def acknowledged(self):
        return sum(w.acknowledged for w in self.writers)

    def count_calls(self):
        """Without faults: {target: how often it is reached}."""
        reach = {}
        for is_start in (False, True):
            fault = Fault(Target(is_start, ",".join(CALLS[self.options.plugin]), False))
            if is_start:
                self.start_with(fault)
                self.server.kill()
            else:
                self.write_with(fault)
            counts = calls_of_threads(self.output, folders_of(self.options.plugin, self.server))
            for (call, on_folders), count in counts.items():
                reach[Target(is_start, call, on_folders)] = max(1, int(count * REACH))
        self.server.start()
        return {target: count for target, count in reach.items() if self.options.call in (None, target.call)}

    def choose(self, number):
        is_start = self.chooser.random() < STARTS
        targets = sorted(target for target in self.reach if target.is_start == is_start) or sorted(self.reach)
        target = self.chooser.choice(targets)
        error = self.chooser.choice(CALLS[self.options.plugin][target.call])
        return Fault(target, (number - 1) % self.reach[target] + 1, error, self.chooser.random() < LASTING,
                     folders_of(self.options.plugin, self.server) if target.on_folders else ())

    def write_with(self, fault):
        """The clients write until the fault has come, and for a moment more. Returns how many calls failed."""
        threads = [threading.Thread(target=w.run) for w in self.writers]
        tracer = Tracer(fault, self.server, self.output)
        try:
            for writer in self.writers:
                writer.is_stopping.clear()
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + LOAD_SECONDS
            while not injections(self.output) and time.monotonic() < deadline and self.server.process.poll() is None:
                time.sleep(0.01)
            if not fault.lasts:
                tracer.detach()
            time.sleep(MORE_SECONDS)
            for writer in self.writers:
                writer.is_stopping.set()
            for thread in threads:
                thread.join()
            for writer in self.writers:
                if writer.problem:
                    raise Violation(writer.problem)
            if fault.lasts and self.server.process.poll() is None:
                check_reads(self.server, self.token, self.writers)
        finally:
            tracer.detach()
        return injections(self.output)

    def while_writing(self, fault, number):
        failed = self.write_with(fault)
        if (code := self.server.process.poll()) is not None:
            if code < 0:
                raise Violation(f"the server was ended by signal {-code}")
            return failed, "ended"
        check(self.server, self.token, self.writers, self.samples, settles=False)
        outcome = state_of(self.server, self.token, f"probe-{number}.png")
        if self.chooser.random() < 0.5:
            self.server.kill()
        elif (code := self.server.terminate()) < 0:
            raise Violation(f"a graceful stop was ended by signal {-code}")
        return failed, outcome

    def start_with(self, fault):
        """Kills the server and starts it again; returns its exit code, None if it is ready."""
        self.server.kill()
        self.output.unlink(missing_ok=True)
        with open(self.server.log_path, "ab") as log:
            self.server.process = subprocess.Popen(
                ["strace", "-D", "-f", *fault.options(self.output), str(harness.BUILD / "bin/gallery-server"), "--demo"],
                env=self.server.environment(), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                cwd=self.server.data)
        client = harness.Client(self.server, timeout=5)
        deadline = time.monotonic() + START_SECONDS
        while (code := self.server.process.poll()) is None:
            try:
                if client.get("/health/ready").status == 200:
                    break
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise Violation("the start neither ends nor succeeds")
            time.sleep(0.02)
        return code

    def while_starting(self, fault):
        code = self.start_with(fault)
        if code is None:
            check_reads(self.server, self.token, self.writers)
        elif code < 0:
            raise Violation(f"the start was ended by signal {-code}")
        self.server.kill()
        return injections(self.output), "started" if code is None else "did not start"

    def cycle(self, number):
        fault = self.choose(number)
        try:
            failed, outcome = self.while_starting(fault) if fault.target.is_start else self.while_writing(fault, number)
        except (Violation, AssertionError, http.client.HTTPException, OSError) as e:
            raise Violation(f"{fault}: {e}") from e
        self.outcomes[outcome] += failed > 0
        self.reached += failed > 0
        self.failed += failed
        if self.options.each:
            print(f"{number}: {fault}: {failed} calls failed, the server {outcome}", flush=True)
        if "STORAGE_FILESYSTEM_RENAME_EXCHANGE" in self.server.extra:
            self.server.extra["STORAGE_FILESYSTEM_RENAME_EXCHANGE"] = self.chooser.choice(("auto", "never"))
        self.server.start()
        try:
            check(self.server, self.token, self.writers, self.samples)
        except Violation as e:
            raise Violation(f"after {fault} and a restart: {e}") from e


def run(options, server):
    begun = time.monotonic()
    these = Run(options, server)
    for number in range(options.first, options.first + options.cycles):
        these.cycle(number)
        if number % 20 == 0:
            print(f"{number}: {these.acknowledged()} writes acknowledged, {dict(these.outcomes)}", flush=True)
    if server.terminate() != 0:
        raise Violation(f"a graceful stop ended with {server.process.returncode}")
    report = verify(server)
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(these.outcomes.items()))
    print(f"{options.plugin}: {options.cycles} faults chosen, {these.reached} reached, {these.failed} calls failed in "
          f"{time.monotonic() - begun:.0f} s; then the server: {outcomes}; {these.acknowledged()} acknowledged writes all held; "
          f"verify: {report['images']} images, {report['bodies']} bodies, sound")
    if these.acknowledged() == 0 or these.reached == 0:
        raise Violation("nothing was acknowledged, or no fault was reached, so nothing was tested")


def main():
    parser = make_parser(__doc__, cycles=8, clients=4)
    parser.add_argument("--first", type=int, default=1, help="the first N")
    parser.add_argument("--plugin", choices=CALLS, default=os.environ.get("STORAGE_PLUGIN", "rocksdb"))
    parser.add_argument("--call", help="only this system call")
    parser.add_argument("--each", action="store_true", help="print each fault")
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("skipped: strace is missing")
        return SKIPPED
    server = harness.Server(plugin=options.plugin, environment=dict(SETTINGS))
    try:
        again = f"--plugin {options.plugin} --first {options.first} --seed {options.seed}"
        return exit_code_of(run, options, server, again)
    except Unavailable as e:
        print(f"skipped: {e}")
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
