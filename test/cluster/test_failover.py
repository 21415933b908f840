# SPDX-License-Identifier: Apache-2.0
"""Writers and readers on three nodes while nodes, standbys and the primary are killed and stopped.

No acknowledged write is missing, the feed has no hole and repeats nothing, and requests through the load balancer fail
only within the failover window, whose length is reported."""
import subprocess
import time
import unittest

import support
from feed import Feed
from load import Load
from support import Cluster, report, stopped, wait_for

STOPPED = 10.0  # seconds
# A machine that runs other tests beside this one can delay a node for longer than the default, without any failure.
ENVIRONMENT = {} if support.LONG else {"GALLERY_CLUSTER_STALENESS": "10s"}


class Failures(unittest.TestCase):
    """Breaks one thing after the other under load.

    The window of a failure begins with it. It ends when everything runs again and each client of the load balancer has had
    a response since then. Requests through the load balancer may fail inside a window only.
    """

    def setUp(self):
        self.windows = []

    def run_under_load(self, cluster, steps):
        with Feed(cluster.dsn()) as feed, Load(cluster) as load:
            for name, action in steps:
                self.step(cluster, load, name, action)
            self.wait_for_writes(load, "at the end")
        load.check_problems()
        outside = [f for f in load.failures("load balancer")
                   if not any(began <= f.until and f.when <= ended for began, ended in self.windows)]
        self.assertEqual([], outside[:5], "requests through the load balancer failed outside of the failover windows")
        images = {load.check(address) for address in (*cluster.nodes, cluster.url)}
        self.assertEqual(1, len(images), "the nodes have different numbers of images")
        changes = feed.check()
        report(f"{load.acknowledged()} acknowledged writes, {sum(w.unknown for w in load.writers)} of unknown outcome, "
               f"{changes} changes in the feed, {images.pop()} images, seed {load.seed}")

    def step(self, cluster, load, name, action):
        self.wait_for_writes(load, f"before '{name}'")
        began = time.monotonic()
        action(cluster)
        cluster.wait_until_whole()
        whole = time.monotonic()
        clients = [c for c in load.clients if c.where == "load balancer"]
        wait_for(lambda: load.stopping.is_set() or all(c.successes and c.successes[-1] > whole for c in clients),
                 f"after '{name}' requests do not succeed again")
        load.check_problems()
        ended = time.monotonic()
        self.windows.append((began, ended))
        failed = self.failing(load, began)
        report(f"{name}: requests through the load balancer failed for {sum(b - a for a, b in failed):.2f} s"
               + "".join(f", {a - began:.1f} to {b - began:.1f} s after it" for a, b in failed)
               + f"; longest time without an acknowledged write {self.longest_gap(load, began):.2f} s; window {ended - began:.1f} s")

    @staticmethod
    def wait_for_writes(load, when):
        before = load.acknowledged()
        wait_for(lambda: load.acknowledged() > before + 50 or load.stopping.is_set(), f"{when} nothing is written")
        load.check_problems()

    @staticmethod
    def failing(load, began):
        """The times in which requests through the load balancer failed; failures within a second belong together."""
        found = []
        for moment in sorted(f.until for f in load.failures("load balancer") if f.until >= began):
            if found and moment - found[-1][1] < 1:
                found[-1][1] = moment
            else:
                found.append([moment, moment])
        return found

    @staticmethod
    def longest_gap(load, began):
        moments = sorted([t for w in load.writers for t in list(w.successes) if t > began - 1] + [time.monotonic()])
        return max((b - a for a, b in zip(moments, moments[1:])), default=float("inf"))


def pause(label):
    def action(cluster):
        # PostgreSQL is all of its processes; a gallery server is one, and its imaging workers only compute.
        is_node = label.startswith("node")
        pid = cluster.node_pid(int(label[-1])) if is_node else cluster.pid(label)
        with stopped(pid, with_children=not is_node):
            time.sleep(STOPPED)
    return action


def kill(*what):
    return lambda cluster: cluster.kill(*what)


STEPS = [
    ("kill -9 of a node", kill("node", "1")),
    ("kill -9 of a standby", kill("standby", "1")),
    ("kill -9 of the primary", kill("primary")),
    ("SIGSTOP of a node", pause("node 2")),
    ("SIGSTOP of a standby", pause("standby 2")),
    ("SIGSTOP of the primary", pause("primary")),
]


class Plain(Failures):
    def test_no_acknowledged_write_is_lost(self):
        with Cluster("--restart", "3", environment=ENVIRONMENT) as cluster:
            self.run_under_load(cluster, STEPS * (5 if support.LONG else 1))

    @unittest.skipUnless(support.LONG, "in the long run")
    def test_a_standby_and_then_the_primary_are_killed(self):
        def both(cluster):
            cluster.kill("standby", "1")
            cluster.kill("primary")
        with Cluster("--restart", "3", environment=ENVIRONMENT) as cluster:
            self.run_under_load(cluster, [("kill -9 of a standby and the primary", both)] * 5)


@unittest.skipUnless(support.LONG, "in the long run")
class Patroni(Failures):
    def switch_over(self, cluster):
        """Patroni's planned change of the primary, as for an upgrade."""
        leader, = [p.name for p in cluster.folder.glob("pg?") if self.holds(cluster, p, "primary")]
        subprocess.run(["/usr/bin/patronictl", "-c", str(cluster.folder / "pg1.yml"), "switchover", "gallery", "--leader",
                        leader, "--force"], check=True, capture_output=True, timeout=60, cwd="/")

    @staticmethod
    def holds(cluster, folder, label):
        return (folder / "postmaster.pid").read_text().split()[0] == cluster.status()[label].split()[0]

    def test_patroni_replaces_the_primary(self):
        steps = [
            ("Patroni: kill -9 of the primary", kill("primary")),
            ("Patroni: kill -9 of a standby", kill("standby", "1")),
            ("Patroni: kill -9 of the other standby", kill("standby", "2")),
            ("Patroni: kill -9 of a node", kill("node", "1")),
            ("Patroni: planned switchover", self.switch_over),
            ("Patroni: SIGSTOP of the primary", pause("primary")),
            ("Patroni: kill -9 of the primary, again", kill("primary")),
        ]
        with Cluster("--patroni") as cluster:
            self.run_under_load(cluster, steps)


if __name__ == "__main__":
    unittest.main()
