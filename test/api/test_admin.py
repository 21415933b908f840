# SPDX-License-Identifier: Apache-2.0
"""gallery-admin against a running server: what each command does."""
import base64
import http.server
import json
import re
import threading
import time
import unittest
import uuid

from admin_tool import (LATER, NOT_FOUND, NOT_PERMITTED, REFUSED, UNREACHABLE, USAGE, AdminTest, Terminal, environment, run,
                        unique)
from harness import CUSTOMER, SYSADMIN, TENANT, Client, free_port


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
        self.error(NOT_FOUND, "tenant", "delete", title, "--yes", words=["there are 2", *ids])
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


class Profiles(AdminTest):
    def limits(self, profile):
        configuration = profile["profileData"]["configuration"]
        return tuple(configuration.get(name) for name in ("maxResourceSize", "maxResourcesInBytes",
                                                          "tenantServerRestLimitsConfiguration",
                                                          "customerServerRestLimitsConfiguration"))

    def test_a_profile_is_made_changed_shown_and_listed(self):
        name = unique("Small Ä")
        made = self.json("profile", "set", name, "--image-size", "5MB", "--tenant-requests=100:1", "--description", "d")
        self.assertEqual(made, self.admin.get(f"/api/tenantProfile/{made['id']['id']}").json())
        self.assertEqual((name, "d", (5_000_000, None, "100:1", None)), (made["name"], made["description"], self.limits(made)))
        for called in (name, made["id"]["id"]):
            self.assertEqual(made, self.json("profile", "show", called))
        self.assertEqual([made], self.json("profile", "list", "--search", name.upper()))
        shown = self.call("profile", "show", name).stdout
        for line in ("name: +" + name, "default: +no", "image size: +5000000", "total size: +no limit", "tenant requests: +100:1",
                     "customer requests: +no limit", "description: +d"):
            self.assertRegex(shown, rf"(?m)^{line}$")
        self.assertNotIn("not applied", shown)
        self.assertRegex(self.call("profile", "list").stdout.splitlines()[0],
                         r"^ID +NAME +DEFAULT +IMAGE SIZE +TOTAL SIZE +TENANT REQUESTS +CUSTOMER REQUESTS$")
        # What is not given, and what the server does not interpret, stays.
        made["profileData"]["configuration"]["maxDevices"] = 7
        self.admin.post("/api/tenantProfile", made)
        changed = self.json("profile", "set", name, "--name", name + "2", "--total-size", "9", "--tenant-requests", "",
                            "--customer-requests", "5:1,9:60")
        self.assertEqual((made["id"], name + "2", "d", (5_000_000, 9, "", "5:1,9:60"), 7),
                         (changed["id"], changed["name"], changed["description"], self.limits(changed),
                          changed["profileData"]["configuration"]["maxDevices"]))
        self.assertEqual(0, self.limits(self.json("profile", "set", made["id"]["id"], "--image-size", "0"))[0])

    def test_what_cannot_be_set_changes_nothing(self):
        name = unique("refused")
        self.error(USAGE, "profile", "set", name, words=["nothing to set"])
        self.error(USAGE, "profile", "set", name, "--image-size", "5 apples", words=["--image-size", "5 apples", "5MB"])
        told = self.error(REFUSED, "profile", "set", name, "--tenant-requests", "5", words=["requests:seconds"])
        self.assertEqual(400, told["status"])
        self.assertEqual([], self.json("profile", "list", "--search", name))
        self.error(NOT_FOUND, "profile", "set", str(uuid.uuid4()), "--image-size", "5")
        for command in ("show", "default"):
            self.error(NOT_FOUND, "profile", command, name, words=["no tenant profile", name])
        self.error(NOT_PERMITTED, "profile", "list", who=TENANT)

    def test_tenants_get_the_default_profile_or_the_one_that_is_named(self):
        first = next(one for one in self.json("profile", "list") if one["default"])
        made = self.json("profile", "set", unique("usual"), "--image-size", "100")
        self.assertTrue(self.json("profile", "default", made["name"])["default"])
        try:
            tenant = self.json("tenant", "create", unique("tenant"))
            self.assertEqual(made["id"], tenant["tenantProfileId"])
        finally:
            self.assertEqual(first, self.json("profile", "default", first["id"]["id"]))
        self.assertEqual(made["id"], self.json("tenant", "show", tenant["title"])["tenantProfileId"])
        self.assertIn(made["id"]["id"], self.call("tenant", "show", tenant["title"]).stdout)
        changed = self.json("tenant", "update", tenant["title"], "--profile", first["name"])
        self.assertEqual((first["id"], tenant["title"]), (changed["tenantProfileId"], changed["title"]))
        named = self.json("tenant", "create", unique("tenant"), "--profile", made["name"], "--city", "Linz")
        self.assertEqual((made["id"], "Linz"), (named["tenantProfileId"], named["city"]))
        self.error(NOT_FOUND, "tenant", "create", unique(), "--profile", unique("none"), words=["no tenant profile"])
        for one in (tenant, named):
            self.call("tenant", "delete", one["id"]["id"], "--yes")


class AdoptedTenants(AdminTest):
    """With the signing key of a ThingsBoard server."""
    options = {"environment": {"JWT_TOKEN_SIGNING_KEY": base64.b64encode(bytes(range(64))).decode()}}

    def test_a_tenant_is_adopted_by_its_id(self):
        theirs, title = str(uuid.uuid4()), unique("adopted")
        made = self.json("tenant", "adopt", theirs, title, "--city", "Linz")
        self.assertEqual((theirs, title, "Linz"), (made["id"]["id"], made["title"], made["city"]))
        self.assertEqual(made, self.json("tenant", "show", title))
        user = self.json("user", "create", unique() + "@example.test", "--tenant", title, "--generate-password")
        self.assertTrue(user)
        self.error(USAGE, "tenant", "adopt", theirs, "again", words=["already", theirs])
        self.error(USAGE, "tenant", "adopt", "no-id", "x", words=["UUID"])
        self.assertEqual(title, self.json("tenant", "show", theirs)["title"])
        self.call("tenant", "delete", theirs, "--yes")
        self.error(NOT_FOUND, "tenant", "adopt", theirs, title, words=["deleted"])


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
        made = self.json("user", "create", email, "--customer", customer["title"], "--first-name", "First",
                         "--last-name", "L", who=TENANT)
        self.assertEqual(("CUSTOMER_USER", customer["id"], "First", "L"),
                         tuple(made[k] for k in ("authority", "customerId", "firstName", "lastName")))
        link = self.call("user", "activation-link", email, who=TENANT).stdout.strip()
        self.assertEqual(made["activationLink"], link)
        self.assertEqual({"activationLink": link}, self.json("user", "activation-link", email, who=TENANT))
        self.assertTrue(link.startswith(self.url() + "/api/noauth/activate?activateToken="), link)
        self.assertIn("invited", self.call("user", "show", email, who=TENANT).stdout)
        self.error(REFUSED, "user", "enable", email, who=TENANT, words=["activation link"])
        off = self.call("user", "disable", email, who=TENANT)
        self.assertIn("invited", off.stdout)
        self.assertIn("no longer valid", off.stderr)
        self.assertStatus(400, self.anonymous.post("/api/noauth/activate", {
            "activateToken": link.split("activateToken=")[1], "password": "secret-2"}))
        link = self.call("user", "activation-link", email, who=TENANT).stdout.strip()
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
        self.assertNotIn("link", self.call("user", "disable", who[0]).stderr)
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
        self.error(NOT_FOUND, "user", "show", mate["email"], words=["manages", SYSADMIN[0]])
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
        self.assertIn("printed only once", done.stderr)
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

    def test_a_script_with_a_key_keeps_customers_and_their_users_and_no_keys(self):
        _, _, who = self.make_tenant()
        key = self.json("apikey", "create", "script", who=who)["value"]
        env = environment(GALLERY_URL=self.url(), GALLERY_API_KEY=key)
        customer, emails = unique(), [unique() + "@example.test" for _ in range(2)]
        for arguments, stdin in [(("customer", "create", customer), ""),
                                 (("user", "create", emails[0], "--customer", customer), ""),
                                 (("user", "create", emails[1], "--customer", customer, "--password-stdin"), "secret-2"),
                                 (("user", "update", emails[1], "--first-name", "New"), ""),
                                 (("user", "disable", emails[0]), ""), (("user", "list"), "")]:
            done = run(*arguments, stdin=stdin, env=env)
            self.assertEqual(0, done.returncode, done.stderr)
        self.json("whoami", who=(emails[1], "secret-2"))
        for arguments in [("apikey", "create", "next"), ("apikey", "update", "script", "--expires", "never"),
                          ("user", "set-password", emails[1], "--generate-password"),
                          ("user", "activation-link", emails[0]),
                          ("user", "update", emails[1], "--email", unique() + "@example.test")]:
            refused = run(*arguments, env=env)
            self.assertEqual(NOT_PERMITTED, refused.returncode, refused.stderr)
            self.assertIn("Sign in", refused.stderr)
        done = run("apikey", "delete", "script", "--yes", env=env)
        self.assertEqual(0, done.returncode, done.stderr)

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
        self.error(USAGE, "apikey", "create", name, "--expires", "2020-01-01", words=["in the past"])
        self.error(USAGE, "apikey", "update", "n", who=who)
        self.error(NOT_FOUND, "apikey", "list", "--user", CUSTOMER[0], words=[CUSTOMER[0]])


class Nodes(AdminTest):
    """The servers on the store: here the one that owns it."""
    def test_a_server_that_owns_its_store_is_listed(self):
        before = int(time.time() * 1000)
        nodes = self.json("nodes")
        self.assertEqual(nodes, [nodes[0]])
        node = nodes[0]
        uuid.UUID(node["id"])
        self.assertRegex(node["address"], r"^.+:\d+$")
        self.assertIs(True, node["up"])
        self.assertIs(True, node["self"])
        self.assertLessEqual(node["startedTime"], before)
        self.assertLessEqual(before, node["lastSeenTime"])
        self.assertEqual(node["id"], self.json("nodes")[0]["id"])
        lines = self.call("nodes").stdout.splitlines()
        self.assertRegex(lines[0], r"^ID +ADDRESS +VERSION +STATE +STARTED +LAST-SEEN$")
        self.assertRegex(lines[1], rf"^{node['id']} +{re.escape(node['address'])} +{re.escape(node['version'])} +up, answers +")
        self.assertEqual(2, len(lines))

    def test_only_system_administrators_see_them(self):
        _, _, who = self.make_tenant()
        told = self.error(NOT_PERMITTED, "nodes", who=who)
        self.assertEqual((403, 20), (told["status"], told["errorCode"]))
        self.assertEqual(401, self.anonymous.get("/api/system/nodes").status)


class Health(AdminTest):
    """Asked without credentials, as health checks of containers do."""

    def check(self, *arguments, url=None):
        return run("health", *arguments, env=environment(GALLERY_URL=url or self.url()))

    def test_a_server_that_answers_is_healthy(self):
        for arguments in ((), ("--for-write",)):
            done = self.check(*arguments)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("answers requests", done.stdout)
        self.assertEqual({"status": "UP"}, json.loads(self.check("--json").stdout))

    def test_a_server_that_is_not_ready_is_not(self):
        with Answering(503, b'{"status":"DOWN"}') as url:
            for arguments, path in (((), "/health/ready"), (("--for-write",), "/health/ready?for=write")):
                done = self.check(*arguments, url=url)
                self.assertEqual((LATER, ""), (done.returncode, done.stdout))
                self.assertIn("not ready", done.stderr)
                self.assertEqual(path, Answering.asked.pop())

    def test_another_program_on_the_port_is_not_a_healthy_server(self):
        with Answering(200, b"<html>It works!</html>") as url:
            done = self.check(url=url)
            self.assertEqual((UNREACHABLE, ""), (done.returncode, done.stdout))
            self.assertIn("is not a gallery server", done.stderr)

    def test_a_server_that_is_down_is_not(self):
        done = self.check(url=f"http://127.0.0.1:{free_port()}")
        self.assertEqual((UNREACHABLE, ""), (done.returncode, done.stdout))


class Answering:
    """A program that answers every request with the same."""
    asked = []

    def __init__(self, status, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                Answering.asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


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


if __name__ == "__main__":
    unittest.main()
