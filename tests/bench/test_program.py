"""The tool with the real program: equal results, planted work, a planted result, a replay.

Nothing here depends on how fast anything is.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import sys
from pathlib import Path

import pytest

from tessera_bench import store
from tessera_bench.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TESSERA_PROGRAM", "")

pytestmark = [pytest.mark.program, pytest.mark.skipif(not PROGRAM, reason="TESSERA_PROGRAM names no command tessera")]


@pytest.fixture
def bench(tmp_path, capsys):
    def call(*arguments):
        capsys.readouterr()
        code = main(["--repository", str(ROOT), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err
    return call


def planted(tmp_path, name: str, body: str) -> Path:
    """A program around the real one. `body` changes the list `a` of arguments."""
    path = tmp_path / name / "tessera"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable} -S\nimport os, sys\na = sys.argv[1:]\n{body}\nos.execv({PROGRAM!r}, [{PROGRAM!r}] + a)\n")
    path.chmod(0o755)
    return path


def test_the_same_program_does_the_same_work(bench, tmp_path):
    file = tmp_path / "s.jsonl"
    code, out, err = bench("run", "-c", "microcircuit_stored", "-c", "microcircuit_procedural", "-s", "smoke", "--program", PROGRAM,
                           "--store", file)
    assert code == 0, err
    records = store.load(file).records
    assert len({r["check"]["digest"] for r in records}) == 1
    text = file.read_text()
    assert str(ROOT) not in text and "/tmp" not in text and os.path.expanduser("~") not in text
    code, out, err = bench("replay", records[0]["hash"][:12], "--program", PROGRAM, "--store", file, "--repeat", 2)
    assert code == 0, out + err
    assert "same result and counters" in out and "differs: commit" not in out


def test_a_thousandth_more_events_are_caught_in_one_run(bench, tmp_path):
    # Synapses of no weight change no spike. L4E spikes 671 times in the smoke size, 0.61 per neuron, so the planted
    # 194,000 x 0.05 x 0.05 = 485 synapses bring about 297 of 296,677 events: a thousandth.
    model = tmp_path / "planted.toml"
    model.write_text((ROOT / "models" / "microcircuit" / "microcircuit.toml").read_text() + """
[projections.planted]
source = "L4E"
target = "L4E"
rule = "fixed_total_number"
number = 194000
weight = "0 pA"
delay = "1.5 ms"
""")
    (tmp_path / "own" / "what").mkdir(parents=True)
    # Without the case's own numbers, so that the comparison has to find it.
    (tmp_path / "own" / "what" / "free.toml").write_text(
        'inherits = "simulation"\nmodel = "models/microcircuit/microcircuit.toml"\nconnectivity = "stored"\n[sizes.smoke]\n'
        'time = "200 ms"\ndiscard = "50 ms"\nparameters = { scale = 0.05, drive = "poisson" }\nexecution.threads = 1\n')
    head = planted(tmp_path, "more", f"a[1] = {str(model)!r}")
    code, out, err = bench("--definitions", tmp_path / "own", "gate", PROGRAM, head, "-c", "free", "-s", "smoke", "--no-record",
                           "--no-instructions")
    assert code == 1, out + err
    assert "REGRESSED (by result)" in out and "synaptic_events: 296677 became" in out and "(+0.1" in out
    assert "digest" not in out.split("times of")[0]
    # The case as it is shipped knows its numbers, so a single run fails.
    code, _, err = bench("run", "-c", "microcircuit_stored", "-s", "smoke", "--program", head, "--no-record")
    assert code == 1 and "synapses is 747690, not 747205" in err


def test_another_digest_is_caught_in_one_run(bench, tmp_path):
    head = planted(tmp_path, "seed", "a[a.index('--seed') + 1] = '2'")
    code, out, _ = bench("gate", PROGRAM, head, "-c", "balanced", "-s", "smoke", "--no-record", "--no-instructions")
    assert code == 1
    assert "REGRESSED (by result)" in out and "digest:" in out


def test_a_crash_of_the_real_program_is_told(bench, tmp_path):
    head = planted(tmp_path, "bad", "a[1] = 'nothing.toml'")
    code, out, _ = bench("gate", PROGRAM, head, "-c", "microcircuit_stored", "-s", "smoke", "--no-record", "--no-instructions")
    assert code == 1
    assert "the head gives no result: it ended with exit code 2" in out


