"""Instructions of a small run on one thread, by callgrind: they repeat to 1e-5 where times scatter by a tenth.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import process
from .adaptors import Job
from .errors import RunFailed
from .measure import Runner
from .verdict import Verdict

WARN, FAIL = 0.005, 0.01  # shares of instructions
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Instructions:
    """Counts of both sides, or the sentence why there are none."""

    base: int = 0
    head: int = 0
    reason: str = ""

    @property
    def log_ratio(self) -> float:
        return math.log(self.head / self.base) if self.base and self.head else 0.0

    @property
    def verdict(self) -> Verdict:
        if self.reason:
            return Verdict.INCONCLUSIVE
        if self.log_ratio > math.log1p(FAIL):
            return Verdict.REGRESSED
        return Verdict.IMPROVED if self.log_ratio < -math.log1p(FAIL) else Verdict.EQUIVALENT

    @property
    def warns(self) -> bool:
        return not self.reason and abs(self.log_ratio) > math.log1p(WARN)


def read_total(text: str) -> int:
    """Instructions in a file of callgrind. Raises ValueError."""
    found = _TOTAL.search(text)
    if not found:
        raise ValueError("the file of callgrind has no total")
    return int(found.group(1))


def count(runner: Runner) -> int:
    """Instructions of one run of the (small, single-threaded) configuration. Raises RunFailed."""
    with tempfile.TemporaryDirectory(prefix="tessera_bench_") as name:
        folder = Path(name)
        job = Job(runner.resolved, runner.subject.programs, runner.repository, folder)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'callgrind'}",
                   *runner.adaptor.single_thread(job)]
        finished = process.run(command, folder, runner.resolved.how.get("environment", {}), 20 * runner.resolved.time_limit)
        if finished.failure():
            raise RunFailed("under callgrind it " + finished.failure())
        try:
            return read_total((folder / "callgrind").read_text(errors="replace"))
        except (OSError, ValueError) as error:
            raise RunFailed(f"callgrind left nothing to read: {error}") from None


def compare(base: Runner, head: Runner) -> Instructions:
    """Both sides, or why not."""
    if shutil.which("valgrind") is None:
        return Instructions(reason="there is no callgrind (valgrind) on this machine")
    job = Job(base.resolved, base.subject.programs, base.repository, Path("."))
    if base.adaptor.single_thread(job) is None:
        return Instructions(reason="this case does not run on one thread of one process")
    try:
        return Instructions(count(base), count(head))
    except RunFailed as failed:
        return Instructions(reason=str(failed))
