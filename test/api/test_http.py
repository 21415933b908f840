# SPDX-License-Identifier: Apache-2.0
"""HTTP on the wire: conditions, ranges, codings, methods and framing as raw bytes over a socket.

Whatever a request has in it that the grammars of RFC 9110 and 9112 do not: no answer is a 5xx, and none has
other bytes than those that its own ETag names.
"""
import email.utils
import re
import socket
import unittest

from harness import Client, ServerTest, png, quote, sha256

SVG = ('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">' + '<rect width="10" height="10"/>' * 100
       + "</svg>").encode()
GENERAL = ("date", "content-length", "connection")


class Reply:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name):
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    def names(self):
        return [key.lower() for key, _ in self.fields]

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:200]!r}"


class Wire:
    """One connection, bytes in and bytes out."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def fill(self):
        more = self.socket.recv(65536)
        self.buffer += more
        return bool(more)

    def receive(self, bodyless=False):
        """The next reply; None at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                if self.buffer:
                    raise AssertionError(f"half a head: {self.buffer!r}")
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        if not re.fullmatch(r"HTTP/1\.1 \d{3} [ -~]+", lines[0]):
            raise AssertionError(f"malformed status line {lines[0]!r}")
        fields = []
        for line in lines[1:]:
            match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)", line)
            if not match:
                raise AssertionError(f"malformed header line {line!r}")
            fields.append((match[1], match[2]))
        reply = Reply(int(lines[0][9:12]), fields, b"")
        lengths = reply.all("content-length")
        if len(lengths) > 1:
            raise AssertionError(f"several Content-Length: {reply}")
        if not bodyless and reply.status not in (204, 304) and reply.status >= 200:
            if not lengths:
                raise AssertionError(f"no Content-Length: {reply}")
            size = int(lengths[0])
            while len(self.buffer) < size:
                if not self.fill():
                    raise AssertionError("the body ended early")
            reply.body, self.buffer = self.buffer[:size], self.buffer[size:]
        return reply

    def at_end(self):
        if self.buffer:
            return False
        try:
            return not self.fill()
        except ConnectionResetError:
            return True


class HttpTest(ServerTest):
    options = {"environment": {"CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE": "1048576"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = png(40, 40, text="x" * 600)
        cls.big = png(400, 300, text="y" * 90000)
        cls.key = cls.stored("picture.png", cls.data)
        cls.big_key = cls.stored("big.png", cls.big)
        cls.svg_key = cls.stored("drawing.svg", SVG)
        info = cls.tenant.info(cls.key).json()
        cls.link = "/api/images/public/" + info["publicResourceKey"]
        cls.path = f"/api/images/tenant/{cls.key}"
        cls.etag = f'"{sha256(cls.data)}"'

    @classmethod
    def stored(cls, name, data):
        answer = cls.tenant.upload(name, data)
        if answer.status != 200:
            raise AssertionError(answer)
        return answer.json()["resourceKey"]

    def wire(self):
        return Wire(self.server.port)

    def text(self, path, lines="", method="GET", version="1.1", host="Host: localhost\r\n", authenticate=True):
        token = f"X-Authorization: Bearer {self.tenant.token}\r\n" if authenticate else ""
        return f"{method} {path} HTTP/{version}\r\n{host}{token}{lines}\r\n"

    def ask(self, path, lines="", method="GET", **kw):
        with self.wire() as wire:
            return wire.send(self.text(path, lines, method, **kw)).receive(method == "HEAD")

    def assertBytes(self, reply, data):
        """A 200 or 206 whose bytes are of the representation that its etag names."""
        self.assertEqual(f'"{sha256(data)}"', reply.one("ETag"), reply)
        if reply.status == 200:
            self.assertEqual(data, reply.body)
        else:
            self.assertEqual(206, reply.status, reply)
            first, last, size = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", reply.one("Content-Range")).groups())
            self.assertEqual((len(data), data[first:last + 1]), (size, reply.body))


class Conditions(HttpTest):
    def test_if_none_match_in_every_form(self):
        etag, weak = self.etag, "W/" + self.etag
        table = [
            (304, f"If-None-Match: {etag}\r\n"),
            (304, f"if-none-match:{etag}\r\n"),
            (304, f"If-None-Match: \t {etag} \t\r\n"),
            (304, f"If-None-Match: {weak}\r\n"),
            (304, "If-None-Match: *\r\n"),
            (304, f'If-None-Match: "a", {etag}, "b"\r\n'),
            (304, f'If-None-Match: , ,{etag},,\r\n'),
            (304, f'If-None-Match: "a"\r\nIf-None-Match: {etag}\r\n'),
            (304, f'If-None-Match: "with, comma", {weak}\r\n'),
            (200, f'If-None-Match: "a, {etag[1:-1]}"\r\n'),
            (200, 'If-None-Match: ""\r\n'),
            (200, "If-None-Match: \r\n"),
            (304, f"If-None-Match: {etag[1:-1]}\r\n"),  # without quotes, as some clients send it
            (200, f"If-None-Match: w/{etag}\r\n"),
            (200, f"If-None-Match: {etag[:-1]}\r\n"),
            (200, f"If-None-Match: {etag[:-2]}0\"x\r\n"),
            (200, 'If-None-Match: "' + "a" * 4000 + '"\r\n'),
            (200, "If-None-Match: " + ", ".join(f'"{n}"' for n in range(500)) + "\r\n"),
            (200, 'If-None-Match: "\xff\xfe"\r\n'),
            # It wins over a date, whichever way (RFC 9110, 13.2.2).
            (304, f"If-None-Match: {etag}\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
            (200, 'If-None-Match: "other"\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n'),
            # Nothing has a date here, so a date alone decides nothing.
            (200, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n"),
            (200, "If-Modified-Since: yesterday\r\n"),
        ]
        for _ in range(2):  # from the storage, then from the etag cache
            for path in (self.path, self.link):
                for status, lines in table:
                    with self.subTest(path=path, lines=lines[:90]):
                        reply = self.ask(path, lines)
                        self.assertEqual(status, reply.status, reply)
                        if status == 200:
                            self.assertBytes(reply, self.data)
                        else:
                            self.assertEqual(self.etag, reply.one("ETag"))
                            self.assertNotIn("content-length", reply.names())

    def test_a_304_has_the_headers_that_a_cache_needs_of_the_200(self):
        for path in (self.path, self.path + "/preview", self.link, f"/api/images/tenant/{self.svg_key}"):
            for _ in range(2):
                full = self.ask(path)
                same = self.ask(path, f"If-None-Match: {full.one('ETag')}\r\n")
                self.assertEqual((200, 304), (full.status, same.status), path)
                for name in ("ETag", "Cache-Control", "Vary"):
                    self.assertEqual(full.all(name), same.all(name), (path, name))
                self.assertEqual([], same.all("Content-Type") + same.all("Content-Range"))

    def test_if_match_and_its_contradictions(self):
        table = [
            (200, f"If-Match: {self.etag}\r\n"), (200, "If-Match: *\r\n"),
            (200, f'If-Match: "a", {self.etag}\r\n'),
            (412, 'If-Match: "a"\r\n'), (412, f"If-Match: W/{self.etag}\r\n"), (412, "If-Match: garbage\r\n"),
            # If-Match comes first, then If-None-Match.
            (304, f"If-Match: {self.etag}\r\nIf-None-Match: {self.etag}\r\n"),
            (412, f'If-Match: "a"\r\nIf-None-Match: {self.etag}\r\n'),
            (200, f'If-Match: {self.etag}\r\nIf-None-Match: "a"\r\n'),
            (412, 'If-Match: "a"\r\nRange: bytes=0-1\r\n'),
        ]
        for _ in range(2):
            for status, lines in table:
                with self.subTest(lines=lines[:90]):
                    reply = self.ask(self.path, lines)
                    self.assertEqual(status, reply.status, reply)
                    if status == 200:
                        self.assertBytes(reply, self.data)

    def test_a_replaced_image_is_never_not_modified(self):
        key = self.stored("replaced.png", png(text="0"))
        path = f"/api/images/tenant/{key}"
        with self.wire() as wire:
            for number in range(20):
                before = wire.send(self.text(path)).receive()
                condition = f"If-None-Match: {before.one('ETag')}\r\n"
                self.assertEqual(304, wire.send(self.text(path, condition)).receive().status)
                data = png(text=str(number + 1))
                self.assertStatus(200, self.tenant.replace(key, "replaced.png", data))
                after = wire.send(self.text(path, condition)).receive()
                self.assertEqual(200, after.status)
                self.assertBytes(after, data)


class Ranges(HttpTest):
    def test_ranges_in_every_form(self):
        size = len(self.data)
        huge = "9" * 40
        table = [
            (206, "bytes=0-0"), (206, "bytes=0-"), (206, "bytes=1-2"), (206, f"bytes={size - 1}-"), (206, "bytes=-1"),
            (206, f"bytes=-{size + 5}"), (206, f"bytes=0-{size + 100}"), (206, f"bytes=5-{huge}"),
            (206, f"bytes=-{huge}"), (206, "Bytes=0-3"), (206, "bytes=00-03"), (206, "bytes= 0-3"),
            (416, f"bytes={size}-"), (416, f"bytes={huge}-"), (416, "bytes=-0"), (416, f"bytes={size}-{size + 1}"),
            (200, "bytes=3-2"), (200, "bytes=a-b"), (200, "bytes="), (200, "bytes"), (200, "bytes=-"),
            (200, "bytes=--1"), (200, "bytes=1"), (200, "items=0-1"), (200, "bytes 0-1"), (200, "bytes=0x0-0x4"),
            (200, "bytes=+0-1"), (200, "bytes=0-1;q=1"), (200, ""),
            # Several are taken as none, which a server may always do.
            (200, "bytes=0-1,4-5"), (200, "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))),
        ]
        for path in (self.path, self.link):
            for status, value in table:
                with self.subTest(path=path, value=value[:60]):
                    reply = self.ask(path, f"Range: {value}\r\n")
                    self.assertEqual(status, reply.status, reply)
                    if status == 416:
                        self.assertEqual(f"bytes */{size}", reply.one("Content-Range"))
                        self.assertLess(reply.status, 500)
                    else:
                        self.assertBytes(reply, self.data)
                        self.assertEqual("bytes", reply.one("Accept-Ranges"))

    def test_ranges_of_a_large_body_are_its_bytes(self):
        size = len(self.big)
        for value in ("0-", "1-70000", f"{size - 40000}-", "-1", "32767-32769", "-40000"):
            with self.subTest(value=value):
                for _ in range(2):
                    self.assertBytes(self.ask(f"/api/images/tenant/{self.big_key}", f"Range: bytes={value}\r\n"),
                                     self.big)

    def test_two_range_lines_and_other_methods(self):
        self.assertBytes(self.ask(self.path, "Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), self.data)
        head = self.ask(self.path, "Range: bytes=0-1\r\n", "HEAD")
        self.assertEqual((200, str(len(self.data))), (head.status, head.one("Content-Length")))

    def test_if_range_in_every_form(self):
        table = [(206, self.etag), (200, "W/" + self.etag), (200, '"other"'), (200, "garbage"), (206, ""),
                 (200, "Thu, 01 Jan 1970 00:00:00 GMT"), (200, "Fri, 01 Jan 2100 00:00:00 GMT"),
                 (200, f'{self.etag}, "b"'), (200, "*")]
        for status, value in table:
            with self.subTest(value=value[:60]):
                reply = self.ask(self.path, f"Range: bytes=0-3\r\nIf-Range: {value}\r\n")
                self.assertEqual(status, reply.status, reply)
                self.assertBytes(reply, self.data)
        with_condition = self.ask(self.path, f"Range: bytes=0-3\r\nIf-None-Match: {self.etag}\r\n")
        self.assertEqual(304, with_condition.status)
        self.assertEqual(200, self.ask(self.path, f"If-Range: {self.etag}\r\n").status)


class Codings(HttpTest):
    def test_accept_encoding_in_every_form(self):
        path = f"/api/images/tenant/{self.svg_key}"
        table = [
            (None, ""), (None, "identity"), (None, "deflate"), ("gzip", "gzip"), ("gzip", "x-gzip, gzip"), ("gzip", "GZIP"),
            ("br", "br"), ("br", "gzip, br"), ("br", "*"), ("gzip", "br;q=0, *"), (None, "*;q=0"),
            ("gzip", "gzip;q=1.0, br;q=0.5"), ("br", "gzip;q=0.5, br;q=0.501"), (None, "gzip;q=0"),
            (None, "gzip;q=0.000, br;q=0"), ("gzip", "gzip ; q=0.1"), ("gzip", ",,gzip,,"), (None, "gzip;q=2x"),
            (None, "q=1"), (None, "gzipped"), (None, "\xff\xff"), (None, "a" * 3000),
        ]
        etags = {}
        for wanted, value in table:
            with self.subTest(value=value[:60]):
                for _ in range(2):
                    reply = self.ask(path, f"Accept-Encoding: {value}\r\n")
                    self.assertEqual((200, wanted), (reply.status, reply.one("Content-Encoding")), reply)
                    self.assertEqual("Accept-Encoding", reply.one("Vary"))
                    self.assertBytes(reply, reply.body)  # the etag is that of the bytes that are sent
                    self.assertEqual(etags.setdefault(wanted, reply.one("ETag")), reply.one("ETag"))
                    same = self.ask(path, f"Accept-Encoding: {value}\r\nIf-None-Match: {reply.one('ETag')}\r\n")
                    self.assertEqual((304, "Accept-Encoding"), (same.status, same.one("Vary")))
        self.assertEqual(3, len(set(etags.values())))

    def test_an_etag_of_another_coding_does_not_match(self):
        path = f"/api/images/tenant/{self.svg_key}"
        etags = {coding: self.ask(path, f"Accept-Encoding: {coding}\r\n").one("ETag")
                 for coding in ("identity", "gzip", "br")}
        for asked in etags:
            for known, etag in etags.items():
                reply = self.ask(path, f"Accept-Encoding: {asked}\r\nIf-None-Match: {etag}\r\n")
                self.assertEqual(304 if asked == known else 200, reply.status, (asked, known))
                partial = self.ask(path, f"Accept-Encoding: {asked}\r\nRange: bytes=0-9\r\nIf-Range: {etag}\r\n")
                self.assertEqual(206 if asked == known else 200, partial.status, (asked, known))

    def test_a_raster_picture_is_never_coded(self):
        reply = self.ask(self.path, "Accept-Encoding: gzip, br\r\n")
        self.assertEqual([], reply.all("Content-Encoding") + reply.all("Vary"))
        self.assertBytes(reply, self.data)

    def test_any_file_name_makes_a_sound_disposition(self):
        names = ["plain.png", 'quo"te.png', "semi;colon.png", "per%cent.png", "uml\u00e4ut.png", "\u65e5\u672c.png",
                 "emoji\U0001f600.png", "  spaces .png", "back\\slash.png", "a" * 200 + ".png", "comma,.png", "'.png"]
        for name in names:
            with self.subTest(name=name):
                answer = self.tenant.multipart("POST", "/api/image", [("file", name.replace("\\", "_"), "image/png",
                                                                       png(text=str(names.index(name))))])
                self.assertEqual(200, answer.status, answer)
                key = answer.json()["resourceKey"]
                reply = self.ask(f"/api/images/tenant/{quote(key)}")
                self.assertEqual(200, reply.status)
                disposition = reply.one("Content-Disposition")
                self.assertRegex(disposition, r'^attachment; ?filename="(?:[^"\\\x00-\x1f\x7f]|\\["\\])*"'
                                              r"(?:; ?filename\*=UTF-8''[!#$&+.^_`|~0-9A-Za-z%-]+)?$")


class Methods(HttpTest):
    def test_head_has_the_headers_of_get_and_no_body(self):
        for path in (self.path, self.path + "/preview", self.link, f"/api/images/tenant/{self.svg_key}",
                     f"/api/images/tenant/{self.big_key}", "/api/system/params", "/health/live"):
            with self.subTest(path=path), self.wire() as wire:
                get = wire.send(self.text(path)).receive()
                head = wire.send(self.text(path, method="HEAD")).receive(bodyless=True)
                again = wire.send(self.text(path)).receive()  # nothing of a body is in between
                keep = lambda reply: [field for field in reply.fields if field[0].lower() != "date"]
                self.assertEqual((get.status, keep(get)), (head.status, keep(head)))
                self.assertEqual(get.status, again.status)

    def test_405_says_what_is_allowed_and_so_does_options(self):
        # A public link's path is also that of an image's resource with the type "public", which takes DELETE.
        resource = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
        for path, allowed in ((self.path, resource), (self.link, resource), ("/api/image", {"POST", "OPTIONS"})):
            with self.subTest(path=path):
                options = self.ask(path, method="OPTIONS")
                self.assertIn(options.status, (200, 204))
                said = set(options.one("Allow").split(", "))
                self.assertIn("OPTIONS", said)
                self.assertEqual(allowed, said)
                for method in ("PATCH", "TRACE", "PROPFIND", "get", "FOO"):
                    wrong = self.ask(path, method=method)
                    self.assertEqual((405, said), (wrong.status, set(wrong.one("Allow").split(", "))), method)
        everything = self.ask("*", method="OPTIONS", authenticate=False)
        self.assertIn(everything.status, (200, 204))
        self.assertEqual(400, self.ask("*").status)


class Framing(HttpTest):
    def test_persistence_of_1_1_and_1_0(self):
        table = [("1.1", "", True), ("1.1", "Connection: close\r\n", False), ("1.1", "Connection: keep-alive\r\n", True),
                 ("1.1", "Connection: Upgrade, close\r\n", False), ("1.0", "", False),
                 ("1.0", "Connection: keep-alive\r\n", True), ("1.0", "Connection: keep-alive, close\r\n", False)]
        for version, lines, stays in table:
            with self.subTest(version=version, lines=lines), self.wire() as wire:
                condition = f"If-None-Match: {self.etag}\r\n"
                for more, status in (("", 200), (condition, 304)):
                    reply = wire.send(self.text(self.path, lines + more, version=version)).receive()
                    self.assertEqual(status, reply.status)
                    if not stays:
                        self.assertEqual("close", reply.one("Connection"))
                        self.assertTrue(wire.at_end())
                        break
                    if version == "1.0":
                        self.assertEqual("keep-alive", reply.one("Connection").lower())

    def test_pipelined_requests_are_answered_in_order(self):
        paths = [(self.path, "", self.data), (f"/api/images/tenant/{self.big_key}", "", self.big),
                 (self.path, f"If-None-Match: {self.etag}\r\n", None), ("/nothing/here", "", None),
                 (self.link, "", self.data), (f"/api/images/tenant/{self.svg_key}", "", SVG)] * 10
        with self.wire() as wire:
            wire.send("".join(self.text(path, lines) for path, lines, _ in paths))
            for path, lines, data in paths:
                reply = wire.receive()
                if data is not None:
                    self.assertBytes(reply, data)
                else:
                    self.assertEqual(304 if lines else 404, reply.status, path)

    def test_a_client_that_ends_its_direction_still_gets_its_answers(self):
        with self.wire() as wire:
            wire.send(self.text(self.path) * 3)
            wire.socket.shutdown(socket.SHUT_WR)
            for _ in range(3):
                self.assertBytes(wire.receive(), self.data)
            self.assertTrue(wire.at_end())
        # Also where it does so together with a later request.
        with self.wire() as wire:
            for _ in range(3):
                self.assertBytes(wire.send(self.text(self.path)).receive(), self.data)
            wire.send(self.text(self.path))
            wire.socket.shutdown(socket.SHUT_WR)
            self.assertBytes(wire.receive(), self.data)
            self.assertTrue(wire.at_end())

    def test_what_is_no_http_is_refused_and_the_connection_ends(self):
        token = f"X-Authorization: Bearer {self.tenant.token}\r\n"
        path, host = self.path, "Host: a\r\n"
        table = [
            (400, "GARBAGE\r\n\r\n"), (400, f"GET  {path} HTTP/1.1\r\n{host}\r\n"), (400, f"GET {path}\r\n{host}\r\n"),
            (505, f"GET {path} HTTP/2.0\r\n{host}\r\n"), (400, f"GET {path} HTTP/1.x\r\n{host}\r\n"),
            (400, f"GET {path} HTTP/1.1\r\n\r\n"), (400, f"GET {path} HTTP/1.1\r\n{host}{host}\r\n"),
            (400, f"GET {path} HTTP/1.1\r\nHost: a b\r\n\r\n"), (400, f"GET {path} HTTP/1.1\r\n{host}No colon\r\n\r\n"),
            (400, f"GET {path} HTTP/1.1\r\n{host}Name : x\r\n\r\n"), (400, f"GET {path} HTTP/1.1\r\n{host} folded\r\n\r\n"),
            (400, f"GET {path} HTTP/1.1\r\n{host}A: \0\r\n\r\n"), (400, f"GET {path} HTTP/1.1\n{host}\n"),
            (400, f"GET {path}#x HTTP/1.1\r\n{host}\r\n"), (400, f"CONNECT a:1 HTTP/1.1\r\n{host}\r\n"),
            (400, f"POST /api/image HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            (400, f"POST /api/image HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n"),
            (400, f"POST /api/image HTTP/1.1\r\n{host}Content-Length: {'9' * 30}\r\n\r\n"),
            (400, f"POST /api/image HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (400, f"POST /api/image HTTP/1.1\r\n{host}Transfer-Encoding: chunked, identity\r\n\r\n"),
            (501, f"POST /api/image HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n"),
            (414, f"GET /{'a' * 20000} HTTP/1.1\r\n{host}\r\n"), (431, f"GET {path} HTTP/1.1\r\n{host}A: {'b' * 40000}\r\n\r\n"),
            (431, f"GET {path} HTTP/1.1\r\n{host}" + "A: b\r\n" * 200 + "\r\n"),
        ]
        for status, request in table:
            with self.subTest(request=request[:80]), self.wire() as wire:
                try:
                    wire.send(request)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                reply = wire.receive()
                self.assertEqual(status, reply.status, reply)
                self.assertEqual("close", reply.one("Connection"))
                self.assertEqual("application/json", reply.one("Content-Type"))
                self.assertTrue(wire.at_end())
        with self.wire() as wire:  # the server is well
            self.assertBytes(wire.send(f"GET {path} HTTP/1.1\r\n{host}{token}\r\n").receive(), self.data)

    def test_targets_in_every_form(self):
        table = [(200, self.path), (200, "http://localhost" + self.path), (200, "HTTP://other:80" + self.path),
                 (200, self.path + "?a=b&c"), (200, "/api/images/tenant/%70icture.png"), (404, self.path + "/"),
                 (404, "//api/images/tenant/picture.png"), (404, "/api/images/tenant/..%2fpicture.png"),
                 (404, "/api/images/tenant/%00"), (400, "/api/images/tenant/%zz"), (400, "/api/images/tenant/%ff"),
                 (404, "/api/images/../images/tenant/picture.png"), (400, "ftp://a/b"), (400, "picture.png")]
        for status, target in table:
            with self.subTest(target=target):
                self.assertEqual(status, self.ask(target).status)


class Caching(HttpTest):
    """What a linter of HTTP, REDbot for one, would look at."""

    def lint(self, path, authenticate=True, lines=""):
        reply = self.ask(path, lines, authenticate=authenticate)
        self.assertEqual(200, reply.status, path)
        for name in set(reply.names()):
            self.assertEqual(1, len(reply.all(name)), f"{path}: {name} is there several times")
        self.assertIsNotNone(email.utils.parsedate_to_datetime(reply.one("Date")))
        self.assertRegex(reply.one("Date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertRegex(reply.one("ETag"), r'^"[0-9a-f]{64}"$')
        self.assertRegex(reply.one("Cache-Control"), r"^(private|public), (no-cache|max-age=\d+)$")
        self.assertEqual("private" if authenticate else "public", reply.one("Cache-Control").split(",")[0])
        self.assertRegex(reply.one("Content-Type"), r"^image/[a-z+]+$")
        self.assertEqual(str(len(reply.body)), reply.one("Content-Length"))
        self.assertEqual("bytes", reply.one("Accept-Ranges"))
        self.assertEqual("nosniff", reply.one("X-Content-Type-Options"))
        self.assertEqual([], [name for name in reply.names() if name in ("pragma", "expires", "server", "set-cookie")])
        # The same again, by condition, in part, and by HEAD.
        again = self.ask(path, lines, authenticate=authenticate)
        self.assertEqual((reply.one("ETag"), reply.body), (again.one("ETag"), again.body))
        same = self.ask(path, lines + f"If-None-Match: {reply.one('ETag')}\r\n", authenticate=authenticate)
        self.assertEqual(304, same.status)
        for name in ("ETag", "Cache-Control", "Vary"):
            self.assertEqual(reply.all(name), same.all(name))
        part = self.ask(path, lines + "Range: bytes=1-2\r\n", authenticate=authenticate)
        self.assertEqual((206, reply.body[1:3], reply.one("ETag")), (part.status, part.body, part.one("ETag")))
        head = self.ask(path, lines, "HEAD", authenticate=authenticate)
        self.assertEqual([f for f in reply.fields if f[0] != "Date"], [f for f in head.fields if f[0] != "Date"])
        return reply

    def test_image_preview_public_link_and_svg_are_clean(self):
        self.lint(self.path)
        self.lint(self.path + "/preview")
        self.lint(f"/api/images/tenant/{self.big_key}")
        self.lint(f"/api/images/tenant/{self.big_key}/preview")
        self.lint(self.link, authenticate=False)
        for coding in ("identity", "gzip", "br"):
            reply = self.lint(f"/api/images/tenant/{self.svg_key}", lines=f"Accept-Encoding: {coding}\r\n")
            self.assertEqual("Accept-Encoding", reply.one("Vary"))

    def test_answers_that_are_no_images_are_not_stored_by_caches(self):
        for path in ("/api/system/params", "/api/images?pageSize=1&page=0", f"{self.path}/info", "/api/nothing"):
            reply = self.ask(path)
            self.assertIn("no-store", reply.one("Cache-Control") or "", path)
            self.assertEqual("application/json", reply.one("Content-Type"))

    def test_permission_is_asked_before_any_condition(self):
        stranger = Client(self.server)
        for headers in ({"If-None-Match": self.etag}, {"If-None-Match": "*"}, {"Range": "bytes=0-1"}):
            for _ in range(2):
                answer = stranger.get(self.path, headers=headers)
                self.assertEqual(401, answer.status)
                self.assertIsNone(answer.header("ETag"))


if __name__ == "__main__":
    unittest.main()
