# SPDX-License-Identifier: Apache-2.0
"""Whether a server on a restored store answers every request that reads as the original server did."""
import base64
import io
import json
import re
import urllib.parse
import zipfile

from admin_tool import REFUSED, run
from harness import CUSTOMER, SYSADMIN, TENANT, Client, Server, png
from mirror_tool import MirrorTest
from test_copy import path_of

# What belongs to a server and not to its store.
OF_THE_SERVER = {"/api/system/nodes", "/api/system/mirror", "/api/system/scrub"}
EXTRACT, COLLECT, INLINE = "/api/images/extract", "/api/images/collect", "/api/images/inline"
ZIP, TICKET, BY_TICKET = "/api/images/zip", "/api/images/zipTicket", "/api/images/zipDownload"
READ_BY_POST = {EXTRACT, COLLECT, INLINE, ZIP, TICKET, BY_TICKET}
# Each of these changes the store or the server. A new route that only reads belongs to READ_BY_POST.
WRITTEN_BY_POST = {
    "/api/auth/login", "/api/auth/token", "/api/auth/logout", "/api/auth/changePassword", "/api/noauth/activate",
    "/api/system/reload", "/api/system/mirror/start", "/api/system/mirror/verify", "/api/system/mirror/switch",
    "/api/system/mirror/stop", "/api/system/scrub/start", "/api/system/scrub/stop", "/api/image", "/api/tenant",
    "/api/tenantProfile", "/api/tenantProfile/{tenantProfileId}/default", "/api/user", "/api/customer",
    "/api/user/{userId}/userCredentialsEnabled", "/api/user/{userId}/password", "/api/apiKey"}
OF_BYTES = {"/api/images/{type}/{key}", "/api/images/{type}/{key}/preview", "/api/images/public/{publicResourceKey}"}
RANGES = ("bytes=0-9", "bytes=5-", "bytes=-3", "bytes=2-2", "bytes=99999999-")
FIELDS = ("ETag", "Content-Type", "Content-Disposition", "Last-Modified", "Content-Length", "Cache-Control", "Content-Range",
          "Accept-Ranges")
LISTS = ("pageSize=3&page=0", "pageSize=1000&page=0&sortProperty=createdTime&sortOrder=DESC",
         "pageSize=1000&page=0&textSearch=e")
IMAGE_LISTS = LISTS + ("pageSize=1000&page=0&includeSystemImages=true&sortProperty=title",
                       "pageSize=1000&page=0&imageSubType=SCADA_SYMBOL", "pageSize=1000&page=0&tag=plant",
                       "pageSize=1000&page=0&public=true", "pageSize=1000&page=0&mediaType=image%2Fpng")
LIMITED = ("limited@example.com", "password-limited-1")
DISABLED = ("disabled@example.com", "password-disabled-1")
# Different in each answer: of errors, of tickets, and of the key that asks.
VARIES = rb'"timestamp":\d+|"requestId":"\w+"|"ticket":"[^"]*"|"lastUsedTime":\d+'


def ids(entities):
    return sorted({one["id"]["id"] for one in entities})


class Answers:
    """What a server answers on every route that reads, to every kind of caller. Tokens are those of one server.
    @p more: further callers, by name."""

    def __init__(self, server, more):
        self.clients = {name: server.client(who)
                        for name, who in (("system", SYSADMIN), ("tenant", TENANT), ("customer", CUSTOMER))}
        self.clients.update(more, anonymous=Client(server))
        self.paths = self.clients["system"].get("/v3/api-docs").json()["paths"]
        system, tenant = self.clients["system"], self.clients["tenant"]
        everything = "?pageSize=1000&page=0"
        tenants = system.get("/api/tenants" + everything).json()["data"]
        users = [user for client in (system, tenant) for user in client.get("/api/users" + everything).json()["data"]]
        images = tenant.list(pageSize=1000, includeSystemImages="true").json()["data"]
        links = [path_of(one).split("/")[3:] for one in images]
        assert {kind for kind, _ in links} == {"tenant", "system"}
        self.values = {
            "type,key": [*map(tuple, links), ("tenant", "not-there.png")],
            "publicResourceKey": [(one["publicResourceKey"],) for one in images],
            "tenantId": [(one,) for one in ids(tenants)],
            "tenantProfileId": [(one,) for one in ids(system.get("/api/tenantProfiles" + everything).json()["data"])],
            "userId": [(one,) for one in ids(users)],
            "customerId": [(one,) for one in ids(tenant.get("/api/customers" + everything).json()["data"])],
        }
        self.activation = next(re.search(r"activateToken=([\w.-]+)", answer.body.decode()).group(1)
                               for answer in (system.get(f"/api/user/{one}/activationLink") for one, in self.values["userId"])
                               if answer.status == 200)
        own = [urllib.parse.unquote(key) for kind, key in links if kind == "tenant"]
        of_system = [urllib.parse.unquote(key) for kind, key in links if kind == "system"][:3]
        wanted = [f"tb-image;/api/images/tenant/{urllib.parse.quote(key)}" for key in own]
        self.linked = {"title": "Plant", "own": wanted, "previews": [one + "/preview" for one in wanted[:4]],
                       "of system": [f"tb-image;/api/images/system/{urllib.parse.quote(key)}" for key in of_system],
                       "missing": "tb-image;/api/images/tenant/not-there.png"}
        pictures = [tenant.image(key) for key in own[:5]]
        self.embedded = [f"data:{one.header('Content-Type')};base64,{base64.b64encode(one.body).decode()}" for one in pictures]
        self.selections = [{"tenant": own + ["not-there.png"], "system": of_system},
                           {"tenant": own[:3], "system": [], "layout": "EXPORT"}]

    def unknown_routes(self):
        """Routes of POST of which nobody has decided whether they read."""
        return sorted({path for path, methods in self.paths.items() if "post" in methods} - READ_BY_POST - WRITTEN_BY_POST)

    def gets(self):
        for path, methods in sorted(self.paths.items()):
            if "get" not in methods or path in OF_THE_SERVER:
                continue
            names = re.findall(r"{(\w+)}", path)
            parameters = [one.get("name") for one in methods["get"].get("parameters", [])]
            queries = [""]
            if "pageSize" in parameters:
                queries = ["?" + one for one in (IMAGE_LISTS if path == "/api/images" else LISTS)]
            if "activateToken" in parameters:
                queries = ["?activateToken=" + self.activation]
            for values in self.values[",".join(names)] if names else [()]:
                filled = path
                for name, value in zip(names, values):
                    filled = filled.replace("{" + name + "}", value)
                for query in queries:
                    yield path, filled + query

    def requests(self, who):
        """Route, a name of the request that is the same for each server, and what sends it."""
        for path, target in self.gets():
            yield path, target, lambda asking, target=target: asking.get(target)
            if path not in OF_BYTES:
                continue
            yield path, "HEAD " + target, lambda asking, target=target: asking.request("HEAD", target)
            for part in RANGES:
                fields = {"Range": part}
                yield path, f"{part} of {target}", lambda asking, target=target, f=fields: asking.get(target, headers=f)
        for path in (COLLECT, INLINE):
            yield path, path, lambda asking, path=path: asking.post(path, self.linked)
        # The pictures of the tenant are there, so for its users nothing is made without dryRun either.
        for query in ("", "?dryRun=true") if who in ("tenant", "script") else ("?dryRun=true",):
            yield EXTRACT, EXTRACT + query, lambda asking, query=query: asking.post(EXTRACT + query, self.embedded)
        for number, selection in enumerate(self.selections):
            for path in (ZIP, TICKET):
                yield path, f"{path} {number}", lambda asking, path=path, s=selection: asking.post(path, s)
            yield BY_TICKET, f"{BY_TICKET} {number}", lambda asking, s=selection: self.by_ticket(asking, s)

    @staticmethod
    def by_ticket(asking, selection):
        text = json.dumps(selection)
        ticket = asking.request("POST", TICKET, text.encode(), {"Content-Type": "application/json"})
        value = ticket.json().get("ticket", "none")
        return asking.request("POST", f"{BY_TICKET}?ticket={urllib.parse.quote(value)}",
                              urllib.parse.urlencode({"images": text}).encode(),
                              {"Content-Type": "application/x-www-form-urlencoded"}, authenticate=False)

    @staticmethod
    def content(answer, server):
        if answer.header("Content-Type") == "application/zip":
            with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
                return [(one.filename, one.date_time, archive.read(one)) for one in archive.infolist()]
        body = answer.body.replace(f":{server.port}".encode(), b":PORT")
        return re.sub(VARIES, b"", body) if (answer.header("Content-Type") or "").startswith("application/json") else body

    def of(self, server):
        found, routes = {}, {}
        for who, client in self.clients.items():
            asking = Client(server, keep=True)
            asking.token, asking.scheme = client.token, client.scheme
            for route, name, send in self.requests(who):
                answer = send(asking)
                fields = [answer.header(one) for one in FIELDS]
                if answer.header("Content-Type") == "application/json":
                    fields[FIELDS.index("Content-Length")] = None  # what varies may be shorter
                found[who, name] = (answer.status, self.content(answer, server), *fields)
                routes.setdefault(route, set()).add(answer.status)
                if answer.status == 200 and answer.header("ETag") and name.startswith("/api/"):
                    again = asking.get(name, headers={"If-None-Match": answer.header("ETag")})
                    assert (again.status, again.body, again.header("ETag")) == (304, b"", answer.header("ETag")), (name, again)
        for username, password in (TENANT, LIMITED, DISABLED, (TENANT[0], "a wrong password")):
            answer = Client(server).post("/api/auth/login", {"username": username, "password": password})
            found["login", username + password] = (answer.status, "token" in answer.json())
        return found, routes


class RestoreTest(MirrorTest):
    def user(self, name, tenant, authority="TENANT_ADMIN"):
        """Made and activated by the system administrator."""
        made = self.admin.post("/api/user?sendActivationMail=false",
                               {"email": name[0], "authority": authority, "tenantId": tenant["id"]})
        self.assertEqual(200, made.status, made)
        user = made.json()
        link = self.admin.get(f"/api/user/{user['id']['id']}/activationLink").body.decode()
        token = re.search(r"activateToken=([\w.-]+)", link).group(1)
        activated = Client(self.server).post("/api/noauth/activate", {"activateToken": token, "password": name[1]})
        self.assertEqual(200, activated.status, activated)
        return user

    def fill_all(self):
        """Something of every kind that a store contains and a client can make. Returns the callers besides the usual."""
        self.fill(12)
        images = self.tenant.list(pageSize=100).json()["data"]
        for number, one in enumerate(images):
            path = path_of(one)
            if number % 3 == 0:
                self.assertEqual(200, self.tenant.put(path + "/tags", {"tags": ["plant", f"number {number}"]}).status)
            if number % 4 == 0:
                self.assertEqual(200, self.tenant.put(path + "/public/true").status)
            if number % 5 == 0:
                self.assertEqual(200, self.tenant.put(path + "/info", dict(one, title=f"changed {number}")).status)
        symbol = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
        self.assertEqual(200, self.tenant.upload("symbol.svg", symbol, sub_type="SCADA_SYMBOL").status)
        self.assertEqual(200, self.tenant.delete("/api/images/tenant/picture%204.png").status)
        self.assertEqual(200, self.tenant.replace("picture 5.png", "picture 5.png", png(70, 7, text="other")).status)
        self.call("user", "create", "invited@example.com", "--role", "SYS_ADMIN")
        limits = {"type": "DEFAULT", "maxResourceSize": 1_000_000, "maxResourcesInBytes": 3_000_000,
                  "tenantServerRestLimitsConfiguration": "100000:1"}
        profile = self.admin.post("/api/tenantProfile", {"name": "Limited", "profileData": {"configuration": limits}})
        self.assertEqual(200, profile.status, profile)
        second = self.admin.post("/api/tenant", {"title": "Second", "tenantProfileId": profile.json()["id"]})
        self.assertEqual(200, second.status, second)
        self.user(LIMITED, second.json())
        disabled = self.user(DISABLED, second.json())
        done = self.admin.post(f"/api/user/{disabled['id']['id']}/userCredentialsEnabled?userCredentialsEnabled=false")
        self.assertEqual(200, done.status, done)
        limited = self.server.client(LIMITED)
        self.assertEqual(200, limited.upload("of the second.png", png(text="second")).status)
        key = self.tenant.post("/api/apiKey", {"description": "of a script"})
        self.assertEqual(200, key.status, key)
        script = Client(self.server)
        script.token, script.scheme = key.json()["value"], "ApiKey"
        self.assertEqual(200, script.get("/api/auth/user").status)
        return {"limited": limited, "script": script}

    def check_restored(self, target, expected, answers, plugin, engine="filesystem", environment=None):
        place = self.folder / f"restored-{plugin}"
        place.mkdir()
        other = Server(plugin=plugin, data=place, environment=environment)
        done = run("restore", str(target), "--engine", engine, "--verify", "--json", env=other.environment())
        self.assertEqual(0, done.returncode, done)
        self.assertTrue(json.loads(done.stdout)["verified"]["same"])
        other.start()
        try:
            found, _ = answers.of(other)
            self.assertEqual(sorted(expected), sorted(found))
            for request, answer in expected.items():
                self.assertEqual(answer, found[request], request)
            # It is a store of its own: it can be written, and no restore overwrites it.
            self.assertEqual(200, other.client(TENANT).upload("of the restored.png", png(text="restored")).status)
            # The limits of the profile apply.
            too_large = other.client(LIMITED).upload("large.png", png(text="x" * 1_000_000))
            self.assertEqual(413, too_large.status, too_large)
        finally:
            other.stop()
        done = run("restore", str(target), "--engine", engine, env=other.environment())
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn("other data", done.stderr)
