"""How a command is started on a machine: pinned, with modules, on several ranks, as a job of Slurm.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from .errors import BenchError
from .resolve import Resolved

INSIDE_JOB = "TESSERA_BENCH_JOB"  # set in the job, so that the command in it measures instead of submitting itself


def problems(resolved: Resolved) -> list[str]:
    """What this machine lacks to start the case, a sentence each."""
    launcher = resolved.where.get("launcher", "local")
    wanted = [launcher] if launcher == "srun" or (launcher == "mpirun" and resolved.ranks > 1) else []
    found = [f"There is no {name} on this machine, which the profile '{resolved.machine}' starts ranks with."
             for name in wanted if shutil.which(name) is None]
    cores = pinned_cores(resolved)
    usable = os.sched_getaffinity(0)
    if cores is not None and not set(cores) <= usable:
        found.append(f"The profile '{resolved.machine}' pins to the cores {cores}; usable here: {sorted(usable)}.")
    if resolved.where.get("modules") and shutil.which("bash") is None:
        found.append(f"The profile '{resolved.machine}' loads modules, which needs bash.")
    return found


def pinned_cores(resolved: Resolved) -> list[int] | None:
    """The cores that the process of a case on one rank may use; several ranks are bound by their launcher."""
    pinning = resolved.where.get("pinning", "none")
    if pinning == "none" or resolved.ranks > 1:
        return None
    if pinning == "cores":
        return sorted(os.sched_getaffinity(0))[:max(1, resolved.threads)]
    return list(pinning)


def command(resolved: Resolved, program: list[str]) -> list[str]:
    """The whole command line: launcher and its options before the program, modules loaded before both."""
    where = resolved.where
    launcher, options = where.get("launcher", "local"), where.get("launcher_options", [])
    if launcher == "srun":
        program = ["srun", f"--ntasks={resolved.ranks}", f"--cpus-per-task={resolved.threads}", *options, *program]
    elif launcher == "mpirun" and resolved.ranks > 1:
        program = ["mpirun", "-n", str(resolved.ranks), *options, *program]
    modules = where.get("modules", [])
    if modules:
        load = "module load " + " ".join(map(shlex.quote, modules)) + ' && exec "$@"'
        program = ["bash", "-lc", load, "bash", *program]
    return program


def wants_job(resolved: Resolved) -> bool:
    """The profile says that sessions are jobs of Slurm, and this is not one yet."""
    return resolved.where.get("scheduler", "none") == "slurm" and not os.environ.get(INSIDE_JOB)


def job_script(resolved: Resolved, arguments: list[str], python: str) -> str:
    """A whole session is one job: both sides of a pair must meet the same node and the same neighbours."""
    options = [f"--ntasks={resolved.ranks}", f"--cpus-per-task={resolved.threads}", "--exclusive",
               *resolved.where.get("scheduler_options", [])]
    lines = ["#!/bin/bash", *(f"#SBATCH {option}" for option in options), f"export {INSIDE_JOB}=1",
             f"exec {shlex.quote(python)} -m tessera_bench {shlex.join(arguments)}"]
    return "\n".join(lines) + "\n"


def submit(resolved: Resolved, arguments: list[str], python: str, folder: Path) -> tuple[int, str]:
    """Submits a session, waits for it, and returns its exit code and output. Raises BenchError without Slurm."""
    if shutil.which("sbatch") is None:
        raise BenchError(f"There is no sbatch on this machine, and the profile '{resolved.machine}' has "
                         "scheduler = \"slurm\". Start this where Slurm is, or use another profile.")
    script, output = folder / "session.sh", folder / "session.txt"
    script.write_text(job_script(resolved, arguments, python))
    # sbatch --wait ends with the exit code of the job.
    done = subprocess.run(["sbatch", "--wait", f"--output={output}", f"--error={output}", str(script)],
                          capture_output=True, text=True)
    text = output.read_text(errors="replace") if output.exists() else ""
    if not text and done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BenchError(f"sbatch did not run the session: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.returncode, text
