#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The least that an answer can cost on this machine, as a share of what nginx takes for it.

    test/load/floor.py [--pairs 3] [--seconds 2] [--connections 64]

Runs build/release/bin/floor_server, which reads without looking and sends a constant, and nginx in turn, pinned and
driven as compare.sh does it, and prints for each case CPU us per request, the ratio, and requests/s. A ratio that
compare.sh shows for the gallery cannot be below the one that is shown here. Takes a minute.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "compare"))
import main as compare  # noqa: E402
import pictures  # noqa: E402
import sides  # noqa: E402
import wrk  # noqa: E402

CASES = {"304": (10240, 0), "2k": (2048, 2048), "10k": (10240, 10240)}


class Floor:
    name = "floor"

    def __init__(self, size, core):
        self.port = sides.harness.free_port()
        program = sides.harness.BUILD / "bin" / "floor_server"
        self.process = subprocess.Popen(sides.pinned([str(program), str(self.port), str(size)], core))

    def cpu(self):
        return sides.cpu_seconds(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    options.smoke = False
    print(f"{'case':5} {'CPU us':>8} {'nginx':>8} {'ratio':>6} {'requests/s':>11} {'nginx':>9} {'ratio':>6}")
    for case, (file_size, answer_size) in CASES.items():
        nginx = sides.Nginx({"picture.png": pictures.png(file_size, 1)}, 0)
        floor = Floor(answer_size, 0)
        try:
            path = nginx.path("picture.png")
            fields = {**wrk.BROWSER, "X-Authorization": "Bearer " + "x" * 560}
            if case == "304":
                fields["If-None-Match"] = nginx.client.get(path).header("ETag")
            rows = []
            for _ in range(options.pairs):
                rows.append([compare.one_run(side, path, fields, options, 1) for side in (floor, nginx)])
        finally:
            floor.stop()
            nginx.stop()

        def median(side, figure):
            return statistics.median(row[side][figure] for row in rows)

        def ratio(figure):
            return statistics.median(row[0][figure] / row[1][figure] for row in rows)
        print(f"{case:5} {median(0, 'cpu'):8.2f} {median(1, 'cpu'):8.2f} {ratio('cpu'):6.2f} "
              f"{median(0, 'rate'):11,.0f} {median(1, 'rate'):9,.0f} {ratio('rate'):6.2f}")


if __name__ == "__main__":
    main()
