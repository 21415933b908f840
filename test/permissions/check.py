#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles handlers of requests: one that asks for permission must compile, and each that forgets to, or forges the
proof, must be refused because of the proof and nothing else.

usage: check.py COMPILER FOLDER SOURCE BUILD
"""
import pathlib
import subprocess
import sys

DEFINITIONS = ["BOOST_ASIO_SEPARATE_COMPILATION", "BOOST_ASIO_DYN_LINK", "BOOST_ASIO_NO_DEPRECATED",
               "BOOST_ASIO_DISABLE_BOOST_COROUTINE", "BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8"]


def compile_one(compiler, source, build, file, case):
    return subprocess.run(
        [compiler, "-std=c++20", "-fcoroutines", "-fsyntax-only", f"-DCASE_{case}",
         *(f"-D{name}" for name in DEFINITIONS), f"-I{source}/server", f"-I{source}/common/include",
         f"-I{build}/common/include", str(file)],
        capture_output=True, text=True, check=False)


def main():
    compiler, folder, source, build = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    file = folder / "handler.cpp"
    # The name of each case and what the compiler must complain about; None: it must compile.
    cases = {
        "ASKS": None,
        "FORGETS_IMAGE_PERMIT": "image_permit",
        "READS_AND_WRITES": "image_permit",
        "FORGES_IMAGE_PERMIT": "private",
        "COPIES_IMAGE_PERMIT": "deleted",
        "EXTRACTS_AND_READS": "image_permit",
        "FORGETS_ROLE": "role_proof",
        "WEAKER_ROLE": "role_proof",
        "FORGETS_USER": "administered_user",
        "WEAKER_USER": "administered_user",
    }
    failed = 0
    for case, reason in cases.items():
        done = compile_one(compiler, source, build, file, case)
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        if reason is None:
            good = done.returncode == 0
        else:
            good = done.returncode != 0 and errors and any(reason in line for line in errors)
        print(f"{'ok' if good else 'FAILED'}: {case}")
        if not good:
            failed += 1
            print(f"  expected: {reason or 'no error'}")
            print("\n".join("  " + line for line in done.stderr.splitlines()[:20]))
    return 1 if failed else 0


sys.exit(main())
