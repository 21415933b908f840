# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL server without a standby, for tests of what a cluster does not have."""
import os
import pwd
import shutil
import signal
import subprocess

import psycopg2

import harness
from support import BINARIES, folder_for_postgres, wait_for


class SinglePostgres:
    """Its data can be on another file system than its log: `data` and `wal` are folders."""

    def __init__(self, data=None):
        self.folder = folder_for_postgres("gallery-single-")
        self.data = data or self.folder / "data"
        self.wal = self.folder / "wal"
        self.port = harness.free_port()
        self.process = None
        self.user = {}
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            self.user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}

    def dsn(self):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"

    def __enter__(self):
        for folder in (self.data, self.wal):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self.user:
                os.chown(folder, self.user["user"], self.user["group"])
        self.log = open(self.folder / "log", "ab")  # noqa: SIM115: closed in __exit__
        subprocess.run([BINARIES / "initdb", "-D", self.data, "-X", self.wal, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync"], check=True, stdout=self.log, stderr=self.log, cwd=self.data, **self.user)
        self.process = subprocess.Popen(
            [BINARIES / "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "max_connections=50"], stdout=self.log, stderr=self.log, cwd=self.data, **self.user)
        wait_for(self.answers, 60, "PostgreSQL does not answer")
        return self

    def answers(self):
        try:
            psycopg2.connect(self.dsn()).close()
            return True
        except psycopg2.OperationalError:
            return False

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, **environment):
        return harness.Server("postgresql", environment={"STORAGE_POSTGRESQL_DSN": self.dsn(), **environment})
