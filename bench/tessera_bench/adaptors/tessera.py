"""Tessera: simulations, trainings, batches of training, and kernels (Google Benchmark).

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import csv
import io
import json
from pathlib import Path

from ..process import Finished
from ..resolve import Resolved
from . import google_benchmark
from .base import Adaptor, Job, Outcome, spread

PROGRAMS = {"simulate": "tessera", "train": "tessera", "training_batch": "bench_training", "kernels": "bench_kernels"}
RESULT_COUNTERS = ("neurons", "synapses", "spikes", "synaptic_events")
WORK_COUNTERS = ("row_visits", "exchanged_messages", "exchanged_bytes")


def _time(text: str) -> str:
    return text.replace(" ", "")


def _simulate(job: Job) -> list[str]:
    what = job.what
    command = ["run", str(job.model()), "--out", str(job.folder / "result"), "--force", "--quiet",
               "--threads", str(job.resolved.threads), "--connectivity", what.get("connectivity", "auto")]
    for name, option in (("time", "--time"), ("discard", "--discard"), ("checkpoint_every", "--checkpoint-every")):
        if name in what:
            command += [option, _time(what[name])]
    for record in what.get("record", ["none"]):
        command += ["--record", record]
    return command


def _train(job: Job) -> list[str]:
    command = ["train", str(job.model()), "--out", str(job.folder / "result"), "--force", "--quiet",
               "--threads", str(job.resolved.threads)]
    if "epochs" in job.what:
        command += ["--epochs", str(job.what["epochs"])]
    return command


def _settings(job: Job) -> list[str]:
    command = []
    if "seed" in job.what:
        command += ["--seed", str(job.what["seed"])]
    for name, value in sorted(job.what.get("parameters", {}).items()):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        command += ["--set", f"{name}={text}"]
    return command


class Tessera(Adaptor):
    name = "tessera"
    kinds = tuple(PROGRAMS)

    def missing(self, resolved: Resolved, programs: dict[str, Path]) -> str | None:
        reason = super().missing(resolved, programs)
        if reason:
            return reason
        program = PROGRAMS[resolved.what["kind"]]
        if not programs.get(program, Path("/nonexistent")).is_file():
            return f"The program '{program}' is not built; 'scripts/build.sh bench' builds what cases need."
        return None

    def command(self, job: Job) -> list[str]:
        kind = job.what["kind"]
        program = [str(job.programs[PROGRAMS[kind]])]
        if kind == "kernels":
            return program + google_benchmark.arguments(job)
        if kind == "training_batch":
            settings = {"threads": job.resolved.threads, **job.what.get("settings", {})}
            return program + ["header=1", *(f"{k}={v}" for k, v in sorted(settings.items()))]
        return program + {"simulate": _simulate, "train": _train}[kind](job) + _settings(job) + job.extra_arguments()

    def single_thread(self, job: Job) -> list[str] | None:
        if job.what["kind"] != "simulate" or job.resolved.ranks > 1:
            return None
        # Valgrind has no AVX-512; AVX2 code is what it counts.
        command = self.command(job)
        command[command.index("--threads") + 1] = "1"
        return command

    def read(self, job: Job, finished: Finished) -> Outcome:
        kind = job.what["kind"]
        if kind == "kernels":
            return google_benchmark.outcome(job, finished)
        if kind == "training_batch":
            return _read_batch(finished)
        report = json.loads((job.folder / "result" / "report.json").read_text())
        return _read_training(report, finished) if kind == "train" else _read_run(report)


def _read_run(report: dict) -> Outcome:
    counts, over_ranks = report["counts"], report.get("over_ranks")
    phases = {name: spread([worker[name]["seconds"] for worker in report["workers"]]) for name in report["phases"]}
    if over_ranks:  # workers[] are those of rank 0
        phases = {name: {key: value[key] for key in ("min", "mean", "max")}
                  for name, value in over_ranks["phases"].items()}
    names = RESULT_COUNTERS + (() if over_ranks else WORK_COUNTERS)
    peak, synapses = report["memory"]["peak_resident_bytes"], counts["synapses"]
    return Outcome(
        digest=report["digest"],
        results={"spikes": counts["spikes"], "mean_rate_hz": _mean_rate(report["populations"]),
                 "rates_hz": {p["name"]: p["rate_hz"] for p in report["populations"]}},
        counters={name: counts[name] for name in names}, result_counters=RESULT_COUNTERS,
        times={"run_seconds": report["run_seconds"], "construction_seconds": report["construction_seconds"]},
        phases=phases,
        memory={"peak_resident_bytes": peak, "synapse_bytes": report["memory"]["synapse_bytes"],
                "planned_bytes": report["memory"]["planned_bytes"]},
        derived={"real_time_factor": report["real_time_factor"], "bytes_per_synapse": peak / max(synapses, 1),
                 "ns_per_event": 1e9 * report["run_seconds"] * report["threads"] * report["ranks"]
                 / max(counts["synaptic_events"], 1)},
        program={key: report[key] for key in ("version", "commit", "compiler", "build_type", "simd_target")})


def _mean_rate(populations: list[dict]) -> float | None:
    """Over all neurons, after the discarded time; None where a run was too short for rates."""
    if any(p["rate_hz"] is None for p in populations):
        return None
    return sum(p["rate_hz"] * p["size"] for p in populations) / sum(p["size"] for p in populations)


def _read_training(report: dict, finished: Finished) -> Outcome:
    if report["failure"]:
        raise ValueError(report["failure"])
    return Outcome(
        digest=report["weights_digest"], results={"accuracy": report["test"]["accuracy"]},
        counters={"parameters": report["parameters"], "list_bytes": report["list_bytes"]},
        result_counters=("parameters",), times={"run_seconds": report["seconds"]},
        memory={"peak_resident_bytes": finished.peak_bytes}, program={"simd_target": report["simd_target"]})


def _read_batch(finished: Finished) -> Outcome:
    rows = list(csv.DictReader(io.StringIO(finished.output)))
    row = rows[-1]
    return Outcome(
        results={"activity": float(row["activity"]), "listed": float(row["listed"])},
        counters={"list_bytes": int(row["list_bytes"]), "neurons": int(row["neurons"])},
        result_counters=("list_bytes", "neurons"), times={"run_seconds": float(row["median_s"])},
        memory={"peak_resident_bytes": finished.peak_bytes, "list_bytes": int(row["list_bytes"])})


ADAPTOR = Tessera()
