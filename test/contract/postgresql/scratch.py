#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of its own for a test: made in a temporary folder, on a socket in it, removed at the end.

usage: scratch.py [--standbys N] [--setting NAME=VALUE]... COMMAND [ARGUMENT]...

Runs COMMAND with "{dsn}" in its arguments replaced by the connection string of the primary, and "{standby}" by that
of the first standby. The command finds the same in GALLERY_TEST_DSN and GALLERY_TEST_STANDBY_DSN, and the folder in
GALLERY_TEST_CLUSTER. Exit code: that of the command.

PostgreSQL does not run as root: there it runs as the user postgres, or nobody.
"""
import argparse
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

def programs():
    """The folder of the newest PostgreSQL, None where there is none."""
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    versions = [p for p in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()]
    return max(versions, key=lambda p: int(p.parent.name), default=None)


def owner():
    """Of the server's files and processes, where this process is root; else None."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SystemExit("scratch.py: there is no user that PostgreSQL could run as")


class Server:
    """One PostgreSQL in a folder of its own."""

    def __init__(self, root, name, settings):
        self.data = root / name
        self.root = root
        self.name = name
        self.port = {"primary": 5432}.get(name) or 5433 + int(name.removeprefix("standby"))
        self.settings = settings
        self.process = None
        self.user = owner()
        self.bin = programs()

    def dsn(self, **more):
        parts = {"host": str(self.root), "port": str(self.port), "dbname": "postgres", "user": "gallery_test"} | more
        return " ".join(f"{k}={v}" for k, v in parts.items())

    def _run(self, *command):
        subprocess.run([str(c) for c in command], check=True, user=self.user and self.user.pw_uid,
                       group=self.user and self.user.pw_gid, extra_groups=[] if self.user else None, cwd=self.root,
                       stdout=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.root)})

    def create(self):
        self._run(self.bin / "initdb", "-D", self.data, "-U", "gallery_test", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")

    def copy_of(self, primary):
        """A standby."""
        self._run(self.bin / "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                  primary.dsn(application_name=self.name))

    def configure(self):
        lines = {"listen_addresses": "''", "unix_socket_directories": f"'{self.root}'", "port": self.port,
                 "shared_buffers": "'64MB'", "max_connections": 200, "logging_collector": "off", "wal_level": "replica",
                 "max_wal_senders": 8, "hot_standby": "on", "wal_keep_size": "'256MB'"} | self.settings
        path = self.data / "gallery_test.conf"
        path.write_text("".join(f"{k} = {v}\n" for k, v in lines.items()))
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        main = self.data / "postgresql.conf"
        if "gallery_test.conf" not in main.read_text():
            with main.open("a") as to:
                to.write("include 'gallery_test.conf'\n")

    def start(self):
        with open(self.root / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([str(self.bin / "postgres"), "-D", str(self.data)], stdout=log, stderr=log,
                                            user=self.user and self.user.pw_uid, group=self.user and self.user.pw_gid,
                                            extra_groups=[] if self.user else None, cwd=self.root,
                                            start_new_session=True)
        deadline = time.monotonic() + 60
        while subprocess.run([str(self.bin / "pg_isready"), "-q", "-h", str(self.root), "-p", str(self.port)],
                             check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.stderr.write((self.root / f"{self.name}.log").read_text(errors="replace"))
                raise SystemExit(f"scratch.py: the {self.name} did not start")
            time.sleep(0.05)

    def kill(self):
        """As a power cut would end it: all its processes at once."""
        if self.process is None:
            return
        pids = [self.process.pid, *children(self.process.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def sql(self, statement, **more):
        done = subprocess.run([str(self.bin / "psql"), "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d",
                               self.dsn(**more), "-c", statement], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{statement}: {done.stderr.strip()}")
        return done.stdout.strip()

    def promote(self):
        self._run(self.bin / "pg_ctl", "promote", "-w", "-D", self.data)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(c) for c in task.read_text().split()]
    return found + [c for child in found for c in children(child)]


@contextlib.contextmanager
def cluster(standbys=0, settings=None):
    """A primary with synchronous standbys: a list of servers, the primary first."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="gallery-pg-"))
    servers = []
    try:
        user = owner()
        if user:
            os.chown(root, user.pw_uid, user.pw_gid)
        root.chmod(0o755)
        own = dict(settings or {})
        primary = Server(root, "primary", own)
        servers.append(primary)
        primary.create()
        primary.configure()
        primary.start()
        for number in range(standbys):
            standby = Server(root, f"standby{number}", own)
            standby.copy_of(primary)
            standby.configure()
            servers.append(standby)
            standby.start()
        if standbys:
            names = ", ".join(s.name for s in servers[1:])
            primary.sql(f"alter system set synchronous_standby_names = 'ANY 1 ({names})'")
            primary.sql("select pg_reload_conf()")
            wait_for(lambda: primary.sql("select count(*) from pg_stat_replication where sync_state = 'quorum'")
                     == str(standbys), "the standbys follow")
        yield servers
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(root, ignore_errors=True)


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(RuntimeError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise SystemExit(f"scratch.py: waited {seconds} s in vain until {what}")
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--standbys", type=int, default=0)
    parser.add_argument("--setting", action="append", default=[])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    if programs() is None:
        print("scratch.py: PostgreSQL is not installed; etc/bootstrap.sh installs it")
        return 1
    settings = dict(s.split("=", 1) for s in chosen.setting)
    with cluster(chosen.standbys, settings) as servers:
        names = {"dsn": servers[0].dsn(), "standby": servers[1].dsn() if len(servers) > 1 else ""}
        command = [c.replace("{dsn}", names["dsn"]).replace("{standby}", names["standby"]) for c in chosen.command]
        environment = {**os.environ, "GALLERY_TEST_DSN": names["dsn"], "GALLERY_TEST_STANDBY_DSN": names["standby"],
                       "GALLERY_TEST_CLUSTER": str(servers[0].root)}
        # The pieces of a command that was broken off are the caller's to end; the servers end here.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
