# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every route, with every role, on every kind of object.

ROUTES is the table. It names the expected outcome of each route for each role and object. The test takes the routes
from the tables of endpoints and from the running server's description of its API, so a new route fails until the
table contains it. Outcomes:

ok      the request is allowed
400     the request is allowed to this role, but refers to an object that this role cannot use
403     refused; the object may exist
404     the object does not exist, or must look as if it did not

Allowed writes get an object of their own. All other objects are used by all requests and must be unchanged at the end
of each route, so a refused request cannot have changed anything.
"""
import base64
import io
import itertools
import json
import re
import time
import unittest
import urllib.parse
import uuid
import zipfile

from accounts import NOBODY, SIGNING_KEY, AccountTest, sign
from harness import ROOT, SYSTEM_TENANT, export_document, multipart, png, quote

# ---- the table -------------------------------------------------------------------------------------------------------

ROLES = ("SYS_ADMIN", "ADMIN_A", "ADMIN_B", "USER_CA", "USER_CA2", "USER_CB", "THINGSBOARD")
"""SYS_ADMIN: a system administrator. ADMIN_A, ADMIN_B: administrators of the tenants A and B. USER_CA, USER_CA2: users
of two customers of tenant A. USER_CB: a user of a customer of tenant B. THINGSBOARD: an administrator of a third tenant,
with a ThingsBoard server's token and without an account."""
KEYS = {"KEY_SYS": "SYS_ADMIN", "KEY_A": "ADMIN_A", "KEY_CA": "USER_CA"}
"""API keys. One without a row of its own may do what its user may."""


def grid(text):
    """{role: {object: outcome}} of a table whose first line names the objects."""
    lines = [line.split() for line in text.strip().splitlines()]
    objects = lines[0]
    out = {}
    for name, *outcomes in lines[1:]:
        assert len(outcomes) == len(objects), name
        out[name] = dict(zip(objects, outcomes))
    for key, user in KEYS.items():
        out.setdefault(key, out.get(user))
    return out


def refused_to_keys(rows, but=None):
    """The same for users. An API key is refused wherever its user is not answered with the outcome @p but."""
    return {role: {name: one if role not in KEYS or one == but else "403" for name, one in row.items()}
            for role, row in rows.items()}


def beside(first, second):
    return {role: {**first[role], **second[role]} for role in first}


def renamed(rows, prefix):
    return {role: {prefix + name: outcome for name, outcome in row.items()} for role, row in rows.items()}


def everybody(*objects, outcome="ok"):
    return {role: dict.fromkeys(objects, outcome) for role in (*ROLES, *KEYS)}


def only(*allowed):
    return {role: {"-": "ok" if KEYS.get(role, role) in allowed else "403"} for role in (*ROLES, *KEYS)}


def of_mirror(without, running, ended):
    """Only system administrators that signed in may use the mirror. A stolen key could otherwise be used to copy all
    data. The arguments are their outcomes without a mirror, with one that follows, and with one that has ended."""
    row = {"no_mirror": without, "running_mirror": running, "ended_mirror": ended}
    return {role: row if role == "SYS_ADMIN" else dict.fromkeys(row, "403") for role in (*ROLES, *KEYS)}


MANAGED_USER = grid("""
                self system admin_A user_CA admin_B user_CB absent
    SYS_ADMIN   ok   ok     ok      403     ok      403     404
    ADMIN_A     ok   403    ok      ok      403     403     404
    ADMIN_B     ok   403    403     403     ok      ok      404
    USER_CA     ok   403    403     403     403     403     404
    USER_CA2    ok   403    403     403     403     403     404
    USER_CB     ok   403    403     403     403     403     404
    THINGSBOARD 404  403    403     403     403     403     404
""")
# Nobody disables or deletes the own account, or sets its password without the old one.
ADMINISTERED_USER = {role: {**row, "self": "403" if row["self"] == "ok" else row["self"]}
                     for role, row in MANAGED_USER.items()}
# A key must not give access to an account that it did not create; test_api_keys.py tests those that it created.
ADMITTED_USER = refused_to_keys(ADMINISTERED_USER, but="404")
NEW_USER = grid("""
                new_system new_admin_A new_user_CA
    SYS_ADMIN   ok         ok          403
    ADMIN_A     403        ok          ok
    ADMIN_B     403        ok          400
    USER_CA     403        403         403
    USER_CA2    403        403         403
    USER_CB     403        403         403
    THINGSBOARD 403        400         400
    KEY_SYS     403        ok          403
    KEY_A       403        403         ok
""")
CUSTOMER = grid("""
                customer_CA customer_CA2 customer_CB absent
    SYS_ADMIN   403         403          403         403
    ADMIN_A     ok          ok           403         404
    ADMIN_B     403         403          ok          404
    USER_CA     ok          403          403         404
    USER_CA2    403         ok           403         404
    USER_CB     403         403          ok          404
    THINGSBOARD 403         403          403         404
""")
MANAGED_CUSTOMER = {role: row if "USER" not in KEYS.get(role, role) else dict.fromkeys(row, "403")
                    for role, row in CUSTOMER.items()}
NEW_CUSTOMER = grid("""
                new_customer
    SYS_ADMIN   403
    ADMIN_A     ok
    ADMIN_B     ok
    USER_CA     403
    USER_CA2    403
    USER_CB     403
    THINGSBOARD 400
""")
# Administrators of a tenant cannot find out which other tenants exist.
TENANT = grid("""
                tenant_A tenant_B absent
    SYS_ADMIN   ok       ok       404
    ADMIN_A     ok       403      403
    ADMIN_B     403      ok       403
    USER_CA     403      403      403
    USER_CA2    403      403      403
    USER_CB     403      403      403
    THINGSBOARD 403      403      403
""")
MANAGED_TENANT = {role: row if KEYS.get(role, role) == "SYS_ADMIN" else dict.fromkeys(row, "403")
                  for role, row in TENANT.items()}
PROFILE = {role: {"profile": row["-"], "absent": "404" if row["-"] == "ok" else "403"}
           for role, row in only("SYS_ADMIN").items()}
NEW_PROFILE = {role: {"new_profile": row["-"]} for role, row in only("SYS_ADMIN").items()}
NEW_TENANT = {role: {"new_tenant": row["-"]} for role, row in only("SYS_ADMIN").items()}
# type/key. Images a and b are those of tenants A and B, s is one of the system. The path names no tenant, so an image
# of another tenant cannot be told from one that does not exist.
VIEWED_IMAGE = grid("""
                system/s system/a system/absent tenant/s tenant/a tenant/b tenant/absent tenant/both
    SYS_ADMIN   ok       404      404           ok       404      404      404           404
    ADMIN_A     ok       404      404           404      ok       404      404           ok
    ADMIN_B     ok       404      404           404      404      ok       404           ok
    USER_CA     ok       404      404           404      ok       404      404           ok
    USER_CA2    ok       404      404           404      ok       404      404           ok
    USER_CB     ok       404      404           404      404      ok       404           ok
    THINGSBOARD ok       404      404           404      404      404      404           404
""")
READ_IMAGE = {role: row if "USER" not in KEYS.get(role, role) else dict.fromkeys(row, "403")
              for role, row in VIEWED_IMAGE.items()}
WRITTEN_IMAGE = {role: {name: "403" if name.startswith("system/") and KEYS.get(role, role) != "SYS_ADMIN" else outcome
                        for name, outcome in row.items() if name != "tenant/both"} for role, row in READ_IMAGE.items()}
# An archive of one image. As an export (export_...) it contains what an image's info contains.
ARCHIVED_IMAGE = beside(VIEWED_IMAGE, renamed(READ_IMAGE, "export_"))
# A ticket is given for keys, whatever is there. check_allowed() uses it.
ARCHIVE_TICKET = {role: {name: "403" if outcome == "403" else "ok" for name, outcome in row.items()}
                  for role, row in ARCHIVED_IMAGE.items()}
ADMINISTRATORS = only("SYS_ADMIN", "ADMIN_A", "ADMIN_B", "THINGSBOARD")
TENANT_ADMINISTRATORS = only("ADMIN_A", "ADMIN_B", "THINGSBOARD")
SYSTEM_ADMINISTRATORS = only("SYS_ADMIN")
EVERY_USER = everybody("-")
OWN_PASSWORD = {**refused_to_keys(EVERY_USER), "THINGSBOARD": {"-": "403"}}
PUBLIC_LINK = {role: {"public_a": "ok", "public_s": "ok", "private_a": "404", "absent": "404"} for role in EVERY_USER}
KEY_OF = renamed(MANAGED_USER, "key_of_")


class Rule:
    """@p rows: the outcomes. @p is_open: also without credentials, or with any that are not valid. @p allowed: the
    status of an allowed request. @p sees: the objects that an allowed request shows to each role."""

    def __init__(self, rows, is_open=False, allowed=200, query="", sees=None):
        self.rows, self.is_open, self.allowed, self.query, self.sees = rows, is_open, allowed, query, sees


SEEN_USERS = {"SYS_ADMIN": {"system", "admin_A", "admin_B"}, "ADMIN_A": {"admin_A", "user_CA"},
              "ADMIN_B": {"admin_B", "user_CB"}, "USER_CA": {"user_CA"}, "USER_CA2": set(), "USER_CB": {"user_CB"},
              "THINGSBOARD": set()}
SEEN_CUSTOMERS = {"ADMIN_A": {"customer_CA", "customer_CA2"}, "ADMIN_B": {"customer_CB"}, "THINGSBOARD": set()}
PAGE = "pageSize=1000&page=0"
ROUTES = {
    "GET /health/live": Rule(EVERY_USER, is_open=True),
    "GET /health/ready": Rule(EVERY_USER, is_open=True),
    "GET /v3/api-docs": Rule(EVERY_USER, is_open=True),
    "GET /swagger-ui": Rule(EVERY_USER, is_open=True),
    "GET /api/system/params": Rule(EVERY_USER),
    "GET /api/system/nodes": Rule(SYSTEM_ADMINISTRATORS),
    "POST /api/system/reload": Rule(SYSTEM_ADMINISTRATORS),
    "GET /api/system/scrub": Rule(SYSTEM_ADMINISTRATORS),
    "POST /api/system/scrub/start": Rule(SYSTEM_ADMINISTRATORS),
    "POST /api/system/scrub/stop": Rule(SYSTEM_ADMINISTRATORS),
    "GET /api/system/mirror": Rule(of_mirror("ok", "ok", "ok")),
    "POST /api/system/mirror/start": Rule(of_mirror("ok", "400", "ok")),
    "POST /api/system/mirror/stop": Rule(of_mirror("404", "ok", "ok")),
    "POST /api/system/mirror/verify": Rule(of_mirror("404", "ok", "400")),
    "DELETE /api/system/mirror": Rule(of_mirror("404", "400", "ok")),
    "POST /api/system/mirror/switch": Rule(of_mirror("404", "ok", "400")),
    # 400: the body is read, and it is empty.
    "POST /api/auth/login": Rule(EVERY_USER, is_open=True, allowed=400),
    "POST /api/auth/token": Rule(EVERY_USER, is_open=True, allowed=400),
    "GET /api/noauth/activate": Rule(EVERY_USER, is_open=True, allowed=400),
    "POST /api/noauth/activate": Rule(EVERY_USER, is_open=True, allowed=400),
    "GET /api/auth/user": Rule(EVERY_USER),
    "POST /api/auth/logout": Rule(EVERY_USER),
    # 400: the new password is too short.
    "POST /api/auth/changePassword": Rule(OWN_PASSWORD, allowed=400),
    "POST /api/user": Rule(beside(NEW_USER, MANAGED_USER)),
    "GET /api/user/{userId}": Rule(MANAGED_USER),
    "DELETE /api/user/{userId}": Rule(ADMINISTERED_USER),
    "POST /api/user/{userId}/userCredentialsEnabled": Rule(ADMINISTERED_USER, query="userCredentialsEnabled=false"),
    "GET /api/user/{userId}/activationLink": Rule(ADMITTED_USER),
    "POST /api/user/{userId}/password": Rule(ADMITTED_USER),
    "GET /api/users": Rule(EVERY_USER, query=PAGE, sees=SEEN_USERS),
    "GET /api/tenant/{tenantId}/users": Rule(MANAGED_TENANT, query=PAGE),
    "GET /api/customer/{customerId}/users": Rule(MANAGED_CUSTOMER, query=PAGE),
    "POST /api/apiKey": Rule(refused_to_keys(beside(MANAGED_USER, KEY_OF))),
    "GET /api/apiKeys/{userId}": Rule(MANAGED_USER, query=PAGE),
    "DELETE /api/apiKey/{id}": Rule(KEY_OF),
    "PUT /api/apiKey/{id}/description": Rule(refused_to_keys(KEY_OF)),
    "PUT /api/apiKey/{id}/enabled/true": Rule(refused_to_keys(KEY_OF)),
    "PUT /api/apiKey/{id}/enabled/false": Rule(KEY_OF),
    "POST /api/tenant": Rule(beside(NEW_TENANT, MANAGED_TENANT)),
    "GET /api/tenant/{tenantId}": Rule(TENANT),
    "DELETE /api/tenant/{tenantId}": Rule(MANAGED_TENANT),
    "GET /api/tenant/{tenantId}/contents": Rule(MANAGED_TENANT),
    "GET /api/tenants": Rule(SYSTEM_ADMINISTRATORS, query=PAGE, sees={"SYS_ADMIN": {"tenant_A", "tenant_B"}}),
    "POST /api/tenantProfile": Rule(beside(NEW_PROFILE, PROFILE)),
    "GET /api/tenantProfile/{tenantProfileId}": Rule(PROFILE),
    "DELETE /api/tenantProfile/{tenantProfileId}": Rule(PROFILE),
    "POST /api/tenantProfile/{tenantProfileId}/default": Rule(PROFILE),
    "GET /api/tenantProfiles": Rule(SYSTEM_ADMINISTRATORS, query=PAGE, sees={"SYS_ADMIN": {"profile"}}),
    "GET /api/tenantProfileInfo/default": Rule(SYSTEM_ADMINISTRATORS),
    "GET /api/tenantProfileInfo/{tenantProfileId}": Rule(PROFILE),
    "GET /api/tenantProfileInfos": Rule(SYSTEM_ADMINISTRATORS, query=PAGE, sees={"SYS_ADMIN": {"profile"}}),
    "POST /api/customer": Rule(beside(NEW_CUSTOMER, MANAGED_CUSTOMER)),
    "GET /api/customer/{customerId}": Rule(CUSTOMER),
    "DELETE /api/customer/{customerId}": Rule(MANAGED_CUSTOMER),
    "GET /api/customers": Rule(TENANT_ADMINISTRATORS, query=PAGE, sees=SEEN_CUSTOMERS),
    "POST /api/image": Rule(ADMINISTRATORS),
    "PUT /api/image/import": Rule(ADMINISTRATORS),
    "POST /api/images/extract": Rule(ADMINISTRATORS),
    "POST /api/images/collect": Rule(ADMINISTRATORS),
    "POST /api/images/inline": Rule(ADMINISTRATORS),
    "POST /api/images/zip": Rule(ARCHIVED_IMAGE),
    "POST /api/images/zipTicket": Rule(ARCHIVE_TICKET),
    # 400: there is no ticket, which is the only credential of this route.
    "POST /api/images/zipDownload": Rule(EVERY_USER, is_open=True, allowed=400),
    "GET /api/images": Rule(ADMINISTRATORS, query=PAGE + "&includeSystemImages=true"),
    "GET /api/images/usage": Rule(ADMINISTRATORS),
    "GET /api/images/{type}/{key}": Rule(VIEWED_IMAGE),
    "PUT /api/images/{type}/{key}": Rule(WRITTEN_IMAGE),
    "DELETE /api/images/{type}/{key}": Rule(WRITTEN_IMAGE),
    "GET /api/images/{type}/{key}/preview": Rule(VIEWED_IMAGE),
    "GET /api/images/{type}/{key}/info": Rule(READ_IMAGE),
    "PUT /api/images/{type}/{key}/info": Rule(WRITTEN_IMAGE),
    "PUT /api/images/{type}/{key}/tags": Rule(WRITTEN_IMAGE),
    "PUT /api/images/{type}/{key}/public/true": Rule(WRITTEN_IMAGE),
    "PUT /api/images/{type}/{key}/public/false": Rule(WRITTEN_IMAGE),
    "GET /api/images/{type}/{key}/export": Rule(READ_IMAGE),
    "GET /api/images/public/{publicResourceKey}": Rule(PUBLIC_LINK, is_open=True),
}
# A parameter that changes what is permitted: the table has a row for each value.
VALUES = {"{enabledValue}": ("true", "false"), "{isPublic}": ("true", "false")}

MIRROR = "/api/system/mirror"
MIRROR_TARGET = {"engine": "filesystem", "path": "mirror"}

# Headers that differ from one request to the next.
VARYING = ("date", "content-length", "x-request-id")

# ---- the routes of the server ----------------------------------------------------------------------------------------


def tenant_of(name):
    """That of a role, or of an object that is named after its tenant or customer."""
    return re.search(r"_C?([AB])2?$", name).group(1)


def plain(name):
    """The name of the object alone."""
    return name.removeprefix("export_")


def with_values(route):
    for name, values in VALUES.items():
        if name in route:
            return {route.replace(name, value) for value in values}
    return {route}


def routes_of_the_tables():
    """The rows of the tables of endpoints, also of those that are not described."""
    folder = ROOT / "server" / "api"
    # A path that is needed elsewhere as well has a name.
    named = dict(re.findall(r'constexpr std::string_view (\w+) = "(/[^"]*)"', "".join(f.read_text() for f in folder.glob("*.hpp"))))
    found = set()
    for file in folder.glob("*.cpp"):
        rows = re.findall(r'\{\s*http::method::(\w+),\s*(?:"(/[^"]*)"|(\w+)),\s*"[\w.]+"', file.read_text())
        found.update(f"{verb.rstrip('_').upper()} {path or named[name]}" for verb, path, name in rows)
    return found


class Permissions(AccountTest):
    options = {"plugin": "memory", "environment": {"JWT_TOKEN_SIGNING_KEY": base64.b64encode(SIGNING_KEY).decode()}}

    # ---- the objects and who asks for them ---------------------------------------------------------------------------

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls("test_the_table_names_every_route_of_the_server").make_all()
        except BaseException:
            cls.server.stop()
            raise

    def make_all(self):
        cls = type(self)
        cls.names = itertools.count()
        tenant_b, _, admin_b = self.tenant_with_admin()
        cls.makers = {"system": self.admin, "A": self.tenant, "B": admin_b}
        cls.tenant_ids = {"A": self.me(self.tenant).json()["tenantId"], "B": tenant_b["id"]}
        cls.customers = {name: self.make_customer(cls.makers[tenant])
                         for name, tenant in (("CA", "A"), ("CA2", "A"), ("CB", "B"))}
        cls.users, cls.clients = {}, {}
        for role, maker, authority, customer in (
                ("SYS_ADMIN", self.admin, "SYS_ADMIN", None), ("ADMIN_A", self.tenant, "TENANT_ADMIN", None),
                ("ADMIN_B", admin_b, "TENANT_ADMIN", None), ("USER_CA", self.tenant, "CUSTOMER_USER", "CA"),
                ("USER_CA2", self.tenant, "CUSTOMER_USER", "CA2"), ("USER_CB", admin_b, "CUSTOMER_USER", "CB")):
            fields = {"customerId": cls.customers[customer]["id"]} if customer else {}
            cls.users[role] = self.invite(maker, authority, **fields)
            self.activate(maker, cls.users[role])
            cls.users[role] = self.assertStatus(200, maker.get(f"/api/user/{cls.users[role]['id']['id']}")).json()
        cls.users["THINGSBOARD"] = {"id": {"id": str(uuid.uuid4())}, "email": "t@example.test",
                                    "authority": "TENANT_ADMIN", "tenantId": {"id": str(uuid.uuid4())},
                                    "customerId": {"id": SYSTEM_TENANT}}
        for role in ROLES:
            cls.clients[role] = self.keeping(self.token(role))
        for key, role in KEYS.items():
            made = self.make_key(cls.clients[role], self.users[role])
            cls.clients[key] = self.keeping(made["value"], "ApiKey")
            cls.users[key] = cls.users[role]
        cls.invalid = dict(self.invalid_credentials())
        cls.shared = {f"customer_{name}": one for name, one in self.customers.items()}
        for name, tenant in self.tenant_ids.items():
            cls.shared[f"tenant_{name}"] = self.assertStatus(200, self.admin.get(f"/api/tenant/{tenant['id']}")).json()
        for name in self.object_names():
            if "self" not in name and name not in cls.shared:
                cls.shared[name] = self.make(name)
        cls.own_keys = {role: self.make_key(cls.clients[KEYS.get(role, role)], self.users[role])
                        for role in self.users if role != "THINGSBOARD"}
        cls.before = self.state()

    def keeping(self, token, scheme="Bearer"):
        client = self.with_token(token, scheme)
        client.keep = True
        return client

    def token(self, role, key=SIGNING_KEY, header=None, user=None, **changes):
        user, now = user or self.users[role], int(time.time())
        claims = {"sub": user["email"], "userId": user["id"]["id"], "scopes": [user["authority"]],
                  "sessionId": str(uuid.uuid4()), "exp": now + 9000, "iss": "thingsboard.io", "iat": now,
                  "enabled": True, "isPublic": False, "tenantId": user["tenantId"]["id"],
                  "customerId": user["customerId"]["id"], **changes}
        return sign(claims, key, header)

    def invalid_credentials(self):
        """Pairs of a name, and a client with the error code that is expected of it."""
        now = int(time.time())
        expiring = self.keeping(self.expiring_key(), "ApiKey")  # while the others are made
        yield "no credentials", (self.keeping(None), 10)
        yield "an expired token", (self.keeping(self.token("SYS_ADMIN", iat=now - 20, exp=now - 10)), 11)
        ended = self.keeping(self.token("SYS_ADMIN"))
        self.assertStatus(200, ended.post("/api/auth/logout"))
        yield "a token of a session that was logged out", (ended, 11)
        yield "a refresh token", (self.keeping(self.token("SYS_ADMIN", scopes=["REFRESH_TOKEN"],
                                                          jti=str(uuid.uuid4()))), 10)
        yield "a token of another signing key", (self.keeping(self.token("SYS_ADMIN", bytes(64))), 10)
        unsigned = self.token("SYS_ADMIN", header={"alg": "none"}).rsplit(".", 1)[0] + "."
        yield "an unsigned token", (self.keeping(unsigned), 10)
        invited = self.invite(self.admin, "SYS_ADMIN")
        yield "a token of a user who is not active", (self.keeping(self.token(None, user=invited)), 10)
        deleted = self.invite(self.admin, "SYS_ADMIN")
        self.assertStatus(200, self.admin.delete(f"/api/user/{deleted['id']['id']}"))
        yield "a token of a deleted user", (self.keeping(self.token(None, user=deleted)), 10)
        tenant = self.make_tenant()
        member = self.invite(self.admin, "TENANT_ADMIN", tenantId=tenant["id"])
        self.assertStatus(200, self.admin.delete(f"/api/tenant/{tenant['id']['id']}"))
        yield "a token of a deleted tenant", (self.keeping(self.token(None, user=member)), 10)
        for name, end in (("a revoked API key", lambda path: self.tenant.delete(path)),
                          ("a disabled API key", lambda path: self.tenant.put(path + "/enabled/false"))):
            made = self.make_key(self.tenant, self.users["ADMIN_A"])
            self.assertStatus(200, end(f"/api/apiKey/{made['id']['id']}"))
            yield name, (self.keeping(made["value"], "ApiKey"), 10)
        made = self.make_key(self.tenant, self.users["ADMIN_A"])
        yield "an API key as a token", (self.keeping(made["value"]), 10)
        yield "a token as an API key", (self.keeping(self.token("SYS_ADMIN"), "ApiKey"), 10)
        deadline = time.monotonic() + 60
        while self.me(expiring).status == 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        yield "an expired API key", (expiring, 11)

    def expiring_key(self):
        while True:
            answer = self.tenant.post("/api/apiKey", {
                "description": "short", "userId": self.users["ADMIN_A"]["id"],
                "expirationTime": int(time.time() * 1000) + 1000})
            if answer.status == 200:
                return answer.json()["value"]
            self.assertError(400, 31, answer, "past")  # the request took longer than that

    def object_names(self):
        return sorted({plain(name) for rule in ROUTES.values() for row in rule.rows.values() for name in row})

    def make_key(self, client, user, **fields):
        return self.assertStatus(200, client.post("/api/apiKey", {
            "description": "a key", "userId": user["id"], **fields})).json()

    def make_image(self, maker, name=None):
        name = name or f"image{next(self.names)}.png"
        data = png(6, 6, text=f"{name} {uuid.uuid4()}")
        made = self.assertStatus(200, self.makers[maker].upload(name, data)).json()
        return {"key": made["resourceKey"], "info": made, "data": data}

    def make(self, name):
        """A new object of this name."""
        if name == "system":
            return self.invite(self.admin, "SYS_ADMIN")
        if name in ("admin_A", "admin_B"):
            return self.invite(self.makers[tenant_of(name)], "TENANT_ADMIN")
        if name in ("user_CA", "user_CB"):
            customer = self.customers[name.removeprefix("user_")]["id"]
            return self.invite(self.makers[tenant_of(name)], "CUSTOMER_USER", customerId=customer)
        if name.startswith("key_of_") and name != "key_of_absent":
            of = name.removeprefix("key_of_")
            return self.make_key(self.makers["system" if of == "system" else tenant_of(of)], self.make(of))
        if name.startswith("customer_"):
            return self.make_customer(self.makers[tenant_of(name)])
        if name.startswith("tenant_"):
            return self.make_tenant()
        if name == "profile":
            return self.assertStatus(200, self.admin.post("/api/tenantProfile", {"name": self.unique("profile")})).json()
        if name == "tenant/both":
            first, second = (self.make_image(tenant, "both.png") for tenant in "AB")
            self.assertEqual(first["key"], second["key"])
            return {"key": first["key"], "data": {"A": first["data"], "B": second["data"]}}
        if "/" in name:
            kind, key = name.split("/")
            made = {"key": "absent.png"} if key == "absent" else self.make_image({"s": "system"}.get(key, key.upper()))
            return {**made, "type": kind}
        if name in ("public_a", "private_a", "public_s"):
            made = self.make_image("system" if name == "public_s" else "A")
            maker = self.makers["system" if name == "public_s" else "A"]
            is_public = str(name != "private_a").lower()
            self.assertStatus(200, maker.put(f"/api/images/tenant/{made['key']}/public/{is_public}"))
            return {"publicResourceKey": made["info"]["publicResourceKey"]}
        if name in ("absent", "key_of_absent"):
            return {"id": {"id": NOBODY}, "publicResourceKey": "A" * 32, "email": "absent@example.test",
                    "authority": "TENANT_ADMIN", "title": "absent", "version": 1, "tenantId": self.tenant_ids["A"]}
        if name.startswith("new_") or name.endswith("_mirror") or name == "-":
            return {"id": None}
        raise AssertionError(f"no object is made for {name!r}")

    def mirror(self):
        """The object in the table that the server's only mirror is now."""
        deadline = time.monotonic() + 60
        while True:
            now = self.assertStatus(200, self.admin.get(MIRROR)).json()
            if now["state"] != "copying" and not now.get("stopping") and not now.get("verifying"):
                return {"none": "no_mirror", "following": "running_mirror", "stopped": "ended_mirror"}[now["state"]]
            self.assertLess(time.monotonic(), deadline, now)
            time.sleep(0.01)

    def switch_back(self):
        """A switch that was permitted has made the mirror the store of the server."""
        now = self.admin.get(MIRROR).json()
        if now["active"]["path"].endswith("/" + MIRROR_TARGET["path"]):
            self.assertStatus(200, self.admin.post(MIRROR + "/switch"))

    def make_mirror(self, wanted):
        self.switch_back()
        if (now := self.mirror()) == wanted:
            return
        if now == "ended_mirror" or wanted == "no_mirror":
            if now == "running_mirror":
                self.assertStatus(200, self.admin.post(MIRROR + "/stop", {"abandon": True}))
            self.assertStatus(200, self.admin.delete(MIRROR))
            now = "no_mirror"
        if now == "no_mirror" and wanted != "no_mirror":
            self.assertStatus(200, self.admin.post(MIRROR + "/start", MIRROR_TARGET))
        if wanted == "ended_mirror":
            self.assertStatus(200, self.admin.post(MIRROR + "/stop", {"abandon": True}))
        self.assertEqual(wanted, self.mirror())

    def object_for(self, name, role, is_fresh):
        if name.endswith("_mirror"):
            self.make_mirror(name)
            return self.shared[name]
        if name == "self":
            return self.users[role]
        if name == "key_of_self":
            if role not in self.own_keys:
                return self.shared["key_of_absent"]
            if is_fresh:
                return self.make_key(self.clients[KEYS.get(role, role)], self.users[role])
            return self.own_keys[role]
        return self.make(plain(name)) if is_fresh and "absent" not in name else self.shared[plain(name)]

    def state(self):
        """All that the shared objects are."""
        ids = {one["id"]["id"] for one in self.shared.values() if one.get("id")}
        keys = {one["key"] for one in self.shared.values() if "key" in one}
        found = []
        for maker in self.makers.values():
            for path in ("/api/users?", "/api/customers?", "/api/tenants?", "/api/tenantProfiles?"):
                answer = maker.get(path + PAGE)
                if answer.status == 200:
                    found += [one for one in answer.json()["data"] if one["id"]["id"] in ids]
            answer = self.assertStatus(200, maker.get(f"/api/images?{PAGE}"))
            found += [one for one in answer.json()["data"] if one["resourceKey"] in keys]
        for name, one in self.shared.items():
            if name.startswith("key_of_") and name != "key_of_absent":
                by = self.makers["system" if name.endswith("system") else tenant_of(name)]
                found += self.assertStatus(200, by.get(f"/api/apiKeys/{one['userId']['id']}?{PAGE}")).json()["data"]
        return found

    # ---- one request -------------------------------------------------------------------------------------------------

    def new_user(self, name):
        fields = {"new_system": {"authority": "SYS_ADMIN"},
                  "new_admin_A": {"authority": "TENANT_ADMIN", "tenantId": self.tenant_ids["A"]},
                  "new_user_CA": {"authority": "CUSTOMER_USER", "customerId": self.customers["CA"]["id"]}}[name]
        return {"email": f"{self.unique()}@example.test", **fields}

    def links(self):
        """Links and etags of a document: {name in the table: link}."""
        names = [name for name in VIEWED_IMAGE["ADMIN_A"] if name not in ("tenant/both", "system/a")]
        return {name: f"/api/images/{name.split('/')[0]}/{self.shared[name]['key']}" for name in names}

    def archive_of(self, name, what):
        return {plain(name).split("/")[0]: [what["key"]], "layout": "PICTURES" if name == plain(name) else "EXPORT"}

    def body_of(self, route, name, what):
        """The JSON of a request, or a pair of bytes and content type."""
        if route == "POST /api/user":
            return self.new_user(name) if name.startswith("new_") else {
                **{k: v for k, v in what.items() if k != "version"}, "firstName": "Changed"}
        if route == "POST /api/apiKey":
            if name.startswith("key_of_"):
                return {"id": what["id"], "description": "changed"}
            return {"description": "made", "userId": what["id"]}
        if route in ("POST /api/tenant", "POST /api/customer"):
            # The version tells a tenant that was deleted from one that is to be adopted.
            return {"title": self.unique("title")} if name.startswith("new_") else {
                "id": what["id"], "title": self.unique("title"), "version": what["version"]}
        if route == "POST /api/tenantProfile":
            fields = {"name": self.unique("profile")}
            return fields if name.startswith("new_") else {**fields, "id": what["id"]}
        if route == "PUT /api/image/import":
            key = f"import{next(self.names)}.png"
            return export_document(key, png(5, 5, text=key))
        if route in ("POST /api/images/collect", "POST /api/images/inline"):
            return ["tb-image;" + link for link in self.links().values()]
        if route == "POST /api/images/extract":
            # Only the hash of a picture: who does not have the picture must not learn that somebody has.
            b64 = lambda text: base64.b64encode(text.encode()).decode()
            return [f"tb-image:{b64('x.png')}:{b64('x')}:{b64('IMAGE')}:{self.shared[name]['info']['etag']};"
                    "data:image/png;base64," for name in ("system/s", "tenant/a", "tenant/b")]
        if route in ("POST /api/images/zip", "POST /api/images/zipTicket"):
            return self.archive_of(name, what)
        if route in ("POST /api/image", "PUT /api/images/{type}/{key}"):
            return multipart([("file", f"upload{next(self.names)}.png", "image/png", png(5, 5, text=self.unique()))])
        return {"POST /api/auth/login": {}, "POST /api/images/zipDownload": {}, "POST /api/auth/token": {}, "POST /api/noauth/activate": {},
                "POST /api/auth/logout": None, "POST /api/system/reload": None, "DELETE": None,
                "POST /api/tenantProfile/{tenantProfileId}/default": None,
                "POST /api/system/scrub/start": {}, "POST /api/system/scrub/stop": None,
                "POST /api/system/mirror/start": MIRROR_TARGET, "POST /api/system/mirror/stop": {},
                "POST /api/system/mirror/verify": None, "POST /api/system/mirror/switch": None,
                "POST /api/auth/changePassword": {"currentPassword": "secret-1", "newPassword": "short"},
                "POST /api/user/{userId}/password": {"password": "secret-2"},
                "POST /api/user/{userId}/userCredentialsEnabled": None,
                "PUT /api/apiKey/{id}/description": "changed",
                "PUT /api/apiKey/{id}/enabled/true": None, "PUT /api/apiKey/{id}/enabled/false": None,
                "PUT /api/images/{type}/{key}/info": {"title": self.unique()},
                "PUT /api/images/{type}/{key}/tags": {"tags": ["changed"]},
                "PUT /api/images/{type}/{key}/public/true": None,
                "PUT /api/images/{type}/{key}/public/false": None}[route if not route.startswith("DELETE") else "DELETE"]

    def send(self, client, route, name, what, verb=None):
        method, path = route.split(" ")
        for parameter in re.findall(r"\{(\w+)\}", path):
            value = what[parameter] if parameter in ("type", "key", "publicResourceKey") and parameter in what else None
            if value is None and parameter == "type":
                value = "tenant"
            path = path.replace("{" + parameter + "}", quote(value if value is not None else what["id"]["id"]))
        if ROUTES[route].query:
            path += "?" + ROUTES[route].query
        if method == "GET":
            return client.request(verb or method, path)
        body = self.body_of(route, name, what)
        if body is None:
            return client.request(method, path)
        if isinstance(body, tuple):
            return client.request(method, path, body[0], {"Content-Type": body[1]})
        return client.json_body(method, path, body)

    def check_allowed(self, route, role, name, answer, what):
        """That an allowed request shows what it should, and nothing of others."""
        user, rule = KEYS.get(role, role), ROUTES[route]
        if rule.sees is not None:
            ids = {one["id"]["id"] for one in answer.json()["data"]}
            kinds = set().union(*rule.sees.values())
            self.assertEqual(rule.sees[user], {kind for kind in kinds if self.shared[kind]["id"]["id"] in ids})
        if route == "GET /api/auth/user":
            self.assertEqual(self.users[role]["id"]["id"], answer.json()["id"]["id"])
        if route == "POST /api/user" and user != "SYS_ADMIN":
            self.assertEqual(self.users[role]["tenantId"]["id"], answer.json()["tenantId"]["id"])
        if route == "GET /api/images/{type}/{key}":
            data = what["data"]
            self.assertEqual(data[tenant_of(user)] if name == "tenant/both" else data, answer.body)
        if route == "POST /api/images/zip":
            self.check_archive(user, name, answer, what)
        if route == "POST /api/images/zipTicket":
            form = urllib.parse.urlencode({"images": json.dumps(self.archive_of(name, what))})
            got = self.anonymous.request("POST", f"/api/images/zipDownload?ticket={quote(answer.json()['ticket'])}",
                                         form.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
            expected = ARCHIVED_IMAGE[role][name]
            self.assertEqual(200 if expected == "ok" else int(expected), got.status, got)
            if expected == "ok":
                self.check_archive(user, name, got, what)
        if route == "GET /api/images":
            seen = {one["resourceKey"] for one in answer.json()["data"]}
            for one in ("tenant/s", "tenant/a", "tenant/b"):
                self.assertEqual(VIEWED_IMAGE[role][one] == "ok" or one == "tenant/s",
                                 self.shared[one]["key"] in seen, one)
        if route in ("POST /api/images/collect", "POST /api/images/inline"):
            missing = {link.removeprefix("tb-image;") for link in answer.json()["missing"]}
            self.assertEqual({link for one, link in self.links().items() if VIEWED_IMAGE[role][one] != "ok"}, missing)
        if route == "POST /api/images/extract":
            linked = [not one.startswith("tb-image:") for one in answer.json()["document"]]
            own = {"ADMIN_A": [True, True, False], "ADMIN_B": [True, False, True]}
            self.assertEqual(own.get(user, [True, False, False]), linked)

    def check_archive(self, user, name, answer, what):
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            content = [archive.read(member) for member in archive.namelist()]
        self.assertIn(what["data"][tenant_of(user)] if plain(name) == "tenant/both" else what["data"], content)
        self.assertEqual(1 if name == plain(name) else 2, len(content))

    # ---- the tests ---------------------------------------------------------------------------------------------------

    def test_the_table_names_every_route_of_the_server(self):
        tables = routes_of_the_tables()
        paths = self.anonymous.get("/v3/api-docs").json()["paths"]
        described = {f"{verb.upper()} {path}" for path, operations in paths.items() for verb in operations}
        self.assertGreater(len(described), 40)
        self.assertLessEqual(described, tables, "the expression that reads the tables of endpoints misses rows")
        routes = set().union(*(with_values(route) for route in tables))
        self.assertEqual(set(), routes - set(ROUTES), "the table does not say who may use these routes")
        self.assertEqual(set(), set(ROUTES) - routes, "the table names routes that the server does not have")
        for route, rule in ROUTES.items():
            self.assertEqual({*ROLES, *KEYS}, set(rule.rows), route)

    def test_every_role_gets_what_the_table_says(self):
        for route, rule in ROUTES.items():
            changes = not route.startswith("GET")
            for role, row in rule.rows.items():
                missing = {True: set(), False: set()}  # answers about keys, and about all else
                for name, expected in row.items():
                    with self.subTest(f"{route} by {role} on {name}"):
                        what = self.object_for(name, role, changes and expected == "ok")
                        client = self.clients[role]
                        if route == "POST /api/auth/logout" and role in ROLES:
                            client = self.with_token(self.token(role))  # in a session of its own
                        answer = self.send(client, route, name, what)
                        self.assertEqual(rule.allowed if expected == "ok" else int(expected), answer.status, answer)
                        if expected == "ok":
                            if rule.allowed == 200:
                                self.check_allowed(route, role, name, answer, what)
                        else:
                            self.assertError(int(expected), {"400": 31, "403": 20, "404": 32}[expected], answer)
                        if expected != "ok" and name.endswith("_mirror"):
                            self.assertEqual(name, self.mirror())
                        if expected == "404":
                            missing[name.startswith("key_of_")].add(self.shape(answer, what))
                        if route.startswith("GET"):
                            self.assertEqual(answer.status, self.send(client, route, name, what, "HEAD").status)
                # Nothing tells an object that must stay hidden from one that does not exist.
                for shapes in missing.values():
                    self.assertLessEqual(len(shapes), 1, f"{route} by {role}: {shapes}")
            self.assertEqual(self.before, self.state(), f"{route} changed what it refused to change")

    def shape(self, answer, what):
        """An error without what differs from one request to the next."""
        text = answer.json()["message"]
        for value in (what.get("key"), what.get("publicResourceKey"), (what.get("id") or {}).get("id")):
            text = text.replace(value, "X") if value else text
        return (answer.status, text, answer.json()["errorCode"],
                tuple(pair for pair in answer.headers if pair[0].lower() not in VARYING))

    def test_invalid_credentials_are_refused_whatever_the_route_and_the_object(self):
        for route, rule in ROUTES.items():
            row = rule.rows["SYS_ADMIN"]
            names = [name for name in row if "self" not in name]
            for title, (client, code) in self.invalid.items():
                for name in names[:1] + [name for name in names[1:] if "absent" in name][:1]:
                    with self.subTest(f"{route} with {title} on {name}"):
                        answer = self.send(client, route, name, self.shared[plain(name)])
                        if rule.is_open:
                            self.assertEqual(rule.allowed if row[name] == "ok" else int(row[name]), answer.status, answer)
                        else:
                            self.assertError(401, code, answer)
            self.assertEqual(self.before, self.state(), f"{route} changed what it refused to change")

    def test_a_validator_opens_nothing(self):
        """An answer 304 or 412 would tell that the image exists, and that its bytes are known."""
        for role, what in (("ADMIN_B", "tenant/a"), ("THINGSBOARD", "tenant/a"), ("USER_CA", "tenant/b")):
            for tag in ("*", f"\"{self.shared[what]['info']['etag']}\""):
                target = f"/api/images/tenant/{self.shared[what]['key']}"
                answer = self.clients[role].get(target, headers={"If-None-Match": tag})
                self.assertError(404, 32, answer)
        for title, (client, code) in self.invalid.items():
            with self.subTest(title):
                for condition in ("If-None-Match", "If-Match"):
                    self.assertError(401, code, client.get("/api/images/system/" + self.shared["system/s"]["key"],
                                                           headers={condition: "*"}))


if __name__ == "__main__":
    unittest.main()
