#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the access log costs: CPU time and system calls of a request with the log, beside the same without it.

    test/load/access_log_bench.py [--turns 7] [--seconds 3] [--format json]

Two servers, one with ACCESS_LOG_FORMAT, serve one picture from memory to 64 connections of wrk, in alternating turns: a
304 and a 200 of 2 KB. Prints the median of the ratios of CPU time per request, 1.00 for no difference, and counts the
system calls of 2,000 requests of one connection with strace.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test/api"), str(ROOT / "test/load/compare")]
import wrk  # noqa: E402
from harness import Server, png  # noqa: E402

COUNTED = 2_000


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Side:
    def __init__(self, environment):
        self.server = Server("rocksdb", environment={"HTTP_IO_THREADS": "1", **environment})
        self.server.start()
        self.client = self.server.client()
        data = png(text="x" * 2000)
        assert self.client.upload("a.png", data).status == 200
        self.etag = self.client.image("a.png").header("ETag")
        self.fields = {"X-Authorization": "Bearer " + self.client.token, **wrk.BROWSER}

    def cost(self, fields, seconds):
        before = cpu_seconds(self.server.process.pid)
        found = wrk.run(self.server.port, "/api/images/tenant/a.png", {**self.fields, **fields}, seconds)
        return (cpu_seconds(self.server.process.pid) - before) / found["requests"]

    def calls(self):
        """By name, of COUNTED requests."""
        with tempfile.NamedTemporaryFile("r", suffix=".txt") as file:
            tracer = subprocess.Popen(["strace", "-f", "-c", "-o", file.name, "-p", str(self.server.process.pid)],
                                      stderr=subprocess.PIPE, text=True)
            tracer.stderr.readline()  # it is attached
            for _ in range(COUNTED):
                self.client.image("a.png", headers={"If-None-Match": self.etag})
            tracer.terminate()
            tracer.wait()
            found = {}
            for line in file.read().splitlines():
                row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
                if row and row[2] != "total":
                    found[row[2]] = int(row[1])
            return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--format", default="json", choices=("json", "combined"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side({}), Side({"ACCESS_LOG_FORMAT": options.format, "ACCESS_LOG_FILE": folder + "/access.log"})]
        try:
            for name, fields in (("304", {"If-None-Match": sides[0].etag}), ("200 of 2 KB", {})):
                ratios = []
                for turn in range(options.turns):
                    order = sides if turn % 2 == 0 else sides[::-1]
                    costs = {side: side.cost(fields, options.seconds) for side in order}
                    ratios.append(costs[sides[1]] / costs[sides[0]])
                print(f"{name}: CPU time with the log {statistics.median(ratios):.3f} of that without "
                      f"({min(ratios):.3f} to {max(ratios):.3f})", flush=True)
            without, with_log = (side.calls() for side in sides)
            for name in sorted(without | with_log):
                print(f"{name}: {without.get(name, 0) / COUNTED:.3f} a request without the log, "
                      f"{with_log.get(name, 0) / COUNTED:.3f} with it")
        finally:
            for side in sides:
                side.server.stop()


if __name__ == "__main__":
    main()
