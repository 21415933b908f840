#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the power of the disk at random moments while clients write, and holds the server to what it acknowledged.

The data folder is on a file system of its own, on a block device that records its writes and flushes
(recording_disk.py). At the cut, writes that the device was not told to flush are lost by chance, and the device fails
from then on. What follows is a restart of the machine: the server is killed, the file system is mounted again and
repairs itself, and the server starts. Then every image must be in one of the states that its client may expect
(kill_cycles.py). The next cycle continues on the same disk. Some of the cuts hit the start itself, the first one too.
Half of the cuts come at a moment, half at a request of the device, because most of the time a disk is idle.

With --lying-disk the device ignores flushes. Then writes must be lost: this shows that the test can fail.

usage: power_cuts.py [--cycles N] [--plugin NAME] [--file-system ext4|xfs] [--clients N] [--seed N] [--lying-disk]
exit code: 0 where everything held, 1 otherwise, 77 where such a disk is not possible; says the seed.
"""
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from kill_cycles import Pictures, Violation, Writer, check, exit_code_of, listed, make_parser, verify, work_until  # noqa: E402
from recording_disk import Disk, Unavailable  # noqa: E402

LOAD_SECONDS = (0.02, 1.5)   # from when the clients begin until the cut
LOAD_REQUESTS = (1, 400)     # the same in requests of the device
START_SECONDS = (0, 0.5)
START_REQUESTS = (1, 60)
START_CUTS = 0.2             # share of the cycles whose start is cut, too
FIRST_CUTS = 3               # cuts of the first start, which creates everything
LONGEST_WAIT = 5             # seconds, for the request of the device that is to be the last
SKIPPED = 77


class PoweredWriter(Writer):
    """A disk without power is a failed one: the server may answer that it failed, but not that it succeeded."""

    refusals = (500, 503, 507)


def cut(disk, chooser, seconds, requests, totals):
    """Cuts the power after a random time or at a random request of the device."""
    seed = chooser.randrange(1 << 32)
    if chooser.random() < 0.5:
        time.sleep(chooser.uniform(*seconds))
        lost = disk.cut(seed)
    else:
        lost = disk.cut(seed, after=chooser.randint(*requests), limit=LONGEST_WAIT)
    totals["cuts"] += 1
    totals["unflushed"] += lost.unflushed
    totals["lost"] += lost.unflushed - lost.whole
    totals["torn"] += lost.in_part


def cut_a_start(server, disk, chooser, totals):
    server.start(wait=False)
    cut(disk, chooser, START_SECONDS, START_REQUESTS, totals)
    restart_machine(server, disk)


def restart_machine(server, disk):
    server.kill()
    disk.unmount()
    disk.mount()


def run_cycles(options, server, disk, totals):
    chooser = random.Random(options.seed)
    pictures = Pictures(options.seed)
    for _ in range(FIRST_CUTS):
        cut_a_start(server, disk, chooser, totals)
    server.start()
    administrator = server.client()
    token = administrator.token
    samples = set(listed(administrator))
    writers = [PoweredWriter(n, server, token, pictures, chooser.random()) for n in range(options.clients)]
    under_way = {"happened": 0, "did not": 0}
    images = 0

    def cut_power():
        cut(disk, chooser, LOAD_SECONDS, LOAD_REQUESTS, totals)
        server.kill()

    for cycle in range(1, options.cycles + 1):
        work_until(cut_power, writers, cycle)
        restart_machine(server, disk)
        while chooser.random() < START_CUTS:
            cut_a_start(server, disk, chooser, totals)
        server.start()
        try:
            images, outcomes = check(server, token, writers, samples)
        except Violation as e:
            raise Violation(f"after cycle {cycle}: {e}") from e
        for name, count in outcomes.items():
            under_way[name] += count
        if cycle % 20 == 0:
            print(f"{cycle} cycles, {sum(w.acknowledged for w in writers)} writes acknowledged, {images} images", flush=True)
    if server.terminate() != 0:
        raise Violation(f"a graceful stop ended with {server.process.returncode}")
    return verify(server), sum(w.acknowledged for w in writers), under_way, images


def run(options, server, disk):
    begun = time.monotonic()
    totals = {"cuts": 0, "unflushed": 0, "lost": 0, "torn": 0}
    disk.mount()
    report, acknowledged, under_way, images = run_cycles(options, server, disk, totals)
    writes, flushes = disk.traffic()
    print(f"{options.plugin} on {options.file_system}, a recorded loop device: {totals['cuts']} power cuts in "
          f"{time.monotonic() - begun:.0f} s; the device had {writes} writes and {flushes} flushes; {totals['unflushed']} "
          f"writes were not flushed at a cut, {totals['lost']} of them were lost, {totals['torn']} in part; {acknowledged} "
          f"acknowledged writes all held; of {sum(under_way.values())} under way {under_way['happened']} happened; "
          f"{images} images left; verify: {report['images']} images, {report['bodies']} bodies, sound")
    if acknowledged == 0:
        raise Violation("no write was acknowledged, so nothing was tested")


def main():
    parser = make_parser(__doc__, cycles=5, clients=8)
    parser.add_argument("--plugin", default=os.environ.get("STORAGE_PLUGIN", "rocksdb"))
    parser.add_argument("--file-system", choices=("ext4", "xfs"), default="ext4")
    parser.add_argument("--lying-disk", action="store_true", help="ignore flushes; succeeds where writes are lost")
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="gallery-power-"))
    disk = server = None
    try:
        disk = Disk(options.file_system, work, ignores_flushes=options.lying_disk)
        server = harness.Server(plugin=options.plugin)
        server.extra = {"GALLERY_DATA": str(disk.folder / "data"), "STORAGE_PATH": str(disk.folder / "data/storage")}
        again = f"--plugin {options.plugin} --file-system {options.file_system} --seed {options.seed}"
        found = exit_code_of(lambda chosen, started: run(chosen, started, disk), options, server, again)
    except Unavailable as e:
        print(f"skipped: a power cut requires root, /dev/fuse, loop devices and mkfs.{options.file_system}: {e}")
        return SKIPPED
    finally:
        if disk:
            disk.close()
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    if options.lying_disk:
        print("the loss was found, as it must be" if found else "FAILED: a disk that ignores flushes lost nothing")
        return 0 if found else 1
    return found


if __name__ == "__main__":
    sys.exit(main())
