# SPDX-License-Identifier: Apache-2.0
"""From runs to medians and ratios, as text, JSON and Markdown."""
import json
from statistics import median

FIGURES = ("rate", "cpu", "p50", "p99", "busy", "wrk_busy", "bytes")


def middle(runs):
    return {figure: median(run[figure] for run in runs) for figure in FIGURES}


def compared(pairs):
    """Medians of both sides, and medians of the ratios within each pair."""
    return {"gallery": middle([ours for ours, _ in pairs]), "nginx": middle([theirs for _, theirs in pairs]),
            "errors": sum(ours["errors"] + theirs["errors"] for ours, theirs in pairs),
            **{f"{figure}_ratio": median(ours[figure] / theirs[figure] for ours, theirs in pairs)
               for figure in ("rate", "cpu", "p50", "p99")}}


def summarise(found):
    rows = []
    for case in found["static"]:
        for label, pairs in case["variants"].items():
            rows.append({"case": case["case"], "variant": label, "head_bytes": case["head_bytes"], **compared(pairs)})
    return {"machine": found["machine"], "rows": rows, "extras": found["extras"]}


HEAD = ("case", "variant", "req/s", "nginx", "ratio", "CPU us", "nginx", "ratio", "p50 us", "nginx", "p99 us", "nginx",
        "ratio", "wrk busy")


def cells(row):
    ours, theirs = row["gallery"], row["nginx"]
    return [row["case"], row["variant"], f"{ours['rate']:.0f}", f"{theirs['rate']:.0f}", f"{row['rate_ratio']:.2f}",
            f"{ours['cpu']:.2f}", f"{theirs['cpu']:.2f}", f"{row['cpu_ratio']:.2f}", f"{ours['p50']:.0f}",
            f"{theirs['p50']:.0f}", f"{ours['p99']:.0f}", f"{theirs['p99']:.0f}", f"{row['p99_ratio']:.2f}",
            f"{ours['wrk_busy']:.2f}"]


def aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip() for line in lines]


def about(machine):
    return (f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; {machine['gallery']}; "
            f"{machine['nginx']}; {machine['wrk'].split(' [')[0]}; congestion control: gallery "
            f"{machine['congestion_gallery']}, nginx {machine['congestion_nginx']}; {machine['connections']} "
            f"connections, medians of {machine['pairs']} runs of {machine['seconds']} s in turn")


def extra_text(row):
    values = ", ".join(f"{name} {value:,.1f}" if isinstance(value, float) else f"{name} {value}"
                       for name, value in row["figures"].items())
    return f"{row['case']}, {row['variant']}: {values}"


def text(summary):
    lines = ["", about(summary["machine"]), ""]
    if summary["rows"]:
        lines += aligned([HEAD, *map(cells, summary["rows"])])
    return "\n".join(lines + [""] + [extra_text(row) for row in summary["extras"]])


def markdown(summary):
    lines = [about(summary["machine"]), "", "| " + " | ".join(HEAD) + " |", "|---|---|" + "--:|" * (len(HEAD) - 2)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in summary["rows"]]
    return "\n".join(lines + ["", *(f"- {extra_text(row)}" for row in summary["extras"]), ""])


def write(folder, found, summary):
    (folder / "compare.json").write_text(json.dumps({"summary": summary, "runs": found}, indent=1))
    (folder / "compare.md").write_text(markdown(summary))


def progress(case):
    for label, pairs in case["variants"].items():
        both = compared(pairs)
        print(f"{case['case']:>5} {label:<28} requests/s x{both['rate_ratio']:.2f}  CPU x{both['cpu_ratio']:.2f}  "
              f"p99 x{both['p99_ratio']:.2f}  ({both['gallery']['cpu']:.2f} against {both['nginx']['cpu']:.2f} us)",
              flush=True)


def progress_extra(row):
    print(extra_text(row), flush=True)
