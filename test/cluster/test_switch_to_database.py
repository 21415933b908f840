# SPDX-License-Identifier: Apache-2.0
"""The switch of a running server from its own store to a database that several servers can share, and back."""
import itertools
import json
import time

from admin_tool import REFUSED, run
from database_mirror import PASSWORD, DatabaseMirrorTest
from harness import SYSADMIN, TENANT, Server, png, sha256
from support import wait_for
from test_copy import gallery_of
from test_switch import switch_under_load

ROUNDS = 2  # in each direction
CLIENTS = 4


class SwitchToDatabase(DatabaseMirrorTest):
    schemas = itertools.count()

    def setUp(self):
        self.schema = f"gallery{next(self.schemas)}"
        super().setUp()

    def begin(self):
        """The server has a mirror in the database, which follows."""
        self.fill(20)
        done = self.start()
        self.assertEqual(0, done.returncode, done)
        self.wait_until_current()

    def switch(self):
        self.wait_for(lambda now: now.get("canSwitch"))
        return self.json("mirror", "switch", "--yes")

    def engine(self):
        return self.state()["active"]["engine"]

    def other(self, **environment):
        """A second server on the database, not started."""
        other = Server("postgresql", environment={
            "STORAGE_POSTGRESQL_DSN": self.dsn(), "STORAGE_POSTGRESQL_SCHEMA": self.schema,
            "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true", **environment})
        self.addCleanup(other.stop)
        return other

    def refused_start(self, other):
        other.start(wait=False)
        self.assertNotEqual(0, other.process.wait(120))
        self.assertIn("not the current one", other.log())

    def nodes(self):
        return sorted(one["address"] for one in self.admin.get("/api/system/nodes").json() if one["up"])

    def test_no_request_fails_no_answer_is_stale_and_nothing_is_lost_under_load(self):
        self.begin()
        clients, held = switch_under_load(self, CLIENTS, ROUNDS, "postgresql")
        self.assertLessEqual(max(held), 1000)
        for each in clients:
            for key in each.images:
                each.check(key)
            self.assertEqual([], each.failed)
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        seen = gallery_of(self.tenant)
        self.switch()
        self.assertEqual(seen, gallery_of(self.tenant))

    def test_the_server_starts_on_the_database_after_the_switch_and_goes_back(self):
        self.begin()
        self.assertEqual("postgresql", self.switch()["active"]["engine"])
        self.fill(3, "in the database")
        seen = gallery_of(self.tenant)
        file = self.server.data / "data/active-store.json"
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertIn(PASSWORD, file.read_text())
        self.assertNotIn(PASSWORD, json.dumps(self.state()) + self.server.log())
        for stop in (self.server.terminate, self.server.kill):
            self.wait_until_current()
            stop()
            self.server.start()
            self.assertIn("chosen by the switch of", self.server.log())
            self.assertEqual("postgresql", self.engine())
            self.assertEqual(seen, gallery_of(self.tenant))
        self.wait_until_current()
        self.assertEqual("rocksdb", self.switch()["active"]["engine"])
        self.assertEqual(seen, gallery_of(self.tenant))
        self.server.kill()
        self.server.start()
        self.assertEqual("rocksdb", self.engine())
        self.assertEqual(seen, gallery_of(self.tenant))
        self.refused_start(self.other())

    def test_a_second_server_and_this_one_see_each_others_changes(self):
        self.begin()
        self.switch()
        other = self.other().start()
        theirs = other.client(TENANT)
        self.assertEqual(gallery_of(self.tenant), gallery_of(theirs))
        self.assertEqual(2, len(self.nodes()))

        # Images, both ways; lists at once.
        for here, there, key in ((self.tenant, theirs, "one.png"), (theirs, self.tenant, "two.png")):
            first, second = png(5, 5, text=key), png(6, 6, text=key)
            self.assertEqual(200, here.upload(key, first).status)
            self.assertIn(key, [one["resourceKey"] for one in there.list().json()["data"]])
            old = {"If-None-Match": f'"{sha256(first)}"'}
            wait_for(lambda: there.image(key, headers=old).status == 304, "the image does not arrive")  # noqa: B023
            self.assertEqual(200, here.replace(key, key, second).status)
            wait_for(lambda: there.image(key, headers=old).status == 200, "the old ETag stays valid")  # noqa: B023
            self.assertEqual(second, there.image(key).body)

        # Permissions: a session that was ended there has ended here.
        session = self.server.client(TENANT)
        self.assertEqual(200, session.get("/api/auth/user").status)
        remote = other.client(TENANT)
        remote.token = session.token
        self.assertEqual(200, remote.post("/api/auth/logout").status)
        wait_for(lambda: session.get("/api/auth/user").status == 401, "the session goes on")

        # No switch while both are there.
        refused = self.call("mirror", "switch", "--yes", code=REFUSED, words=["nothing has changed", self.address_of(other)])
        self.assertNotIn(PASSWORD, refused.stderr)
        self.assertEqual("postgresql", self.engine())
        self.fill(2, "after the refusal")
        seen = gallery_of(self.tenant)
        wait_for(lambda: gallery_of(theirs) == seen, "the other server does not see the images")

        # One mirror of the store.
        second = other.client(SYSADMIN).post("/api/system/mirror/start", {"engine": "filesystem", "path": "another"})
        self.assertIn("another server", second.json()["message"], second)

        self.assertEqual(0, other.terminate())
        self.assertEqual(1, len(self.nodes()))
        self.assertEqual("rocksdb", self.switch()["active"]["engine"])
        self.assertEqual(seen, gallery_of(self.tenant))
        self.refused_start(other)
        # Neither is waited for any more.
        self.assertEqual(1, len(self.nodes()))
        self.fill(2, "alone again")
        self.wait_until_current()
        seen = gallery_of(self.tenant)

        self.switch()
        other.start()
        self.assertEqual(seen, gallery_of(other.client(TENANT)))

    def address_of(self, server):
        return f":{server.port}"

    def test_a_database_that_servers_share_has_a_mirror_on_one_of_them(self):
        one = self.other(MIRROR_ALLOWED_PATHS=str(self.backups)).start()
        two = self.other().start()
        mine = one.client(TENANT)
        self.server.stop()
        self.server, self.tenant, self.admin = one, mine, one.client(SYSADMIN)
        self.fill(5)
        self.json("mirror", "start", "filesystem", "--path", str(self.backups / "one"))
        self.wait_until_current()
        theirs = two.client(TENANT)
        self.assertEqual(200, theirs.upload("theirs.png", png(7, 7, text="theirs")).status)
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        self.call("mirror", "switch", "--yes", code=REFUSED, words=[self.address_of(two)])
        self.assertEqual(0, two.terminate())
        seen = gallery_of(self.tenant)
        switched = self.switch()
        self.assertEqual("filesystem", switched["active"]["engine"])
        self.assertEqual(seen, gallery_of(self.tenant))
        self.refused_start(two)

    def test_the_old_store_is_used_again_only_while_no_server_uses_the_database(self):
        self.begin()
        self.switch()
        self.fill(2, "in both")
        self.wait_until_current()
        seen = gallery_of(self.tenant)
        other = self.other().start()
        self.assertEqual(0, self.server.terminate())
        done = run("reinstate", "--yes", env=self.server.environment())
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn(self.address_of(other), done.stderr)
        self.assertEqual(0, other.terminate())
        done = run("reinstate", "--yes", env=self.server.environment())
        self.assertEqual(0, done.returncode, done)
        self.server.start()
        self.assertEqual("rocksdb", self.engine())
        self.assertEqual(seen, gallery_of(self.tenant))
        self.refused_start(other)

    def test_a_password_that_was_changed_leads_to_the_same_store(self):
        self.begin()
        self.switch()
        seen = gallery_of(self.tenant)
        self.assertEqual(0, self.server.terminate())
        self.execute("alter role mirror password 'another-secret-4712'")
        self.addCleanup(self.execute, f"alter role mirror password '{PASSWORD}'")
        self.server.start(wait=False)
        self.assertNotEqual(0, self.server.process.wait(120))
        self.server.plugin = "postgresql"
        self.server.extra.update({
            "STORAGE_POSTGRESQL_DSN": self.dsn(password="another-secret-4712"), "STORAGE_POSTGRESQL_SCHEMA": self.schema,
            "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true", "STORAGE_PATH": ""})
        done = run("verify", "--json", env=self.server.environment())
        self.assertEqual(0, done.returncode, done)
        before = len(self.server.log_path.read_text())
        self.server.start()
        self.assertIn("opening the store", self.server.log_path.read_text()[before:])
        self.assertNotIn("does not apply until", self.server.log_path.read_text()[before:])
        self.assertEqual("postgresql", self.engine())
        self.assertEqual(seen, gallery_of(self.tenant))
        # Another store of the same engine is not taken for it.
        self.assertEqual(0, self.server.terminate())
        self.server.extra["STORAGE_POSTGRESQL_SCHEMA"] = f"{self.schema}_other"
        self.execute("alter role mirror password '" + PASSWORD + "'")
        before = len(self.server.log_path.read_text())
        self.server.start()
        self.assertEqual(seen, gallery_of(self.tenant))
        self.assertIn("does not apply until", self.server.log_path.read_text()[before:])

    def test_certificates_of_the_mirror_are_kept_with_the_data(self):
        self.fill(3)
        certificates = self.folder / "ca.pem"
        certificates.write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
        dsn = self.folder / "dsn"
        dsn.write_text(self.dsn(sslmode="disable"))
        self.call("mirror", "start", "postgresql", "--option", f"dsn@{dsn}", "--option", "allow_unreplicated=true", "--option",
                  f"schema={self.schema}", "--option", f"root_certificates@{certificates}")
        self.wait_until_current()
        data = self.server.data / "data"

        def kept():
            return list(data.glob("mirror-databases/*/root-certificates.pem"))

        self.assertEqual(1, len(kept()))
        self.assertEqual(0o600, kept()[0].stat().st_mode & 0o777)
        self.assertEqual(0o700, kept()[0].parent.stat().st_mode & 0o777)
        self.assertEqual(certificates.read_text().strip(), kept()[0].read_text().strip())
        # The store of the server needs it as long as it is open.
        self.switch()
        self.json("mirror", "stop", "--abandon", "--yes")
        self.json("mirror", "forget", "--yes")
        self.assertEqual(1, len(kept()))
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.assertEqual([], kept())
        own = data / "postgresql/root-certificates.pem"
        self.assertEqual(0o600, own.stat().st_mode & 0o777)

    def test_certificates_of_a_forgotten_mirror_are_removed(self):
        self.begin()
        folders = self.server.data / "data/mirror-databases"
        self.assertEqual(1, len(list(folders.iterdir())))
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.wait_until_current()
        self.assertEqual(1, len(list(folders.iterdir())))
        self.json("mirror", "stop", "--abandon", "--yes")
        self.json("mirror", "forget", "--yes")
        self.assertEqual([], list(folders.iterdir()))
