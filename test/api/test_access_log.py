# SPDX-License-Identifier: Apache-2.0
"""The access log: one line for each request, in order, under the id that the client gets, and without secrets."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import time
import unittest
import uuid

from accounts import AccountTest
from harness import SYSADMIN, TENANT, Client, Server, free_port, png, quote, scrape

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
COMBINED = re.compile(r'(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}(?::\d\d){3} \+0000)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) '
                      r'"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)" id=(\S+) tenant=(\S+) key=(\S+) time=(\d+\.\d{6}) '
                      r"cache=(-|hit|miss|revalidated) sent=(all|part)")


class AccessLogTest(AccountTest):
    """A server with one I/O thread, so that lines are in the order of their answers."""
    kind = "json"
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.metrics_port = free_port()
        cls.options = {"environment": {"HTTP_IO_THREADS": "1", "ACCESS_LOG_FORMAT": cls.kind,
                                       "METRICS_BIND_PORT": str(cls.metrics_port), **cls.environment}}
        start = Server.start

        def with_file(server, *given, **kw):
            cls.log = server.data / "access.log"
            server.extra["ACCESS_LOG_FILE"] = str(cls.log)
            console = server.data / "console"  # builds with sanitizers have none
            console.mkdir(exist_ok=True)
            (console / "index.html").write_text("<!doctype html><title>Gallery</title>")
            server.extra["GALLERY_CONSOLE_DIR"] = str(console)
            return start(server, *given, **kw)

        Server.start = with_file
        try:
            super().setUpClass()
        finally:
            Server.start = start

    def raw_lines(self):
        return self.log.read_bytes().decode("ascii").split("\n")[:-1]

    def mark(self):
        """Where the log is now: the number of lines up to one that is written behind all earlier ones."""
        path = f"/mark/{uuid.uuid4()}"
        Client(self.server).get(path)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = self.raw_lines()
            found = [i for i, line in enumerate(lines) if path in line]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"{path} is not in the log")

    @contextlib.contextmanager
    def logged(self):
        """A list that has the lines of what was requested inside, behind it."""
        lines = []
        begin = self.mark()
        yield lines
        end = self.mark()
        lines += [json.loads(line) if self.kind == "json" else line for line in self.raw_lines()[begin + 1:end]]

    def connected(self):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        self.addCleanup(connection.close)
        return connection

    def raw(self, data):
        """What the server sends until it closes the connection."""
        connection = self.connected()
        connection.sendall(data)
        answer = b""
        while more := connection.recv(65536):
            answer += more
        connection.close()
        return answer


class EachRequest(AccessLogTest):
    def test_each_kind_of_answer_has_its_line_in_order(self):
        me = self.me(self.tenant).json()
        data = png(9, 9, text="logged")
        path = "/api/images/tenant/logged.png"
        with self.logged() as lines:
            uploaded = self.assertStatus(200, self.tenant.upload("logged.png", data))
            first = self.assertStatus(200, self.tenant.image("logged.png"))
            again = self.assertStatus(200, self.tenant.image("logged.png", headers={
                "User-Agent": 'agent "1"', "Referer": "https://a.example/page?activateToken=x"}))
            self.assertStatus(304, self.tenant.image("logged.png", headers={"If-None-Match": first.header("ETag")}))
            self.assertStatus(200, self.tenant.request("HEAD", path))
            self.assertStatus(206, self.tenant.image("logged.png", headers={"Range": "bytes=0-3"}))
            self.assertStatus(404, self.tenant.image("missing.png"))
            self.assertStatus(401, self.anonymous.get(path))
            self.assertStatus(405, self.tenant.request("PATCH", path))
            self.assertStatus(204, self.anonymous.request("OPTIONS", path))
            self.assertStatus(200, self.tenant.list(pageSize=1, textSearch="somebody@example.com"))
            self.assertStatus(200, self.anonymous.get("/"))
            self.assertStatus(200, self.tenant.delete(path))
        got = [(line["method"], line["target"], line["status"], line.get("route"), line.get("cache")) for line in lines]
        self.assertEqual([
            ("POST", "/api/image", 200, "image.upload", None),
            ("GET", path, 200, "image.download", "miss"),
            ("GET", path, 200, "image.download", "hit"),
            ("GET", path, 304, "image.download", "revalidated"),
            ("HEAD", path, 200, "image.download", "hit"),
            ("GET", path, 206, "image.download", "hit"),
            ("GET", "/api/images/tenant/missing.png", 404, "image.download", None),
            ("GET", path, 401, "image.download", None),
            ("PATCH", path, 405, None, None),
            ("OPTIONS", path, 204, None, None),
            ("GET", "/api/images?pageSize=1&page=0&textSearch=*", 200, "image.list", None),
            ("GET", "/", 200, None, "hit"),
            ("DELETE", path, 200, "image.delete", None)], got)
        now = time.time()
        for line in lines:
            self.assertEqual("127.0.0.1", line["client"])
            self.assertEqual("HTTP/1.1", line["protocol"])
            self.assertTrue(line["complete"])
            self.assertRegex(line["id"], r"^[0-9a-f]{16}$")
            self.assertLess(0, line["seconds"])
            self.assertLess(line["seconds"], 60)
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            logged_at = time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")
            self.assertLess(abs(now - (time.mktime(logged_at) - time.timezone)), 3700)
            anonymous = line["status"] in (401, 405, 204) or line["target"] == "/"
            expected = (None, None) if anonymous else (me["id"]["id"], me["tenantId"]["id"])
            self.assertEqual(expected, (line.get("user"), line.get("tenant")))
            self.assertNotIn("apiKey", line)
        self.assertEqual(len(lines), len({line["id"] for line in lines}))
        self.assertEqual(sorted(line["time"] for line in lines), [line["time"] for line in lines])
        self.assertGreater(lines[0]["received"], len(data))
        self.assertEqual(0, lines[1]["received"])
        self.assertGreater(lines[1]["sent"], len(data))
        self.assertEqual(('agent "1"', "https://a.example/page?*"), (lines[2]["userAgent"], lines[2]["referrer"]))
        self.assertEqual(lines[1]["sent"], lines[2]["sent"])
        self.assertLess(lines[3]["sent"], 1000)
        self.assertEqual((uploaded.status, again.body), (200, data))

    def test_the_id_of_an_error_is_the_same_in_body_header_and_log(self):
        with self.logged() as lines:
            answers = [self.tenant.image("missing.png"), self.anonymous.get("/api/images"),
                       self.tenant.get("/nowhere", headers={"X-Request-ID": "mine", "traceparent": TRACEPARENT}),
                       self.tenant.request("POST", "/api/image", b"{", {"Content-Type": "application/json"})]
        for answer, line in zip(answers, lines, strict=True):
            self.assertGreaterEqual(answer.status, 400)
            self.assertEqual(line["id"], answer.header("X-Request-ID"))
            self.assertEqual(line["id"], answer.json()["requestId"])
            self.assertRegex(line["id"], r"^[0-9a-f]{16}$")
            self.assertNotIn("trace", line)

    def test_a_head_that_cannot_be_read_has_a_line_and_begins_no_other(self):
        with self.logged() as lines:
            for data in (b"GET /bad HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", b"\x01\n\r\n\r\n",
                         b"GET /two HTTP/1.1\r\nHost: a\r\nHost: b\r\nUser-Agent: x\r\n\r\n",
                         b"GET /api/noauth/activate?activateToken=SECRET HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"):
                answer = self.raw(data)
                self.assertIn(b" 400 ", answer)
                self.assertEqual(1, answer.count(b"HTTP/1.1 "))
                lines.append(json.loads(answer.partition(b"\r\n\r\n")[2])["requestId"])
        ids, lines = lines[:4], lines[4:]
        self.assertEqual(ids, [line["id"] for line in lines])
        self.assertEqual([400] * 4, [line["status"] for line in lines])
        self.assertEqual(["/bad", None, "/two", "/api/noauth/activate?activateToken=*"],
                         [line.get("target") for line in lines])
        self.assertEqual("x", lines[2]["userAgent"])

    def test_what_a_client_writes_stays_inside_its_member(self):
        agent = 'a"b\\c\t\xff", "status": 1, "x": "'
        with self.logged() as lines:
            self.raw(b"GET /%0a%22?x=%0a HTTP/1.0\r\nUser-Agent: " + agent.encode("latin-1") + b"\r\n\r\n")
        self.assertEqual(1, len(lines))
        self.assertEqual((agent, "/%0a%22?*", "HTTP/1.0", 404),
                         tuple(lines[0][name] for name in ("userAgent", "target", "protocol", "status")))

    def test_requests_of_one_connection_have_a_line_each(self):
        keep = Client(self.server, keep=True)
        with self.logged() as lines:
            for i in range(3):
                keep.get(f"/kept/{i}")
            self.raw(b"".join(b"GET /piped/%d HTTP/1.1\r\nHost: a\r\n%s\r\n" % (i, b"Connection: close\r\n" * (i == 4))
                              for i in range(5)))
        self.assertEqual([f"/kept/{i}" for i in range(3)] + [f"/piped/{i}" for i in range(5)],
                         [line["target"] for line in lines])

    def test_an_answer_that_the_client_did_not_take_is_incomplete(self):
        data = png(text="large" * (4 << 20))
        self.assertStatus(200, self.tenant.upload("large.png", data))
        with self.logged() as lines:
            connection = self.connected()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(f"GET /api/images/tenant/large.png HTTP/1.1\r\nHost: a\r\n"
                               f"X-Authorization: Bearer {self.tenant.token}\r\n\r\n".encode())
            self.assertTrue(connection.recv(100))
            connection.close()
            # The end of the connection is noticed by itself.
            deadline = time.monotonic() + 30
            while not any("large.png" in line and '"GET"' in line for line in self.raw_lines()):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
        self.assertEqual([("/api/images/tenant/large.png", 200, False)],
                         [(line["target"], line["status"], line["complete"]) for line in lines])
        self.assertLess(lines[0]["sent"], len(data))

    def test_an_upload_that_is_broken_off_has_a_line(self):
        with self.logged() as lines:
            connection = self.connected()
            connection.sendall(f"POST /api/image HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
                               f"Content-Type: multipart/form-data; boundary=x\r\n"
                               f"X-Authorization: Bearer {self.tenant.token}\r\n\r\n--x\r\n".encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        self.assertEqual([("POST", 400, 5)], [(line["method"], line["status"], line["received"]) for line in lines])

    def test_lines_are_counted_and_none_is_lost(self):
        def lines_of(reason=None):
            name = "gallery_access_log_lost_total" if reason else "gallery_access_log_lines_total"
            return scrape(self.metrics_port)[name, (("reason", reason),) if reason else ()]
        self.mark()
        before = lines_of()
        for i in range(10):
            self.anonymous.get(f"/counted/{i}")
        self.mark()
        self.assertEqual(11, lines_of() - before)
        self.assertEqual((0, 0), (lines_of("slow"), lines_of("failed")))


class BehindProxy(AccessLogTest):
    """The tests are the proxy."""
    environment = {"HTTP_TRUSTED_PROXIES": "127.0.0.1"}

    def test_ids_and_the_clients_address_are_those_of_the_proxy(self):
        headers = ({"X-Request-ID": "proxy-1.a~b"}, {"traceparent": TRACEPARENT},
                   {"X-Request-ID": "proxy-2", "traceparent": TRACEPARENT, "X-Forwarded-For": "192.0.2.9"},
                   {"X-Request-ID": "a b"}, {"X-Request-ID": "x" * 129}, {"X-Request-ID": 'x"y'},
                   {"traceparent": TRACEPARENT.replace("7", "G")}, {"traceparent": f"00-{'0' * 32}-b7ad6b7169203331-01"},
                   {"traceparent": TRACEPARENT.upper()}, {"traceparent": "ff" + TRACEPARENT[2:]},
                   {"traceparent": TRACEPARENT + "-more"}, {"traceparent": "01" + TRACEPARENT[2:] + "-more"})
        with self.logged() as lines:
            answers = [self.anonymous.get(f"/from/{i}", headers=each) for i, each in enumerate(headers)]
        own = None
        expected = ["proxy-1.a~b", TRACE, "proxy-2", own, own, own, own, own, own, own, own, TRACE]
        for answer, line, wanted in zip(answers, lines, expected, strict=True):
            self.assertEqual(line["id"], answer.json()["requestId"])
            self.assertEqual(line["id"], answer.header("X-Request-ID"))
            if wanted is own:
                self.assertRegex(line["id"], r"^[0-9a-f]{16}$")
            else:
                self.assertEqual(wanted, line["id"])
        self.assertEqual([False, True, True] + [False] * 8 + [True], ["trace" in line for line in lines])
        self.assertEqual(["127.0.0.1", "127.0.0.1", "192.0.2.9"], [line["client"] for line in lines[:3]])

    def test_successes_are_logged_under_the_proxys_id_and_do_not_repeat_it(self):
        with self.logged() as lines:
            answer = self.tenant.get("/api/images?pageSize=1&page=0", headers={"X-Request-ID": "proxy-3"})
        self.assertStatus(200, answer)
        self.assertIsNone(answer.header("X-Request-ID"))
        self.assertEqual(["proxy-3"], [line["id"] for line in lines])


class Secrets(AccessLogTest):
    kind = "combined"

    def test_no_secret_is_in_the_log_and_who_asked_is(self):
        secrets = {TENANT[1], SYSADMIN[1], self.tenant.token, self.tenant.refresh_token, TENANT[0]}
        with self.logged() as lines:
            session = Client(self.server, TENANT)
            secrets |= {session.token, session.refresh_token}
            wrong = {"username": "wrong-name-1", "password": "wrong-password-1"}
            self.assertStatus(401, self.anonymous.post("/api/auth/login", wrong))
            secrets |= set(wrong.values())
            pair = self.assertStatus(200, self.anonymous.post("/api/auth/token",
                                                              {"refreshToken": session.refresh_token})).json()
            secrets |= {pair["token"], pair["refreshToken"]}
            key = self.assertStatus(200, session.post("/api/apiKey", {"description": "logged"})).json()
            secrets.add(key["value"])
            by_key = self.with_token(key["value"], "ApiKey")
            self.assertStatus(200, by_key.upload("secret.png", png(text="secret")))
            info = by_key.info("secret.png").json()
            secrets.add(info["publicResourceKey"])
            self.assertStatus(200, self.anonymous.get(info["publicLink"]))
            self.assertStatus(200, self.anonymous.get(info["publicLink"].replace("public", "%70ublic")))
            self.assertStatus(405, self.anonymous.post(info["publicLink"]))
            _, user, invited = self.tenant_with_admin()
            secrets |= {invited.token, invited.refresh_token, user["email"]}
            link = self.invite(self.admin, "SYS_ADMIN")
            link = self.assertStatus(200, self.admin.get(f"/api/user/{link['id']['id']}/activationLink")).body.decode()
            secrets.add(link.split("activateToken=")[1])
            answer = self.anonymous.get("/api/noauth/activate?" + link.split("?")[1],
                                        headers={"Referer": link, "Cookie": "a=cookie-secret"})
            self.assertLess(answer.status, 400)
            wanted = {"tenant": ["secret.png"]}
            ticket = self.assertStatus(200, self.tenant.post("/api/images/zipTicket", wanted)).json()["ticket"]
            secrets |= {ticket, quote(ticket)}
            self.assertStatus(200, self.anonymous.request(
                "POST", f"/api/images/zipDownload?ticket={quote(ticket)}",
                f"images={quote(json.dumps(wanted))}".encode(), FORM))
            # The server accepts no user information in a URL (RFC 9110, 4.2.4).
            self.assertStatus(400, self.anonymous.get("http://user:url-password@a/x?unknown=unknown-secret"))
            self.assertStatus(404, self.anonymous.get("/x?unknown=unknown-secret&c2VjcmV0=="))
            secrets |= {"url-password", "unknown-secret", "c2VjcmV0", "cookie-secret"}
            self.assertStatus(200, self.tenant.get("/api/users?pageSize=9&page=0&textSearch=person%40example.com"))
            secrets |= {"person%40example.com", "person"}
        parsed = [COMBINED.fullmatch(line) for line in lines]
        for line, match in zip(lines, parsed, strict=True):
            self.assertIsNotNone(match, line)
        text = "\n".join(self.raw_lines())
        for secret in secrets:
            self.assertTrue(secret)
            self.assertNotIn(secret, text)
        me = self.me(self.tenant).json()
        uploads = [match for match in parsed if match[4].startswith("POST /api/image HTTP")]
        self.assertEqual([(me["id"]["id"], me["tenantId"]["id"], key["id"]["id"])],
                         [(match[2], match[10], match[11]) for match in uploads])
        downloads = [match for match in parsed if "zipDownload" in match[4]]
        self.assertEqual([("POST /api/images/zipDownload?ticket=* HTTP/1.1", me["id"]["id"])],
                         [(match[4], match[2]) for match in downloads])
        links = [match[4] for match in parsed if info["publicResourceKey"][:8] in match[4]]
        beginning = info["publicResourceKey"][:8] + "* HTTP/1.1"
        self.assertEqual([f"GET /api/images/public/{beginning}", f"GET /api/images/%70ublic/{beginning}",
                          f"POST /api/images/public/{beginning}"], links)
        self.assertIn("GET /x?*&* HTTP/1.1", [match[4] for match in parsed])


class Rotation(AccessLogTest):
    environment = {"HTTP_IO_THREADS": "2"}

    def test_a_renamed_file_is_left_and_no_line_is_lost(self):
        def ask(thread):
            client = Client(self.server, keep=True)
            for i in range(300):
                client.get(f"/rotated/{thread}/{i}")
        rotations = 8
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            asking = [threads.submit(ask, thread) for thread in range(4)]
            for i in range(rotations):
                os.rename(self.log, f"{self.log}.{i}")
                self.server.process.send_signal(signal.SIGHUP)
                self.server.wait_for_log("the access log was reopened", i + 1)
                self.assertTrue(self.log.exists())
            for each in asking:
                each.result()
        self.mark()
        targets = []
        for i in range(rotations):
            with open(f"{self.log}.{i}", encoding="ascii") as old:
                targets += [json.loads(line)["target"] for line in old]
        targets += [json.loads(line)["target"] for line in self.raw_lines()]
        rotated = sorted(target for target in targets if target.startswith("/rotated/"))
        self.assertEqual(sorted(f"/rotated/{thread}/{i}" for thread in range(4) for i in range(300)), rotated)
        self.assertEqual(0o600, self.log.stat().st_mode & 0o777)


class Destinations(unittest.TestCase):
    def test_without_a_file_lines_go_to_standard_output(self):
        with Server(environment={"ACCESS_LOG_FORMAT": "combined"}) as server:
            Client(server).get("/to/standard/output")
            log = server.wait_for_log("/to/standard/output")
            self.assertRegex(log, r'(?m)^127\.0\.0\.1 - - \[.*\] "GET /to/standard/output HTTP/1\.1" 404 \d+ "-" "-" id=')

    def test_it_is_off_where_nobody_asks_for_it(self):
        with Server() as server:
            Client(server).get("/nobody/sees/this")
            self.assertEqual(0, server.terminate())
            self.assertNotIn("/nobody/sees/this", server.log())

    def test_a_stop_writes_the_last_lines(self):
        with Server(environment={"ACCESS_LOG_FORMAT": "json"}) as server:
            file = server.extra["ACCESS_LOG_FILE"] = server.data / "later.log"
            server.terminate()
            server.start()
            for i in range(100):
                Client(server).get(f"/last/{i}")
            self.assertEqual(0, server.terminate())
            targets = [json.loads(line)["target"] for line in file.read_text().splitlines()]
            self.assertEqual(100, sum(target.startswith("/last/") for target in targets))

    def test_a_full_disk_costs_lines_and_no_request(self):
        port = free_port()
        with Server(environment={"ACCESS_LOG_FORMAT": "json", "ACCESS_LOG_FILE": "/dev/full",
                                 "METRICS_BIND_PORT": str(port)}) as server:
            for i in range(50):
                self.assertEqual(404, Client(server).get(f"/lost/{i}").status)
            log = server.wait_for_log("the access log cannot be written: No space left on device")
            self.assertEqual(1, log.count("cannot be written"))
            deadline = time.monotonic() + 30
            while scrape(port)["gallery_access_log_lost_total", (("reason", "failed"),)] < 50:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)

    def test_a_file_that_cannot_be_opened_stops_the_start(self):
        server = Server(environment={"ACCESS_LOG_FORMAT": "json", "ACCESS_LOG_FILE": "/nonexistent/access.log"})
        try:
            server.start(wait=False)
            self.assertEqual(78, server.process.wait(60))
            self.assertIn("the access log '/nonexistent/access.log' cannot be opened: No such file", server.log())
        finally:
            server.kill()
            with contextlib.suppress(AssertionError):
                server.stop()


class Tls(unittest.TestCase):
    def test_over_tls_there_is_a_line_too(self):
        server = Server(environment={"ACCESS_LOG_FORMAT": "json", "SSL_ENABLED": "true", "SSL_PEM_CERT": "cert.pem",
                                     "SSL_PEM_KEY": "key.pem"})
        server.extra["ACCESS_LOG_FILE"] = file = server.data / "access.log"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                       cwd=server.data, check=True, capture_output=True, timeout=60)
        try:
            server.start(wait=False)
            server.wait_for_report()
            unverified = ssl.create_default_context()
            unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=unverified)
            self.addCleanup(connection.close)
            connection.request("GET", "/over/tls")
            answer = connection.getresponse()
            requested = json.loads(answer.read())["requestId"]
            self.assertEqual(0, server.terminate())
            lines = [json.loads(line) for line in file.read_text().splitlines()]
            self.assertEqual([(requested, "/over/tls", 404, True)],
                             [(line["id"], line["target"], line["status"], line["complete"]) for line in lines])
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
