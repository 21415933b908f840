"""gallery-admin against a running server: what whoever types it, or a script, sees."""
import contextlib
import http.client
import json
import os
import pty
import re
import select
import socket
import ssl
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import uuid

from harness import BUILD, CUSTOMER, SYSADMIN, TENANT, Client, Server, ServerTest, free_port, png

BINARY = BUILD / "bin" / "gallery-admin"
REFUSED, NOT_FOUND, USAGE, UNREACHABLE, OUTPUT, LATER, NOT_PERMITTED, CONFIGURATION = 1, 3, 64, 69, 74, 75, 77, 78


def environment(**values):
    """The caller's without what gallery-admin reads, and these; a value of None leaves one out."""
    out = {k: v for k, v in os.environ.items() if not k.startswith("GALLERY_")}
    out.update({k: v for k, v in values.items() if v is not None})
    return out


def run(*arguments, stdin="", env=None, **options):
    return subprocess.run([str(BINARY), *arguments], input=stdin, env=environment() if env is None else env,
                          capture_output=True, text=True, timeout=120, **options)


def unique(prefix="admin"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Terminal:
    """gallery-admin with somebody at the terminal. Standard output is apart, as in `... > file`."""

    def __init__(self, *arguments, env):
        self.process = None
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([str(BINARY), *arguments], env=env, stdin=slave, stderr=slave,
                                        stdout=subprocess.PIPE, start_new_session=True)
        os.close(slave)
        self.seen = b""

    def expect(self, text):
        deadline = time.monotonic() + 60
        while text.encode() not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"'{text}' was not shown, but {self.seen!r}")
            try:
                self.seen += os.read(self.master, 4096)
            except OSError:
                raise AssertionError(f"'{text}' was not shown, but {self.seen!r}") from None
        before, self.seen = self.seen.split(text.encode(), 1)
        return before

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def end(self):
        """Exit code, standard output, and the rest of what the terminal showed."""
        output = self.process.stdout.read().decode()
        code = self.process.wait(60)
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 4096):
                self.seen += data
        os.close(self.master)
        self.process.stdout.close()
        return code, output, self.seen.decode()


class AdminTest(ServerTest):
    def url(self):
        return f"http://127.0.0.1:{self.server.port}"

    def env(self, who=SYSADMIN, **values):
        return environment(GALLERY_URL=self.url(), GALLERY_USER=who[0], GALLERY_PASSWORD=who[1], **values)

    def call(self, *arguments, who=SYSADMIN, code=0, stdin="", **values):
        done = run(*arguments, stdin=stdin, env=self.env(who, **values))
        self.assertEqual(code, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        if code:
            self.assertEqual("", done.stdout)
            self.assertTrue(done.stderr.strip())
        return done

    def json(self, *arguments, **kw):
        done = self.call(*arguments, "--json", **kw)
        self.assertEqual("", done.stderr)
        self.assertEqual(1, done.stdout.count("\n"), done.stdout)
        return json.loads(done.stdout)

    def error(self, code, *arguments, words=(), **kw):
        """The error for people has these words; that for programs has the exit code."""
        text = self.call(*arguments, code=code, **kw).stderr
        self.assertTrue(text.startswith("gallery-admin"), text)
        self.assertEqual(1, text.count("\n"), text)
        for word in words:
            self.assertIn(word.lower(), text.lower())
        told = json.loads(self.call(*arguments, "--json", code=code, **kw).stderr)
        self.assertEqual(code, told["exitCode"])
        return told

    def make_tenant(self):
        title = unique("tenant")
        email = unique() + "@example.test"
        tenant = self.json("tenant", "create", title)
        user = self.json("user", "create", email, "--tenant", title, "--password-stdin", stdin="secret-1\n")
        return tenant, user, (email, "secret-1")

    def make_customer(self, who=TENANT):
        return self.json("customer", "create", unique("customer"), who=who)

    def login_fails(self, who):
        answer = self.anonymous.post("/api/auth/login", {"username": who[0], "password": who[1]})
        self.assertStatus(401, answer)


class Tenants(AdminTest):
    def test_a_tenant_is_made_shown_listed_changed_and_deleted(self):
        title = unique("Wasserwerk Ä")
        made = self.json("tenant", "create", title, "--country", "Austria", "--region=EU", "--email", "a@b.example")
        self.assertEqual(made, self.admin.get(f"/api/tenant/{made['id']['id']}").json())
        self.assertEqual((title, "Austria", "EU", "a@b.example"),
                         tuple(made[k] for k in ("title", "country", "region", "email")))
        self.assertEqual(made, self.json("tenant", "show", title))
        self.assertEqual(made, self.json("tenant", "show", made["id"]["id"]))
        self.assertEqual([made], self.json("tenant", "list", "--search", title[3:].upper()))
        shown = self.call("tenant", "show", title).stdout
        self.assertRegex(shown, rf"(?m)^id: +{made['id']['id']}$")
        self.assertRegex(shown, rf"(?m)^title: +{title}$")
        self.assertRegex(shown, r"(?m)^created: +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$")
        changed = self.json("tenant", "update", title, "--title", title + "2", "--country", "", "--city", "Linz")
        self.assertEqual((made["id"], title + "2", "Linz", "EU"),
                         tuple(changed[k] for k in ("id", "title", "city", "region")))
        self.assertNotIn("country", changed)
        self.assertEqual(changed, self.json("tenant", "delete", title + "2", "--yes"))
        self.error(NOT_FOUND, "tenant", "show", title + "2", words=["no tenant", title])
        self.error(NOT_FOUND, "tenant", "show", made["id"]["id"], words=["not found"])

    def test_a_list_has_all_pages_aligned_for_people_and_whole_for_programs(self):
        mark = unique("page")
        made = [self.admin.post("/api/tenant", {"title": f"{mark} {i:04}"}).json() for i in range(1005)]
        self.assertEqual(made, self.json("tenant", "list", "--search", mark))
        lines = self.call("tenant", "list", "--search", mark).stdout.splitlines()
        self.assertEqual(1006, len(lines))
        self.assertRegex(lines[0], r"^ID +TITLE +REGION +EMAIL +CREATED$")
        self.assertEqual({lines[0].index("TITLE")}, {line.index(mark) for line in lines[1:]})
        self.assertEqual([], self.json("tenant", "list", "--search", unique()))
        for tenant in made:
            self.admin.delete(f"/api/tenant/{tenant['id']['id']}")

    def test_a_name_that_several_have_is_refused_with_their_ids(self):
        title = unique("twins")
        ids = [self.json("tenant", "create", title)["id"]["id"] for _ in range(2)]
        self.error(NOT_FOUND, "tenant", "delete", title, "--yes", words=["2 of", *ids])
        for one in ids:
            self.call("tenant", "delete", one, "--yes")

    def test_a_name_is_not_a_search(self):
        title = unique("exact")
        self.call("tenant", "create", title + " and more")
        self.error(NOT_FOUND, "tenant", "show", title)
        self.error(NOT_FOUND, "tenant", "show", title.upper() + " and more")

    def test_a_tenants_administrator_sees_the_own_one(self):
        tenant, _, who = self.make_tenant()
        self.assertEqual(tenant, self.json("tenant", "show", who=who))
        self.assertEqual(tenant, self.json("tenant", "show", tenant["title"], who=who))
        self.error(NOT_FOUND, "tenant", "show", "another", who=who)
        told = self.error(NOT_PERMITTED, "tenant", "list", who=who, words=["permission", who[0]])
        self.assertEqual((403, 20), (told["status"], told["errorCode"]))
        self.error(NOT_PERMITTED, "tenant", "create", unique(), who=who)
        self.error(USAGE, "tenant", "show", words=["name one"])

    def test_deleting_is_confirmed(self):
        title = unique("tenant")
        self.call("tenant", "create", title)
        self.error(USAGE, "tenant", "delete", title, words=["--yes"])
        self.json("tenant", "show", title)
        for answer, code in (("n", USAGE), ("", USAGE), ("y", 0)):
            terminal = Terminal("tenant", "delete", title, env=self.env())
            terminal.expect("Delete the tenant '" + title)
            terminal.expect("[y/N] ")
            terminal.type(answer)
            ended, output, _ = terminal.end()
            self.assertEqual(code, ended)
            self.assertEqual("" if code else "deleted", output[:7])
        self.error(NOT_FOUND, "tenant", "show", title)

    def test_what_the_server_refuses_is_said_in_its_words(self):
        told = self.error(REFUSED, "tenant", "create", unique(), "--email", "nonsense", words=["nonsense"])
        self.assertEqual((400, 31), (told["status"], told["errorCode"]))
        self.error(USAGE, "tenant", "update", "x", words=["--title"])

    def test_what_was_stored_does_not_steer_the_terminal(self):
        title = unique("tenant") + " \u009b31m"
        answer = self.admin.post("/api/tenant", {"title": title})
        if answer.status != 200:
            self.skipTest("the server refuses such titles itself")
        self.assertNotIn("\u009b", self.call("tenant", "list", "--search", title[:19]).stdout)


class Customers(AdminTest):
    def test_a_customer_is_made_shown_listed_changed_and_deleted(self):
        title = unique("customer")
        made = self.json("customer", "create", title, "--city", "Graz", who=TENANT)
        self.assertEqual("Graz", made["city"])
        self.assertEqual(made, self.json("customer", "show", title, who=TENANT))
        self.assertIn(made, self.json("customer", "list", who=TENANT))
        self.assertIn(title, self.call("customer", "list", "--search", title, who=TENANT).stdout)
        told = self.error(REFUSED, "customer", "create", title, who=TENANT)
        self.assertEqual(400, told["status"])
        changed = self.json("customer", "update", title, "--title", title + "2", who=TENANT)
        self.assertEqual((made["id"], "Graz"), (changed["id"], changed["city"]))
        self.call("customer", "delete", title + "2", "--yes", who=TENANT)
        self.error(NOT_FOUND, "customer", "show", title + "2", who=TENANT)
        self.error(NOT_PERMITTED, "customer", "list", words=[SYSADMIN[0]])


class Users(AdminTest):
    def test_a_user_with_a_password_can_log_in_at_once(self):
        tenant, user, who = self.make_tenant()
        self.assertEqual(("TENANT_ADMIN", tenant["id"]), (user["authority"], user["tenantId"]))
        self.assertTrue(user["additionalInfo"]["userActivated"])
        self.assertTrue(user["additionalInfo"]["userCredentialsEnabled"])
        self.assertEqual(user, self.json("whoami", who=who))
        self.assertEqual(user, Client(self.server, who).get("/api/auth/user").json())
        self.assertNotIn("secret-1", json.dumps(user))

    def test_a_user_without_one_gets_an_activation_link_that_works(self):
        email = unique() + "@example.test"
        customer = self.make_customer()
        made = self.json("user", "create", email, "--customer", customer["title"], "--first-name", "Ada",
                         "--last-name", "L", who=TENANT)
        self.assertEqual(("CUSTOMER_USER", customer["id"], "Ada", "L"),
                         tuple(made[k] for k in ("authority", "customerId", "firstName", "lastName")))
        link = self.call("user", "activation-link", email, who=TENANT).stdout.strip()
        self.assertEqual(made["activationLink"], link)
        self.assertEqual({"activationLink": link}, self.json("user", "activation-link", email, who=TENANT))
        self.assertTrue(link.startswith(self.url() + "/api/noauth/activate?activateToken="), link)
        self.assertIn("invited", self.call("user", "show", email, who=TENANT).stdout)
        self.error(REFUSED, "user", "enable", email, who=TENANT, words=["activation link"])
        token = link.split("activateToken=")[1]
        self.assertStatus(200, self.anonymous.post("/api/noauth/activate",
                                                   {"activateToken": token, "password": "secret-2"}))
        self.assertEqual(email, self.json("whoami", who=(email, "secret-2"))["email"])
        self.error(REFUSED, "user", "activation-link", email, who=TENANT, words=["already activated"])
        text = self.call("user", "create", unique() + "@example.test", "--customer", customer["id"]["id"], who=TENANT)
        self.assertRegex(text.stdout, r"(?m)^activation link: +http://\S+$")

    def test_a_generated_password_is_shown_once(self):
        email = unique() + "@example.test"
        made = self.json("user", "create", email, "--role", "tenant-admin", "--generate-password", who=TENANT)
        self.assertRegex(made["password"], r"^[0-9A-Za-z]{20}$")
        self.json("whoami", who=(email, made["password"]))
        self.assertNotIn(made["password"], self.call("user", "show", email, "--json", who=TENANT).stdout)
        text = self.call("user", "set-password", email, "--generate-password", who=TENANT).stdout
        renewed = re.search(r"(?m)^password: +(\S+)$", text)[1]
        self.json("whoami", who=(email, renewed))
        self.login_fails((email, made["password"]))

    def test_system_administrators_make_each_other(self):
        email = unique() + "@example.test"
        made = self.json("user", "create", email, "--role", "SYS_ADMIN", "--password-stdin", stdin="secret-1")
        self.assertEqual("SYS_ADMIN", made["authority"])
        self.assertIn(email, self.call("user", "list", who=(email, "secret-1")).stdout)
        self.call("user", "delete", email, "--yes")

    def test_the_role_is_said_or_follows_and_is_never_guessed(self):
        self.error(USAGE, "user", "create", unique() + "@example.test", words=["--role"])
        self.error(USAGE, "user", "create", "a@b.example", "--role", "king", words=["SYS_ADMIN"])
        self.error(REFUSED, "user", "create", "a@b.example", "--role", "TENANT_ADMIN")
        self.error(NOT_PERMITTED, "user", "create", "a@b.example", "--role", "SYS_ADMIN", who=TENANT)
        self.error(NOT_FOUND, "user", "create", "a@b.example", "--tenant", unique(), words=["no tenant"])
        self.error(NOT_FOUND, "user", "create", "a@b.example", "--customer", unique(), who=TENANT)

    def test_a_password_that_is_not_accepted_makes_no_user(self):
        email = unique() + "@example.test"
        for stdin in ("short\n", "x" * 73 + "\n"):
            self.error(REFUSED, "user", "create", email, "--role", "TENANT_ADMIN", "--password-stdin", who=TENANT,
                       stdin=stdin, words=["password"])
        for stdin in ("", "\n", "\nsecret-1\n"):
            self.error(USAGE, "user", "create", email, "--role", "TENANT_ADMIN", "--password-stdin", who=TENANT,
                       stdin=stdin, words=["standard input"])
        self.error(USAGE, "user", "create", email, "--role", "TENANT_ADMIN", "--password-stdin",
                   "--generate-password", who=TENANT)
        self.error(NOT_FOUND, "user", "show", email, who=TENANT)

    def test_passwords_may_have_spaces_and_any_letters(self):
        email, password = unique() + "@example.test", " pass wörd\t- 'x' \"y\" \\ "
        done = self.call("user", "create", email, "--role", "TENANT_ADMIN", "--password-stdin", who=TENANT,
                         stdin=password.replace("\t", "") + "\r\n")
        self.assertIn(email, done.stdout)
        Client(self.server, (email, password.replace("\t", "")))

    def test_a_taken_address_is_refused(self):
        _, user, who = self.make_tenant()
        told = self.error(REFUSED, "user", "create", user["email"].upper(), "--role", "TENANT_ADMIN", who=TENANT,
                          words=[user["email"]])
        self.assertEqual(400, told["status"])

    def test_a_disabled_user_is_out_and_an_enabled_one_in_again(self):
        _, user, who = self.make_tenant()
        client = Client(self.server, who, keep=True)
        off = self.json("user", "disable", who[0].upper())
        self.assertFalse(off["additionalInfo"]["userCredentialsEnabled"])
        self.assertEqual(off, self.json("user", "show", user["id"]["id"]))
        self.assertStatus(401, client.get("/api/auth/user"))
        self.assertIn("disabled", self.call("user", "show", who[0]).stdout)
        self.error(NOT_PERMITTED, "whoami", who=who, words=["not active", who[0]])
        self.assertIn("enabled", self.call("user", "enable", who[0]).stdout)
        self.json("whoami", who=who)

    def test_a_set_password_ends_sessions_and_is_the_only_one(self):
        _, _, who = self.make_tenant()
        client = Client(self.server, who)
        self.call("user", "set-password", who[0], "--password-stdin", stdin="secret-2\n")
        self.assertStatus(401, client.get("/api/auth/user"))
        self.login_fails(who)
        self.json("whoami", who=(who[0], "secret-2"))
        self.error(USAGE, "user", "set-password", who[0], words=["--password-stdin"])
        self.error(REFUSED, "user", "set-password", who[0], "--password-stdin", stdin="x\n")

    def test_roles_customers_and_names_are_changed(self):
        customer = self.make_customer()
        email = unique() + "@example.test"
        made = self.json("user", "create", email, "--customer", customer["title"], "--password-stdin", who=TENANT,
                         stdin="secret-1")
        raised = self.json("user", "update", email, "--role", "tenant-admin", "--last-name", "Ö", who=TENANT)
        self.assertEqual(("TENANT_ADMIN", "Ö"), (raised["authority"], raised["lastName"]))
        self.assertEqual(made["tenantId"], raised["tenantId"])
        self.assertNotEqual(customer["id"], raised["customerId"])
        self.assertEqual(raised["additionalInfo"], made["additionalInfo"])
        lowered = self.json("user", "update", email, "--role", "customer-user", "--customer", customer["title"],
                            who=TENANT)
        self.assertEqual(("CUSTOMER_USER", customer["id"]), (lowered["authority"], lowered["customerId"]))
        renamed = self.json("user", "update", email, "--email", "x" + email, who=TENANT)
        self.assertEqual("x" + email, renamed["email"])
        self.json("whoami", who=("x" + email, "secret-1"))
        self.error(USAGE, "user", "update", email, who=TENANT)
        # Nobody raises himself.
        self.error(NOT_PERMITTED, "user", "update", "x" + email, "--role", "TENANT_ADMIN", who=("x" + email, "secret-1"))

    def test_lists_have_whom_one_keeps(self):
        tenant, user, who = self.make_tenant()
        self.assertEqual([user], self.json("user", "list", "--tenant", tenant["title"]))
        self.assertEqual([user], self.json("user", "list", who=who))
        self.assertEqual([user], self.json("user", "list", "--search", user["email"]))
        customer = self.make_customer(who)
        mate = self.json("user", "create", unique() + "@example.test", "--customer", customer["title"],
                         "--generate-password", who=who)
        self.assertEqual([mate["id"]], [u["id"] for u in self.json("user", "list", "--customer", customer["title"],
                                                                   who=who)])
        self.assertEqual(2, len(self.json("user", "list", who=who)))
        heading, row = self.call("user", "list", "--tenant", tenant["title"]).stdout.splitlines()
        self.assertEqual(["ID", "EMAIL", "ROLE", "STATE", "NAME", "CREATED"], heading.split())
        self.assertEqual([user["id"]["id"], user["email"], "TENANT_ADMIN", "enabled"], row.split()[:4])
        self.error(NOT_FOUND, "user", "show", mate["email"], words=["among those that", SYSADMIN[0]])
        self.error(USAGE, "user", "list", "--tenant", "a", "--customer", "b")

    def test_a_deleted_user_is_gone(self):
        _, user, who = self.make_tenant()
        self.error(USAGE, "user", "delete", who[0], words=["--yes"])
        self.assertEqual(f"deleted user '{who[0]}' ({user['id']['id']})\n",
                         self.call("user", "delete", who[0], "--yes").stdout)
        self.login_fails(who)
        self.error(NOT_PERMITTED, "user", "delete", SYSADMIN[0], "--yes", words=["himself"])


class ApiKeys(AdminTest):
    def test_a_key_is_shown_once_works_and_is_listed_without_itself(self):
        name = unique("key")
        made = self.json("apikey", "create", name, who=TENANT)
        self.assertRegex(made["value"], r"^tb_\w{43,}$")
        with_key = environment(GALLERY_URL=self.url(), GALLERY_API_KEY=made["value"])
        me = run("whoami", "--json", env=with_key)
        self.assertEqual((0, TENANT[0]), (me.returncode, json.loads(me.stdout)["email"]))
        listed = self.json("apikey", "list", who=TENANT)
        found = [k for k in listed if k["id"] == made["id"]][0]
        self.assertNotIn("value", found)
        self.assertGreater(found["lastUsedTime"], 0)
        self.assertNotIn(made["value"], self.call("apikey", "list", who=TENANT).stdout)
        done = self.call("apikey", "create", name + " text", who=TENANT)
        self.assertRegex(done.stdout, r"(?m)^key: +tb_\w{43,}$")
        self.assertNotIn("tb_", done.stderr)
        self.assertIn("shown this once", done.stderr)
        self.assertRegex(self.call("apikey", "list", "--search", name, who=TENANT).stdout.splitlines()[0],
                         r"^ID +DESCRIPTION +STATE +EXPIRES +LAST USED$")

    def test_a_disabled_or_deleted_key_is_refused_with_the_next_request(self):
        name = unique("key")
        made = self.json("apikey", "create", name, who=TENANT)
        device = Client(self.server, keep=True)
        device.token, device.scheme = made["value"], "ApiKey"
        self.assertStatus(200, device.get("/api/auth/user"))
        self.assertFalse(self.json("apikey", "disable", name, who=TENANT)["enabled"])
        self.assertStatus(401, device.get("/api/auth/user"))
        self.assertIn("disabled", self.call("apikey", "list", "--search", name, who=TENANT).stdout)
        self.assertTrue(self.json("apikey", "enable", made["id"]["id"], who=TENANT)["enabled"])
        self.assertStatus(200, device.get("/api/auth/user"))
        self.error(USAGE, "apikey", "delete", name, who=TENANT)
        self.assertIn("deleted", self.call("apikey", "delete", name, "--yes", who=TENANT).stdout)
        self.assertStatus(401, device.get("/api/auth/user"))
        self.error(NOT_FOUND, "apikey", "enable", name, who=TENANT, words=[name])
        refused = run("whoami", env=environment(GALLERY_URL=self.url(), GALLERY_API_KEY=made["value"]))
        self.assertEqual(NOT_PERMITTED, refused.returncode)
        self.assertIn("GALLERY_API_KEY", refused.stderr)
        self.assertNotIn(made["value"], refused.stderr)

    def test_keys_of_others_expiry_and_description(self):
        _, user, who = self.make_tenant()
        name = unique("key")
        before = time.time() * 1000
        made = self.json("apikey", "create", name, "--user", who[0], "--expires", "90d")
        self.assertEqual(user["id"], made["userId"])
        self.assertAlmostEqual(before + 90 * 86400_000, made["expirationTime"], delta=600_000)
        self.assertEqual([made["id"]], [k["id"] for k in self.json("apikey", "list", "--user", who[0])])
        changed = self.json("apikey", "update", name, "--user", who[0], "--expires", "2999-01-31", "--description", "n")
        self.assertEqual(("n", 32474736000000), (changed["description"], changed["expirationTime"]))
        self.assertIn("2999-01-31 00:00:00Z", self.call("apikey", "list", "--user", who[0]).stdout)
        self.assertEqual(0, self.json("apikey", "update", "n", "--expires", "never", who=who)["expirationTime"])
        self.error(USAGE, "apikey", "create", name, "--expires", "soon", words=["--expires", "90d"])
        self.error(USAGE, "apikey", "create", name, "--expires", "2020-01-01", words=["over"])
        self.error(USAGE, "apikey", "update", "n", who=who)
        self.error(NOT_FOUND, "apikey", "list", "--user", CUSTOMER[0], words=[CUSTOMER[0]])


class OwnAccount(AdminTest):
    def test_whoami_says_who(self):
        text = self.call("whoami", who=CUSTOMER).stdout
        self.assertIn(CUSTOMER[0], text)
        self.assertIn("CUSTOMER_USER", text)

    def test_the_own_password_is_changed(self):
        _, _, who = self.make_tenant()
        client = Client(self.server, who)
        self.call("password", "--login-password-stdin", "--password-stdin", who=(who[0], None),
                  stdin="secret-1\nsecret-2\n")
        self.assertStatus(401, client.get("/api/auth/user"))
        self.login_fails(who)
        who = (who[0], "secret-2")
        made = self.json("password", "--generate-password", who=who)
        self.assertEqual({"password"}, set(made))
        who = (who[0], made["password"])
        self.assertEqual({}, self.json("password", "--password-stdin", who=who, stdin="secret-3"))
        who = (who[0], "secret-3")
        self.error(REFUSED, "password", "--password-stdin", who=who, stdin="secret-3", words=["different"])
        self.error(USAGE, "password", who=who)
        key = self.json("apikey", "create", "k", who=who)["value"]
        refused = run("password", "--generate-password", env=environment(GALLERY_URL=self.url(), GALLERY_API_KEY=key))
        self.assertEqual(NOT_PERMITTED, refused.returncode)
        self.assertIn("--login", refused.stderr)

    def test_logout_everywhere_ends_all_sessions(self):
        _, _, who = self.make_tenant()
        clients = [Client(self.server, who, keep=True) for _ in range(3)]
        self.error(USAGE, "logout", who=who, words=["--everywhere"])
        self.assertStatus(200, clients[0].get("/api/auth/user"))
        self.assertIn("ended", self.call("logout", "--everywhere", who=who).stdout)
        for client in clients:
            self.assertStatus(401, client.get("/api/auth/user"))
        self.json("whoami", who=who)


class Credentials(AdminTest):
    def test_a_wrong_password_is_said_and_not_repeated(self):
        told = self.error(NOT_PERMITTED, "whoami", who=("nobody@example.test", "wrong-secret"),
                          words=["Invalid username or password", "nobody@example.test"])
        self.assertEqual((401, 10), (told["status"], told["errorCode"]))
        self.assertNotIn("wrong-secret", json.dumps(told))

    def test_too_many_tries_are_to_be_repeated_later(self):
        _, _, who = self.make_tenant()
        for _ in range(100):
            done = run("whoami", "--json", env=self.env((who[0], "wrong-secret")))
            if done.returncode != NOT_PERMITTED:
                break
        self.assertEqual(LATER, done.returncode, done.stderr)
        self.assertEqual(429, json.loads(done.stderr)["status"])

    def test_where_nobody_is_named_it_says_how(self):
        done = run("whoami", env=environment(GALLERY_URL=self.url()))
        self.assertEqual(CONFIGURATION, done.returncode)
        for name in ("GALLERY_API_KEY", "GALLERY_USER", "--login"):
            self.assertIn(name, done.stderr)
        done = run("whoami", "--login", TENANT[0], env=environment(GALLERY_URL=self.url()))
        self.assertEqual(CONFIGURATION, done.returncode)
        self.assertIn("GALLERY_PASSWORD", done.stderr)

    def test_the_command_line_counts_before_the_environment(self):
        done = run("--url", self.url(), "whoami", "--json", "--login", CUSTOMER[0], "--login-password-stdin",
                   env=environment(GALLERY_URL="http://127.0.0.1:1", GALLERY_API_KEY="tb_nonsense",
                                   GALLERY_USER="x", GALLERY_PASSWORD="y"), stdin=CUSTOMER[1] + "\n")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(CUSTOMER[0], json.loads(done.stdout)["email"])

    def test_both_passwords_come_from_standard_input_the_logins_first(self):
        email = unique() + "@example.test"
        self.call("user", "create", email, "--role", "TENANT_ADMIN", "--login-password-stdin", "--password-stdin",
                  who=(TENANT[0], None), stdin=f"{TENANT[1]}\nsecret-1\nignored\n")
        Client(self.server, (email, "secret-1"))

    def test_at_a_terminal_passwords_are_asked_for_and_not_shown(self):
        email = unique() + "@example.test"
        self.call("user", "create", email, "--role", "TENANT_ADMIN", who=TENANT)
        terminal = Terminal("user", "set-password", email, "--login", TENANT[0],
                            env=environment(GALLERY_URL=self.url()))
        terminal.expect(f"Password of {TENANT[0]}: ")
        terminal.type(TENANT[1])
        terminal.expect("The new password: ")
        terminal.type("secret-1")
        terminal.expect("The same again: ")
        terminal.type("secret-1")
        code, output, shown = terminal.end()
        self.assertEqual(0, code, shown)
        self.assertIn(email, output)
        self.assertNotIn("secret-1", output + shown)
        self.assertNotIn(TENANT[1], output + shown)
        Client(self.server, (email, "secret-1"))

    def test_two_passwords_that_differ_change_nothing(self):
        _, _, who = self.make_tenant()
        terminal = Terminal("password", env=self.env(who))
        terminal.expect("The new password: ")
        terminal.type("secret-2")
        terminal.expect("The same again: ")
        terminal.type("secret-3")
        code, output, shown = terminal.end()
        self.assertEqual((USAGE, ""), (code, output))
        self.assertIn("differ", shown)
        Client(self.server, who)

    def test_an_interrupt_at_a_prompt_ends_it_and_the_terminal_shows_again(self):
        terminal = Terminal("whoami", "--login", "a@b.example", env=environment(GALLERY_URL=self.url()))
        keep = os.dup(terminal.master)
        terminal.expect("Password of a@b.example: ")
        terminal.process.send_signal(2)
        code, _, _ = terminal.end()
        self.assertEqual(-2, code)
        self.assertTrue(termios.tcgetattr(keep)[3] & termios.ECHO)
        os.close(keep)

    def test_no_secret_is_an_argument_or_an_output(self):
        """A stopped server holds the command while its arguments are looked at."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            process = subprocess.Popen([str(BINARY), "whoami", "--login-password-stdin", "--login", "a@b.example"],
                                       env=environment(GALLERY_URL=url), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(b"sesame-sesame\n")
            process.stdin.flush()
            connection, _ = silent.accept()
            sent = b""
            while b"sesame-sesame" not in sent:
                sent += connection.recv(4096)
            with open(f"/proc/{process.pid}/cmdline", "rb") as arguments:
                self.assertNotIn(b"sesame", arguments.read())
            connection.close()
            out, err = process.communicate(timeout=60)
        self.assertEqual(UNREACHABLE, process.returncode)
        self.assertNotIn(b"sesame", out + err)
        for command in (("user", "create", "a@b.example", "--password", "sesame"), ("whoami", "--password=sesame"),
                        ("user", "create", "a@b.example", "sesame"), ("whoami", "--api-key=sesame"),
                        ("whoami", "--url", "http://me:sesame@127.0.0.1")):
            done = self.call(*command, code=USAGE)
            self.assertNotIn("sesame", done.stdout + done.stderr)


class Connections(AdminTest):
    def test_a_server_that_is_not_there_is_said_with_its_address(self):
        url = f"http://127.0.0.1:{free_port()}"
        self.error(UNREACHABLE, "whoami", "--url", url, words=[url, "--url"])
        self.error(UNREACHABLE, "whoami", "--url", "https://nowhere.invalid", words=["nowhere.invalid"])
        # Without TLS whoever is on the way can read along, which is said before anything is sent.
        done = self.call("whoami", "--url", "http://nowhere.invalid", code=UNREACHABLE)
        self.assertIn("not encrypted", done.stderr.splitlines()[0])

    def test_a_malformed_address_is_usage_or_configuration(self):
        self.error(USAGE, "whoami", "--url", "ftp://x", words=["--url", "http://"])
        done = run("whoami", env=environment(GALLERY_URL="x", GALLERY_USER="a", GALLERY_PASSWORD="b"))
        self.assertEqual(CONFIGURATION, done.returncode)
        self.assertIn("GALLERY_URL", done.stderr)
        self.error(USAGE, "whoami", "--timeout", "soon", words=["--timeout"])

    def test_a_server_that_says_nothing_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            self.error(UNREACHABLE, "whoami", "--url", url, "--timeout", "1", words=["within 1 s"])

    def test_something_else_than_a_gallery_is_recognised(self):
        for reply in (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
                      b"HTTP/1.1 301 M\r\nLocation: https://there.example/\r\nContent-Length: 0\r\n\r\n",
                      b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"SSH-2.0-x\r\n", b""):
            with socket.create_server(("127.0.0.1", 0)) as other:
                def answer(listener=other, reply=reply):
                    for _ in range(2):
                        connection, _ = listener.accept()
                        connection.recv(65536)
                        connection.sendall(reply)
                        connection.close()
                thread = threading.Thread(target=answer, daemon=True)
                thread.start()
                told = self.error(UNREACHABLE, "whoami", "--url", f"http://127.0.0.1:{other.getsockname()[1]}")
                thread.join(60)
                if b"there.example" in reply:
                    self.assertIn("there.example", told["message"])

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(BINARY), "apikey", "create", "lost"], env=self.env(TENANT), stdout=full,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
        self.assertEqual(OUTPUT, done.returncode)
        self.assertIn("could not be written", done.stderr)


class Tls(unittest.TestCase):
    """A server with a certificate from an authority of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="gallery-tls-")
        for name in ("ca", "other"):
            cls.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN=gallery test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        cls.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-keyout", "server.key", "-out", "server.csr")
        with open(cls.path("names"), "w") as names:
            names.write("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
        cls.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-extfile", "names", "-out", "server.pem")
        cls.server = Server(environment={"SSL_ENABLED": "true", "SSL_PEM_CERT": cls.path("server.pem"),
                                         "SSL_PEM_KEY": cls.path("server.key"), "HTTP_BIND_ADDRESS": "::"})
        try:
            cls.server.start(wait=False)
            cls.wait_ready()
        except BaseException:
            cls.server.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def openssl(cls, *arguments):
        subprocess.run(["openssl", *arguments], cwd=cls.folder.name, check=True, capture_output=True, timeout=60)

    @classmethod
    def wait_ready(cls):
        trust = ssl.create_default_context(cafile=cls.path("ca.pem"))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if cls.server.process.poll() is not None:
                raise AssertionError(cls.server.log())
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPSConnection("127.0.0.1", cls.server.port, timeout=5, context=trust)
                with contextlib.closing(connection):
                    connection.request("GET", "/health/ready")
                    if connection.getresponse().status == 200:
                        return
            time.sleep(0.02)
        raise AssertionError(cls.server.log())

    def whoami(self, host, scheme="https", **values):
        return run("whoami", "--json", env=environment(
            GALLERY_URL=f"{scheme}://{host}:{self.server.port}", GALLERY_USER=TENANT[0], GALLERY_PASSWORD=TENANT[1],
            **values))

    def test_a_server_with_a_trusted_certificate_is_used_by_name_and_address(self):
        for host in ("localhost", "127.0.0.1", "[::1]"):
            done = self.whoami(host, GALLERY_CA=self.path("ca.pem"))
            self.assertEqual(0, done.returncode, f"{host}: {done.stderr}")
            self.assertEqual(TENANT[0], json.loads(done.stdout)["email"])
        url = f"https://localhost:{self.server.port}"
        done = run("--ca", self.path("ca.pem"), "user", "create", unique() + "@example.test", "--role", "TENANT_ADMIN",
                   env=environment(GALLERY_URL=url, GALLERY_USER=TENANT[0], GALLERY_PASSWORD=TENANT[1]))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f" {url}/api/noauth/activate?activateToken=", done.stdout)

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        for ca in (None, self.path("other.pem")):
            done = self.whoami("localhost", GALLERY_CA=ca)
            self.assertEqual(UNREACHABLE, done.returncode)
            self.assertIn("not trusted", done.stderr)
            self.assertIn("--ca", done.stderr)

    def test_another_hosts_certificate_is_refused(self):
        done = self.whoami("127.0.0.2", GALLERY_CA=self.path("ca.pem"))
        self.assertEqual(UNREACHABLE, done.returncode)
        self.assertIn("mismatch", done.stderr)

    def test_an_authority_that_cannot_be_read_is_configuration(self):
        done = self.whoami("localhost", GALLERY_CA=self.path("missing.pem"))
        self.assertEqual(CONFIGURATION, done.returncode)
        self.assertIn("missing.pem", done.stderr)

    def test_http_where_https_is_spoken_is_recognised(self):
        done = self.whoami("localhost", scheme="http")
        self.assertEqual(UNREACHABLE, done.returncode)
        self.assertIn("https://", done.stderr)


class Help(unittest.TestCase):
    def commands(self):
        text = run("--help").stdout
        return [line.split("  ")[1].split() for line in text.split("commands:\n")[1].split("\n\n")[0].splitlines()]

    def words(self, command):
        return [word for word in command if word.islower()]

    def test_help_is_complete_for_every_command(self):
        commands = self.commands()
        self.assertGreater(len(commands), 25)
        for command in commands:
            words = self.words(command)
            for form in ([*words, "--help"], ["help", *words], [*words, "nonsense", "-h"]):
                if words == ["verify"] and form[0] != "verify":
                    continue
                done = run(*form)
                if words == ["verify"] and "nonsense" in form:
                    continue
                self.assertEqual((0, ""), (done.returncode, done.stderr), form)
                self.assertIn("usage: gallery-admin " + " ".join(words), done.stdout)
                self.assertIn("exit codes:", done.stdout)
                if words != ["verify"]:
                    self.assertIn("example:\n  ", done.stdout)
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)

    def test_groups_have_help_of_their_own(self):
        for group in ("tenant", "user", "customer", "apikey"):
            for form in ([group, "--help"], ["help", group]):
                done = run(*form)
                self.assertEqual(0, done.returncode, form)
                self.assertIn(f"{group} create", done.stdout)
                self.assertIn("example:\n", done.stdout)
            done = run(group)
            self.assertEqual((USAGE, ""), (done.returncode, done.stdout))
            self.assertIn(f"{group} create", done.stderr)
        done = run()
        self.assertEqual((USAGE, ""), (done.returncode, done.stdout))
        self.assertEqual(0, run("help").returncode)
        self.assertRegex(run("--version").stdout, r"^gallery-admin \d+\.\d+\.\d+\n$")

    def test_a_slip_gets_a_suggestion(self):
        for typed, meant in ((("tenat", "list"), "tenant"), (("tenant", "craete", "x"), "create"),
                             (("user", "rm", "x"), "delete"), (("tenant", "rename", "x"), "update"),
                             (("tenant", "create", "x", "--contry", "y"), "--country"), (("verfy",), "verify")):
            done = run(*typed)
            self.assertEqual((USAGE, ""), (done.returncode, done.stdout))
            self.assertIn(f"did you mean {meant}?", done.stderr)
        self.assertNotIn("did you mean", run("frobnicate").stderr)
        self.assertEqual(USAGE, json.loads(run("tenat", "--json").stderr)["exitCode"])

    def test_verify_works_as_before(self):
        self.assertEqual(USAGE, run("verify", "--nonsense").returncode)
        self.assertEqual(CONFIGURATION, run("verify", "--config", "/nonexistent.yml").returncode)
        with Server() as server:
            server.client().upload(unique() + ".png", png())
            held = subprocess.run([str(BINARY), "verify"], env=server.environment(), capture_output=True, text=True,
                                  cwd=server.data, timeout=120)
            self.assertEqual(UNREACHABLE, held.returncode, held.stderr)
            server.terminate()
            done = subprocess.run([str(BINARY), "verify", "--json"], env=server.environment(), capture_output=True,
                                  text=True, cwd=server.data, timeout=120)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertTrue(json.loads(done.stdout)["sound"])


if __name__ == "__main__":
    unittest.main()
