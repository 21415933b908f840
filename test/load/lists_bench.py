#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What lists cost in a tenant with many images, over HTTP, and how long the server takes to start with them.

    test/load/lists_bench.py [--images 100000] [--plugin rocksdb --plugin filesystem] [--repeat 100] [--folder /tmp]

Fills a store through its plugin (bin/fill_store), starts the release server on it, and asks for pages of 30 on one
kept connection: by createdTime and by title, the first, a middle and the last one, and with a search. Prints the
median and the 95th percentile in milliseconds, and holds the medians to what is wanted. Some 2 minutes a plugin;
100,000 images take 0.2 GB (rocksdb) or 1.3 GB (filesystem) in the folder, which are removed again.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
from harness import BUILD, Server  # noqa: E402

PAGE = 30
WANTED = {"rocksdb": {"page": 3, "search": 60, "start": 15}, "filesystem": {"page": 6, "search": 120, "start": 15}}


def fill(server, tenant, images):
    began = time.monotonic()
    subprocess.run([BUILD / "bin" / "fill_store", "--plugin", BUILD / f"lib/gallery/plugins/{server.plugin}.so",
                    "--folder", server.data / "data" / "storage", "--tenant", tenant, "--images", str(images)],
                   check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def measure(client, total, repeat, **query):
    """Milliseconds per answer, each checked."""
    times, elements = [], None
    for _ in range(repeat):
        began = time.perf_counter()
        answer = client.list(pageSize=PAGE, **query)
        times.append((time.perf_counter() - began) * 1000)
        page = answer.json()
        elements = page["totalElements"]
        if answer.status != 200 or (total is not None and elements != total) or not page["data"]:
            raise SystemExit(f"unexpected answer: {answer}")
    times.sort()
    return statistics.median(times), times[len(times) * 95 // 100], elements


def run(plugin, images, repeat, folder):
    missed = []

    def report(what, median, p95, wanted, note=""):
        good = median <= wanted
        if not good:
            missed.append(what)
        print(f"{plugin:11} {what:42} median {median:8.2f} ms  p95 {p95:8.2f} ms  wanted <= {wanted:g}"
              f"{'' if good else '  MISSED'}{note}", flush=True)

    with tempfile.TemporaryDirectory(prefix="gallery-lists-", dir=folder) as data:
        server = Server(plugin, data=data)
        try:
            server.start()
            client = server.client()
            tenant = client.get("/api/auth/user").json()["tenantId"]["id"]
            have = client.list(pageSize=1).json()["totalElements"]
            server.terminate()
            print(f"{plugin:11} filled with {images} images in {fill(server, tenant, images):.0f} s", flush=True)
            began = time.monotonic()
            server.start()
            start = time.monotonic() - began
            report("start, until ready", start * 1000, start * 1000, WANTED[plugin]["start"] * 1000)

            client = server.client(keep=True)
            total = have + images
            last = (total - 1) // PAGE
            for sort in ("createdTime", "title"):
                for order in ("ASC", "DESC"):
                    for name, page in (("first", 0), ("middle", last // 2), ("last", last)):
                        median, p95, _ = measure(client, total, repeat, page=page, sortProperty=sort, sortOrder=order)
                        report(f"{sort} {order}, {name} page", median, p95, WANTED[plugin]["page"])
            # Each page once, wherever it lies: nothing that was just asked for.
            times = []
            for i in range(repeat):
                page = i * 7919 % last
                times.append(measure(client, total, 1, page=page, sortProperty="title", sortOrder="ASC")[0])
            times.sort()
            report("title ASC, pages anywhere", statistics.median(times), times[len(times) * 95 // 100],
                   WANTED[plugin]["page"])
            for text in ("valve", "pump 12", "TANK", "o"):
                for sort in ("createdTime", "title"):
                    median, p95, found = measure(client, None, max(10, repeat // 4), page=0, textSearch=text,
                                                 sortProperty=sort, sortOrder="ASC")
                    report(f"{sort}, textSearch={text}", median, p95, WANTED[plugin]["search"], f"  ({found} found)")
            with_system = client.list(pageSize=PAGE, page=0, includeSystemImages="true").json()["totalElements"]
            median, p95, _ = measure(client, with_system, repeat, page=0, includeSystemImages="true")
            report("with system images, first page", median, p95, WANTED[plugin]["page"])
        finally:
            server.stop()
    return missed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=100_000)
    options.add_argument("--plugin", action="append")
    options.add_argument("--repeat", type=int, default=100)
    options.add_argument("--folder", default=tempfile.gettempdir())
    given = options.parse_args()
    missed = [f"{plugin}: {what}" for plugin in given.plugin or ["rocksdb", "filesystem"]
              for what in run(plugin, given.images, given.repeat, given.folder)]
    if missed:
        print("missed: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
