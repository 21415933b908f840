#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether binaries are hardened as cmake/gallery.cmake says.

usage: hardening.py FILE...     programs, libraries or packages; exit code 1 and a line for each fault
"""
import pathlib
import re
import subprocess
import sys
import tempfile

# Functions of the C library, of which a fortified program calls the checking form (__read_chk) where it can. Others
# cannot be told apart: memcpy() stays memcpy() where the compiler has proved its bounds.
FORTIFIED = re.compile(r"\b__(?!stack_)\w+_chk\b")


def readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}).stdout


def faults_of(binary):
    head, segments, dynamic = (readelf(option, str(binary)) for option in ("-h", "-l", "-d"))
    imported = readelf("--dyn-syms", str(binary))
    out = []
    if not re.search(r"Type:\s+DYN", head):
        out.append("is not position-independent")
    if "GNU_RELRO" not in segments:
        out.append("has no read-only relocations (RELRO)")
    if not re.search(r"BIND_NOW|FLAGS_1\).*\bNOW\b", dynamic):
        out.append("binds symbols when they are first used (no BIND_NOW)")
    stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+)+([RWE ]+?)\s+0x", segments)
    if not stack or "E" in stack[1]:
        out.append("has an executable stack")
    if re.search(r"LOAD\s+(?:0x\w+\s+)+RWE", segments):
        out.append("has memory that is writable and executable")
    if "TEXTREL" in dynamic:
        out.append("has relocations in its code")
    # A folder that another user can write to would be searched for libraries.
    for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
        out += [f"searches {one} for libraries" for one in path.split(":") if not one.startswith("$ORIGIN")]
    if "__stack_chk_fail" not in imported:
        out.append("has no stack protector")
    if is_program(binary) and not FORTIFIED.search(imported):
        out.append("calls no checked function of the C library (_FORTIFY_SOURCE)")
    return out


def is_program(binary):
    """Libraries may call none of these functions."""
    return "INTERP" in readelf("-l", str(binary)) and ".so" not in binary.name


def is_elf(path):
    if not path.is_file() or path.is_symlink():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def check_hardening(files):
    """A line for each fault. Packages are unpacked. Throws if there is no binary in all of them."""
    wrong, found = [], 0
    for file in files:
        with tempfile.TemporaryDirectory() as folder:
            if file.suffix == ".deb":
                subprocess.run(["dpkg-deb", "-x", str(file), folder], check=True)
                binaries = sorted(path for path in pathlib.Path(folder).rglob("*") if is_elf(path))
            else:
                binaries = [file]
            found += len(binaries)
            for binary in binaries:
                name = f"{file.name}: {binary.relative_to(folder)}" if file.suffix == ".deb" else str(binary)
                wrong += [f"{name} {fault}" for fault in faults_of(binary)]
    if not found:
        raise AssertionError(f"there is no binary in {', '.join(map(str, files))}")
    return wrong


def main():
    wrong = check_hardening([pathlib.Path(name) for name in sys.argv[1:]])
    print("\n".join(wrong) or "all are hardened")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
