# SPDX-License-Identifier: Apache-2.0
"""gallery-load: each built-in scenario against the real server, thresholds and exit codes, reports, clean-up, the search
for the limit, and a server that answers stale."""
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

from harness import BUILD, SYSADMIN, TENANT, Client, Server, sha256

BINARY = BUILD / "bin" / "gallery-load"
DONE, REFUSED, BROKEN, NOT_FOUND, USAGE, UNREACHABLE, NOT_PERMITTED = 0, 1, 2, 3, 64, 69, 77
SCENARIOS = ("browse", "dashboard-wall", "upload-storm", "replace-and-watch", "mixed")
# Small, and with thresholds that say nothing about the speed of the machine.
SMALL = """
rate: 20
duration: 2s
connections: 8
tenants: 2
images: 6
hashed: 1
sizes: [{size: 700}, {size: 20KiB}]
visits:
  - name: all
    think: 100ms
    requests:
      - list, search, info, get, revalidate, preview
      - upload, replace
      - get, revalidate * 2
thresholds:
  - p50 < 1h
  - errors < 0.001%
"""


def environment(port, who=SYSADMIN, scheme="http"):
    out = {k: v for k, v in os.environ.items() if not k.startswith("GALLERY_")}
    out.update(GALLERY_URL=f"{scheme}://127.0.0.1:{port}", GALLERY_USER=who[0], GALLERY_PASSWORD=who[1])
    return out


def load(port, *words, who=SYSADMIN):
    return subprocess.run([str(BINARY), *words], env=environment(port, who), capture_output=True, text=True, timeout=300,
                          check=False)


def scenario_file(folder, text):
    path = pathlib.Path(folder) / "scenario.yml"
    path.write_text(text)
    return str(path)


class LoadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def tenants(self):
        answer = Client(self.server, SYSADMIN).get("/api/tenants?pageSize=1000&page=0")
        return [one["title"] for one in answer.json()["data"] if one["title"].startswith("gallery-load ")]

    def run_load(self, *words, code=DONE):
        done = load(self.server.port, *words)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done

    def run_json(self, *words, code=DONE):
        return json.loads(self.run_load(*words, "--json", code=code).stdout)


class Scenarios(LoadTest):
    def check_scenario(self, name, rate=3):
        # Few visits on a machine that may be busy: the thresholds on latency may break, nothing else may.
        done = load(self.server.port, "run", name, "--rate", str(rate), "--duration", "4s", "--images", "12", "--tenants", "2",
                    "--connections", "16", "--json")
        self.assertIn(done.returncode, (DONE, BROKEN), done.stderr)
        found = json.loads(done.stdout)
        self.assertGreater(found["all"]["requests"], 0)
        self.assertEqual({}, found["faults"])
        self.assertEqual(found["all"]["requests"], found["all"]["outcomes"]["good"], found["all"])
        held = {one["threshold"]: one["holds"] for one in found["thresholds"]}
        self.assertTrue(held["errors < 0.1%"])
        self.assertTrue(held["stale answers = 0"])
        self.assertTrue(held["wrong answers = 0"])
        self.assertEqual(done.returncode == DONE, all(held.values()))
        self.assertGreater(len(found["server"]), 0, "the server's process was not found")
        self.assertEqual([], self.tenants())
        return found

    def test_browse(self):
        self.assertIn("list", self.check_scenario("browse")["requests"])

    def test_dashboard_wall(self):
        self.assertIn("revalidate", self.check_scenario("dashboard wall")["requests"])

    def test_upload_storm(self):
        self.assertIn("upload", self.check_scenario("upload-storm")["requests"])

    def test_replace_and_watch(self):
        found = self.check_scenario("replace-and-watch", rate=8)
        self.assertIn("replace", found["requests"])
        self.assertIn("revalidate", found["requests"])

    def test_mixed(self):
        self.assertGreater(len(self.check_scenario("mixed")["requests"]), 3)


class Runs(LoadTest):
    def test_all_kinds_of_requests_are_answered_and_checked(self):
        found = self.run_json("run", scenario_file(self.folder, SMALL))
        self.assertEqual({"list", "search", "info", "get", "revalidate", "preview", "upload", "replace"},
                         set(found["requests"]))
        self.assertTrue(found["holds"])
        self.assertEqual({}, found["faults"])
        for name in ("upload", "replace"):
            self.assertGreater(found["requests"][name]["sentBytes"], 700 * found["requests"][name]["requests"])
        self.assertGreater(found["requests"]["get"]["receivedBytes"], 700 * found["requests"]["get"]["requests"])

    def test_even_arrivals_are_all_sent(self):
        found = self.run_json("run", scenario_file(self.folder, SMALL + "arrivals: even\n"), "--rate", "25", "--duration", "2s")
        # 50 visits; of those in the last 200 ms not all bursts are in the run.
        self.assertGreaterEqual(found["requests"]["list"]["requests"], 49)
        self.assertLessEqual(found["requests"]["list"]["requests"], 50)

    def test_a_broken_threshold_is_an_exit_code(self):
        path = scenario_file(self.folder, SMALL)
        done = self.run_load("run", path, "--threshold", "get p99 < 1us", code=BROKEN)
        self.assertRegex(done.stdout, r"BROKEN  get p99 < 1us: \d")
        self.assertIn("holds   p50 < 1h", done.stdout)
        self.assertEqual([], self.tenants())

    def test_reports_are_written_as_json_and_as_one_page(self):
        page, report = self.folder / "a.html", self.folder / "a.json"
        self.run_load("run", scenario_file(self.folder, SMALL), "--html", str(page), "--report", str(report))
        text = page.read_text()
        self.assertTrue(text.startswith("<!DOCTYPE html>"))
        self.assertGreaterEqual(text.count("<svg"), 6)
        self.assertIsNone(re.search(r"\b(src|href)=|url\(|@import|<script", text))
        self.assertIn("all thresholds hold", text)
        self.assertIn("Resident memory of the server", text)
        found = json.loads(report.read_text())
        self.assertEqual(sum(one["done"] for one in found["seconds"]), found["all"]["requests"])

    def test_kept_tenants_are_removed_by_clean(self):
        self.run_load("run", scenario_file(self.folder, SMALL), "--keep")
        self.assertEqual(2, len(self.tenants()))
        self.assertEqual(USAGE, load(self.server.port, "clean").returncode)
        self.run_load("clean", "--yes")
        self.assertEqual([], self.tenants())


class CommandLine(LoadTest):
    def test_a_mistake_in_a_scenario_is_named_with_its_line(self):
        path = scenario_file(self.folder, SMALL.replace("images: 6", "image: 6"))
        done = self.run_load("check", path, code=REFUSED)
        self.assertIn(f"{path}:6: 'image' is not a key of a scenario; did you mean images?", done.stderr)

    def test_built_in_scenarios_are_listed_and_printed(self):
        listed = self.run_load("scenarios").stdout
        for name in SCENARIOS:
            self.assertIn(name, listed)
            path = self.folder / f"{name}.yml"
            path.write_text(self.run_load("scenarios", name).stdout)
            self.run_load("check", str(path))

    def test_what_is_not_there_has_its_exit_code(self):
        self.assertIn("did you mean browse?", self.run_load("run", "brows", code=NOT_FOUND).stderr)
        self.assertIn("did you mean --rate?", self.run_load("run", "browse", "--rat", "5", code=USAGE).stderr)
        self.assertEqual(UNREACHABLE, load(1, "run", "browse").returncode)
        self.assertIn("system administrator", load(self.server.port, "run", "browse", who=TENANT).stderr)
        self.assertEqual(NOT_PERMITTED, load(self.server.port, "run", "browse", who=TENANT).returncode)

    def test_help_manual_and_completion(self):
        for words in (["--help"], ["run", "--help"], ["find-limit", "--help"]):
            text = self.run_load(*words).stdout
            self.assertTrue(text.startswith("usage: gallery-load"), text)
            self.assertNotIn("gallery-admin", text)
        self.assertIn(".TH", self.run_load("--manual").stdout)
        self.assertIn("_gallery_load", self.run_load("--completion").stdout)
        self.assertIn("gallery-load ", self.run_load("--version").stdout)


class FakeGallery(http.server.ThreadingHTTPServer):
    """As much of the API as a run uses. `fault`: None, or how its answers contradict what was uploaded. `delay`: how
    long it takes for a picture, in seconds. While it is entered, it serves."""
    daemon_threads = True

    def __init__(self, fault=None, delay=0):
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.fault, self.delay, self.lock, self.images, self.count, self.deleted = fault, delay, threading.Lock(), {}, 0, 0
        self.port, self.was_read = self.server_address[1], threading.Event()
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        pass


class FakeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass

    def reply(self, status, body=b"", etag=None):
        self.send_response(status)
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, value):
        self.reply(200, json.dumps(value).encode())

    def picture(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        return body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]

    def do_GET(self):
        if self.path == "/api/auth/user":
            self.reply_json({"authority": "SYS_ADMIN", "email": "x@example.test"})
            return
        self.server.was_read.set()
        time.sleep(self.server.delay)
        with self.server.lock:
            versions = self.server.images[urllib.parse.unquote(self.path.split("/")[4])]
        now = versions[0] if self.server.fault == "stale" else versions[-1]
        etag = sha256(now)
        if self.server.fault == "stale 304" and "If-None-Match" in self.headers:
            self.reply(304)
        elif self.headers.get("If-None-Match") == f'"{etag}"':
            self.reply(304, etag=etag)
        else:
            self.reply(200, now[:-1] + b"x" if self.server.fault == "wrong" else now, etag)

    def do_POST(self):
        if self.path == "/api/image":
            picture = self.picture()
            with self.server.lock:
                self.server.count += 1
                key = f"load_{self.server.count}.png"
                self.server.images[key] = [picture]
            self.reply_json({"resourceKey": key, "etag": sha256(picture)})
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply_json({"token": "t", "refreshToken": "r", "id": {"entityType": "TENANT", "id": str(uuid.uuid4())}})

    def do_PUT(self):
        picture = self.picture()
        with self.server.lock:
            self.server.images[urllib.parse.unquote(self.path.split("/")[4])].append(picture)
        self.reply_json({"etag": sha256(picture)})

    def do_DELETE(self):
        with self.server.lock:
            self.server.deleted += 1
        self.reply(200)


class Contradictions(unittest.TestCase):
    SCENARIO = """
rate: 20
duration: 2s
connections: 8
images: 3
hashed: 1
sizes: [{size: 700}]
timeout: 60s
visits:
  - {think: 20ms, same_image: true, requests: [replace, "REQUEST * 2", "REQUEST * 2"]}
"""

    def run_against(self, fault, request):
        with FakeGallery(fault) as server, tempfile.TemporaryDirectory() as folder:
            done = load(server.port, "run", scenario_file(folder, self.SCENARIO.replace("REQUEST", request)), "--json")
            self.assertEqual(1, server.deleted)
        return done.returncode, json.loads(done.stdout)["all"]["outcomes"], done.stderr

    def test_a_server_that_answers_right_has_no_faults(self):
        for request in ("get", "revalidate"):
            code, outcomes, said = self.run_against(None, request)
            self.assertEqual(DONE, code, said)
            self.assertEqual(sum(outcomes.values()), outcomes["good"])

    def test_an_old_picture_after_an_acknowledged_replacement_is_found(self):
        code, outcomes, _ = self.run_against("stale", "get")
        self.assertEqual(BROKEN, code)
        self.assertGreater(outcomes["stale"], 0)
        self.assertEqual(0, outcomes["wrong"])

    def test_a_304_for_an_old_picture_is_found(self):
        code, outcomes, _ = self.run_against("stale 304", "revalidate")
        self.assertEqual(BROKEN, code)
        self.assertGreater(outcomes["stale"], 0)

    def test_bytes_that_differ_from_their_hash_are_found(self):
        code, outcomes, _ = self.run_against("wrong", "get")
        self.assertEqual(BROKEN, code)
        self.assertGreater(outcomes["wrong"], 0)
        self.assertEqual(0, outcomes["stale"])


class SlowServer(unittest.TestCase):
    SCENARIO = """
rate: 8
duration: 2s
arrivals: even
connections: 1
images: 3
sizes: [{size: 700}]
timeout: 2s
visits:
  - requests: [get]
thresholds:
  - errors < 0.001%
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_the_limit_is_searched_until_a_threshold_breaks(self):
        page = self.folder / "limit.html"
        # One connection carries at most 20 requests a second. At some rate above, requests wait for more than 2 s.
        with FakeGallery(delay=0.05) as server:
            done = load(server.port, "find-limit", scenario_file(self.folder, self.SCENARIO), "--hold", "2s", "--json",
                        "--html", str(page))
            self.assertEqual(1, server.deleted)
        self.assertEqual(DONE, done.returncode, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        rates = {one["requestsPerSecond"]: one["holds"] for one in found["steps"]}
        self.assertTrue(rates[8])
        self.assertTrue(rates[found["limitRequestsPerSecond"]])
        self.assertFalse(rates[max(rates)])
        self.assertLess(found["limitRequestsPerSecond"], 60)
        self.assertIn("a threshold breaks", found["reason"])
        self.assertIn("Latency by rate", page.read_text())

    def test_requests_that_wait_for_a_connection_count_from_their_intended_time(self):
        text = self.SCENARIO.replace("rate: 8", "rate: 30").replace("timeout: 2s", "timeout: 60s")
        with FakeGallery(delay=0.05) as server:
            done = load(server.port, "run", scenario_file(self.folder, text), "--json")
        found = json.loads(done.stdout)["all"]
        self.assertEqual(DONE, done.returncode, done.stderr)
        # 60 requests of 50 ms each take at least 3 s; the last one was to be sent at 2 s.
        self.assertGreater(found["latencyMicroseconds"]["max"], 900_000)
        self.assertGreater(found["latencyMicroseconds"]["max"], 5 * found["serviceMicroseconds"]["p50"])

    def test_an_interrupted_run_reports_and_cleans_up(self):
        path = scenario_file(self.folder, self.SCENARIO.replace("duration: 2s", "duration: 1h"))
        with FakeGallery() as server:
            with subprocess.Popen([str(BINARY), "run", path, "--json"], env=environment(server.port), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                self.assertTrue(server.was_read.wait(60))
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            self.assertEqual(1, server.deleted)
        self.assertEqual(DONE, process.returncode, err)
        self.assertIn("the run was interrupted", json.loads(out)["warnings"])


if __name__ == "__main__":
    unittest.main()
