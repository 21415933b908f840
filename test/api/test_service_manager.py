# SPDX-License-Identifier: Apache-2.0
"""What the server reports to systemd, and the completion of its programs in bash."""
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from harness import BUILD, Server


class Reports(unittest.TestCase):
    def test_ready_alive_and_stopping_are_reported_in_this_order(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(pathlib.Path(folder) / "notify")
            manager.bind(path)
            manager.settimeout(120)
            server = Server(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
            try:
                server.start()
                ready = f"READY=1\nSTATUS=serving http://127.0.0.1:{server.port}/".encode()
                self.assertEqual(b"STATUS=opening the store", manager.recv(256))
                before = []
                while not before or before[-1] == b"WATCHDOG=1":
                    before.append(manager.recv(256))
                self.assertEqual(ready, before[-1])
                self.assertEqual([b"WATCHDOG=1"] * 5, [manager.recv(256) for _ in range(5)])
                server.terminate()
                manager.settimeout(0)
                said = []
                with self.assertRaises(BlockingIOError):
                    while True:
                        said.append(manager.recv(256))
                self.assertIn(b"STOPPING=1\nSTATUS=stopping after in-flight requests are finished", said)
                self.assertNotIn(ready, said)
            finally:
                server.stop()

    def test_a_reload_begins_and_ends_with_a_report(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(pathlib.Path(folder) / "notify")
            manager.bind(path)
            manager.settimeout(120)
            config = pathlib.Path(folder) / "my.yml"
            config.write_text("")
            server = Server(environment={"NOTIFY_SOCKET": path})
            server.arguments = ["--config", str(config)]
            try:
                server.start()
                ready = f"READY=1\nSTATUS=serving http://127.0.0.1:{server.port}/"
                self.assertEqual([b"STATUS=opening the store", ready.encode()], [manager.recv(256) for _ in range(2)])
                for text, note in (("", ""), ("x: 1", "; the last reload of the configuration failed, see the log"), ("", "")):
                    config.write_text(text)
                    server.process.send_signal(signal.SIGHUP)
                    begin = time.monotonic_ns() // 1000
                    reloading = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=.+", manager.recv(256))
                    self.assertLess(abs(int(reloading[1]) - begin), 60_000_000)
                    self.assertEqual(ready + note, manager.recv(256).decode())
            finally:
                server.stop()

    def test_a_start_that_fails_is_never_ready(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(pathlib.Path(folder) / "notify")
            manager.bind(path)
            server = Server(environment={"NOTIFY_SOCKET": path, "HTTP_BIND_ADDRESS": "192.0.2.1"})
            try:
                server.start(wait=False)
                self.assertNotEqual(0, server.process.wait(120), server.log())
                manager.settimeout(0)
                self.assertEqual(b"STATUS=opening the store", manager.recv(64))
                with self.assertRaises(BlockingIOError):
                    manager.recv(64)
            finally:
                server.kill()


class Completion(unittest.TestCase):
    def complete(self, program, *words):
        """What bash offers for the last word."""
        script = f"""
            source <({BUILD}/bin/{program} --completion)
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _{program.replace('-', '_')}
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-uc", script, "-", program, *words], capture_output=True, text=True, check=True)
        self.assertEqual("", done.stderr)
        return done.stdout.split()

    def test_commands_verbs_and_options_are_offered(self):
        self.assertIn("tenant", self.complete("gallery-admin", ""))
        self.assertEqual(["tenant"], self.complete("gallery-admin", "te"))
        self.assertEqual(["create"], self.complete("gallery-admin", "tenant", "cr"))
        self.assertEqual(["--region"], self.complete("gallery-admin", "tenant", "create", "Acme", "--reg"))
        self.assertEqual(["--quiet"], self.complete("gallery-admin", "verify", "--q"))
        self.assertEqual(["--everywhere"], self.complete("gallery-admin", "logout", "--json", "--ev"))
        self.assertEqual([], self.complete("gallery-admin", "nonsense", "--q"))
        self.assertEqual(["find-limit"], self.complete("gallery-load", "fi"))
        self.assertEqual(["--threshold"], self.complete("gallery-load", "run", "browse", "--thr"))
        self.assertEqual(["--check-config"], self.complete("gallery-server", "--ch"))

    def test_files_are_offered_where_an_option_takes_one(self):
        here = str(pathlib.Path(__file__).resolve())
        for words in (("gallery-server", "--config"), ("gallery-admin", "verify", "--config"),
                      ("gallery-admin", "tenant", "list", "--ca")):
            self.assertEqual([here], self.complete(*words, here[:-2]))


if __name__ == "__main__":
    unittest.main()
