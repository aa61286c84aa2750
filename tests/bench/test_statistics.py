"""Intervals and tests against SciPy, published tables and hand calculations.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from tessera_bench import statistics as own


# Ranks of a 95 % interval of the median, and its coverage in percent (sign test; Conover, Practical Nonparametric
# Statistics, table of the binomial distribution).
@pytest.mark.parametrize("n, rank, coverage", [(5, 0, 0.0), (6, 1, 96.88), (8, 1, 99.22), (9, 2, 96.09), (10, 2, 97.85),
                                               (15, 4, 96.48), (20, 6, 95.86), (25, 8, 95.67), (30, 10, 95.72)])
def test_ranks_of_the_median_are_those_of_the_binomial_table(n, rank, coverage):
    k, reached = own.median_ranks(n)
    assert k == rank
    assert 100 * reached == pytest.approx(coverage, abs=0.006)


@pytest.mark.parametrize("n", range(6, 61))
def test_the_interval_of_the_median_is_that_of_scipy(n):
    values = np.random.default_rng(n).standard_t(3, n)
    interval = own.median_interval(values)
    theirs = stats.quantile_test(values, q=0.0, p=0.5).confidence_interval(0.95)
    assert interval.low == pytest.approx(theirs.low, abs=1e-12)
    assert interval.high == pytest.approx(theirs.high, abs=1e-12)
    k = own.median_ranks(n)[0]
    assert interval.coverage == pytest.approx(1 - 2 * stats.binom.cdf(k - 1, n, 0.5), abs=1e-12)


def test_too_few_values_have_an_infinite_interval():
    interval = own.median_interval([1.0, 2.0, 3.0])
    assert (interval.middle, interval.low, interval.high) == (2.0, -math.inf, math.inf)
    assert math.isnan(own.median_interval([]).middle)


def test_one_wild_value_moves_neither_median_nor_interval():
    values = list(range(1, 21))
    usual = own.median_interval(values)
    assert own.median_interval(values[:-1] + [1e9]) == usual
    assert (usual.low, usual.high) == (6.0, 15.0)


@pytest.mark.parametrize("m, n", [(1, 1), (2, 3), (4, 4), (5, 2)])
def test_rank_sums_are_counted_as_by_listing_all_orders(m, n):
    counted = [0] * (m * n + 1)
    for first in itertools.combinations(range(m + n), m):
        second = [i for i in range(m + n) if i not in first]
        counted[sum(x > y for x in first for y in second)] += 1
    assert list(own.rank_sum_counts(m, n)) == counted


@pytest.mark.parametrize("m, n", [(6, 6), (10, 10), (7, 12), (20, 20)])
def test_the_interval_of_a_shift_is_where_mann_whitney_stops_rejecting(m, n):
    random = np.random.default_rng(m * n)
    x, y = random.normal(size=m), random.normal(1.0, size=n)
    interval = own.shift_interval(x, y)
    differences = y[:, None] - x[None, :]
    assert interval.middle == np.median(differences)

    def p(shift):
        return stats.mannwhitneyu(y - shift, x, method="exact", alternative="two-sided").pvalue
    tiny = 1e-9
    assert p(interval.low + tiny) > 0.05 >= p(interval.low - tiny)
    assert p(interval.high - tiny) > 0.05 >= p(interval.high + tiny)
    assert interval.coverage == pytest.approx(1 - p(interval.low - tiny), abs=1e-12)


def test_a_single_old_value_gives_the_range_and_says_how_much_that_covers():
    # Of n + 1 exchangeable values one is neither smallest nor largest with probability (n - 1) / (n + 1).
    interval = own.shift_interval([0.0], np.arange(1.0, 10.0))
    assert (interval.low, interval.high) == (1.0, 9.0)
    assert interval.coverage == pytest.approx(8 / 10)


def test_welch_is_that_of_scipy():
    random = np.random.default_rng(3)
    for m, n, spread in ((3, 3, 1.0), (5, 20, 0.1), (40, 7, 4.0)):
        x, y = random.normal(size=m), random.normal(0.5, spread, n)
        assert own.welch_p(x, y) == pytest.approx(stats.ttest_ind(x, y, equal_var=False).pvalue, rel=1e-12)


def test_welch_of_values_without_scatter():
    assert own.welch_p([2.0, 2.0], [2.0, 2.0]) == 1.0
    assert own.welch_p([2.0, 2.0], [3.0, 3.0]) == 0.0
    assert own.welch_p([2.0], [3.0, 3.0]) == 1.0  # one value has no variance
