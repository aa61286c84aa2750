"""What notebooks show: tables and pictures."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import html
import math
from typing import Iterable, Sequence, Tuple

from ._check import path as _path


def escape(text: object) -> str:
    """Text as HTML shows it."""
    return html.escape(str(text))


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A plain table."""
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(x)}</td>" for x in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


class Picture:
    """A picture as SVG: notebooks show it; `save` writes it."""

    def __init__(self, svg: str):
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture, {len(self.svg)} bytes of SVG>"

    def save(self, file: str) -> None:
        """Writes an SVG file."""
        with open(_path(file, "file"), "w", encoding="utf-8") as out:
            out.write(self.svg)


def network_picture(nodes: Sequence[Tuple[str, bool]], edges: Iterable[Tuple[int, int]]) -> str:
    """Populations on a circle (name, inhibitory) and who projects to whom, as SVG; at most 40 of them."""
    nodes = nodes[:40]
    size, radius = 320.0, 110.0
    places = []
    for i in range(len(nodes)):
        angle = 2 * math.pi * i / max(len(nodes), 1) - math.pi / 2
        places.append((size / 2 + radius * math.cos(angle), size / 2 + radius * math.sin(angle)))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{size:.0f}" height="{size:.0f}" font-size="11">']
    for a, b in sorted(set(edges)):
        if max(a, b) >= len(nodes):
            continue
        colour = "#c0392b" if nodes[a][1] else "#2c5f9e"
        (x, y), (u, v) = places[a], places[b]
        if a == b:
            parts.append(f'<circle cx="{x:.1f}" cy="{y - 14:.1f}" r="9" fill="none" stroke="{colour}"/>')
        else:  # bent, so that both directions are seen
            mx, my = (x + u) / 2 - (v - y) * 0.12, (y + v) / 2 + (u - x) * 0.12
            parts.append(f'<path d="M{x:.1f} {y:.1f} Q{mx:.1f} {my:.1f} {u:.1f} {v:.1f}" fill="none" '
                         f'stroke="{colour}" opacity="0.6"/>')
    for (x, y), (name, inhibitory) in zip(places, nodes):
        colour = "#c0392b" if inhibitory else "#2c5f9e"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 21:.1f}" text-anchor="middle">{escape(name[:24])}</text>')
    return "".join(parts) + "</svg>"
