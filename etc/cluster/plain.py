# SPDX-License-Identifier: Apache-2.0
"""The database without Patroni: this script starts the members and replaces a lost primary.

Why no acknowledged write is lost: a commit is acknowledged when the primary and at least one of the two standbys have
it on their disks. Before a promotion the old primary is killed with all its processes, so that it acknowledges nothing
more. Then *both* standbys must tell how far their logs reach, and the one with the longer log is promoted: one of them
has every acknowledged commit. A standby that is down is started for the question; if its position cannot be had, nobody
is promoted. Only a member whose data folder is being copied anew is not asked. Such a copy of a standby begins only
after the other standby has confirmed everything that the primary had written by then.

All members are on one machine, so that killing the old primary is certain. Between machines that takes a lease and a
watchdog; that is Patroni's work.
"""
import contextlib
import threading
import time

from folder import MEMBERS
from postgres import Member
from processes import Failure, free_ports, wait_for_program, wait_until

UNRESPONSIVE = 5.0   # seconds without an answer after which a standby is started again, when its position is needed
NOT_STREAMING = 15.0  # seconds after which a running standby that does not follow the primary is copied anew


class PlainDatabase:
    def __init__(self, folder, restart_delay, patience, say):
        """`patience`: seconds without an answer after which a primary counts as lost."""
        self.folder, self.restart_delay, self.patience, self.say = folder, restart_delay, patience, say
        self.settings = folder.settings()
        ports = free_ports(len(MEMBERS))
        self.members = {name: Member(name, port, folder, self.settings["passwords"])
                        for name, port in zip(MEMBERS, ports)}
        self.ended = {}  # name -> when its process was found to have ended
        self.confirmed = {}  # name -> when the primary last saw it stream
        self.caught_up = set()  # standbys that had confirmed all of the log when the primary was last asked
        self.last_answer = 0.0
        self.stopping = threading.Event()

    @property
    def primary(self):
        return self.members[self.settings["primary"]]

    @property
    def standbys(self):
        return [m for m in self.members.values() if m is not self.primary]

    def ports(self):
        return [m.port for m in self.members.values()]

    def ask_primary(self, sql, database="postgres", timeout=10.0):
        return self.primary.ask(sql, timeout, database)

    def _record(self, **changes):
        self.settings.update(changes)
        self.folder.save(self.settings)

    def _is_complete(self, member):
        return member.name in self.settings["complete"]

    def _mark_complete(self, member, complete):
        names = set(self.settings["complete"])
        (names.add if complete else names.discard)(member.name)
        self._record(complete=sorted(names))

    # Start and stop

    def start(self):
        for member in self.members.values():
            member.configure(self.members.values())
        first = not self._is_complete(self.primary)
        if first:
            if self.settings["complete"]:
                raise Failure(f"the data folder of the primary, {self.primary.data}, is incomplete, but others are not")
            self.primary.initialise()
            self._mark_complete(self.primary, True)
        self._start_again(self.primary)
        if first or not self.ask_primary("select 1 from pg_roles where rolname = 'replicator'"):
            self._create_replicator()
        for member in self.standbys:
            if self._is_complete(member) and member.is_standby_on_disk():
                member.start()
            else:
                self._copy(member)
        for member in self.standbys:
            if member.copying:
                self._end_copy(member)
        self._wait_for_standbys()
        self.last_answer = time.monotonic()
        threading.Thread(target=self._watch_primary, daemon=True).start()

    def _create_replicator(self):
        # A new primary waits for a standby at each commit; the first standby cannot connect without this role.
        self.ask_primary("set synchronous_commit = local; create role replicator login replication password "
                         f"'{self.settings['passwords']['replicator']}'")

    def _wait_for_standbys(self, limit=300):
        def follow():
            return self.ask_primary("select count(*) from pg_stat_replication where state = 'streaming' and "
                                    "application_name like 'pg%'") == [(len(self.standbys),)]
        wait_until(follow, limit, lambda: f"after {limit} s not all standbys follow the primary; see {self.folder.log}/pg*.log")

    def stop(self):
        self.stopping.set()
        # The primary first: its shutdown waits until the standbys have received everything.
        for member in [self.primary, *self.standbys]:
            member.stop()

    # Watching

    def _watch_primary(self):
        """Asks the primary twice a second, on a new connection, as a client would."""
        while not self.stopping.wait(0.5):
            member = self.primary
            with contextlib.suppress(OSError):
                rows = member.ask("select application_name, coalesce(flush_lsn >= pg_current_wal_flush_lsn(), false) "
                                  "from pg_stat_replication where state = 'streaming'", 2.0)
                if member is self.primary:
                    now = time.monotonic()
                    self.last_answer = now
                    self.confirmed.update((name, now) for name, _ in rows)
                    self.caught_up = {name for name, is_caught_up in rows if is_caught_up}

    def tick(self):
        primary = self.primary
        if not primary.is_running():
            self.say(f"the primary {primary.name} has ended")
            self._replace_primary()
        elif time.monotonic() - self.last_answer > self.patience:
            self.say(f"the primary {primary.name} has not answered for {self.patience:.0f} s")
            self._replace_primary()
        for member in self.standbys:
            self._tend(member)

    def _tend(self, member):
        now = time.monotonic()
        if member.copying:
            if member.copying.poll() is not None:
                self._end_copy(member)
        elif not self._is_complete(member):
            self._copy(member)
        elif not member.is_running():
            ended = self.ended.setdefault(member.name, now)
            if self.restart_delay and now - ended >= self.restart_delay:
                self._start_standby(member)
        elif now - self.confirmed.setdefault(member.name, now) > NOT_STREAMING:
            others = {m.name for m in self.standbys if m is not member}
            if others & self.caught_up and now - self.last_answer < 1.0:
                self.say(f"the standby {member.name} does not follow the primary; copying its data folder anew")
                self._copy(member)

    def _start_standby(self, member):
        self.say(f"starting the standby {member.name}")
        self.ended.pop(member.name, None)
        self.confirmed[member.name] = time.monotonic()
        member.start()

    def _copy(self, member):
        self._mark_complete(member, False)
        member.start_copy(self.primary)

    def _end_copy(self, member):
        if member.finish_copy():
            self._mark_complete(member, True)
            self._start_standby(member)
        else:
            self.say(f"copying the data folder of {member.name} failed; see {member.log_path}")
            time.sleep(0.5)

    # A lost primary

    def _replace_primary(self):
        began = time.monotonic()
        lost = self.primary
        lost.kill()
        if lost.is_standby_on_disk():
            # It was chosen, and its promotion did not end. Nobody else certainly has every commit that it has.
            self.say(f"the promotion of {lost.name} did not end; starting it again")
            self._start_again(lost)
            return
        candidates = [m for m in self.standbys if self._is_complete(m) and not m.copying]
        if not candidates:
            self.say("no standby has a complete data folder; starting the lost primary again")
            self._start_again(lost)
            return
        positions = {member: self._position(member) for member in candidates}
        if None in positions.values():
            unknown = ", ".join(m.name for m, position in positions.items() if position is None)
            self.say(f"nobody is promoted: it is unknown how far the log of {unknown} reaches. Trying again")
            return
        chosen = max(candidates, key=positions.get)
        # From here on a restart of the script promotes it, too. What was lost can have commits that nobody else has;
        # they were not acknowledged, and its data folder is copied anew.
        self._record(primary=chosen.name, complete=[n for n in self.settings["complete"] if n != lost.name])
        self._promote(chosen)
        self.last_answer = time.monotonic()
        self.confirmed = {}
        self.caught_up = set()
        self.say(f"promoted {chosen.name} {time.monotonic() - began:.2f} s after the loss of {lost.name} was noticed "
                 f"(positions: {', '.join(f'{m.name} {p:X}' for m, p in positions.items())})")

    def _start_again(self, primary):
        primary.start()
        primary.wait_until_answers()
        if primary.is_standby_on_disk():
            # It had been chosen, and was not promoted yet.
            self._promote(primary)
        self.last_answer = time.monotonic()

    def _position(self, member, limit=10):
        """None if it cannot be had. Starts a member that is down or does not answer."""
        restart = time.monotonic() + UNRESPONSIVE
        if not member.is_running():
            self._start_standby(member)

        def position():
            nonlocal restart
            with contextlib.suppress(OSError):
                return member.position()
            if not member.is_running() or time.monotonic() > restart:
                restart = time.monotonic() + UNRESPONSIVE
                member.kill()
                self._start_standby(member)
            return None
        with contextlib.suppress(Failure):
            return wait_until(position, limit, str)
        return None

    def _promote(self, member, limit=300):
        member.ask("select pg_promote(false)")
        wait_for_program(member, lambda: member.ask("select not pg_is_in_recovery()") == [(True,)], limit, "is not promoted")

    # What is shown

    def rows(self):
        """(label, main process or None, what is wrong or None)"""
        found = [("primary", self.primary.pid(), None if self.primary.is_running() else "down")]
        for number, member in enumerate(self.standbys, 1):
            wrong = None
            if member.copying or not self._is_complete(member):
                wrong = "its data folder is being copied"
            elif not member.is_running():
                wrong = "down"
            elif time.monotonic() - self.confirmed.get(member.name, 0.0) > 3:
                wrong = "does not follow the primary"
            found.append((f"standby {number}", member.pid(), wrong))
        return found
