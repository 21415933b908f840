#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the storage plugin postgresql costs, beside plain libpq and beside the plugin rocksdb.

    test/load/postgresql.py                       every case; some ten minutes on a machine without other work
    test/load/postgresql.py --cases http,read     some of them
    test/load/postgresql.py --records 100000      fewer images for the cases lists and open (default 1,000,000)
    test/load/postgresql.py --smoke               a few operations of each, without waiting for the disk; fails if a case
                                                  cannot run

Starts a PostgreSQL primary and two synchronous standbys, and what it compares, in folders below --folder that it
removes again; 1,000,000 records take 5 GB. The two sides of a case run alternately, in turns; the figures are medians
of the turns, and ratios are within a turn. Targets are in the column *wanted*; a figure that misses its target makes
the exit code 1. Writes postgresql.json to build/load/. Debian's Python, for which psycopg2 is installed, runs this.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cluster"), str(HERE.parent / "api"), str(HERE / "compare")]
try:
    import psycopg2  # noqa: F401
except ImportError:
    print("skipped: python3-psycopg2 is missing; etc/bootstrap.sh installs it", file=sys.stderr)
    sys.exit(77)
import harness  # noqa: E402
import main as compare  # noqa: E402
import pictures  # noqa: E402
import sides  # noqa: E402
import wrk  # noqa: E402
from single_postgres import SinglePostgres  # noqa: E402
from support import BINARIES, wait_for  # noqa: E402

CASES = ("http", "read", "write", "upload", "visible", "lists", "open")
PLUGINS = harness.BUILD / "lib" / "gallery" / "plugins"
STANDBYS = ("standby1", "standby2")
# Half a gigabyte of pages, and room for the log of a case without a checkpoint in the middle.
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum_naptime": "10s"}

# Images for the cases lists and open: what postgresql_bench finds for the number of each, see bytes_of() there.
FILL = """
insert into {schema}.image
select '07000000-0000-0000-0000-000000000000', 'picture-' || to_char(i, 'FM0000000') || '.png', md5('id' || i)::uuid,
       (array['north', 'pump', 'Valve', 'boiler', 'room', 'Plan', 'floor', 'tank', 'meter', 'logo'])[(1 + i * 7919 % 10)::int4] || ' ' ||
       (array['room', 'Plan', 'floor', 'tank', 'meter', 'logo', 'north', 'pump', 'Valve'])[(1 + i * 104729 % 9)::int4] || ' ' ||
       (hashint8(i) & 65535), 'picture-' || to_char(i, 'FM0000000') || '.png', 0, true, md5('public' || i),
       1700000000000 + (hashint8(i)::int8 & 2147483647), 0, '{{}}', 'image/png', 1, 1, length(b), sha256(b), 'image/png', 1, 1,
       length(b), sha256(b), true, i, i, md5('body' || i)::uuid
from generate_series({first}::int8, {last}::int8) i, lateral (select repeat(i::text, (1 + i % 40)::int4)::bytea) as t(b);
update {schema}.state set revision = {last}, trimmed = {last}
"""


class Database(contextlib.ExitStack):
    """A primary with two synchronous standbys, either of which is enough for a commit. `syncs`: whether they wait for the
    disk."""

    def __init__(self, syncs):
        super().__init__()
        self.settings = {**SETTINGS, "fsync": "on" if syncs else "off"}

    def __enter__(self):
        super().__enter__()
        try:
            self.primary = self.enter_context(SinglePostgres(settings={
                **self.settings, "synchronous_standby_names": f"ANY 1 ({', '.join(STANDBYS)})"}))
            for name in STANDBYS:
                self.enter_context(SinglePostgres(copy_of=self.primary, settings={**self.settings, "cluster_name": name}))
            wait_for(lambda: self.primary.ask("select count(*) from pg_stat_replication where sync_state = 'quorum'")
                     == [(len(STANDBYS),)], "the standbys do not follow the primary")
        except BaseException:
            self.close()
            raise
        return self

    def execute(self, sql):
        with contextlib.closing(psycopg2.connect(self.primary.dsn())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in sql.split(";\n"):
                    cursor.execute(statement)


def median_of(turns, side):
    return statistics.median(turn[side] for turn in turns)


def ratio_of(turns):
    return statistics.median(turn["engine"] / turn["other"] for turn in turns)


class Run:
    def __init__(self, options, database, folder):
        self.options, self.database, self.folder = options, database, folder
        self.rows, self.details = [], {}

    def bench(self, case, schema="gallery", folder="case", plugins=("postgresql",), **options):
        """One case of postgresql_bench; what it prints."""
        where = self.folder / folder
        where.mkdir(exist_ok=True)
        command = [harness.BUILD / "bin" / "postgresql_bench", case, "--dsn", self.database.primary.dsn(), "--schema", schema,
                   "--folder", where]
        for plugin in plugins:
            command += [f"--{plugin}", PLUGINS / f"{plugin}.so"]
        for name, value in options.items():
            command += [f"--{name}", value]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"FAILED: postgresql_bench {case} ended with {done.returncode}")
        return json.loads(done.stdout)

    def report(self, case, what, engine, other, value, wanted, kind="ratio"):
        """`wanted`: ("<=" or ">=", limit), or None"""
        sign, limit = wanted or ("", 0)
        reached = not wanted or (value <= limit if sign == "<=" else value >= limit)
        row = {"case": case, "what": what, "postgresql": engine, "other": other, "value": value, "kind": kind,
               "wanted": f"{sign} {limit:g}" if wanted else "", "reached": reached, "load": os.getloadavg()[0]}
        self.rows.append(row)
        print(line(cells(row)), flush=True)

    def compared(self, case, what, turns, wanted, form="{:,.0f}"):
        self.report(case, what, form.format(median_of(turns, "engine")), form.format(median_of(turns, "other")),
                    ratio_of(turns), wanted)

    def count(self, full, smoke):
        return smoke if self.options.smoke else full

    # The cases

    def http(self):
        """Answers from memory by the real server."""
        cores = (0, 1) if (os.cpu_count() or 1) > 1 else (None, None)
        shown = {"picture-100k.png": pictures.png(102400, 1)}
        where = {"STORAGE_POSTGRESQL_DSN": self.database.primary.dsn(), "STORAGE_POSTGRESQL_SCHEMA": "gallery_http"}
        galleries = []
        with contextlib.ExitStack() as running:
            for plugin in ("postgresql", "rocksdb"):
                os.environ.update(where if plugin == "postgresql" else {})
                try:
                    galleries.append(sides.Gallery(plugin, plugin, shown, cores[0]))
                finally:
                    for name in where:
                        os.environ.pop(name, None)
                running.callback(galleries[-1].stop)
            for case, wanted in (("304", 0.95), ("100 KB", 0.9)):
                turns = []
                for _ in range(self.options.turns):
                    turns.append(dict(zip(("engine", "other"), (self.rate(one, case, cores[1]) for one in galleries))))
                self.compared("http", f"{case} from memory, requests/s", turns, (">=", wanted))

    def rate(self, gallery, case, core):
        path = gallery.path("picture-100k.png")
        fields = {**wrk.BROWSER, "X-Authorization": "Bearer " + gallery.client.token}
        first = gallery.client.get(path)
        if case == "304":
            fields["If-None-Match"] = first.header("ETag")
        return compare.one_run(gallery, path, fields, self.options, core, strict=(304,) if case == "304" else (200,))["rate"]

    def read(self):
        found = self.bench("read", count=self.count(1000, 20), turns=self.options.turns)
        self.compared("read", "record and 100 KB, not in memory, us", found["turns"], ("<=", 1.5))
        # Both sides ask the database twice; only the engine checks the hash as well.
        self.compared("read", "the same in strict mode, us", found["strict"], None)

    def write(self):
        found = self.bench("write", count=self.count(320, 32), turns=self.options.turns)
        self.compared("write", "16 writers of 2 KB, writes/s", found["turns"], (">=", 3))

    def upload(self):
        found = self.bench("upload", count=self.count(24, 4), turns=self.options.turns)
        self.compared("upload", "4 writers of 1 MB, writes/s", found["turns"], (">=", 0.8), "{:,.1f}")

    def visible(self):
        found = self.bench("visible", count=self.count(100, 20), turns=self.options.turns)
        self.report("visible", f"write seen by another node, ms (median {found['p50'] / 1000:.2f})", f"{found['p99'] / 1000:.2f}",
                    "", found["p99"] / 1000, ("<=", 20), "p99")

    def filled(self):
        """The schema with many records, and the same in rocksdb."""
        if (self.folder / "many").exists():
            return
        self.bench("open", schema="many", folder="many")
        step = 100_000
        for first in range(1, self.options.records + 1, step):
            self.database.execute(FILL.format(schema="many", first=first, last=min(first + step - 1, self.options.records)))
        self.database.execute("analyze many.image;\ncheckpoint")
        self.bench("fill", schema="many", folder="many", plugins=("postgresql", "rocksdb"))

    def lists(self):
        self.filled()
        found = self.bench("lists", schema="many", folder="many", plugins=("postgresql", "rocksdb"), count=self.count(50, 2),
                           turns=self.options.turns)
        # Of the orders and places of a sort, those that are the worst in time, and beside rocksdb.
        for sort in dict.fromkeys(row["sort"] for row in found["rows"]):
            rows = [row for row in found["rows"] if row["sort"] == sort]
            slowest = max(rows, key=lambda row: median_of(row["turns"], "engine"))
            worst = max(rows, key=lambda row: ratio_of(row["turns"]))
            milliseconds = median_of(slowest["turns"], "engine") / 1000
            self.report("lists", f"{sort} {slowest['order']}, {slowest['page']} page, ms", f"{milliseconds:.2f}", "",
                        milliseconds, ("<=", 5), "ms")
            self.compared("lists", f"{sort} {worst['order']}, {worst['page']} page, us", worst["turns"], ("<=", 2))
        self.details["lists"] = found["rows"]

    def open(self):
        self.filled()
        turns = {"postgresql": [], "rocksdb": []}
        for _ in range(min(self.options.turns, 3)):
            for plugin, rows in turns.items():
                rows.append(self.bench("open", schema="many", folder="many", plugins=(plugin,)))
        if any(row["records"] != self.options.records for rows in turns.values() for row in rows):
            raise SystemExit(f"FAILED: a store has not {self.options.records} records")
        seconds = {plugin: statistics.median(row["milliseconds"] for row in rows) / 1000 for plugin, rows in turns.items()}
        size = {plugin: statistics.median(row["bytes"] for row in rows) / self.options.records for plugin, rows in turns.items()}
        self.report("open", f"start with {self.options.records:,} records, s", f"{seconds['postgresql']:.2f}",
                    f"{seconds['rocksdb']:.2f}", seconds["postgresql"], ("<=", 15), "s")
        self.report("open", "resident memory a record, bytes", f"{size['postgresql']:,.0f}", f"{size['rocksdb']:,.0f}",
                    size["postgresql"] - size["rocksdb"], ("<=", 400), "bytes")


# What is printed

WIDTHS = (8, 47, 11, 11, 9, 9)
HEAD = ("case", "what", "postgresql", "other", "value", "wanted")


def line(values):
    texts = [v.ljust(w) if i < 2 else v.rjust(w) for i, (v, w) in enumerate(zip(values, WIDTHS))]
    return " ".join(texts + list(values[len(WIDTHS):]))


def cells(row):
    value = f"{row['value']:,.0f}" if row["kind"] == "bytes" else f"{row['value']:.2f}"
    verdict = () if row["reached"] else ("MISSED",)
    return (row["case"], row["what"], row["postgresql"], row["other"], value, row["wanted"], *verdict)


def fsync_time(folder):
    """Median milliseconds of writing 8 KB to a file and to the disk."""
    times = []
    with open(folder / "fsync", "wb", buffering=0) as file:
        for _ in range(20):
            began = time.perf_counter()
            file.write(b"x" * 8192)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    (folder / "fsync").unlink()
    return statistics.median(times) * 1000


def round_trip_time():
    """Median microseconds of a byte to another process over TCP on loopback, and back."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(OSError):
                peer = listener.accept()[0]
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while one := peer.recv(1):
                    peer.sendall(one)
            os._exit(0)
        times = []
        with contextlib.closing(socket.create_connection(listener.getsockname())) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(2000):
                began = time.perf_counter()
                client.sendall(b"x")
                client.recv(1)
                times.append(time.perf_counter() - began)
        os.waitpid(child, 0)
    return statistics.median(times) * 1e6


def machine(folder):
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    version = subprocess.run([BINARIES / "postgres", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return {"processor": model[1] if model else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "postgresql": version, "fsync_ms": round(fsync_time(folder), 2), "round_trip_us": round(round_trip_time(), 1),
            "load": os.getloadavg()[0]}


def about(facts):
    return (f"{facts['processor']}, {facts['cores']} cores, Linux {facts['kernel']}; {facts['postgresql']}, primary and two "
            f"synchronous standbys on this machine; 8 KB to the disk in {facts['fsync_ms']} ms, a round trip on loopback in "
            f"{facts['round_trip_us']} us; load when it began: {facts['load']:.1f}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(CASES), help="of these, with commas: %(default)s")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=5, help="of the two sides of a case (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="of one run of wrk (%(default)s)")
    parser.add_argument("--connections", type=int, default=64, help="of wrk (%(default)s)")
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--out", default=str(harness.ROOT / "build" / "load"))
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    options.cases = options.cases.split(",")
    for case in options.cases:
        if case not in CASES:
            parser.error(f"no case '{case}'; there are {', '.join(CASES)}")
    if options.smoke:
        options.records, options.turns, options.seconds = 300, 1, 1
    return options


def main():
    options = arguments()
    for tool in ("wrk", BINARIES / "postgres", harness.BUILD / "bin" / "postgresql_bench"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is missing; etc/bootstrap.sh and etc/run.sh prepare what is needed", file=sys.stderr)
            return 77
    # Also for the folders of PostgreSQL.
    tempfile.tempdir = options.folder
    with tempfile.TemporaryDirectory(prefix="gallery-load-") as name, Database(not options.smoke) as database:
        folder = pathlib.Path(name)
        facts = machine(folder)
        print(about(facts) + "\n\n" + line(HEAD), flush=True)
        run = Run(options, database, folder)
        for case in options.cases:
            getattr(run, case)()
    if options.smoke:
        print("every case ran")
        return 0
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "postgresql.json").write_text(json.dumps({"machine": facts, "rows": run.rows, "details": run.details}, indent=1))
    missed = [f"{row['case']}: {row['what']}" for row in run.rows if not row["reached"]]
    print(f"\nwritten to {out / 'postgresql.json'}" + ("".join(f"\nmissed: {one}" for one in missed)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
