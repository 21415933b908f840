#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the packages on a bare Debian 12, uses the server, upgrades it, refuses to go back, removes it and purges it.

usage: run.py [--no-container]

GALLERY_BUILD is a finished build (the targets products and contract_suite). Without a container the service is started
by the command line of its unit. Exit code 77: this computer cannot make a Debian, and the reason is printed.
"""
import contextlib
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(ROOT / "test" / "api"))
# pylint: disable=wrong-import-position
from harness import Client, free_port, png  # noqa: E402
from machine import Impossible, Machine, make_base  # noqa: E402

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30"/></svg>'
DATA = "/var/lib/gallery"
ENVIRONMENT = "/etc/gallery/gallery.env"
USER = ("admin@acme.example", "password-of-acme-1")


def say(text):
    print(f"packages: {text}", flush=True)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def build_packages(folder):
    done = subprocess.run([str(ROOT / "etc/package.sh"), "--build", str(BUILD), "--output", str(folder)],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"etc/package.sh ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return next(folder.glob("gallery-server_*.deb"))


def as_version(package, version, folder):
    """The same package with another version, as an earlier or a later build would have made it."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["dpkg-deb", "-R", str(package), place], check=True)
        control = pathlib.Path(place) / "DEBIAN"
        own = re.search(r"^Version: (.*)$", (control / "control").read_text(), re.M)[1]
        series = re.compile(r"gt \"\d+\.\d+\"")
        for name in ("control", "preinst"):
            text = (control / name).read_text().replace(own, version)
            (control / name).write_text(series.sub(f'gt "{".".join(version.split(".")[:2])}"', text))
        out = folder / f"gallery-server_{version}_test.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", place, str(out)], check=True,
                       stdout=subprocess.DEVNULL)
    return out


class Gallery:
    """The service in the machine, seen from this computer, with which the machine shares the network."""

    def __init__(self, machine, port):
        self.machine, self.port = machine, port

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

    def images(self):
        """Uploaded by install(): name and bytes, by the server's current process."""
        self.wait_ready()
        client = Client(self, USER)
        return {name: client.image(name).body for name in ("photo.png", "drawing.svg")}


def version_of(package):
    return subprocess.run(["dpkg-deb", "-f", str(package), "Version"], capture_output=True, text=True,
                          check=True).stdout.strip()


def install(gallery, package):
    """apt install on the bare machine; then a tenant, its administrator, and two images."""
    machine = gallery.machine
    # The machine shares ports with this computer. An operator may leave settings there before the installation.
    drop_in = machine.path("/etc/systemd/system/gallery.service.d/port.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text(f"[Service]\nEnvironment=HTTP_BIND_PORT={gallery.port} HTTP_BIND_ADDRESS=127.0.0.1\n")
    said = machine.apt("install", package).stdout
    check("sysadmin@gallery.local" in said and ENVIRONMENT in said, f"nobody learns how to sign in:\n{said}")
    if not machine.leader:
        with open(machine.path(ENVIRONMENT), "a", encoding="utf-8") as file:
            file.write(f"HTTP_BIND_PORT={gallery.port}\nHTTP_BIND_ADDRESS=127.0.0.1\n")
    gallery.wait_ready()

    environment = machine.path(ENVIRONMENT)
    check(environment.stat().st_mode & 0o777 == 0o600 and environment.stat().st_uid == 0, "others can read the password")
    password = re.search(r"^GALLERY_SYSADMIN_PASSWORD=(\S+)$", environment.read_text(), re.M)[1]
    owner = machine.run("stat", "-c", "%U %G %a", DATA).stdout.strip()
    check(owner == "gallery gallery 700", f"{DATA} belongs to {owner}")
    check("/etc/gallery/gallery.yml" in machine.run("dpkg-query", "-W", "-f", "${Conffiles}", "gallery-server").stdout,
          "gallery.yml is not a conffile")
    for page in ("man1/gallery-admin.1.gz", "man5/gallery.yml.5.gz", "man8/gallery-server.8.gz"):
        check(f"/usr/share/man/{page}" in machine.run("dpkg-query", "-L", "gallery-server").stdout, f"{page} is missing")

    admin = {"GALLERY_URL": f"http://127.0.0.1:{gallery.port}", "GALLERY_USER": "sysadmin@gallery.local",
             "GALLERY_PASSWORD": password}
    machine.run("gallery-admin", "tenant", "create", "Acme Water", environment=admin)
    machine.run("gallery-admin", "user", "create", USER[0], "--tenant", "Acme Water", "--password-stdin",
                environment=admin, text=USER[1] + "\n")
    client = Client(gallery, USER)
    for name, data in (("photo.png", png(64, 48)), ("drawing.svg", SVG)):
        answer = client.upload(name, data)
        check(answer.status == 200, f"upload of {name}: {answer}")
        check(client.image(name).body == data, f"{name} comes back otherwise")
        check(client.image(name, suffix="/preview").status == 200, f"{name} has no preview")
    answer = Client(gallery).get("/")
    check(answer.status == 200 and b"<g-root" in answer.body, f"the web console is missing: {answer} {answer.headers}")


def check_unit(gallery):
    """What only systemd can show: hardening, confinement of the workers inside it, watchdog."""
    machine = gallery.machine
    # The limit is in tenths.
    rating = machine.run("systemd-analyze", "security", "--threshold=20", "--no-pager", "gallery.service", check=False)
    check(rating.returncode == 0, f"the unit is exposed more than 2.0:\n{rating.stdout[-300:]}")
    say(rating.stdout.strip().splitlines()[-1].split(":", 1)[1].strip() + " is the unit's exposure")
    found, expected = re.search(r"previews +(.*)", gallery.log())[1], confinement_of(machine)
    check(found == expected, f"the workers are confined by {found!r}, but without the unit by {expected!r}")
    check(gallery.show("Type") == "notify" and gallery.show("WatchdogUSec") == "1min", "there is no watchdog")
    drop_in = machine.path("/etc/systemd/system/gallery.service.d/watchdog.conf")
    drop_in.write_text("[Service]\nWatchdogSec=2\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "gallery")
    gallery.wait_ready()
    stopped = gallery.show("MainPID")
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "gallery")
    deadline = time.monotonic() + 120
    while gallery.show("MainPID") in (stopped, "0"):
        check(time.monotonic() < deadline, f"a server that hangs is not restarted:\n{gallery.log()}")
        time.sleep(0.1)
    drop_in.unlink()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "gallery")


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


def upgrade(gallery, package, before):
    gallery.machine.stop_service()
    gallery.machine.apt("install", package)
    version = gallery.machine.run("dpkg-query", "-W", "-f", "${Version}", "gallery-server").stdout
    check(gallery.images() == before, "the images have changed")
    return version


def refuse_downgrade(gallery, package, newer, before):
    done = gallery.machine.apt("install", "--allow-downgrades", package, check=False)
    said = done.stdout + done.stderr
    check(done.returncode != 0, "an older series was installed over a newer one")
    check(f"is not installed over version {newer}" in said and "Going back" in said, f"no reason is given:\n{said}")
    there = gallery.machine.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "gallery-server").stdout
    check(there == f"{newer} installed", f"after the refusal there is {there}")
    check(gallery.images() == before, "the images have changed")


def remove(gallery):
    gallery.machine.stop_service()
    said = gallery.machine.apt("remove", "gallery-server").stdout
    check("are kept" in said, f"remove does not say what it keeps:\n{said}")
    check(not gallery.machine.path("/usr/bin/gallery-server").exists(), "the server is still there")
    for kept in (DATA + "/rocksdb", "/etc/gallery/gallery.yml", ENVIRONMENT):
        check(gallery.machine.path(kept).exists(), f"{kept} was deleted")
    with contextlib.suppress(OSError):
        Client(gallery, timeout=5).get("/health/live")
        raise AssertionError("the server still runs")


def purge(gallery):
    gallery.machine.stop_service()
    said = gallery.machine.apt("purge", "gallery-server").stdout
    for what in (DATA, ENVIRONMENT):
        check(f"deleting {what}" in said, f"purge does not say that it deletes {what}:\n{said}")
        check(not gallery.machine.path(what).exists(), f"{what} is still there")
    check(not gallery.machine.path("/etc/gallery").exists(), "/etc/gallery is still there")


def use_engine_and_development(gallery, packages):
    """The other two packages: the engine can be loaded, and the example is built and held to the contract."""
    machine = gallery.machine
    machine.apt("install", *packages)
    done = machine.run("gallery-server", "--check-config", check=False,
                       environment={"STORAGE_PLUGIN": "postgresql", "GALLERY_DATA": "/tmp/data",
                                    "STORAGE_POSTGRESQL_DSN": "host=127.0.0.1 port=1 dbname=none"})
    said = done.stdout + done.stderr
    check("there is no storage plugin" not in said and "cannot load" not in said, f"the engine is not loaded:\n{said}")
    machine.run("/usr/share/gallery/plugin-development/build.sh", "/usr/include", "/usr/lib/gallery/libgallery_kit.a",
                "/usr/lib/gallery/libgallery_common.so", "/root/toy.so")
    done = machine.run("contract_suite", "--plugin", "/root/toy.so", "--volatile",
                       "--run_test=images/an_unknown_image_is_not_found")
    check("No errors detected" in done.stderr, f"the suite did not run a test:\n{done.stdout}{done.stderr}")
    machine.apt("purge", "gallery-engine-postgresql", "gallery-dev")


def walk(base, work):
    packages = work / "packages"
    package = build_packages(packages)
    version = version_of(package)
    say(f"lintian finds no error in the packages of version {version}")
    upstream = version.split("-")[0]
    major, minor = upstream.split(".")[:2]
    earlier = as_version(package, f"{upstream}-0~earlier", packages)
    later = as_version(package, f"{major}.{int(minor) + 1}.0-1", packages)

    def inside(deb):
        return f"/packages/{deb.name}"

    archive = base.parent / "archives"
    (archive / "partial").mkdir(parents=True, exist_ok=True)
    root = work / "machine"
    root.mkdir()
    shared = {"/packages": packages, "/var/cache/apt/archives": archive}
    with Machine(base, root, shared, may_boot="--no-container" not in sys.argv) as machine:
        booted = machine.boot()
        say("systemd runs in a container" if booted else
            "no container can be booted here: the service is started by the command line of its unit, its hardening "
            "is not tested")
        gallery = Gallery(machine, free_port())
        install(gallery, inside(earlier))
        say("installed; a tenant has two images")
        before = gallery.images()
        if booted:
            check_unit(gallery)
            say("the workers are as confined as without the unit, and a server that hangs is restarted")
        check(upgrade(gallery, inside(package), before) == version, "the upgrade has not happened")
        say("upgraded from an earlier build")
        check(upgrade(gallery, inside(later), before) == version_of(later), "the upgrade has not happened")
        refuse_downgrade(gallery, inside(package), version_of(later), before)
        say("an older series is refused over a newer one")
        remove(gallery)
        upgrade(gallery, inside(package), before)
        say("removed with its data kept, and installed again")
        use_engine_and_development(gallery, [inside(p) for p in packages.glob(f"gallery-*_{version}_*.deb")
                                             if p != package])
        say("the engine for PostgreSQL is loaded, and a plugin is built and tested with the headers")
        purge(gallery)
        say("purged")


def main():
    try:
        base = make_base(BUILD / "debian")
    except Impossible as reason:
        say(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="gallery-packages-") as work:
        walk(base, pathlib.Path(work))
    say("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
