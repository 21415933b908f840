#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The database servers of compose.cluster.yaml, by their script etc/container/database.sh, on addresses of loopback instead
of containers: the first start, the loss of the primary, the promotion by hand that the documentation describes, and the
return of the lost member.

Exit code 77: there is no PostgreSQL 15.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(1, str(ROOT / "test" / "packages"))
from checks import check, say  # noqa: E402  pylint: disable=wrong-import-position

SCRIPT = ROOT / "etc" / "container" / "database.sh"
BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
# What is special in a file of passwords, in SQL, in a connection string, and in the shell.
PASSWORDS = {"gallery": "a'b\\c:d \"$x", "replicator": "r'e:p\\l `y"}


def as_database_user(*command):
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *command]


class Member:
    def __init__(self, host, port, folder, may_initialise):
        self.host, self.port, self.folder, self.may_initialise = host, port, folder / host, may_initialise
        self.log = folder / f"{host}.log"
        self.process = None

    def start(self):
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700)
            if os.geteuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                as_database_user("bash", str(SCRIPT)), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={
                    "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGPORT": str(self.port), "DATABASE_MEMBER": self.host,
                    "DATABASE_LISTEN": self.host, "DATABASE_MEMBERS": " ".join(HOSTS), "DATABASE_FOLDER": str(self.folder),
                    "DATABASE_PASSWORD": PASSWORDS["gallery"], "DATABASE_REPLICATION_PASSWORD": PASSWORDS["replicator"],
                    "DATABASE_MAY_INITIALISE": "true" if self.may_initialise else "false"})

    def lose(self):
        """All of it at once, as when the container is killed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.lose()

    def ask(self, sql):
        """As an operator in the container: by the socket, without a password."""
        return subprocess.run(as_database_user("psql", "-X", "-h", str(self.folder), "-p", str(self.port), "-U", "postgres",
                                               "-Atc", sql), capture_output=True, text=True, check=False, cwd="/",
                              timeout=60).stdout.strip()

    def standbys(self):
        return set(self.ask("select application_name from pg_stat_replication where sync_state = 'quorum'").split())


def as_gallery(port, sql, hosts=HOSTS, password=PASSWORDS["gallery"], database="gallery", user="gallery"):
    """As a server connects."""
    return subprocess.run(["psql", "-X", "-Atc", sql, f"host={','.join(hosts)} port={port} dbname={database} user={user} "
                           "target_session_attrs=read-write connect_timeout=2"], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "PGPASSWORD": password, "PGOPTIONS": "-c statement_timeout=60s"})


def wait(condition, what, members, limit=120):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            logs = "".join(f"{m.host}:\n{m.log.read_text()[-2000:]}\n" for m in members if m.log.exists())
            raise AssertionError(f"after {limit} s: {what}\n{logs}")
        time.sleep(0.1)


def free_port():
    """On all of the addresses."""
    for port in range(20000, 30000):
        with contextlib.suppress(OSError), contextlib.ExitStack() as open_sockets:
            for host in HOSTS:
                one = open_sockets.enter_context(socket.socket())
                one.bind((host, port))
            return port
    raise AssertionError("there is no free port")


def walk(folder):
    port = free_port()
    first, second, third = members = [Member(host, port, folder, host == HOSTS[0]) for host in HOSTS]
    try:
        # In this order the others wait for the first one.
        for member in (second, third, first):
            member.start()
        wait(lambda: first.standbys() == {second.host, third.host}, "the standbys do not follow synchronously", members)
        done = as_gallery(port, "create table kept (i int); insert into kept values (1)")
        check(done.returncode == 0, f"the gallery cannot write: {done.stderr}")
        say("three members, each commit waits for a second one")

        for user, password, database in (("gallery", "wrong", "gallery"), ("postgres", "", "postgres"),
                                         ("gallery", PASSWORDS["gallery"], "postgres")):
            done = as_gallery(port, "select 1", hosts=HOSTS[:1], password=password, database=database, user=user)
            check(done.returncode != 0, f"{user} gets into {database} with the password '{password}'")

        first.lose()
        check(as_gallery(port, "select 1").returncode != 0, "a standby accepts writes without a promotion")
        check(second.ask("select pg_promote()") == "t", "the standby is not promoted")
        done = as_gallery(port, "insert into kept values (2); select count(*) from kept")
        check(done.stdout.split()[-1:] == ["2"], f"after the promotion: {done.stdout}{done.stderr}")
        wait(lambda: second.standbys() == {third.host}, "the other standby does not follow", members)
        say("a standby is promoted, and has every write")

        # With an empty volume, as documented. It must not make a new database.
        shutil.rmtree(first.folder)
        first.start()
        wait(lambda: second.standbys() == {first.host, third.host}, "the lost member does not return", members)
        check(first.ask("select pg_is_in_recovery()") == "t",
              "the member that returned is no standby")
        done = as_gallery(port, "select count(*) from kept")
        check(done.stdout.strip() == "2", f"after the return: {done.stdout}{done.stderr}")
        say("the lost member returns as a standby")
        for member in members:
            member.stop()
            check(member.process.returncode == 0, f"{member.host} ends with {member.process.returncode}")
    finally:
        for member in members:
            if member.process:
                member.stop()


def main():
    if not (BINARIES / "postgres").exists():
        say(f"skipped: there is no PostgreSQL in {BINARIES}")
        return 77
    with tempfile.TemporaryDirectory(prefix="gallery-database-") as folder:
        pathlib.Path(folder).chmod(0o755)
        walk(pathlib.Path(folder))
    say("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
