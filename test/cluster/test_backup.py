# SPDX-License-Identifier: Apache-2.0
"""Backup and restore as etc/doc/cluster.md describes them: its commands are executed as they are written there, except
for the names of folders and machines. The copy is of a standby, and a moment after the copy is restored."""
import re
import unittest

from harness import ROOT, TENANT, png
from single_postgres import SinglePostgres
from support import BINARIES, wait_for

from admin_tool import run


def blocks():
    """The indented blocks of the section, without the indentation."""
    text = (ROOT / "etc" / "doc" / "cluster.md").read_text().split("## Backup and restore", 1)[1].split("\n## ", 1)[0]
    return [re.sub(r"^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


class Backup(unittest.TestCase):
    def setUp(self):
        self.archive, self.copy, remove, self.unpack, self.configuration, self.recover = blocks()
        self.assertIn("patronictl", remove)

    def here(self, text, primary, **more):
        """A block for this machine."""
        for name, value in {"/backup/": f"{self.backup}/", "/var/lib/postgresql/15/gallery": primary.data,
                            "/var/lib/postgresql/": f"{primary.folder}/", **more}.items():
            text = text.replace(name, str(value))
        return text

    def shell(self, text, primary):
        primary.run(["bash", "-euxo", "pipefail", "-c", text], timeout=300,
                    env={"PATH": f"{BINARIES}:/usr/bin:/bin", "LANG": "C.UTF-8"})

    def test_a_moment_after_the_copy_is_restored(self):
        command = re.search(r"archive_command='(.*)'$", self.archive, re.M).group(1)
        self.assertIn(f"archive_command = '{command}'\n", self.configuration)
        primary = SinglePostgres(settings={"archive_mode": "on"})
        self.backup = primary.folder / "backup"
        primary.give(primary.folder)
        for path in (self.backup, self.backup / "base", self.backup / "wal"):
            path.mkdir(mode=0o700)
            primary.give(path)
        primary.settings["archive_command"] = self.here(command, primary)
        with primary, SinglePostgres(copy_of=primary) as standby:
            server = primary.server(STORAGE_POSTGRESQL_ALLOW_UNREPLICATED="true")
            try:
                server.start()
                moment = self.use(server, primary, standby)
                server.terminate()
                standby.stop()
                primary.stop()
                self.restore(primary, moment)
                primary.start()
                server.start()
                tenant = server.client(TENANT)
                self.assertEqual([200, 200, 404], [tenant.image(f"{n}.png").status for n in ("before", "after", "late")])
                for name in ("before", "after"):
                    self.assertEqual(png(text=name), tenant.image(f"{name}.png").body)
                self.assertEqual(200, tenant.upload("new.png", png(text="new")).status)
                done = run("verify", env=server.environment(), cwd=server.data)
                self.assertEqual((0, True), (done.returncode, "the store is sound" in done.stdout), done.stdout + done.stderr)
            finally:
                server.stop()

    def use(self, server, primary, standby):
        """Writes before and after the copy; returns the moment to be restored."""
        tenant = server.client(TENANT)
        self.assertEqual(200, tenant.upload("before.png", png(text="before")).status)
        written, = primary.ask("select pg_current_wal_lsn()")[0]
        wait_for(lambda: standby.ask(f"select pg_last_wal_replay_lsn() >= '{written}'") == [(True,)],
                 "the standby does not follow")
        self.shell(self.here(self.copy, primary, **{"-h db2 -U replicator": f"-h 127.0.0.1 -p {standby.port} -U postgres"}),
                   primary)
        self.assertEqual(200, tenant.upload("after.png", png(text="after")).status)
        moment, = primary.ask("select clock_timestamp()::text")[0]
        self.assertEqual(200, tenant.delete("/api/images/tenant/before.png").status)
        self.assertEqual(200, tenant.upload("late.png", png(text="late")).status)
        last, = primary.ask("select pg_walfile_name(pg_switch_wal())")[0]
        wait_for(lambda: (primary.folder / "backup" / "wal" / last).exists(), "the log is not archived")
        return moment

    def restore(self, primary, moment):
        copy, = (self.backup / "base").iterdir()
        self.shell(self.here(self.unpack, primary, **{"2026-11-28": copy.name}), primary)
        text = re.sub(r"^recovery_target_time = .*$", f"recovery_target_time = '{moment}'", self.configuration, flags=re.M)
        path = primary.folder / "restore.conf"
        path.write_text(self.here(text, primary) + f"port = {primary.port}\nunix_socket_directories = ''\n")
        primary.give(path)
        self.shell(self.here(self.recover, primary), primary)


if __name__ == "__main__":
    unittest.main()
