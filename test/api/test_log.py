# SPDX-License-Identifier: Apache-2.0
"""What is in the log, and what is not."""
import unittest

from harness import Client, Server


class Log(unittest.TestCase):
    def test_a_line_per_request_has_the_path_and_not_the_query(self):
        with Server(environment={"LOG_LEVEL": "debug"}) as server:
            token = "sesame" * 12
            for target in (f"/api/noauth/activate?activateToken={token}", f"/nowhere?a=b&token={token}"):
                Client(server).get(target)
            self.assertEqual(0, server.terminate())
            log = server.log()
        self.assertRegex(log, r"debug .* GET /api/noauth/activate 4\d\d ")
        self.assertRegex(log, r"debug .* GET /nowhere 404 ")
        self.assertNotIn("sesame", log)


if __name__ == "__main__":
    unittest.main()
