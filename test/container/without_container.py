# SPDX-License-Identifier: Apache-2.0
"""The image's root file system with the image's user, entrypoint and health check, but without a container engine."""
import os
import pathlib
import subprocess
import sys

ENTER = pathlib.Path(__file__).with_name("enter.py")


class WithoutContainer:
    """The server in the root file system. It shares this computer's network and processes."""
    name = "without a container"

    def __init__(self, image, root, data, environment):
        """@p image: of read_containerfile(). @p environment: settings besides those of the image."""
        self.image, self.root, self.data, self.environment = image, root, data, environment
        self.process = None
        self.file = data.parent / "server.log"
        uid, gid = map(int, image["USER"].split(":"))
        data.mkdir(mode=0o700)
        os.chown(data, uid, gid)

    def _command(self, *command):
        return [sys.executable, "-B", str(ENTER), str(self.root), str(self.data), self.image["VOLUME"], self.image["USER"],
                *command]

    def run(self, *command, text=None, environment=None):
        """A command in the image, as the image's user."""
        return subprocess.run(self._command(*command), capture_output=True, text=True, input=text or "", check=False,
                              env={**self.image["ENV"], **self.environment, **(environment or {})})

    def start(self):
        with open(self.file, "wb") as log:
            self.process = subprocess.Popen(self._command(*self.image["ENTRYPOINT"]), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env={**self.image["ENV"], **self.environment})

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """The exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def remove(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def log(self):
        return self.file.read_text()

    def health(self):
        return self.run(*self.image["HEALTHCHECK"])
