# SPDX-License-Identifier: Apache-2.0
"""Which folders the server takes for its data, and what it says of the others."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from admin_tool import BINARY, CONFIGURATION
from harness import BUILD, Server, SYSADMIN

SERVER = BUILD / "bin" / "gallery-server"


def mode(path):
    return os.stat(path).st_mode & 0o7777


class DataFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gallery-folder-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.data.chmod(0o755)

    def refused(self, program, *arguments, words, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GALLERY_", "STORAGE_"))}
        done = subprocess.run([str(program), *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120,
                              env={**env, "HTTP_BIND_PORT": "0", "GALLERY_DATA": str(self.data), **environment},
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(CONFIGURATION, done.returncode, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def serve(self):
        with Server(data=self.folder, environment={"STORAGE_PATH": ""}) as server:
            server.client(SYSADMIN)
            return server.log()

    def test_a_folder_that_others_use_is_left_as_it_is(self):
        (self.data / "other.txt").write_text("somebody's")
        self.refused(SERVER, words=[f"chmod 700 '{self.data}'", "0755", "other.txt"])
        self.assertEqual(0o755, mode(self.data))
        self.assertEqual(["other.txt"], os.listdir(self.data))

    def test_a_store_folder_that_others_use_is_left_as_it_is(self):
        other = self.folder / "other"
        other.mkdir()
        other.chmod(0o755)
        (other / "other.txt").write_text("somebody's")
        for program, arguments in ((SERVER, []), (BINARY, ["verify"])):
            self.refused(program, *arguments, words=[f"chmod 700 '{other}'"], STORAGE_PATH=str(other))
            self.assertEqual(0o755, mode(other))

    def test_an_empty_folder_is_taken_and_so_is_the_servers_own(self):
        self.assertIn("had the mode 0755", self.serve())
        self.assertEqual(0o700, mode(self.data))
        store = next(p for p in self.data.iterdir() if p.is_dir())
        # As after a copy that did not keep the modes.
        for folder in (self.data, store):
            folder.chmod(0o755)
        self.serve()
        self.assertEqual((0o700, 0o700), (mode(self.data), mode(store)))

    def test_another_users_folder_is_for_that_user(self):
        """Never advice to change the owner: that would lock out the server that the folder belongs to."""
        if os.geteuid() == 0:
            (self.data / "rocksdb").mkdir(mode=0o700)
            for folder in (self.data, self.data / "rocksdb"):
                os.chown(folder, 65534, 65534)
            theirs, user = self.data, "65534"
        else:
            theirs, user = pathlib.Path("/usr"), "root"
        told = [self.refused(SERVER, words=["runuser -u", user, "belongs to"], GALLERY_DATA=str(theirs))]
        if os.geteuid() == 0:
            told.append(self.refused(BINARY, "verify", words=["runuser -u", user, "belongs to"]))
            told.append(self.refused(BINARY, "reset-sysadmin", words=["runuser -u", user, "belongs to"]))
        for text in told:
            self.assertNotIn("chown", text)

    def test_a_user_who_may_not_look_inside_is_told_whose_it_is(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        store = self.data / "rocksdb"
        store.mkdir(mode=0o700)
        self.data.chmod(0o700)
        self.folder.chmod(0o755)
        env = {"PATH": os.environ["PATH"], "GALLERY_DATA": str(self.data)}
        try:
            done = subprocess.run([str(BINARY), "verify"], cwd="/", capture_output=True, text=True, timeout=120,
                                  env=env, user=65534, group=65534, extra_groups=[], check=False)
        except PermissionError:
            self.skipTest("the build is for its user alone")
        self.assertEqual(CONFIGURATION, done.returncode, done.stderr)
        self.assertIn("belongs to user root (0)", done.stderr)


if __name__ == "__main__":
    unittest.main()
