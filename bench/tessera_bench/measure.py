"""One measured run: a fresh process, its result checked, its times read; and the record of it.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from . import __version__, launch, process, units
from .adaptors import Job, Outcome, find_adaptor
from .builds import Subject, file_hash
from .check import result_problems
from .errors import BenchError, RunFailed
from .machine import this_machine
from .resolve import Resolved


@dataclass(frozen=True)
class Measurement:
    outcome: Outcome
    wall_seconds: float
    processor_seconds: float

    def metric(self, name: str) -> float:
        """A time or an amount of memory by name; `deliver_seconds` is the mean of a phase over workers."""
        phase = name.removesuffix("_seconds")
        places = ({"wall_seconds": self.wall_seconds, "processor_seconds": self.processor_seconds},
                  self.outcome.times, self.outcome.memory)
        for place in places:
            if name in place:
                return place[name]
        if phase in self.outcome.phases:
            return self.outcome.phases[phase]["mean"]
        known = [n for place in places for n in place] + [f"{phase}_seconds" for phase in self.outcome.phases]
        raise BenchError(f"There is no metric '{name}' in this run; there are {', '.join(sorted(known))}.")


class Runner:
    """Runs one configuration of one subject, as often as it is asked to."""

    def __init__(self, resolved: Resolved, subject: Subject, repository: Path):
        self.resolved, self.subject, self.repository = resolved, subject, repository
        self.adaptor = find_adaptor(resolved.how["adaptor"])
        problems = launch.problems(resolved)
        missing = self.adaptor.missing(resolved, subject.programs)
        if missing:
            problems.append(missing)
        model = resolved.what.get("model")
        if model and not (repository / model).is_file():
            problems.append(f"The model '{model}' of the case '{resolved.case}' is not in this repository.")
        if problems:
            raise BenchError(*problems)

    def measure(self, expected_digest: str | None = None) -> Measurement:
        """One fresh process. Raises RunFailed when it crashes, takes too long or has another result."""
        with tempfile.TemporaryDirectory(prefix="tessera_bench_") as name:
            job = Job(self.resolved, self.subject.programs, self.repository, Path(name))
            finished = self._start(job, launch.command(self.resolved, self.adaptor.command(job)))
            try:
                outcome = self.adaptor.read(job, finished)
            except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
                raise RunFailed(f"its output cannot be read: {type(error).__name__}: {error}") from None
        problems = result_problems(self.resolved, outcome)
        if expected_digest is not None and outcome.digest != expected_digest:
            problems.append(f"the digest is {outcome.digest or 'missing'}, and was {expected_digest} before")
        if problems:
            raise RunFailed("its result is wrong: " + "; ".join(problems))
        return Measurement(outcome, finished.seconds, finished.processor_seconds)

    def _start(self, job: Job, command: list[str]) -> process.Finished:
        where = self.resolved.where
        memory = units.size_bytes(where["memory"]) if "memory" in where else None
        variables = {**where.get("environment", {}), **self.resolved.how.get("environment", {})}
        try:
            finished = process.run(command, job.folder, variables, self.resolved.time_limit,
                                   launch.pinned_cores(self.resolved), memory)
        except OSError as error:
            raise RunFailed(f"it cannot be started: {error.strerror}") from None
        failure = finished.failure()
        if failure:
            raise RunFailed("it " + failure)
        return finished


def resolved_as_record(resolved: Resolved) -> dict:
    return {"name": resolved.case, "size": resolved.size, "definition_hash": resolved.definition_hash,
            "what": resolved.what}


def run_record(runner: Runner, measurement: Measurement, session: str, side: str, pair: int) -> dict:
    """What is kept of one run. The store takes people and places out of it."""
    resolved, outcome = runner.resolved, measurement.outcome
    model = resolved.what.get("model")
    case = resolved_as_record(resolved)
    if model:
        case["model_hash"] = file_hash(runner.repository / model)
    return {
        "type": "run", "tool": __version__, "time": now(), "session": session,
        "subject": {**runner.subject.description, "build": resolved.build, "how": resolved.how, "program": outcome.program},
        "case": case,
        "execution": {"profile": resolved.machine, "profile_hash": resolved.profile_hash, "where": resolved.where,
                      "ranks": resolved.ranks, "threads": resolved.threads, "pair": pair, "side": side},
        "machine": this_machine().record(),
        "check": {"passed": True, "digest": outcome.digest, **outcome.results},
        "counters": outcome.counters,
        "times": {"wall_seconds": measurement.wall_seconds, "processor_seconds": measurement.processor_seconds,
                  **outcome.times},
        "phases": outcome.phases, "memory": outcome.memory, "derived": outcome.derived,
    }


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def smaller(resolved: Resolved, what: dict) -> Resolved:
    """The same configuration with another size's values, on one thread: what instructions are counted on."""
    execution = {**what.get("execution", {}), "threads": 1}
    return replace(resolved, what=json.loads(json.dumps({**what, "execution": execution})))
