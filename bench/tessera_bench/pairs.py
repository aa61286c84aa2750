"""Pairs of fresh processes in the order A B B A, and the control that they contain.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
import time
from dataclasses import dataclass, field

from .errors import RunFailed
from .measure import Measurement
from .verdict import Judgement, Rule, Verdict, judge

MOST_VOIDS = 5


@dataclass
class Pair:
    """Both sides of a valid pair, by the number of the pair."""

    number: int
    base: Measurement
    head: Measurement


@dataclass
class Pairs:
    """Pairs so far; `voided` are those in which a side failed: number, side, reason."""

    valid: list[Pair] = field(default_factory=list)
    voided: list[tuple[int, str, str]] = field(default_factory=list)
    reason_to_stop: str = ""

    def log_ratios(self, metric: str) -> list[float]:
        return [log_ratio(pair.base.metric(metric), pair.head.metric(metric)) for pair in self.valid]

    def control_ratios(self, metric: str) -> list[float]:
        """The order is A B, B A, A B, ...: two runs of the same side stand next to each other between two pairs. Their
        log ratios, with signs + + - - so that each side is counted in both directions and drifts cancel, are an A/A
        experiment in the same minutes: it costs nothing, and a session in which it shows a change does not count."""
        found = []
        for first, second in zip(self.valid, self.valid[1:]):
            if second.number != first.number + 1:
                continue
            side = "head" if first.number % 2 == 0 else "base"
            ratio = log_ratio(getattr(first, side).metric(metric), getattr(second, side).metric(metric))
            found.append(ratio if first.number // 2 % 2 == 0 else -ratio)
        return found


def log_ratio(base: float, head: float) -> float:
    if base <= 0 or head <= 0:
        return 0.0 if base == head else math.copysign(math.inf, head - base)
    return math.log(head / base)


def order(number: int) -> tuple[str, str]:
    return ("base", "head") if number % 2 == 0 else ("head", "base")


def run_pair(number: int, measure: dict, pairs: Pairs) -> bool:
    """Runs pair `number`; `measure` has a function for each side. A side that fails voids the pair."""
    found: dict[str, Measurement] = {}
    for side in order(number):
        try:
            found[side] = measure[side]()
        except RunFailed as failed:
            pairs.voided.append((number, side, str(failed)))
            return False
    pairs.valid.append(Pair(number, found["base"], found["head"]))
    return True


def run_pairs(measure: dict, metrics: list[str], rule: Rule, budget: float, say=lambda text: None,
              clock=time.monotonic) -> tuple[Pairs, dict[str, Judgement]]:
    """Pairs until every metric is decided at a look, the rule's maximum is reached, `budget` seconds are used up, or
    too many pairs are void. Returns them and the last judgement of each metric."""
    pairs, start, longest, number = Pairs(), clock(), 0.0, 0
    judgements = {metric: judge([], rule) for metric in metrics}
    while len(pairs.valid) < rule.maximum:
        before = clock()
        if before - start + longest > budget:
            pairs.reason_to_stop = f"the budget of {budget:.0f} s is used up"
            break
        counted = run_pair(number, measure, pairs)
        number += 1
        longest = max(longest, clock() - before)
        if len(pairs.voided) >= MOST_VOIDS:
            pairs.reason_to_stop = f"{len(pairs.voided)} pairs are void"
            break
        if counted and len(pairs.valid) in rule.looks:
            judgements = {m: judge(pairs.log_ratios(m), rule, last=len(pairs.valid) == rule.maximum) for m in metrics}
            say(f"{len(pairs.valid)} pairs: " + ", ".join(f"{m} {j.verdict}" for m, j in judgements.items()))
            if all(j.verdict is not Verdict.INCONCLUSIVE for j in judgements.values()):
                return pairs, judgements
    return pairs, {metric: judge(pairs.log_ratios(metric), rule) for metric in metrics}


def control_of(pairs: Pairs, metrics: list[str], rule: Rule) -> dict[str, Judgement]:
    """Judged as pairs are; six values are enough, because an interval of fewer is infinite."""
    small = Rule(rule.margin, rule.coverage, rule.early_coverage, 6, rule.maximum, rule.step, rule.confirmation)
    return {metric: judge(pairs.control_ratios(metric), small) for metric in metrics}
