# SPDX-License-Identifier: Apache-2.0
"""The first start: no password that was made up is lost, whatever fails, and one that counts for nothing is said."""
import contextlib
import re
import socket
import subprocess
import unittest

from harness import BUILD, CUSTOMER, SYSADMIN, TENANT, Client, Server

GENERATED = {"GALLERY_SYSADMIN_PASSWORD": "", "GALLERY_DEMO_PASSWORD": ""}
UNAVAILABLE = 69


def shown_passwords(text):
    return dict(re.findall(r"sign in as +(\S+) \(\w+\) with the password (\w{20}) ", text))


class FirstStart(unittest.TestCase):
    def server(self, **environment):
        server = Server(environment={**GENERATED, **environment})
        self.addCleanup(server.stop)
        return server

    def start_fails(self, server, code, *words, stdout=subprocess.PIPE, **environment):
        done = subprocess.run([str(BUILD / "bin" / "gallery-server"), "--demo"], cwd=server.data, stdout=stdout,
                              env={**server.environment(), **environment}, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def test_passwords_are_shown_though_the_start_fails_later(self):
        """What is shown by a start that cannot listen is valid at the next one."""
        server = self.server()
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
            done = self.start_fails(server, UNAVAILABLE, "in use", HTTP_BIND_PORT=str(other.getsockname()[1]))
        shown = shown_passwords(done.stdout)
        self.assertEqual({SYSADMIN[0], TENANT[0], CUSTOMER[0]}, set(shown), done.stdout)
        server.start()
        for email, password in shown.items():
            Client(server, (email, password))
        self.assertEqual({}, shown_passwords(server.wait_for_report()))

    def test_the_last_block_of_a_start_has_the_logins(self):
        server = self.server()
        server.start()
        log = server.wait_for_report()
        block = log[log.rindex(" is ready\n"):]
        shown = shown_passwords(block)
        self.assertEqual({SYSADMIN[0], TENANT[0], CUSTOMER[0]}, set(shown), block)
        for email, password in shown.items():
            Client(server, (email, password))
        server.terminate()
        server.start()
        log = server.wait_for_report(2)
        block = log[log.rindex(" is ready\n"):]
        self.assertEqual({}, shown_passwords(block))
        for email in (TENANT[0], CUSTOMER[0]):
            self.assertRegex(block, rf"sign in as +{email} ")
        self.assertNotIn("Fontconfig", server.log())

    def test_passwords_are_shown_though_a_folder_is_wrong(self):
        for name in ("GALLERY_CONSOLE_DIR", "GALLERY_SYSTEM_IMAGES_DIR"):
            server = self.server()
            done = self.start_fails(server, 78, "/nonexistent", **{name: "/nonexistent"})
            server.start()
            Client(server, (SYSADMIN[0], shown_passwords(done.stdout)[SYSADMIN[0]]))

    def test_no_account_is_made_whose_password_cannot_be_shown(self):
        server = self.server()
        with open("/dev/full", "w", encoding="ascii") as full:
            self.start_fails(server, UNAVAILABLE, "cannot be printed", "No space left", stdout=full)
        closed = subprocess.run(["bash", "-c", f"exec '{BUILD}/bin/gallery-server' --demo >&-"], cwd=server.data,
                                env=server.environment(), stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        self.assertEqual(UNAVAILABLE, closed.returncode, closed.stderr)
        self.assertIn("cannot be printed", closed.stderr)
        server.start()
        shown = shown_passwords(server.wait_for_report())
        self.assertEqual({SYSADMIN[0], TENANT[0], CUSTOMER[0]}, set(shown))
        for email, password in shown.items():
            Client(server, (email, password))

    def test_a_password_that_is_not_used_is_said(self):
        server = self.server()
        server.start()
        server.wait_for_report()
        server.terminate()
        server.extra = {"GALLERY_SYSADMIN_PASSWORD": "another-one-1", "GALLERY_DEMO_PASSWORD": "another-one-2"}
        server.start()
        log = server.wait_for_report(2)
        for name, email in (("GALLERY_SYSADMIN_PASSWORD", SYSADMIN[0]), ("GALLERY_DEMO_PASSWORD", TENANT[0])):
            self.assertRegex(log, rf"warning.* \({name}\) is set but not used: {email} already exists")
        self.assertNotIn("another-one", log)

    def test_a_password_that_is_the_accounts_is_nothing_to_say(self):
        server = Server()
        self.addCleanup(server.stop)
        for starts in (1, 2):
            server.start()
            log = server.wait_for_report(starts)
            server.terminate()
        self.assertNotIn("not used", log)


if __name__ == "__main__":
    unittest.main()
