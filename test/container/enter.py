#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program as a container would, without one: in the root file system of an image, which is read-only, with a data
folder and an empty /tmp, as a user without capabilities and without a way to get any. It shares this computer's network
and processes. Only root can do this.

usage: enter.py ROOT DATA MOUNTPOINT UID:GID PROGRAM [ARGUMENT...]     MOUNTPOINT: of DATA in ROOT

The environment is that of the caller. Exit code 125: the computer does not allow it.
"""
import ctypes
import os
import subprocess
import sys

CLONE_NEWNS, MNT_DETACH = 0x00020000, 2
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
CAPABILITIES = range(64)
libc = ctypes.CDLL(None, use_errno=True)


def require(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(*arguments):
    subprocess.run(["/bin/mount", *arguments], check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def build_file_system(root, data, mountpoint):
    require(libc.unshare(CLONE_NEWNS), "unshare")
    mount("--make-rprivate", "/")
    mount("--bind", root, root)
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("-t", "tmpfs", "-o", "mode=1777,size=64m", "tmpfs", f"{root}/tmp")
    mount("-t", "tmpfs", "-o", "mode=755,size=64k", "tmpfs", f"{root}/dev")
    for device in ("null", "zero", "full", "random", "urandom"):
        open(f"{root}/dev/{device}", "w").close()
        mount("--bind", f"/dev/{device}", f"{root}/dev/{device}")
    mount("--bind", data, f"{root}/{mountpoint}")
    mount("-o", "remount,bind,ro", root)


def enter(root):
    """pivot_root and not chroot, in which Linux refuses the user namespaces that the workers make."""
    os.chdir(root)
    require(libc.syscall(SYS_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    require(libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")


def drop_rights(uid, gid):
    for capability in CAPABILITIES:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    require(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def main():
    root, data, mountpoint, ids, *command = sys.argv[1:]
    try:
        build_file_system(root, data, mountpoint)
        enter(root)
        drop_rights(*map(int, ids.split(":")))
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"enter: {e}", file=sys.stderr)
        return 125
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
