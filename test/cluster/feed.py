# SPDX-License-Identifier: Apache-2.0
"""Follows the change feed in the database as a gallery server does, and checks it.

A reader of the feed asks for what is behind its last revision. It sees every change once if no change ever appears
behind a revision that was already read, and if no revision is used again after a failover. Both are checked against the
table at the end. What a connection reads counts only after a synchronously replicated commit on it: a primary that
restarted after a crash shows commits that no standby has.
"""
import contextlib
import threading
import time

import psycopg2


class Feed(threading.Thread):
    def __init__(self, dsn, schema="gallery"):
        super().__init__(daemon=True)
        self.dsn, self.schema = dsn, schema
        self.seen = {}  # revision -> id of the write
        self.order = []
        self.stopping = threading.Event()
        self.connections = 0
        self.problem = None

    def __enter__(self):
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute("create schema if not exists test_feed")
            cursor.execute("create table if not exists test_feed.heartbeat (at timestamptz)")
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(60)

    def _connect(self):
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        return connection

    def _read(self, cursor, after):
        cursor.execute(f'select rev, write from "{self.schema}".change where rev > %s order by rev', (after,))
        return cursor.fetchall()

    def run(self):
        while not self.stopping.is_set():
            try:
                with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
                    self.connections += 1
                    while not self.stopping.is_set():
                        rows = self._read(cursor, self.order[-1] if self.order else -1)
                        del connection.notices[:]
                        cursor.execute("insert into test_feed.heartbeat values (now())")
                        if connection.notices:
                            break  # the commit is not certain
                        for revision, write in rows:
                            self.order.append(revision)
                            self.seen[revision] = write
                        time.sleep(0.02)
            except psycopg2.Error:
                time.sleep(0.05)

    def check(self, limit=30):
        """After the writers and the thread have ended."""
        deadline = time.monotonic() + limit
        while True:
            try:
                with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
                    cursor.execute(f'select trimmed from "{self.schema}".state')
                    (trimmed,), = cursor.fetchall()
                    table = dict(self._read(cursor, trimmed))
                break
            except psycopg2.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        if not self.order:
            raise AssertionError("no change was read, so nothing was tested")
        last = self.order[-1]
        skipped = [r for r in table if r <= last and r > self.order[0] and r not in self.seen]
        lost = [r for r in self.order if r > trimmed and r not in table]
        reused = [r for r, write in table.items() if r in self.seen and self.seen[r] != write]
        if skipped or lost or reused:
            raise AssertionError(f"changes that appeared behind the reader: {skipped[:5]}; changes that were read and are gone: "
                                 f"{lost[:5]}; revisions used twice: {reused[:5]}")
        return len(self.order)
