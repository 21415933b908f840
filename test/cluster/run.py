#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a cluster, which etc/cluster.sh starts: several gallery servers on a replicated PostgreSQL.

usage: run.py [--long] [--keep] [NAME...]
  --long   the long run, about half an hour: more rounds, and Patroni's failover
  --keep   leave the clusters' folders and logs, below TMPDIR
  NAME     as for unittest: test_failover, test_failover.Plain, ...; without: everything

Measured values are on lines that begin with "measured:". Debian's Python, for which psycopg2 is installed, runs this.
"""
import argparse
import os
import pathlib
import signal
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ALL = ("test_linearizable", "test_one_winner", "test_cut_off", "test_histories", "test_start", "test_gallery_admin",
       "test_database", "test_backup", "test_mirror_in_database", "test_switch_to_database", "test_switch_steps",
       "test_failover")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    # So that clusters are stopped when this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Read when the tests are imported.
    os.environ["GALLERY_CLUSTER_LONG"] = "1" if options.long else "0"
    os.environ["GALLERY_CLUSTER_KEEP"] = "1" if options.keep else "0"
    sys.path[:0] = [str(HERE), str(HERE.parent / "api")]
    tests = unittest.defaultTestLoader.loadTestsFromNames(options.names or ALL)
    return 0 if unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
