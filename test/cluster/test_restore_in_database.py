# SPDX-License-Identifier: Apache-2.0
"""A backup of a server with a store of its own is restored into a database."""
from database_mirror import DatabaseMirrorTest
from restored import Answers, RestoreTest


class RestoreInDatabase(DatabaseMirrorTest, RestoreTest):
    def test_a_server_on_the_database_answers_every_request_as_the_original_did(self):
        answers = Answers(self.server, self.fill_all())
        expected, _ = answers.of(self.server)
        self.json("backup", str(self.backups / "nightly"), "--verify")
        self.fill(3, "later")
        self.check_restored(self.backups / "nightly", expected, answers, "postgresql", environment={
            "STORAGE_POSTGRESQL_DSN": self.dsn(), "STORAGE_POSTGRESQL_SCHEMA": self.schema,
            "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED": "true"})
