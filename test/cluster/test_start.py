# SPDX-License-Identifier: Apache-2.0
"""Three servers start at once on an empty store: everything that a first start creates is there once."""
import json
import re
import unittest

import support
from harness import CUSTOMER, ROOT, SYSADMIN, TENANT
from support import ClusterTest

TIMES = 20 if support.LONG else 2
GENERATED = re.compile(r"^sign in as (\S+) \(\w+\) with the password (\w{20}) ", re.M)


class Start(ClusterTest):
    def test_three_servers_at_once_on_an_empty_store(self):
        supplied = len(json.loads((ROOT / "etc" / "system-images" / "index.json").read_text()))
        for number in range(TIMES):
            with self.subTest(number):
                self.start_three(f"start{number}", supplied)

    def start_three(self, schema, supplied):
        servers = [self.cluster.server(schema, GALLERY_SYSADMIN_PASSWORD="", GALLERY_DEMO_PASSWORD="") for _ in range(3)]
        try:
            for server in servers:
                server.start(wait=False)
            for server in servers:
                server.wait_ready()
            logs = [server.wait_for_report() for server in servers]
            # Each password is shown by one node, and is the one that counts.
            shown = [found for log in logs for found in GENERATED.findall(log)]
            self.assertEqual(sorted((SYSADMIN[0], TENANT[0], CUSTOMER[0])), sorted(who for who, _ in shown), shown)
            passwords = dict(shown)
            for server in servers:
                for who, password in passwords.items():
                    server.client((who, password))
                images = self.images(server.client((SYSADMIN[0], passwords[SYSADMIN[0]])))
                self.assertEqual(supplied, len(images), images)
                self.assertEqual([], [key for key in images if re.search(r"_\(\d+\)", key)])
                samples = self.images(server.client((TENANT[0], passwords[TENANT[0]])))
                self.assertGreater(len(samples), 0)
                self.assertEqual([], [key for key in samples if re.search(r"_\(\d+\)", key)])
        finally:
            for server in servers:
                server.stop()

    def images(self, client):
        found = []
        for sub_type in ("IMAGE", "SCADA_SYMBOL"):
            answer = self.assertStatus(200, client.list(pageSize=1000, imageSubType=sub_type)).json()
            found += [info["resourceKey"] for info in answer["data"]]
        self.assertEqual(len(found), len(set(found)))
        return found


if __name__ == "__main__":
    unittest.main()
