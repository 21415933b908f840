#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the compose files against the server's settings, the Containerfile, and the files that they name.

GALLERY_BUILD is a build: where there is a gallery-server in it, it checks the values of the settings, too.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

from containerfile import read_containerfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "etc" / "container"
BUILD = pathlib.Path(os.environ.get("GALLERY_BUILD", ROOT / "build" / "release"))
OURS = "${GALLERY_IMAGE:-localhost/gallery:latest}"
# Of libpq, which the engine postgresql uses, and of gallery-admin in the health check.
OTHER_VARIABLES = {"PGPASSWORD", "GALLERY_URL", "GALLERY_CA"}
FILES = ("compose.yaml", "compose.cluster.yaml")


class UniqueKeys(yaml.SafeLoader):
    """YAML's own rule, which PyYAML does not enforce."""
    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.YAMLError(f"a key is repeated among {keys} {node.start_mark}")
        return super().construct_mapping(node, deep)


def load(name):
    return yaml.load((FOLDER / name).read_text(), UniqueKeys)


def known_settings():
    return set(re.findall(r'"\$\{([A-Z0-9_]+):', (ROOT / "etc" / "gallery.yml").read_text()))


def resolved(text, values):
    """As compose replaces variables: ${NAME:-default} and ${NAME:?message}."""
    def value(match):
        name, kind, other = match[1], match[2], match[3]
        return values.get(name) or (other if kind == ":-" else f"given-for-{name}")
    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", value, text)


def mounts(service):
    return dict(reversed(volume.split(":")[:2]) for volume in service.get("volumes", []))


class ComposeFiles(unittest.TestCase):
    def services(self):
        for name in FILES:
            for label, service in load(name)["services"].items():
                yield name, label, service

    def ours(self):
        return ((name, label, service) for name, label, service in self.services() if service["image"] == OURS)

    def test_there_are_one_and_three_servers(self):
        found = [name for name, _, _ in self.ours()]
        self.assertEqual([1, 3], [found.count(name) for name in FILES])

    def test_every_variable_of_a_server_is_a_setting(self):
        known = known_settings() | OTHER_VARIABLES
        self.assertLess(50, len(known))
        for _, label, service in self.ours():
            self.assertLessEqual(set(service["environment"]), known, label)

    def test_the_server_accepts_the_settings(self):
        server = BUILD / "bin" / "gallery-server"
        if not server.exists():
            self.skipTest(f"there is no {server}")
        for _, label, service in self.ours():
            values = {key: resolved(str(value or ""), {}) for key, value in service["environment"].items()}
            with tempfile.TemporaryDirectory() as data:
                done = subprocess.run([str(server), "--check-config"], capture_output=True, text=True, check=False,
                                      env={"PATH": os.environ["PATH"], "GALLERY_DATA": data, **values})
            self.assertEqual(0, done.returncode, f"{label}:\n{done.stdout}{done.stderr}")

    def test_nothing_runs_with_more_rights_than_it_uses(self):
        for _, label, service in self.services():
            self.assertEqual((True, ["ALL"], ["no-new-privileges"]),
                             (service["read_only"], service["cap_drop"], service["security_opt"]), label)
            self.assertNotIn("privileged", service)

    def test_what_a_server_writes_is_in_a_volume_or_in_memory(self):
        image = read_containerfile(FOLDER / "Containerfile")
        for name, label, service in self.ours():
            self.assertEqual([image["VOLUME"]], list(mounts(service)), label)
            self.assertIn(mounts(service)[image["VOLUME"]], load(name)["volumes"], label)
            self.assertEqual(["/tmp"], [place.split(":")[0] for place in service["tmpfs"]], label)

    def test_only_the_server_or_the_load_balancer_is_published_and_only_on_this_machine(self):
        published = [(name, label, port) for name, label, service in self.services() for port in service.get("ports", [])]
        self.assertEqual([("compose.yaml", "gallery"), ("compose.cluster.yaml", "load-balancer")],
                         [(name, label) for name, label, _ in published])
        for *_, port in published:
            self.assertEqual("127.0.0.1:8080:8080", resolved(port, {}))

    def test_a_stop_leaves_the_server_its_time(self):
        settings = (ROOT / "etc" / "gallery.yml").read_text()
        drain = int(re.search(r"HTTP_DRAIN_TIMEOUT:(\d+)s", settings)[1])
        for _, label, service in self.ours():
            self.assertLess(drain, int(service["stop_grace_period"].removesuffix("s")), label)

    def test_every_name_is_defined(self):
        for name, label, service in self.services():
            whole = load(name)
            self.assertLessEqual(set(service.get("depends_on", [])), set(whole["services"]), label)
            self.assertLessEqual(set(service.get("networks", [])), set(whole.get("networks", {})), label)
            for source in mounts(service).values():
                self.assertTrue((FOLDER / source).is_file() if source.startswith("./") else source in whole["volumes"],
                                f"{label}: {source}")

    def test_every_variable_of_a_file_is_explained_in_its_head(self):
        for name in FILES:
            text = (FOLDER / name).read_text()
            head = re.match(r"(?:#.*\n)+", text)[0]
            used = set(re.findall(r"\$\{(\w+)", text)) | set(re.findall(r"^ +(GALLERY_\w+):$", text, re.M))
            explained = set(re.findall(r"GALLERY_\w+", head))
            self.assertEqual(used, explained, name)

    def test_the_members_of_the_cluster_are_the_same_everywhere(self):
        services = load("compose.cluster.yaml")["services"]
        databases = [label for label in services if label.startswith("database-")]
        servers = [label for label in services if label.startswith("gallery-")]
        for label in databases:
            environment = services[label]["environment"]
            self.assertEqual((label, databases), (environment["DATABASE_MEMBER"], environment["DATABASE_MEMBERS"].split()))
        self.assertEqual(["database-1"],
                         [label for label in databases if "DATABASE_MAY_INITIALISE" in services[label]["environment"]])
        for label in servers:
            environment = services[label]["environment"]
            self.assertIn(f"host={','.join(databases)} ", environment["STORAGE_POSTGRESQL_DSN"])
            self.assertEqual(services[databases[0]]["environment"]["DATABASE_PASSWORD"], environment["PGPASSWORD"])
            self.assertEqual(f"{label}:8080", environment["GALLERY_NODE_ADDRESS"])
            self.assertEqual(load("compose.cluster.yaml")["networks"]["front"]["ipam"]["config"][0]["subnet"],
                             environment["HTTP_TRUSTED_PROXIES"])
        proxied = re.findall(r"^\s*server (\S+) (\S+)$", (FOLDER / "haproxy.cfg").read_text(), re.M)
        self.assertEqual([(label, f"{label}:8080") for label in servers], proxied)

    def test_the_load_balancer_accepts_its_configuration(self):
        haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
        if not haproxy:
            self.skipTest("haproxy is not installed")
        done = subprocess.run([haproxy, "-c", "-f", str(FOLDER / "haproxy.cfg")], capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("[ALERT]", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
