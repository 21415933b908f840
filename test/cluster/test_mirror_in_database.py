# SPDX-License-Identifier: Apache-2.0
"""The mirror of a server in a database of PostgreSQL: with the password that was given, and nothing else."""
import json

from admin_tool import REFUSED
from database_mirror import PASSWORD, DatabaseMirrorTest
from harness import TENANT, Server
from test_copy import gallery_of


class InDatabase(DatabaseMirrorTest):
    environment = {"PGUSER": "nobody", "PGPASSWORD": "wrong", "PGDATABASE": "nowhere", "PGSSLMODE": "verify-full",
                   "PGOPTIONS": "-c nonsense=1"}

    def test_it_follows_continues_after_a_restart_and_can_be_served(self):
        self.fill(20)
        done = self.start()
        self.assertEqual(0, done.returncode, done)
        self.assertNotIn(PASSWORD, done.stdout)
        self.wait_until_current()
        self.assertEqual(0, self.server.terminate())
        self.server.start()
        self.fill(5, "later")
        self.wait_until_current()
        verified = self.json("mirror", "verify")["verified"]
        self.assertEqual((True, []), (verified["same"], verified["repaired"]))
        stopped = self.json("mirror", "stop", "--yes")
        self.assertIn("completed", stopped)
        self.assertNotIn(PASSWORD, json.dumps(stopped) + self.server.log())
        seen = gallery_of(self.tenant)
        with Server("postgresql", environment={"STORAGE_POSTGRESQL_DSN": self.dsn(),
                                               "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"}) as other:
            self.assertEqual(seen, gallery_of(other.client(TENANT)))

    def test_a_database_that_lets_the_server_in_without_the_password_is_refused(self):
        done = self.start(user="postgres", dbname="postgres")
        self.assertEqual(REFUSED, done.returncode, done)
        self.assertIn("does not ask for the password", done.stderr)
