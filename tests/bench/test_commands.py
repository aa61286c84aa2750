"""The command as its users see it: output, exit codes, sentences.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import csv
import errno
import io
import json
import os
import subprocess

import pytest

from tessera_bench import builds, store

HERE = ("-m", "here", "-b", "planned")


def records(workplace, name="s.jsonl"):
    return store.load(workplace / name).records


def test_list_shows_cases_profiles_builds_and_adaptors(bench):
    code, out, _ = bench("list")
    assert code == 0
    for word in ("microcircuit_procedural", "plain", "slurm", "nest", "adaptors: brian2, google_benchmark, nest, snntorch, tessera"):
        assert word in out


def test_explain(bench):
    code, out, _ = bench("explain", "plain", *HERE)
    assert code == 0
    assert "what.seed" in out and "what/plain.toml [sizes.full]" in out and "where/here.toml" in out


def test_run_measures_checks_and_records(bench, simulator, workplace):
    code, out, err = bench("run", "-c", "plain", *HERE, "--program", simulator(seconds=[3.0, 2.0]), "--repeat", 2, "--store", "s.jsonl")
    assert code == 0, err
    assert "plain/full" in out and "00000000000000aa" in out and "run_seconds 2 s" in out
    first, second = records(workplace)
    assert [r["times"]["run_seconds"] for r in (first, second)] == [3.0, 2.0]
    assert first["phases"]["deliver"] == {"min": 2.25, "mean": 2.25, "max": 2.25, "each": [2.25]}
    assert first["counters"]["synaptic_events"] == 5000
    assert first["derived"]["bytes_per_synapse"] == 10_000.0  # 10 MB over 1,000 synapses
    assert first["check"]["mean_rate_hz"] == 5.0  # 80 neurons at 4 Hz and 20 at 9 Hz
    assert first["check"]["digest"] == "00000000000000aa"
    assert first["case"]["model_hash"] == builds.file_hash(workplace / "model.toml")
    assert first["session"] == second["session"]


def test_run_with_a_wrong_result_records_nothing_of_it(bench, simulator, workplace):
    plain = workplace / "definitions" / "what" / "plain.toml"
    plain.write_text(plain.read_text() + "check.spikes = [600, 700]\n")
    code, out, err = bench("run", "-c", "plain", *HERE, "--program", simulator(), "--store", "s.jsonl")
    assert code == 1
    assert "FAILED: plain/full: its result is wrong: spikes is 500, not from 600 to 700" in err
    assert "0 of 1 cases have the right result" in out
    assert not (workplace / "s.jsonl").exists()


def test_cases_that_must_agree_are_compared(bench, simulator, workplace):
    (workplace / "definitions" / "what" / "twin.toml").write_text('inherits = "plain"\ncheck.same_as = "plain"\n')
    same = simulator("same")
    assert bench("run", "-c", "plain", "-c", "twin", *HERE, "--program", same, "--no-record")[0] == 0
    other = simulator("other", digest=["00000000000000aa", "00000000000000bb"])
    code, _, err = bench("run", "-c", "twin", *HERE, "--program", other, "--no-record")
    assert code == 1
    assert "the digest is 00000000000000bb, and was 00000000000000aa before" in err


def test_compare_gives_a_verdict_and_records_it(bench, simulator, workplace):
    code, out, err = bench("compare", simulator("base"), simulator("head", seconds=1.2), "-c", "plain", *HERE,
                           "--store", "s.jsonl", "--no-instructions", "--pairs", "10:10")
    assert code == 0, err
    assert "plain/full: REGRESSED (by metrics)" in out
    assert "run_seconds: REGRESSED: +20.0 % [+20.0 %, +20.0 %] (10 pairs, 97.9 %)" in out
    assert "peak_resident_bytes: EQUIVALENT" in out
    found = records(workplace)
    (session,) = [r for r in found if r["type"] == "session"]
    assert session["verdict"] == "REGRESSED" and session["metrics"]["run_seconds"]["pairs"] == 10
    runs = [r for r in found if r["type"] == "run"]
    assert len(runs) == 20 and {r["session"] for r in found} == {session["session"]}
    assert {r["execution"]["side"] for r in runs} == {"base", "head"}


@pytest.mark.parametrize("plan, code", [({}, 0), ({"seconds": 0.8}, 0), ({"digest": "00000000000000bb"}, 1),
                                        ({"events": 5005}, 1), ({"fail": "broken"}, 1),
                                        ({"seconds": [1.0, 3.0, 0.4, 1.7, 0.6]}, 3)])
def test_gate_exit_codes(bench, simulator, plan, code):
    found, out, err = bench("gate", simulator("base"), simulator("head", **plan), "-c", "plain", *HERE, "--no-record",
                            "--no-instructions", "--pairs", "10:12")
    assert found == code, out + err


def test_two_commits_are_built_and_compared(bench, workplace, monkeypatch):
    """A repository whose build writes the simulator; the second commit plans another digest."""
    monkeypatch.delenv("TESSERA_BENCH_CACHE", raising=False)
    script = workplace / "simulator.in"
    from conftest import SIMULATOR
    from planned_simulator import PLAN
    import sys
    from pathlib import Path

    def commit(**plan):
        text = SIMULATOR.format(python=sys.executable, plan=json.dumps({**PLAN, **plan}), folder=str(Path(__file__).parent),
                                state=str(workplace / "calls" / plan.get("digest", "first")))
        script.write_text(text)
        (workplace / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.22)\nproject(tiny NONE)\n"
            "file(COPY_FILE ${CMAKE_SOURCE_DIR}/simulator.in ${CMAKE_BINARY_DIR}/tessera)\n"
            "file(CHMOD ${CMAKE_BINARY_DIR}/tessera PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)\n"
            "add_custom_target(things)\n" + plan.pop("more", ""))
        git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org"]
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
    how = workplace / "definitions" / "how" / "planned.toml"
    how.write_text(how.read_text().replace("[programs]", 'targets = ["things"]\n[programs]'))
    commit()
    commit(digest="00000000000000bb")
    code, out, err = bench("gate", "HEAD~1", "HEAD", "-c", "plain", *HERE, "--store", "s.jsonl", "--no-instructions")
    assert code == 1, err
    assert "digest: 00000000000000aa became 00000000000000bb" in out
    (session,) = records(workplace)
    assert len(session["subjects"]["base"]["commit"]) == 40

    commit(digest="00000000000000cc", more='message(FATAL_ERROR "planted")\n')
    before = (workplace / "s.jsonl").read_bytes()
    code, out, err = bench("compare", "HEAD~1", "HEAD", "-c", "plain", *HERE, "--store", "s.jsonl", "--no-instructions")
    assert code == 2
    assert "does not build; nothing was measured" in err and "planted" in err
    assert (workplace / "s.jsonl").read_bytes() == before


def test_replay_finds_the_same_and_says_what_differs(bench, simulator, workplace):
    program = simulator(seconds=[1.0, 1.1, 0.9, 1.05, 0.95])
    bench("run", "-c", "plain", *HERE, "--program", program, "--repeat", 6, "--store", "s.jsonl")
    record = records(workplace)[0]["hash"][:10]
    code, out, err = bench("replay", record, "--program", program, "--store", "s.jsonl")
    assert code == 0, err
    assert "6 runs then, 6 now" in out and "same result and counters" in out and "differs" not in out
    assert "run_seconds: new over old" in out and "covers 1" in out and "does not cover" not in out

    plain = workplace / "definitions" / "what" / "plain.toml"
    plain.write_text(plain.read_text().replace("seed = 1", "seed = 2"))
    (workplace / "model.toml").write_text("name = 'changed'\n")
    slower = simulator("slower", seconds=[2.0, 2.1, 2.2], visits=60)
    code, out, _ = bench("replay", record, "--program", slower, "--store", "s.jsonl")
    assert code == 1
    for words in ("differs: definition: changed since", "differs: model: model.toml has changed", "differs: program: another binary",
                  "run_seconds: new over old", "does not cover 1", "WRONG: row_visits: 50 became 60"):
        assert words in out
    code, out, _ = bench("replay", record, "--program", simulator("wrong", digest="00000000000000bb"), "--store", "s.jsonl")
    assert code == 1 and "WRONG: run 1: its result is wrong: the digest is 00000000000000bb" in out


def test_replay_refuses_what_it_cannot_replay(bench, simulator, workplace):
    bench("compare", simulator("base"), simulator("head", digest="00000000000000bb"), "-c", "plain", *HERE, "--store", "s.jsonl")
    (session,) = records(workplace)
    code, _, err = bench("replay", session["hash"][:8], "--store", "s.jsonl")
    assert code == 2 and "is a session, not a run" in err
    code, _, err = bench("replay", "abcdefabcdef", "--store", "s.jsonl")
    assert code == 2 and "names no record" in err


def test_doctor_says_what_the_machine_can_do(bench, simulator):
    code, out, err = bench("doctor", "-c", "plain", *HERE, "--program", simulator(seconds=[1.0, 1.01, 0.99, 1.005]), "--pairs", 12)
    assert code == 0, err
    for words in ("cores", "clock governor:", "neighbours: load", "noise of a run (run_seconds):", "suggested for 5 %:"):
        assert words in out
    code, out, _ = bench("doctor", "-c", "plain", *HERE, "--program", simulator("noisy", seconds=[1.0, 2.0, 0.5, 3.0, 1.7]), "--pairs", 12)
    assert code == 3
    assert "This machine cannot judge now" in out


def test_history_and_report_and_export(bench, simulator, workplace):
    for i in range(12):
        program = simulator(f"p{i}", seconds=1.0 if i < 6 else 1.3)
        bench("run", "-c", "plain", *HERE, "--program", program, "--store", "s.jsonl")
    code, out, _ = bench("history", "--store", "s.jsonl")
    assert code == 0 and "+30.0 %" in out
    code, out, _ = bench("report", "--store", "s.jsonl", "-o", "r/report.html")
    assert code == 0 and (workplace / "r" / "report.html").read_text().startswith("<!DOCTYPE html>")
    code, out, _ = bench("store", "export", "--store", "s.jsonl")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 12 and {r["case"] for r in rows} == {"plain"} and rows[0]["counters.spikes"] == "500"


def test_store_verify_and_merge(bench, simulator, workplace):
    program = simulator()
    for name in ("a.jsonl", "b.jsonl"):
        bench("run", "-c", "plain", *HERE, "--program", program, "--store", name)
    code, out, _ = bench("store", "merge", "--store", "a.jsonl", "b.jsonl", "b.jsonl")
    assert code == 0 and "1 records added, 1 were there, 0 lines skipped" in out
    with open(workplace / "a.jsonl", "a") as file:
        file.write("rubbish\n")
    code, out, _ = bench("store", "verify", "--store", "a.jsonl")
    assert code == 1
    assert "a.jsonl:3: no JSON (damaged or cut off)" in out and "2 records (2 runs), 0 repeated, 1 lines skipped" in out
    code, _, err = bench("report", "--store", "a.jsonl", "-o", "report.html")
    assert code == 0 and "a.jsonl:3: skipped" in err


@pytest.mark.parametrize("arguments, sentence", [
    (("run",), "No case is named: use --case, --group or --all"),
    (("run", "-c", "plan", *HERE), "There is no case 'plan'. Did you mean 'plain'?"),
    (("run", "-g", "nobody", *HERE), "There is no group 'nobody'. Known:"),
    (("run", "-c", "plain", "-m", "her", "-b", "planned"), "There is no machine profile 'her'. Did you mean 'here'?"),
    (("run", "-c", "plain", "-s", "huge", *HERE), "has no size 'huge'"),
    (("run", "-c", "plain", *HERE, "--repeat", "0"), "--repeat is 0; allowed is a whole number from 1."),
    (("run", "-c", "plain", *HERE, "--program", "nothing"), "There is no program 'nothing'."),
    (("compare", "nothing", "HEAD", "-c", "plain", *HERE), "'nothing' is neither a file nor a commit"),
    (("compare", "a", "b", "--pairs", "5:2"), "MIN:MAX must be from 6 to 1000"),
    (("compare", "a", "b", "--pairs", "many"), "'many' is no number of pairs"),
    (("compare", "a", "b", "--budget", "10"), "'10' is no time"),
    (("history", "--store", "nothing.jsonl"), "The store 'nothing.jsonl' cannot be read: No such file or directory."),
    (("simulate", "--sessions", "0"), "--sessions is 0"),
    (("explain", "balanced", "-b", "nest", "-m", "nowhere"), "There is no machine profile 'nowhere'."),
])
def test_bad_input_is_a_sentence_and_exit_code_2(bench, arguments, sentence):
    code, _, err = bench(*arguments)
    assert code == 2
    assert sentence in err


def test_a_program_that_is_not_built(bench):
    code, _, err = bench("run", "-c", "plain", *HERE)
    assert code == 1 and "The program 'tessera' is not built" in err


def test_a_model_that_is_not_there(bench, simulator, workplace):
    (workplace / "model.toml").unlink()
    code, _, err = bench("run", "-c", "plain", *HERE, "--program", simulator(), "--no-record")
    assert code == 1 and "The model 'model.toml' of the case 'plain' is not in this repository" in err


def test_a_full_disk_while_recording(bench, simulator, workplace, monkeypatch):
    program = simulator()
    assert bench("run", "-c", "plain", *HERE, "--program", program, "--store", "s.jsonl")[0] == 0
    before = (workplace / "s.jsonl").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(store.os, "write", full)
    code, _, err = bench("run", "-c", "plain", *HERE, "--program", program, "--store", "s.jsonl")
    assert code == 1
    assert "No space left on device. Nothing of these 1 records was kept." in err
    assert (workplace / "s.jsonl").read_bytes() == before


def test_simulate_prints_the_table(bench):
    code, out, _ = bench("simulate", "--sessions", 2, "--seed", 3)
    assert code == 0 and out.startswith("| noise of a run | effect | REGRESSED |") and "| drift, 12 % | +10 % |" in out
