# SPDX-License-Identifier: Apache-2.0
"""When mirror_bench.py fails. Runs without a server."""
import unittest

from mirror_bench import failures, percentile

SAME = {"same": True, "repaired": []}


class Failures(unittest.TestCase):
    def test_targets_that_are_met(self):
        self.assertEqual([], failures([], SAME, [1, 1000], 10.0, 20.0))

    def test_a_hold_of_more_than_a_second(self):
        found = failures([], SAME, [3, 1001, 4], 10.0, 12.0)
        self.assertEqual(["writes were held for 1001 ms, more than 1000 ms"], found)

    def test_reads_that_are_more_than_twice_as_slow_while_copying(self):
        found, = failures([], SAME, [1], 10.0, 20.1)
        self.assertIn("20.1 ms, more than 2.0 times 10.0 ms", found)

    def test_no_read_while_copying_proves_nothing(self):
        self.assertEqual(1, len(failures([], SAME, [1], 10.0, percentile([], 0.99))))

    def test_problems_and_stores_that_differ(self):
        for verified in ({"same": False, "repaired": []}, {"same": True, "repaired": ["an image"]}):
            self.assertEqual(["stale: a", "the stores differ"], failures(["stale: a"], verified, [1], 10.0, 10.0))


if __name__ == "__main__":
    unittest.main()
