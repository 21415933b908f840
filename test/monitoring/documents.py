#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the alert rules and the dashboard with operations.md, the alerts with their tests, both with the metrics that
the server and its engines have, and the failures that operations.md describes with the alerts. Prints each difference;
exit code 1 if there is one.

usage: documents.py REPOSITORY
"""
import json
import pathlib
import re
import sys


def anchors(page):
    """The names under which a link reaches the headings of a page in Markdown."""
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", page, re.M)}


# Entries of "When something is wrong" that no alert can report.
NOT_RAISED = {"The administrator's password is lost"}


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def sources_of(value):
    """All data sources that a dashboard names."""
    if isinstance(value, dict):
        if "datasource" in value:
            yield value["datasource"]
        for member in value.values():
            yield from sources_of(member)
    elif isinstance(value, list):
        for element in value:
            yield from sources_of(element)


def check_alerts(rules, tests, page, metrics):
    alerts = re.findall(r"- alert: (\w+)", rules)
    section = page.split("\n### Alerts\n", 1)[1].split("\n## ", 1)[0]
    documented = re.findall(r"^#### (Gallery\w+)\n.{20,}\n\n\*\*What to do\.\*\* .{20,}$", section, re.M)
    raised = re.findall(r"alertname: (\w+)\W+exp_alerts", tests)
    quiet = re.findall(r"alertname: (\w+) }", tests.split("\n  - name: ", 2)[1])
    if documented != alerts:
        yield f"the sections of alerts in operations.md are not those of the rules: {sorted(set(documented) ^ set(alerts))}"
    for name in alerts:
        if name not in raised:
            yield f"no test raises {name}"
        if name not in quiet:
            yield f"no test shows that a healthy server does not raise {name}"
    for rule in re.split(r"\n      - alert: ", rules)[1:]:
        name = re.match(r"\w+", rule)[0]
        runbook = re.search(r'^          runbook: "operations\.md#([^"]+)"$', rule, re.M)
        if not runbook or runbook[1] not in anchors(section):
            yield f"{name} has no runbook, or operations.md has no section for it"
    for name in sorted(set(re.findall(r"\b((?:gallery|process)_\w+)", rules))):
        # An engine's own figures have no prefix.
        if not {f'"{name}"', f'"{name.removeprefix("gallery_storage_")}"'} & metrics:
            yield f"the server has no metric {name}"
    if len(alerts) < 10:
        yield f"there are only {len(alerts)} alerts"


def check_failures(page, alerts):
    """Each failure that operations.md describes has an alert, which the entry names."""
    section = page.split("\n## When something is wrong\n", 1)[1].split("\n## ", 1)[0]
    failures = re.findall(r"^- \*\*(.+?)\*\*(.*(?:\n  .*|\n(?=\n  ))*)", section, re.M)
    if len(failures) < 8 or len(failures) != len(re.findall(r"^- ", section, re.M)):
        yield "the failures in operations.md cannot be read"
    for failure, text in failures:
        named = re.findall(r"Alert: \[(Gallery\w+)\]\(#(gallery\w+)\)\.", text)
        if not named and failure not in NOT_RAISED:
            yield f"operations.md names no alert for the failure {failure!r}"
        for name, anchor in named:
            if name not in alerts or anchor != name.lower():
                yield f"the alert {name} of the failure {failure!r} does not exist"


def check_dashboard(dashboard, page):
    panels = list(panels_of(dashboard))
    everything = [*dashboard["panels"], *(p for row in dashboard["panels"] for p in row.get("panels", []))]
    if len({p["id"] for p in everything}) != len(everything):
        yield "two panels have the same id"
    if len({p["title"] for p in panels}) != len(panels):
        yield "two panels have the same title"
    if dashboard["id"] is not None:
        yield "the dashboard has the id of an installation"
    for source in sources_of(dashboard):
        if source != {"type": "prometheus", "uid": "${datasource}"}:
            yield f"the dashboard depends on the data source {source}"
    for panel in panels:
        links = re.findall(r"\]\(([^)]*)\)", panel["description"])
        if "Normal: " not in panel["description"] and "Normal behind" not in panel["description"]:
            yield f"the panel {panel['title']!r} does not say what is normal"
        if not links:
            yield f"the panel {panel['title']!r} has no link to operations.md"
        for link in links:
            if not link.startswith("${operations}#") or link.partition("#")[2] not in anchors(page):
                yield f"the link {link} of the panel {panel['title']!r} leads nowhere"
    if len(panels) < 50:
        yield f"there are only {len(panels)} panels"


def main():
    root = pathlib.Path(sys.argv[1])
    monitoring = root / "etc/monitoring"
    page = (root / "etc/doc/operations.md").read_text()
    tests = "".join((root / "test/monitoring" / name).read_text()
                    for name in ("alerts_test.yml", "alerts_of_months_test.yml"))
    rules = (monitoring / "gallery-alerts.yml").read_text()
    sources = [root / "server/app/metrics_page.cpp", *(root / "storage_plugins").rglob("*.?pp")]
    metrics = {name for source in sources for name in re.findall(r'"\w+"', source.read_text())}
    problems = [*check_alerts(rules, tests, page, metrics),
                *check_failures(page, re.findall(r"- alert: (\w+)", rules)),
                *check_dashboard(json.loads((monitoring / "gallery-dashboard.json").read_text()), page)]
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
