"""The decision rule: words, margins, when to stop, and how often it errs.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math

import numpy as np
import pytest

from tessera_bench import simulate
from tessera_bench.statistics import Interval
from tessera_bench.verdict import Rule, Verdict, classify, detectable_effect, judge, overall

EDGE = math.log1p(0.03)


def interval(low, high):
    return Interval(0.5 * (low + high), low, high, 0.95)


@pytest.mark.parametrize("low, high, word", [
    (EDGE + 1e-9, 0.2, Verdict.REGRESSED), (EDGE, 0.2, Verdict.INCONCLUSIVE), (-0.2, -EDGE - 1e-9, Verdict.IMPROVED),
    (-0.2, -EDGE, Verdict.INCONCLUSIVE), (-EDGE + 1e-9, EDGE - 1e-9, Verdict.EQUIVALENT), (-0.2, 0.2, Verdict.INCONCLUSIVE),
    (0.0, EDGE, Verdict.INCONCLUSIVE), (-math.inf, math.inf, Verdict.INCONCLUSIVE)])
def test_the_whole_interval_must_be_on_one_side_of_the_margin(low, high, word):
    assert classify(interval(low, high), 0.03) is word


def test_swapping_base_and_head_swaps_the_words():
    ratios = np.random.default_rng(1).normal(0.08, 0.02, 30)
    assert judge(ratios).verdict is Verdict.REGRESSED
    assert judge(-ratios).verdict is Verdict.IMPROVED


def test_ten_pairs_are_needed_however_clear_they_are():
    assert judge([0.5] * 9).verdict is Verdict.INCONCLUSIVE
    assert judge([0.5] * 10).verdict is Verdict.REGRESSED


def test_an_early_look_needs_more_than_the_last_one():
    # Ten values: the 95 % interval is from the second smallest, the 99 % one is the whole range (coverage 99.8 %).
    ratios = [0.0] + [0.1] * 9
    assert judge(ratios, last=True).verdict is Verdict.REGRESSED
    assert judge(ratios, last=False).verdict is Verdict.INCONCLUSIVE


def test_looks_begin_at_the_minimum_and_end_at_the_maximum():
    assert Rule().looks == [10, 20, 30, 40, 50, 60]
    assert Rule(minimum=10, maximum=25).looks == [10, 20, 25]
    assert Rule(minimum=30, maximum=30).looks == [30]


def test_the_detectable_effect_is_the_margin_when_there_is_no_noise():
    assert detectable_effect(interval(0.0, 0.0), 0.03) == pytest.approx(0.03)


def test_the_detectable_effect_is_detected_in_four_of_five_sessions():
    # Normal noise of 4 % and 60 pairs, judged once. Two standard errors of a share of 400 sessions are 4 %.
    random = np.random.default_rng(5)
    sessions = random.normal(0.0, 0.04 * math.sqrt(2), (400, 60))
    effect = np.median([judge(s).detectable for s in sessions])
    found = np.mean([judge(s + math.log1p(effect)).verdict is Verdict.REGRESSED for s in sessions])
    assert 0.72 <= found <= 0.88


def test_the_worst_word_wins():
    R, I, E, U = Verdict.REGRESSED, Verdict.IMPROVED, Verdict.EQUIVALENT, Verdict.INCONCLUSIVE
    assert overall([E, I, U, R]) is R
    assert overall([E, I, U]) is U
    assert overall([E, I]) is I
    assert overall([E, E]) is E
    assert overall([]) is U


@pytest.mark.parametrize("kind", simulate.NOISES)
def test_equal_programs_are_seldom_called_different(kind):
    # 300 sessions: three false alarms would be 1 %, five times what the table of the documentation has.
    found = simulate.simulate(0.0, kind, 0.06, 300, seed=11)
    assert found.shares[Verdict.REGRESSED] + found.shares[Verdict.IMPROVED] <= 0.01


def test_a_slowdown_of_ten_percent_is_found_in_quiet_sessions_and_never_called_equal():
    found = simulate.simulate(0.10, "normal", 0.03, 200, seed=11)
    assert found.shares[Verdict.REGRESSED] >= 0.99
    noisy = simulate.simulate(0.10, "bursts", 0.12, 200, seed=11)
    assert noisy.shares[Verdict.EQUIVALENT] == noisy.shares[Verdict.IMPROVED] == 0.0


def test_drift_is_cancelled_by_the_order_of_pairs():
    # A machine that becomes a tenth of a percent slower with every run: pairs ABBA see +d, -d, +d, ...
    times = 0.001 * np.arange(120).reshape(-1, 2)
    ratios = times[:, 1] - times[:, 0]
    ratios[1::2] *= -1
    assert np.median(ratios) == pytest.approx(0.0, abs=1e-12)


def test_the_table_repeats_with_its_seed():
    assert simulate.table(3, seed=2) == simulate.table(3, seed=2)
    assert simulate.table(3, seed=2) != simulate.table(3, seed=3)
