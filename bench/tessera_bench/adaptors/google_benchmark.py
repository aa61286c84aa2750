"""Programs of Google Benchmark: a time per kernel, read from their JSON.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
from pathlib import Path

from ..process import Finished
from ..resolve import Resolved
from .base import Adaptor, Job, Outcome

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def arguments(job: Job) -> list[str]:
    """settings.filter, settings.min_time (seconds) and settings.repetitions of the case."""
    settings = job.what.get("settings", {})
    found = ["--benchmark_format=json", f"--benchmark_filter={settings.get('filter', '.')}"]
    if "min_time" in settings:
        found.append(f"--benchmark_min_time={settings['min_time']}")
    return found + [f"--benchmark_repetitions={settings.get('repetitions', 1)}"]


def outcome(job: Job, finished: Finished) -> Outcome:
    """Processor time of a kernel, the least of its repetitions; `run_seconds` is their sum."""
    report = json.loads(finished.output)
    times: dict[str, float] = {}
    for entry in report["benchmarks"]:
        if entry.get("error_occurred"):
            raise ValueError(f"{entry['name']}: {entry.get('error_message', 'failed')}")
        if entry.get("run_type", "iteration") == "iteration":
            seconds = entry["cpu_time"] * _UNITS[entry["time_unit"]]
            name = entry.get("run_name", entry["name"])
            times[name] = min(seconds, times.get(name, seconds))
    if not times:
        raise ValueError(f"no kernel has a name like {job.what.get('settings', {}).get('filter', '.')!r}")
    return Outcome(counters={"kernels": len(times)}, result_counters=("kernels",),
                   times={**times, "run_seconds": sum(times.values())},
                   memory={"peak_resident_bytes": finished.peak_bytes})


class GoogleBenchmark(Adaptor):
    """A program of its own: the first of the build's programs."""

    name = "google_benchmark"
    kinds = ("kernels",)

    def missing(self, resolved: Resolved, programs: dict[str, Path]) -> str | None:
        reason = super().missing(resolved, programs)
        if reason is None and not any(path.is_file() for path in programs.values()):
            reason = "The benchmark program of this build is not there."
        return reason

    def command(self, job: Job) -> list[str]:
        return [str(next(iter(job.programs.values()))), *arguments(job)]

    def read(self, job: Job, finished: Finished) -> Outcome:
        return outcome(job, finished)


ADAPTOR = GoogleBenchmark()
