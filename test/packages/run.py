#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the packages on a bare Debian 12, uses the server, upgrades it, refuses to go back, removes it and purges it.
On another one, follows the page of first steps.

usage: run.py [--no-container]

GALLERY_BUILD is a finished build (the targets products and contract_suite). Without a container the service is started
by the command line of its unit. Exit code 77: this computer cannot make a Debian, or Debian's archive cannot be reached.
The reason is printed.
"""
import contextlib
import http.client
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(ROOT / "test" / "api"))
# pylint: disable=wrong-import-position
from build import build_packages  # noqa: E402
from checks import check, say  # noqa: E402
from harness import Client, free_port, png, scrape  # noqa: E402
from first_steps import prepare, take_first_steps  # noqa: E402
from hardening import check_hardening  # noqa: E402
from machine import Impossible, Machine, make_base  # noqa: E402

try:
    sys.path.append(str(ROOT / "test" / "cluster"))
    from single_postgres import SinglePostgres
except ImportError:
    SinglePostgres = None

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30"/></svg>'
DATA = "/var/lib/gallery"
ENVIRONMENT = "/etc/gallery/gallery.env"
SETTINGS = "/etc/gallery/gallery.yml"
KEEP_SETTINGS = ("-o", "Dpkg::Options::=--force-confold")
DROP_INS = "/etc/systemd/system/gallery.service.d"
USER = ("admin@acme.example", "password-of-acme-1")
# What is left out where no container can be booted.
NEEDS_SYSTEMD = (
    "the exposure of the unit (systemd-analyze security), and the confinement of the workers inside it",
    "the watchdog, which restarts a server that hangs",
    "systemctl reload, also with a wrong file, and the command of logrotate",
    "the drop-in for ports below 1024, and the command for gallery-admin, of installation.md",
    "the engine for PostgreSQL in use: neither an upgrade of the server alone nor a removal takes it away",
    "the installation on another disk, with a link, a mount, and a port in use",
    "etc/doc/first_steps.md, all of it",
)
SYSADMIN = "sysadmin@gallery.local"


def as_version(package, version, folder, new_default=False):
    """The same package with another version, as an earlier or a later build would have made it. @p new_default: its
    gallery.yml differs."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["dpkg-deb", "-R", str(package), place], check=True)
        control = pathlib.Path(place) / "DEBIAN"
        own = re.search(r"^Version: (.*)$", (control / "control").read_text(), re.M)[1]
        series = re.compile(r"gt \"\d+\.\d+\"")
        for file in (control / "control", control / "preinst"):
            if file.exists():
                text = file.read_text().replace(own, version)
                file.write_text(series.sub(f'gt "{".".join(version.split(".")[:2])}"', text))
        if new_default:
            with open(pathlib.Path(place) / SETTINGS[1:], "a", encoding="utf-8") as settings:
                settings.write(f"# of version {version}\n")
        out = folder / f"{package.name.split('_')[0]}_{version}_test.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", place, str(out)], check=True,
                       stdout=subprocess.DEVNULL)
    return out


class Gallery:
    """The service in the machine, seen from this computer, with which the machine shares the network."""

    def __init__(self, machine):
        self.machine, self.port, self.metrics_port = machine, free_port(), free_port()

    def wait_ready(self, limit=180):
        self.machine.start_service()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if Client(self, timeout=5).get("/health/ready").status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the service is not ready after {limit} s:\n{self.log()}")

    def log(self):
        if not self.machine.leader:
            return "(the log is above)"
        return self.machine.run("journalctl", "-u", "gallery", "--no-pager", "-n", "100", check=False).stdout

    def show(self, what):
        return self.machine.run("systemctl", "show", "-P", what, "gallery").stdout.strip()

    def restart(self):
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "gallery")
        self.wait_ready()

    def images(self):
        """Uploaded by fill(): name and bytes, by the server's current process."""
        self.wait_ready()
        client = Client(self, USER)
        return {name: client.image(name).body for name in ("photo.png", "drawing.svg")}


def version_of(package):
    return subprocess.run(["dpkg-deb", "-f", str(package), "Version"], capture_output=True, text=True,
                          check=True).stdout.strip()


def password_of(gallery):
    """Of the system administrator, generated by the installation."""
    return re.search(r"^GALLERY_SYSADMIN_PASSWORD=(\S+)$", gallery.machine.path(ENVIRONMENT).read_text(), re.M)[1]


def install(gallery, package):
    """apt install on the bare machine; then a tenant, its administrator, and two images."""
    machine = gallery.machine
    # The machine shares ports with this computer. An operator may leave settings there before the installation.
    drop_in = machine.path(f"{DROP_INS}/port.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text(f"[Service]\nEnvironment=HTTP_BIND_PORT={gallery.port} HTTP_BIND_ADDRESS=127.0.0.1 "
                       f"METRICS_BIND_PORT={gallery.metrics_port}\n")
    said = machine.apt("install", package).stdout
    check(SYSADMIN in said and ENVIRONMENT in said, f"nobody learns how to sign in:\n{said}")
    check("does not run" not in said, f"the service does not run:\n{said}")
    if machine.leader:
        check(f"open http://127.0.0.1:{gallery.port}/" in said, f"nobody learns the address:\n{said}")
    else:
        with open(machine.path(ENVIRONMENT), "a", encoding="utf-8") as file:
            file.write(f"HTTP_BIND_PORT={gallery.port}\nHTTP_BIND_ADDRESS=127.0.0.1\n")
    gallery.wait_ready()

    environment = machine.path(ENVIRONMENT)
    check(environment.stat().st_mode & 0o777 == 0o600 and environment.stat().st_uid == 0, "others can read the password")
    owner = machine.run("stat", "-c", "%U %G %a", DATA).stdout.strip()
    check(owner == "gallery gallery 700", f"{DATA} belongs to {owner}")
    check(SETTINGS in machine.run("dpkg-query", "-W", "-f", "${Conffiles}", "gallery-server").stdout,
          "gallery.yml is not a conffile")
    for page in ("man1/gallery-admin.1.gz", "man1/gallery-load.1.gz", "man5/gallery.yml.5.gz", "man8/gallery-server.8.gz"):
        check(f"/usr/share/man/{page}" in machine.run("dpkg-query", "-L", "gallery-server").stdout, f"{page} is missing")
    fill(gallery)
    answer = Client(gallery).get("/")
    check(answer.status == 200 and b"<g-root" in answer.body, f"the web console is missing: {answer} {answer.headers}")


def fill(gallery, sysadmin=SYSADMIN):
    """A tenant, its administrator and two images in an empty store."""
    machine = gallery.machine
    admin = {"GALLERY_URL": f"http://127.0.0.1:{gallery.port}", "GALLERY_USER": sysadmin,
             "GALLERY_PASSWORD": password_of(gallery)}
    machine.run("gallery-admin", "tenant", "create", "Acme Water", environment=admin)
    machine.run("gallery-admin", "user", "create", USER[0], "--tenant", "Acme Water", "--password-stdin",
                environment=admin, text=USER[1] + "\n")
    client = Client(gallery, USER)
    for name, data in (("photo.png", png(64, 48)), ("drawing.svg", SVG)):
        answer = client.upload(name, data)
        check(answer.status == 200, f"upload of {name}: {answer}")
        check(client.image(name).body == data, f"{name} comes back otherwise")
        check(client.image(name, suffix="/preview").status == 200, f"{name} has no preview")


def check_unit(gallery):
    """What only systemd can show: hardening, confinement of the workers inside it, watchdog."""
    machine = gallery.machine
    # The limit is in tenths.
    rating = machine.run("systemd-analyze", "security", "--threshold=20", "--no-pager", "gallery.service", check=False)
    check(rating.returncode == 0, f"the unit is exposed more than 2.0:\n{rating.stdout[-300:]}")
    say(rating.stdout.strip().splitlines()[-1].split(":", 1)[1].strip() + " is the unit's exposure")
    # Some of the figures of the process are in files of /proc that a unit can hide.
    check(("process_start_time_seconds", ()) in scrape(gallery.metrics_port), "the alert of restarts sees nothing")
    found, expected = re.search(r"previews +(.*)", gallery.log())[1], confinement_of(machine)
    check(found == expected, f"the workers are confined by {found!r}, but without the unit by {expected!r}")
    check(gallery.show("Type") == "notify" and gallery.show("WatchdogUSec") == "1min", "there is no watchdog")
    drop_in = machine.path(f"{DROP_INS}/watchdog.conf")
    drop_in.write_text("[Service]\nWatchdogSec=2\n")
    gallery.restart()
    stopped = gallery.show("MainPID")
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "gallery")
    deadline = time.monotonic() + 120
    while gallery.show("MainPID") in (stopped, "0"):
        check(time.monotonic() < deadline, f"a server that hangs is not restarted:\n{gallery.log()}")
        time.sleep(0.1)
    drop_in.unlink()
    gallery.restart()


def reload_settings(gallery):
    """systemctl reload uses an edited file without a restart, and fails for a wrong one."""
    machine, file = gallery.machine, gallery.machine.path(SETTINGS)
    text, process = file.read_text(), gallery.show("MainPID")

    def limit():
        return Client(gallery, USER).get("/api/system/params").json()["maxResourceSize"]

    def reload_until(expected):
        done = machine.run("systemctl", "reload", "gallery", check=False)
        check(done.returncode == 0, f"the reload fails:\n{done.stdout}{done.stderr}{gallery.log()}")
        deadline = time.monotonic() + 60
        while limit() != expected:
            check(time.monotonic() < deadline, f"the limit is {limit()} and not {expected}:\n{gallery.log()}")
            time.sleep(0.05)
    file.write_text(text.replace("${MAX_RESOURCE_SIZE:0}", "${MAX_RESOURCE_SIZE:1234567}"))
    reload_until(1234567)
    file.write_text(text + "loging:\n  level: info\n")
    done = machine.run("systemctl", "reload", "gallery", check=False)
    check(done.returncode != 0 and "did you mean logging.level?" in gallery.log(),
          f"a wrong file is reloaded:\n{done.stdout}{done.stderr}{gallery.log()}")
    check(limit() == 1234567, "a wrong file has an effect")
    # logrotate uses this command. It must reach the server in spite of the wrong file.
    rotation = re.search(r"postrotate\n +(.+)\n +endscript", (ROOT / "etc/doc/operations.md").read_text())[1]
    machine.run("sh", "-c", rotation, check=False)
    deadline = time.monotonic() + 60
    while scrape(gallery.metrics_port)[("gallery_configuration_reloads_total", (("outcome", "failed"),))] < 2:
        check(time.monotonic() < deadline, f"the signal does not arrive:\n{gallery.log()}")
        time.sleep(0.05)
    check(scrape(gallery.metrics_port)[("gallery_configuration_reload_failed", ())] == 1, "the failed reload has no alert")
    file.write_text(text)
    reload_until(0)
    check((gallery.show("MainPID"), gallery.show("ActiveState")) == (process, "active"), "a reload restarts the server")


def follow_the_page(gallery):
    """The drop-in for a port below 1024 and the command for gallery-admin, as etc/doc/installation.md has them."""
    machine, page = gallery.machine, (ROOT / "etc/doc/installation.md").read_text()
    blocks = [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?:^    .*\n)+", page, re.M)]
    drop_in = machine.path(f"{DROP_INS}/privileged.conf")
    usual, gallery.port = gallery.port, free_privileged_port()
    drop_in.write_text(next(b for b in blocks if "CAP_NET_BIND_SERVICE" in b)
                       + f"Environment=HTTP_BIND_PORT={gallery.port}\n")
    gallery.restart()
    check(Client(gallery, USER).image("photo.png", suffix="/preview").status == 200, "no preview")
    drop_in.unlink()
    gallery.port = usual
    gallery.restart()

    commands = next(b for b in blocks if "systemd-run" in b and "verify" in b)
    done = machine.run("sh", "-ec", commands.replace("--pty", "--pipe --wait"))
    check("the store is sound" in done.stdout, f"the store is not verified:\n{done.stdout}{done.stderr}")


def free_privileged_port():
    for port in range(1023, 0, -1):
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port below 1024 is in use")


def confinement_of(machine):
    """What a server without the unit's hardening reports of its workers, as the same user in the same machine."""
    said = machine.run("sh", "-c", """
        gallery-server >/tmp/report 2>&1 &
        server=$!
        until grep -q '^  previews ' /tmp/report; do
            kill -0 $server || break
            sleep 0.05
        done
        kill $server
        wait $server
        cat /tmp/report""", user="gallery", check=False, environment={
            "GALLERY_DATA": "/tmp/unconfined", "HTTP_BIND_ADDRESS": "127.0.0.1", "HTTP_BIND_PORT": "0"}).stdout
    found = re.search(r"^  previews +(.*)$", said, re.M)
    check(found, f"the server does not start without the unit:\n{said}")
    return found[1]


def upgrade(gallery, packages, before, *options):
    """While the service runs, where systemd runs it."""
    gallery.machine.stop_service()
    gallery.machine.apt("install", *options, *packages)
    version = gallery.machine.run("dpkg-query", "-W", "-f", "${Version}", "gallery-server").stdout
    check(gallery.images() == before, "the images have changed")
    return version


def refuse_downgrade(gallery, packages, newer, before):
    """Of the server and an engine: either of another version would not work with the other."""
    done = gallery.machine.apt("install", "--allow-downgrades", *packages, check=False)
    said = done.stdout + done.stderr
    check(done.returncode != 0, "an older series was installed over a newer one")
    check(f"is not installed over version {newer}" in said and "Going back" in said, f"no reason is given:\n{said}")
    there = gallery.machine.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}\n", "gallery-server",
                                "gallery-engine-postgresql").stdout
    check(there == f"{newer} installed\n" * 2, f"after the refusal there is {there}")
    check(gallery.images() == before, "the images have changed")


def remove(gallery):
    gallery.machine.stop_service()
    said = gallery.machine.apt("remove", "gallery-server").stdout
    check("are kept" in said, f"remove does not say what it keeps:\n{said}")
    check(not gallery.machine.path("/usr/bin/gallery-server").exists(), "the server is still there")
    for kept in (DATA + "/rocksdb", SETTINGS, ENVIRONMENT):
        check(gallery.machine.path(kept).exists(), f"{kept} was deleted")
    with contextlib.suppress(OSError):
        Client(gallery, timeout=5).get("/health/live")
        raise AssertionError("the server still runs")


def purge(gallery):
    gallery.machine.stop_service()
    own = gallery.machine.path("/etc/gallery/backup.env")
    own.write_text("GALLERY_PASSWORD=of-the-operator-1\n")
    said = gallery.machine.apt("purge", "gallery-server").stdout
    for what in (f"the contents of {DATA}", ENVIRONMENT):
        check(f"deleting {what}" in said, f"purge does not say that it deletes {what}:\n{said}")
    for what in (DATA, ENVIRONMENT):
        check(not gallery.machine.path(what).exists(), f"{what} is still there")
    left = [file.name for file in own.parent.iterdir()]
    check(left == [own.name] and "/etc/gallery is kept" in said and own.name in said,
          f"/etc/gallery contains {left}, and purge prints:\n{said}")
    own.unlink()
    own.parent.rmdir()


def keep_the_operators_settings(gallery, packages, before):
    """A gallery.yml that the operator has edited survives a new one of the package."""
    file = gallery.machine.path(SETTINGS)
    own = file.read_text() + "# by the operator\n"
    file.write_text(own)
    version = upgrade(gallery, packages, before, *KEEP_SETTINGS)
    check(file.read_text() == own, "the operator's settings were replaced")
    check(f"# of version {version}\n" in file.with_name("gallery.yml.dpkg-dist").read_text(), "there is no new file beside it")
    return version


def use_postgresql(gallery, server, engine):
    """Neither an upgrade of the server alone nor the removal of the engine leaves the service without its engine."""
    machine = gallery.machine
    with SinglePostgres() as database:
        with open(machine.path(ENVIRONMENT), "a", encoding="utf-8") as settings:
            settings.write(f"STORAGE_PLUGIN=postgresql\nSTORAGE_POSTGRESQL_DSN={database.dsn()}\n"
                           "STORAGE_POSTGRESQL_ALLOW_UNREPLICATED=true\n")
        gallery.restart()
        fill(gallery)
        before = gallery.images()
        for command in (("install", server), ("remove", "gallery-engine-postgresql")):
            done = machine.apt(*command, check=False)
            said = done.stdout + done.stderr
            check(done.returncode != 0 and "uses this engine" in said, f"apt {command}: the engine is removed:\n{said}")
            check(gallery.images() == before, "the images have changed")
        keep_the_engine_of_a_service_that_fails(gallery, database)
        check(gallery.images() == before, "the images have changed")
        machine.apt("install", server, engine)
        check(gallery.images() == before, "the images have changed")
        machine.apt("remove", "gallery-server")
        check(not machine.path("/usr/lib/gallery/plugins/postgresql.so").exists(), "the engine is still there")


def keep_the_engine_of_a_service_that_fails(gallery, database):
    """It has not loaded the engine, but systemd starts it again and again. On hold, the server's package is not removed."""
    machine = gallery.machine
    database.stop()
    machine.run("systemctl", "restart", "--no-block", "gallery")
    deadline = time.monotonic() + 120
    while gallery.show("SubState") != "auto-restart":
        check(time.monotonic() < deadline, f"the service does not fail without its database:\n{gallery.log()}")
        time.sleep(0.05)
    machine.run("apt-mark", "hold", "gallery-server")
    done = machine.apt("remove", "gallery-engine-postgresql", check=False)
    said = done.stdout + done.stderr
    check(done.returncode != 0 and "uses this engine" in said, f"the engine of a service that fails is removed:\n{said}")
    machine.run("apt-mark", "unhold", "gallery-server")
    database.start()


def use_another_disk(gallery, package):
    """The first start on another disk: by a link, which systemd refuses; then by a mount, while another program uses the
    port. The operator has written gallery.env."""
    machine = gallery.machine
    machine.run("mkdir", "/srv/images")
    machine.run("ln", "-s", "/srv/images", DATA)
    environment, sysadmin = machine.path(ENVIRONMENT), "boss@acme.example"
    environment.parent.mkdir()
    environment.write_text(f"GALLERY_SYSADMIN_EMAIL={sysadmin}\nGALLERY_SYSADMIN_PASSWORD=chosen-by-boss-1\n")
    environment.chmod(0o644)
    said = machine.apt("install", package).stdout
    check("does not run" in said and "STATE_DIRECTORY" in said and f"{DATA} is a symbolic link" in said,
          f"apt does not say what is wrong:\n{said}")
    check(sysadmin in said and SYSADMIN not in said, f"another administrator is named:\n{said}")
    check("Now only its owner can" in said and environment.stat().st_mode & 0o777 == 0o600, "others can read the password")
    machine.run("systemctl", "stop", "gallery")
    machine.run("rm", DATA)
    machine.run("mkdir", DATA)
    machine.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", DATA)
    machine.run("mkdir", "-m", "700", f"{DATA}/lost+found")
    with socket.create_server(("127.0.0.1", gallery.port)):
        said = machine.apt("install", "--reinstall", package).stdout
        check("does not run" in said and f"127.0.0.1:{gallery.port}" in said, f"apt does not say what is wrong:\n{said}")
        check("open http" not in said, f"the address of another program is shown as the server's:\n{said}")
    # It tries again by itself.
    gallery.wait_ready()
    fill(gallery, sysadmin)
    said = machine.apt("purge", "gallery-server").stdout
    check("a file system is mounted there" in said, f"purge does not say what it keeps:\n{said}")
    left = machine.run("ls", "-A", DATA).stdout.split()
    check(left == ["lost+found"], f"{DATA} contains {left}")


def use_engine_and_development(gallery):
    """The other two packages: the engine can be loaded, and the example is built and held to the contract."""
    machine = gallery.machine
    said = machine.run("gallery-server", "--check-config",
                       environment={"STORAGE_PLUGIN": "postgresql", "GALLERY_DATA": "/tmp/data",
                                    "STORAGE_POSTGRESQL_DSN": "host=127.0.0.1 port=1 dbname=none"}).stdout
    check("/usr/lib/gallery/plugins/postgresql.so" in said, f"the engine is not loaded:\n{said}")
    machine.run("/usr/share/gallery/plugin-development/build.sh", "/usr/include", "/usr/lib/gallery/libgallery_kit.a",
                "/usr/lib/gallery/libgallery_common.so", "/root/toy.so", environment={"CXXFLAGS": "-O0"})
    done = machine.run("contract_suite", "--plugin", "/root/toy.so", "--volatile",
                       "--run_test=images/an_unknown_image_is_not_found")
    check("No errors detected" in done.stderr, f"the suite did not run a test:\n{done.stdout}{done.stderr}")
    machine.apt("purge", "gallery-dev")


def walk(base, work):
    packages = work / "packages"
    package = build_packages(packages)
    version = version_of(package)
    say(f"lintian finds no error in the packages of version {version}")
    wrong = check_hardening(sorted(packages.glob(f"gallery-*_{version}_*.deb")))
    check(not wrong, "binaries are not hardened:\n" + "\n".join(wrong))
    say("all binaries are hardened")
    upstream = version.split("-")[0]
    major, minor = upstream.split(".")[:2]
    earlier = as_version(package, f"{upstream}-0~earlier", packages, new_default=True)
    others = [p for p in packages.glob(f"gallery-*_{version}_*.deb") if p != package]
    engine = next(p for p in others if "-engine-" in p.name)
    later = [as_version(p, f"{major}.{int(minor) + 1}.0-1", packages, new_default=p == package) for p in (package, engine)]
    rebuilt = [as_version(p, f"{version}.1", packages) for p in (package, engine)]

    def inside(deb):
        return f"/packages/{deb.name}"

    archive = base.parent / "archives"
    (archive / "partial").mkdir(parents=True, exist_ok=True)
    root = work / "machine"
    root.mkdir()
    shared = {"/packages": packages, "/var/cache/apt/archives": archive}
    with Machine(base, root, shared, may_boot="--no-container" not in sys.argv) as machine:
        booted = machine.boot()
        if booted:
            say("systemd runs in a container")
        else:
            say("the service is started by the command line of its unit")
            for part in NEEDS_SYSTEMD:
                say(f"NOT TESTED, {part}: no container can be booted here ({machine.console()})")
        if booted and not SinglePostgres:
            say("NOT TESTED, the engine for PostgreSQL in use: psycopg2 is not installed")
        gallery = Gallery(machine)
        install(gallery, inside(earlier))
        say("installed; a tenant has two images")
        before = gallery.images()
        if booted:
            check_unit(gallery)
            say("the workers are as confined as without the unit, and a server that hangs is restarted")
            reload_settings(gallery)
            say("settings are reloaded, and a wrong file makes the reload fail")
            follow_the_page(gallery)
            say("the drop-in for ports below 1024 and the command for gallery-admin work")
        check(upgrade(gallery, [inside(package)], before) == version, "the upgrade has not happened")
        check("# of version" not in machine.path(SETTINGS).read_text(), "settings that nobody edited were not replaced")
        say("upgraded from an earlier build")
        check(keep_the_operators_settings(gallery, [inside(p) for p in later], before) == version_of(later[0]),
              "the upgrade has not happened")
        refuse_downgrade(gallery, [inside(package), inside(engine)], version_of(later[0]), before)
        say("an older series is refused over a newer one")
        remove(gallery)
        upgrade(gallery, [inside(p) for p in (package, *others)], before, *KEEP_SETTINGS)
        say("removed with its data kept, and installed again")
        use_engine_and_development(gallery)
        say("the engine for PostgreSQL is loaded, and a plugin is built and tested with the headers")
        if booted and SinglePostgres:
            use_postgresql(gallery, *(inside(p) for p in rebuilt))
            say("the engine that a service uses is not removed")
        purge(gallery)
        say("purged")
        if booted:
            use_another_disk(gallery, inside(package))
            say("installed on another disk, with a link and a port in use at first, and purged")
    if booted:
        follow_first_steps(base, work, earlier, package, archive)
    return booted


def follow_first_steps(base, work, earlier, package, archive):
    root = work / "first-steps"
    root.mkdir()
    with Machine(base, root, {"/var/cache/apt/archives": archive}) as machine:
        prepare(machine, earlier)
        check(machine.boot(alone=True), f"the machine does not boot with a network of its own: {machine.console()}")
        take_first_steps(machine, package, say)


def main():
    try:
        base = make_base(BUILD / "debian")
        with tempfile.TemporaryDirectory(prefix="gallery-packages-") as work:
            booted = walk(base, pathlib.Path(work))
    except Impossible as reason:
        say(f"skipped: {reason}")
        return 77
    say("all is well" if booted else "all is well that could be tested. See NOT TESTED above")
    return 0


if __name__ == "__main__":
    sys.exit(main())
