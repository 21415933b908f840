# SPDX-License-Identifier: Apache-2.0
"""gallery-admin reset-sysadmin: the way back in for whoever lost the administrator's password."""
import json
import os
import subprocess
import unittest

from admin_tool import BINARY, NOT_FOUND, OUTPUT, UNREACHABLE, USAGE, run
from harness import SYSADMIN, Client, Server


class ResetSysadmin(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)
        self.server.start()

    def reset(self, *arguments, code=0, words=(), **options):
        done = run("reset-sysadmin", *arguments, env=self.server.environment(), cwd=self.server.data, **options)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stdout

    def login_fails(self, email, password):
        self.assertEqual(401, Client(self.server).post("/api/auth/login", {"username": email, "password": password}).status)

    def test_the_new_password_is_shown_and_the_only_one_that_is_valid(self):
        before = self.server.client(SYSADMIN)
        key = before.post("/api/apiKey", {"description": "kept", "userId": before.get("/api/auth/user").json()["id"]})
        self.assertEqual(200, key.status, key)
        self.server.terminate()
        shown = json.loads(self.reset("--json"))
        self.assertEqual(SYSADMIN[0], shown["email"])
        self.server.start()
        self.login_fails(*SYSADMIN)
        Client(self.server, (SYSADMIN[0], shown["password"]))
        self.assertEqual(401, before.get("/api/auth/user").status)
        self.assertEqual(200, before.get("/api/auth/user", headers={
            "X-Authorization": f"ApiKey {key.json()['value']}"}).status)
        self.assertEqual(401, before.post("/api/auth/token", {"refreshToken": before.refresh_token}).status)

    def test_people_get_a_sentence(self):
        self.server.terminate()
        self.assertRegex(self.reset(), rf"^{SYSADMIN[0]} has the password \w{{20}} now. It is printed only once")

    def test_a_running_server_keeps_it_out(self):
        self.reset(code=UNREACHABLE, words=["another process"])
        self.server.client(SYSADMIN)

    def test_one_of_several_is_named(self):
        admin = self.server.client(SYSADMIN)
        for email in ("second@example.test", "third@example.test"):
            self.assertEqual(200, admin.post("/api/user?sendActivationMail=false",
                                             {"email": email, "authority": "SYS_ADMIN"}).status)
        me = admin.get("/api/auth/user").json()
        self.server.terminate()
        # The one that the configuration names, unless another one is asked for.
        self.assertEqual(SYSADMIN[0], json.loads(self.reset("--json"))["email"])
        second = json.loads(self.reset("--json", "--user", "Second@Example.test"))
        self.server.extra = {"GALLERY_SYSADMIN_EMAIL": "nobody@example.test"}
        self.reset(code=NOT_FOUND, words=["--user", me["email"], "third@example.test"])
        self.reset("--user=tenant@gallery.local", code=NOT_FOUND, words=["tenant@gallery.local", me["email"]])
        self.server.start()
        # It had never been activated.
        Client(self.server, (second["email"], second["password"]))

    def test_a_password_that_cannot_be_printed_is_said(self):
        self.server.terminate()
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([str(BINARY), "reset-sysadmin"], env=self.server.environment(), stdout=full,
                                  cwd=self.server.data, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        self.assertEqual(OUTPUT, done.returncode)
        self.assertIn("Run it again", done.stderr)

    def test_nothing_is_made_where_there_is_no_store(self):
        self.server.terminate()
        self.server.extra = {"STORAGE_PATH": str(self.server.data / "nothing")}
        self.reset(code=78, words=["nothing"])
        self.assertFalse(os.path.exists(self.server.data / "nothing"))
        self.reset("--nonsense", code=USAGE, words=["--nonsense"])
        self.reset("--user", code=USAGE, words=["--user"])


if __name__ == "__main__":
    unittest.main()
