# SPDX-License-Identifier: Apache-2.0
"""The process that runs a cluster: it starts everything, watches it, replaces a lost primary, and stops everything.

usage: supervisor.py DIR MODE RESTART_DELAY PATIENCE REPORT_FD
MODE is plain or patroni. When everything is ready it writes "ready" to REPORT_FD, or why that failed. It inherits the lock
of the folder as an open file, and holds it until it ends.
"""
import os
import pathlib
import signal
import sys
import threading
import time
import traceback

import front
import postgres
import with_patroni
from folder import Folder
from plain import PlainDatabase
from processes import Failure, start_time

# A connection that is cut off without a word is given up after some seconds, not after a quarter of an hour.
DSN_OPTIONS = ("dbname=gallery target_session_attrs=read-write connect_timeout=2 tcp_user_timeout=5000 "
               "keepalives_idle=5 keepalives_interval=1 keepalives_count=3")


def say(text):
    now = time.time()
    stamp = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03d}"
    print(f"{stamp} {text}", flush=True)


class Supervisor:
    def __init__(self, folder, mode, restart_delay, patience):
        self.folder = folder
        self.mode = mode
        self.database = with_patroni.PatroniDatabase(folder, restart_delay, say) if mode == "patroni" else \
            PlainDatabase(folder, restart_delay, patience, say)
        password = folder.settings()["passwords"]["gallery"]
        ports = self.database.ports()
        self.dsn = (f"host={','.join('127.0.0.1' for _ in ports)} port={','.join(str(p) for p in ports)} user=gallery "
                    f"password={password} {DSN_OPTIONS}")
        self.password = password
        self.front = front.Front(folder, self.dsn, restart_delay, say)
        self.recorded = None

    def start(self):
        began = time.monotonic()
        say(f"starting the database ({self.mode})")
        self.database.start()
        self._create_database()
        path = self.folder.path / "dsn"
        path.touch(mode=0o600)
        path.write_text(self.dsn + "\n")
        self.record()
        say(f"the database is ready after {time.monotonic() - began:.1f} s; starting the gallery servers")
        self.front.start()
        self.record()
        say(f"everything is ready after {time.monotonic() - began:.1f} s")

    def _create_database(self):
        """The gallery's role owns its database and has no other right."""
        if not self.database.ask_primary("select 1 from pg_roles where rolname = 'gallery'"):
            self.database.ask_primary(f"create role gallery login password '{self.password}'")
        if not self.database.ask_primary("select 1 from pg_database where datname = 'gallery'"):
            self.database.ask_primary("create database gallery owner gallery", timeout=60)

    def record(self):
        running = {
            "supervisor": [os.getpid(), start_time(os.getpid())], "mode": self.mode, "url": self.front.url,
            "nodes": [[node.url, node.pid(), None if node.is_running() else "down"] for node in self.front.nodes],
            "members": self.database.rows(),
        }
        if running != self.recorded:
            self.folder.save_running(running)
            self.recorded = running

    def run(self, stopping):
        while not stopping.wait(0.05):
            try:
                self.database.tick()
                self.front.tick()
                self.record()
            except Exception as e:  # noqa: BLE001: the supervisor goes on; what it does next depends on what it finds
                say(f"{e}" if isinstance(e, Failure) else traceback.format_exc())
                time.sleep(0.5)

    def stop(self):
        say("stopping")
        self.front.stop()
        self.database.stop()
        self.folder.running_path.unlink(missing_ok=True)
        say("stopped")


def main():
    path, mode, restart_delay, patience, report = sys.argv[1:]
    report = int(report)
    folder = Folder(pathlib.Path(path))
    stopping = threading.Event()

    def on_signal(*_):
        if not stopping.is_set():
            stopping.set()
            if not ready:
                raise KeyboardInterrupt
    ready = False
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)

    supervisor = None
    try:
        postgres.check_programs()
        front.check_programs()
        if mode == "patroni":
            with_patroni.check_programs()
        supervisor = Supervisor(folder, mode, float(restart_delay), float(patience))
        supervisor.start()
        ready = True
        os.write(report, b"ready")
        os.close(report)
        supervisor.run(stopping)
    except (Exception, KeyboardInterrupt) as e:  # noqa: BLE001
        text = str(e) if isinstance(e, (Failure, OSError)) else "interrupted" if isinstance(e, KeyboardInterrupt) else \
            traceback.format_exc()
        say(text)
        if supervisor:
            stopping.set()
            supervisor.stop()
        if not ready:
            os.write(report, text.encode())
        return 1
    supervisor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
