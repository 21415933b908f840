# SPDX-License-Identifier: Apache-2.0
"""The commands of etc/cluster.sh, which describes them."""
import argparse
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

from folder import MEMBERS, Folder
from front import is_ready
from postgres import postmaster_pid
from processes import Failure, is_running, kill_all_in, last_lines, processes_in, start_time, wait_until

HERE = pathlib.Path(__file__).resolve().parent


def print_lines(running, marks):
    """One line per address and process, as etc/cluster.sh describes them."""
    def line(text, wrong):
        print(f"{text} ({wrong})" if marks and wrong else text)

    line(f"url {running['url']}", None)
    for number, (url, pid, wrong) in enumerate(running["nodes"], 1):
        if marks and not wrong:
            wrong = "down" if not is_running(pid) else None if is_ready(url) else "not ready"
        line(f"node {number} {url}", wrong)
    for label, pid, wrong in running["members"]:
        line(f"{label} {pid or '-'}", wrong or (None if is_running(pid) else "down"))
    sys.stdout.flush()


def new_logins(folder, since):
    """Lines with generated passwords in the logs of the nodes; the first start shows each once."""
    for number in (1, 2, 3):
        path = folder.log / f"node{number}.log"
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            file.seek(since.get(path, 0))
            for line in file:
                if re.match(r"sign in as .* with the password ", line):
                    yield line.strip()


def sizes(folder):
    return {path: path.stat().st_size for path in folder.log.glob("node*.log")} if folder.log.is_dir() else {}


def is_supervised(folder):
    pid, started = folder.running().get("supervisor") or (None, None)
    return pid if pid and started == start_time(pid) and folder.is_locked() else None


def start(folder, options):
    if is_supervised(folder):
        raise Failure(f"a cluster is already running in {folder.path}. 'etc/cluster.sh status' shows it, 'stop' ends it.")
    mode = "patroni" if options.patroni else "plain"
    folder.create(options.patroni)
    lock = folder.lock()
    if lock is None:
        raise Failure(f"another command is starting or stopping a cluster in {folder.path}")
    left = kill_all_in(folder.path)
    if left:
        print(f"ended {left} processes that an earlier run left in {folder.path}", file=sys.stderr)
    folder.running_path.unlink(missing_ok=True)
    delay = options.restart if options.restart is not None else (30 if options.patroni else 10)
    before = sizes(folder)
    reading, writing = os.pipe()
    with open(folder.log / "cluster.log", "ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "supervisor.py"), str(folder.path), mode, str(delay),
             str(options.patience), str(writing)],
            cwd=folder.path, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(writing, lock.fileno()), start_new_session=True)
    os.close(writing)
    lock.close()  # the supervisor has it
    report = b""
    try:
        while part := os.read(reading, 65536):
            report += part
    except KeyboardInterrupt:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        raise Failure("interrupted; everything is stopped") from None
    if report != b"ready":
        supervisor.wait()
        kill_all_in(folder.path)
        raise Failure(report.decode() or f"the supervisor ended; {folder.log}/cluster.log ends:\n"
                                         f"{last_lines(folder.log / 'cluster.log')}")
    for line in new_logins(folder, before):
        print(line)
    print_lines(folder.running(), marks=False)


def status(folder, _):
    if not is_supervised(folder):
        left = processes_in(folder.path) if folder.path.is_dir() else []
        more = f" ({len(left)} processes of an earlier run are left; start and stop end them)" if left else ""
        print(f"no cluster runs in {folder.path}{more}")
        return 3
    print_lines(folder.running(), marks=True)
    return 0


def kill(folder, options):
    if not is_supervised(folder):
        raise Failure(f"no cluster runs in {folder.path}")
    running = folder.running()
    kind, number = options.what, options.number
    if kind == "primary":
        if number is not None:
            raise Failure("there is only one primary; it has no number")
        label = "primary"
    else:
        if number is None:
            raise Failure(f"say which: {kind} N")
        label = f"{kind} {number}"
    if kind == "node":
        pids = {f"node {n}": pid for n, (_, pid, _) in enumerate(running["nodes"], 1)}
    else:
        pids = {name: pid for name, pid, _ in running["members"]}
    if label not in pids:
        raise Failure(f"there is no {label}; there are: {', '.join(pids)}")
    pid = pids[label]
    if not is_running(pid):
        raise Failure(f"{label} is down already")
    if running["mode"] == "patroni" and kind != "node":
        # As if its machine had failed: Patroni would start PostgreSQL alone again.
        for name in MEMBERS:
            if postmaster_pid(folder.path / name) == pid:
                kill_all_in(folder.path / f"patroni-{name}")
                kill_all_in(folder.path / name)
    else:
        os.kill(pid, signal.SIGKILL)
    print(f"killed {label} {pid}")


def stop(folder, _):
    pid = is_supervised(folder)
    if not pid and folder.is_locked():
        # It is still starting, and has recorded nothing.
        pid = next((p for p in processes_in(folder.path)
                    if b"supervisor.py" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()), None)
    if pid:
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(Failure):  # what is left then is killed
            wait_until(lambda: not is_running(pid), 120, str)
    left = kill_all_in(folder.path) if folder.path.is_dir() else 0
    folder.running_path.unlink(missing_ok=True)
    if not pid and not left:
        print(f"no cluster runs in {folder.path}")
    elif left:
        print(f"stopped; {left} processes had to be killed")
    else:
        print("stopped")


def positive_or_zero(text):
    value = float(text)
    if value < 0:
        raise ValueError
    return value


def main():
    parser = argparse.ArgumentParser(prog="etc/cluster.sh", description="Runs a PostgreSQL primary, two synchronous standbys, "
                                     "three gallery servers and haproxy on this machine.")
    parser.add_argument("--called-from", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="start | status | kill | stop")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--dir", help="folder for data and logs (default: ./data/cluster)")
    command = commands.add_parser("start", parents=[where], help="start everything, and print addresses and process ids")
    command.add_argument("--patroni", action="store_true", help="Patroni with etcd performs the failover")
    command.add_argument("--restart", type=positive_or_zero, metavar="SECONDS",
                         help="delay before a killed process is started again (default: 10, with --patroni 30); 0: never")
    command.add_argument("--patience", type=positive_or_zero, metavar="SECONDS", default=5.0,
                         help="how long a primary may give no answer before it is replaced (default: 5); not with --patroni")
    commands.add_parser("status", parents=[where], help="print the same lines; what is down is marked")
    command = commands.add_parser("kill", parents=[where], help="kill one process with SIGKILL")
    command.add_argument("what", choices=("primary", "standby", "node"))
    command.add_argument("number", nargs="?", type=int)
    commands.add_parser("stop", parents=[where], help="stop everything; the data is kept")
    options = parser.parse_args()

    root = HERE.parents[1]
    path = pathlib.Path(options.called_from or ".") / options.dir if options.dir else root / "data" / "cluster"
    folder = Folder(pathlib.Path(os.path.realpath(path)))
    try:
        return {"start": start, "status": status, "kill": kill, "stop": stop}[options.command](folder, options) or 0
    except BrokenPipeError:
        # Nobody reads the rest, as with `status | grep -q`. Nor is it to be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Failure, OSError) as e:
        print(f"etc/cluster.sh {options.command}: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
