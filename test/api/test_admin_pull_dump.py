# SPDX-License-Identifier: Apache-2.0
"""gallery-admin images pull-dump: dumps that pg_dump makes of a table as ThingsBoard 4 has it."""
import gzip
import json
import os
import pathlib
import subprocess
import unittest

from admin_tool import BINARY, CONFIGURATION, NOT_FOUND, NOT_PERMITTED, REFUSED, USAGE, Terminal, run
from harness import SYSADMIN, SYSTEM_TENANT, png, quote, sha256
from make_stores import scratch
from test_admin_images import SVG, ImagesTest

THEIRS, ANOTHER = "5b0c7a10-0000-11ee-8000-000000000001", "5b0c7a10-0000-11ee-8000-000000000002"
# As ThingsBoard 3.6.2 has it where an earlier version has made it.
TABLE_3_6 = """
create table resource (
    id uuid not null primary key default gen_random_uuid(), created_time bigint not null, tenant_id uuid not null,
    title varchar(255) not null, resource_type varchar(32) not null, resource_key varchar(255) not null,
    search_text varchar(255), file_name varchar(255) not null, etag varchar, descriptor varchar, preview bytea,
    external_id uuid, is_public boolean default true, public_resource_key varchar(32) unique, data bytea,
    unique (tenant_id, resource_type, resource_key))"""
TABLE = """
create table resource (
    id uuid not null primary key default gen_random_uuid(), created_time bigint not null, tenant_id uuid not null,
    title varchar(255) not null, resource_type varchar(32) not null, resource_sub_type varchar(32),
    resource_key varchar(255) not null, search_text varchar(255), file_name varchar(255) not null, data bytea,
    etag varchar, descriptor varchar, preview bytea, is_public boolean default true,
    public_resource_key varchar(32) unique, external_id uuid, unique (tenant_id, resource_type, resource_key))"""


class Dumps(ImagesTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.database,) = cls.enterClassContext(scratch.cluster())
        cls.database.sql(TABLE)

    def setUp(self):
        super().setUp()
        self.database.sql("truncate resource")
        self.rows = []
        self.add("a.png", png(text="a"), title="Ä \"quoted\" \\ back'slash")
        self.add("pump.svg", SVG, sub_type="SCADA_SYMBOL", is_public=False)
        self.add("of another.png", png(text="x"), tenant=ANOTHER)
        self.add("of the system.png", png(text="s"), tenant=SYSTEM_TENANT)
        self.add("model.xml", b"<LWM2M/>", kind="LWM2M_MODEL")

    def add(self, key, data, tenant=THEIRS, kind="IMAGE", sub_type="IMAGE", is_public=True, title=None):
        row = {"key": key, "data": data, "tenant": tenant, "kind": kind, "sub_type": sub_type, "is_public": is_public,
               "title": title or key, "file_name": "file " + key, "created_time": 1600000000000 + len(self.rows),
               "public_key": sha256((key + tenant + self.who[0]).encode())[:32]}
        self.rows.append(row)
        self.insert(row)

    def insert(self, row, with_sub_type=True):
        data = row["data"]
        quote = lambda text: "'" + text.replace("'", "''") + "'"  # noqa: E731
        columns, sub_type = (" resource_sub_type,", f" '{row['sub_type']}',") if with_sub_type else ("", "")
        self.database.sql(
            f"insert into resource (created_time, tenant_id, title, resource_type,{columns} resource_key, "
            "file_name, data, etag, descriptor, is_public, public_resource_key) values "
            f"({row['created_time']}, '{row['tenant']}', {quote(row['title'])}, '{row['kind']}',{sub_type} "
            f"{quote(row['key'])}, {quote(row['file_name'])}, '\\x{data.hex()}', '{sha256(data)}', "
            f"'{{\"mediaType\":\"image/png\"}}', {row['is_public']}, '{row['public_key']}')")

    def dump(self, *options):
        path = self.folder / "resource.dump"
        with open(path, "wb") as to:
            subprocess.run([str(self.database.bin / "pg_dump"), "-d", self.database.dsn(), *options], stdout=to, check=True)
        return str(path)

    def pull(self, path, *options, code=0, who=None, stdin="", **values):
        # pg_restore need not be in the PATH of a build machine.
        path_of_programs = f"{self.database.bin}:{os.environ['PATH']}"
        done = run("images", "pull-dump", path, *options, "--json", stdin=stdin,
                   env={**self.env(who or self.who), "PATH": path_of_programs, **values})
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])

    def check(self, rows, who):
        client = self.server.client(who)
        for row in rows:
            info = self.assertStatus(200, client.info(row["key"])).json()
            self.assertEqual(
                (row["title"], row["file_name"], row["sub_type"], row["is_public"], row["public_key"],
                 row["created_time"]),
                tuple(info[k] for k in ("title", "fileName", "resourceSubType", "public", "publicResourceKey",
                                        "createdTime")))
            self.assertEqual(row["data"], client.image(row["key"]).body)

    def test_both_formats_are_read(self):
        for options in ((), ("--table=resource",), ("--format=custom",), ("--format=custom", "--compress=0")):
            with self.subTest(options):
                path = self.dump(*options)
                report = self.pull(path, "--tenant", THEIRS, "--verify")
                self.assertEqual(["a.png", "pump.svg"], report["created"])
                self.assertEqual({"equal": 2, "different": [], "missing": []}, report["verified"])
                self.check(self.rows[:2], self.who)
                self.assertEqual(2, self.pull(path, "--tenant", THEIRS)["unchanged"])
                for key in report["created"]:
                    self.client.delete("/api/images/tenant/" + quote(key))

    def test_tables_of_version_3_6_are_read(self):
        self.database.sql("drop table resource")
        self.addCleanup(lambda: self.database.sql("drop table resource" + ";" + TABLE))
        self.database.sql(TABLE_3_6)
        rows = [{**row, "sub_type": "IMAGE"} for row in self.rows]
        for row in rows:
            self.insert(row, with_sub_type=False)
        for options in ((), ("--format=custom",)):
            with self.subTest(options):
                report = self.pull(self.dump(*options), "--tenant", THEIRS, "--verify")
                self.assertEqual(["a.png", "pump.svg"], report["created"])
                self.check(rows[:2], self.who)
                for key in report["created"]:
                    self.client.delete("/api/images/tenant/" + quote(key))

    def test_the_system_and_an_adopted_tenant_need_no_name(self):
        path = self.dump()
        report = self.pull(path, "--system", who=SYSADMIN)
        self.assertEqual(["of the system.png"], report["created"])
        self.check([r for r in self.rows if r["tenant"] == SYSTEM_TENANT], SYSADMIN)
        self.json("images", "delete", "of the system.png", "--yes")
        told = self.pull(path, code=NOT_FOUND)
        for word in (THEIRS + " (2)", ANOTHER + " (1)"):
            self.assertIn(word, told["message"])
        self.add("own.png", png(text="own"), tenant=self.client.get("/api/auth/user").json()["tenantId"]["id"])
        self.assertEqual(["own.png"], self.pull(self.dump())["created"])

    def pull_input(self, data, code=0, path_of_programs=None):
        """From a pipe, which cannot be read twice."""
        env = {**self.env(self.who), "PATH": path_of_programs or f"{self.database.bin}:{os.environ['PATH']}"}
        done = subprocess.run([str(BINARY), "images", "pull-dump", "-", "--tenant", THEIRS, "--json"], input=data,
                              env=env, capture_output=True, timeout=120, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr.splitlines()[-1])

    def test_standard_input_is_read_in_both_formats(self):
        # More than a pipe takes at once.
        for i in range(8):
            self.add(f"large {i}.png", png(text=os.urandom(20_000).hex()))
        for options in ((), ("--format=custom",), ("--format=custom", "--compress=0")):
            with self.subTest(options):
                data = pathlib.Path(self.dump(*options)).read_bytes()
                report = self.pull_input(data)
                self.assertEqual(10, len(report["created"]))
                self.check([row for row in self.rows if row["key"] in report["created"]], self.who)
                for key in report["created"]:
                    self.client.delete("/api/images/tenant/" + quote(key))

    def test_wrong_standard_input_is_refused(self):
        data = pathlib.Path(self.dump("--format=custom", "--compress=0")).read_bytes()
        for cut in (5, 100, len(data) // 2):
            self.assertIn("pg_restore", self.pull_input(data[:cut], REFUSED)["message"])
        # What pg_restore refuses at its beginning, although much more comes.
        self.assertIn("pg_restore", self.pull_input(b"PGDMP" + b"x" * 3_000_000, REFUSED)["message"])
        for data in (b"", b"PGDM", b"PGDM\nPGDMP\n"):
            self.assertIn("table 'resource'", self.pull_input(data, REFUSED)["message"])
        self.assertIn("pg_restore", self.pull_input(b"PGDMP", CONFIGURATION, "/nowhere")["message"])

    def test_compressed_drawings_are_equal_to_what_is_stored(self):
        self.add("valve.svgz", gzip.compress(SVG))
        path = self.dump()
        report = self.pull(path, "--tenant", THEIRS, "--verify")
        self.assertEqual((["a.png", "pump.svg", "valve.svgz"], [], 3),
                         (report["created"], report["clashes"], report["verified"]["equal"]))
        self.assertEqual(SVG, self.client.image("valve.svgz").body)
        report = self.pull(path, "--tenant", THEIRS, "--verify", "--overwrite")
        self.assertEqual((3, 3), (report["unchanged"], report["verified"]["equal"]))

    def test_a_terminal_shows_how_many_were_read(self):
        terminal = Terminal("images", "pull-dump", self.dump(), "--tenant", THEIRS, env=self.env(self.who))
        terminal.expect("pulling 1")
        code, output, _ = terminal.end()
        self.assertEqual((0, True), (code, output.startswith("created: 2,")))

    def test_more_images_than_are_kept_at_once(self):
        for i in range(150):
            self.add(f"{i}.png", png(text=str(i)))
        self.assertEqual(152, len(self.pull(self.dump("--format=custom"), "--tenant", THEIRS)["created"]))

    def test_differences_are_changed_on_demand(self):
        self.pull(self.dump(), "--tenant", THEIRS)
        self.database.sql("update resource set title = 'New' where resource_key = 'a.png'")
        path = self.dump()
        report = self.pull(path, "--tenant", THEIRS, code=REFUSED)
        self.assertEqual([{"key": "a.png", "members": ["title"]}], report["differ"])
        self.pull(path, "--tenant", THEIRS, "--overwrite", "--dry-run")
        self.assertNotEqual("New", self.info("a.png")["title"])
        self.pull(path, "--tenant", THEIRS, "--overwrite")
        self.assertEqual("New", self.info("a.png")["title"])

    def test_wrong_dumps_are_refused(self):
        whole = pathlib.Path(self.dump()).read_text(encoding="utf-8")
        for name, text, words in (
                ("cut", whole[:whole.index("\\.\n")], ["cut off"]),
                ("other", "-- nothing\n", ["table 'resource'"])):
            with self.subTest(name):
                path = self.file(name + ".sql", text.encode())
                told = self.pull(path, "--tenant", THEIRS, code=REFUSED)
                for word in words:
                    self.assertIn(word, told["message"])
        path = self.dump("--format=custom")
        data = pathlib.Path(path).read_bytes()
        self.pull(self.file("cut.dump", data[:len(data) // 2]), "--tenant", THEIRS, code=REFUSED)
        told = self.pull(path, "--tenant", THEIRS, code=CONFIGURATION, PATH="/nowhere")
        self.assertIn("pg_restore", told["message"])
        self.pull(str(self.folder / "none"), "--tenant", THEIRS, code=NOT_FOUND)

    def test_a_damaged_row_does_not_stop_the_others(self):
        whole = pathlib.Path(self.dump()).read_text(encoding="utf-8")
        path = self.file("rot.sql", whole.replace(png(text="a").hex(), png(text="b").hex()).encode())
        report = self.pull(path, "--tenant", THEIRS, code=REFUSED)
        self.assertEqual((["a.png"], ["pump.svg"]), ([one["key"] for one in report["failed"]], report["created"]))
        self.assertIn("damaged", report["failed"][0]["message"])

    def test_pg_restore_gets_no_credentials(self):
        programs = self.folder / "bin"
        programs.mkdir()
        seen = self.folder / "seen"
        (programs / "pg_restore").write_text(
            f'#!/bin/sh\n{{ env; echo "last=$4 $5"; }} > {seen}\nexec {self.database.bin}/pg_restore "$@"\n')
        (programs / "pg_restore").chmod(0o755)
        path = pathlib.Path(self.dump("--format=custom"))
        path.rename(self.folder / "-x.dump")
        done = run("images", "pull-dump", "--tenant", THEIRS, "--json", "--", "-x.dump", cwd=self.folder,
                   env={**self.env(self.who), "PATH": f"{programs}:{os.environ['PATH']}"})
        self.assertEqual(0, done.returncode, done.stderr)
        words = seen.read_text()
        self.assertNotIn("GALLERY_", words)
        self.assertNotIn(self.who[1], words)
        self.assertIn("PATH=", words)
        self.assertIn("./-x.dump", words)

    def test_wrong_use_is_said(self):
        path = self.dump()
        self.error(USAGE, "images", "pull-dump", path, "--tenant", "x", who=self.who, words=["UUID"])
        self.error(USAGE, "images", "pull-dump", path, "--tenant", THEIRS, "--system", who=self.who, words=["--system"])
        self.error(NOT_PERMITTED, "images", "pull-dump", path, who=SYSADMIN, words=["--system"])
        self.error(NOT_PERMITTED, "images", "pull-dump", path, "--system", who=self.who, words=["SYS_ADMIN"])


if __name__ == "__main__":
    unittest.main()
