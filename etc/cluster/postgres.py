# SPDX-License-Identifier: Apache-2.0
"""One PostgreSQL server of the cluster, a member, without the decision who is the primary.

The configuration is outside the data folder, so that a copy of the primary's data folder becomes a standby without
a change. A standby finds the primary by itself: its connection string lists all members and requires a writable one.
"""
import contextlib
import importlib.util
import pathlib
import select
import shutil
import signal
import subprocess
import time

from folder import MEMBERS
from processes import Failure, as_database_user, give_to_database_user, is_running, kill_all_in, last_lines, wait_for_program

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")

# Settings of every member; those that a real installation must consider are explained in etc/doc/cluster.md.
PARAMETERS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200",
    "wal_level": "replica", "max_wal_senders": "10", "wal_keep_size": "512MB", "hot_standby": "on",
    "synchronous_commit": "on", "wal_log_hints": "on",
    # After a crash, everything to the disk in one step; file by file it takes seconds, in which nobody can be promoted.
    "recovery_init_sync_method": "syncfs",
    # How soon a standby notices that the primary is gone, and connects to the new one.
    "wal_receiver_timeout": "5s", "wal_sender_timeout": "5s", "wal_retrieve_retry_interval": "200ms",
    "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3",
    "password_encryption": "scram-sha-256", "timezone": "UTC", "log_timezone": "UTC", "log_line_prefix": "%m [%p] %q%u ",
}
# Who may connect. Replication, the cluster's own commands and the gallery: by password, on this machine.
ACCESS = ("host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256")


def check_programs():
    if not (BINARIES / "postgres").exists():
        raise Failure(f"there is no PostgreSQL in {BINARIES}. Run etc/bootstrap.sh, which installs postgresql-15.")
    if importlib.util.find_spec("psycopg2") is None:
        raise Failure("the Python package psycopg2 is missing. Run etc/bootstrap.sh, which installs python3-psycopg2.")


def ask(port, password, sql, timeout=2.0, user="postgres", database="postgres"):
    """Runs one statement on one member. Returns its rows. Raises OSError if there is no answer in time, also if the
    member's processes are stopped; libpq's own timeouts do not cover that."""
    import psycopg2  # noqa: PLC0415: `stop` must work without it
    deadline = time.monotonic() + timeout

    def wait(connection):
        while True:
            state = connection.poll()
            if state == psycopg2.extensions.POLL_OK:
                return
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"no answer in {timeout} s")
            reading = [connection.fileno()] if state == psycopg2.extensions.POLL_READ else []
            writing = [connection.fileno()] if state == psycopg2.extensions.POLL_WRITE else []
            select.select(reading, writing, [], remaining)

    try:
        # An asynchronous connection is in autocommit mode.
        connection = psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname=database,
                                      async_=1)
        with contextlib.closing(connection):
            wait(connection)
            cursor = connection.cursor()
            cursor.execute(sql)
            wait(connection)
            return cursor.fetchall() if cursor.description else []
    except psycopg2.Error as e:
        raise OSError(str(e).strip()) from e


def in_connection_string(value):
    """libpq's quoting, for a value that may contain blanks."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def synchronise(folder):
    """Everything in the folder to the disk, in one step. PostgreSQL's programs do it file by file, which takes seconds."""
    subprocess.run(["sync", "-f", folder], check=True)


class Member:
    def __init__(self, name, port, folder, passwords):
        self.name, self.port, self.folder, self.passwords = name, port, folder, passwords
        self.label = f"PostgreSQL {name}"
        self.data = folder.path / name
        self.configuration = folder.path / f"{name}.conf"
        self.log_path = folder.log / f"{name}.log"
        self.process = None
        self.copying = None  # pg_basebackup while the data folder is set up again

    def ask(self, sql, timeout=2.0, database="postgres"):
        return ask(self.port, self.passwords["postgres"], sql, timeout, database=database)

    # Files

    def configure(self, members):
        """Writes the configuration for the ports of this start."""
        pgpass = self.folder.path / f"{self.name}.pgpass"
        rules = self.folder.path / f"{self.name}.hba"
        hosts = ",".join("127.0.0.1" for _ in members)
        ports = ",".join(str(m.port) for m in members)
        primary = (f"host={hosts} port={ports} user=replicator passfile={in_connection_string(pgpass)} "
                   f"application_name={self.name} "
                   f"target_session_attrs=read-write connect_timeout=2 keepalives_idle=5 keepalives_interval=1 "
                   f"keepalives_count=3")
        settings = {**PARAMETERS, "data_directory": str(self.data), "hba_file": str(rules), "port": str(self.port),
                    "cluster_name": self.name, "primary_conninfo": primary,
                    # Any one of the others; a member's own name in the list has no effect.
                    "synchronous_standby_names": f"ANY 1 ({', '.join(MEMBERS)})"}
        quoted = {key: value.replace("\\", "\\\\").replace("'", "''") for key, value in settings.items()}
        for path, text in ((self.configuration, "".join(f"{k} = '{v}'\n" for k, v in quoted.items())),
                           (rules, "".join(f"{rule}\n" for rule in ACCESS)),
                           (pgpass, f"*:*:*:replicator:{self.passwords['replicator']}\n")):
            path.write_text(text)
            path.chmod(0o600)
            give_to_database_user(path)

    def _make_data_folder(self):
        self.data.mkdir(mode=0o700)
        give_to_database_user(self.data)

    def initialise(self):
        """A new database cluster."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_data_folder()
        password_file = self.folder.path / "initdb.password"
        password_file.write_text(self.passwords["postgres"])
        password_file.chmod(0o600)
        give_to_database_user(password_file)
        try:
            with open(self.log_path, "ab") as log:
                done = subprocess.run(**as_database_user(
                    [BINARIES / "initdb", "-D", self.data, "-U", "postgres", "-k", "-E", "UTF8", "--locale=C.UTF-8",
                     "-A", "scram-sha-256", f"--pwfile={password_file}", "--no-sync"]),
                    cwd=self.data, stdout=log, stderr=log, check=False)
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise Failure(f"initdb failed; {self.log_path} ends:\n{last_lines(self.log_path)}")
        synchronise(self.data)

    def start_copy(self, primary):
        """Begins to copy the primary's data folder over this member's. finish_copy() makes it a standby."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        self._make_data_folder()
        with open(self.log_path, "ab") as log:
            self.copying = subprocess.Popen(**as_database_user(
                [BINARIES / "pg_basebackup", "-h", "127.0.0.1", "-p", primary.port, "-U", "replicator", "-w", "-D", self.data,
                 "-X", "stream", "-c", "fast", "--no-sync"], env={"PGPASSFILE": str(self.folder.path / f"{self.name}.pgpass"),
                      # A copy may take longer than a standby may be silent.
                      "PGOPTIONS": "-c wal_sender_timeout=60s"}),
                cwd=self.data, stdout=log, stderr=log)

    def finish_copy(self):
        """False if the copy failed."""
        code, self.copying = self.copying.wait(), None
        if code != 0:
            return False
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        give_to_database_user(signal_file)
        synchronise(self.data)
        return True

    def is_standby_on_disk(self):
        return (self.data / "standby.signal").exists()

    # Processes

    def start(self):
        end_server_in(self.data)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(**as_database_user(
                [BINARIES / "postgres", "-D", self.data, "-c", f"config_file={self.configuration}"]),
                cwd=self.data, stdout=log, stderr=log)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.pid if self.is_running() else None

    def kill(self):
        """Ends this member, with all processes that its main process started. After this it acknowledges nothing."""
        if self.copying:
            self.copying.kill()
            self.copying.wait()
            self.copying = None
        kill_all_in(self.data)
        if self.process:
            self.process.wait()

    def stop(self, limit=30):
        """A clean shutdown, which ends open connections."""
        if not self.is_running():
            self.kill()
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_until_answers(self, limit=300):
        wait_for_program(self, lambda: self.ask("select 1"), limit, "does not answer")

    def position(self):
        """Up to where this standby has the primary's log on its disk. Raises OSError while the number can still grow: until
        the receiver has noticed that the primary is gone, and after a start until the log on the disk is replayed, which
        is when the standby first asks for more."""
        (receivers, received, replayed), = self.ask(
            "select (select count(*) from pg_stat_wal_receiver where status = 'streaming'), "
            "pg_last_wal_receive_lsn() - '0/0'::pg_lsn, pg_last_wal_replay_lsn() - '0/0'::pg_lsn", 1.0)
        if receivers:
            raise OSError("it still receives")
        if received is None:
            raise OSError("it still replays the log that it has")
        return max(int(received), int(replayed or 0))


def end_server_in(data):
    """Ends what an earlier run left in this data folder. The file with the process id goes, too: PostgreSQL would
    otherwise refuse to start while the old process is a zombie, or if another process has its id now."""
    kill_all_in(data)
    (data / "postmaster.pid").unlink(missing_ok=True)


def postmaster_pid(data):
    """The main process of the server in this data folder, whoever started it; None if there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((data / "postmaster.pid").read_text().split()[0])
        if is_running(pid):
            return pid
    return None
