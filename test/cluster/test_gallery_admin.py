# SPDX-License-Identifier: Apache-2.0
"""gallery-admin beside running servers: the list of them, the check of the store, and a new password for the
administrator. Its servers use a schema of their own."""
import json
import threading
import unittest

from admin_tool import run
from harness import SYSADMIN, TENANT, Client, png
from support import ClusterTest, wait_for


class Admin(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = [cls.cluster.server("admin") for _ in range(2)]
        try:
            for server in cls.servers:
                server.start(wait=False)
            for server in cls.servers:
                server.wait_ready()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()

    def admin(self, *arguments, server=None, code=0):
        """Run on the machine of a server, with its environment."""
        one = server or self.servers[0]
        environment = {**one.environment(), "GALLERY_URL": f"http://127.0.0.1:{one.port}", "GALLERY_USER": SYSADMIN[0],
                       "GALLERY_PASSWORD": SYSADMIN[1]}
        done = run(*arguments, env=environment, cwd=one.data)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def listed(self, server=None):
        """address -> (whether it is up, whether it answers)"""
        lines = json.loads(self.admin("nodes", "--json", server=server))
        self.assertTrue(all(node["version"] for node in lines), lines)
        return {node["address"]: (node["up"], node["self"]) for node in lines}

    def test_servers_are_listed_until_they_stop(self):
        own = [f"127.0.0.1:{server.port}" for server in self.servers]
        for index, server in enumerate(self.servers):
            expected = {own[index]: (True, True), own[1 - index]: (True, False)}
            wait_for(lambda server=server, expected=expected: expected.items() <= self.listed(server).items(),
                     lambda server=server: self.listed(server))
        third = self.cluster.server("admin")
        try:
            third.start()
            address = f"127.0.0.1:{third.port}"
            wait_for(lambda: self.listed().get(address) == (True, False), "the third server is not listed")
            self.assertIn(address, self.admin("nodes"))
        finally:
            third.stop()
        wait_for(lambda: address not in self.listed(), "a server that was stopped is still listed")

    def test_a_killed_server_is_missing(self):
        third = self.cluster.server("admin")
        try:
            third.start()
            address = f"127.0.0.1:{third.port}"
            wait_for(lambda: self.listed().get(address) == (True, False), "the third server is not listed")
            third.kill()
            # Three announcements of ten seconds did not come.
            wait_for(lambda: self.listed().get(address) == (False, False), "a server that was killed is not missing")
            self.assertRegex(self.admin("nodes"), rf"{address}.* missing ")
        finally:
            third.stop()

    def test_the_store_is_verified_beside_writers(self):
        """Images that are written, replaced or deleted meanwhile are no problems."""
        stopping, problems, written = threading.Event(), [], []

        def write(server):
            client = server.client(TENANT, keep=True)
            number = 0
            while not stopping.is_set():
                number += 1
                key = f"v{server.port}-{number}.png"
                answers = [client.upload(key, png(text=key)), client.replace(key, "x.png", png(text=f"{key} again"))]
                if number % 2:
                    answers.append(client.delete(f"/api/images/tenant/{key}"))
                problems.extend(a for a in answers if a.status != 200)
                written.append(key)
        threads = [threading.Thread(target=write, args=(server,)) for server in self.servers]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                before = len(written)
                wait_for(lambda before=before: len(written) > before + 10, "nothing is written")
                found = self.admin("verify")
                self.assertIn("the store is sound", found)
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], problems)

    def test_the_administrators_password_is_reset_beside_servers(self):
        sessions = [server.client(SYSADMIN) for server in self.servers]
        try:
            shown = json.loads(self.admin("reset-sysadmin", "--json"))
            for server, session in zip(self.servers, sessions):
                wait_for(lambda session=session: session.get("/api/auth/user").status == 401,
                         "a session from before the reset is accepted")
                login = {"username": SYSADMIN[0], "password": SYSADMIN[1]}
                self.assertEqual(401, Client(server).post("/api/auth/login", login).status)
        finally:
            admin = self.servers[0].client((shown["email"], shown["password"]))
            self.assertStatus(200, admin.post("/api/auth/changePassword",
                                              {"currentPassword": shown["password"], "newPassword": SYSADMIN[1]}))
        for server in self.servers:
            wait_for(lambda server=server: Client(server).post("/api/auth/login", {
                "username": SYSADMIN[0], "password": SYSADMIN[1]}).status == 200, "the password is not accepted everywhere")


if __name__ == "__main__":
    unittest.main()
