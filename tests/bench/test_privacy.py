"""People and places are planted in everything that could carry them, and none is found in a record.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json

import pytest

from tessera_bench import machine, privacy
from tessera_bench.process import environment


@pytest.mark.parametrize("text, cleaned", [
    ("cannot open /home/anna/model.toml", "cannot open <path>"),
    ("--out=/scratch/anna/x --seed 3", "--out=<path> --seed 3"),
    ("'/usr/bin/tool': not found", "'<path>': not found"),
    ("~anna/results/a and ~/b/c", "<path> and <path>"),
    ("file:///srv/data", "<path>"),
    ("models/microcircuit/microcircuit.toml", "models/microcircuit/microcircuit.toml"),
    ("12 s / 3 runs, a/b, 50 %/s", "12 s / 3 runs, a/b, 50 %/s"),
    ("run_tile/20", "run_tile/20"),
    ("tessera-bench/1", "tessera-bench/1")])
def test_paths_go_and_what_only_looks_like_one_stays(text, cleaned):
    assert privacy.clean_text(text) == cleaned


@pytest.fixture
def somebody(monkeypatch):
    monkeypatch.setenv("USER", "annabella")
    monkeypatch.setenv("LOGNAME", "annabella")
    monkeypatch.setenv("HOSTNAME", "annabellas-laptop")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2hunter2")
    monkeypatch.setenv("HOME", "/home/annabella")
    privacy._names.cache_clear()
    yield ("annabella", "laptop", "hunter2")
    privacy._names.cache_clear()


def test_names_of_users_and_hosts_go(somebody):
    assert privacy.clean_text("written by annabella on annabellas-laptop") == "written by <name> on <name>"
    assert privacy.clean_text("annabellasson") == "annabellasson"  # another word
    assert privacy.clean({"annabella": ["annabella", 1, None]}) == {"<name>": ["<name>", 1, None]}


def test_planted_people_and_places_are_in_no_record(somebody, bench, simulator, workplace):
    plain = workplace / "definitions" / "what" / "plain.toml"
    plain.write_text(plain.read_text().replace(
        "seed = 1", 'seed = 1\nparameters.note = "/home/annabella/secret"\narguments.tessera = ["--note", "~annabella/x"]'))
    (workplace / "definitions" / "where" / "here.toml").write_text('threads = 1\nenvironment.NOTE = "of annabella"\n')
    good = simulator("good")
    bad = simulator("bad", fail=["", "", "/home/annabella/x: annabella has no SECRET", ""])
    code, out, err = bench("run", "--case", "plain", "-m", "here", "-b", "planned", "--program", good, "--store", "s.jsonl")
    assert code == 0, err
    code, out, err = bench("compare", good, bad, "--case", "plain", "-m", "here", "-b", "planned", "--store", "s.jsonl",
                           "--pairs", "10:10", "--no-instructions")
    assert code == 0, err
    text = (workplace / "s.jsonl").read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert {r["type"] for r in records} == {"run", "session"}
    assert any(r.get("voided") for r in records)  # the planted message has arrived
    for word in (*somebody, "/home", "/tmp", str(workplace), machine.platform.node() or "no-host-name"):
        assert word not in text, word
    for name in ("SECRET_TOKEN", "LD_LIBRARY_PATH", "HOME"):
        assert name not in text


def test_a_measured_process_sees_no_more_of_the_environment_than_it_needs(somebody, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    seen = environment({"OMP_NUM_THREADS": "2"})
    assert "OPENBLAS_NUM_THREADS" not in seen and "SECRET_TOKEN" not in seen and "USER" not in seen
    assert seen["OMP_NUM_THREADS"] == "2" and "PATH" in seen
