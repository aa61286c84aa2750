"""What every adaptor offers.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from ..process import Finished
from ..resolve import Resolved


@dataclass(frozen=True)
class Job:
    """One process to run. `folder` is empty and belongs to it; models lie in `repository`."""

    resolved: Resolved
    programs: dict[str, Path]
    repository: Path
    folder: Path

    @property
    def what(self) -> dict:
        return self.resolved.what

    def model(self) -> Path:
        return self.repository / self.what["model"]

    def extra_arguments(self) -> list[str]:
        """Options for this adaptor alone: arguments.NAME of the case."""
        return self.what.get("arguments", {}).get(self.resolved.how["adaptor"], [])


@dataclass
class Outcome:
    """What came out of one process.

    digest     of the result, equal when the result is; empty for simulators that have none
    results    numbers that a check may ask for: spikes, mean_rate_hz, accuracy, activity
    counters   work that is the same in every run, by name; `result_counters` of them belong to the result
    times      seconds by name; run_seconds is there always
    phases     seconds of the phases of a run: {"min", "mean", "max", "each"} over workers or ranks
    memory     bytes by name; peak_resident_bytes is there always
    program    what the program says of itself: version, commit, compiler, ...
    """

    digest: str = ""
    results: dict = field(default_factory=dict)
    counters: dict = field(default_factory=dict)
    result_counters: tuple[str, ...] = ()
    times: dict = field(default_factory=dict)
    phases: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    derived: dict = field(default_factory=dict)
    program: dict = field(default_factory=dict)


class Adaptor(ABC):
    """One simulator. `kinds`: the kinds of cases it can run."""

    name: str
    kinds: tuple[str, ...]

    def missing(self, resolved: Resolved, programs: dict[str, Path]) -> str | None:
        """Why this case cannot run here, as a sentence, or None."""
        if resolved.what["kind"] not in self.kinds:
            return (f"The adaptor '{self.name}' has no cases of kind '{resolved.what['kind']}'; "
                    f"it has {', '.join(self.kinds)}.")
        return None

    @abstractmethod
    def command(self, job: Job) -> list[str]:
        """The command line of the program, without launcher."""

    @abstractmethod
    def read(self, job: Job, finished: Finished) -> Outcome:
        """Reads what the process left. Raises ValueError or KeyError when that is not what it should be."""

    def single_thread(self, job: Job) -> list[str] | None:
        """The command for counting instructions, or None where the program cannot be counted."""
        return None


def spread(values: list[float]) -> dict:
    """Minimum, mean and maximum over workers or ranks, and each of them: an imbalance is not averaged away."""
    return {"min": min(values), "mean": sum(values) / len(values), "max": max(values), "each": list(values)}
