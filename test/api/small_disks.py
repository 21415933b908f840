# SPDX-License-Identifier: Apache-2.0
"""File systems of a few MiB in memory, for tests of full and of read-only disks."""
import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

MIB = 1024 * 1024
HERE = pathlib.Path(__file__).resolve().parent
OWN_MOUNTS = "GALLERY_TEST_HAS_OWN_MOUNTS"  # set in the namespace that needs_mounts() makes
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


@functools.cache
def can_mount():
    with tempfile.TemporaryDirectory(prefix="gallery-disk-") as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


def needs_mounts(test):
    """A test that mounts. Whoever may not mount runs it in a user namespace of its own, in which that is permitted."""
    @functools.wraps(test)
    def run(self):
        if can_mount():
            return test(self)
        may_make_one = subprocess.run([*NAMESPACE, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
        if OWN_MOUNTS in os.environ or not may_make_one:
            self.skipTest("neither mounting a small file system nor a user namespace is permitted here")
        done = subprocess.run([*NAMESPACE, sys.executable, "-B", "-m", "unittest", "-v", self.id()], cwd=HERE,
                              env=dict(os.environ, **{OWN_MOUNTS: "1"}), capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("skipped", done.stderr)
        return None
    return run


def mount(folder, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


def make_read_only(folder):
    """The mount, which leaves the options of the file system as they are: those of a namespace cannot be set again."""
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)


def fill(folder):
    """As another process would, to the last byte."""
    with open(os.path.join(folder, "ballast"), "ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
