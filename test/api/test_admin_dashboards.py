# SPDX-License-Identifier: Apache-2.0
"""gallery-admin dashboards shrink."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import uuid

from admin_tool import BINARY, NOT_FOUND, NOT_PERMITTED, OUTPUT, REFUSED, USAGE, AdminTest, run
from harness import CUSTOMER, TENANT, testdata
from test_documents import TYPES, data_url, unique_png


class Shrink(AdminTest):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def shrink(self, *arguments, code=0, who=TENANT):
        return self.call("dashboards", "shrink", *map(str, arguments), who=who, code=code)

    def file(self, text, name=None):
        path = self.folder / (name or f"{uuid.uuid4().hex}.json")
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return path

    def test_a_file_is_replaced_and_only_pictures_change(self):
        picture = data_url(unique_png())
        text = f'\n{{"a": 1.0, "document":"\\"document\\":" ,"p" :"{picture}","z":1E+2,"p":"{picture}"}}\n\n'
        path = self.file(text)
        path.chmod(0o640)
        (done,) = json.loads(self.shrink(path, "--json").stdout)
        link = "tb-image;" + done["images"][0]["link"]
        self.assertEqual(text.replace(picture, link), path.read_text())
        self.assertEqual(0o640, path.stat().st_mode & 0o777)
        self.assertEqual((1, 0, len(text), path.stat().st_size, str(path)),
                         (done["created"], done["reused"], done["sizeBefore"], done["sizeAfter"], done["written"]))
        self.assertEqual([path.name], os.listdir(self.folder))

    def test_real_pictures_and_a_second_run(self):
        files = [f for f in testdata() if f.stat().st_size < 300_000]
        document = {"title": "Real", "pictures": [data_url(f.read_bytes(), TYPES[f.suffix]) for f in files]}
        first, second = self.file(document), self.file(document)
        self.shrink(first)
        self.assertLess(first.stat().st_size, second.stat().st_size / 20)
        (done,) = json.loads(self.shrink(second, "--json").stdout)
        self.assertEqual(0, done["created"])
        self.assertEqual(first.read_bytes(), second.read_bytes())
        # There is nothing left to do, and the file is not touched.
        before = first.stat().st_mtime_ns, first.stat().st_ino
        (done,) = json.loads(self.shrink(first, "--json").stdout)
        self.assertIsNone(done["written"])
        self.assertEqual(before, (first.stat().st_mtime_ns, first.stat().st_ino))

    def test_a_dry_run_changes_nothing(self):
        path = self.file([data_url(unique_png())])
        text = path.read_text()
        for _ in range(2):
            (done,) = json.loads(self.shrink(path, "--dry-run", "--json").stdout)
            self.assertEqual((1, None, None), (done["created"], done["written"], done["sizeAfter"]))
        self.assertEqual(text, path.read_text())

    def test_output_to_a_file_and_into_a_folder(self):
        one, two = self.file([data_url(unique_png())], "one.json"), self.file("[1.0]", "two.json")
        before = one.read_text()
        self.shrink(one, "--output", self.folder / "small.json")
        self.assertIn("tb-image;", (self.folder / "small.json").read_text())
        target = self.folder / "target"
        self.shrink(one, two, "--output", self.folder / "missing", code=USAGE)
        target.mkdir()
        self.shrink(one, two, "--output", target)
        self.assertEqual((self.folder / "small.json").read_text(), (target / "one.json").read_text())
        self.assertEqual("[1.0]", (target / "two.json").read_text())
        self.assertEqual(before, one.read_text())
        (self.folder / "sub").mkdir()
        other = self.folder / "sub" / "one.json"
        other.write_text("[]")
        self.shrink(one, other, "--output", target, code=USAGE)

    @unittest.skipIf(os.geteuid() != 0, "only root can give a file to somebody else")
    def test_a_replaced_file_keeps_its_owner_and_its_permissions(self):
        for mode in (0o600, 0o2755):
            path = self.file([data_url(unique_png())])
            os.chown(path, 12345, 23456)
            path.chmod(mode)
            self.shrink(path)
            about = path.stat()
            self.assertIn("tb-image;", path.read_text())
            self.assertEqual((12345, 23456, mode), (about.st_uid, about.st_gid, about.st_mode & 0o7777))

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_a_private_file_is_never_readable_for_others(self):
        path = self.file([data_url(unique_png())])
        path.chmod(0o600)
        trace = self.folder / "trace"
        calls = "trace=open,openat,rename,renameat,renameat2,fchmod,chmod,fchmodat,fchown,fsync"
        done = subprocess.run(["strace", "-f", "-o", str(trace), "-e", calls, str(BINARY), "dashboards", "shrink", str(path)],
                              env=self.env(TENANT), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        calls = trace.read_text()
        written, renamed = calls.split("rename", 1)
        self.assertIn("0600", next(line for line in written.splitlines() if ".gallery-admin-" in line))
        self.assertNotIn("chmod", renamed)
        self.assertIn("fsync", renamed)

    def test_a_device_is_not_replaced(self):
        path = self.file([data_url(unique_png())])
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        self.shrink(path, "--output", pipe, code=OUTPUT)
        self.assertTrue(pipe.is_fifo())

    def test_a_link_to_a_file_stays_a_link(self):
        path = self.file([data_url(unique_png())])
        link = self.folder / "link.json"
        link.symlink_to(path.name)
        self.shrink(link)
        self.assertTrue(link.is_symlink())
        self.assertIn("tb-image;/api/", path.read_text())

    def test_other_files_go_on_after_a_failure(self):
        bad = self.file({"a": [data_url(b"no picture")]})
        broken, good = self.file("{"), self.file([data_url(unique_png())])
        kept = bad.read_text()
        done = run("dashboards", "shrink", str(bad), str(broken), str(good), str(self.folder / "missing.json"),
                   env=self.env(TENANT))
        self.assertEqual(REFUSED, done.returncode)
        self.assertIn("'/a/0'", done.stderr)
        self.assertIn(str(broken), done.stderr)
        self.assertIn("3 of 4 failed", done.stderr)
        self.assertEqual(kept, bad.read_text())
        self.assertIn("tb-image;", good.read_text())
        self.assertIn(str(good), done.stdout)
        self.shrink(self.folder / "missing.json", code=NOT_FOUND)
        self.shrink(code=USAGE)

    def test_pictures_that_stay_are_named(self):
        path = self.file({"css": "url(data:image/png;base64,AAAA)"})
        done = self.shrink(path)
        self.assertIn("/css stays: a picture inside a longer text", done.stderr)

    def test_a_customer_may_not(self):
        path = self.file([data_url(unique_png())])
        before = path.read_text()
        self.shrink(path, code=NOT_PERMITTED, who=CUSTOMER)
        self.assertEqual(before, path.read_text())


if __name__ == "__main__":
    unittest.main()
