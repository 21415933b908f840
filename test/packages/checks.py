# SPDX-License-Identifier: Apache-2.0
"""How the tests of what users install report what they do and what is wrong."""
import pathlib
import sys


def say(text):
    print(f"{pathlib.Path(sys.argv[0]).resolve().parent.name}: {text}", flush=True)


def check(condition, text):
    if not condition:
        raise AssertionError(text)
