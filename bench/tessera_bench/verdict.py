"""The decision rule: what an interval of the median log ratio says, and when to stop measuring.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from dataclasses import dataclass
from enum import Enum

from .statistics import Interval, median_interval


class Verdict(str, Enum):
    REGRESSED = "REGRESSED"
    IMPROVED = "IMPROVED"
    EQUIVALENT = "EQUIVALENT"
    INCONCLUSIVE = "INCONCLUSIVE"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Rule:
    """Numbers of the rule. `looks` are the numbers of pairs after which the data are judged. Every look is a chance
    to be wrong, so those before the last use a wider interval (docs/benchmarking.md has how often all that errs)."""

    margin: float = 0.03
    coverage: float = 0.95
    early_coverage: float = 0.99
    minimum: int = 10
    maximum: int = 60
    step: int = 10
    confirmation: int = 30

    @property
    def looks(self) -> list[int]:
        return sorted({*range(self.minimum, self.maximum, self.step), self.maximum})


@dataclass(frozen=True)
class Judgement:
    """A verdict, the interval of the median log ratio it rests on, and the smallest slowdown (as a ratio - 1) that
    would have been called so in four of five sessions with this noise and this number of pairs."""

    verdict: Verdict
    interval: Interval
    pairs: int
    detectable: float


def classify(interval: Interval, margin: float) -> Verdict:
    """The whole interval above the margin, below it, inside, or none of these."""
    edge = math.log1p(margin)
    if interval.low > edge:
        return Verdict.REGRESSED
    if interval.high < -edge:
        return Verdict.IMPROVED
    if -edge < interval.low and interval.high < edge:
        return Verdict.EQUIVALENT
    return Verdict.INCONCLUSIVE


def detectable_effect(interval: Interval, margin: float) -> float:
    """With a standard error of half_width / 1.96, the lower end of the interval is above the margin in 80 % of
    sessions when the true effect is half_width + 0.84 standard errors above it."""
    return math.expm1(math.log1p(margin) + interval.half_width * (1.96 + 0.84) / 1.96)


def judge(log_ratios, rule: Rule = Rule(), last: bool = True) -> Judgement:
    """`log_ratios`: log(head / base) of every valid pair; above zero is slower, or more memory. With `last` the
    interval has the coverage of the rule; before, only a wider one may end the session. What is reported is the former."""
    interval = median_interval(log_ratios, rule.coverage)
    if len(log_ratios) < rule.minimum:
        verdict = Verdict.INCONCLUSIVE
    else:
        deciding = interval if last else median_interval(log_ratios, rule.early_coverage)
        verdict = classify(deciding, rule.margin)
    return Judgement(verdict, interval, len(log_ratios), detectable_effect(interval, rule.margin))


def overall(verdicts) -> Verdict:
    """One word for several metrics: the worst, where not knowing is worse than an improvement."""
    found = list(verdicts)
    for word in (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED):
        if word in found:
            return word
    return Verdict.EQUIVALENT if found else Verdict.INCONCLUSIVE
