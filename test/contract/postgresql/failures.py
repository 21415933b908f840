#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the engine on PostgreSQL makes of a database that fails: no write is acknowledged that could be lost, none is
lost that was acknowledged, and nothing is believed that was not replicated.

GALLERY_SHELL and GALLERY_PLUGIN name the programs under test.
"""
import contextlib
import itertools
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import scratch

TIMEOUT = 60
COUNTER = 1 << 40  # revisions of one epoch


class Shell:
    """A process that has the store open."""

    def __init__(self, servers, schema="gallery", **options):
        self.folder = tempfile.mkdtemp(prefix="gallery-node-")
        ports = ",".join(str(s.port) for s in servers)
        hosts = ",".join(str(s.root) for s in servers)
        user = options.pop("user", "gallery_test")
        database = options.pop("database", "postgres")
        options = {"timeout": "8s", "heartbeat": "100ms", "poll": "200ms"} | options
        options.setdefault("dsn", f"host={hosts} port={ports} dbname={database} user={user}")
        options["schema"] = schema
        config = [c for name, value in options.items() for c in ("--config", f"{name}={value}")]
        self.process = subprocess.Popen([os.environ["GALLERY_SHELL"], "--plugin", os.environ["GALLERY_PLUGIN"],
                                         "--folder", self.folder, *config], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.answers = {"open": queue.Queue()}
        self.ids = itertools.count()
        self.log = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()
        self.opened = self.wait("open")

    def _read(self):
        with contextlib.suppress(ValueError):  # closed
            for line in self.process.stdout:
                name, _, answer = line.strip().partition(" ")
                self.answers[name].put(answer)

    def _read_log(self):
        with contextlib.suppress(ValueError):
            for line in self.process.stderr:
                self.log.append(line.strip())

    def send(self, command):
        name = str(next(self.ids))
        self.answers[name] = queue.Queue()
        self.process.stdin.write(f"{name} {command}\n")
        return name

    def wait(self, name, seconds=TIMEOUT):
        try:
            return self.answers[name].get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("no answer within %s s; log: %s" % (seconds, "\n".join(self.log[-20:]))) from None

    def is_waiting(self, name):
        return self.answers[name].empty()

    def ask(self, command):
        return self.wait(self.send(command))

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the store did not close; log: " + "\n".join(self.log[-20:])) from None
        finally:
            self.process.stdout.close()
            self.process.stderr.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def revision_of(outcome):
    found = re.fullmatch(r"(?:committed|found|revision) (\d+)", outcome)
    assert found, outcome
    return int(found.group(1))


def send_signal(server, which):
    for pid in [server.process.pid, *scratch.children(server.process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, which)


class Failures(unittest.TestCase):
    standbys = 1

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.servers = self.stack.enter_context(scratch.cluster(self.standbys, {"fsync": "off"}))
        self.primary = self.servers[0]

    def open(self, schema="gallery", servers=None, **options):
        shell = Shell(servers or self.servers, schema, **options)
        self.addCleanup(shell.close)
        return shell

    def backend_of_commit(self):
        """The server process of the engine's transaction that waits for the standbys."""
        def found():
            return self.primary.sql("select pid from pg_stat_activity where wait_event = 'SyncRep' "
                                    "and query in ('commit')")
        scratch.wait_for(found, "a commit waits for the standbys")
        return found()

    def pause_standbys(self):
        for standby in self.servers[1:]:
            send_signal(standby, signal.SIGSTOP)

    def resume_standbys(self):
        for standby in self.servers[1:]:
            send_signal(standby, signal.SIGCONT)


class Commits(Failures):
    def test_a_commit_with_a_warning_is_not_acknowledged(self):
        shell = self.open(heartbeat="60s")
        revision_of(shell.ask("save a 100"))
        self.pause_standbys()
        self.addCleanup(self.resume_standbys)
        write = shell.send("save b 100")
        pid = self.backend_of_commit()
        self.assertTrue(shell.is_waiting(write))
        self.primary.sql(f"select pg_cancel_backend({pid})")
        outcome = shell.wait(write)
        self.assertRegex(outcome, "^error unavailable .*not known.*synchronous replication")
        self.resume_standbys()
        revision_of(shell.ask("save c 100"))
        self.assertEqual(shell.ask("statistic writes_unknown_total"), "value 1")
        self.assertEqual(shell.ask("check").split()[0], "sound")

    def test_a_commit_that_no_standby_has_when_replication_is_switched_off_is_not_acknowledged(self):
        # The list of standbys is emptied while the commit waits: PostgreSQL lets it go without a warning.
        shell = self.open(heartbeat="60s", poll="60s")
        revision_of(shell.ask("save a 100"))
        self.pause_standbys()
        self.addCleanup(self.resume_standbys)
        write = shell.send("save b 100")
        self.backend_of_commit()
        self.primary.sql("alter system set synchronous_standby_names = ''")
        self.primary.sql("select pg_reload_conf()")
        self.assertRegex(shell.wait(write), "^error unavailable .*not known.*synchronous_standby_names is empty")
        self.assertEqual(shell.ask("statistic writes_unknown_total"), "value 1")
        self.primary.sql("alter system set synchronous_standby_names = 'ANY 1 (standby0)'")
        self.primary.sql("select pg_reload_conf()")
        self.resume_standbys()
        scratch.wait_for(lambda: shell.ask("save c 100").startswith("committed"), "writes are accepted again")
        self.assertEqual(shell.ask("check").split()[0], "sound")

    def test_a_commit_that_is_looked_up_when_replication_is_switched_off_is_not_acknowledged(self):
        shell = self.open(heartbeat="60s", poll="60s", timeout="30s")
        revision_of(shell.ask("save a 100"))
        self.pause_standbys()
        self.addCleanup(self.resume_standbys)
        write = shell.send("save b 100")
        pid = self.backend_of_commit()
        # It has committed here, and ends without saying so. Looking it up waits for the standbys, until there are none.
        self.primary.sql(f"select pg_terminate_backend({pid})")
        scratch.wait_for(lambda: not self.primary.sql(f"select pid from pg_stat_activity where pid = {pid}"), "it ended")
        self.assertTrue(shell.is_waiting(write))
        self.primary.sql("alter system set synchronous_standby_names = ''")
        self.primary.sql("select pg_reload_conf()")
        self.assertRegex(shell.wait(write), "^error unavailable .*not known.*synchronous_standby_names is empty")
        self.assertEqual(shell.ask("statistic writes_unknown_total"), "value 1")

    def test_a_connection_that_ends_after_the_commit_is_looked_up(self):
        shell = self.open(heartbeat="60s")
        first = revision_of(shell.ask("save a 100"))
        self.pause_standbys()
        self.addCleanup(self.resume_standbys)
        write = shell.send("save b 100 absent")
        pid = self.backend_of_commit()
        # It has committed here, and ends without saying so.
        self.primary.sql(f"select pg_terminate_backend({pid})")
        scratch.wait_for(lambda: not self.primary.sql(f"select pid from pg_stat_activity where pid = {pid}"), "it ended")
        time.sleep(0.3)
        self.assertTrue(shell.is_waiting(write), "acknowledged before it was replicated")
        self.resume_standbys()
        self.assertEqual(shell.wait(write), f"committed {first + 1}")
        self.assertEqual(shell.ask(f"changes {first}"), f"ok {first + 1} {first + 1}")
        self.assertEqual(shell.ask("statistic writes_looked_up_total"), "value 1")

    def test_a_connection_that_ends_before_the_commit_is_tried_again(self):
        shell = self.open()
        first = revision_of(shell.ask("save a 100"))
        with self.lock_of_the_state():
            write = shell.send("save b 100 absent")
            waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%for update%'"
            scratch.wait_for(lambda: self.primary.sql(waiting), "the write waits for the lock")
            self.primary.sql(f"select pg_terminate_backend(pid) from ({waiting}) w")
        self.assertEqual(shell.wait(write), f"committed {first + 1}")

    def test_a_server_that_crashes_in_the_middle_of_commits_loses_and_repeats_none(self):
        shell = self.open(timeout="30s")
        writes = []
        for i in range(120):
            writes.append(shell.send(f"save k{i} {100 + i % 7 * 40000} absent"))
            if i in (40, 80):
                # One server process that is killed makes all others end, and the server recover.
                pid = self.primary.sql("select pid from pg_stat_activity where application_name = 'gallery' "
                                       "order by random() limit 1")
                os.kill(int(pid), signal.SIGKILL)
                # Until the server has noticed, it goes on answering, and lists the process.
                listed = f"select count(*) from pg_stat_activity where pid = {pid}"
                scratch.wait_for(lambda sql=listed: self.primary.sql(sql) == "0", "the server has recovered")
        revisions = [revision_of(shell.wait(w)) for w in writes]
        self.assertEqual(len(set(revisions)), len(revisions))
        feed = shell.ask("changes 0").split()
        self.assertEqual(sorted(revisions), [int(r) for r in feed[2:]])
        for i in range(0, 120, 7):
            self.assertEqual(shell.ask(f"read k{i}"), f"bytes {100 + i % 7 * 40000}")
        self.assertEqual(shell.ask("check"), "sound 120")

    def test_bytes_that_a_crash_has_taken_are_stored_again(self):
        shell = self.open(timeout="30s")
        with self.lock_of_the_state():
            write = shell.send("save large 300000")
            scratch.wait_for(lambda: self.primary.sql("select count(*) from gallery.staged") == "1", "bytes are staged")
            self.primary.sql("delete from gallery.body; delete from gallery.staged")
        revision_of(shell.wait(write))
        self.assertEqual(shell.ask("read large"), "bytes 300000")
        self.assertEqual(shell.ask("check"), "sound 1")

    def test_a_refused_save_leaves_no_bytes(self):
        shell = self.open()
        revision_of(shell.ask("save a 300000"))
        self.assertTrue(shell.ask("save a 300000 absent").startswith("conflict"))
        scratch.wait_for(lambda: self.primary.sql("select count(distinct id) from gallery.body") == "1", "they are gone")
        self.assertEqual(self.primary.sql("select count(*) from gallery.staged"), "0")

    def test_a_full_disk_is_no_space_and_leaves_nothing_half(self):
        shell = self.open()
        revision_of(shell.ask("save a 100"))
        self.primary.sql("""
            create function gallery.no_room() returns trigger language plpgsql as
            $$ begin if new.id is not null and octet_length(new.data) > 50 then
                 raise exception 'could not extend file' using errcode = '53100'; end if; return new; end $$;
            create trigger no_room before insert on gallery.body for each row execute function gallery.no_room()""")
        for size in (2000, 300000):
            self.assertRegex(shell.ask(f"save b{size} {size}"), "^error no_space")
        # The ones beside it in one transaction are written all the same.
        with self.lock_of_the_state():
            writes = {size: [shell.send(f"save w{size}x{i} {size}") for i in range(8)] for size in (10, 2000)}
            time.sleep(0.5)
        for write in writes[10]:
            revision_of(shell.wait(write))
        for write in writes[2000]:
            self.assertRegex(shell.wait(write), "^error no_space")
        self.assertRegex(shell.ask("erase a"), "^committed")
        self.primary.sql("drop trigger no_room on gallery.body")
        self.assertEqual(shell.ask("check"), "sound 8")
        revision_of(shell.ask("save b2000 2000"))

    @contextlib.contextmanager
    def lock_of_the_state(self):
        """Nobody can commit meanwhile."""
        holder = subprocess.Popen([str(self.primary.bin / "psql"), "-X", "-q", "-d", self.primary.dsn()],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        holder.stdin.write("begin;\nselect 'locked' from gallery.state for update;\n")
        while "locked" not in holder.stdout.readline():
            pass
        try:
            yield
        finally:
            holder.communicate("rollback;\n")
            holder.stdout.close()


class Histories(Failures):
    def replicate_alone(self, server):
        """A promoted server has no standby of its own yet."""
        server.sql("alter system set synchronous_standby_names = ''")
        server.sql("select pg_reload_conf()")

    def test_bytes_go_to_the_new_primary_although_the_old_one_still_answers(self):
        standby = self.servers[1]
        shell = self.open(allow_unreplicated="true", timeout="4s", connections="1")
        revision_of(shell.ask("save before 300000"))
        # Its session is idle, and would be used again.
        self.assertNotEqual(self.primary.sql("select pid from pg_stat_activity where application_name = 'gallery' "
                                             "and query like 'insert into body%'"), "")
        standby.promote()
        self.replicate_alone(standby)
        # The old one lets in nobody new, and waits for its standby in vain; the sessions that it has go on.
        hba = self.primary.data / "pg_hba.conf"
        hba.write_text("local all all reject\n")
        self.primary.process.send_signal(signal.SIGHUP)
        scratch.wait_for(lambda: shell.ask("save after 300000").startswith("committed"), "writes go on")
        self.assertEqual(standby.sql("select count(*) from gallery.image where key = 'after'"), "1")
        self.assertEqual(shell.ask("read after"), "bytes 300000")
        self.assertEqual(shell.ask("read before"), "bytes 300000")
        self.assertEqual(shell.ask("check"), "sound 2")

    def test_the_newest_change_after_a_failover_is_one_that_the_feed_has(self):
        standby = self.servers[1]
        shell = self.open(allow_unreplicated="true", timeout="20s")
        newest = revision_of(shell.ask("save a 100"))
        self.primary.kill()
        standby.promote()
        self.replicate_alone(standby)
        # The new epoch has begun, and no change is in it yet.
        self.assertEqual(revision_of(shell.ask("last")), newest, "\n".join(shell.log))
        self.assertEqual(int(standby.sql("select revision from gallery.state")), COUNTER)
        self.assertEqual(shell.ask(f"changes {newest}"), f"ok {newest}")
        self.assertEqual(shell.ask("changes 0"), f"ok {newest} {newest}")
        after = revision_of(shell.ask("save b 100"))
        self.assertEqual(revision_of(shell.ask("last")), after)

    def test_a_promoted_standby_after_a_crash_restart_repeats_no_revision(self):
        standby = self.servers[1]
        shell = self.open(timeout="3s")
        known = [revision_of(shell.ask(f"save k{i} 100")) for i in range(5)]
        # The standby does not get this one, so that nobody is told of it.
        standby.kill()
        lost = shell.send("save lost 100")
        self.backend_of_commit()
        self.primary.kill()
        self.assertRegex(shell.wait(lost), "^error unavailable")
        # After the crash the primary shows it, and no server may believe it.
        self.primary.start()
        self.assertEqual(self.primary.sql("select count(*) from gallery.image where key = 'lost'"), "1")
        self.assertRegex(shell.ask("find lost"), "^error unavailable")
        self.primary.kill()
        standby.start()
        standby.promote()
        standby.sql("alter system set synchronous_standby_names = ''")
        standby.sql("select pg_reload_conf()")
        survivor = self.open(servers=[standby], allow_unreplicated="true")
        for i, revision in enumerate(known):
            self.assertEqual(survivor.ask(f"find k{i}"), f"found {revision}")
        self.assertRegex(survivor.ask("find lost"), "^error not_found")
        after = revision_of(survivor.ask("save next 100"))
        self.assertGreater(after, known[-1] + 1)
        self.assertGreaterEqual(after, COUNTER)
        self.assertEqual(survivor.ask(f"changes {known[-1]}"), f"ok {after} {after}")
        # The position of the write that was lost is of a history which is gone.
        self.assertRegex(survivor.ask(f"changes {known[-1] + 1}"), f"^gap {after} {known[0]} ")

    def test_a_server_that_saw_the_lost_part_of_a_history_drops_it(self):
        standby = self.servers[1]
        shell = self.open(allow_unreplicated="true", timeout="20s")
        known = revision_of(shell.ask("save kept 100"))
        revision_of(shell.ask("save replaced 100"))
        # Without its standby the primary goes on, as its operator has decided.
        standby.kill()
        self.primary.sql("alter system set synchronous_standby_names = ''")
        self.primary.sql("select pg_reload_conf()")
        revision_of(shell.ask("save lost 100"))
        revision_of(shell.ask("save replaced 200"))
        revision_of(shell.ask("document lost"))
        seen = revision_of(shell.ask("erase kept"))
        self.primary.kill()
        standby.start()
        standby.promote()
        standby.sql("alter system set synchronous_standby_names = ''")
        standby.sql("select pg_reload_conf()")
        self.assertEqual(shell.ask("find kept"), f"found {known}", "\n".join(shell.log))
        self.assertEqual(shell.ask("find_now lost"), "nothing")
        self.assertRegex(shell.ask("find lost"), "^error not_found")
        self.assertEqual(shell.ask("read replaced"), "bytes 100")
        self.assertRegex(shell.ask(f"changes {seen}"), "^gap ")
        self.assertEqual(shell.ask("statistic reloads_total"), "value 1")
        self.assertGreater(revision_of(shell.ask("save next 100")), seen)
        self.assertEqual(shell.ask("check"), "sound 3")

    def test_writes_go_on_after_a_failover_and_all_that_were_acknowledged_are_there(self):
        standby = self.servers[1]
        shell = self.open(allow_unreplicated="true", timeout="30s")
        writes = {}
        for i in range(60):
            writes[f"k{i}"] = shell.send(f"save k{i} {200 if i % 3 else 200000} absent")
            time.sleep(0.005)
        self.primary.kill()
        standby.promote()
        standby.sql("alter system set synchronous_standby_names = ''")
        standby.sql("select pg_reload_conf()")
        revisions = {key: revision_of(shell.wait(write)) for key, write in writes.items()}
        self.assertEqual(len(set(revisions.values())), len(revisions))
        for key, revision in revisions.items():
            self.assertEqual(shell.ask(f"find {key}"), f"found {revision}")
        self.assertEqual(shell.ask("check"), "sound 60")
        feed = [int(r) for r in shell.ask("changes 0").split()[2:]]
        self.assertEqual(feed, sorted(revisions.values()))

    def test_the_horizon_stands_while_the_primary_does(self):
        shell = self.open(timeout="2s")
        age = int(shell.ask("horizon").split()[1])
        self.assertLess(age, 5000)
        send_signal(self.primary, signal.SIGSTOP)
        self.addCleanup(send_signal, self.primary, signal.SIGCONT)
        self.assertRegex(shell.ask("horizon"), "^error unavailable")
        self.assertRegex(shell.ask("find a"), "^error unavailable")
        send_signal(self.primary, signal.SIGCONT)
        scratch.wait_for(lambda: shell.ask("horizon").startswith("ms"), "the feed is followed again")
        self.assertLess(int(shell.ask("horizon").split()[1]), 5000)


class Replication(Failures):
    def names(self, value):
        self.primary.sql(f"alter system set synchronous_standby_names = '{value}'")
        self.primary.sql("select pg_reload_conf()")

    def test_a_database_that_does_not_replicate_is_refused_unless_allowed(self):
        self.names("")
        refused = self.open().opened
        self.assertRegex(refused, "^error invalid_argument .*synchronous_standby_names is empty.*allow_unreplicated")
        self.assertEqual(self.open(allow_unreplicated="true").opened, "ok")
        self.names("standby0")
        for level in ("off", "local", "remote_write"):
            self.primary.sql(f"alter role gallery_test set synchronous_commit = {level}")
            self.assertRegex(self.open().opened, f"^error invalid_argument .*synchronous_commit is {level}")
        self.primary.sql("alter role gallery_test reset synchronous_commit")
        self.assertEqual(self.open().opened, "ok")

    def test_a_database_that_stops_replicating_gets_no_more_writes(self):
        shell = self.open()
        self.assertEqual(shell.ask("writing"), "ok")
        revision_of(shell.ask("save a 100"))
        self.names("")
        scratch.wait_for(lambda: shell.ask("writing").startswith("stopped"), "the engine notices")
        self.assertRegex(shell.ask("save b 100"), "^error read_only")
        self.assertRegex(shell.ask("document d"), "^error read_only")
        revision_of(shell.ask("find a"))
        self.names("standby0")
        scratch.wait_for(lambda: shell.ask("writing") == "ok", "the engine notices")
        revision_of(shell.ask("save b 100"))


class Openings(Failures):
    standbys = 0

    def open(self, *arguments, **options):
        return super().open(*arguments, **({"allow_unreplicated": "true"} | options))

    def test_two_servers_see_each_others_changes_without_waiting_for_the_next_poll(self):
        first = self.open(poll="60s", heartbeat="60s")
        second = self.open(poll="60s", heartbeat="60s")
        # Both listen once each has seen something of the other.
        scratch.wait_for(lambda: self.primary.sql("select count(*) from pg_stat_activity where query like 'listen %'")
                         == "2", "both listen")
        for i in range(10):
            revision = revision_of(first.ask(f"save k{i} 100"))
            scratch.wait_for(lambda i=i, r=revision: second.ask(f"find_now k{i}") == f"found {r}", "it is seen")
            revision = revision_of(second.ask(f"save k{i} 100"))
            scratch.wait_for(lambda i=i, r=revision: first.ask(f"find_now k{i}") == f"found {r}", "it is seen")

    def test_a_server_that_was_stopped_catches_up(self):
        stopped = self.open()
        writer = self.open()
        begin = revision_of(writer.ask("document first"))
        self.assertEqual(stopped.ask(f"changes {begin}"), f"ok {begin}")
        stopped.process.send_signal(signal.SIGSTOP)
        last = revision_of(writer.ask("documents 5000"))
        stopped.process.send_signal(signal.SIGCONT)
        self.assertEqual([int(r) for r in stopped.ask(f"changes {begin}").split()[2:]], list(range(begin + 1, last + 1)))
        self.assertEqual(last - begin, 5000)
        self.assertEqual(stopped.ask("check"), "sound 0")

    def test_a_server_that_was_stopped_until_changes_were_removed_loads_the_store_again(self):
        stopped = self.open()
        writer = self.open()
        begin = revision_of(writer.ask("save kept 100"))
        revision_of(writer.ask("save erased 100"))
        self.assertEqual(stopped.ask("find erased").split()[0], "found")
        stopped.process.send_signal(signal.SIGSTOP)
        revision_of(writer.ask("save added 100"))
        revision_of(writer.ask("erase erased"))
        revision_of(writer.ask("document d"))
        self.primary.sql("begin; delete from gallery.change; update gallery.state set trimmed = revision; commit")
        last = revision_of(writer.ask("document e"))
        stopped.process.send_signal(signal.SIGCONT)
        self.assertEqual(stopped.ask("find added").split()[0], "found", "\n".join(stopped.log))
        self.assertRegex(stopped.ask("find erased"), "^error not_found")
        self.assertEqual(stopped.ask(f"changes {begin}"), f"gap {last} {last}")
        self.assertEqual(stopped.ask("statistic reloads_total"), "value 1")
        self.assertEqual(stopped.ask("check"), "sound 2")
        revision_of(stopped.ask("save next 100"))
        self.assertEqual(writer.ask("check"), "sound 3")

    def test_a_write_of_a_server_that_was_stopped_is_judged_by_the_newest_state(self):
        # Here it is the committer that meets the removed changes first.
        stopped = self.open(poll="60s", heartbeat="60s")
        writer = self.open()
        scratch.wait_for(lambda: self.primary.sql("select count(*) from pg_stat_activity where query like 'listen %'")
                         == "2", "both listen")
        self.primary.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'")
        revision_of(writer.ask("save a 100"))
        self.primary.sql("begin; delete from gallery.change; update gallery.state set trimmed = revision; commit")
        self.assertRegex(stopped.ask("save a 100 absent"), "^conflict ")
        self.assertEqual(stopped.ask("check"), "sound 1")

    def test_a_role_needs_rights_on_its_schema_only(self):
        self.primary.sql("create role plain login; create schema its_own authorization plain;"
                         "revoke create on database postgres from public")
        shell = self.open("its_own", user="plain")
        revision_of(shell.ask("save a 300000"))
        self.assertEqual(shell.ask("check"), "sound 1")
        self.assertRegex(self.open("another", user="plain").opened, "^error unavailable .*right to create the schema")

    def test_a_later_format_is_refused(self):
        revision_of(self.open().ask("save a 100"))
        self.primary.sql("update gallery.state set version = 7")
        self.assertRegex(self.open().opened, "^error unavailable .*format 7.*format 1")

    def test_a_database_with_another_encoding_is_refused(self):
        self.primary.sql("create database latin template template0 encoding latin1 locale 'C'")
        self.assertRegex(self.open(database="latin").opened, "^error invalid_argument .*LATIN1.*UTF8")

    def test_a_password_is_in_no_message(self):
        for dsn in ("host=/nowhere password=geheim dbname=postgres", "host=/nowhere password=geheim nonsense=geheim",
                    "postgresql://u:geheim@127.0.0.1:1/x", "password=geheim =", "geheim"):
            shell = self.open(dsn=dsn, timeout="1s")
            self.assertRegex(shell.opened, "^error (unavailable|invalid_argument) ")
            self.assertNotIn("geheim", shell.opened + "".join(shell.log))

    def test_own_writes_do_not_look_like_a_lost_history(self):
        # They move the position on while a question for the newest changes is under way.
        first, second = self.open(poll="10ms"), self.open(poll="10ms")
        for shell in (first, second):
            self.assertEqual(shell.opened, "ok")
        for _ in range(10):
            writes = [shell.send(f"document {which}{i}") for i in range(20) for which, shell in (("a", first), ("b", second))]
            reads = [shell.send("find none") for _ in range(20) for shell in (first, second)]
            waiting = [(shell, name) for names in (writes, reads)
                       for name, shell in zip(names, itertools.cycle((first, second)))]
            for shell, name in waiting:
                shell.wait(name)
        for shell in (first, second):
            self.assertEqual(shell.ask("statistic reconnects_total"), "value 0", "\n".join(shell.log))

    def test_many_that_open_an_empty_database_at_once_make_one_store(self):
        shells = []
        threads = [threading.Thread(target=lambda: shells.append(self.open())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([s.opened for s in shells], ["ok"] * 6)
        revisions = [revision_of(s.ask("save a 10")) for s in shells]
        self.assertEqual(revisions, sorted(revisions))

    def test_what_nobody_refers_to_is_removed(self):
        shell = self.open()
        revision_of(shell.ask("save a 300000"))
        self.primary.sql("""
            insert into gallery.staged values ('00000000-0000-0000-0000-000000000001', now() - interval '1 hour'),
                                              ('00000000-0000-0000-0000-000000000002', now());
            insert into gallery.body select body, 0, 0, 'x' from gallery.staged""")
        scratch.wait_for(lambda: self.primary.sql("select body from gallery.staged")
                         == "00000000-0000-0000-0000-000000000002", "upkeep removes what is old")
        self.assertEqual(self.primary.sql("select count(distinct id) from gallery.body"), "2")
        self.assertEqual(shell.ask("check"), "sound 1")


if __name__ == "__main__":
    unittest.main()
