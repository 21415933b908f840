# SPDX-License-Identifier: Apache-2.0
"""What the server does when it is sent signals."""
import signal
import time
import unittest

from harness import Client, Server


class HangUp(unittest.TestCase):
    def test_a_reload_leaves_the_server_running(self):
        with Server() as server:
            server.process.send_signal(signal.SIGHUP)
            self.assertEqual(200, Client(server).get("/health/ready").status)

    def test_a_reload_while_the_server_stops_is_ignored(self):
        server = Server()
        try:
            server.start()
            server.wait_for_report()
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 60
            while server.process.poll() is None and time.monotonic() < deadline:
                server.process.send_signal(signal.SIGHUP)
            self.assertEqual(0, server.process.poll(), server.log())
            self.assertIn("stopped", server.log())
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
