# SPDX-License-Identifier: Apache-2.0
"""gallery-admin images pull: from this server, which has ThingsBoard's API, and from answers as ThingsBoard's versions
give them."""
import base64
import http.server
import json
import threading
import unittest
import urllib.parse

from admin_tool import (CONFIGURATION, NOT_FOUND, NOT_PERMITTED, REFUSED, UNREACHABLE, USAGE, Terminal, environment, run,
                        unique)
from harness import SYSADMIN, SYSTEM_TENANT, Server, export_document, png, sha256
from test_admin_images import SVG, ImagesTest

OWN = "5b0c7a10-0000-11ee-8000-000000000001"


class ThingsBoard:
    """As much of ThingsBoard as a pull asks for, in the shapes of a version: "3.6" has no sub types, its lists no
    parameter for them, and its exports fewer members; "4" has both. The answers have the members, the nulls and
    the order of the real ones."""

    def __init__(self, version):
        self.version = version
        self.images = []
        self.requests = []
        self.authority = "TENANT_ADMIN"
        self.login = ("tenant@thingsboard.example", "tenant")
        self.token = "token-1"
        self.answers = {}  # by path: (status, body) instead of the usual one, once
        self.lock = threading.Lock()
        board = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                board.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, key, data, **fields):
        self.images.append({"key": key, "data": data, "title": key, "fileName": key, "public": True, "mediaType":
                            "image/png", "subType": "IMAGE", "createdTime": 1700000000000 + len(self.images),
                            "publicResourceKey": sha256(key.encode() + OWN.encode())[:32], "tenant": OWN, **fields})

    def info(self, one):
        out = {"id": {"entityType": "TB_RESOURCE", "id": "784f394c-42b6-435a-983c-b7beff2784f9"},
               "createdTime": one["createdTime"], "tenantId": {"entityType": "TENANT", "id": one["tenant"]},
               "title": one["title"], "resourceType": "IMAGE", "resourceKey": one["key"]}
        if self.version == "3.6":
            out["searchText"] = one["title"].lower()
        else:
            out["resourceSubType"] = one["subType"]
        out |= {"etag": sha256(one["data"]), "fileName": one["fileName"],
                "descriptor": {"mediaType": one["mediaType"], "width": 8, "height": 8, "size": len(one["data"]),
                               "etag": sha256(one["data"]), "previewDescriptor": {
                                   "mediaType": "image/png", "width": 8, "height": 8, "size": 70, "etag": "0" * 64}},
                "public": one["public"], "publicResourceKey": one["publicResourceKey"], "externalId": None,
                "name": one["title"], "link": f"/api/images/tenant/{one['key']}",
                "publicLink": f"/api/images/public/{one['publicResourceKey']}" if one["public"] else None}
        return out

    def export(self, one):
        data = base64.b64encode(one["data"]).decode()
        if self.version == "3.6":
            return {"mediaType": one["mediaType"], "fileName": one["fileName"], "title": one["title"],
                    "resourceKey": one["key"], "publicResourceKey": one["publicResourceKey"], "data": data,
                    "public": one["public"]}
        return {"link": f"/api/images/tenant/{one['key']}", "title": one["title"], "type": "IMAGE",
                "subType": one["subType"], "resourceKey": one["key"], "fileName": one["fileName"],
                "publicResourceKey": one["publicResourceKey"], "public": one["public"],
                "mediaType": one["mediaType"], "data": data}

    def respond(self, method, path, query, body, headers):
        if path in self.answers:
            with self.lock:
                if self.answers.get(path):
                    return self.answers[path].pop(0)
        if path == "/api/auth/login":
            if (body["username"], body["password"]) != self.login:
                return 401, {"status": 401, "message": "Invalid username or password", "errorCode": 10,
                             "timestamp": "2024-01-01T00:00:00.000+00:00"}
            return 200, {"token": self.token, "refreshToken": "r", "scope": None}
        if headers.get("X-Authorization") not in (f"Bearer {self.token}", "ApiKey tb_key"):
            return 401, {"status": 401, "message": "Token has expired", "errorCode": 11, "timestamp": 1}
        if path == "/api/auth/user":
            return 200, {"id": {"entityType": "USER", "id": OWN}, "authority": self.authority, "email": self.login[0]}
        if path == "/api/images":
            sub_type = query.get("imageSubType", "IMAGE")
            listed = [i for i in self.images if self.version == "3.6" or i["subType"] == sub_type]
            size, page = int(query["pageSize"]), int(query["page"])
            part = listed[page * size:(page + 1) * size]
            return 200, {"data": [self.info(i) for i in part], "totalPages": -(-len(listed) // size),
                         "totalElements": len(listed), "hasNext": (page + 1) * size < len(listed)}
        kind = "system" if self.authority == "SYS_ADMIN" else "tenant"
        for one in self.images:
            if path == f"/api/images/{kind}/{one['key']}/export":
                return 200, self.export(one)
        return 404, {"status": 404, "message": "Requested item wasn't found!", "errorCode": 32, "timestamp": 1}

    def answer(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path = urllib.parse.unquote(url.path)
        with self.lock:
            self.requests.append((handler.command, path))
        status, value = self.respond(handler.command, path, dict(urllib.parse.parse_qsl(url.query)),
                                     json.loads(body) if body else None, handler.headers)
        data = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def exported(self):
        return [p.split("/")[-2] for m, p in self.requests if p.endswith("/export")]


class PullTest(ImagesTest):
    source_environment = {}

    def pull(self, url, *options, code=0, who=None, **source):
        env = self.env(who or self.who, **source)
        done = run("images", "pull", "--from", url, *options, "--json", env=env)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])

    @staticmethod
    def figures(report):
        return {name: len(value) if isinstance(value, list) else value for name, value in report.items()}


class FromThingsBoard(PullTest):
    LOGIN = {"THINGSBOARD_USER": "tenant@thingsboard.example", "THINGSBOARD_PASSWORD": "tenant"}

    def board(self, version):
        board = ThingsBoard(version)
        self.addCleanup(board.stop)
        tag = unique()
        board.add(f"{tag} a.png", png(text="a"), title="Ä \"title\"", fileName="other.png")
        board.add(f"{tag}-pump.svg", SVG, mediaType="image/svg+xml", public=False,
                  subType="IMAGE" if version == "3.6" else "SCADA_SYMBOL")
        board.add(f"{tag}-b.png", png(text="b"))
        return board

    def check(self, board):
        for one in board.images:
            info = self.info(one["key"])
            self.assertEqual(
                tuple(one[k] for k in ("title", "fileName", "public", "publicResourceKey", "createdTime", "subType")),
                tuple(info[k] for k in ("title", "fileName", "public", "publicResourceKey", "createdTime",
                                        "resourceSubType")))
            self.assertEqual(one["data"], self.client.image(one["key"]).body)

    def test_images_of_both_versions_are_pulled_as_they_are(self):
        for version in ("3.6", "4"):
            with self.subTest(version):
                board = self.board(version)
                report = self.pull(board.url, "--verify", **self.LOGIN)
                self.assertEqual(sorted(i["key"] for i in board.images), report["created"])
                self.assertEqual({"equal": 3, "different": [], "missing": []}, report["verified"])
                self.assertEqual([], report["clashes"])
                self.check(board)
                # Again: nothing is fetched.
                board.requests.clear()
                self.assertEqual(3, self.pull(board.url, **self.LOGIN)["unchanged"])
                self.assertEqual([], board.exported())

    def test_tokens_and_keys_are_credentials_too(self):
        board = self.board("4")
        self.pull(board.url, THINGSBOARD_TOKEN="token-1")
        self.assertEqual(3, self.pull(board.url, THINGSBOARD_API_KEY="tb_key")["unchanged"])
        self.assertNotIn(("POST", "/api/auth/login"), board.requests)
        told = self.pull(board.url, code=NOT_PERMITTED, THINGSBOARD_TOKEN="old")
        self.assertIn("THINGSBOARD_TOKEN", told["message"])
        told = self.pull(board.url, code=NOT_PERMITTED, **{**self.LOGIN, "THINGSBOARD_PASSWORD": "wrong"})
        self.assertIn(self.LOGIN["THINGSBOARD_USER"], told["message"])
        self.assertNotIn("wrong", told["message"])
        for given in ({}, {"THINGSBOARD_USER": "x"}):
            self.assertIn("THINGSBOARD_", self.pull(board.url, code=CONFIGURATION, **given)["message"])

    def test_a_token_that_expires_meanwhile_is_renewed(self):
        board = self.board("4")
        expired = (401, {"status": 401, "message": "Token has expired", "errorCode": 11, "timestamp": 1})
        board.answers[f"/api/images/tenant/{board.images[0]['key']}/export"] = [expired]
        self.assertEqual(3, len(self.pull(board.url, **self.LOGIN)["created"]))

    def test_a_busy_server_is_asked_again(self):
        board = self.board("4")
        busy = (429, {"status": 429, "message": "Too many requests", "errorCode": 33, "timestamp": 1})
        board.answers[f"/api/images/tenant/{board.images[0]['key']}/export"] = [busy]
        self.assertEqual(3, len(self.pull(board.url, **self.LOGIN)["created"]))

    def test_images_that_differ_are_reported_and_changed_on_demand(self):
        board = self.board("4")
        self.pull(board.url, **self.LOGIN)
        first, pump, _ = (one["key"] for one in board.images)
        board.images[0].update(data=png(text="new"), title="New")
        board.images[1].update(public=True, publicResourceKey="x" * 32)
        report = self.pull(board.url, "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual([{"key": first, "members": ["picture", "title"]}, {"key": pump, "members": ["public"]}],
                         report["differ"])
        self.assertEqual([{"key": pump, "members": ["publicResourceKey"]}], report["clashes"])
        self.assertEqual({"equal": 2, "different": [first], "missing": []}, report["verified"])
        board.requests.clear()
        report = self.pull(board.url, "--overwrite", "--dry-run", **self.LOGIN)
        self.assertEqual([first, pump], [one["key"] for one in report["replaced"]])
        self.assertEqual([], board.exported())
        self.pull(board.url, "--overwrite", "--verify", **self.LOGIN)
        self.assertEqual((sha256(png(text="new")), "New"), tuple(self.info(first)[k] for k in ("etag", "title")))
        self.assertTrue(self.info(pump)["public"])

    def test_a_dry_run_changes_nothing(self):
        board = self.board("4")
        report = self.pull(board.url, "--dry-run", **self.LOGIN)
        self.assertEqual(3, len(report["created"]))
        self.assertEqual([], self.keys())
        self.assertEqual([], board.exported())
        report = self.pull(board.url, "--dry-run", "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual(3, len(report["verified"]["missing"]))

    def test_one_bad_image_does_not_stop_the_others(self):
        board = self.board("4")
        bad = [board.images[0]["key"]]
        for name, answer in (("gone", (404, {"status": 404, "message": "Requested item wasn't found!", "errorCode": 32,
                                             "timestamp": 1})),
                             ("fault", (500, {"status": 500, "message": "Broken", "errorCode": 2, "timestamp": 1})),
                             ("other", (200, {"mediaType": "image/png", "data": "AAAA", "title": "x"})),
                             ("no data", (200, {"title": "x"}))):
            board.add(name, png(text=name))
            board.answers[f"/api/images/tenant/{name}/export"] = [answer]
            bad.append(name)
        board.images[0]["data"] = b"no picture"
        report = self.pull(board.url, "--verify", code=REFUSED, **self.LOGIN)
        self.assertEqual(sorted(bad), [one["key"] for one in report["failed"]])
        self.assertEqual(2, len(report["created"]))
        self.assertEqual(sorted(bad), report["verified"]["missing"])
        # What was wrong for a while is pulled by the next run, and the rest is left alone.
        board.images[0]["data"] = png(text="mended")
        report = self.pull(board.url, "--verify", **self.LOGIN)
        self.assertEqual((sorted(bad), 2), (report["created"], report["unchanged"]))

    def test_many_pages_are_read_and_several_images_at_a_time(self):
        board = ThingsBoard("4")
        self.addCleanup(board.stop)
        for i in range(1003):
            board.add(f"{i}.png", png(text=str(i % 7)), publicResourceKey=sha256(f"{i}{self.who}".encode())[:32])
        self.assertEqual({"created": 1003, "failed": 0}, {k: v for k, v in self.figures(
            self.pull(board.url, "--jobs", "8", **self.LOGIN)).items() if k in ("created", "failed")})
        self.assertEqual(1003, len(self.keys()))
        # As after an interruption: only what is missing is fetched.
        for i in range(5):
            self.client.delete(f"/api/images/tenant/{i}.png")
        board.requests.clear()
        self.assertEqual(5, len(self.pull(board.url, **self.LOGIN)["created"]))
        self.assertEqual({f"{i}.png" for i in range(5)}, set(board.exported()))

    def test_the_system_is_pulled_by_system_administrators_only(self):
        board = self.board("4")
        board.authority = "SYS_ADMIN"
        for one in board.images:
            one["tenant"] = SYSTEM_TENANT
        self.assertIn("--system", self.pull(board.url, code=NOT_PERMITTED, **self.LOGIN)["message"])
        self.assertIn("SYS_ADMIN", self.pull(board.url, "--system", code=NOT_PERMITTED, **self.LOGIN)["message"])
        report = self.pull(board.url, "--system", who=SYSADMIN, **self.LOGIN)
        self.assertEqual(3, len(report["created"]))
        for one in board.images:
            self.assertEqual(one["createdTime"], self.admin.info(one["key"], "system").json()["createdTime"])
            self.json("images", "delete", one["key"], "--yes")
        board.authority = "TENANT_ADMIN"
        self.assertIn("source", self.pull(board.url, "--system", code=NOT_PERMITTED, who=SYSADMIN,
                                          **self.LOGIN)["message"])
        board.authority = "CUSTOMER_USER"
        self.pull(board.url, code=NOT_PERMITTED, **self.LOGIN)

    def test_wrong_addresses_are_said(self):
        board = self.board("4")
        self.error(USAGE, "images", "pull", who=self.who, words=["--from"])
        self.error(USAGE, "images", "pull", "--from", "ftp://x", who=self.who, words=["--from"])
        url = board.url
        board.answers["/api/auth/login"] = [(404, {"detail": "no such page"})]
        told = self.pull(url, code=UNREACHABLE, **self.LOGIN)
        self.assertIn("not a ThingsBoard server", told["message"])
        board.answers["/api/images"] = [(200, {"data": [{"title": 1}], "hasNext": False})]
        self.assertIn("not one of images", self.pull(url, code=UNREACHABLE, **self.LOGIN)["message"])
        board.stop()
        self.assertIn("--from", self.pull(url, code=UNREACHABLE, **self.LOGIN)["message"])

    def test_a_terminal_has_a_progress_bar_and_a_report(self):
        board = self.board("4")
        terminal = Terminal("images", "pull", "--from", board.url, env=self.env(self.who, **self.LOGIN))
        terminal.expect("pulling [")
        terminal.expect("3/3")
        code, output, _ = terminal.end()
        self.assertEqual((0, True), (code, output.startswith("created: 3, changed: 0, unchanged: 0,")))


class FromThisServer(PullTest):
    """Another server of this kind plays ThingsBoard."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = Server()
        cls.addClassCleanup(cls.other.stop)
        cls.other.start()

    def test_a_tenant_moves_with_links_tags_and_times(self):
        source = self.other.client()
        for i in range(20):
            self.assertStatus(200, source.put("/api/image/import", export_document(
                f"{i}.png", png(text=str(i)), tags=[f"t{i % 3}"], createdTime=1600000000000 + i, public=i % 2 == 0)))
        self.assertStatus(200, source.upload("pump.svg", SVG, sub_type="SCADA_SYMBOL"))
        url = f"http://127.0.0.1:{self.other.port}"
        login = {"THINGSBOARD_USER": "tenant@gallery.local", "THINGSBOARD_PASSWORD": "demo-password-1"}
        report = self.pull(url, "--verify", **login)
        self.assertEqual(([], [], [], []), tuple(report[k] for k in ("clashes", "failed", "differ", "replaced")))
        self.assertEqual(len(report["created"]), report["verified"]["equal"])

        def state(client):
            members = ("resourceKey", "title", "fileName", "etag", "public", "publicResourceKey", "createdTime",
                       "resourceSubType", "descriptor")
            return [{**{k: one[k] for k in members}, "tags": one.get("tags")}
                    for sub_type in ("IMAGE", "SCADA_SYMBOL")
                    for one in client.list(pageSize=1000, sortProperty="resourceKey", imageSubType=sub_type).json()["data"]]
        self.assertEqual(state(source), state(self.client))
        self.assertIn("pump.svg", report["created"])
        self.assertEqual(len(report["created"]), self.pull(url, **login)["unchanged"])


if __name__ == "__main__":
    unittest.main()
