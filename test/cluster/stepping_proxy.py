# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback in front of PostgreSQL that counts the writes to the documents by which a switch works, and acts at
one of them: before it reaches the database, or after it is committed and before the server learns that. Connections
must not be encrypted."""
import contextlib
import re
import socket
import threading

# As parameters of a statement: the length in four bytes, and the text.
STEPS = {
    "claim or successor": re.compile(rb"\x00\x00\x00\x0asuperseded"),
    "complete mark": re.compile(rb'"complete":true'),
    "node": re.compile(rb"\x00\x00\x00\x04node"),
    "start": re.compile(rb"\x00\x00\x00\x06starts"),
}
LONGEST = 256            # bytes of a pattern
COMMITTED = b"Z\x00\x00\x00\x05I"  # PostgreSQL is ready, and in no transaction


class Link:
    def __init__(self, near, far):
        self.near, self.far = near, far
        self.tail = b""
        self.is_held = False         # answers are kept
        self.kept = b""
        self.committed = threading.Event()
        self.lock = threading.Lock()

    def close(self):
        for each in (self.near, self.far):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def release(self):
        with self.lock:
            self.is_held = False
            with contextlib.suppress(OSError):
                self.near.sendall(self.kept)


class SteppingProxy:
    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.links = []
        self.disarm()
        threading.Thread(target=self._accept, daemon=True).start()

    def disarm(self):
        with self.lock:
            self.step = self.action = None
            self.is_after = False
            self.seen = []            # names of the steps since arm()
            self.acted = threading.Event()

    def arm(self, step, is_after, action):
        """Calls action() at the step of this number, from 1; once."""
        self.disarm()
        with self.lock:
            self.step, self.is_after, self.action = step, is_after, action

    def close(self):
        self.listener.close()
        for each in self.links:
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                link = Link(near, far)
                self.links.append(link)
                threading.Thread(target=self._requests, args=(link,), daemon=True).start()
                threading.Thread(target=self._answers, args=(link,), daemon=True).start()

    def _names(self, link, data):
        text = link.tail + data
        link.tail = text[-LONGEST:]
        # What began in the part before was counted there, if it was whole.
        old = len(text) - len(data)
        return [name for name, pattern in STEPS.items() if any(m.end() > old for m in pattern.finditer(text))]

    def _requests(self, link):
        with contextlib.suppress(OSError):
            while data := link.near.recv(1 << 16):
                names = self._names(link, data)
                action = None
                if names:
                    with self.lock:
                        self.seen.append("+".join(names))
                        if self.action and len(self.seen) == self.step:
                            action, self.action = self.action, None
                if action and not self.is_after:
                    action()
                    self.acted.set()
                if action and self.is_after:
                    with link.lock:
                        link.is_held = True
                link.far.sendall(data)
                if action and self.is_after:
                    if not link.committed.wait(60):
                        raise AssertionError("PostgreSQL did not commit")
                    action()
                    self.acted.set()
                    link.release()
        link.close()

    def _answers(self, link):
        with contextlib.suppress(OSError):
            while data := link.far.recv(1 << 16):
                with link.lock:
                    if link.is_held:
                        link.kept += data
                        if link.kept.endswith(COMMITTED):
                            link.committed.set()
                        continue
                    link.near.sendall(data)
        link.close()
