# SPDX-License-Identifier: Apache-2.0
"""The packages of this tree, of a finished build."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build" / "release"))


def build_packages(folder):
    """All packages, in @p folder. Returns that of the server."""
    done = subprocess.run([str(ROOT / "etc/package.sh"), "--build", str(BUILD), "--output", str(folder)],
                          capture_output=True, text=True, check=False,
                          # They are unpacked here only, so compression is a waste.
                          env={**os.environ, "DPKG_DEB_COMPRESSOR_LEVEL": "0"})
    if done.returncode != 0:
        raise AssertionError(f"etc/package.sh ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return next(folder.glob("gallery-server_*.deb"))
