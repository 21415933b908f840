# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL server without a standby, for tests of what a cluster does not have."""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess

import psycopg2

import harness
from support import BINARIES, folder_for_postgres, wait_for


class SinglePostgres:
    """`data`: a folder for its data, which can be on another file system than its log. `copy_of`: the server that it is
    a standby of; it is then not synchronous. `settings`: further ones of PostgreSQL."""

    def __init__(self, data=None, copy_of=None, settings=None):
        self.folder = folder_for_postgres("gallery-single-")
        self.data = data or self.folder / "data"
        self.wal = self.folder / "wal"
        self.port = harness.free_port()
        self.copy_of, self.settings = copy_of, settings or {}
        self.process = self.log = None
        self.user = {}
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            self.user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}

    def dsn(self):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"

    def give(self, path):
        """To the user that PostgreSQL runs as."""
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])

    def run(self, command, **options):
        """As that user, to its end."""
        done = subprocess.run([str(part) for part in command], stdout=self.log, stderr=self.log, cwd=self.folder, check=False,
                              **self.user, **options)
        if done.returncode != 0:
            raise AssertionError(f"{command[0]} ended with {done.returncode}; the log ends:\n"
                                 f"{(self.folder / 'log').read_text(errors='replace')[-3000:]}")

    def __enter__(self):
        for folder in (self.data, self.wal):
            folder.mkdir(mode=0o700, exist_ok=True)
            self.give(folder)
        self.log = open(self.folder / "log", "ab")  # noqa: SIM115: closed in __exit__
        if self.copy_of:
            self.run([BINARIES / "pg_basebackup", "-h", "127.0.0.1", "-p", self.copy_of.port, "-U", "postgres", "-D", self.data,
                      f"--waldir={self.wal}", "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        else:
            self.run([BINARIES / "initdb", "-D", self.data, "-X", self.wal, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync"])
        self.start()
        return self

    def start(self):
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "50", **self.settings}
        self.process = subprocess.Popen(
            [BINARIES / "postgres", "-D", self.data, "-p", str(self.port), *(f"--{k}={v}" for k, v in settings.items())],
            stdout=self.log, stderr=self.log, cwd=self.folder, **self.user)
        wait_for(self.answers, "PostgreSQL does not answer")

    def answers(self):
        try:
            psycopg2.connect(self.dsn()).close()
            return True
        except psycopg2.OperationalError:
            return False

    def ask(self, sql):
        with contextlib.closing(psycopg2.connect(self.dsn())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)

    def __exit__(self, *_):
        self.stop()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, **environment):
        return harness.Server("postgresql", environment={"STORAGE_POSTGRESQL_DSN": self.dsn(), **environment})
