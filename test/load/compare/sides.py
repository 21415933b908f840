# SPDX-License-Identifier: Apache-2.0
"""The two servers that are compared, and what the kernel accounts to them."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))
import harness  # noqa: E402  the black-box tests' way of starting the server and talking to it

CPUCLOCK_SCHED = 2


def cpu_seconds(pid):
    """User and system time of a process, all its threads, in the scheduler's nanoseconds."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
    return found


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M)[1]) * 1024


def pinned(command, core):
    return command if core is None else ["taskset", "-c", str(core), *command]


def congestion_of_machine():
    return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


class Nginx:
    """One worker, sendfile, cached open files, no access log: what serves files most cheaply."""

    name = "nginx"

    def __init__(self, pictures, core=None, workers=1):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-load-nginx-"))
        self.port = harness.free_port()
        self.workers = workers
        for where in ("api/images/tenant", "api/images/public"):
            (self.folder / "root" / where).mkdir(parents=True)
        for name, data in pictures.items():
            for where in ("api/images/tenant", "api/images/public"):
                (self.folder / "root" / where / name).write_bytes(data)
        for path in [self.folder, *self.folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        (self.folder / "nginx.conf").write_text(f"""
worker_processes {workers};
daemon off;
pid {self.folder}/pid;
error_log {self.folder}/error.log error;
worker_rlimit_nofile {os.sysconf('SC_OPEN_MAX')};
events {{ worker_connections {min(16384, os.sysconf('SC_OPEN_MAX') - 64)}; }}
http {{
  types {{ image/png png; }}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path {self.folder}/t1;
  proxy_temp_path {self.folder}/t2;
  fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4;
  scgi_temp_path {self.folder}/t5;
  server {{ listen 127.0.0.1:{self.port} backlog=4096; root {self.folder}/root; }}
}}
""")
        command = pinned(["nginx", "-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c",
                          str(self.folder / "nginx.conf")], core)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.client = harness.Client(self)
        deadline = time.monotonic() + 10
        while True:
            try:
                if self.client.get("/").status and len(children(self.process.pid)) == workers:
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.worker = children(self.process.pid)[0]

    def cpu(self):
        return sum(cpu_seconds(worker) for worker in children(self.process.pid))

    def resident(self):
        return resident_bytes(self.worker)

    def path(self, name, public=False):
        return f"/api/images/{'public' if public else 'tenant'}/{name}"

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class Gallery:
    """The release server with everything on that is on in production: log, metrics, all checks."""

    def __init__(self, name, plugin, pictures, core=None, threads=1, etag_bytes=64 << 20, congestion=""):
        self.name, self.plugin, self.core = name, plugin, core
        environment = {
            "HTTP_IO_THREADS": str(threads), "METRICS_BIND_PORT": str(harness.free_port()),
            "CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE": str(etag_bytes), "HTTP_TCP_CONGESTION_CONTROL": congestion,
            "JWT_TOKEN_EXPIRATION_TIME": "86400",
        }
        self.server = harness.Server(plugin=plugin, environment=environment)
        self.port = self.server.port
        self.server.start()
        self.pid = self.server.process.pid
        if core is not None:
            # With its threads, and with the workers that decode pictures.
            for pid in [self.pid, *children(self.pid)]:
                subprocess.run(["taskset", "-a", "-c", "-p", str(core), str(pid)], check=True,
                               stdout=subprocess.DEVNULL)
        self.client = self.server.client()
        self.links = {}
        for picture, data in pictures.items():
            answer = self.client.upload(picture, data, media_type="image/png")
            if answer.status != 200:
                raise AssertionError(f"upload of {picture}: {answer}")
            self.links[picture] = answer.json()["publicResourceKey"]

    def cpu(self, workers=False):
        return cpu_seconds(self.pid) + (sum(map(cpu_seconds, children(self.pid))) if workers else 0)

    def resident(self):
        return resident_bytes(self.pid)

    def path(self, name, public=False):
        return f"/api/images/public/{self.links[name]}" if public else f"/api/images/tenant/{name}"

    def stop(self):
        self.server.stop()
