#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures gallery-admin copy beside what it cannot beat: cp -a of the same folder, and the same images put into an empty
store of the target's engine by its plugin alone.

    test/load/copy_bench.py [--images 10000] [--bytes 32000] [--turns 7] [--folder /tmp]

A turn does each of these once, in random order, each followed by a flush of the file system (syncfs), which counts:
cp -a of a filesystem store, copy from filesystem to filesystem, copy from filesystem to rocksdb, and fill_store for
both engines. Prints the median of each time, and the median over the turns of the ratios of speed: 1.0 is as fast.
The disk decides, and its speed varies: the first lines show the spread.
"""
import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build/release"))
TENANT = "13814000-1dd2-11b2-8080-808080808080"


def plugin(engine):
    return BUILD / f"lib/gallery/plugins/{engine}.so"


def quietly(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          env={**os.environ, "STORAGE_PLUGIN_DIR": str(BUILD / "lib/gallery/plugins")})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.source = folder / "source"
        self.fill("filesystem", self.source)

    def fill(self, engine, place):
        place.mkdir(mode=0o700)
        quietly(BUILD / "bin/fill_store", "--plugin", plugin(engine), "--folder", place, "--tenant", TENANT,
                "--images", self.options.images, "--bytes", self.options.bytes)

    def copy(self, engine, place):
        quietly(BUILD / "bin/gallery-admin", "copy", "--from", f"filesystem:{self.source}", "--to",
                f"{engine}:{place}")

    def timed(self, work):
        """Seconds until the work is on the disk. The place is removed afterwards."""
        place = self.folder / "target"
        os.sync()
        begun = time.monotonic()
        work(place)
        quietly("sync", "-f", self.folder)
        taken = time.monotonic() - begun
        shutil.rmtree(place)
        return taken

    def turn(self):
        work = {
            "cp -a": lambda place: quietly("cp", "-a", self.source, place),
            "copy to filesystem": lambda place: self.copy("filesystem", place),
            "copy to rocksdb": lambda place: self.copy("rocksdb", place),
            "fill filesystem": lambda place: self.fill("filesystem", place),
            "fill rocksdb": lambda place: self.fill("rocksdb", place),
        }
        order = list(work)
        random.shuffle(order)
        return {name: self.timed(work[name]) for name in order}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=32_000, help="of an image, on average")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="on the disk that is measured")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="copy-bench-", dir=options.folder))
    try:
        bench = Bench(options, folder)
        turns = []
        for number in range(options.turns):
            turns.append(bench.turn())
            print(f"turn {number + 1}:", ", ".join(f"{n} {t:.1f} s" for n, t in sorted(turns[-1].items())), flush=True)
        print()
        for name in sorted(turns[0]):
            times = [turn[name] for turn in turns]
            print(f"{name:20} {statistics.median(times):6.1f} s   ({min(times):.1f} to {max(times):.1f})")
        print()
        for mine, other in (("copy to filesystem", "cp -a"), ("copy to filesystem", "fill filesystem"),
                            ("copy to rocksdb", "fill rocksdb")):
            ratios = [turn[other] / turn[mine] for turn in turns]
            print(f"{mine} beside {other}: {statistics.median(ratios):.2f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
