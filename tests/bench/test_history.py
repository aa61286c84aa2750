"""Change points: E-divisive against its definition, Welch's test, known breaks.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math

import numpy as np
import pytest

from tessera_bench import history


def direct(x, y):
    """Q as Matteson and James (2014) write it, with loops."""
    m, n = len(x), len(y)
    between = sum(abs(a - b) for a in x for b in y) * 2 / (m * n)
    first = sum(abs(x[i] - x[k]) for i in range(m) for k in range(i)) / math.comb(m, 2)
    second = sum(abs(y[i] - y[k]) for i in range(n) for k in range(i)) / math.comb(n, 2)
    return m * n / (m + n) * (between - first - second)


def test_divergences_are_those_of_the_definition():
    values = np.random.default_rng(2).normal(size=14)
    q = history.divergences(values)
    for k in range(history.SMALLEST, 14 - history.SMALLEST + 1):
        assert q[k] == pytest.approx(direct(values[:k], values[k:]), abs=1e-12)
    assert np.isneginf(q[:history.SMALLEST]).all() and np.isneginf(q[14 - history.SMALLEST + 1:]).all()


def test_a_step_is_found_where_it_is():
    random = np.random.default_rng(4)
    values = np.concatenate([random.normal(1.0, 0.01, 20), random.normal(1.1, 0.01, 15)])
    changes = history.change_points(values)
    assert [c.at for c in changes] == [20]
    assert changes[0].log_ratio == pytest.approx(math.log(1.1), abs=0.01)
    assert changes[0].p < 1e-6


def test_two_steps_are_found_and_a_spike_is_not():
    random = np.random.default_rng(5)
    values = np.concatenate([random.normal(m, 0.01, 15) for m in (1.0, 0.8, 1.2)])
    assert [c.at for c in history.change_points(values)] == [15, 30]
    values = random.normal(1.0, 0.01, 30)
    values[12] = 1.5  # one bad day
    assert history.change_points(values) == []


def test_noise_alone_has_no_change_points():
    # The threshold is p = 0.001 for the best of the splits: of 100 series a few may be called changed.
    random = np.random.default_rng(6)
    found = sum(bool(history.change_points(random.lognormal(0, 0.05, 30))) for _ in range(100))
    assert found <= 5


def test_constant_and_short_series():
    assert history.change_points([1.0] * 20) == []
    assert history.change_points([1.0, 2.0]) == []
    assert [c.at for c in history.change_points([1.0] * 5 + [2.0] * 5)] == [5]


def run(session, commit, seconds, time, **changes):
    record = {"type": "run", "hash": f"{session}{seconds}", "session": session, "time": time,
              "subject": {"commit": commit, "binaries": {"tessera": commit}, "adaptor": "tessera"},
              "case": {"name": "plain", "size": "full", "definition_hash": "d"}, "machine": {"id": "m"},
              "execution": {"profile_hash": "p", "ranks": 1, "threads": 2}, "times": {"run_seconds": seconds},
              "phases": {"deliver": {"mean": 0.5 * seconds}}, "memory": {"peak_resident_bytes": 7}}
    for key, value in changes.items():
        record[key] = {**record[key], **value}
    return record


def test_a_point_is_the_median_of_a_session_and_points_follow_time():
    records = [run("b", "2", 5.0, "2026-02"), run("a", "1", 1.0, "2026-01"), run("a", "1", 3.0, "2026-01"),
               run("a", "1", 2.0, "2026-01"), {"type": "session"}]
    (points,) = history.series(records, "run_seconds").values()
    assert [(p.commit, p.value, p.runs) for p in points] == [("1", 2.0, 3), ("2", 5.0, 1)]


@pytest.mark.parametrize("changes", [{"machine": {"id": "other"}}, {"case": {"definition_hash": "other"}},
                                     {"execution": {"threads": 1}}, {"execution": {"profile_hash": "other"}}])
def test_only_what_may_be_compared_is_on_one_line(changes):
    records = [run("a", "1", 1.0, "2026-01"), run("b", "2", 2.0, "2026-02", **changes)]
    assert len(history.series(records, "run_seconds")) == 2


def test_metrics_are_found_by_the_names_of_definitions():
    record = run("a", "1", 4.0, "2026-01")
    assert history.value_of(record, "run_seconds") == 4.0
    assert history.value_of(record, "deliver_seconds") == 2.0
    assert history.value_of(record, "peak_resident_bytes") == 7
    assert history.value_of(record, "nothing") is None
