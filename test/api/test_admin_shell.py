# SPDX-License-Identifier: Apache-2.0
"""gallery-admin as a program: credentials, terminals, connections, TLS, help, exit codes."""
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from admin_tool import (BINARY, CONFIGURATION, LATER, NOT_PERMITTED, OUTPUT, UNREACHABLE, USAGE, AdminTest, Terminal,
                        environment, run, unique)
from harness import CUSTOMER, TENANT, Client, Server, free_port, png

# Those that ask no server and take options of their own.
ALONE = (["verify"], ["copy"], ["restore"], ["reinstate"], ["rewrite-bodies"], ["reset-sysadmin"])


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
        """A silent server holds the command while its arguments are looked at."""
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
            forms = [[*words, "--help"]]
            if words not in ALONE:
                forms += [["help", *words], [*words, "nonsense", "-h"]]
            for form in forms:
                done = run(*form)
                self.assertEqual((0, ""), (done.returncode, done.stderr), form)
                self.assertIn("usage: gallery-admin " + " ".join(words), done.stdout)
                self.assertIn("exit codes:", done.stdout)
                self.assertTrue(words in ALONE or "example:\n  " in done.stdout)
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
                             (("tenant", "create", "x", "--contry", "y"), "--country"), (("verfy",), "verify"), (("reset-sysadmn",), "reset-sysadmin")):
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

    def test_verify_names_images_that_had_to_be_set_aside(self):
        with Server("filesystem") as server:
            name = unique() + ".png"
            server.client().upload(name, png())
            server.terminate()
            record, = (server.data / "data" / "storage").glob(f"*/{name}/record.json")
            record.write_text("{")
            for _ in range(2):  # the first run sets it aside, the second finds it there
                done = subprocess.run([str(BINARY), "verify", "--json"], env=server.environment(), capture_output=True,
                                      text=True, cwd=server.data, timeout=120)
                self.assertEqual(1, done.returncode, done.stderr)
                problem, = json.loads(done.stdout)["problems"]
                self.assertIn(name, problem)
                self.assertIn(".gallery/set-aside/", problem)


if __name__ == "__main__":
    unittest.main()
