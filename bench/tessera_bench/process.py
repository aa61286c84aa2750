"""One fresh process: started, limited in time and memory, waited for, its resources read.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# What a measured process may see of the environment. Nothing else, so that a result cannot depend on who starts it.
PASSED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LANG", "TESSERA_DATA_DIR", "VIRTUAL_ENV")
PASSED_PREFIXES = ("SLURM_", "OMPI_ALLOW_RUN_AS_ROOT", "PMI_", "PMIX_", "MODULE", "LMOD_")
_SPAWN = Path(__file__).with_name("spawn.py")
KEPT_OUTPUT = 4 << 20  # bytes of output that are read back


@dataclass(frozen=True)
class Finished:
    """How a process ended. `peak_bytes` is the largest resident memory of it or of a process that it waited for."""

    exit_code: int
    timed_out: bool
    seconds: float
    processor_seconds: float
    peak_bytes: int
    output: str
    errors: str

    def failure(self) -> str | None:
        if self.timed_out:
            return f"took longer than {self.seconds:.0f} s and was ended"
        if self.exit_code < 0:
            return f"was ended by signal {-self.exit_code} ({signal.Signals(-self.exit_code).name}){self._said()}"
        if self.exit_code > 0:
            return f"ended with exit code {self.exit_code}{self._said()}"
        return None

    def _said(self) -> str:
        lines = [line for line in self.errors.strip().splitlines() if line.strip()]
        return f": {lines[-1].strip()[:300]}" if lines else ""


def environment(extra: dict[str, str]) -> dict[str, str]:
    """The environment of a measured process: a few variables, and those that definitions name."""
    kept = {name: value for name, value in os.environ.items()
            if name in PASSED or name.startswith(PASSED_PREFIXES)}
    return {**kept, "LC_ALL": "C", **extra}


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - KEPT_OUTPUT))
        return file.read().decode("utf-8", "replace")


def run(command: list[str], folder: Path, extra_environment: dict[str, str] | None = None,
        time_limit: float | None = None, cores: list[int] | None = None,
        memory_bytes: int | None = None) -> Finished:
    """Runs `command` in `folder` (its output goes to files there). Raises OSError for a missing program."""
    out, err, end = folder / "stdout.txt", folder / "stderr.txt", folder / "ended.json"
    job = {"command": command, "cores": cores, "memory_bytes": memory_bytes, "end": str(end)}
    end.unlink(missing_ok=True)
    with out.open("wb") as to_out, err.open("wb") as to_err:
        start = time.perf_counter()
        spawner = subprocess.Popen([sys.executable, "-S", "-E", str(_SPAWN), json.dumps(job)], cwd=folder,
                                   env=environment(extra_environment or {}), stdin=subprocess.DEVNULL, stdout=to_out,
                                   stderr=to_err, start_new_session=True)
        late = False
        try:
            spawner.wait(time_limit)
        except subprocess.TimeoutExpired:
            late = True
        finally:  # also after Ctrl-C: nothing that was started stays behind
            try:
                os.killpg(spawner.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            spawner.wait()
        seconds = time.perf_counter() - start
    if late:
        return Finished(-signal.SIGKILL, True, seconds, 0.0, 0, _tail(out), _tail(err))
    ended = json.loads(end.read_text()) if end.exists() else {"error": f"nothing started it: {_tail(err)[-300:]}"}
    if "error" in ended:
        raise OSError(0, ended["error"])
    return Finished(ended["exit_code"], False, ended["seconds"], ended["processor_seconds"], ended["peak_bytes"],
                    _tail(out), _tail(err))
