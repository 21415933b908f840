# SPDX-License-Identifier: Apache-2.0
"""The comparison: which cases there are, and in which order they run. See compare.sh."""
import argparse
import os
import pathlib
import platform
import subprocess
import sys

import extras
import pictures
import plot
import report
import sides
import wrk

STATIC = {"304": 10240, "2k": 2048, "10k": 10240, "100k": 102400, "1m": 1048576}
EXTRA = ["uploads", "previews", "lists", "mix", "idle", "threads"]


def arguments():
    parser = argparse.ArgumentParser(prog="compare.sh", description="Compares the gallery server with nginx.")
    parser.add_argument("--cases", help="of these, with commas: " + ",".join([*STATIC, *EXTRA]))
    parser.add_argument("--plugins", default="rocksdb,filesystem")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each side in turn (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="of one run (%(default)s)")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--quick", action="store_true", help="only authenticated, only with the etag cache")
    parser.add_argument("--congestion", default="",
                        help="congestion control of the gallery's listening socket; nginx has the machine's")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--out", default=str(sides.harness.ROOT / "build" / "load"))
    options = parser.parse_args()
    options.plugins = options.plugins.split(",")
    known = [*STATIC, *EXTRA]
    options.cases = options.cases.split(",") if options.cases else known
    for case in options.cases:
        if case not in known:
            parser.error(f"no case '{case}'; there are {', '.join(known)}")
    if options.smoke:
        # wrk's shortest run is a second; what differs by plugin alone is left to one of them.
        options.pairs, options.seconds, options.quick = 1, 1, True
        options.plugins = options.plugins[:1]
    return options


def one_run(side, path, fields, options, core, workers=False, **how):
    """Figures of one run against one server, with its CPU time per request in microseconds."""
    before = side.cpu(True) if workers else side.cpu()
    strict = how.pop("strict", ())
    found = wrk.run(side.port, path, fields, options.seconds, options.connections, core=core,
                    strict=strict if options.smoke else (), **how)
    used = (side.cpu(True) if workers else side.cpu()) - before
    seconds = found["microseconds"] / 1e6
    if options.smoke and (found["bad"] or found["socket"] or found["status"] or not found["requests"]):
        raise SystemExit(f"FAILED: {side.name} {path}: {found}")
    return {"rate": found["requests"] / seconds, "cpu": used * 1e6 / max(found["requests"], 1),
            "p50": found["p50"], "p99": found["p99"], "bytes": found["bytes"] / max(found["requests"], 1),
            "errors": found["socket"] + found["status"], "busy": used / seconds,
            "wrk_busy": found["wrk_cpu"] / seconds}


class Static:
    """One size of picture: nginx, then every variant of the gallery, as often as there are pairs."""

    def __init__(self, case, options, nginx, galleries):
        self.case, self.options, self.nginx = case, options, nginx
        self.variants = []
        for key, gallery in galleries.items():
            plugin, cached = key
            if cached:
                self.variants.append((f"{plugin}", gallery, False))
                if not options.quick or (options.smoke and case == "10k"):
                    self.variants.append((f"{plugin}, public", gallery, True))
            elif case in ("304", "10k"):
                self.variants.append((f"{plugin}, no etag cache", gallery, False))

    def request(self, side, public):
        name = f"picture-{self.case}.png"
        path = side.path(name, public)
        fields = dict(wrk.BROWSER)
        if not public:
            # nginx does not look at it; it is the same head on both sides.
            fields["X-Authorization"] = "Bearer " + self.token
        if self.case == "304":
            answer = side.client.get(path, headers={"If-None-Match": '"none"'})
            fields["If-None-Match"] = answer.header("ETag")
        return path, fields

    def run(self, core):
        rows = {}
        plain = any(public for _, _, public in self.variants)
        sizes = []
        self.token = next(iter(self.variants))[1].client.token
        for _ in range(self.options.pairs):
            base = {}
            for public in (False, True) if plain else (False,):
                path, fields = self.request(self.nginx, public)
                base[public] = self.measure(self.nginx, path, fields, core)
            for label, gallery, public in self.variants:
                self.token = gallery.client.token
                path, fields = self.request(gallery, public)
                sizes.append(wrk.head_bytes("GET", path, fields, gallery.port))
                rows.setdefault(label, []).append((self.measure(gallery, path, fields, core), base[public]))
        return {"case": self.case, "head_bytes": max(sizes), "variants": rows}

    def measure(self, side, path, fields, core):
        return one_run(side, path, fields, self.options, core, strict=(304,) if self.case == "304" else (200,))


def machine(options):
    def first(command):
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        return (out.stdout + out.stderr).splitlines()[0] if out.stdout + out.stderr else ""
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "nginx": first(["nginx", "-v"]), "wrk": first(["wrk", "-v"]),
            "gallery": first([str(sides.harness.BUILD / "bin" / "gallery-server"), "--version"]),
            "congestion_nginx": sides.congestion_of_machine(),
            "congestion_gallery": options.congestion or sides.congestion_of_machine(),
            "connections": options.connections, "pairs": options.pairs, "seconds": options.seconds}


def main():
    options = arguments()
    static = [case for case in options.cases if case in STATIC]
    extra = [case for case in options.cases if case in EXTRA]
    shown = {f"picture-{case}.png": pictures.png(STATIC[case], seed) for seed, case in enumerate(STATIC)}
    # The server on one core, the client on another.
    cores = (0, 1) if (os.cpu_count() or 1) > 1 else (None, None)
    found = {"machine": machine(options), "static": [], "extras": []}
    running = []
    try:
        galleries = {}
        for plugin in options.plugins:
            for cached in (True,) if options.quick else (True, False):
                galleries[plugin, cached] = sides.Gallery(
                    f"gallery ({plugin})", plugin, shown, cores[0], etag_bytes=(64 << 20) if cached else 0,
                    congestion=options.congestion)
                running.append(galleries[plugin, cached])
        nginx = sides.Nginx(shown, cores[0])
        running.append(nginx)
        for case in static:
            found["static"].append(Static(case, options, nginx, galleries).run(cores[1]))
            report.progress(found["static"][-1])
        for case in extra:
            for row in extras.run(case, options, nginx, galleries, shown, cores, one_run):
                found["extras"].append(row)
                report.progress_extra(row)
    finally:
        for side in reversed(running):
            side.stop()
    if options.smoke:
        print("no error in any answer")
        return
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    summary = report.summarise(found)
    report.write(out, found, summary)
    (out / "compare.svg").write_text(plot.draw(summary))
    print(report.text(summary))
    print(f"\nwritten to {out}/: compare.json, compare.md, compare.svg")


if __name__ == "__main__":
    sys.exit(main())
