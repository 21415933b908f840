# SPDX-License-Identifier: Apache-2.0
"""What every refused request owes: nothing is stored, and the server is as well as before."""
import contextlib
import http.client
import io
import socket

from harness import Response, ServerTest, free_port, png, quote


class Unharmed(ServerTest):
    """`with self.nothing_is_stored(): ...` around what must be refused."""

    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.metrics_port = free_port()
        cls.options = {"environment": {"METRICS_BIND_PORT": str(cls.metrics_port), **cls.environment}}
        super().setUpClass()

    @classmethod
    def measures(cls, prefix):
        """The server's own numbers whose names begin so, by name without that prefix."""
        connection = http.client.HTTPConnection("127.0.0.1", cls.metrics_port, timeout=20)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return {line.split()[0].removeprefix(prefix): float(line.split()[-1])
                for line in lines if line.startswith(prefix)}

    def contents(self):
        """All that is stored in both galleries, and how often an imaging worker was lost."""
        held = {}
        for name, client in (("tenant", self.tenant), ("system", self.admin)):
            for sub_type in ("IMAGE", "SCADA_SYMBOL"):
                page = self.assertStatus(200, client.list(imageSubType=sub_type, pageSize=10000)).json()
                held[name, sub_type] = (page["totalElements"], page["data"])
        return held

    def lost_workers(self):
        counts = self.measures("gallery_imaging_")
        return {what: counts[what + "_total"] for what in ("crashes", "timeouts", "exhausted")}

    @contextlib.contextmanager
    def nothing_is_stored(self, **lost):
        """@p lost: how many imaging workers may be lost on the way (crashes=, timeouts=, exhausted=)."""
        before, workers = self.contents(), self.lost_workers()
        starts = self.measures("gallery_imaging_")["worker_starts_total"]
        yield
        self.assertEqual(before, self.contents())
        after = self.lost_workers()
        self.assertEqual({k: v + lost.get(k, 0) for k, v in workers.items()}, after)
        self.assert_healthy()
        # Each lost worker is replaced, at once but not before its picture was answered; none restarts in a loop.
        wanted = starts + sum(lost.values())
        while (started := self.measures("gallery_imaging_")["worker_starts_total"]) < wanted:
            pass
        self.assertEqual(wanted, started)

    def assert_healthy(self):
        self.assertIsNone(self.server.process.poll(), "the server has ended")
        for path in ("/health/live", "/health/ready"):
            self.assertEqual((200, {"status": "UP"}), (lambda a: (a.status, a.json()))(self.anonymous.get(path)))
        good = png(9, 9, text="healthy")
        info = self.assertStatus(200, self.tenant.upload("healthy.png", good)).json()
        self.assertEqual(good, self.assertStatus(200, self.tenant.image(info["resourceKey"])).body)
        self.assertStatus(200, self.tenant.delete("/api/images/tenant/" + quote(info["resourceKey"])))

    # Requests that no client library sends.

    def head(self, method, target, *lines, client=None):
        token = (client or self.tenant).token
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}",
                 f"X-Authorization: Bearer {token}", *lines]
        return "".join(line + "\r\n" for line in lines).encode() + b"\r\n"

    @contextlib.contextmanager
    def connected(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as s:
            yield s

    def raw(self, data, end=True):
        """Sends bytes, says (unless not @p end) that there are no more, and reads all that comes."""
        with self.connected() as s:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            return read_all(s)

    def assertRawError(self, status, code, answer, *words):
        self.assertError(status, code, parse(answer), *words)


def read_all(s):
    pieces = []
    while piece := s.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def parse(data):
    """The first answer in @p data."""
    class Bytes:
        def __init__(self, content):
            self.content = content

        def makefile(self, *_):
            return io.BytesIO(self.content)

    answer = http.client.HTTPResponse(Bytes(data))
    answer.begin()
    return Response(answer.status, answer.getheaders(), answer.read())
