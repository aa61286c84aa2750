"""What adaptors make of cases and of the output of programs.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import json
import sys
from pathlib import Path

import pytest

from tessera_bench.adaptors import Job, adaptor_names, find_adaptor
from tessera_bench.adaptors.programs import model_parameters, plain
from tessera_bench.definitions import Library
from tessera_bench.process import Finished
from tessera_bench.resolve import resolve

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"tessera": Path("tessera"), "bench_training": Path("bench_training"), "bench_kernels": Path("bench_kernels")}


def job(case, build="tessera", size="smoke", folder=Path("folder")) -> Job:
    return Job(resolve(Library(), case, "local", build, size), PROGRAMS, ROOT, folder)


def finished(output="", peak=5_000_000) -> Finished:
    return Finished(0, False, 1.0, 1.0, peak, output, "")


def test_every_file_is_an_adaptor_of_its_name():
    assert adaptor_names() == ["brian2", "google_benchmark", "nest", "snntorch", "tessera"]
    for name in adaptor_names():
        assert find_adaptor(name).name == name and find_adaptor(name).kinds


def test_a_simulation_of_tessera():
    command = find_adaptor("tessera").command(job("microcircuit_procedural"))
    assert command[:3] == ["tessera", "run", str(ROOT / "models/microcircuit/microcircuit.toml")]
    assert command[3:] == ["--out", "folder/result", "--force", "--quiet", "--threads", "2", "--connectivity", "procedural",
                           "--time", "200ms", "--discard", "50ms", "--record", "none", "--seed", "1",
                           "--set", "drive=poisson", "--set", "scale=0.05"]
    single = find_adaptor("tessera").single_thread(job("microcircuit_procedural"))
    assert single[single.index("--threads") + 1] == "1"
    assert find_adaptor("tessera").single_thread(job("ranks_2")) is None
    assert find_adaptor("tessera").single_thread(job("training_accuracy")) is None


def test_recording_checkpoints_and_training_of_tessera():
    command = find_adaptor("tessera").command(job("recording"))
    assert [command[i + 1] for i, word in enumerate(command) if word == "--record"] == ["spikes", "V_m:L4E:100:1ms"]
    command = find_adaptor("tessera").command(job("checkpoint"))
    assert command[command.index("--checkpoint-every") + 1] == "100ms"
    command = find_adaptor("tessera").command(job("training_accuracy"))
    assert command[1] == "train" and command[command.index("--epochs") + 1] == "2"
    command = find_adaptor("tessera").command(job("training_recurrent"))
    assert command[0] == "bench_training" and "recurrent=1" in command and "neurons=120" in command and "threads=1" in command


def test_phases_of_ranks_keep_their_imbalance(tmp_path):
    from planned_simulator import PLAN, report

    found = report(PLAN, 0)
    spread = {"min": 1.0, "mean": 2.0, "max": 3.0, "arg_max": 1}
    found["over_ranks"] = {"phases": {"deliver": spread, "update": spread}}
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "report.json").write_text(json.dumps(found))
    outcome = find_adaptor("tessera").read(job("ranks_2", folder=tmp_path), finished())
    assert outcome.phases["deliver"] == {"min": 1.0, "mean": 2.0, "max": 3.0}
    assert "row_visits" not in outcome.counters  # of rank 0 alone, so no exact number of the run


def test_a_training_that_failed_is_no_result(tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "report.json").write_text(json.dumps({"failure": "the loss became nan"}))
    with pytest.raises(ValueError, match="the loss became nan"):
        find_adaptor("tessera").read(job("training_accuracy", folder=tmp_path), finished())


def test_a_batch_of_training():
    text = ("strategy,optimizer,layers,neurons,inputs,activity,listed,median_s,fastest_s,slowest_s,list_bytes\n"
            "sparse,sgd,2,240,1472,0.0542,0.1083,0.00044,0.00034,0.00508,40000\n")
    outcome = find_adaptor("tessera").read(job("training_5_percent"), finished(text))
    assert outcome.times["run_seconds"] == 0.00044 and outcome.results["activity"] == 0.0542
    assert outcome.memory == {"peak_resident_bytes": 5_000_000, "list_bytes": 40000}


def kernel(name, cpu_time, unit="ns", **more):
    return {"name": name, "run_name": name, "run_type": "iteration", "cpu_time": cpu_time, "real_time": 9e9, "time_unit": unit, **more}


def test_kernels_are_the_least_of_their_repetitions_in_seconds():
    report = {"benchmarks": [kernel("a", 2000.0), kernel("a", 1500.0), kernel("b", 3.0, "us"),
                             {**kernel("a_mean", 1.0), "run_type": "aggregate"}]}
    outcome = find_adaptor("tessera").read(job("kernels"), finished(json.dumps(report)))
    assert outcome.times == pytest.approx({"a": 1.5e-6, "b": 3e-6, "run_seconds": 4.5e-6})
    assert outcome.counters == {"kernels": 2}


def test_kernels_that_fail_or_are_not_there():
    read = find_adaptor("google_benchmark").read
    with pytest.raises(ValueError, match="a: too large"):
        read(job("kernels"), finished(json.dumps({"benchmarks": [kernel("a", 1, error_occurred=True, error_message="too large")]})))
    with pytest.raises(ValueError, match="no kernel has a name like"):
        read(job("kernels"), finished(json.dumps({"benchmarks": []})))


def test_google_benchmark_alone():
    command = find_adaptor("google_benchmark").command(job("kernels"))
    assert command[:2] == ["tessera", "--benchmark_format=json"]
    assert "--benchmark_min_time=0.005" in command and "--benchmark_repetitions=1" in command


def test_what_an_adaptor_cannot_run_is_a_sentence():
    one = resolve(Library(), "kernels", "local", "nest", "smoke")
    assert find_adaptor("nest").missing(one, {}) == "The adaptor 'nest' has no cases of kind 'kernels'; it has simulate."
    one = resolve(Library(), "microcircuit_stored", "local", "nest", "smoke")
    assert "has no model 'microcircuit'; it has balanced" in find_adaptor("nest").missing(one, {})
    one = resolve(Library(), "training_recurrent", "local", "snntorch", "smoke")
    assert "no recurrent layers" in find_adaptor("snntorch").missing(one, {})


@pytest.fixture
def interpreter(tmp_path):
    """A 'Python' that claims to have every module and prints what it is told to."""
    def make(output: str) -> Path:
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable} -S\nimport sys\nif sys.argv[1] == '-c': sys.exit(0)\nprint({output!r})\n")
        path.chmod(0o755)
        return path
    return make


@pytest.mark.parametrize("name, module", [("nest", "NEST"), ("brian2", "Brian2"), ("snntorch", "snnTorch")])
def test_peers_that_are_not_installed_are_a_sentence(name, module, tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    (tmp_path / "how").mkdir()
    (tmp_path / "how" / f"{name}.toml").write_text(f'adaptor = "{name}"\npython = "{empty}"\n')
    case = "training_5_percent" if name == "snntorch" else "balanced"
    one = resolve(Library([tmp_path]), case, "local", name, "smoke")
    said = find_adaptor(name).missing(one, {})
    assert said.startswith(f"{module} is not installed for") and f"how/{name}.toml" in said


def test_a_peer_gets_the_parameters_of_the_model_file_and_of_the_case():
    assert plain("45.6 pA") == 45.6 and plain({"value": "20 mV", "about": ""}) == 20.0 and plain("0.3 ms") == 0.3
    assert plain(3) == 3 and plain("dc") == "dc"
    found = model_parameters(job("balanced", "nest"))
    assert (found["C_E"], found["J"], found["theta"], found["tau_m"], found["g"]) == (900, 456.096, 20.0, 10.0, 5.0)
    command = find_adaptor("nest").command(job("balanced", "nest"))
    settings = json.loads(command[2])
    assert (settings["time_ms"], settings["discard_ms"], settings["seed"], settings["threads"]) == (200.0, 50.0, 1, 1)
    assert Path(command[1]).is_file()


@pytest.mark.parametrize("name", ["nest", "brian2"])
def test_the_output_of_a_peer(name):
    text = "some banner\n" + json.dumps({"version": "3.10", "neurons": 1125, "synapses": 1265625, "spikes": 8000,
                                         "mean_rate_hz": 36.0, "construction_seconds": 2.0, "run_seconds": 0.5}) + "\n"
    outcome = find_adaptor(name).read(job("balanced", name), finished(text))
    assert outcome.times == {"run_seconds": 0.5, "construction_seconds": 2.0}
    assert outcome.derived["real_time_factor"] == 2.5  # 0.5 s for 200 ms
    assert outcome.digest == "" and outcome.result_counters == ("neurons", "synapses")
    with pytest.raises(ValueError):
        find_adaptor(name).read(job("balanced", name), finished("no JSON\n"))


def test_the_output_of_snntorch():
    text = ("framework,version,torch,order,hidden_layers,neurons,activity,last_layer_activity,batch,steps,optimizer,threads,"
            "repeats,median_s,fastest_s,slowest_s\nsnntorch,1.0.0,2.15.0,layers,2,240,0.05,0.0489,8,20,sgd,1,3,0.5,0.4,0.6\n")
    outcome = find_adaptor("snntorch").read(job("training_5_percent", "snntorch"), finished(text))
    assert outcome.results == {"activity": 0.0489} and outcome.times == {"run_seconds": 0.5}
    command = find_adaptor("snntorch").command(job("training_5_percent", "snntorch"))
    assert Path(command[1]).is_file() and command[command.index("--activity") + 1] == "0.05"
