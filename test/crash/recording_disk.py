#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A block device with a volatile write cache, whose power can be cut.

The device is a loop device on a file of a FUSE file system, and this program serves that file: each write, and each
flush of the device, arrives here as a request of the kernel. It therefore knows which writes a real disk may lose: those
that came after the last flush. When the power is cut, each of these is kept, lost, or kept in part, by chance; from then
on the device answers every request with EIO, as an unplugged disk does. This is what dm-log-writes offers, but it
requires neither the device mapper nor libfuse, only root, /dev/fuse and loop devices.

The unit that a real disk writes whole is taken to be a sector of 4096 bytes. Writes are lost in any order.

As a program: serves one disk, for the class Disk below, which talks to it through standard input and output.
"""
import collections
import contextlib
import ctypes
import errno
import fcntl
import os
import pathlib
import random
import select
import struct
import subprocess
import sys
import time

SECTOR = 4096
LARGEST_WRITE = 1024 * 1024
MODES = ("lose all", "keep all", "a prefix", "any", "any")  # what happens to the writes that are not flushed

# The kernel's protocol, include/uapi/linux/fuse.h.
FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, BATCH_FORGET = (
    2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 36, 42)
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22
DIRECT_IO = 1  # no cache of pages between the loop device and this program
HEADER = struct.Struct("<IIQQIIII")


Loss = collections.namedtuple("Loss", "unflushed whole in_part mode")  # writes not flushed; of them kept whole, in part


class Cut(Exception):
    """The disk has no power."""


class Recorder:
    """The content of the disk, with the old bytes of everything that is not flushed."""

    def __init__(self, path, ignores_flushes):
        self.file = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.ignores_flushes = ignores_flushes
        self.pending = []  # (offset, bytes before, bytes written), oldest first
        self.has_power = True
        self.writes = self.flushes = 0
        self.seed = self.left = self.deadline = None  # a cut that is to come: after so many requests, or then

    def read(self, offset, size):
        self._require_power()
        return os.pread(self.file, size, offset)

    def write(self, offset, data):
        self._require_power()
        self.pending.append((offset, os.pread(self.file, len(data), offset), bytes(data)))
        os.pwrite(self.file, data, offset)
        self._count()
        self.writes += 1

    def flush(self):
        self._require_power()
        if not self.ignores_flushes:
            self.pending.clear()
        self._count()
        self.flushes += 1

    def cut(self, seed):
        """Turns the power off; returns a Loss."""
        chooser = random.Random(seed)
        mode = chooser.choice(MODES)
        self.has_power = False
        for offset, before, _ in reversed(self.pending):
            os.pwrite(self.file, before, offset)
        keep = {"lose all": 0, "keep all": len(self.pending)}.get(mode, chooser.randint(0, len(self.pending)))
        share = chooser.random()
        whole = parts = 0
        for number, (offset, _, data) in enumerate(self.pending):
            if mode != "any":
                is_kept = number < keep
            elif chooser.random() < 0.2 and len(data) > SECTOR:
                for at in range(0, len(data), SECTOR):
                    if chooser.random() < 0.5:
                        os.pwrite(self.file, data[at:at + SECTOR], offset + at)
                parts += 1
                continue
            else:
                is_kept = chooser.random() < share
            if is_kept:
                os.pwrite(self.file, data, offset)
                whole += 1
        count = len(self.pending)
        self.pending.clear()
        self.left = None
        return Loss(count, whole, parts, mode)

    def _count(self):
        if self.left is not None:
            self.left -= 1

    def is_due(self):
        return self.left is not None and (self.left <= 0 or time.monotonic() >= self.deadline)

    def _require_power(self):
        if not self.has_power:
            raise Cut


def attributes(recorder):
    """fuse_attr, preceded by how long the kernel may keep it: it is constant."""
    return struct.pack("<QII", 3600, 0, 0) + struct.pack(
        "<QQQQQQIIIIIIIIII", 1, recorder.size, recorder.size // 512, 0, 0, 0, 0, 0, 0, 0o100600, 1, 0, 0, 0, SECTOR, 0)


def answer(recorder, opcode, body):
    """(error, bytes) of one request; None where the kernel expects no answer."""
    if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
        return None
    if opcode == INIT:
        _, minor, ahead, flags = struct.unpack_from("<IIII", body)
        return 0, struct.pack("<IIIIHHIIHHI28x", 7, min(minor, 31), ahead, flags & (BIG_WRITES | MAX_PAGES), 64, 48,
                              LARGEST_WRITE, 1, LARGEST_WRITE // 4096, 0, 0)
    if opcode in (GETATTR, SETATTR):
        return 0, attributes(recorder)
    if opcode == OPEN:
        return 0, struct.pack("<QII", 0, DIRECT_IO, 0)
    if opcode == STATFS:
        return 0, struct.pack("<QQQQQIIII24x", recorder.size // SECTOR, 0, 0, 1, 0, SECTOR, 255, SECTOR, 0)
    if opcode in (RELEASE, FLUSH):
        return 0, b""
    try:
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return 0, recorder.read(offset, size)
        if opcode == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            recorder.write(offset, body[40:40 + size])
            return 0, struct.pack("<II", size, 0)
        if opcode == FSYNC:
            recorder.flush()
            return 0, b""
    except Cut:
        return errno.EIO, b""
    except OSError as e:
        return e.errno, b""
    return errno.ENOSYS, b""


def command(recorder, line):
    words = line.split()
    if words[0] == "cut":
        recorder.seed, recorder.left = int(words[1]), int(words[2])
        recorder.deadline = time.monotonic() + float(words[3])
        return None  # said when it is done
    if words[0] == "on":
        recorder.has_power = True
        return "on"
    return f"{recorder.writes} {recorder.flushes}"


def say(line):
    if line is not None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def serve(image, mount_point, ignores_flushes):
    recorder = Recorder(image, ignores_flushes)
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=100600,user_id=0,group_id=0"
    if libc.mount(b"recording_disk", os.fsencode(mount_point), b"fuse", 6, options.encode()) != 0:  # nosuid, nodev
        raise OSError(ctypes.get_errno(), "mount")
    say("mounted")
    request = bytearray(LARGEST_WRITE + 4096)
    view = memoryview(request)
    while True:
        limit = None if recorder.left is None else max(0.0, recorder.deadline - time.monotonic())
        for ready in select.select([device, sys.stdin.fileno()], [], [], limit)[0]:
            if ready != device:
                line = os.read(ready, 4096).decode()
                if not line:  # the test has ended
                    libc.umount2(os.fsencode(mount_point), 2)  # MNT_DETACH
                    return
                say(command(recorder, line))
                continue
            try:
                size = os.readv(device, [request])
            except OSError as e:
                if e.errno == errno.ENODEV:  # unmounted
                    return
                continue  # the request was withdrawn
            _, opcode, unique, *_ = HEADER.unpack_from(request)
            result = answer(recorder, opcode, view[HEADER.size:size])
            if result is not None:
                error, data = result
                try:
                    os.writev(device, [struct.pack("<IiQ", 16 + len(data), -error, unique), data])
                except OSError as e:
                    if e.errno != errno.ENOENT:  # the request was withdrawn
                        raise
        if recorder.is_due():
            say(" ".join(map(str, recorder.cut(recorder.seed))))


class Unavailable(Exception):
    """This machine or user cannot have such a disk."""


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def use_own_mounts():
    """What this process and its children mount is seen by them only, and ends with them."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespace, recursive_private = 0x20000, 0x4000 | 0x40000
    if libc.unshare(new_namespace) != 0 or libc.mount(b"none", b"/", None, recursive_private, None) != 0:
        raise Unavailable(os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def loop_device(path):
    """The name of a loop device on the file. It ends with its last use, also where this process is killed."""
    get_free, configure, ends_by_itself = 0x4C82, 0x4C0A, 4  # include/uapi/linux/loop.h
    try:
        with open("/dev/loop-control", "rb") as control, open(path, "r+b", buffering=0) as file:
            while True:
                name = f"/dev/loop{fcntl.ioctl(control, get_free)}"
                device = os.open(name, os.O_RDWR)
                try:
                    fcntl.ioctl(device, configure, struct.pack("<II52xI240x", file.fileno(), SECTOR, ends_by_itself))
                    break
                except OSError as e:
                    os.close(device)
                    if e.errno != errno.EBUSY:  # another process was faster
                        raise
    except OSError as e:
        raise Unavailable(f"loop device: {e}") from e
    try:
        yield name
    finally:
        os.close(device)


class Disk:
    """A recording disk with a file system, mounted or not. `work` is a folder for its files."""

    def __init__(self, kind, work, ignores_flushes=False):
        self.kind = kind
        self.folder = pathlib.Path(work) / "mounted"
        self.is_mounted = self.was_mounted = False
        use_own_mounts()
        image, self.file = pathlib.Path(work) / "image", pathlib.Path(work) / "disk"
        self.folder.mkdir()
        self.file.touch()
        with open(image, "wb") as new:
            new.truncate((512 if kind == "xfs" else 256) * 1024 * 1024)
        # No discards: the recording knows only writes.
        options = {"ext4": ("-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"),
                   "xfs": ("-K", "-s", "size=4096")}[kind]
        try:
            run(f"mkfs.{kind}", "-q", *options, str(image))
        except FileNotFoundError as e:
            raise Unavailable(f"there is no {e.filename}") from e
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__, str(image), str(self.file)] + (["lying"] if ignores_flushes else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "mounted\n":
            error = self.process.stderr.read().strip().splitlines()
            raise Unavailable("a FUSE file system cannot be mounted: " + (error[-1] if error else "no reason is known"))

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def mount(self):
        """Turns the power on and mounts the file system, which repairs itself as after any power cut."""
        self._say("on")
        try:
            with loop_device(self.file) as loop:
                run("mount", "-t", self.kind, "-o", "noatime", loop, str(self.folder))
            self.is_mounted = True
        except subprocess.CalledProcessError as e:
            problem = f"{e.cmd[0]}: {e.stderr.strip()}"
            if self.was_mounted:
                raise AssertionError(f"the file system is damaged: {problem}") from e
            raise Unavailable(problem) from e
        self.was_mounted = True

    def cut(self, seed, after=0, limit=0.0):
        """Power off behind the next `after` writes and flushes, or when `limit` seconds are over. What is not flushed is
        lost by chance. Returns a Loss."""
        *counts, mode = self._say(f"cut {seed} {after} {limit}").split(maxsplit=3)
        return Loss(*map(int, counts), mode)

    def traffic(self):
        """(writes, flushes) since the beginning."""
        return tuple(map(int, self._say("traffic").split()))

    def unmount(self, limit=60):
        """The programs that use it must be ending. Without power nothing is written."""
        deadline = time.monotonic() + limit
        while self.is_mounted:
            done = subprocess.run(["umount", str(self.folder)], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                self.is_mounted = False
            elif time.monotonic() > deadline:
                raise AssertionError(f"the disk is still in use: {done.stderr}")
            else:
                time.sleep(0.02)

    def close(self):
        try:
            self.unmount()
        finally:
            self.process.stdin.close()
            self.process.wait()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], "lying" in sys.argv[3:])
