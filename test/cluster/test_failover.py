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
# A machine that runs other tests beside this one can delay a node for longer than the default.
ENVIRONMENT = {} if support.LONG else {"GALLERY_CLUSTER_STALENESS": "3s"}


class Failures(unittest.TestCase):
    """Breaks one thing after the other under load. `limit` is how long requests through the load balancer may fail."""

    def setUp(self):
        self.windows = []

    def run_under_load(self, cluster, steps):
        with Feed(cluster.dsn()) as feed, Load(cluster) as load:
            wait_for(lambda: load.acknowledged() > 50 or load.stopping.is_set(), 60, "no writes are acknowledged")
            for name, action, limit in steps:
                self.step(cluster, load, name, action, limit)
        load.check_problems()
        self.check_windows(load)
        cluster.wait_until_whole()
        images = {load.check(address) for address in (*cluster.nodes, cluster.url)}
        self.assertEqual(1, len(images), "the nodes have different numbers of images")
        changes = feed.check()
        self.assertGreater(load.acknowledged(), 100)
        report(f"{load.acknowledged()} acknowledged writes, {sum(w.unknown for w in load.writers)} of unknown outcome, "
               f"{changes} changes in the feed, {images.pop()} images, seed {load.seed}")

    def step(self, cluster, load, name, action, limit):
        before = load.acknowledged()
        time.sleep(2)
        load.check_problems()
        self.assertGreater(load.acknowledged(), before, f"before '{name}' nothing is written")
        began = time.monotonic()
        action(cluster)
        # Over when the load balancer has not failed for some seconds, writes succeed and everything runs again.
        wait_for(lambda: time.monotonic() - began > limit or load.stopping.is_set()
                 or (time.monotonic() - self.last_failure(load, began) > 4 and self.writes_flow(load)),
                 limit + 10, f"after '{name}' requests do not succeed again")
        load.check_problems()
        cluster.wait_until_whole()
        self.windows.append((name, began, limit))
        last = self.last_failure(load, began)
        gap = self.longest_gap(load, began)
        report(f"{name}: requests through the load balancer failed for {last - began:.2f} s, "
               f"longest time without an acknowledged write {gap:.2f} s")

    @staticmethod
    def last_failure(load, began):
        return max((f.until for f in load.failures("load balancer") if f.until >= began), default=began)

    @staticmethod
    def writes_flow(load):
        """Every writer through the load balancer had a success lately. A request that waits has neither failed nor
        succeeded."""
        recent = time.monotonic() - 4
        return all(w.successes and w.successes[-1] > recent for w in load.writers if w.where == "load balancer")

    @staticmethod
    def longest_gap(load, began):
        moments = sorted([t for w in load.writers for t in list(w.successes) if t > began - 1] + [time.monotonic()])
        return max((b - a for a, b in zip(moments, moments[1:])), default=float("inf"))

    def check_windows(self, load):
        outside = [f for f in load.failures("load balancer")
                   if not any(began <= f.until and f.when <= began + limit for _, began, limit in self.windows)]
        self.assertEqual([], outside[:5], "requests through the load balancer failed outside of the failover windows")


def pause(label):
    def action(cluster):
        pid = cluster.node_pid(int(label[-1])) if label.startswith("node") else cluster.pid(label)
        with stopped(pid):
            time.sleep(STOPPED)
    return action


def kill(*what):
    return lambda cluster: cluster.kill(*what)


STEPS = [
    ("kill -9 of a node", kill("node", "1"), 10),
    ("kill -9 of a standby", kill("standby", "1"), 5),
    ("kill -9 of the primary", kill("primary"), 30),
    ("SIGSTOP of a node", pause("node 2"), 20),
    ("SIGSTOP of a standby", pause("standby 2"), 5),
    ("SIGSTOP of the primary", pause("primary"), 40),
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
            self.run_under_load(cluster, [("kill -9 of a standby and the primary", both, 60)] * 5)


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
            ("Patroni: kill -9 of the primary", kill("primary"), 60),
            ("Patroni: kill -9 of a standby", kill("standby", "1"), 30),
            ("Patroni: kill -9 of the other standby", kill("standby", "2"), 30),
            ("Patroni: kill -9 of a node", kill("node", "1"), 10),
            ("Patroni: planned switchover", self.switch_over, 30),
            ("Patroni: SIGSTOP of the primary", pause("primary"), 60),
            ("Patroni: kill -9 of the primary, again", kill("primary"), 60),
        ]
        with Cluster("--patroni") as cluster:
            self.run_under_load(cluster, steps)


if __name__ == "__main__":
    unittest.main()
