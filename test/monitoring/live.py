#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every query of the dashboard and loads the alert rules in a real Prometheus, which scrapes real servers, one of
each storage engine with figures of its own, with the configuration of etc/monitoring.

A query must be valid and return at least one number. There are no exceptions: a single server with the engine postgresql
has the metrics of a cluster, too, most counters of failures are 0 from the start, and refused logins are answered with
429. Debian's Python, for which psycopg2 is installed, runs this.
"""
import contextlib
import http.server
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "api"), str(HERE.parent / "cluster")]
from documents import panels_of  # noqa: E402
from harness import ROOT, SYSADMIN, Client, Server, free_port, png  # noqa: E402
from single_postgres import SinglePostgres  # noqa: E402

MONITORING = ROOT / "etc" / "monitoring"
LIMIT = 240  # seconds, for what takes seconds on a machine without other work


class Probe(http.server.BaseHTTPRequestHandler):
    """Simulates the blackbox exporter, which is another package: it requests the address in the query."""

    def do_GET(self):  # noqa: N802: the name that the base class calls
        target = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["target"][0]
        with contextlib.suppress(OSError), urllib.request.urlopen(target, timeout=10) as answer:
            page = f"# TYPE probe_success gauge\nprobe_success {int(answer.status == 200)}\n".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def log_message(self, *_):
        pass


class Prometheus:
    """With the configuration of etc/monitoring, of which only addresses and intervals are replaced."""

    def __init__(self, targets, ready, probe):
        program = shutil.which("prometheus")
        if not program:
            raise AssertionError("prometheus is not installed; etc/bootstrap.sh installs it")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-prometheus-"))
        text = (MONITORING / "prometheus.yml").read_text()
        for old, new in (("          - 127.0.0.1:9400\n", "".join(f"          - {t}\n" for t in targets)),
                         ("http://127.0.0.1:8080/health/ready", ready), ("127.0.0.1:9115", probe),
                         ("_interval: 15s", "_interval: 1s")):
            if old not in text:
                raise AssertionError(f"prometheus.yml does not contain {old!r}")
            text = text.replace(old, new)
        (self.folder / "prometheus.yml").write_text(text)
        shutil.copy(MONITORING / "gallery-alerts.yml", self.folder)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = self.folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'data'}",
                 f"--web.listen-address={self.url.removeprefix('http://')}"], stdout=log, stderr=log, cwd=self.folder)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, path, **query):
        """The data of an answer; an error of a query is a failure."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None

    def wait(self, done, what):
        """Until done() is true."""
        deadline = time.monotonic() + LIMIT
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                if done():
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{what} after {LIMIT} s; Prometheus' log ends:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)


def names_in(expression):
    """The metrics that an expression reads, without those of functions, labels and strings."""
    bare = re.sub(r"\{[^}]*\}|\b(?:by|without|on|ignoring) ?\([^)]*\)|\"[^\"]*\"|\[[^\]]*\]", " ", expression)
    return set(re.findall(r"\b((?:gallery|process)_\w+|up|probe_success)\b", bare)) | set(
        re.findall(r"\b([a-zA-Z_:][\w:]*)\{", expression))


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        # Decoding the system images and compressing the console would be most of the work.
        empty = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        (empty / "index.json").write_text("[]")
        (empty / "index.html").write_text("<!doctype html><title>Console</title>")
        database = cls.stack.enter_context(SinglePostgres())
        cls.servers, cls.ports = {}, {}
        for engine, options in (("rocksdb", {"CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE": "1048576"}), ("filesystem", {}),
                                ("postgresql", {"STORAGE_POSTGRESQL_DSN": database.dsn(),
                                                "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"})):
            cls.ports[engine] = free_port()
            server = Server(engine, demo=False, environment={
                "ACCESS_LOG_FORMAT": "json",
                "METRICS_BIND_PORT": str(cls.ports[engine]), "GALLERY_SYSTEM_IMAGES_DIR": str(empty),
                "GALLERY_CONSOLE_DIR": str(empty), "IMAGE_WORKERS": "1",
                "METRICS_TENANTS": "2", **options})
            cls.stack.callback(server.stop)
            cls.servers[engine] = server.start(wait=False)
        for server in cls.servers.values():
            server.wait_ready(LIMIT)
        probe = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Probe)
        cls.stack.callback(probe.server_close)
        threading.Thread(target=probe.serve_forever, daemon=True).start()
        cls.stack.callback(probe.shutdown)
        cls.instances = [f"127.0.0.1:{port}" for port in cls.ports.values()]
        cls.prometheus = Prometheus(cls.instances, f"http://127.0.0.1:{cls.servers['rocksdb'].port}/health/ready",
                                    f"127.0.0.1:{probe.server_port}")
        cls.stack.callback(cls.prometheus.stop)
        cls.began = time.time()
        cls.dashboard = json.loads((MONITORING / "gallery-dashboard.json").read_text())
        cls.clients = [server.client(SYSADMIN, keep=True) for server in cls.servers.values()]
        cls.strangers = [Client(server, keep=True) for server in cls.servers.values()]
        cls.rounds = 0
        # A mirror that follows, and a backup that is complete.
        for engine, is_backup in (("rocksdb", False), ("filesystem", True)):
            started = cls.servers[engine].client(SYSADMIN).post(
                "/api/system/mirror/start", {"engine": "filesystem", "path": "mirror", "backup": is_backup})
            if started.status != 200:
                raise AssertionError(started)

        # A pass of the scrub that is complete.
        for server in cls.servers.values():
            started = server.client(SYSADMIN).post("/api/system/scrub/start", {"bytesPerSecond": 0})
            if started.status != 200:
                raise AssertionError(started)

    def make_traffic(self):
        """Of each kind, on each server."""
        type(self).rounds += 1
        # 401, and 429 after some failures, which costs no time of a processor.
        self.assertIn(self.log_in_wrongly().status, (401, 429))
        name = f"picture-{self.rounds}.png"
        for client, stranger in zip(self.clients, self.strangers):
            uploaded = client.upload(name, png(text=name))
            self.assertEqual(200, uploaded.status, uploaded)
            link = uploaded.json()["link"]
            first = client.get(link)
            self.assertEqual(200, first.status, first)
            for _ in range(2):
                self.assertEqual(200, client.get(link).status)
                self.assertEqual(304, client.get(link, headers={"If-None-Match": first.header("ETag")}).status)
            self.assertEqual(404, client.get(link + "-missing").status)
            self.assertEqual(401, stranger.get(link).status)
            self.assertEqual(200, client.list().status)
            self.assertEqual(400, client.upload("text.png", b"no picture").status)
            self.assertEqual(200, client.delete(link).status)

    def log_in_wrongly(self):
        return self.strangers[0].post("/api/auth/login", {"username": "nobody@gallery.local", "password": "x"})

    def substituted(self, expression):
        """As Grafana sends it with all servers selected. The interval is long enough for a slow machine."""
        for name, value in (("$__rate_interval", "30s"), ("$__interval", "1s"), ("$__range", "6h"), ("$job", "gallery"),
                            ("$instance", ".*")):
            expression = expression.replace(name, value)
        self.assertNotIn("$", expression.replace("${1}", ""), "a variable that this test does not know")
        return expression

    def run_query(self, target):
        expression = self.substituted(target["expr"])
        if target["instant"]:
            return [(s["metric"], [s["value"]]) for s in self.prometheus.ask("/api/v1/query", query=expression)["result"]]
        answer = self.prometheus.ask("/api/v1/query_range", query=expression, start=self.began, end=time.time(), step=1)
        return [(s["metric"], s["values"]) for s in answer["result"]]

    def exposed(self):
        """The names of all metrics, as Prometheus has stored them."""
        return set(self.prometheus.ask("/api/v1/label/__name__/values"))

    def wait_for_all_servers(self):
        self.prometheus.wait(lambda: len(self.prometheus.ask("/api/v1/query", query='up{job="gallery"} == 1')["result"])
                             == len(self.instances) and "probe_success" in self.exposed(), "not all servers are scraped")

    def test_each_query_of_the_dashboard_returns_data(self):
        targets = [(panel["title"], target) for panel in panels_of(self.dashboard) for target in panel["targets"]]
        self.assertGreater(len(targets), 100)
        self.wait_for_all_servers()
        for title, target in targets:
            unknown = names_in(target["expr"]) - self.exposed()
            self.assertEqual(set(), unknown, f"{title!r}: no server has these metrics")
        pending = targets
        deadline = time.monotonic() + LIMIT
        while pending:
            self.make_traffic()
            without = []
            for title, target in pending:
                series = self.run_query(target)
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    for labels, _ in series:
                        self.assertIn(label, labels, f"{title!r}: {target['expr']}")
                if not any(math.isfinite(float(value)) for _, values in series for _, value in values):
                    without.append((title, target))
            pending = without
            if pending and time.monotonic() > deadline:
                self.fail("these queries return nothing:\n" + "\n".join(f"{t!r}: {q['expr']}" for t, q in pending))

    def test_the_panel_of_the_mirror_names_its_state(self):
        panel = next(p for p in panels_of(self.dashboard) if p["title"] == "Mirror: state")
        options = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
        instance = {engine: f"127.0.0.1:{port}" for engine, port in self.ports.items()}
        self.wait_for_all_servers()

        def shown():
            answer = self.prometheus.ask("/api/v1/query", query=self.substituted(panel["targets"][0]["expr"]))
            return {s["metric"]["instance"]: options[s["value"][1]]["text"] for s in answer["result"]}
        wanted = {instance["rocksdb"]: "following", instance["filesystem"]: "stopped"}  # others have none
        self.prometheus.wait(lambda: wanted.items() <= shown().items(),
                             "the mirrors are not in the states following and stopped")

    def test_the_variables_have_values(self):
        self.wait_for_all_servers()
        found = {}
        for variable in self.dashboard["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                found[variable["name"]] = self.prometheus.ask(f"/api/v1/label/{label}/values",
                                                              **{"match[]": self.substituted(selector)})
        self.assertEqual({"job": ["gallery"], "instance": sorted(self.instances)}, found)

    def test_the_alert_rules_are_evaluated(self):
        self.wait_for_all_servers()

        def rules():
            return [r for group in self.prometheus.ask("/api/v1/rules")["groups"] for r in group["rules"]]
        self.prometheus.wait(lambda: rules() and all(r["health"] != "unknown" for r in rules()), "rules are not evaluated")
        # Appears with the first answer.
        self.make_traffic()
        self.prometheus.wait(lambda: "gallery_http_requests_total" in self.exposed(), "no request is counted")
        self.assertEqual(len(rules()), (MONITORING / "gallery-alerts.yml").read_text().count("- alert:"))
        for rule in rules():
            with self.subTest(rule["name"]):
                self.assertEqual(("ok", ""), (rule["health"], rule.get("lastError", "")))
                names = names_in(rule["query"])
                self.assertNotEqual(set(), names)
                self.assertEqual(set(), names - self.exposed())


if __name__ == "__main__":
    unittest.main()
