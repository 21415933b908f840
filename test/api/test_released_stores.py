# SPDX-License-Identifier: Apache-2.0
"""The server opens the stores that released versions wrote, and refuses those of later formats unchanged.

make_stores.py wrote the stores in test/data/store-*. Stores of version 0.1 contain no accounts of a server; the tests of
the engines (test/contract/upgrade_test.cpp) open them.
"""
import contextlib
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import make_stores
from harness import BUILD, ROOT, SYSTEM_TENANT, Client, Server, png
from make_stores import ADMINISTRATORS, OWNER, scratch

EXIT_UNAVAILABLE = 69
STORES = sorted((ROOT / "test" / "data").glob("store-*/*.json"))


# Of tenants, in versions that had no profiles. Such a tenant now has the default profile.
NO_PROFILE = {"entityType": "TENANT_PROFILE", "id": SYSTEM_TENANT}


def is_part_of(old, new):
    """Whether everything that was answered once is still answered; later versions may add members."""
    if old == NO_PROFILE:
        return isinstance(new, dict) and new["entityType"] == old["entityType"] and new["id"] != old["id"]
    if isinstance(old, dict):
        return isinstance(new, dict) and all(k in new and is_part_of(v, new[k]) for k, v in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(is_part_of, old, new))
    return old == new


class OpenedStore:
    """A copy of a kept store, and a server for it."""

    def __init__(self, kept, stack):
        self.engine = kept.stem
        self.known = json.loads(kept.read_text())
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallery-store-")))
        environment = make_stores.environment(folder)
        if self.engine == "postgresql":
            (self.database,) = stack.enter_context(scratch.cluster())
            self.restore(kept.with_suffix(".sql.gz"))
            environment["STORAGE_POSTGRESQL_DSN"] = self.database.dsn()
        else:
            (folder / "data").mkdir(mode=0o700)
            subprocess.run(["tar", "-xzf", kept.with_suffix(".tar.gz"), "--no-same-owner", "-C", folder / "data"], check=True)
        self.server = Server(self.engine, environment=environment, data=folder)
        stack.callback(self.server.stop)

    def restore(self, dump):
        subprocess.run([str(self.database.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                        self.database.dsn()], input=gzip.decompress(dump.read_bytes()), check=True,
                       stdout=subprocess.DEVNULL)

    def later_format(self):
        """Gives the store a format that no server knows yet; returns its number."""
        if self.engine == "postgresql":
            self.database.sql("update gallery.state set version = 900")
        else:
            path = self.server.data / "data" / "storage" / ".gallery" / "format"
            path.write_text(re.sub(r"\d+", "900", path.read_text()))
        return "900"

    def contents(self):
        """What the store consists of, to see whether it was changed."""
        if self.engine == "postgresql":
            tables = self.database.sql("select relname from pg_stat_user_tables where schemaname = 'gallery'").split()
            return {name: self.database.sql(f'select md5(string_agg(t::text, \',\' order by t::text)) from gallery."{name}" t')
                    for name in tables if name != "server"}
        root = self.server.data / "data" / "storage"
        return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in root.rglob("*") if p.is_file()}


class ReleasedStores(unittest.TestCase):
    def expect_answers(self, store):
        clients = {name: store.server.client(credentials) for name, credentials in ADMINISTRATORS.items()}
        for who, path, *wanted in store.known["answers"]:
            got = make_stores.answer(clients[who], path)
            # An ETag may be new, as JSON may have new members.
            self.assertEqual([wanted[0], wanted[1] or got[1]], got[:2], (who, path))
            self.assertTrue(is_part_of(wanted[2], got[2]), f"{who} {path}\nbefore: {wanted[2]}\nnow:    {got[2]}")

    def expect_secrets(self, store):
        """What clients keep is still valid, and what was taken away is not."""
        secrets = store.known["secrets"]
        for name, status in (("api_key", 200), ("disabled_key", 401)):
            device = Client(store.server)
            device.token, device.scheme = secrets[name], "ApiKey"
            self.assertEqual(status, device.get("/api/auth/user").status, name)
        anonymous = Client(store.server)
        pair = anonymous.post("/api/auth/token", {"refreshToken": secrets["refresh_token"]})
        self.assertEqual(200, pair.status, pair)
        # It expires a day after the store was made. One that the server has not made is not called expired.
        known = "Activation token expired. Ask the administrator for a new link"
        answer = anonymous.post("/api/noauth/activate", {"activateToken": secrets["activation"], "password": "chosen-1"})
        self.assertIn((answer.status, answer.json().get("message")), ((200, None), (400, known)))
        changed = secrets["activation"][:-2] + ("AA" if not secrets["activation"].endswith("AA") else "BB")
        answer = anonymous.post("/api/noauth/activate", {"activateToken": changed, "password": "chosen-1"})
        self.assertEqual(400, answer.status, answer)
        self.assertNotEqual(known, answer.json()["message"])

    def expect_writes(self, store):
        owner = store.server.client(OWNER)
        for answer in (owner.upload("new.png", png(text="new")), owner.replace("only.png", "only.png", png(text="again")),
                       owner.delete("/api/images/tenant/new.png")):
            self.assertEqual(200, answer.status, answer)

    def verify(self, store):
        done = subprocess.run([BUILD / "bin" / "gallery-admin", "verify", "--json"], env=store.server.environment(),
                              cwd=store.server.data, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((0, True), (done.returncode, json.loads(done.stdout or "{}").get("sound")), done)

    def test_there_is_a_store_of_each_engine(self):
        self.assertLessEqual(set(make_stores.ENGINES), {kept.stem for kept in STORES})

    def test_everything_is_there_and_goes_on(self):
        for kept in STORES:
            with self.subTest(f"{kept.parent.name}/{kept.stem}"), contextlib.ExitStack() as stack:
                store = OpenedStore(kept, stack)
                self.assertGreater(len(store.known["answers"]), 80)
                with store.server:
                    self.expect_answers(store)
                    self.expect_secrets(store)
                store = OpenedStore(kept, stack)
                store.server.start()
                store.server.kill()  # an upgrade, if there was one, is complete
                store.server.start()
                self.expect_answers(store)
                self.expect_writes(store)
                store.server.terminate()
                self.verify(store)

    def test_a_store_of_a_later_format_is_refused_and_not_changed(self):
        """RocksDB's is held by test/contract/rocksdb/format_test.cpp: its format is inside the database."""
        for kept in STORES:
            if kept.stem == "rocksdb":
                continue
            with self.subTest(f"{kept.parent.name}/{kept.stem}"), contextlib.ExitStack() as stack:
                store = OpenedStore(kept, stack)
                number = store.later_format()
                before = store.contents()
                self.assertGreater(len(before), 3)
                store.server.start(wait=False)
                self.assertEqual(EXIT_UNAVAILABLE, store.server.process.wait(60), store.server.log())
                self.assertRegex(store.server.log(), rf"format (is )?{number}\b.*formats? (up to )?\d+\b")
                self.assertEqual(before, store.contents())


if __name__ == "__main__":
    unittest.main()
