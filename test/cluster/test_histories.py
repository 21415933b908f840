# SPDX-License-Identifier: Apache-2.0
"""Histories of requests for the same images on three nodes: linearizable in strict mode, otherwise reads may be old by
twice the staleness."""
import collections
import http.client
import random
import threading
import time
import unittest
import uuid

import support
from harness import TENANT, Client, png, sha256
from linearizable import Request, explain, relaxed
from support import STALENESS, ClusterTest, report, wait_for

SECONDS = 60 if support.LONG else 8
CLIENTS = 9
KEYS = 4
OUTCOMES = ("made", "done", "refused", "unchanged", "found", "missing", "taken")


class Player(threading.Thread):
    """One client: sends random requests to random nodes, one after the other."""

    def __init__(self, number, nodes, token, keys, stopping, seed):
        super().__init__(daemon=True)
        self.name, self.keys, self.stopping = f"client {number}", keys, stopping
        self.random = random.Random(f"{seed} {number}")
        self.nodes = []
        for node in nodes:
            client = Client(node, keep=True, timeout=30)
            client.token = token
            self.nodes.append(client)
        self.history = {key: [] for key in keys}
        self.known = {}  # key -> an etag that this client has seen
        self.serial = 0
        self.problem = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step(self.random.choice(self.keys), self.random.choice(self.nodes))
        except Exception as e:  # noqa: BLE001: a mistake of this program must not look like success
            self.problem = f"{self.name}: {type(e).__name__}: {e}"
        finally:
            for client in self.nodes:
                if client.connection:
                    client.connection.close()

    def step(self, key, client):
        kinds = ["create", "replace", "replace_if", "delete"] + ["read"] * 3 + ["read_if"] * 5
        kind = self.random.choice(kinds)
        expected = self.known.get(key)
        if kind.endswith("_if") and expected is None:
            kind = "read"
        value = data = None
        if kind in ("create", "replace", "replace_if"):
            self.serial += 1
            data = png(text=f"{self.name} {self.serial} {key} " + "x" * self.random.choice((10, 2000, 40_000)))
            value = sha256(data)
        condition = {"replace_if": {"If-Match": f'"{expected}"'}, "read_if": {"If-None-Match": f'"{expected}"'}}.get(kind, {})
        sent = time.monotonic()
        try:
            if kind == "create":
                answer = client.upload(key, data)
            elif kind == "delete":
                answer = client.delete(f"/api/images/tenant/{key}")
            elif data is not None:
                answer = client.replace(key, "x.png", data, headers=condition)
            else:
                answer = client.image(key, headers=condition)
        except (OSError, http.client.HTTPException):
            answer = None
        received = time.monotonic()
        outcome = self.outcome(kind, key, answer)
        if kind.startswith("read"):
            value = answer.header("ETag").strip('"') if outcome == "found" else None
            if value is not None and value != sha256(answer.body):
                raise AssertionError(f"{key}: etag {value}, but the bytes have the hash {sha256(answer.body)}")
        if value is not None:
            self.known[key] = value
        self.history[key].append(Request(kind, sent, received, outcome, value,
                                         expected if kind.endswith("_if") else None, self.name))
        if outcome == "taken":
            client.delete(f"/api/images/tenant/{answer.json()['resourceKey']}")

    @staticmethod
    def outcome(kind, key, answer):
        if answer is None or answer.status == 503:
            return None
        if answer.status == 404:
            return "missing"
        if answer.status == 412 and kind == "replace_if":
            return "refused"
        if answer.status == 304 and kind == "read_if":
            return "unchanged"
        if answer.status != 200:
            raise AssertionError(f"{kind} of {key}: {answer}")
        if kind == "create":
            return "made" if answer.json()["resourceKey"] == key else "taken"
        return {"replace": "done", "replace_if": "done", "delete": "done"}.get(kind, "found")


class Histories(ClusterTest):
    def play(self, nodes):
        """key -> its history"""
        seed = random.SystemRandom().randrange(1 << 20)
        keys = [f"h{n}-{uuid.uuid4().hex[:8]}.png" for n in range(KEYS)]
        token = nodes[0].client(TENANT).token
        wait_for(lambda: all(self.accepts(node, token) for node in nodes), "the nodes do not accept the token")
        stopping = threading.Event()
        players = [Player(n, nodes, token, keys, stopping, seed) for n in range(CLIENTS)]

        def is_enough():
            """Of each outcome some, however slow the machine is."""
            seen = collections.Counter(r.outcome for p in players for h in p.history.values() for r in list(h))
            return all(seen[outcome] > 3 for outcome in OUTCOMES) or any(p.problem for p in players)
        for player in players:
            player.start()
        try:
            time.sleep(SECONDS)
            wait_for(is_enough, f"hardly any of some outcomes, seed {seed}")
        finally:
            stopping.set()
            for player in players:
                player.join()
        self.assertEqual([], [p.problem for p in players if p.problem], f"seed {seed}")
        histories = {key: [r for p in players for r in p.history[key]] for key in keys}
        requests = [r for h in histories.values() for r in h]
        unknown = sum(r.outcome is None for r in requests)
        # A history of which little is known proves little, and is expensive to judge.
        self.assertLess(unknown, len(requests) / 5, "too many requests failed")
        report(f"histories: {len(requests)} requests, {unknown} of unknown outcome, seed {seed}")
        return histories

    @staticmethod
    def accepts(node, token):
        client = Client(node)
        client.token = token
        return client.get("/api/auth/user").status == 200

    def test_reads_are_old_by_twice_the_staleness_at_most(self):
        servers = [self.cluster.server(CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE="1000000") for _ in range(3)]
        for key, history in self.with_servers(servers).items():
            wrong = explain(relaxed(history, 2 * STALENESS))
            self.assertIsNone(wrong, key)

    def test_strict_nodes_are_linearizable(self):
        servers = [self.cluster.server(CACHE_SPECS_IMAGE_ETAGS_MAX_SIZE="1000000", GALLERY_CLUSTER_STRICT="true")
                   for _ in range(3)]
        for key, history in self.with_servers(servers).items():
            self.assertIsNone(explain(history), key)

    def with_servers(self, servers):
        try:
            for server in servers:
                server.start(wait=False)
            for server in servers:
                server.wait_ready()
            return self.play(servers)
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    unittest.main()
