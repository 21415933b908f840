# SPDX-License-Identifier: Apache-2.0
"""The gallery servers, and haproxy in front of them."""
import http.client
import os
import pathlib
import signal
import subprocess
import time

from folder import NODES
from processes import Failure, free_ports, kill_all_in, record, wait_for_program

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD") or ROOT / "build" / "release")
HAPROXY = "/usr/sbin/haproxy"


def check_programs():
    if not (BUILD / "bin" / "gallery-server").exists():
        raise Failure(f"there is no gallery server in {BUILD}/bin. Run etc/run.sh or etc/test.sh once, which build it, or "
                      "set GALLERY_BUILD to the build folder.")
    if not os.access(HAPROXY, os.X_OK):
        raise Failure(f"there is no {HAPROXY}. Run etc/bootstrap.sh, which installs haproxy.")


class Program:
    """A process that is started again after it has ended."""

    def __init__(self, label, command, folder, log_path, environment=None):
        self.label, self.command, self.folder, self.log_path = label, command, folder, log_path
        self.environment = environment
        self.process = None
        self.ended = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self):
        kill_all_in(self.folder)
        self.popen(args=[str(part) for part in self.command], env=self.environment, stdin=subprocess.DEVNULL)

    def popen(self, **arguments):
        self.ended = None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(cwd=self.folder, stdout=log, stderr=log, **arguments)
        record(self.process.pid, self.folder)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.pid if self.is_running() else None

    def tend(self, delay, say):
        if self.is_running():
            return
        if self.ended is None:
            self.ended = time.monotonic()
            say(f"{self.label} has ended ({self.process.returncode})")
        elif delay and time.monotonic() - self.ended >= delay:
            say(f"starting {self.label}")
            self.start()

    def ask_to_stop(self):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def stop(self, limit=30):
        self.ask_to_stop()
        self.wait_stopped(limit)

    def wait_stopped(self, limit=30):
        if self.is_running():
            try:
                self.process.wait(limit)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        kill_all_in(self.folder)


def is_ready(url, timeout=2):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Node(Program):
    def __init__(self, number, port, folder, environment):
        home = folder.path / f"node{number}"
        own = {"HTTP_BIND_ADDRESS": "127.0.0.1", "HTTP_BIND_PORT": str(port), "HTTP_TRUSTED_PROXIES": "127.0.0.1",
               "GALLERY_DATA": str(home / "data"), "STORAGE_PATH": "", "GALLERY_NODE_ADDRESS": f"127.0.0.1:{port}"}
        super().__init__(f"node {number}", [BUILD / "bin" / "gallery-server", "--demo"], home,
                         folder.log / f"node{number}.log", {**environment, **own})
        self.url = f"http://127.0.0.1:{port}"


class Front:
    def __init__(self, folder, dsn, restart_delay, say):
        self.restart_delay, self.say = restart_delay, say
        port, *node_ports = free_ports(1 + NODES)
        environment = {**os.environ, "STORAGE_PLUGIN": "postgresql", "STORAGE_POSTGRESQL_DSN": dsn}
        self.nodes = [Node(number, p, folder, environment) for number, p in enumerate(node_ports, 1)]
        self.url = f"http://127.0.0.1:{port}"
        configuration = folder.path / "haproxy.cfg"
        configuration.write_text(haproxy_configuration(port, self.nodes))
        self.haproxy = Program("haproxy", [HAPROXY, "-db", "-f", configuration], folder.path / "haproxy",
                               folder.log / "haproxy.log")

    def start(self, limit=300):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            wait_for_program(node, lambda node=node: is_ready(node.url), limit, "is not ready")
        self.haproxy.start()
        wait_for_program(self.haproxy, lambda: is_ready(self.url), limit, "does not forward requests")

    def tick(self):
        for program in (*self.nodes, self.haproxy):
            program.tend(self.restart_delay, self.say)

    def stop(self):
        self.haproxy.stop()
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.wait_stopped()


def haproxy_configuration(port, nodes):
    servers = "\n".join(f"    server node{number} {node.url.removeprefix('http://')}" for number, node in enumerate(nodes, 1))
    return f"""# Written by etc/cluster.sh at each start. etc/doc/cluster.md explains it.
global
    maxconn 4000

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 240s
    timeout http-request 15s
    timeout check 1s
    # A request that reached no server goes to another one. One that broke off is repeated only if that changes nothing.
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response

frontend gallery
    bind 127.0.0.1:{port}
    http-request disable-l7-retry if !{{ method GET HEAD }}
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request del-header X-Forwarded-Port
    http-request del-header X-Forwarded-Prefix
    http-request del-header Forwarded
    http-request del-header X-Request-ID
    http-request del-header traceparent
    default_backend nodes

backend nodes
    balance roundrobin
    # 503 while a node starts, stops, or has not heard from the database within the staleness.
    option httpchk GET /health/ready
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
