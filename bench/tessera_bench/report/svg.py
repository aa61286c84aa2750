"""Small charts as SVG text: stacked bars, lines, intervals. No scripts, no fonts, nothing from a network.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from html import escape

COLOURS = ("#33658a", "#f6ae2d", "#86bbd8", "#758e4f", "#f26419", "#6d597a")
ROW, LEFT, WIDTH, RIGHT = 24, 230, 480, 150


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def _frame(width: float, height: float, parts: list[str], title: str) -> str:
    return (f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" aria-label="{escape(title)}">'
            f"<title>{escape(title)}</title>{''.join(parts)}</svg>")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from `low` to `high`."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    step = 10.0 ** math.floor(math.log10(raw))
    step *= next(f for f in (1, 2, 5, 10) if f * step >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def stacked_bars(title: str, rows: list[tuple[str, dict[str, float]]], unit: str) -> str:
    """A bar per row, a piece per name."""
    names = list(dict.fromkeys(name for _, pieces in rows for name in pieces))
    largest = max((sum(pieces.values()) for _, pieces in rows), default=0.0) or 1.0
    parts = []
    for k, name in enumerate(names):
        x = LEFT + 90 * k
        parts += [f'<rect x="{x}" y="4" width="10" height="10" fill="{COLOURS[k % len(COLOURS)]}"/>',
                  _text(x + 14, 13, name)]
    for i, (label, pieces) in enumerate(rows):
        y, x = 24 + ROW * i, float(LEFT)
        parts.append(_text(LEFT - 8, y + 14, label, "end"))
        for name, value in pieces.items():
            w = WIDTH * value / largest
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{w:.1f}" height="{ROW - 6}" '
                         f'fill="{COLOURS[names.index(name) % len(COLOURS)]}"/>')
            x += w
        parts.append(_text(x + 6, y + 14, f"{sum(pieces.values()):.3g} {unit}"))
    return _frame(LEFT + WIDTH + RIGHT, 30 + ROW * len(rows), parts, title)


def intervals(title: str, rows: list[tuple[str, float, float, float, str]], margin: float) -> str:
    """(label, low, middle, high, note) in percent, with the margin of the rule as a band."""
    reach = max([2 * margin] + [abs(v) for row in rows for v in row[1:4] if math.isfinite(v)])
    height = 30 + ROW * len(rows)

    def at(value: float) -> float:
        return LEFT + WIDTH * (0.5 + 0.5 * max(-1.05, min(1.05, value / reach)))

    parts = [f'<rect x="{at(-margin):.1f}" y="0" width="{at(margin) - at(-margin):.1f}" height="{height - 20}" class="band"/>']
    for value in ticks(-reach, reach):
        parts += [f'<line x1="{at(value):.1f}" x2="{at(value):.1f}" y1="0" y2="{height - 20}" class="grid"/>',
                  _text(at(value), height - 6, f"{value:+g} %", "middle")]
    for i, (label, low, middle, high, note) in enumerate(rows):
        y = 12 + ROW * i
        parts.append(_text(LEFT - 8, y + 4, label, "end"))
        parts.append(f'<line x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{y}" y2="{y}" class="bar"/>')
        parts.append(f'<circle cx="{at(middle):.1f}" cy="{y}" r="4" class="dot"/>')
        parts.append(_text(LEFT + WIDTH + 12, y + 4, note))
    return _frame(LEFT + WIDTH + RIGHT, height, parts, title)


def lines(title: str, curves: dict[str, list[tuple[float, float]]], x_name: str, y_name: str,
          marks: list[float] = (), logarithmic: bool = False) -> str:
    """Curves of points; `marks` are vertical lines (change points)."""
    points = [p for curve in curves.values() for p in curve]
    if not points:
        return ""
    height, bottom = 230, 180

    def scaled(v: float) -> float:
        return math.log10(v) if logarithmic else v

    xs, ys = [scaled(p[0]) for p in points], [scaled(p[1]) for p in points]
    low_x, high_x, high_y = min(xs), max(xs), max(ys)
    low_y = min(ys) if logarithmic else 0.0

    def place(x: float, y: float) -> tuple[float, float]:
        span_x, span_y = (high_x - low_x) or 1.0, (high_y - low_y) or 1.0
        return LEFT - 150 + (WIDTH + 60) * (scaled(x) - low_x) / span_x, bottom - 160 * (scaled(y) - low_y) / span_y

    parts = []
    for tick in ticks(low_y, high_y, 4):
        value = 10**tick if logarithmic else tick
        y = place(points[0][0], value)[1]
        parts += [f'<line x1="{LEFT - 150}" x2="{LEFT + WIDTH - 90}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>',
                  _text(LEFT - 158, y + 4, f"{value:.3g}", "end")]
    for x in sorted({p[0] for p in points}):
        if len({p[0] for p in points}) <= 12:
            parts.append(_text(place(x, points[0][1])[0], bottom + 16, f"{x:g}", "middle"))
    for mark in marks:
        x = place(mark, points[0][1])[0]
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{bottom}" class="mark"/>')
    for k, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[k % len(COLOURS)]
        places = [place(*p) for p in sorted(curve)]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" '
                     f'stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(f'<rect x="{LEFT + WIDTH - 70}" y="{12 + 18 * k}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(LEFT + WIDTH - 56, 21 + 18 * k, name))
    parts += [_text(LEFT + 90, bottom + 36, x_name, "middle"), _text(LEFT - 190, 12, y_name)]
    return _frame(LEFT + WIDTH + RIGHT, max(height, 30 + 18 * len(curves)), parts, title)
