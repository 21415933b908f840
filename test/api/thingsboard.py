# SPDX-License-Identifier: Apache-2.0
"""A server that plays ThingsBoard for tests that read images from one."""
import base64
import http.server
import json
import threading
import urllib.parse

from harness import sha256

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
        self.old_tokens = ["expired", "of another key"]
        self.answers = {}  # by path: (status, body), or what makes it, instead of the usual one, once
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
        out |= {"etag": one.get("etag", sha256(one["data"])), "fileName": one["fileName"],
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

    def expire(self):
        """Tokens that were issued so far have expired."""
        self.old_tokens.append(self.token)
        self.token = f"token-{len(self.old_tokens)}"

    @staticmethod
    def refused_token():
        """ThingsBoard answers this to a token that has expired, and to one that another key has signed."""
        return 401, {"status": 401, "message": "Token has expired", "errorCode": 11, "timestamp": 1}

    @staticmethod
    def refused_credentials():
        """And this to a wrong password, and to a token that is none."""
        return 401, {"status": 401, "message": "Invalid username or password", "errorCode": 10,
                     "timestamp": "2024-01-01T00:00:00.000+00:00"}

    def respond(self, method, path, query, body, headers):
        if path in self.answers:
            with self.lock:
                if self.answers.get(path):
                    answer = self.answers[path].pop(0)
                    return answer() if callable(answer) else answer
        if path == "/api/auth/login":
            if (body["username"], body["password"]) != self.login:
                return self.refused_credentials()
            return 200, {"token": self.token, "refreshToken": "r", "scope": None}
        sent = headers.get("X-Authorization") or ""
        if sent in [f"Bearer {old}" for old in self.old_tokens]:
            return self.refused_token()
        if sent not in (f"Bearer {self.token}", "ApiKey tb_key"):
            return self.refused_credentials()
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
