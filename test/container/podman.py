# SPDX-License-Identifier: Apache-2.0
"""podman and buildah with a store of their own, in the way in which this computer lets containers run."""
import json
import os
import pathlib
import resource
import shutil
import subprocess

DEFAULT_PROFILE = pathlib.Path("/usr/share/containers/seccomp.json")


def own_limits():
    """podman would raise the limits, which this computer may not permit. A server of a test needs no more than these."""
    limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    enough = 4096
    values = {name: resource.getrlimit(number)[1] for name, number in limits.items()}
    values = {name: enough if hard == resource.RLIM_INFINITY else min(hard, enough) for name, hard in values.items()}
    return [f"--ulimit={name}={value}:{value}" for name, value in values.items()]


class Impossible(Exception):
    """This computer cannot run containers. The text says why."""


class Engine:
    """`with` ends what it has started."""

    def __init__(self, folder):
        for program in ("buildah", "podman"):
            if not shutil.which(program):
                raise Impossible(f"{program} is not installed")
        settings = folder / "storage.conf"
        settings.write_text(f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/images"\n')
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings), "TMPDIR": str(folder)}
        self.holder = None

    def __enter__(self):
        # All commands see the mounts of one another, and nobody else does. Container engines refuse a computer with both
        # versions of control groups; where that is so, the second version is hidden from them.
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--", "sh", "-c",
             "umount /sys/fs/cgroup/unified 2>/dev/null; echo ready; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise Impossible("the computer does not let this user mount file systems")
        return self

    def __exit__(self, *_):
        self.podman("rm", "--all", "--force", "--volumes", "--time", "0", check=False)
        self.podman("unmount", "--all", check=False)
        self.command("sh", "-c", 'umount "$0" 2>/dev/null', self.environment["TMPDIR"] + "/images/overlay", check=False)
        self.holder.communicate()

    def command(self, *command, text=None, check=True):
        done = subprocess.run(["nsenter", "-t", str(self.holder.pid), "--mount", "--wd=/", *command], capture_output=True,
                              text=True, input=text or "", env=self.environment, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def podman(self, *arguments, **options):
        return self.command("podman", *arguments, **options)

    def require_containers(self, image):
        """Impossible where not even a program without any restriction of its own runs in a container."""
        done = self.podman("run", "--rm", "--network", "host", *own_limits(), "--no-healthcheck", "--entrypoint",
                           "/bin/true", image, check=False)
        if done.returncode != 0:
            raise Impossible("podman run: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1])


def profile_without(calls, file):
    """podman's usual filter of system calls, but with @p calls refused, as other engines' filters do."""
    profile = json.loads(DEFAULT_PROFILE.read_text())
    for rule in profile["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name not in calls]
    profile["syscalls"] = [rule for rule in profile["syscalls"] if rule["names"]]
    file.write_text(json.dumps(profile))
    return file


class InPodman:
    """The image in a container, restricted as etc/container/compose.yaml does it. It shares this computer's network."""
    name = "in podman"

    def __init__(self, engine, image, service, environment, seccomp=None):
        """@p service: of the compose file. @p seccomp: a file, else podman's usual filter."""
        self.engine, self.image, self.container = engine, image, "gallery"
        options = ["--read-only"] if service["read_only"] else []
        options += [f"--cap-drop={one}" for one in service["cap_drop"]]
        options += [f"--security-opt={one}" for one in service["security_opt"]]
        options += [f"--tmpfs={one}" for one in service["tmpfs"]]
        options += [f"--volume={one}" for one in service["volumes"]]
        options += [f"--env={key}={value}" for key, value in environment.items()]
        self.options = options + ([f"--security-opt=seccomp={seccomp}"] if seccomp else [])

    def start(self):
        self.remove()
        self.engine.podman("run", "--detach", "--name", self.container, "--network", "host", *own_limits(),
                           "--log-driver", "k8s-file", *self.options, self.image)

    def run(self, *command, text=None, environment=None):
        variables = [f"--env={key}={value}" for key, value in (environment or {}).items()]
        return self.engine.podman("exec", "--interactive", *variables, self.container, *command, text=text, check=False)

    def is_running(self):
        done = self.engine.podman("inspect", "--format", "{{.State.Running}}", self.container, check=False)
        return done.stdout.strip() == "true"

    def stop(self):
        """The exit code. podman sends the image's signal to stop."""
        self.engine.podman("stop", "--time", "60", self.container)
        return int(self.engine.podman("inspect", "--format", "{{.State.ExitCode}}", self.container).stdout)

    def remove(self):
        self.engine.podman("rm", "--force", "--time", "0", "--ignore", self.container)

    def log(self):
        done = self.engine.podman("logs", self.container, check=False)
        return done.stdout + done.stderr

    def health(self):
        return self.engine.podman("healthcheck", "run", self.container, check=False)
