"""Starting: ranks, modules, pinning, and sessions as jobs of Slurm, whose commands are stubs of the tests.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import sys

import pytest

from tessera_bench import launch
from tessera_bench.errors import BenchError
from tessera_bench.resolve import Resolved


def resolved(ranks=1, threads=2, **where) -> Resolved:
    return Resolved("case", "full", "profile", "build", {"execution": {"ranks": ranks, "threads": threads}}, where, {})


def test_one_process_is_started_as_it_is():
    for launcher in ("local", "mpirun"):
        assert launch.command(resolved(launcher=launcher), ["program", "x"]) == ["program", "x"]


def test_ranks_are_started_by_the_launcher():
    options = {"launcher_options": ["--bind-to", "core"]}
    assert launch.command(resolved(4, launcher="mpirun", **options), ["program"]) == \
        ["mpirun", "-n", "4", "--bind-to", "core", "program"]
    assert launch.command(resolved(4, 3, launcher="srun", **options), ["program"]) == \
        ["srun", "--ntasks=4", "--cpus-per-task=3", "--bind-to", "core", "program"]
    assert launch.command(resolved(1, 3, launcher="srun"), ["program"])[0] == "srun"


def test_modules_are_loaded_before_the_program():
    command = launch.command(resolved(modules=["gcc/12", "odd name"]), ["program", "a b"])
    assert command == ["bash", "-lc", "module load gcc/12 'odd name' && exec \"$@\"", "bash", "program", "a b"]


def test_pinning_takes_a_core_for_each_thread():
    usable = sorted(os.sched_getaffinity(0))
    assert launch.pinned_cores(resolved(threads=1, pinning="cores")) == usable[:1]
    assert launch.pinned_cores(resolved(threads=1, pinning=[3, 5])) == [3, 5]
    assert launch.pinned_cores(resolved()) is None
    assert launch.pinned_cores(resolved(2, pinning="cores")) is None  # the launcher binds ranks


def test_what_is_missing_is_a_sentence(monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name: None)
    assert launch.problems(resolved(2, launcher="mpirun")) == \
        ["There is no mpirun on this machine, which the profile 'profile' starts ranks with."]
    assert launch.problems(resolved(1, launcher="mpirun")) == []
    assert "no srun" in launch.problems(resolved(1, launcher="srun"))[0]
    assert "pins to the cores [100000]" in launch.problems(resolved(pinning=[100000]))[0]
    with pytest.raises(BenchError, match="There is no sbatch on this machine"):
        launch.submit(resolved(scheduler="slurm"), [], "python3", None)


SBATCH = """#!/bin/sh
# sbatch --wait --output=FILE --error=FILE SCRIPT, without a cluster.
for word in "$@"; do
  case $word in --output=*) out=${word#--output=} ;; -*) ;; *) script=$word ;; esac
done
cp "$script" "$STUB_FOLDER/script"
exec sh "$script" > "$out" 2>&1
"""
SRUN = """#!/bin/sh
echo "$@" >> "$STUB_FOLDER/srun_arguments"
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", SRUN)):
        (folder / name).write_text(text.replace("$STUB_FOLDER", str(folder)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def cluster(workplace, slurm, monkeypatch):
    (workplace / "definitions" / "where" / "cluster.toml").write_text(
        'threads = 1\nlauncher = "srun"\nlauncher_options = ["--cpu-bind=cores"]\nscheduler = "slurm"\n'
        'scheduler_options = ["--partition=tests"]\n')
    monkeypatch.delenv(launch.INSIDE_JOB, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return slurm


def test_a_session_is_one_job(bench, simulator, cluster, workplace):
    code, out, err = bench("run", "-c", "plain", "-m", "cluster", "-b", "planned", "--program", simulator(), "--store", "s.jsonl")
    assert code == 0, err + out
    assert "1 of 1 cases have the right result" in out
    script = (cluster / "script").read_text()
    assert "#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=1\n#SBATCH --exclusive\n#SBATCH --partition=tests\n" in script
    assert "--cpu-bind=cores" in (cluster / "srun_arguments").read_text()
    assert (workplace / "s.jsonl").read_text().count("\n") == 1
    assert not [p for p in workplace.iterdir() if p.name.startswith("tessera_bench_")]  # nothing stays behind


def test_the_exit_code_of_a_job_is_that_of_its_session(bench, simulator, cluster):
    base, head = simulator("base"), simulator("head", digest="00000000000000bb")
    code, out, _ = bench("gate", base, head, "-c", "plain", "-m", "cluster", "-b", "planned", "--no-record", "--no-instructions")
    assert code == 1
    assert "REGRESSED (by result)" in out


def test_a_job_that_cannot_be_submitted(bench, simulator, cluster):
    (cluster / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition specified: tests' >&2\nexit 1\n")
    code, _, err = bench("run", "-c", "plain", "-m", "cluster", "-b", "planned", "--program", simulator(), "--no-record")
    assert code == 2
    assert "sbatch did not run the session: sbatch: error: invalid partition specified: tests" in err
