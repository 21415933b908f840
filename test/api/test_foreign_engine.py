# SPDX-License-Identifier: Apache-2.0
"""A storage engine of somebody else, built from the public headers alone, as source and target of copies, mirrors, switches,
backups and restores. GALLERY_FOREIGN_ENGINE names the plugin, which test/contract builds (journal.cpp)."""
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from admin_tool import environment, run
from harness import BUILD, TENANT, Server
from mirror_tool import MirrorTest
from test_copy import gallery_of, path_of

FOREIGN = "journal"
PLUGIN = os.environ.get("GALLERY_FOREIGN_ENGINE")


@unittest.skipUnless(PLUGIN, "GALLERY_FOREIGN_ENGINE names no plugin; ctest sets it")
class ForeignEngine(MirrorTest):
    own = "rocksdb"  # the engine of the server

    @classmethod
    def setUpClass(cls):
        """A folder of plugins as an operator has it who has added one."""
        cls.plugins = pathlib.Path(tempfile.mkdtemp(prefix="gallery-plugins-"))
        cls.addClassCleanup(shutil.rmtree, cls.plugins)
        for file in [*(BUILD / "lib/gallery/plugins").glob("*.so"), pathlib.Path(PLUGIN)]:
            shutil.copy(file, cls.plugins / file.name)
            (cls.plugins / file.name).chmod(0o755)

    def setUp(self):
        self.plugin = self.own
        self.options = {"STORAGE_PLUGIN_DIR": str(self.plugins)}
        super().setUp()

    def fill_all(self):
        """Images, changed records, replaced and deleted ones with their kept versions, and accounts."""
        self.fill(14)
        for number, one in enumerate(self.tenant.list(pageSize=100).json()["data"]):
            path = path_of(one)
            if number % 3 == 0:
                self.assertEqual(200, self.tenant.put(path + "/tags", {"tags": ["plant", f"number {number}"]}).status)
            elif number % 3 == 1:
                self.assertEqual(200, self.tenant.put(path + "/info", dict(one, title=f"changed {number}")).status)
        self.assertEqual(200, self.tenant.delete("/api/images/tenant/picture%204.png").status)
        self.call("tenant", "create", "Second")

    def switch(self):
        self.wait_for(lambda now: now.get("canSwitch"))
        return self.json("mirror", "switch", "--yes")

    def tool(self, *arguments):
        """gallery-admin without a server, with the same plugins."""
        done = run(*arguments, "--json", env=environment(STORAGE_PLUGIN_DIR=str(self.plugins)))
        self.assertEqual(0, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def check_copied(self, there, back):
        """Copied from the closed store of the server to the engine `there` and on to `back`, each answers the same."""
        self.fill_all()
        seen = gallery_of(self.tenant)
        self.assertEqual(0, self.server.terminate())
        places = [(self.own, self.server.data / "data/storage"), (there, self.folder / "there"), (back, self.folder / "back")]
        for (source, source_path), (target, target_path) in zip(places, places[1:]):
            report = self.tool("copy", "--from", f"{source}:{source_path}", "--to", f"{target}:{target_path}", "--verify")
            self.assertEqual((True, True), (report["complete"], report["verified"]["same"]))
            again = self.tool("copy", "--from", f"{source}:{source_path}", "--to", f"{target}:{target_path}")
            self.assertEqual((0, 0), (again["copied"], again["documentsWritten"]))
            self.check_serves(target, target_path, seen)

    def check_serves(self, plugin, folder, seen):
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (place / "data").mkdir(mode=0o700)
        shutil.copytree(folder, place / "data/storage")
        (place / "data/storage").chmod(0o700)
        with Server(plugin=plugin, data=place, environment={"STORAGE_PLUGIN_DIR": str(self.plugins)}) as other:
            self.assertEqual(seen, gallery_of(other.client(TENANT)))

    def check_switched(self, target):
        """Mirrored, verified, switched, killed, and switched back, with writes in between."""
        self.fill_all()
        self.json("mirror", "start", target, "--path", str(self.backups / "one"))
        self.wait_until_current()
        self.fill(3, "followed")
        self.wait_until_current()
        for engine, name in ((target, "in the mirror"), (self.own, "back again")):
            verified = self.json("mirror", "verify")["verified"]
            self.assertEqual((True, []), (verified["same"], verified["repaired"]))
            seen = gallery_of(self.tenant)
            self.assertEqual(engine, self.switch()["active"]["engine"])
            self.assertEqual(seen, gallery_of(self.tenant))
            self.fill(3, name)
            self.assertEqual(200, self.tenant.delete(f"/api/images/tenant/{name.replace(' ', '%20')}%201.png").status)
            seen = gallery_of(self.tenant)
            self.server.kill()
            self.server.start()
            self.assertEqual(engine, self.state()["active"]["engine"])
            self.assertEqual(seen, gallery_of(self.tenant))
            self.wait_until_current()
        # No server starts on it: it has been the store of this one. So it is read by a copy.
        self.assertIn("completed", self.json("mirror", "stop", "--yes"))
        seen = gallery_of(self.tenant)
        place = self.folder / "copied"
        report = self.tool("copy", "--from", f"{target}:{self.backups / 'one'}", "--to", f"{self.own}:{place}", "--verify")
        self.assertEqual((True, True), (report["complete"], report["verified"]["same"]))
        self.check_serves(self.own, place, seen)

    def check_restored(self, engine, plugin):
        """From a backup that is a store of `engine` to an empty store of `plugin`."""
        self.fill_all()
        seen = gallery_of(self.tenant)
        target = str(self.backups / "nightly")
        self.assertTrue(self.json("backup", target, "--engine", engine, "--verify")["verified"]["same"])
        self.assertEqual(0, self.json("backup", target, "--engine", engine)["imagesTransferred"])
        place = self.folder / "restored"
        place.mkdir()
        other = Server(plugin=plugin, data=place, environment={"STORAGE_PLUGIN_DIR": str(self.plugins)})
        self.addCleanup(other.stop)
        done = run("restore", target, "--engine", engine, "--verify", "--json", env=other.environment())
        self.assertEqual(0, done.returncode, done)
        self.assertTrue(json.loads(done.stdout)["verified"]["same"])
        other.start()
        self.assertEqual(seen, gallery_of(other.client(TENANT)))


class ToForeign(ForeignEngine):
    def test_a_copy(self):
        self.check_copied(FOREIGN, "filesystem")

    def test_a_mirror_and_its_switch(self):
        self.check_switched(FOREIGN)

    def test_a_backup_and_its_restore(self):
        self.check_restored(FOREIGN, "rocksdb")


class FromForeign(ForeignEngine):
    own = FOREIGN

    def test_a_copy(self):
        self.check_copied("rocksdb", FOREIGN)

    def test_a_mirror_and_its_switch(self):
        self.check_switched("filesystem")

    def test_a_backup_and_its_restore(self):
        self.check_restored("filesystem", FOREIGN)


if __name__ == "__main__":
    unittest.main()
