# SPDX-License-Identifier: Apache-2.0
"""The folder of a cluster: what is where, and what is recorded between commands.

    cluster.json     what was decided when the folder was made: mode, secrets, which member is the primary
    running.json     what the supervisor runs: addresses and process ids
    dsn              connection string of the store, for another gallery server or psql (mode 0600)
    lock             held by the supervisor
    pg1 pg2 pg3      PostgreSQL's data, one folder per member; their configuration is in pg1.conf, ...
    node1 ...        data folders of the gallery servers
    etcd patroni1 ...   only with --patroni
    log              a file per process; cluster.log is the supervisor's
"""
import contextlib
import fcntl
import json
import os
import secrets
import stat
import subprocess

from processes import Failure, as_database_user, database_user

MEMBERS = ("pg1", "pg2", "pg3")
NODES = 3


class Folder:
    def __init__(self, path):
        self.path = path
        self.log = path / "log"
        self.settings_path = path / "cluster.json"
        self.running_path = path / "running.json"

    def create(self, patroni):
        """Makes the folder or checks the existing one. Returns the settings."""
        if self.path.exists() and not self.settings_path.exists():
            if not self.path.is_dir():
                raise Failure(f"{self.path} is not a folder")
            if any(entry.name not in ("lock", "log") for entry in self.path.iterdir()):
                raise Failure(f"the folder {self.path} is not empty and contains no cluster. Use another --dir.")
        self.path.mkdir(parents=True, exist_ok=True)
        self.log.mkdir(exist_ok=True)
        self._let_database_user_in()
        mode = "patroni" if patroni else "plain"
        if not self.settings_path.exists():
            self.save({"mode": mode, "primary": MEMBERS[0], "complete": [], "passwords":
                       {name: secrets.token_hex(16) for name in ("postgres", "replicator", "gallery")}})
        settings = self.settings()
        if settings["mode"] != mode:
            with_or_without = "with" if settings["mode"] == "patroni" else "without"
            raise Failure(f"the cluster in {self.path} was made {with_or_without} --patroni. Start it the same way, or use "
                          f"another --dir.")
        return settings

    def _let_database_user_in(self):
        """PostgreSQL's user must be able to pass through the folder; it cannot list it."""
        if database_user() is None:
            return
        mode = stat.S_IMODE(self.path.stat().st_mode)
        if not mode & stat.S_IXOTH:
            self.path.chmod(mode | stat.S_IXOTH)
        enter = subprocess.run(**as_database_user(["test", "-x", self.path]), cwd="/", check=False)
        if enter.returncode != 0:
            raise Failure(f"PostgreSQL runs as user postgres, who cannot enter {self.path}: a folder above it has no "
                          f"permission for others. Use another folder, for instance --dir /var/tmp/gallery-cluster.")

    def lock(self):
        """Held until this process ends; None if another process holds it."""
        handle = open(self.path / "lock", "a", encoding="ascii")  # noqa: SIM115: kept open on purpose
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        return handle

    def is_locked(self):
        if not self.path.is_dir() or not (self.path / "lock").exists():
            return False
        with contextlib.ExitStack() as stack:
            handle = self.lock()
            if handle:
                stack.enter_context(handle)
            return handle is None

    def settings(self):
        return json.loads(self.settings_path.read_text())

    def save(self, settings):
        replace(self.settings_path, json.dumps(settings, indent=1))

    def running(self):
        """What the supervisor recorded last; {} if nothing."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.running_path.read_text())
        return {}

    def save_running(self, running):
        replace(self.running_path, json.dumps(running, indent=1))


def replace(path, text):
    """Writes a file that only its owner can read, in one step and durably."""
    temporary = path.with_name(path.name + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
