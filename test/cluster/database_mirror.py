# SPDX-License-Identifier: Apache-2.0
"""A server with a mirror in a database of PostgreSQL, which asks for a password."""
import signal

import psycopg2

from admin_tool import run
from mirror_tool import MirrorTest
from single_postgres import SinglePostgres
from support import wait_for

PASSWORD = "given-secret-4711"


class DatabaseMirrorTest(MirrorTest):
    environment = {}  # of the server, besides what it requires
    schema = "gallery"

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
        self.options = {"MIRROR_ALLOWED_HOSTS": f"127.0.0.1:{self.database.port}", **self.environment}
        super().setUp()

    def dsn(self, **changes):
        values = {"host": "127.0.0.1", "port": self.database.port, "dbname": "mirror", "user": "mirror",
                  "password": PASSWORD, **changes}
        return " ".join(f"{name}={value}" for name, value in values.items())

    def start(self, **changes):
        file = self.folder / "dsn"
        file.write_text(self.dsn(**changes))
        return run("mirror", "start", "postgresql", "--option", f"dsn@{file}", "--option", "allow_unreplicated=true",
                   "--option", f"schema={self.schema}", "--option", "timeout=5s", "--json", env=self.env())
