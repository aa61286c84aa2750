"""Intervals and tests. Nothing here assumes a shape of the noise, except Welch's test in the history.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A value with an interval around it, and how often such an interval holds the true value."""

    middle: float
    low: float
    high: float
    coverage: float

    @property
    def half_width(self) -> float:
        return 0.5 * (self.high - self.low)


@lru_cache(maxsize=None)
def median_ranks(n: int, coverage: float = 0.95) -> tuple[int, float]:
    """The largest k for which (x_(k), x_(n+1-k)) holds the median with at least `coverage`, and that probability.

    The number of values below the median is binomial with probability 1/2, so the interval misses with
    2 P(Bin(n, 1/2) <= k - 1). Returns (0, 0.0) where even the whole range is not enough (n < 6 for 95 %).
    """
    tail, best = 0, (0, 0.0)
    for k in range(1, n // 2 + 1):
        tail += math.comb(n, k - 1)  # exact integers: no rounding before the last division
        reached = 1.0 - 2.0 * (tail / 2**n)
        if reached < coverage:
            break
        best = (k, reached)
    return best


def median_interval(values, coverage: float = 0.95) -> Interval:
    """The median and its order-statistic interval; infinite where there are too few values."""
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n == 0:
        return Interval(math.nan, -math.inf, math.inf, 0.0)
    middle = float(np.median(ordered))
    k, reached = median_ranks(n, coverage)
    if k == 0:
        return Interval(middle, -math.inf, math.inf, 1.0)
    return Interval(middle, float(ordered[k - 1]), float(ordered[n - k]), reached)


@lru_cache(maxsize=None)
def rank_sum_counts(m: int, n: int) -> tuple[int, ...]:
    """How many of the orders of m + n values have a Mann-Whitney statistic of 0, 1, ..., m n."""
    ways = {(0, j): [1] for j in range(n + 1)} | {(i, 0): [1] for i in range(m + 1)}
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            # The largest value is of the first sample (and above all j of the second) or of the second.
            first, second = ways[i - 1, j], ways[i, j - 1]
            total = [0] * (i * j + 1)
            for u, count in enumerate(first):
                total[u + j] += count
            for u, count in enumerate(second):
                total[u] += count
            ways[i, j] = total
    return tuple(ways[m, n])


def shift_interval(first, second, coverage: float = 0.95) -> Interval:
    """By how much `second` is above `first`: median of all differences, with the exact interval of
    Mann-Whitney's test (Hodges and Lehmann 1963). Where there are too few values for `coverage` the interval is the
    whole range of differences, and its coverage says so."""
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    differences = np.sort((y[:, None] - x[None, :]).ravel())
    counts = rank_sum_counts(len(x), len(y))
    total, tail, k = math.comb(len(x) + len(y), len(x)), 0, 0
    reached = 1.0 - 2.0 * counts[0] / total
    for u in range(len(differences) // 2):
        tail += counts[u]
        if 1.0 - 2.0 * tail / total < coverage:
            break
        k, reached = u, 1.0 - 2.0 * tail / total
    return Interval(float(np.median(differences)), float(differences[k]), float(differences[-1 - k]), reached)


def welch_p(first, second) -> float:
    """Probability of means at least this different when there is no difference (two-sided, variances with ddof = 1,
    Welch's degrees of freedom)."""
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(len(x), len(y)) < 2:
        return 1.0
    vx, vy = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    difference = float(y.mean() - x.mean())
    if vx + vy == 0.0:
        return 1.0 if difference == 0.0 else 0.0
    freedom = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1))
    from scipy.special import stdtr  # late: only the history needs it, and importing it takes a while

    return float(2.0 * stdtr(freedom, -abs(difference) / math.sqrt(vx + vy)))
