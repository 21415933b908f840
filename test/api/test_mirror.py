# SPDX-License-Identifier: Apache-2.0
"""The mirror of a running server: copying, following, verifying, ending, restarts, refusals and failures."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import small_disks
from admin_tool import NOT_FOUND, NOT_PERMITTED, REFUSED, Terminal, run
from harness import SYSADMIN, TENANT, Server, png
from mirror_tool import MIRROR, MirrorTest, Writers
from test_copy import gallery_of, path_of


FULL = "full|[Nn]o space"


class Mirrors(MirrorTest):
    def test_it_copies_follows_verifies_and_stops_at_a_revision(self):
        self.assertEqual("none", self.state()["state"])
        self.fill(30)
        started = self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.assertEqual({"engine": "filesystem", "path": str(self.backups / "one")}, started["mirror"])
        self.assertEqual("rocksdb", started["active"]["engine"])
        self.wait_until_current()
        self.fill(5, "later")
        links = [path_of(one) for one in self.tenant.list().json()["data"]]
        self.assertEqual(200, self.tenant.delete(links[0]).status)
        changed = dict(self.tenant.get(links[1] + "/info").json(), title="changed")
        self.assertEqual(200, self.tenant.put(links[1] + "/info", changed).status)
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        self.assertGreaterEqual(verified["bodies"], 35)
        figures = self.metrics()
        self.assertEqual(1, figures["gallery_mirror_state", (("state", "following"),)])
        self.assertEqual(0, figures["gallery_mirror_state", (("state", "failed"),)])
        self.assertEqual(0, figures["gallery_mirror_lag_revisions", ()])
        self.assertEqual(0, figures["gallery_mirror_problem", ()])
        self.assertEqual(0, figures["gallery_mirror_completed_timestamp_seconds", ()])
        self.assertEqual(0, figures["gallery_mirror_verifying", ()])
        self.assertGreaterEqual(figures["gallery_mirror_images_done", ()], 30)
        stopped = self.json("mirror", "stop", "--yes")
        self.assertEqual("stopped", stopped["state"])
        images = self.tenant.list(pageSize=1, includeSystemImages="true").json()["totalElements"]
        self.assertGreaterEqual(stopped["completed"]["images"], images)
        self.assertGreater(stopped["completed"]["revision"], 35)
        figures = self.metrics()
        self.assertGreater(figures["gallery_mirror_completed_timestamp_seconds", ()], 1.7e9)
        self.assertEqual(0, figures["gallery_mirror_backup_timestamp_seconds", ()])
        self.assertLess(figures["gallery_writes_longest_hold_seconds", ()], 1)
        self.check_served(self.backups / "one", "filesystem")
        self.call("mirror", "forget", "--yes")
        self.assertEqual("none", self.state()["state"])
        self.call("mirror", "stop", "--yes", code=NOT_FOUND)

    def test_while_clients_write_no_request_fails_and_the_end_is_one_state(self):
        self.fill(60)
        with Writers(self.server) as writers:
            self.json("mirror", "start", "filesystem", "--path", str(self.backups / "busy"))
            self.wait_for(lambda now: now["state"] == "following")
            verified = self.json("mirror", "verify")["verified"]
            self.assertEqual((True, []), (verified["same"], verified["repaired"]))
            stopped = self.json("mirror", "stop", "--yes")
        self.assertEqual([], writers.failed)
        self.assertGreater(writers.requests, 100)
        self.assertLess(self.metrics()["gallery_writes_longest_hold_seconds", ()], 1)
        self.assertEqual(0, stopped["completed"]["damaged"])
        # Every image of it can be read.
        done = run("copy", "--from", f"filesystem:{self.backups}/busy", "--to", f"rocksdb:{self.folder}/copy",
                   "--verify", "--json")
        self.assertEqual(0, done.returncode, done)
        self.assertEqual(stopped["completed"]["images"], json.loads(done.stdout)["images"])
        # Started again, only differences are transferred.
        again = self.json("mirror", "start", "filesystem", "--path", str(self.backups / "busy"), "--watch")
        self.assertLess(again["imagesCopied"], 60)
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        self.check_served(self.backups / "busy", "filesystem")

    def test_it_continues_after_kills_and_after_a_stop(self):
        self.fill(80)
        self.json("mirror", "start", "rocksdb", "--path", str(self.backups / "one"))
        state = self.server.data / "data/mirror.json"
        self.assertEqual(0o600, state.stat().st_mode & 0o777)
        for i in range(6):
            self.fill(3, f"before kill {i}")
            time.sleep(self.chooser.random() / 5)
            self.server.kill()
            self.server.start()
        self.wait_until_current()
        self.fill(5, "after the kills")
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.server.wait_for_log("\n  mirror ")
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        self.assertIn("completed", self.json("mirror", "stop", "--yes"))
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        stopped = self.state()
        self.assertEqual("stopped", stopped["state"])
        self.assertIn("completed", stopped)
        self.check_served(self.backups / "one", "rocksdb")

    def test_an_abandoned_mirror_is_not_complete_and_no_server_starts_on_it(self):
        self.fill(10)
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.wait_until_current()
        abandoned = self.json("mirror", "stop", "--abandon", "--yes")
        self.assertEqual("stopped", abandoned["state"])
        self.assertNotIn("completed", abandoned)
        place = self.folder / "other"
        (place / "data").mkdir(mode=0o700, parents=True)
        shutil.copytree(self.backups / "one", place / "data/storage")
        other = Server(plugin="filesystem", data=place)
        other.start(wait=False)
        self.assertNotEqual(0, other.process.wait(120))
        self.assertIn("incomplete copy", other.log())

    def test_its_progress_is_shown_on_a_terminal(self):
        self.fill(30)
        terminal = Terminal("mirror", "start", "filesystem", "--path", str(self.backups / "one"), "--watch",
                            env=self.env())
        output, _ = terminal.process.communicate(timeout=120)
        self.assertEqual(0, terminal.process.returncode)
        self.assertIn(b"state:", output)
        self.assertIn(b"following", output)


class Slow(MirrorTest):
    """One byte in a second: the copy never ends by itself."""
    options = {"MIRROR_MAX_RATE": "1"}

    def test_a_server_that_copies_stops_quickly_and_serves_meanwhile(self):
        self.fill(30)
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.assertEqual("copying", self.state()["state"])
        self.assertEqual(30, len([link for link in gallery_of(self.tenant) if "picture" in link]))
        self.call("mirror", "stop", "--yes", code=REFUSED, words=["does not follow"])
        self.assertEqual(0, self.server.terminate(limit=30))
        self.server.start()
        self.wait_for(lambda now: now["state"] == "copying")
        self.json("mirror", "stop", "--abandon", "--yes")
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))


class Access(MirrorTest):
    def test_only_system_administrators_that_signed_in_may(self):
        me = self.admin.get("/api/auth/user").json()
        key = self.admin.post("/api/apiKey", {"description": "of a script", "userId": me["id"]}).json()["value"]
        requests = (("GET", ""), ("POST", "/start"), ("POST", "/verify"), ("POST", "/switch"), ("POST", "/stop"), ("DELETE", ""))
        for method, rest in requests:
            with self.subTest(method + rest):
                body = json.dumps({"engine": "filesystem", "path": str(self.backups / "x")}) if method == "POST" else None
                fields = {"Content-Type": "application/json"} if body else {}
                self.assertEqual(403, self.tenant.request(method, MIRROR + rest, body, fields).status)
                self.assertEqual(403, self.tenant.request(
                    method, MIRROR + rest, body, {**fields, "X-Authorization": f"ApiKey {key}"}).status)
                self.assertEqual(401, self.tenant.request(method, MIRROR + rest, body, fields, authenticate=False).status)
        self.assertFalse((self.backups / "x").exists())
        self.assertEqual("none", self.state()["state"])

    def test_targets_outside_of_the_allowed_folders_are_refused(self):
        outside = self.folder / "outside"
        (self.backups / "link").symlink_to(self.folder)
        for path in (outside, self.backups / "link/outside", self.backups / "../outside", "/", self.backups,
                     self.server.data / "data/storage", self.server.data / "data/storage/sub"):
            self.call("mirror", "start", "filesystem", "--path", str(path), code=NOT_PERMITTED)
        self.assertFalse(outside.exists())
        # The parent of the folder must be there: it is not while a disk is not mounted.
        self.call("mirror", "start", "filesystem", "--path", str(self.backups / "disk/one"), code=REFUSED,
                  words=["mount"])
        self.assertFalse((self.backups / "disk").exists())
        self.call("mirror", "start", "/tmp/evil.so", "--path", str(self.backups / "a"), code=REFUSED)
        self.call("mirror", "start", "no-such-engine", "--path", str(self.backups / "a"), code=NOT_FOUND)
        self.assertEqual("none", self.state()["state"])
        self.assertFalse((self.server.data / "data/mirror.json").exists())

    def test_targets_with_other_data_are_refused_and_left_unchanged(self):
        foreign = self.backups / "foreign"
        foreign.mkdir(mode=0o700)
        (foreign / "letter.txt").write_text("private")
        self.call("mirror", "start", "rocksdb", "--path", str(foreign), code=REFUSED, words=["other files"])
        self.assertEqual(["letter.txt"], os.listdir(foreign))

        (self.folder / "other").mkdir()
        with Server(plugin="filesystem", data=self.folder / "other") as other:
            self.assertEqual(200, other.client(TENANT).upload("a.png", png()).status)
            seen = gallery_of(other.client(TENANT))
        shutil.copytree(self.folder / "other/data/storage", self.backups / "store")
        (self.backups / "store").chmod(0o700)
        self.call("mirror", "start", "filesystem", "--path", str(self.backups / "store"), code=REFUSED,
                  words=["other data"])
        self.serve(self.backups / "store", "filesystem",
                   lambda server: self.assertEqual(seen, gallery_of(server.client(TENANT))))

        # What another process has open, and what belongs to another user.
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.call("mirror", "start", "filesystem", "--path", str(self.backups / "two"), code=REFUSED,
                  words=["There is a mirror already"])
        self.json("mirror", "stop", "--abandon", "--yes")
        if os.geteuid() == 0:
            theirs = self.backups / "theirs"
            theirs.mkdir(mode=0o700)
            os.chown(theirs, 65534, 65534)
            answer = self.call("mirror", "start", "filesystem", "--path", str(theirs), code=NOT_PERMITTED)
            self.assertIn("belongs to", answer.stderr)
        self.assertEqual("stopped", self.state()["state"])

    def test_a_mirror_of_another_store_is_refused_also_at_the_same_place(self):
        target = str(self.backups / "one")
        self.fill(5)
        self.json("mirror", "start", "filesystem", "--path", target, "--watch")
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        # The server begins a new store in the place of the old one.
        self.assertEqual(0, self.server.terminate())
        shutil.move(self.server.data / "data/storage", self.folder / "old")
        self.server.start()
        self.call("mirror", "start", "filesystem", "--path", target, code=REFUSED, words=["another store"])
        self.tenant = self.server.client(TENANT)
        self.admin = self.server.client(SYSADMIN)
        self.fill(2, "of the new store")
        self.json("mirror", "start", "filesystem", "--path", target, "--any-source", "--watch")
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        self.check_served(self.backups / "one", "filesystem")

    def test_a_store_that_was_put_back_is_refused_until_any_source_is_accepted(self):
        """Its identity is that of the mirror's source, and so are its first revisions."""
        target = self.backups / "one"
        self.fill(10)
        self.assertEqual(0, self.server.terminate())
        shutil.copytree(self.server.data / "data/storage", self.folder / "saved")
        self.server.start()
        self.fill(10, "lost")
        self.json("mirror", "start", "filesystem", "--path", str(target), "--watch")
        self.wait_until_current()
        self.assertEqual(0, self.server.terminate())
        shutil.rmtree(self.server.data / "data/storage")
        shutil.copytree(self.folder / "saved", self.server.data / "data/storage")
        (self.server.data / "data/storage").chmod(0o700)
        self.server.start()
        self.wait_for(lambda now: now["state"] == "failed" and "put back" in now["problem"])
        # Its revisions are higher now than those that the mirror knows.
        self.fill(40, "of the other history")
        self.json("mirror", "stop", "--abandon", "--yes")
        self.call("mirror", "start", "filesystem", "--path", str(target), code=REFUSED, words=["put back"])
        self.call("backup", str(target), code=REFUSED, words=["put back"])
        self.assertEqual(10, len(list(target.glob("*/lost*"))))
        self.json("mirror", "start", "filesystem", "--path", str(target), "--any-source", "--watch")
        self.wait_until_current()
        self.assertEqual([], list(target.glob("*/lost*")))
        self.json("mirror", "stop", "--yes")
        # The other history is the mirror's from now on.
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.json("mirror", "start", "filesystem", "--path", str(target), "--watch")
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        self.check_served(target, "filesystem")

    def test_an_engine_that_keeps_nothing_is_refused(self):
        self.fill(3)
        self.call("mirror", "start", "memory", "--path", str(self.backups / "one"), code=REFUSED,
                  words=["does not keep"])
        self.call("backup", str(self.backups / "two"), "--engine", "memory", code=REFUSED, words=["does not keep"])
        self.assertEqual("none", self.state()["state"])

    def test_an_end_that_cannot_be_stored_is_reported(self):
        self.fill(3)
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"), "--watch")
        self.wait_until_current()
        in_its_way = self.server.data / "data/mirror.json.new"
        in_its_way.mkdir()
        self.call("mirror", "stop", "--yes", code=REFUSED, words=["not complete", "mirror.json"])
        self.call("mirror", "stop", "--abandon", "--yes", code=REFUSED, words=["mirror.json"])
        self.assertEqual("failed", self.state()["state"])
        in_its_way.rmdir()
        self.wait_until_current()
        self.assertIn("completed", self.json("mirror", "stop", "--yes"))


class FakeDatabase:
    """Asks each client for its password in the clear, as PostgreSQL can, and refuses it. With @p tls (a context of
    ssl), clients may use TLS."""

    def __init__(self, tls=None):
        self.tls, self.contacts, self.received = tls, 0, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                self.contacts += 1
                with client, contextlib.suppress(OSError):
                    self.serve(client)

    def serve(self, client):
        client.settimeout(30)
        while (startup := self.read(client))[:2] == b"\x04\xd2":  # a request for TLS or GSS
            is_secured = self.tls is not None and startup[2:4] == b"\x16\x2f"
            client.sendall(b"S" if is_secured else b"N")
            if is_secured:
                client = self.tls.wrap_socket(client, server_side=True)
        client.sendall(b"R\0\0\0\x08\0\0\0\x03")
        client.recv(1)
        self.read(client)
        refusal = b"SFATAL\0C28P01\0Mrefused\0\0"
        client.sendall(b"E" + (4 + len(refusal)).to_bytes(4, "big") + refusal)
        client.close()

    def read(self, client):
        """A message after its length."""
        size = int.from_bytes(self.exactly(client, 4), "big") - 4
        message = self.exactly(client, size)
        self.received += message
        return message

    def exactly(self, client, size):
        data = b""
        while len(data) < size:
            part = client.recv(size - len(data))
            if not part:
                raise OSError("the client has closed the connection")
            data += part
        return data

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Secrets(MirrorTest):
    """Everything that contains "leak" belongs to the server and not to a mirror."""

    def setUp(self):
        self.database = self.start_database()
        self.home = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.home)
        (self.home / ".pgpass").write_text("*:*:*:*:leak-of-the-home-folder\n")
        (self.home / ".pgpass").chmod(0o600)
        self.options = {
            "STORAGE_POSTGRESQL_DSN": f"host=127.0.0.1 port={self.database.port} user=leak password=leak-of-the-store",
            "MIRROR_ALLOWED_HOSTS": f"localhost, 127.0.0.1:{self.database.port}", "HOME": str(self.home),
            "PGHOST": "127.0.0.1", "PGPORT": str(self.database.port), "PGUSER": "leak",
            "PGPASSWORD": "leak-of-the-environment", "PGDATABASE": "leak", "PGOPTIONS": "-c leak=1", "PGAPPNAME": "leak",
            "STORAGE_FILESYSTEM_THREADS": "3"}
        super().setUp()

    def start_database(self, tls=None):
        database = FakeDatabase(tls)
        self.addCleanup(database.close)
        return database

    def start(self, dsn, *more):
        file = self.folder / "dsn"
        file.write_text(dsn + "\n")
        done = run("mirror", "start", "postgresql", "--option", f"dsn@{file}", "--option", "timeout=1s", *more,
                   env=self.env())
        self.assertNotEqual(0, done.returncode, done)
        shown = done.stdout + done.stderr + self.everything_shown()
        self.assertNotIn("leak", shown)
        self.assertNotIn("given-secret-0815", shown)
        return done

    def everything_shown(self):
        return self.server.log_path.read_text() + repr(self.metrics()) + json.dumps(self.state())

    def given(self, **changes):
        values = {"host": "127.0.0.1", "port": self.database.port, "user": "given", "password": "given-secret-0815", **changes}
        return " ".join(f"{name}='{value}'" for name, value in values.items() if value is not None)

    def test_options_of_the_servers_own_engines_do_not_reach_a_mirror(self):
        done = run("mirror", "start", "postgresql", env=self.env())
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertEqual(0, self.database.contacts)
        self.assertNotIn("leak", done.stdout + done.stderr + self.everything_shown())
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "a"))
        self.assertEqual({}, json.loads((self.server.data / "data/mirror.json").read_text())["options"])

    def test_a_database_gets_only_what_was_given_and_nothing_of_it_is_shown(self):
        self.start(self.given())
        self.assertIn(b"\0user\0given\0", b"\0" + self.database.received)
        self.assertIn(b"given-secret-0815", self.database.received)
        self.assertNotIn(b"leak", self.database.received)

    def test_a_password_that_is_not_given_is_not_replaced_by_one_of_the_server(self):
        for changes in ({"password": None}, {"password": ""}, {"user": None}, {"host": None}):
            self.start(self.given(**changes))
        self.assertEqual((0, b""), (self.database.contacts, self.database.received))

    def test_connection_strings_that_name_files_or_services_are_refused(self):
        key = self.home / "leak.key"
        key.write_text("private")
        for name, value in (("sslkey", key), ("sslcert", key), ("sslrootcert", key), ("passfile", self.home / ".pgpass"),
                            ("service", "any"), ("options", "-c fsync=off"), ("krbsrvname", "any")):
            done = self.start(self.given(**{name: value}))
            self.assertEqual(REFUSED, done.returncode, done)
            self.assertIn(f"keyword {name}", done.stderr)
        self.assertEqual(0, self.database.contacts)

    def test_hosts_that_an_operator_has_not_allowed_are_not_contacted(self):
        other = self.start_database()
        for changes in ({"port": other.port}, {"host": "localhost", "hostaddr": "127.0.0.1", "port": other.port},
                        {"host": f"127.0.0.1,{self.home}"},
                        {"host": "127.0.0.1,127.0.0.1", "port": f"{self.database.port},{other.port}"}):
            done = self.start(self.given(**changes))
            self.assertEqual(NOT_PERMITTED, done.returncode, done)
            self.assertIn("MIRROR_ALLOWED_HOSTS", done.stderr)
        self.assertEqual((0, 0), (self.database.contacts, other.contacts))

    def test_a_password_is_not_sent_to_a_database_whose_certificate_is_wrong(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)
        for name in ("right", "wrong"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.folder / "right.pem", self.folder / "right.key")
        database = self.start_database(tls)
        dsn = self.given(host="localhost", port=database.port, sslmode="verify-full")
        # Without certificates, those of the home folder would be used.
        for more in ((), ("--option", f"root_certificates@{self.folder / 'wrong.pem'}")):
            self.start(dsn, *more)
            self.assertNotIn(b"given", database.received)
        self.start(dsn, "--option", f"root_certificates@{self.folder / 'right.pem'}")
        self.assertIn(b"given-secret-0815", database.received)

    def test_options_of_the_engine_are_used_kept_and_not_shown(self):
        self.call("mirror", "start", "filesystem", "--path", str(self.backups / "a"), "--option", "colour=blue",
                  code=REFUSED, words=["colour"])
        shown = self.call("mirror", "start", "filesystem", "--path", str(self.backups / "a"), "--option", "threads=3",
                          "--json").stdout
        self.assertNotIn("threads", shown)
        self.assertIn('"threads":"3"', (self.server.data / "data/mirror.json").read_text())
        self.wait_until_current()


class Failures(MirrorTest):
    plugin = "filesystem"

    @small_disks.needs_mounts
    def test_a_full_disk_delays_the_mirror_and_nothing_else(self):
        disk = self.mount("size=64m")
        self.fill(10)
        self.json("mirror", "start", "filesystem", "--path", str(disk / "one"))
        self.wait_until_current()
        small_disks.fill(disk)
        for i in range(8):
            self.assertEqual(200, self.tenant.upload(f"large {i}.png", png(text=f"{i}" + "x" * 1_000_000)).status)
        failed = self.wait_for(lambda now: now["state"] == "failed")
        self.assertTrue(failed["retrying"])
        self.assertRegex(failed["problem"], FULL)
        self.assertEqual(1, self.metrics()["gallery_mirror_state", (("state", "failed"),)])
        self.assertEqual(200, self.tenant.upload("still.png", png(text="still")).status)
        self.call("mirror", "switch", "--yes", code=REFUSED)
        seen = gallery_of(self.tenant)
        (disk / "ballast").unlink()
        self.wait_until_current()
        self.assertEqual("", self.state()["problem"])
        self.assertEqual(seen, gallery_of(self.tenant))
        self.json("mirror", "stop", "--yes")
        self.check_served(disk / "one", "filesystem")

    @small_disks.needs_mounts
    def test_on_a_disk_that_is_full_no_mirror_begins(self):
        disk = self.mount("size=64m")
        self.fill(10)
        small_disks.fill(disk)
        self.call("mirror", "start", "filesystem", "--path", str(disk / "one"), code=REFUSED, words=["No space left on device"])
        self.assertEqual("none", self.state()["state"])
        self.assertEqual(200, self.tenant.upload("still.png", png(text="still")).status)
        (disk / "ballast").unlink()
        self.json("mirror", "start", "filesystem", "--path", str(disk / "one"))
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        self.check_served(disk / "one", "filesystem")

    @small_disks.needs_mounts
    def test_a_read_only_disk_is_refused(self):
        disk = self.mount("size=64m")
        small_disks.make_read_only(disk)
        self.call("mirror", "start", "filesystem", "--path", str(disk / "one"), code=REFUSED, words=["Read-only file system"])
        self.assertEqual("none", self.state()["state"])
        self.assertEqual([], os.listdir(disk))
        self.assertEqual(200, self.tenant.upload("still.png", png()).status)

    def test_a_disk_that_is_not_mounted_is_not_filled(self):
        self.fill(10)
        target = self.backups / "one"
        self.json("mirror", "start", "filesystem", "--path", str(target), "--watch")
        self.assertEqual(0, self.server.terminate())
        for is_folder_left in (False, True):
            shutil.move(target, self.folder / "elsewhere")
            if is_folder_left:
                target.mkdir(mode=0o700)
            self.server.start()
            failed = self.wait_for(lambda now: now["state"] == "failed")
            self.assertIn("mounted", failed["problem"])
            self.assertEqual([], os.listdir(target) if is_folder_left else [])
            self.assertEqual(is_folder_left, target.exists())
            self.assertEqual(0, self.server.terminate())
            if is_folder_left:
                target.rmdir()
            shutil.move(self.folder / "elsewhere", target)
        self.server.start()
        self.wait_until_current()

    def test_a_damaged_image_is_named_and_the_mirror_is_not_complete_without_it(self):
        self.fill(12)
        self.assertEqual(0, self.server.terminate())
        victim = sorted((self.server.data / "data/storage").glob("*/*/original*"))[3]
        before = victim.read_bytes()
        victim.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        self.server.start()
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"), "--watch")
        self.wait_until_current()
        now = self.state()
        self.assertEqual(("following", 1), (now["state"], len(now["damaged"])))
        self.assertEqual(1, self.metrics()["gallery_mirror_damaged", ()])
        self.call("mirror", "stop", "--yes", code=REFUSED, words=["cannot be read from the store"])
        self.assertEqual("following", self.state()["state"])
        statuses = [self.tenant.get(path_of(one)).status for one in self.tenant.list(pageSize=100).json()["data"]]
        self.assertLessEqual(len(statuses) - statuses.count(200), 1)

    def test_a_damaged_mirror_is_repaired_by_a_verification(self):
        self.fill(12)
        target = self.backups / "one"
        self.json("mirror", "start", "filesystem", "--path", str(target), "--watch")
        self.wait_until_current()
        self.json("mirror", "stop", "--yes")
        victim = sorted(target.glob("*/*/original*"))[3]
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        self.json("mirror", "start", "filesystem", "--path", str(target), "--watch")
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, 1), (verified["same"], len(verified["repaired"])), verified)
        self.assertIn("damaged", verified["repaired"][0])
        self.json("mirror", "stop", "--yes")
        self.check_served(target, "filesystem")

    def mount(self, options):
        disk = self.backups / "disk"
        disk.mkdir(mode=0o700)
        small_disks.mount(disk, options + ",mode=700")
        # The server has files open on it until it has stopped.
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        return disk


if __name__ == "__main__":
    unittest.main()
