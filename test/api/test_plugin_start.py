# SPDX-License-Identifier: Apache-2.0
"""A plugin that never comes back: the server says at what it is, and can be stopped."""
import os
import pathlib
import shutil
import tempfile
import unittest

from harness import BUILD, Server


class PluginStart(unittest.TestCase):
    def setUp(self):
        # Where only this user can write, whatever the build's folder is.
        self.folder = tempfile.mkdtemp(prefix="gallery-plugin-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, plugin):
        file = pathlib.Path(self.folder) / f"{plugin}.so"
        shutil.copy(BUILD / "lib/gallery/test-plugins" / file.name, file)
        os.chmod(file, 0o644)
        server = Server(plugin=str(file)).start(wait=False)
        self.addCleanup(server.stop)
        self.addCleanup(server.kill)
        return server

    def expect_stopped(self, server):
        self.assertEqual(server.terminate(), 0)
        self.assertIn("stopped before the start was complete", server.log())

    def test_opening_that_never_ends(self):
        server = self.start("hangs_in_create")
        server.wait_for_log("opening the store in ")
        self.assertIn(f"{self.folder}/hangs_in_create.so", server.log())
        self.expect_stopped(server)

    def test_a_probe_that_never_ends(self):
        server = self.start("never_answers")
        server.wait_for_log("probing the store: never_answers")
        self.expect_stopped(server)


if __name__ == "__main__":
    unittest.main()
