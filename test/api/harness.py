# SPDX-License-Identifier: Apache-2.0
"""Starts the real server on a free port with a data folder of its own, and talks to it as a client would.

Black-box tests use `Server` and `Client` and nothing of the server's code. Environment:
GALLERY_BUILD      the build folder (default: build/release beside this repository's root)
GALLERY_TESTDATA   real pictures (default: test/data/pictures)
STORAGE_PLUGIN     the plugin to test with (default: rocksdb)
"""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build" / "release"))
TESTDATA = pathlib.Path(os.environ.get("GALLERY_TESTDATA", ROOT / "test" / "data" / "pictures"))

SYSADMIN = ("sysadmin@gallery.local", "sysadmin-password-1")
TENANT = ("tenant@gallery.local", "demo-password-1")
CUSTOMER = ("customer@gallery.local", "demo-password-1")
SYSTEM_TENANT = "13814000-1dd2-11b2-8080-808080808080"


def is_sanitized():
    """Whether the server is built with a sanitizer, which takes several times the memory and the time."""
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and bool(re.search(r"^GALLERY_SANITIZE:\w+=\w", cache.read_text(), re.MULTILINE))


def testdata(*names):
    """Pictures by relative name; without arguments all valid ones, of which there are some."""
    if names:
        return [TESTDATA / name for name in names]
    found = sorted(p for p in TESTDATA.rglob("*") if p.is_file() and p.parent.name != "invalid" and p.suffix != ".md")
    if not found:
        raise AssertionError(f"there are no pictures in {TESTDATA}")
    return found


def png(width=8, height=8, colour=(200, 30, 30), text=None):
    """A small valid PNG; another colour or text gives other bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    extra = chunk(b"tEXt", b"Comment\0" + text.encode("latin-1")) if text is not None else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scrape(port):
    """The metrics that the server publishes on this port: {(name, {label: value} as sorted pairs): number}."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, labels, number = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        found[name, tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))] = float(number)
    return found


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return ", ".join(values) if values else None

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Client:
    """One user. Opens a connection per request unless `keep` is set."""

    def __init__(self, server, credentials=None, keep=False, timeout=60):
        self.server, self.keep, self.timeout, self.connection = server, keep, timeout, None
        self.token = self.refresh_token = None
        self.scheme = "Bearer"
        if credentials:
            self.login(*credentials)

    def __del__(self):
        if self.connection:
            self.connection.close()

    def login(self, username, password):
        answer = self.post("/api/auth/login", {"username": username, "password": password})
        if answer.status != 200:
            raise AssertionError(f"login as {username}: {answer}")
        self.token, self.refresh_token = answer.json()["token"], answer.json()["refreshToken"]

    def request(self, method, target, body=None, headers=None, authenticate=True):
        fields = dict(headers or {})
        if authenticate and self.token and "X-Authorization" not in fields:
            fields["X-Authorization"] = f"{self.scheme} {self.token}"
        connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=self.timeout)
        try:
            connection.request(method, target, body=body, headers=fields)
            answer = connection.getresponse()
            result = Response(answer.status, answer.getheaders(), answer.read())
        except BaseException:
            connection.close()
            self.connection = None
            raise
        if self.keep and not answer.will_close:
            self.connection = connection
        else:
            connection.close()
            self.connection = None
        return result

    def get(self, target, **kw):
        return self.request("GET", target, **kw)

    def delete(self, target, **kw):
        return self.request("DELETE", target, **kw)

    def json_body(self, method, target, value, headers=None, **kw):
        return self.request(method, target, json.dumps(value).encode(),
                            {"Content-Type": "application/json", **(headers or {})}, **kw)

    def post(self, target, value=None, **kw):
        return self.json_body("POST", target, {} if value is None else value, **kw)

    def put(self, target, value=None, **kw):
        return self.json_body("PUT", target, {} if value is None else value, **kw)

    def multipart(self, method, target, parts, headers=None):
        body, content_type = multipart(parts)
        return self.request(method, target, body, {"Content-Type": content_type, **(headers or {})})

    def upload(self, name, data, title=None, sub_type=None, media_type="application/octet-stream", headers=None):
        parts = [("file", name, media_type, data)]
        if title is not None:
            parts.append(("title", None, None, title.encode()))
        if sub_type is not None:
            parts.append(("imageSubType", None, None, sub_type.encode()))
        return self.multipart("POST", "/api/image", parts, headers)

    def replace(self, key, name, data, kind="tenant", headers=None):
        return self.multipart("PUT", f"/api/images/{kind}/{quote(key)}",
                              [("file", name, "application/octet-stream", data)], headers)

    def image(self, key, kind="tenant", suffix="", **kw):
        return self.get(f"/api/images/{kind}/{quote(key)}{suffix}", **kw)

    def info(self, key, kind="tenant"):
        return self.image(key, kind, "/info")

    def list(self, **query):
        query = {"pageSize": 100, "page": 0, **query}
        return self.get("/api/images?" + urllib.parse.urlencode(query))


def quote(segment):
    return urllib.parse.quote(segment, safe="")


def multipart(parts):
    """parts: (name, file name or None, media type or None, bytes)"""
    boundary = "----gallery" + uuid.uuid4().hex
    out = []
    for name, file_name, media_type, data in parts:
        disposition = f'Content-Disposition: form-data; name="{name}"'
        if file_name is not None:
            escaped = file_name.replace("\\", "\\\\").replace('"', "%22")
            disposition += f'; filename="{escaped}"'
        head = f"--{boundary}\r\n{disposition}\r\n"
        if media_type:
            head += f"Content-Type: {media_type}\r\n"
        out += [head.encode() + b"\r\n", data, b"\r\n"]
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out), f"multipart/form-data; boundary={boundary}"


class Server:
    """The real binary. `with Server() as server:` or start() and stop()."""

    def __init__(self, plugin=None, demo=True, environment=None, data=None):
        self.plugin = plugin or os.environ.get("STORAGE_PLUGIN", "rocksdb")
        self.demo = demo
        self.extra = environment or {}
        self.arguments = []
        self.own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="gallery-test-"))
        self.port = free_port()
        self.process = None
        self.log_path = self.data / "server.log"

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GALLERY_SYS", "GALLERY_DEMO", "HTTP_"))}
        env.update({
            "HTTP_BIND_ADDRESS": "127.0.0.1", "HTTP_BIND_PORT": str(self.port),
            "STORAGE_PLUGIN": self.plugin, "GALLERY_DATA": str(self.data / "data"),
            "STORAGE_PATH": str(self.data / "data" / "storage"),
            "GALLERY_SYSADMIN_PASSWORD": SYSADMIN[1], "GALLERY_DEMO_PASSWORD": TENANT[1],
        })
        if is_sanitized():
            env["IMAGE_TIMEOUT"] = "10m"
        env.update(self.extra)
        return env

    def start(self, wait=True):
        command = [str(BUILD / "bin" / "gallery-server")] + (["--demo"] if self.demo else []) + self.arguments
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, cwd=self.data)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, limit=120):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if Client(self, timeout=5).get("/health/ready").status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready after {limit} s:\n{self.log()}")

    def log(self):
        return self.log_path.read_text(errors="replace")[-8000:] if self.log_path.exists() else ""

    def wait_for_log(self, words, times=1, limit=60):
        """The whole log, once it has these words so often. A thread of its own writes it, behind the answers."""
        deadline = time.monotonic() + limit
        while True:
            ended = self.process.poll() is not None
            log = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
            if log.count(words) >= times:
                return log
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"the server did not say {words!r}:\n{self.log()}")
            time.sleep(0.02)

    def wait_for_report(self, starts=1, limit=120):
        """The log, once it has what the server shows at the end of so many starts; that comes after it is ready."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            log = self.log()
            # Written at once: a line behind the first one is there with all others.
            if log.count("\n  previews ") >= starts and log.endswith("\n"):
                return log
            time.sleep(0.02)
        raise AssertionError(f"the server has not shown its report after {limit} s:\n{self.log()}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def terminate(self, limit=60):
        """A graceful stop; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit)

    def stop(self):
        """Stops it where it runs; one that does not end as asked, or that a sanitizer complained of, is a failure."""
        ended = 0
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                ended = self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                ended = "a kill, after 60 s"
        complaints = self.complaints()
        log = self.log()
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)
        if ended != 0 or complaints:
            raise AssertionError(f"the server's stop ended with {ended}:\n{complaints or log}")

    def complaints(self, limit=20000):
        """What a sanitizer has said, from its first word on; empty where it said nothing."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        found = re.search(r"(WARNING|ERROR): \w+Sanitizer|runtime error: ", text)
        return text[max(0, found.start() - 200):][:limit] if found else ""

    def client(self, credentials=TENANT, **kw):
        return Client(self, credentials, **kw)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class ServerTest(unittest.TestCase):
    """A test case whose tests share one server; each class starts its own."""
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.options)
        try:
            cls.server.start()
        except BaseException:
            cls.server.stop()
            raise
        cls.tenant = cls.server.client(TENANT)
        cls.admin = cls.server.client(SYSADMIN)
        cls.customer = cls.server.client(CUSTOMER)
        cls.anonymous = Client(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def assertStatus(self, status, answer):
        self.assertEqual(status, answer.status, answer)
        return answer

    def assertError(self, status, code, answer, *words):
        """ThingsBoard's error shape with the request's id, and words that the message must have."""
        self.assertEqual(status, answer.status, answer)
        error = answer.json()
        self.assertEqual({"status", "message", "errorCode", "timestamp", "requestId"}, set(error))
        self.assertEqual(answer.header("X-Request-ID"), error["requestId"])
        self.assertEqual(status, error["status"])
        self.assertEqual(code, error["errorCode"], error)
        for word in words:
            self.assertIn(word.lower(), error["message"].lower())
        return error

    def total(self, client=None, **query):
        return (client or self.tenant).list(pageSize=1, **query).json()["totalElements"]


def export_document(key, data, **fields):
    return {"type": "IMAGE", "resourceKey": key, "title": key, "fileName": key, "public": True,
            "mediaType": "image/png", "data": base64.b64encode(data).decode(), **fields}
