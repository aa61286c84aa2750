"""How often the decision rule is wrong: sessions of invented noise with a known effect.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from dataclasses import dataclass

import numpy as np

from .verdict import Rule, Verdict, judge

NOISES = ("normal", "heavy", "bursts", "drift")


@dataclass(frozen=True)
class Outcome:
    """Shares of sessions by verdict, the mean number of pairs, and the median of the effect said to be detectable."""

    shares: dict[Verdict, float]
    pairs: float
    detectable: float


def log_times(kind: str, spread: float, runs: int, random: np.random.Generator) -> np.ndarray:
    """Logarithms of the times of `runs` processes one after the other, without any effect."""
    if kind == "normal":
        return spread * random.standard_normal(runs)
    if kind == "heavy":  # Student's t with three degrees of freedom, scaled to the same interquartile range
        return spread * 0.6745 / 0.7649 * random.standard_t(3, runs)
    if kind == "bursts":  # a neighbour comes for about ten runs at a time and slows them by 5 to 40 %
        noise, left, slow = spread * random.standard_normal(runs), 0, 0.0
        for i in range(runs):
            if left == 0 and random.random() < 0.03:
                left, slow = 1 + random.geometric(0.1), random.uniform(0.05, 0.34)
            if left > 0:
                noise[i] += slow
                left -= 1
        return noise
    if kind == "drift":  # the machine becomes faster and slower by a third within the session
        phase = random.uniform(0, 2 * math.pi)
        return spread * random.standard_normal(runs) + 0.15 * np.sin(phase + np.arange(runs) * 2 * math.pi / 60)
    raise ValueError(kind)


def session(effect: float, kind: str, spread: float, random: np.random.Generator, rule: Rule):
    """One session: ABBA pairs, judged at every look. Returns the last judgement."""
    times = log_times(kind, spread, 2 * rule.maximum, random).reshape(-1, 2)
    ratios = times[:, 1] - times[:, 0]
    ratios[1::2] *= -1.0  # every other pair runs head first
    ratios += math.log1p(effect)
    for look in rule.looks:
        judgement = judge(ratios[:look], rule, last=look == rule.maximum)
        if judgement.verdict is not Verdict.INCONCLUSIVE:
            break
    return judgement


def simulate(effect: float, kind: str, spread: float, sessions: int, seed: int, rule: Rule = Rule()) -> Outcome:
    random = np.random.default_rng([seed, NOISES.index(kind), round(1e4 * spread), round(1e4 * (1 + effect))])
    found = [session(effect, kind, spread, random, rule) for _ in range(sessions)]
    shares = {word: sum(j.verdict is word for j in found) / sessions for word in Verdict}
    return Outcome(shares, float(np.mean([j.pairs for j in found])),
                   float(np.median([j.detectable for j in found])))


def table(sessions: int, seed: int, rule: Rule = Rule()) -> str:
    """The table of docs/benchmarking.md, in Markdown."""
    lines = ["| noise of a run | effect | REGRESSED | IMPROVED | EQUIVALENT | INCONCLUSIVE | pairs | detectable |",
             "|---|---|---|---|---|---|---|---|"]
    for kind in NOISES:
        for spread in (0.01, 0.03, 0.06, 0.12):
            for effect in (0.0, 0.05, 0.10):
                o = simulate(effect, kind, spread, sessions, seed, rule)
                words = " | ".join(f"{100 * o.shares[w]:.1f} %" for w in (
                    Verdict.REGRESSED, Verdict.IMPROVED, Verdict.EQUIVALENT, Verdict.INCONCLUSIVE))
                lines.append(f"| {kind}, {100 * spread:.0f} % | {100 * effect:+.0f} % | {words} | {o.pairs:.0f} | "
                             f"{100 * o.detectable:.1f} % |")
    return "\n".join(lines)
