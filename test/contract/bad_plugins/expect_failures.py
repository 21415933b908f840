#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the contract suite on a plugin that breaks the contract in one known way, and requires that the suite finds it:
each named case has to fail with the named words, the suite has to end as one that failed, and cases that the fault
does not concern have to pass. A suite that fails for another reason, or does not start, is not accepted.

usage: expect_failures.py SUITE PLUGIN CASE WORDS [CASE WORDS]... [--passes CASE]...
CASE is "suite/case"; WORDS is a regular expression for one of its messages.
"""
import re
import subprocess
import sys

FAILED_TESTS = 201  # of Boost.Test


def main(suite, plugin, *rest):
    rest = list(rest)
    passing = []
    while "--passes" in rest:
        at = rest.index("--passes")
        passing.append(rest[at + 1])
        del rest[at:at + 2]
    expected = list(zip(rest[::2], rest[1::2], strict=True))
    assert expected and passing, __doc__
    cases = [f"--run_test={name}" for name in sorted({case for case, _ in expected} | set(passing))]
    done = subprocess.run([suite, "--plugin", plugin, "--volatile", "--color_output=no", "--log_level=test_suite", *cases],
                          capture_output=True, text=True, errors="replace", check=False)
    output = done.stdout + done.stderr
    failures = re.findall(r'error: in "([^"]+)": (.*)', output)
    entered = set(re.findall(r'Entering test case "([^"]+)"', output))
    problems = []
    if done.returncode != FAILED_TESTS:
        problems.append(f"the suite ended with {done.returncode}, expected {FAILED_TESTS}")
    for case, words in expected:
        messages = [message for name, message in failures if name == case]
        if not messages:
            problems.append(f"{case} did not fail")
        elif not any(re.search(words, message) for message in messages):
            problems.append(f"{case} failed, but not with /{words}/: {messages[:3]}")
    for case in passing:
        if case.split("/")[-1] not in entered:
            problems.append(f"{case} was not run")
        elif any(name == case for name, _ in failures):
            problems.append(f"{case} failed, which the fault does not concern")
    for problem in problems:
        print(problem)
    if problems:
        print(output[-3000:])
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
