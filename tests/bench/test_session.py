"""Sessions with planned times: every verdict, every way a run may fail.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from pathlib import Path

import numpy as np
import planned_simulator
import pytest

from tessera_bench import instructions, pairs, process
from tessera_bench.adaptors import Outcome
from tessera_bench.builds import Subject
from tessera_bench.definitions import Library
from tessera_bench.errors import BenchError, RunFailed
from tessera_bench.instructions import Instructions
from tessera_bench.measure import Measurement, Runner
from tessera_bench.process import Finished
from tessera_bench.resolve import resolve
from tessera_bench.session import Comparison, Settings
from tessera_bench.verdict import Rule, Verdict


@pytest.fixture
def compare(workplace, monkeypatch):
    """compare(base plan, head plan, **settings) -> (session, comparison). No process is started: those of the command's
    own tests are real."""
    calls = {"base": 0, "head": 0}
    plans = {}

    def planned(command, folder, *_):
        side = Path(command[0]).name
        found = planned_simulator.report({**planned_simulator.PLAN, **plans[side]}, calls[side])
        calls[side] += 1
        if found["fail"]:
            return Finished(3, False, 1.0, 1.0, 1, "", found["fail"])
        planned_simulator.write(found, command)
        return Finished(0, False, 1.0, 1.0, 1, "", "")

    def make(base: dict, head: dict, extra: str = "", **settings):
        plans.update(base=base, head=head)
        monkeypatch.setattr(process, "run", planned)
        plain = workplace / "definitions" / "what" / "plain.toml"
        plain.write_text(plain.read_text() + extra)
        one = resolve(Library([workplace / "definitions"]), "plain", "here", "planned", "full")
        runners = []
        for name in ("base", "head"):
            (workplace / name).touch()
            runners.append(Runner(one, Subject({"tessera": workplace / name}, workplace, {"adaptor": "tessera"}), workplace))
        settings = {"count_instructions": False, "rule": Rule(minimum=10, maximum=20), **settings}
        comparison = Comparison(*runners, None, Settings(**settings))
        return comparison.run(), comparison
    return make


class Run:
    """A measurement whose every metric is the exponential of a number."""

    def __init__(self, value: float):
        self.value = value

    def metric(self, _) -> float:
        return math.exp(self.value)


def noise(n: int, seed: int, spread: float = 0.01, factor: float = 1.0) -> list[float]:
    return [float(factor * math.exp(x)) for x in np.random.default_rng(seed).normal(0, spread, n)]


@pytest.mark.parametrize("factor, word", [(1.0, Verdict.EQUIVALENT), (1.1, Verdict.REGRESSED), (0.9, Verdict.IMPROVED)])
def test_times_decide_when_the_result_is_the_same(compare, factor, word):
    session, _ = compare({"seconds": noise(97, 1)}, {"seconds": noise(89, 2, factor=factor)})
    assert (session.verdict, session.by) == (word, "metrics")
    assert session.judgements["run_seconds"].interval.middle == pytest.approx(math.log(factor), abs=0.02)
    assert session.judgements["peak_resident_bytes"].verdict is Verdict.EQUIVALENT


def test_memory_decides_like_time(compare):
    session, _ = compare({}, {"bytes": 11_000_000})
    assert session.verdict is Verdict.REGRESSED
    assert session.judgements["run_seconds"].verdict is Verdict.EQUIVALENT
    assert session.judgements["peak_resident_bytes"].verdict is Verdict.REGRESSED


def test_noise_is_inconclusive_and_says_what_it_could_have_shown(compare):
    session, _ = compare({"seconds": noise(97, 1, 0.3)}, {"seconds": noise(89, 2, 0.3)})
    assert session.verdict is Verdict.INCONCLUSIVE
    assert session.judgements["run_seconds"].pairs == 20
    assert session.judgements["run_seconds"].detectable > 0.1


def test_another_digest_is_found_in_one_run_of_each(compare):
    session, comparison = compare({}, {"digest": "00000000000000bb"})
    assert (session.verdict, session.by) == (Verdict.REGRESSED, "result")
    assert session.reasons[0] == "digest: 00000000000000aa became 00000000000000bb"
    assert comparison.records == [] and session.judgements == {}


def test_a_thousandth_more_events_are_found_in_one_run_of_each(compare):
    session, _ = compare({}, {"events": 5005})
    assert (session.verdict, session.by) == (Verdict.REGRESSED, "result")
    assert "synaptic_events: 5000 became 5005 (+0.1 %)" in session.reasons


def test_more_work_for_the_same_result(compare):
    session, _ = compare({}, {"visits": 51})
    assert (session.verdict, session.by) == (Verdict.REGRESSED, "work")
    assert session.reasons == ["row_visits: 50 became 51 (+2 %)"]


def test_less_work_is_told_and_times_decide(compare):
    session, _ = compare({}, {"visits": 49})
    assert session.verdict is Verdict.EQUIVALENT
    assert "row_visits: 50 became 49 (-2 %)" in session.notes


def test_results_that_may_differ_are_told_and_times_compared(compare):
    session, _ = compare({}, {"digest": "00000000000000bb", "events": 9000, "visits": 70}, results_may_differ=True)
    assert session.verdict is Verdict.EQUIVALENT
    assert any(note.startswith("digest") for note in session.notes)


def test_a_wrong_result_is_wrong_on_both_sides(compare):
    with pytest.raises(RunFailed, match="base gives no result to compare with: its result is wrong: synapses is 1000, not 7"):
        compare({}, {}, extra="check.counters = { synapses = 7 }\n")


def test_a_head_that_crashes_regresses(compare):
    session, _ = compare({}, {"fail": "no such weight"})
    assert (session.verdict, session.by) == (Verdict.REGRESSED, "result")
    assert "ended with exit code 3: no such weight" in session.reasons[0]


def test_a_base_that_crashes_is_no_verdict(compare):
    with pytest.raises(RunFailed, match="the base gives no result to compare with: it ended with exit code 3"):
        compare({"fail": "broken"}, {})


def test_a_crash_voids_its_pair_and_is_told(compare):
    # The fifth call of head is in the fourth pair (the first call is the exact check).
    session, comparison = compare({}, {"fail": ["", "", "", "", "out of luck"] + [""] * 100})
    assert session.verdict is Verdict.EQUIVALENT
    assert [(n, side) for n, side, _ in session.pairs.voided] == [(3, "head")]
    assert "out of luck" in session.pairs.voided[0][2]
    assert {pair for _, pair, _ in comparison.records} == set(range(11)) - {3}


def test_a_wrong_digest_in_one_run_voids_its_pair(compare):
    digests = ["00000000000000aa"] * 3 + ["00000000000000cc"] + ["00000000000000aa"] * 100
    session, _ = compare({"digest": digests}, {})
    ((number, side, reason),) = session.pairs.voided
    assert (number, side) == (2, "base")
    assert "the digest is 00000000000000cc, and was 00000000000000aa before" in reason


def test_a_time_out_voids_its_pair():
    def measure():
        return Run(0.0)
    calls = iter(range(100))

    def hangs():  # as process.run reports it; test_process has a real one
        if next(calls) == 2:
            raise RunFailed("it took longer than 60 s and was ended")
        return Run(0.0)
    found, _ = pairs.run_pairs({"base": measure, "head": hangs}, ["x"], Rule(minimum=10, maximum=10), 1e9)
    assert found.voided == [(2, "head", "it took longer than 60 s and was ended")]
    assert [pair.number for pair in found.valid] == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_side_that_goes_on_failing_ends_the_session(compare):
    session, comparison = compare({}, {"fail": ["", "x", "x", "x", "x", "x", "x", "x"]})
    assert session.verdict is Verdict.INCONCLUSIVE
    assert len(session.pairs.voided) == pairs.MOST_VOIDS
    assert "5 pairs are void" in session.notes
    assert comparison.records == []


def test_the_control_voids_a_session_in_which_the_machine_changed(compare):
    # The order is A0 B0 | B1 A1 | A2 B2 | B3 A3 | ...; neighbours of one side are B0 B1, A1 A2, B2 B3, A3 A4, and the
    # control takes them with signs + + - -. So these times, which grow and shrink in that rhythm, look like a change.
    base = [1.0] + [1.3 if i % 4 in (2, 3) else 1.0 for i in range(60)]   # A1 1, A2 1.3; A3 1.3, A4 1
    head = [1.0] + [1.3 if i % 4 in (1, 2) else 1.0 for i in range(60)]   # B0 1, B1 1.3; B2 1.3, B3 1
    session, _ = compare({"seconds": base}, {"seconds": head})
    assert session.control["run_seconds"].verdict is Verdict.REGRESSED
    assert (session.verdict, session.by) == (Verdict.INCONCLUSIVE, "control")
    assert "runs of one and the same side differ" in session.reasons[0]


def test_a_gate_confirms_with_fresh_pairs(compare):
    rule = Rule(minimum=10, maximum=20, confirmation=12)
    slow = {"seconds": 1.2}
    session, comparison = compare({}, slow, confirm=True, rule=rule)
    assert session.verdict is Verdict.REGRESSED
    assert session.confirmation["run_seconds"].pairs == 12
    assert sum(pair >= 1000 for _, pair, _ in comparison.records) == 24


def test_what_fresh_pairs_do_not_confirm_is_inconclusive(compare):
    rule = Rule(minimum=10, maximum=10, confirmation=12)
    # Head is slow in the exact check and in ten pairs, and then no more.
    session, _ = compare({}, {"seconds": [1.2] * 11 + [1.0] * 100}, confirm=True, rule=rule)
    assert session.verdict is Verdict.INCONCLUSIVE
    assert session.reasons == ["12 fresh pairs do not confirm the regression"]


def test_a_budget_ends_a_session():
    now = [0.0]

    def measure():
        now[0] += 10.0
        return Run(0.0)
    found, judgements = pairs.run_pairs({"base": measure, "head": measure}, ["x"], Rule(), 100.0, clock=lambda: now[0])
    # Five pairs of 20 s fit into 100 s; a sixth would not.
    assert len(found.valid) == 5 and "budget of 100 s" in found.reason_to_stop
    assert judgements["x"].verdict is Verdict.INCONCLUSIVE


def test_sides_take_turns():
    assert [pairs.order(i)[0] for i in range(4)] == ["base", "head", "base", "head"]
    calls = []
    measure = {side: (lambda side=side: calls.append(side) or Run(0.0)) for side in ("base", "head")}
    pairs.run_pairs(measure, ["x"], Rule(minimum=10, maximum=10), 1e9)
    assert "".join(side[0] for side in calls) == "bhhb" * 5


def test_the_control_is_made_of_neighbours_of_one_side():
    # In the order of time: A0 B1 | B2 A3 | A4 B5 | B6 A7 | A8 B9, each a step slower than the one before.
    order = [(0, 1), (3, 2), (4, 5), (7, 6), (8, 9)]
    found = pairs.Pairs([pairs.Pair(i, Run(a), Run(b)) for i, (a, b) in enumerate(order)])
    assert found.control_ratios("x") == pytest.approx([1, 1, -1, -1])  # B2-B1, A4-A3, -(B6-B5), -(A8-A7)
    assert found.log_ratios("x") == pytest.approx([1, -1, 1, -1, 1])
    del found.valid[1]  # a void pair leaves no neighbours
    assert found.control_ratios("x") == pytest.approx([-1, -1])


def test_a_metric_that_is_not_there():
    run = Measurement(Outcome(times={"run_seconds": 1.0}), 1.0, 1.0)
    with pytest.raises(BenchError, match="no metric 'speed' in this run; there are .*run_seconds"):
        run.metric("speed")


@pytest.mark.parametrize("base, head, word, warns", [
    (10**9, 10**9, Verdict.EQUIVALENT, False), (10**9, 1_006_000_000, Verdict.EQUIVALENT, True),
    (10**9, 1_011_000_000, Verdict.REGRESSED, True), (10**9, 980_000_000, Verdict.IMPROVED, True)])
def test_instructions_warn_at_half_a_percent_and_fail_at_one(base, head, word, warns):
    counted = Instructions(base, head)
    assert (counted.verdict, counted.warns) == (word, warns)


def test_instructions_are_read_from_the_file_of_callgrind():
    text = "# callgrind format\nversion: 1\nevents: Ir\nsummary: 123456\n\nfn=(1) main\n"
    assert instructions.read_total(text) == 123456
    assert instructions.read_total("events: Ir\ntotals: 77\n") == 77
    with pytest.raises(ValueError):
        instructions.read_total("nothing")


@pytest.mark.parametrize("counts, seconds, word, by", [
    ((10**9, 1_020_000_000), 1.0, Verdict.EQUIVALENT, "metrics"),  # more instructions that cost nothing
    ((10**9, 1_020_000_000), 1.2, Verdict.REGRESSED, "instructions"),
    ((10**9, 10**9), 1.2, Verdict.REGRESSED, "metrics")])
def test_instructions_and_times_together(compare, monkeypatch, counts, seconds, word, by):
    monkeypatch.setattr(Comparison, "_count", lambda self: Instructions(*counts))
    session, _ = compare({}, {"seconds": seconds})
    assert (session.verdict, session.by) == (word, by)


def test_instructions_decide_where_times_cannot(compare, monkeypatch):
    monkeypatch.setattr(Comparison, "_count", lambda self: Instructions(10**9, 1_020_000_000))
    session, _ = compare({"seconds": noise(97, 1, 0.3)}, {"seconds": noise(89, 2, 0.3)})
    assert (session.verdict, session.by, session.reasons) == (Verdict.REGRESSED, "instructions", ["+2.00 % instructions"])


def test_no_callgrind_is_a_sentence(monkeypatch, compare):
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.compare(None, None).reason == "there is no callgrind (valgrind) on this machine"
