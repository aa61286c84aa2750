"""A simulator that does as planned: its times, results and failures come from a table, call by call.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import sys
import time
from pathlib import Path

PLAN = {"digest": "00000000000000aa", "seconds": 1.0, "bytes": 10_000_000, "spikes": 500, "events": 5000,
        "visits": 50, "fail": "", "hang": False}


def report(plan: dict, number: int) -> dict:
    """The report of call `number`. A list in the plan has a value for each call, and begins again at its end."""
    now = {name: value[number % len(value)] if isinstance(value, list) else value for name, value in plan.items()}
    phases = {name: {"seconds": now["seconds"] * share} for name, share in (("deliver", 0.75), ("update", 0.25))}
    return {
        "fail": now["fail"], "hang": now["hang"],
        "digest": now["digest"], "model_time_ms": 1000.0, "start_ms": 0.0, "threads": 1, "ranks": 1,
        "real_time_factor": now["seconds"], "construction_seconds": 0.25, "run_seconds": now["seconds"],
        "phases": phases, "workers": [phases],
        "memory": {"peak_resident_bytes": now["bytes"], "synapse_bytes": 1000, "planned_bytes": 1},
        "counts": {"neurons": 100, "synapses": 1000, "spikes": now["spikes"], "synaptic_events": now["events"],
                   "row_visits": now["visits"], "exchanged_messages": 5, "exchanged_bytes": 60},
        "populations": [{"name": "E", "rate_hz": 4.0, "size": 80}, {"name": "I", "rate_hz": 9.0, "size": 20}],
        "version": "0.1.0", "commit": "abc", "compiler": "GNU", "build_type": "Release", "simd_target": "avx2",
    }


def write(found: dict, arguments: list[str]) -> None:
    out = Path(arguments[arguments.index("--out") + 1])
    out.mkdir(parents=True)
    (out / "report.json").write_text(json.dumps(found))


def main(plan: dict, state: Path) -> int:
    """The program: counts its calls in the folder `state`."""
    state.mkdir(parents=True, exist_ok=True)
    number = len(list(state.iterdir()))
    (state / str(number)).touch()
    found = report(plan, number)
    if found["fail"]:
        print(found["fail"], file=sys.stderr)
        return 3
    if found["hang"]:
        time.sleep(3600)
    write(found, sys.argv)
    return 0
