"""Simulators that are Python packages: a program beside this file builds the network and prints one line of JSON.

The program gets one argument, JSON: model, parameters, time_ms, discard_ms, threads, seed. Its last line of output is
JSON: version, neurons, synapses, spikes (all), mean_rate_hz (after discard), construction_seconds, run_seconds.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

from ...process import Finished, environment
from ...resolve import Resolved
from ...units import seconds
from ..base import Adaptor, Job, Outcome


def plain(value):
    """'45.6 pA' -> 45.6: model files and these programs use the same units (mV, pA, pF, ms)."""
    if isinstance(value, dict):
        value = value["value"]
    return float(value.split()[0]) if isinstance(value, str) and value[:1] in "-+.0123456789" else value


def model_parameters(job: Job) -> dict:
    """Named parameters of the model file, those of the case over them."""
    named = tomllib.loads(job.model().read_text(encoding="utf-8")).get("parameters", {})
    return {**{name: plain(value) for name, value in named.items()}, **job.what.get("parameters", {})}


def importable(python: str, module: str) -> bool:
    if shutil.which(python) is None:
        return False
    done = subprocess.run([python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"],
                          capture_output=True, env=environment({}))
    return done.returncode == 0


class PythonProgram(Adaptor):
    """`models`: names of model files that its program knows. `module`: what must be importable."""

    kinds = ("simulate",)
    models: tuple[str, ...]
    module: str
    title: str

    def python(self, resolved: Resolved) -> str:
        return resolved.how.get("python", "python3")

    def missing(self, resolved: Resolved, programs: dict[str, Path]) -> str | None:
        reason = super().missing(resolved, programs)
        if reason:
            return reason
        model = Path(resolved.what.get("model", "")).stem
        if model not in self.models:
            return f"The adaptor '{self.name}' has no model '{model}'; it has {', '.join(self.models)}."
        if not importable(self.python(resolved), self.module):
            return (f"{self.title} is not installed for '{self.python(resolved)}' (module '{self.module}'); key 'python' "
                    f"of how/{resolved.build}.toml names the interpreter.")
        return None

    def command(self, job: Job) -> list[str]:
        settings = {"model": job.model().stem, "parameters": model_parameters(job),
                    "time_ms": 1e3 * seconds(job.what["time"]), "discard_ms": 1e3 * seconds(job.what.get("discard", "0 ms")),
                    "threads": job.resolved.threads, "seed": job.what.get("seed", 1)}
        program = Path(__file__).with_name(f"{self.name}_program.py")
        return [self.python(job.resolved), str(program), json.dumps(settings), *job.extra_arguments()]

    def read(self, job: Job, finished: Finished) -> Outcome:
        lines = finished.output.strip().splitlines()
        if not lines:
            raise ValueError("the program printed nothing")
        found = json.loads(lines[-1])
        run = found["run_seconds"]
        return Outcome(
            results={"spikes": found["spikes"], "mean_rate_hz": found["mean_rate_hz"]},
            counters={name: found[name] for name in ("neurons", "synapses", "spikes")},
            result_counters=("neurons", "synapses"),
            times={"run_seconds": run, "construction_seconds": found["construction_seconds"]},
            memory={"peak_resident_bytes": finished.peak_bytes},
            derived={"real_time_factor": 1e3 * run / (1e3 * seconds(job.what["time"])),
                     "bytes_per_synapse": finished.peak_bytes / max(found["synapses"], 1)},
            program={"version": found["version"]})
