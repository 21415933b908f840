# SPDX-License-Identifier: Apache-2.0
"""A bare Debian 12 in a folder: booted with systemd in a container, or, where that is impossible, a plain chroot in
which the service is started by the command line of its unit."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time

SUITE = "bookworm"
ARCHIVE = "http://deb.debian.org/debian"
DAY = 24 * 3600  # seconds
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
               "HOME": "/root"}


class Impossible(Exception):
    """This computer cannot make a Debian. The text says why."""


def make_base(folder):
    """A tar file with Debian's smallest system and systemd. It is kept, since making it takes a minute."""
    tar = folder / f"{SUITE}.tar"
    if os.geteuid() != 0:
        raise Impossible("only root can make a Debian in a folder and start services in it")
    if not may_mount():
        raise Impossible("this container is not allowed to mount file systems")
    if tar.exists() and age(tar) < 30 * DAY:
        return tar
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "unfinished.tar"
    done = subprocess.run(["mmdebstrap", "--mode=root", "--variant=minbase", "--skip=cleanup/apt/lists",
                           "--dpkgopt=force-unsafe-io", "--include=systemd,systemd-sysv,dbus", SUITE, str(unfinished), ARCHIVE],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        require_archive()
        raise AssertionError(f"mmdebstrap ended with {done.returncode}:\n{done.stderr[-2000:]}")
    unfinished.rename(tar)
    return tar


def require_archive():
    """Of a command that has failed, this tells lack of network from a fault."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["/usr/lib/apt/apt-helper", "download-file", f"{ARCHIVE}/dists/{SUITE}/InRelease",
                               f"{folder}/InRelease"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Impossible(f"Debian's archive, {ARCHIVE}, cannot be reached: {done.stderr.strip()}")


def age(file):
    return time.time() - file.stat().st_mtime


def may_mount():
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


class Machine:
    """`with` removes it again."""

    def __init__(self, base, folder, shared, may_boot=True):
        """@p shared: folders of this computer by their path in the machine."""
        self.may_boot = may_boot
        self.root = pathlib.Path(folder)
        self.shared = {pathlib.Path(outside): inside for inside, outside in shared.items()}
        # In memory where there is enough: tens of thousands of files are written and soon deleted.
        available = int(re.search(r"MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())[1])
        if available > 8 << 20:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4G,mode=755", "tmpfs", str(self.root)], check=True)
        subprocess.run(["tar", "-C", str(self.root), "-xf", str(base)], check=True)
        self.is_outdated = age(base) > DAY
        self.container = self.leader = self.service = None

    # Life of the machine.

    def boot(self, alone=False):
        """True where systemd runs in it. @p alone: it has a network of its own, which leads nowhere. Otherwise it shares
        that of this computer."""
        if self.may_boot and shutil.which("systemd-nspawn"):
            network = ["--private-network"] if alone else ["--resolv-conf=copy-host"]
            binds = [f"--bind={outside}:{inside}" for outside, inside in self.shared.items()]
            # Its console is of use where it does not boot.
            console = open(self.root.parent / "console", "wb")  # noqa: SIM115: the container keeps it
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe",
                 *network, "-D", str(self.root), *binds,
                 # Workers confine themselves by these, which the container's own filter does not know.
                 "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
            console.close()
            deadline = time.monotonic() + 120
            while self.container.poll() is None and time.monotonic() < deadline:
                if self.find_leader() and self.run("systemctl", "is-system-running", "--wait",
                                                   check=False).stdout.strip() in ("running", "degraded"):
                    self.refresh()
                    return True
                time.sleep(0.2)
            self.halt()
        self.attach()
        self.refresh()
        return False

    def attach(self):
        """For a chroot: what a container has by itself."""
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        subprocess.run(["mount", "-t", "proc", "proc", str(self.root / "proc")], check=True)
        for outside, inside in self.shared.items():
            target = self.path(inside)
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", str(outside), str(target)], check=True)

    def detach(self):
        for place in [self.root / "proc", *(self.path(inside) for inside in self.shared.values())]:
            subprocess.run(["umount", str(place)], check=True)

    def refresh(self):
        """Debian's archive does not keep packages that it has replaced."""
        if self.is_outdated:
            self.apt("update")
            self.is_outdated = False

    def download(self, *packages):
        """Before boot(alone=True): later installations of these need no network."""
        self.attach()
        self.refresh()
        self.apt("install", "--install-recommends", "--download-only", *packages)
        # Unlike apt-get, apt deletes what it has installed. Nobody is there to answer whether to continue.
        self.path("/etc/apt/apt.conf.d/90test").write_text('Binary::apt::APT::Keep-Downloaded-Packages "true";\n'
                                                           'APT::Get::Assume-Yes "true";\n')
        self.detach()

    def console(self):
        """The last line of what a container that did not boot has printed."""
        file = self.root.parent / "console"
        return (file.read_text(errors="replace").strip().splitlines() or [""])[-1] if file.exists() else ""

    def find_leader(self):
        """The container's first process, once it is there."""
        children = pathlib.Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        found = children.read_text().split() if children.exists() else []
        self.leader = found[0] if found else None
        return self.leader

    def halt(self):
        self.stop_service()
        if self.container:
            self.container.terminate()
            try:
                self.container.wait(30)
            except subprocess.TimeoutExpired:
                self.container.kill()
                self.container.wait()
            self.container = self.leader = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.halt()
        mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([m for m in mounts if m == str(self.root) or m.startswith(f"{self.root}/")]):
            subprocess.run(["umount", "--lazy", place], check=True)

    # Commands in it.

    def run(self, *command, check=True, text=None, user=None, environment=None):
        if user:
            command = ("runuser", "-u", user, "--", *command)
        variables = [f"{k}={v}" for k, v in {**ENVIRONMENT, **(environment or {})}.items()]
        inside = ["env", "-i", "-C", "/", *variables, *command]
        done = subprocess.run(self.enter() + inside, capture_output=True, text=True, input=text or "", check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def enter(self):
        """The beginning of a command line that runs the rest in the machine."""
        return (["nsenter", "-t", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd=/"]
                if self.leader else ["chroot", str(self.root)])

    def apt(self, *arguments, check=True):
        done = self.run("apt-get", "-q", "-y", "--no-install-recommends", *arguments, check=False)
        if done.returncode != 0 and re.search("(Failed|Unable) to fetch", done.stderr):
            require_archive()
        if check and done.returncode != 0:
            raise AssertionError(f"apt-get {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def path(self, inside):
        return self.root / inside.lstrip("/")

    def shell(self, folder):
        """An operator's shell."""
        return Shell([*self.enter(), "env", "-i", "-C", folder, *(f"{k}={v}" for k, v in ENVIRONMENT.items()), "bash"])

    # The service, by systemd, or by the command line of the unit.

    def start_service(self):
        """Where systemd runs, the package has done so itself."""
        if self.leader or self.service:
            return
        unit = self.path("/lib/systemd/system/gallery.service").read_text()
        command = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
        environment = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.M))
        for line in self.path("/etc/gallery/gallery.env").read_text().splitlines():
            if "=" in line and not line.startswith("#"):
                environment.update([line.split("=", 1)])
        variables = [f"{k}={v}" for k, v in {**ENVIRONMENT, **environment}.items()]
        self.service = subprocess.Popen(["chroot", "--userspec=gallery:gallery", str(self.root), "env", "-i",
                                         *variables, *command])

    def stop_service(self):
        if self.service:
            self.service.terminate()
            self.service.wait(60)
            self.service = None


class Shell:
    """Runs blocks of commands one after the other. Variables and functions stay. `with` ends it."""

    END = "the-block-has-ended"

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        self.write("set -eo pipefail\n")

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def run(self, block):
        """What @p block prints. A command that fails ends the shell and is an AssertionError."""
        # The commands do not read this shell's input, which contains the next ones.
        self.write(f"eval {shlex.quote(block)} </dev/null; echo {self.END}\n")
        said = ""
        for line in self.process.stdout:
            if line.rstrip("\n").endswith(self.END):
                return said + line.rstrip("\n").removesuffix(self.END)
            said += line
        raise AssertionError(f"a command failed with {self.process.wait()} in:\n{block}\nIt printed:\n{said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
