# SPDX-License-Identifier: Apache-2.0
"""The database with Patroni: it starts PostgreSQL, keeps the leader's lease in etcd, and performs the failover.

One etcd is enough to see how it works. A real installation has three, on different machines (etc/doc/cluster.md).
"""
import concurrent.futures
import http.client
import json
import os

from folder import MEMBERS
from front import Program
from postgres import ACCESS, BINARIES, PARAMETERS, ask, end_server_in, postmaster_pid
from processes import Failure, as_database_user, free_ports, give_to_database_user, kill_all_in, last_lines, wait_until

PATRONI = "/usr/bin/patroni"
ETCD = "/usr/bin/etcd"
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 2, 3  # seconds; 20 is the smallest ttl that Patroni accepts


def check_programs():
    for program, package in ((PATRONI, "patroni"), (ETCD, "etcd-server")):
        if not os.access(program, os.X_OK):
            raise Failure(f"there is no {program}. Run etc/bootstrap.sh, which installs {package}.")


def as_yaml(value, indent=0):
    """Dictionaries, lists, strings, numbers and booleans; every scalar as JSON, which YAML includes."""
    space = "  " * indent
    if isinstance(value, dict):
        return "".join(f"{space}{key}:\n{as_yaml(v, indent + 1)}" if isinstance(v, (dict, list))
                       else f"{space}{key}: {json.dumps(v)}\n" for key, v in value.items())
    return "".join(f"{space}- {json.dumps(v)}\n" for v in value)


class PatroniMember(Program):
    def __init__(self, name, port, api_port, folder, settings, etcd_port):
        self.name, self.port, self.api_port = name, port, api_port
        self.data = folder.path / name
        configuration = folder.path / f"{name}.yml"
        super().__init__(f"Patroni {name}", [PATRONI, configuration], folder.path / f"patroni-{name}",
                         folder.log / f"patroni-{name}.log")
        configuration.write_text(as_yaml(self._settings(settings["passwords"], folder, etcd_port)))
        configuration.chmod(0o600)
        for path in (configuration, self.folder):
            give_to_database_user(path)
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            give_to_database_user(self.data)

    def _settings(self, passwords, folder, etcd_port):
        # Patroni sets what concerns replication itself.
        parameters = {k: v for k, v in PARAMETERS.items() if k not in ("listen_addresses", "wal_log_hints")}
        return {
            "scope": "gallery", "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.api_port}", "connect_address": f"127.0.0.1:{self.api_port}"},
            "etcd3": {"host": f"127.0.0.1:{etcd_port}"},
            "bootstrap": {
                "dcs": {"ttl": TTL, "loop_wait": LOOP_WAIT, "retry_timeout": RETRY_TIMEOUT,
                        # A commit is acknowledged when a second machine has it; without one, commits wait.
                        "synchronous_mode": True, "synchronous_mode_strict": True,
                        "postgresql": {"use_pg_rewind": True, "use_slots": True}},
                "initdb": ["data-checksums"]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.data), "bin_dir": str(BINARIES), "pgpass": str(self.folder / "pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres", "password": passwords["postgres"]},
                    "replication": {"username": "replicator", "password": passwords["replicator"]}},
                "parameters": parameters, "pg_hba": list(ACCESS),
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True},
            # A real installation uses /dev/watchdog here.
            "watchdog": {"mode": "off"},
        }

    def start(self):
        kill_all_in(self.folder)
        end_server_in(self.data)
        self.popen(**as_database_user(self.command))

    def stop(self, limit=60):
        super().stop(limit)
        kill_all_in(self.data)

    def state(self, timeout=1.0):
        """What Patroni's REST interface says of this member; {} if it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=timeout)
        try:
            connection.request("GET", "/patroni")
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return {}
        finally:
            connection.close()


class PatroniDatabase:
    def __init__(self, folder, restart_delay, say):
        self.folder, self.restart_delay, self.say = folder, restart_delay, say
        settings = folder.settings()
        self.passwords = settings["passwords"]
        client, peer, *ports = free_ports(2 + 2 * len(MEMBERS))
        self.etcd = Program("etcd", [
            ETCD, "--name", "etcd1", "--data-dir", folder.path / "etcd" / "data",
            "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"etcd1=http://127.0.0.1:{peer}"], folder.path / "etcd", folder.log / "etcd.log")
        self.members = [PatroniMember(name, ports[2 * i], ports[2 * i + 1], folder, settings, client)
                        for i, name in enumerate(MEMBERS)]
        self.leader = None
        self.states = {}

    def ports(self):
        return [m.port for m in self.members]

    def start(self, limit=300):
        self.etcd.start()
        for member in self.members:
            member.start()
        wait_until(self._is_whole, limit, lambda: f"after {limit} s these are not ready: {', '.join(self._not_ready())}; see "
                                                  f"{self.folder.log}", 0.1)

    def _is_whole(self):
        for program in (self.etcd, *self.members):
            if not program.is_running():
                raise Failure(f"{program.label} ended; {program.log_path} ends:\n{last_lines(program.log_path)}")
        self._look()
        return not self._not_ready()

    def _not_ready(self):
        return [label for label, pid, problem in self.rows() if problem or not pid]

    def ask_primary(self, sql, database="postgres", timeout=10.0):
        return ask(self.leader.port, self.passwords["postgres"], sql, timeout, database=database)

    def _look(self):
        with concurrent.futures.ThreadPoolExecutor(len(self.members)) as pool:
            self.states = dict(zip(MEMBERS, pool.map(PatroniMember.state, self.members)))
        for member in self.members:
            if self.states[member.name].get("role") == "master" and self.states[member.name].get("state") == "running":
                if member is not self.leader:
                    self.say(f"{member.name} is the primary")
                self.leader = member

    def tick(self):
        for program in (self.etcd, *self.members):
            program.tend(self.restart_delay, self.say)
        self._look()

    def stop(self):
        # Patroni shuts PostgreSQL down. The leader last, so that nobody is promoted meanwhile.
        for member in sorted(self.members, key=lambda m: m is self.leader):
            member.stop()
        self.etcd.stop()

    def rows(self):
        """(label, main process or None, what is wrong or None)"""
        if self.leader is None:
            return [("primary", None, "Patroni has not chosen one yet")]
        found = [("primary", *self._condition(self.leader, "master"))]
        standbys = [m for m in self.members if m is not self.leader]
        found += [(f"standby {number}", *self._condition(m, "replica")) for number, m in enumerate(standbys, 1)]
        return found

    def _condition(self, member, role):
        pid = postmaster_pid(member.data)
        state = self.states.get(member.name, {})
        if not member.is_running() or not pid:
            return pid, "down"
        if state.get("role") != role or state.get("state") != "running":
            return pid, f"Patroni reports: {state.get('state', 'no answer')}"
        if role == "replica" and not self._follows(member):
            return pid, "does not follow the primary"
        return pid, None

    def _follows(self, member):
        replication = self.states.get(self.leader.name, {}).get("replication", ())
        return any(r.get("application_name") == member.name and r.get("state") == "streaming" for r in replication)
