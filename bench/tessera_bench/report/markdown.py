"""The part of a Markdown page that is made of records: between two marks, everything else stays as it was written.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math

from ..errors import BenchError
from .page import label, latest, median

BEGIN, END = "<!-- records: begin -->", "<!-- records: end -->"


def figures(records: list[dict]) -> str:
    """A table of the last session of every case: medians, how many runs, and the hash of the last of them."""
    lines = ["| case, ranks x threads | machine | commit | runs | real-time factor | run, s | construction, s | peak, MB | record |",
             "|---|---|---|---|---|---|---|---|---|"]
    for runs in latest(records):
        r = runs[-1]
        values = [median(runs, "derived", "real_time_factor"), median(runs, "times", "run_seconds"),
                  median(runs, "times", "construction_seconds"), median(runs, "memory", "peak_resident_bytes") / 1e6]
        cells = [f"{v:.3g}" if math.isfinite(v) else "" for v in values]
        lines.append(f"| {label(r)} | {r['machine']['id']} | {r['subject']['commit'][:12]} | {len(runs)} | "
                     f"{' | '.join(cells)} | {r['hash'][:12]} |")
    machines = {r["machine"]["id"]: r["machine"] for r in records if r.get("type") == "run"}
    lines += ["", *(f"Machine {m['id']}: {m['processor']}, {m['cores']} cores, {m['memory_bytes'] / 1e9:.0f} GB, {m['system']}."
                    for m in machines.values())]
    return "\n".join(lines)


def replace_figures(page: str, records: list[dict]) -> str:
    """`page` with new text between its marks. Raises BenchError when they are not there, once, in order."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise BenchError(f"The page needs one line '{BEGIN}' and below it one line '{END}'; figures go between them.")
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{figures(records)}\n{END}{rest.split(END)[1]}"
