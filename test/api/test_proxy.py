# SPDX-License-Identifier: Apache-2.0
"""A gallery beside a ThingsBoard behind one origin: etc/proxy/nginx.conf and etc/proxy/haproxy.cfg do what
etc/doc/thingsboard.md says. A stub plays ThingsBoard: it hands out tokens that it signs with the shared key, and
answers everything else with the fact that it was asked."""
import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

from accounts import SIGNING_KEY, sign
from harness import ROOT, Client, Server, free_port, png, quote

TENANT_ID = str(uuid.uuid4())


def thingsboard_token():
    now = int(time.time())
    return sign({"sub": "admin@thingsboard.example", "userId": str(uuid.uuid4()), "scopes": ["TENANT_ADMIN"],
                 "sessionId": str(uuid.uuid4()), "iss": "thingsboard.io", "iat": now, "exp": now + 300,
                 "firstName": "", "lastName": "", "enabled": True, "isPublic": False, "tenantId": TENANT_ID,
                 "customerId": "13814000-1dd2-11b2-8080-808080808080"})


class Stub(http.server.BaseHTTPRequestHandler):
    """ThingsBoard, as far as the proxy is concerned."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if self.path == "/api/auth/login":
            body = {"token": thingsboard_token(), "refreshToken": ""}
        else:
            body = {"thingsboard": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class StubServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A proxy that ends resets the connections that it kept; what else fails, fails its test."""


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not found:
        raise AssertionError(f"{name} is not installed; etc/bootstrap.sh installs it")
    return found


class Front:
    """The proxy as a Client's server: its port, and nothing else."""
    def __init__(self, port):
        self.port = port


class ProxyTest:
    """Mixed into a test case for each proxy, which says how to start it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="gallery-proxy-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.stub = StubServer(("127.0.0.1", 0), Stub)
        threading.Thread(target=cls.stub.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.stub.server_close)
        cls.addClassCleanup(cls.stub.shutdown)
        cls.gallery = Server(environment={"JWT_TOKEN_SIGNING_KEY": base64.b64encode(SIGNING_KEY).decode(),
                                           "HTTP_TRUSTED_PROXIES": "127.0.0.1"})
        cls.addClassCleanup(cls.gallery.stop)
        cls.gallery.start()
        cls.port = free_port()
        log = open(cls.folder / "proxy.log", "wb")
        cls.addClassCleanup(log.close)
        cls.process = subprocess.Popen(cls.command(), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end)
        cls.wait()

    @classmethod
    def end(cls):
        cls.process.terminate()
        cls.process.wait(20)

    @classmethod
    def wait(cls):
        """Until both servers behind the proxy answer through it."""
        deadline = time.monotonic() + 60
        seen = ""
        while time.monotonic() < deadline:
            if cls.process.poll() is not None:
                break
            try:
                client = Client(Front(cls.port), timeout=5)
                seen = (client.get("/").status, client.get("/gallery/health/ready").status)
                if seen == (200, 200):
                    return
            except OSError as e:
                seen = e
            time.sleep(0.05)
        raise AssertionError(f"the proxy is not ready: {seen}\n{(cls.folder / 'proxy.log').read_text()}")

    @classmethod
    def configuration(cls, name):
        """The published file with the addresses of this test. Each must occur, or the test would run another one."""
        text = (ROOT / "etc" / "proxy" / name).read_text()
        for address, ours in ((r"127\.0\.0\.1:8080", f"127.0.0.1:{cls.stub.server_address[1]}"),
                              (r"127\.0\.0\.1:8090", f"127.0.0.1:{cls.gallery.port}"),
                              cls.listening):
            ours = ours.replace("PORT", str(cls.port))
            text, count = re.subn(address, ours, text)
            assert count == 1, f"{name} has {count} times {address}"
        path = cls.folder / name
        path.write_text(text)
        return path

    def setUp(self):
        self.client = Client(Front(self.port))
        self.client.login("admin@thingsboard.example", "any")

    def expect_thingsboard(self, path, answer=None):
        answer = answer or self.client.get(path)
        self.assertEqual(200, answer.status, answer)
        self.assertEqual(path, answer.json()["thingsboard"])
        return answer.json()["headers"]

    def test_images_are_the_gallerys_with_a_token_of_thingsboard(self):
        picture = png(9, 7, text="proxied")
        uploaded = self.client.upload("a b.png", picture)
        self.assertEqual(200, uploaded.status, uploaded)
        info = uploaded.json()
        self.assertEqual(TENANT_ID, info["tenantId"]["id"])
        listed = self.client.list()
        self.assertEqual(["a b.png"], [i["resourceKey"] for i in listed.json()["data"]])
        got = self.client.image("a b.png")
        self.assertEqual((200, picture), (got.status, got.body))
        again = self.client.image("a b.png", headers={"If-None-Match": got.header("ETag")})
        self.assertEqual((304, b""), (again.status, again.body))
        public = Client(Front(self.port)).get(info["publicLink"])
        self.assertEqual((200, picture), (public.status, public.body))
        replaced = self.client.replace("a b.png", "a b.png", png(3, 3))
        self.assertEqual(200, replaced.status, replaced)
        self.assertEqual(200, self.client.delete(f"/api/images/tenant/{quote('a b.png')}").status)
        self.assertEqual(404, self.client.image("a b.png").status)
        # Without a token it is the gallery that refuses.
        refused = Client(Front(self.port)).list()
        self.assertEqual((401, 10), (refused.status, refused.json()["errorCode"]))

    def test_exports_are_imported(self):
        data = base64.b64encode(png(4, 4)).decode()
        imported = self.client.put("/api/image/import", {"type": "IMAGE", "subType": "IMAGE", "title": "moved",
                                                         "resourceKey": "moved.png", "fileName": "moved.png",
                                                         "mediaType": "image/png", "data": data})
        self.assertEqual(200, imported.status, imported)
        self.assertEqual(200, self.client.delete("/api/images/tenant/moved.png").status)

    def test_a_key_with_a_slash_arrives_as_it_was_written(self):
        for prefix in ("", "/gallery"):
            missing = self.client.get(f"{prefix}/api/images/tenant/a%2Fb%3F.png")
            self.assertEqual(404, missing.status)
            self.assertIn("a/b?.png", missing.json()["message"])

    def test_large_uploads_pass(self):
        # Above nginx's own limit of 1 MiB; bytes that do not compress.
        text = base64.b64encode(os.urandom(3 << 20)).decode()
        uploaded = self.client.upload("large.png", png(5, 5, text=text))
        self.assertEqual(200, uploaded.status, uploaded)
        self.assertGreater(uploaded.json()["descriptor"]["size"], 3 << 20)
        self.assertEqual(200, self.client.delete("/api/images/tenant/large.png").status)

    def test_everything_else_is_thingsboards(self):
        for path in ("/", "/dashboards", "/api/auth/user", "/api/resource/image", "/api/imagesque", "/api/imag",
                     "/API/images", "/galleryx", "/api/system/params", "/health/ready", "/static/api/images/x"):
            headers = self.expect_thingsboard(path)
            self.assertNotIn("x-forwarded-prefix", headers)

    def test_websockets_reach_thingsboard(self):
        answer = self.client.get("/api/ws", headers={
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()})
        headers = self.expect_thingsboard("/api/ws", answer)
        self.assertEqual("websocket", headers["upgrade"])
        self.assertEqual("upgrade", headers["connection"].lower())

    def test_what_a_client_says_about_itself_is_not_believed(self):
        lies = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
                "X-Forwarded-Prefix": "/evil", "Forwarded": "for=203.0.113.7;proto=https"}
        headers = self.expect_thingsboard("/x", self.client.get("/x", headers=lies))
        self.assertEqual("127.0.0.1", headers["x-forwarded-for"])
        self.assertEqual("http", headers["x-forwarded-proto"])
        self.assertEqual(f"127.0.0.1:{self.port}", headers["x-forwarded-host"])
        self.assertFalse({"x-forwarded-prefix", "forwarded"} & set(headers), headers)

    def test_the_console_and_its_accounts_are_under_a_prefix(self):
        moved = self.client.get("/gallery")
        self.assertEqual(301, moved.status)
        self.assertTrue(moved.header("Location").endswith("/gallery/"), moved.header("Location"))
        for path in ("/gallery/health/live", "/gallery/health/ready?for=write"):
            self.assertEqual((200, {"status": "UP"}), (self.client.get(path).status, self.client.get(path).json()))
        own = Client(Front(self.port))
        answer = own.post("/gallery/api/auth/login", {"username": "tenant@gallery.local",
                                                      "password": "demo-password-1"})
        self.assertEqual(200, answer.status, answer)
        own.token = answer.json()["token"]
        listed = own.get("/gallery/api/images?pageSize=1&page=0&textSearch=a%20b")
        self.assertEqual(200, listed.status, listed)
        self.assertIn("totalElements", listed.json())
        # An account of the gallery is no account of ThingsBoard's tenant.
        self.assertEqual(200, own.get("/api/images?pageSize=1&page=0").status)


class Nginx(ProxyTest, unittest.TestCase):
    listening = (r"listen 80;", "listen 127.0.0.1:PORT;")

    @classmethod
    def command(cls):
        site = cls.configuration("nginx.conf")
        temporary = "".join(f"{kind}_temp_path {cls.folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole = cls.folder / "whole.conf"
        whole.write_text(f"daemon off;\nmaster_process off;\npid {cls.folder}/pid;\nerror_log stderr;\nevents {{}}\n"
                         f"http {{\naccess_log off;\n{temporary}include {site};\n}}\n")
        return [program("nginx"), "-e", "stderr", "-c", str(whole),
                "-p", str(cls.folder)]


class Haproxy(ProxyTest, unittest.TestCase):
    listening = (r"bind :80\n", "bind 127.0.0.1:PORT\n")

    @classmethod
    def command(cls):
        site = cls.configuration("haproxy.cfg")
        return [program("haproxy"), "-db", "-f", str(site)]


if __name__ == "__main__":
    unittest.main()
