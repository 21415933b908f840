# SPDX-License-Identifier: Apache-2.0
"""Starting, finding and ending processes.

Every process of a cluster has its working directory in the cluster's folder. This is how leftovers are found: also
the children of a killed PostgreSQL, which nobody recorded and which write over their environment and arguments. A gallery
server hides its working directory from other users than root; such programs are recorded in a file `process` in their
folder.
"""
import contextlib
import os
import pathlib
import pwd
import random
import signal
import socket
import subprocess
import time

# As the kernel shows them (15 characters). A shell or an editor in the cluster's folder is none of these.
PROGRAMS = {"postgres", "pg_basebackup", "initdb", "gallery-server", "gallery-imaging", "haproxy", "etcd", "patroni"}


class Failure(Exception):
    """Something that the user must be told; the text is the whole message."""


def wait_until(condition, limit, what_is_wrong, interval=0.02):
    """Returns the first true result of condition(), which is called again and again. An OSError from it counts as "not
    yet". After `limit` seconds raises Failure with the text that what_is_wrong() returns."""
    deadline = time.monotonic() + limit
    while True:
        with contextlib.suppress(OSError):
            found = condition()
            if found:
                return found
        if time.monotonic() > deadline:
            raise Failure(what_is_wrong())
        time.sleep(interval)


def wait_for_program(program, condition, limit, fault):
    """As wait_until(); raises Failure also if the program ends. Its text contains the end of the program's log."""
    def met():
        if not program.is_running():
            raise Failure(f"{program.label} ended; {program.log_path} ends:\n{last_lines(program.log_path)}")
        return condition()
    wait_until(met, limit, lambda: f"after {limit} s {program.label} {fault}; {program.log_path} ends:\n"
                                   f"{last_lines(program.log_path)}")


def database_user():
    """The user that PostgreSQL runs as; None: the calling user. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise Failure("PostgreSQL does not run as root, and this machine has no user postgres. "
                      "Install the package postgresql-15, or run this as another user.") from None


def as_database_user(command, **options):
    """Arguments of Popen and run for a program of PostgreSQL."""
    user = database_user()
    if user is not None:
        options.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    environment.update(options.pop("env", {}))
    return {"args": [str(part) for part in command], "env": environment, "stdin": subprocess.DEVNULL, **options}


def give_to_database_user(path):
    user = database_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def _stat(pid):
    """(state, start time) of a process; None if there is none. A zombie has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None
    return None if fields[0] in "ZX" else (fields[0], fields[19])


def start_time(pid):
    """Distinguishes a process from a later one with the same id; None if it has ended."""
    found = _stat(pid)
    return found and found[1]


def is_running(pid):
    return bool(pid) and _stat(pid) is not None


def record(pid, folder):
    """Notes that this process runs in this folder."""
    (folder / "process").write_text(f"{pid} {start_time(pid)}\n")


def _recorded_in(folder):
    for path in (*folder.glob("process"), *folder.glob("*/process")):
        with contextlib.suppress(OSError, ValueError):
            pid, started = path.read_text().split()
            if start_time(int(pid)) == started:
                yield int(pid)


def processes_in(folder):
    """Ids of a cluster's processes in this folder."""
    folder = os.path.realpath(folder)
    found = list(_recorded_in(pathlib.Path(folder)))
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            where = os.readlink(f"/proc/{entry}/cwd").removesuffix(" (deleted)")
            if where != folder and not where.startswith(folder + "/"):
                continue
            name = pathlib.Path(f"/proc/{entry}/comm").read_text().strip()
            arguments = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes()
            ours = name in PROGRAMS or b"etc/cluster/supervisor.py" in arguments or b"/usr/bin/patroni" in arguments
            if ours and is_running(int(entry)) and int(entry) not in found:
                found.append(int(entry))
    return found


def kill_all_in(folder, limit=20):
    """SIGKILL to all processes in the folder, until there are none. Returns how many there were."""
    killed = set()

    def kill():
        pids = processes_in(folder)
        for pid in pids:
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    wait_until(kill, limit, lambda: f"the processes {processes_in(folder)} in {folder} do not end after SIGKILL", 0.01)
    return len(killed)


def free_ports(count):
    """Ports on 127.0.0.1 that are free and that the kernel does not hand out to clients, so that they are still free
    when a killed process is started again."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = list(range(10000, low)) if low > 12000 else list(range(1024, 65536))
    random.shuffle(candidates)
    found = []
    for port in candidates:
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
            if len(found) == count:
                return found
    raise Failure(f"there are no {count} free ports on 127.0.0.1")


def last_lines(path, count=15):
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
    return ""
