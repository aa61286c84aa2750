"""Shared pieces: a simulator that is a short script with planned times, definitions for it, a small repository.

No test depends on how long something takes: times come from the script's plan, not from a clock.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from planned_simulator import PLAN

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

SIMULATOR = """#!{python} -S
import json, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import planned_simulator
sys.exit(planned_simulator.main(json.loads({plan!r}), Path({state!r})))
"""


@pytest.fixture
def simulator(tmp_path):
    """simulator(name, **plan): a program that behaves as planned. A list is gone through, call by call."""
    def make(name: str = "tessera", **plan) -> Path:
        folder = tmp_path / "programs" / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "tessera"
        path.write_text(SIMULATOR.format(python=sys.executable, plan=json.dumps({**PLAN, **plan}),
                                         state=str(folder / "calls"), folder=str(Path(__file__).parent)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path
    return make


CASE = """
about = "a case of the tests"
kind = "simulate"
model = "model.toml"
seed = 1
groups = ["tests"]
metrics = ["run_seconds", "peak_resident_bytes"]
execution.threads = 1
[sizes.smoke]
time = "1 s"
[sizes.full]
time = "1 s"
"""


@pytest.fixture
def workplace(tmp_path):
    """A repository with a model, and a folder of definitions with the case 'plain' for the planned simulator."""
    repository = tmp_path / "repository"
    definitions = repository / "definitions"
    for layer in ("what", "where", "how"):
        (definitions / layer).mkdir(parents=True)
    (repository / "model.toml").write_text("name = 'model'\n")
    (definitions / "what" / "plain.toml").write_text(CASE)
    (definitions / "where" / "here.toml").write_text('threads = 1\ntime_limit = "60 s"\n')
    (definitions / "how" / "planned.toml").write_text(
        'adaptor = "tessera"\nbuilt_in = "build"\n[programs]\ntessera = "tessera"\n')
    git = ["git", "-C", str(repository), "-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    return repository


@pytest.fixture
def bench(workplace, monkeypatch, capsys):
    """bench(*arguments) -> (exit code, output, errors) of the command, in the workplace."""
    from tessera_bench.cli import main

    monkeypatch.chdir(workplace)

    def call(*arguments):
        capsys.readouterr()
        try:
            code = main(["--definitions", "definitions", *map(str, arguments)])
        except SystemExit as ended:  # argparse
            code = ended.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err
    return call
