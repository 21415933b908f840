# SPDX-License-Identifier: Apache-2.0
"""Two rows of bars against nginx, drawn as SVG: CPU time and requests a second."""
from html import escape

COLOURS = ["#2563eb", "#0d9488", "#9333ea", "#d97706", "#64748b", "#be123c"]
WIDTH, HEIGHT, LEFT, TOP, GAP = 960, 250, 60, 60, 70


def chart(rows, variants, figure, title, top):
    cases = list(dict.fromkeys(row["case"] for row in rows))
    highest = max([1.25, *(row[figure] for row in rows)]) * 1.1
    room = (WIDTH - LEFT - 20) / len(cases)
    out = [f'<text x="{LEFT}" y="{top - 14}" class="title">{escape(title)}</text>']

    def y(value):
        return top + HEIGHT - HEIGHT * value / highest

    step = 0.25 if highest < 2.5 else 0.5
    for tick in range(int(highest / step) + 1):
        value = tick * step
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
                   f'class="{"one" if value == 1 else "grid"}"/>'
                   f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for at, case in enumerate(cases):
        here = [row for row in rows if row["case"] == case]
        width = min(34.0, (room - 24) / len(here))
        start = LEFT + room * at + (room - width * len(here)) / 2
        for i, row in enumerate(here):
            x, value = start + i * width, row[figure]
            colour = COLOURS[variants.index(row["variant"]) % len(COLOURS)]
            out.append(f'<rect x="{x + 1:.1f}" y="{y(value):.1f}" width="{width - 2:.1f}" '
                       f'height="{y(0) - y(value):.1f}" fill="{colour}"/>'
                       f'<text x="{x + width / 2:.1f}" y="{y(value) - 4:.1f}" text-anchor="middle" class="small">'
                       f'{value:.2f}</text>')
        out.append(f'<text x="{LEFT + room * (at + 0.5):.1f}" y="{top + HEIGHT + 18}" text-anchor="middle">'
                   f'{escape(case)}</text>')
    return out


def draw(summary):
    rows = summary["rows"]
    if not rows:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    second = TOP + HEIGHT + GAP
    height = second + HEIGHT + 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
           "<style>text{font:12px sans-serif;fill:#334155}.title{font-size:14px;font-weight:600}.small{font-size:9px}"
           ".grid{stroke:#e2e8f0}.one{stroke:#0f172a;stroke-dasharray:4 3}</style>",
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>']
    out += chart(rows, variants, "cpu_ratio", "CPU time of a request, nginx = 1 (lower is better)", TOP)
    out += chart(rows, variants, "rate_ratio", "Requests a second, nginx = 1 (higher is better)", second)
    x = LEFT
    for i, variant in enumerate(variants):
        out.append(f'<rect x="{x}" y="{height - 24}" width="12" height="12" fill="{COLOURS[i % len(COLOURS)]}"/>'
                   f'<text x="{x + 17}" y="{height - 14}">{escape(variant)}</text>')
        x += 40 + 7 * len(variant)
    return "\n".join([*out, "</svg>", ""])
