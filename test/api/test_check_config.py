# SPDX-License-Identifier: Apache-2.0
"""gallery-server --check-config: a configuration that it reports as valid can be used."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from admin_tool import CONFIGURATION
from harness import BUILD


class CheckConfig(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gallery-config-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def run_server(self, *arguments, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GALLERY_", "STORAGE_", "SSL_", "HTTP_"))}
        env.update({"HTTP_BIND_PORT": "0", "GALLERY_DATA": str(self.folder / "data"), "TMPDIR": str(self.temporary)})
        return subprocess.run([str(BUILD / "bin" / "gallery-server"), *arguments], cwd=self.folder, timeout=120,
                              env={**env, **environment}, capture_output=True, text=True, check=False)

    def config(self, text):
        path = self.folder / "my.yml"
        path.write_text(text)
        return ("--config", str(path))

    def refused(self, done, words):
        self.assertEqual(CONFIGURATION, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("is valid", done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def check_refuses(self, *words, arguments=(), **environment):
        told = self.refused(self.run_server(*arguments, "--check-config", **environment), words)
        self.assertFalse((self.folder / "data").exists())
        return told

    def test_what_can_be_used_is_said_and_nothing_is_left_behind(self):
        for plugin in ("rocksdb", "filesystem", "memory"):
            done = self.run_server("--check-config", STORAGE_PLUGIN=plugin, GALLERY_DEMO_PASSWORD="x" * 72)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("# The configuration is valid", done.stdout)
            self.assertIn("accepts its options", done.stdout)
            self.assertNotIn("xxxx", done.stdout)
        self.assertEqual([], os.listdir(self.temporary))
        self.assertFalse((self.folder / "data").exists())

    def test_rules_for_pages_and_paths_that_open_too_much_or_mean_nothing_are_refused(self):
        for pattern in ("*", "https://*", "https://*.com", "https://a.example, null"):
            self.check_refuses("TB_CORS_ALLOW_CREDENTIALS", "matches every host",
                               TB_CORS_ALLOW_CREDENTIALS="true", TB_CORS_ALLOWED_ORIGIN_PATTERNS=pattern)
        self.check_refuses("TB_CORS_ALLOWED_ORIGIN_PATTERNS", "'a.example'", TB_CORS_ALLOWED_ORIGIN_PATTERNS="a.example")
        self.check_refuses("TB_CORS_ALLOWED_METHODS", "'G(T'", TB_CORS_ALLOWED_METHODS="GET, G(T")
        self.check_refuses("TB_CORS_ALLOWED_HEADERS", "'a:b'", TB_CORS_ALLOWED_HEADERS="a:b")
        for path in ("gallery", "//evil.example", "/a/../b", "/a b", "/api", "/api/v2", "/health"):
            self.check_refuses("HTTP_BASE_PATH", f'"{path}"', HTTP_BASE_PATH=path)
        done = self.run_server("--check-config", HTTP_BASE_PATH="/a/b/", TB_CORS_ALLOW_CREDENTIALS="true",
                               TB_CORS_ALLOWED_ORIGIN_PATTERNS="https://*.example.com:[*], http://localhost:4200")
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_options_that_the_plugin_refuses_are_said_with_where_they_are_set(self):
        for plugin, option, value in (("rocksdb", "writers", "0"), ("rocksdb", "cache_bytes", "abc"),
                                      ("filesystem", "threads", "none")):
            name = f"STORAGE_{plugin}_{option}".upper()
            self.check_refuses(f"storage.{plugin}.{option}", f"variable {name})", f'"{value}"',
                               **{"STORAGE_PLUGIN": plugin, name: value})
        config = self.config("storage:\n  rocksdb:\n    record_cache_bytes: 1\n    cache_bytes: x\n")
        told = self.check_refuses("my.yml:4: storage.rocksdb.cache_bytes", arguments=config)
        self.assertNotIn("record_cache", told)
        config = self.config("storage:\n  rocksdb:\n    writrs: 1\n")
        self.check_refuses("my.yml:3: storage.rocksdb.writrs", "writers", arguments=config)
        # A start says it, too.
        self.refused(self.run_server(*config), ["my.yml:3: storage.rocksdb.writrs"])

    def test_sections_of_no_plugin_stop_the_check_and_the_start(self):
        config = self.config("storage:\n  rokcsdb: {cache_bytes: 1}\n  filesystem:\n    cach_bytes: 1\n")
        words = ["my.yml:2: storage.rokcsdb.cache_bytes", "filesystem, memory, ",
                 "my.yml:4: storage.filesystem.cach_bytes"]
        self.check_refuses(*words, arguments=config)
        self.refused(self.run_server(*config), words)
        self.assertFalse((self.folder / "data").exists())

    def test_passwords_that_the_policy_refuses_stop_the_check_and_the_start(self):
        # Six bytes that are three characters pass for six characters nowhere.
        for name, value in (("GALLERY_DEMO_PASSWORD", "x" * 80), ("GALLERY_SYSADMIN_PASSWORD", "äöü"),
                            ("GALLERY_SYSADMIN_PASSWORD", "seven\tcharacters")):
            told = self.check_refuses(name, "Password" if "\t" not in value else "control", **{name: value})
            self.assertNotIn(value, told)
            self.refused(self.run_server(**{name: value}), [name])
        self.assertFalse((self.folder / "data").exists())

    def test_files_and_folders_that_are_not_there_are_said_all_at_once(self):
        self.check_refuses("'server.pem' cannot be used: No such file", "variable GALLERY_CONSOLE_DIR)", "/nonexistent/c",
                           "variable GALLERY_SYSTEM_IMAGES_DIR)", "/nonexistent/i", SSL_ENABLED="true",
                           GALLERY_CONSOLE_DIR="/nonexistent/c", GALLERY_SYSTEM_IMAGES_DIR="/nonexistent/i")

    def test_yaml_without_an_end_ends_the_check_only(self):
        for text in ("x: &a {y: *a}\n", "server: {port: 1}\n---\nserver: {port: 2}\n"):
            self.check_refuses("my.yml:", arguments=self.config(text))


if __name__ == "__main__":
    unittest.main()
