# SPDX-License-Identifier: Apache-2.0
"""The README's tour does what it says: its commands are run as they stand there, against a server of ours."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import ROOT, Server


def tour():
    """The environment that the section's first shell block starts the server with, and the other blocks."""
    text = (ROOT / "README.md").read_text()
    section = text.split("## A tour with curl", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.S)
    assert "etc/run.sh" in blocks[0], "the tour begins with the start of the server"
    return dict(re.findall(r"(\w+)=(\S+) ", blocks[0])), "\n".join(blocks[1:])


class Readme(unittest.TestCase):
    def test_the_tour_with_curl_works_as_it_stands(self):
        """After the start of "Two commands", as whoever reads from the top has made it."""
        environment, script = tour()
        self.assertIn("GALLERY_DEMO_PASSWORD", environment)
        expected = re.findall(r"# (\d{3})$", script, re.M)
        self.assertEqual(["304", "200"], expected)
        script = script.replace("http://127.0.0.1:8080", "http://127.0.0.1:$PORT")
        plain = {"GALLERY_DATA": "./data", "STORAGE_PATH": "", "GALLERY_DEMO_PASSWORD": "",
                 "GALLERY_SYSADMIN_PASSWORD": ""}
        with tempfile.TemporaryDirectory() as folder:
            with Server(environment=plain, data=folder) as first:
                first.wait_for_report()
            with Server(environment={**plain, **environment}, data=folder) as server:
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True,
                                      text=True, env={"PATH": "/usr/bin:/bin", "PORT": str(server.port)}, timeout=60,
                                      check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        lines = done.stdout
        self.assertEqual(expected, re.findall(r"(?:^|\})(\d{3})$", lines, re.M), lines)
        self.assertIn('"title":"Our logo"', lines)
        self.assertRegex(lines, r'"totalElements":1\b')
        self.assertIn('{"success":true,"references":null}', lines)

    def test_every_place_that_is_named_is_there(self):
        text = (ROOT / "README.md").read_text().split("## Where things are", 1)[1]
        names = re.findall(r"^\| `([^`]+)`", text, re.M)
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertTrue((ROOT / pathlib.Path(name)).exists(), name)

    def test_every_place_that_contributing_names_exists(self):
        text = (ROOT / "CONTRIBUTING.md").read_text()
        names = set(re.findall(r"`((?:common|server|storage_plugins|test|etc)/[^`\s<]*)`", text))
        self.assertGreater(len(names), 50)
        for name in sorted(names):
            self.assertTrue((ROOT / pathlib.Path(name)).exists(), name)

    def test_every_test_that_the_threat_model_names_exists(self):
        text = (ROOT / "etc" / "doc" / "security.md").read_text()
        names = set(re.findall(r"`(unit|api)_(\w+)/(\w+)`", text))
        self.assertGreater(len(names), 80)
        for kind, group, name in sorted(names):
            with self.subTest(f"{kind}_{group}/{name}"):
                files = (ROOT / "test" / "unit" / group).glob("*.cpp") if kind == "unit" else [
                    ROOT / "test" / "api" / f"test_{group}.py"]
                said = rf"BOOST_AUTO_TEST_CASE\({name}\)" if kind == "unit" else rf"def {name}\("
                self.assertTrue(any(re.search(said, file.read_text()) for file in files))
        for path in set(re.findall(r"`(test/[^`\s]*)`", text)):
            self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
