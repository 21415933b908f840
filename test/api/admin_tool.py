# SPDX-License-Identifier: Apache-2.0
"""Runs gallery-admin as whoever types it, or a script, does."""
import contextlib
import json
import os
import pty
import select
import subprocess
import time
import uuid

from harness import BUILD, SYSADMIN, TENANT, ServerTest

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
