#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the container image from the packages of a finished build, and uses the server in it: without a container, and in
podman where this computer lets containers run.

usage: run.py [--packages FOLDER] [--root FILE]

GALLERY_BUILD is a finished build (the targets products and contract_suite). --packages: these instead of new ones.
--root: a root file system that etc/image.sh has made of them. Exit code 77: this computer can do nothing of it. Every part
that it cannot do is printed with its reason.
"""
import argparse
import contextlib
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / "test" / name) for name in ("api", "packages")]
# pylint: disable=wrong-import-position
import machine  # noqa: E402
import podman  # noqa: E402
from build import build_packages  # noqa: E402
from checks import check, say  # noqa: E402
from containerfile import read_containerfile  # noqa: E402
from harness import Client, free_port, png  # noqa: E402
from image_contents import check_contents  # noqa: E402
from without_container import WithoutContainer  # noqa: E402

FOLDER = ROOT / "etc" / "container"
IMAGE = "localhost/gallery-test"
SYSADMIN = ("sysadmin@gallery.local", "password-of-sysadmin-1")
USER = ("admin@acme.example", "password-of-acme-1")
NAMESPACE = "network namespace"


def make(*arguments, environment=None):
    """etc/image.sh"""
    done = subprocess.run([str(ROOT / "etc" / "image.sh"), *map(str, arguments)], capture_output=True, text=True, check=False,
                          env=environment)
    if done.returncode != 0:
        if "Failed to fetch" in done.stdout + done.stderr:
            machine.require_archive()
        raise AssertionError(f"etc/image.sh ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def settings(port):
    """The tests use only this computer's own addresses."""
    return {"HTTP_BIND_ADDRESS": "127.0.0.1", "HTTP_BIND_PORT": str(port), "GALLERY_URL": f"http://127.0.0.1:{port}",
            "GALLERY_SYSADMIN_PASSWORD": SYSADMIN[1]}


class Port:
    def __init__(self, port):
        self.port = port


def wait_healthy(server, port, limit=180):
    """By the image's own health check."""
    deadline = time.monotonic() + limit
    done = server.health()
    while done.returncode != 0:
        check(server.is_running(), f"{server.name}, the server has ended:\n{server.log()}")
        check(time.monotonic() < deadline, f"{server.name}, the server is not healthy: {done.stdout}{done.stderr}"
                                           f"{server.log()}")
        time.sleep(0.1)
        done = server.health()
    check(Client(Port(port)).get("/health/ready").status == 200, "the health check says so of another server")


def confinement(server):
    """The active and the missing parts of the workers' confinement, of the start report."""
    found = re.search(r"^.*  previews +(.*)$", server.log(), re.M)
    check(found, f"{server.name}, the start report has no confinement:\n{server.log()}")
    active, _, missing = found[1].partition("; not available: ")
    return set(active.split(", ")), set(filter(None, missing.split(", ")))


def check_rights(server):
    """The server's user can write to the data folder and to /tmp, and has no rights but those of any user."""
    done = server.run("/bin/sh", "-c", """
        id -u; id -g
        for place in /var/lib/gallery/x /tmp/x; do (: >$place) && rm $place || echo "cannot write $place"; done
        for place in /x /usr/x /etc/gallery/x /var/x; do (: >$place) 2>/dev/null && echo "can write $place"; done
        grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs)' /proc/self/status""")
    lines = done.stdout.split("\n")
    check(lines[:2] == ["900", "900"], f"{server.name}: {done.stdout}{done.stderr}")
    check("write" not in done.stdout, f"{server.name}: {done.stdout}")
    facts = dict(re.findall(r"^(\w+):\s+(\w+)$", done.stdout, re.M))
    check(facts == {"CapPrm": "0" * 16, "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1"}, f"{server.name}: {facts}")


def use(server, port):
    """First start, an image, and the image again after a stop and a start. Returns confinement()."""
    server.start()
    try:
        wait_healthy(server, port)
        check_rights(server)
        check(SYSADMIN[1] not in server.log(), f"the password is in the log:\n{server.log()}")
        admin = {"GALLERY_USER": SYSADMIN[0], "GALLERY_PASSWORD": SYSADMIN[1]}
        for command, text in ((("tenant", "create", "Acme Water"), None),
                              (("user", "create", USER[0], "--tenant", "Acme Water", "--password-stdin"), USER[1] + "\n")):
            done = server.run("/usr/bin/gallery-admin", *command, text=text, environment=admin)
            check(done.returncode == 0, f"{server.name}, gallery-admin {' '.join(command)}: {done.stdout}{done.stderr}")
        picture = png(64, 48)
        client = Client(Port(port), USER)
        answer = client.upload("photo.png", picture)
        check(answer.status == 200, f"{server.name}, upload: {answer}")
        check(client.image("photo.png").body == picture, f"{server.name}: the image comes back otherwise")
        check(client.image("photo.png", suffix="/preview").status == 200, f"{server.name}: there is no preview")
        answer = client.get("/")
        check(answer.status == 200 and b"<g-root" in answer.body, f"{server.name}: the web console is missing: {answer}")
        code = server.stop()
        check(code == 0, f"{server.name}, the stopped server ends with {code}:\n{server.log()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            Client(Port(port), timeout=5).get("/health/live")
            raise AssertionError(f"{server.name}: the server still runs")
        server.start()
        wait_healthy(server, port)
        check(Client(Port(port), USER).image("photo.png").body == picture, f"{server.name}: the image is lost")
        return confinement(server)
    finally:
        server.remove()


def use_without_container(work, root_file, image):
    if os.geteuid() != 0:
        raise machine.Impossible("only root can use a root file system without a container")
    if not machine.may_mount():
        raise machine.Impossible("this computer does not allow to mount file systems")
    root = work / "root"
    root.mkdir()
    subprocess.run(["tar", "-C", str(root), "-xf", str(root_file)], check=True)
    port = free_port()
    return use(WithoutContainer(image, root, work / "data", settings(port)), port)


def use_in_podman(work, root_file, image, outside):
    """@p outside: confinement() without a container, or None."""
    folder = work / "engine"
    folder.mkdir()
    with podman.Engine(folder) as engine:
        make("--from", root_file, "--name", IMAGE, environment=engine.environment)
        check_image(engine, image)
        say("buildah makes the image")
        engine.require_containers(IMAGE)
        service = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["gallery"]
        port = free_port()
        active, missing = use(podman.InPodman(engine, IMAGE, service, settings(port)), port)
        say(f"in podman, the server is used by its image's command. Its workers: {', '.join(sorted(active))}")
        check(outside is None or (active, missing) == outside,
              f"in podman the workers are confined by {active}, without a container by {outside and outside[0]}")
        check_refused_calls(work, engine, service, active, missing)


def check_refused_calls(work, engine, service, active, missing):
    """Engines whose filter refuses what the workers use: the server works all the same, and its report says what is
    missing."""
    landlock = {part for part in active if part.startswith("Landlock")}
    for refused, lost in (({"unshare"}, {NAMESPACE} & active),
                          ({"unshare", "landlock_create_ruleset"}, ({NAMESPACE} & active) | landlock)):
        port = free_port()
        filter_file = podman.profile_without(refused, work / "seccomp.json")
        server = podman.InPodman(engine, IMAGE, service, settings(port), filter_file)
        server.start()
        try:
            wait_healthy(server, port)
            answer = Client(Port(port), USER).upload(f"{len(refused)}.png", png(32, 32, (len(refused), 0, 0)))
            check(answer.status == 200, f"without {refused}, upload: {answer}")
            found = confinement(server)
        finally:
            server.remove()
        check(found == (active - lost, missing | lost), f"without {refused}, the report is {found}")
        say(f"where {', '.join(sorted(refused))} is refused, the start report says what is not available")


def check_image(engine, image):
    """The image says what the Containerfile says."""
    found = yaml.safe_load(engine.podman("image", "inspect", IMAGE).stdout)[0]
    told = found["Config"]
    health = found.get("Healthcheck") or {}
    check((told["User"], told["Entrypoint"], list(told["Volumes"]), health.get("Test"))
          == (image["USER"], image["ENTRYPOINT"], [image["VOLUME"]], ["CMD", *image["HEALTHCHECK"]]), f"the image is {told}")
    check(not [one for one in told["Env"] if "PASSWORD" in one], f"the image contains a password: {told['Env']}")


def version_of(package):
    return subprocess.run(["dpkg-deb", "-f", str(package), "Version"], capture_output=True, text=True,
                          check=True).stdout.strip()


def walk(work, given):
    image = read_containerfile(FOLDER / "Containerfile")
    packages = given.packages
    if packages is None:
        packages = work / "packages"
        build_packages(packages)
    root_file = given.root
    if root_file is None:
        root_file = work / "rootfs.tar"
        make("--packages", packages, "--root", root_file)
    wrong = check_contents(root_file, version_of(next(packages.glob("gallery-engine-postgresql_*.deb"))))
    check(not wrong, "the root file system is wrong:\n" + "\n".join(wrong))
    say(f"mmdebstrap makes the root file system, {root_file.stat().st_size >> 20} MiB")
    outside, done = None, 0
    try:
        outside = use_without_container(work, root_file, image)
        say(f"without a container, the server is used by its image's command. Its workers: {', '.join(sorted(outside[0]))}")
        done += 1
    except machine.Impossible as reason:
        say(f"NOT TESTED, the image's command without a container: {reason}")
    try:
        use_in_podman(work, root_file, image, outside)
        done += 1
    except podman.Impossible as reason:
        say(f"NOT TESTED, the image in a container: {reason}")
    if not done:
        raise machine.Impossible("nothing of the image can run here")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=lambda name: pathlib.Path(name).resolve())
    parser.add_argument("--root", type=lambda name: pathlib.Path(name).resolve())
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="gallery-container-") as folder:
            walk(pathlib.Path(folder), given)
    except machine.Impossible as reason:
        say(f"skipped: {reason}")
        return 77
    say("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
