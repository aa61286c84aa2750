"""Words and tables for a terminal.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math

from .session import Session
from .units import show_ratio, show_seconds
from .verdict import Judgement, Verdict


def table(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in [header, *rows])


def judgement_text(j: Judgement) -> str:
    i = j.interval
    if not math.isfinite(i.low):
        return f"{j.verdict}: {j.pairs} pairs are too few for an interval"
    text = (f"{j.verdict}: {show_ratio(i.middle)} [{show_ratio(i.low)}, {show_ratio(i.high)}] "
            f"({j.pairs} pairs, {100 * i.coverage:.1f} %)")
    if j.verdict is Verdict.INCONCLUSIVE:
        text += f"; a slowdown of {100 * j.detectable:.1f} % could have been detected"
    return text


def session_text(label: str, session: Session) -> str:
    lines = [f"{label}: {session.verdict} (by {session.by})"]
    lines += [f"  {reason}" for reason in session.reasons]
    for title, found in (("", session.judgements), ("control, same side: ", session.control),
                         ("confirmation: ", session.confirmation)):
        lines += [f"  {title}{metric}: {judgement_text(j)}" for metric, j in found.items()]
    if session.counted is not None:
        lines.append(f"  instructions: {session.counted.reason}" if session.counted.reason else
                     f"  instructions: {session.counted.base:,} and {session.counted.head:,} "
                     f"({show_ratio(session.counted.log_ratio)})")
    lines += [f"  void: pair {number}, {side}: {reason}" for number, side, reason in session.pairs.voided]
    lines += [f"  note: {note}" for note in session.notes]
    lines.append(f"  {show_seconds(session.seconds)}, of which {100 * session.tool_share:.1f} % for the tool itself")
    return "\n".join(lines)
