#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the alert rules with operations.md, with their tests, and with the metrics that the server has. Prints each
difference; exit code 1 if there is one.

usage: documents.py REPOSITORY
"""
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    rules = (root / "etc/monitoring/gallery-alerts.yml").read_text()
    tests = (root / "test/monitoring/alerts_test.yml").read_text()
    page = (root / "etc/doc/operations.md").read_text()
    metrics = (root / "server/app/metrics_page.cpp").read_text()

    alerts = re.findall(r"- alert: (\w+)", rules)
    section = page.split("\n### Alerts\n", 1)[1].split("\n## ", 1)[0]
    documented = re.findall(r"^\| `(Gallery\w+)` \| [^|]{20,} \| [^|]{20,} \|$", section, re.M)
    raised = re.findall(r"alertname: (\w+)\W+exp_alerts", tests)
    quiet = re.findall(r"alertname: (\w+) }", tests.split("\n  - name: ", 2)[1])
    problems = [f"the table of alerts in operations.md is not that of the rules: {sorted(set(documented) ^ set(alerts))}"
                ] if documented != alerts else []
    problems += [f"no test raises {name}" for name in alerts if name not in raised]
    problems += [f"no test shows that a healthy server does not raise {name}" for name in alerts if name not in quiet]
    problems += [f"the server has no metric {name}"
                 for name in sorted(set(re.findall(r"\b((?:gallery|process)_\w+)", rules))) if f'"{name}"' not in metrics]
    for problem in problems:
        print(problem)
    print(f"{len(alerts)} alerts, {len(problems)} problems")
    return 1 if problems or len(alerts) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
