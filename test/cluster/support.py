# SPDX-License-Identifier: Apache-2.0
"""Runs etc/cluster.sh for the tests, and further gallery servers on its database. Environment, besides that of
test/api/harness.py:
GALLERY_CLUSTER_LONG   1: the long run
GALLERY_CLUSTER_KEEP   1: keep folders and logs
"""
import atexit
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
import harness  # noqa: E402

LONG = os.environ.get("GALLERY_CLUSTER_LONG") == "1"
KEEP = os.environ.get("GALLERY_CLUSTER_KEEP") == "1"
SCRIPT = harness.ROOT / "etc" / "cluster.sh"
STALENESS = 1.0  # seconds, the default of cluster.staleness
LIMIT = 600 if LONG else 300  # seconds, for what takes seconds on a machine without other work
BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


class Address:
    """What harness.Client needs of a server."""

    def __init__(self, url):
        self.url = url
        self.port = urllib.parse.urlsplit(url).port

    def client(self, credentials=harness.TENANT, **options):
        return harness.Client(self, credentials, **options)

    def is_ready(self, timeout=2):
        with contextlib.suppress(OSError, harness.http.client.HTTPException):
            return harness.Client(self, timeout=timeout).get("/health/ready").status == 200
        return False


def folder_for_postgres(prefix):
    """A temporary folder that user postgres can enter, too."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o711)
    return path


def descendants(pid):
    """The process and everything below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, IndexError):
            fields = pathlib.Path(f"/proc/{int(entry)}/stat").read_text().rpartition(")")[2].split() \
                if entry.isdigit() else None
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


@contextlib.contextmanager
def stopped(pid, with_children=True):
    """The process and its children do not run inside the block."""
    pids = descendants(pid) if with_children else [pid]
    for one in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)


def wait_for(condition, what, limit=LIMIT):
    """Returns the first true result of condition(), which is called until then."""
    deadline = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {limit} s: {what() if callable(what) else what}")
        time.sleep(0.02)


class Cluster:
    """etc/cluster.sh in a folder of its own."""

    def __init__(self, *arguments, environment=None, folder=None):
        self.arguments = arguments
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder) if folder else folder_for_postgres("gallery-cluster-")
        self.environment = {**os.environ, "GALLERY_BUILD": str(harness.BUILD), "GALLERY_SYSADMIN_PASSWORD": harness.SYSADMIN[1],
                            "GALLERY_DEMO_PASSWORD": harness.TENANT[1], **(environment or {})}
        self.lines = {}

    def run(self, command, *arguments, check=True, timeout=2 * LIMIT):
        done = subprocess.run([str(SCRIPT), command, *arguments, "--dir", str(self.folder)], env=self.environment,
                              capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"etc/cluster.sh {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
                                 f"\n{self.log()}")
        return done

    def start(self):
        output = self.run("start", *self.arguments).stdout
        self.lines = parse(output)
        self.url = Address(self.lines["url"])
        self.nodes = [Address(self.lines[f"node {n}"]) for n in (1, 2, 3)]
        return self

    def status(self):
        return parse(self.run("status").stdout)

    def pid(self, label):
        return int(self.status()[label])

    def kill(self, *what):
        self.run("kill", *what)

    def node_pid(self, number):
        return next(pid for pid in processes_in(self.folder / f"node{number}") if name_of(pid) == "gallery-server")

    def is_whole(self):
        """Everything runs, and both standbys follow the primary."""
        return not any("(" in value for value in self.status().values()) and self.url.is_ready()

    def wait_until_whole(self):
        wait_for(self.is_whole, lambda: f"the cluster is not whole again: {self.status()}\n{self.log()}")

    def stop(self):
        try:
            self.run("stop")
        finally:
            if self.own_folder and not KEEP:
                shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        path = self.folder / "log" / "cluster.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def dsn(self, ports=None):
        """The connection string of the store; with other ports where they are given."""
        text = (self.folder / "dsn").read_text().strip()
        return re.sub(r"\bport=\S+", "port=" + ",".join(str(p) for p in ports), text) if ports else text

    def database_ports(self):
        return [int(p) for p in re.search(r"\bport=(\S+)", self.dsn()).group(1).split(",")]

    def server(self, schema="gallery", ports=None, **environment):
        """A further gallery server on the same database, not started."""
        return harness.Server("postgresql", environment={
            "STORAGE_POSTGRESQL_DSN": self.dsn(ports), "STORAGE_POSTGRESQL_SCHEMA": schema, **environment})

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def parse(output):
    """label -> what stands behind it; a mark in brackets is part of it."""
    return dict(re.findall(r"^(url|node \d|primary|standby \d) (.*)$", output, re.M))


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return None


def processes_in(folder):
    folder = os.path.realpath(folder)
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            where = os.readlink(f"/proc/{int(entry)}/cwd")
            if where == folder or where.startswith(folder + "/"):
                yield int(entry)


_shared = []


def shared():
    """One cluster for all tests of this process that leave it whole."""
    if not _shared:
        cluster = Cluster()
        atexit.register(cluster.stop)
        cluster.start()
        _shared.append(cluster)
    return _shared[0]


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = shared()
        cls.cluster.wait_until_whole()
        cls.nodes = cls.cluster.nodes

    def assertStatus(self, status, answer):
        self.assertEqual(status, answer.status, answer)
        return answer


def report(text):
    """A measured value, also where unittest hides the output of tests that pass."""
    print(f"measured: {text}", flush=True)
