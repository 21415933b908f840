# SPDX-License-Identifier: Apache-2.0
"""The mirror of a server in a database of PostgreSQL: with the password that was given, and nothing else."""
import json
import signal

import psycopg2

from admin_tool import REFUSED, run
from harness import TENANT, Server
from mirror_tool import MirrorTest
from single_postgres import SinglePostgres
from support import wait_for
from test_copy import gallery_of

PASSWORD = "given-secret-4711"


class InDatabase(MirrorTest):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(SinglePostgres())
        cls.execute("create role mirror login password '" + PASSWORD + "'", "create database mirror owner mirror")
        # The others are let in without a password.
        rules = cls.database.data / "pg_hba.conf"
        rules.write_text("host all mirror 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        cls.database.process.send_signal(signal.SIGHUP)
        wait_for(cls.wants_password, "PostgreSQL does not read its rules again")

    @classmethod
    def execute(cls, *statements):
        connection = psycopg2.connect(cls.database.dsn())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for each in statements:
                    cursor.execute(each)
        finally:
            connection.close()

    @classmethod
    def wants_password(cls):
        try:
            psycopg2.connect(host="127.0.0.1", port=cls.database.port, user="mirror", password="wrong").close()
            return False
        except psycopg2.OperationalError as error:
            return "authentication failed" in str(error)

    def setUp(self):
        self.options = {"MIRROR_ALLOWED_HOSTS": f"127.0.0.1:{self.database.port}", "PGUSER": "nobody", "PGPASSWORD": "wrong",
                        "PGDATABASE": "nowhere", "PGSSLMODE": "verify-full", "PGOPTIONS": "-c nonsense=1"}
        super().setUp()

    def dsn(self, **changes):
        values = {"host": "127.0.0.1", "port": self.database.port, "dbname": "mirror", "user": "mirror",
                  "password": PASSWORD, **changes}
        return " ".join(f"{name}={value}" for name, value in values.items())

    def start(self, **changes):
        file = self.folder / "dsn"
        file.write_text(self.dsn(**changes))
        return run("mirror", "start", "postgresql", "--option", f"dsn@{file}", "--option", "allow_unreplicated=true",
                   "--option", "timeout=5s", "--json", env=self.env())

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
