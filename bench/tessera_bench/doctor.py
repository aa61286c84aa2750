"""What this machine can resolve: an A/A session, its noise, and what else would disturb a measurement.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
import shutil
from dataclasses import dataclass

import numpy as np

from . import machine
from .measure import Runner
from .pairs import Pairs, run_pairs
from .statistics import median_ranks
from .verdict import Judgement, Rule, Verdict, detectable_effect
from .statistics import Interval

TOO_COARSE = 0.10  # a machine that cannot see this slowdown in a full session is not judged on


@dataclass(frozen=True)
class Diagnosis:
    """`noise`: scatter of a run (log, robust); `detectable`: with the most pairs of the rule; `pairs`: suggested, or
    None where no number of pairs up to the rule's maximum shows a slowdown of `wanted`."""

    noise: float
    judgement: Judgement
    detectable: float
    pairs: int | None
    wanted: float
    stolen: float
    load: float
    voided: list

    @property
    def able(self) -> bool:
        return (self.detectable <= TOO_COARSE and
                self.judgement.verdict not in (Verdict.REGRESSED, Verdict.IMPROVED))


def robust_spread(log_ratios) -> float:
    """Standard deviation of one run, from the interquartile range of log ratios of two."""
    low, high = np.percentile(log_ratios, [25, 75])
    return float((high - low) / 1.349 / math.sqrt(2.0))


def expected_interval(noise: float, pairs: int, rule: Rule) -> Interval:
    """The interval that normal noise of a run would give around zero: expected order statistics (Blom 1958)."""
    from scipy.special import ndtri

    k, reached = median_ranks(pairs, rule.coverage)
    half = -float(ndtri((k - 0.375) / (pairs + 0.25))) * noise * math.sqrt(2.0) if k else math.inf
    return Interval(0.0, -half, half, reached)


def suggested_pairs(noise: float, wanted: float, rule: Rule) -> int | None:
    for pairs in range(rule.minimum, rule.maximum + 1):
        if detectable_effect(expected_interval(noise, pairs, rule), rule.margin) <= wanted:
            return pairs
    return None


def examine(runner: Runner, pairs: int, rule: Rule, wanted: float = 0.05, say=lambda text: None) -> Diagnosis:
    """Runs `pairs` A/A pairs. Raises RunFailed when the first run of the case fails."""
    stolen_before, load_before = machine.stolen_share(), machine.load()
    first = runner.measure()
    fixed = Rule(rule.margin, rule.coverage, rule.early_coverage, pairs, pairs, pairs, pairs)
    metric = runner.resolved.metrics[0]

    def again():
        return runner.measure(first.outcome.digest)

    found, judgements = run_pairs({"base": again, "head": again}, [metric], fixed, math.inf, say)
    stolen_after = machine.stolen_share()
    ticks = stolen_after[1] - stolen_before[1]
    stolen = (stolen_after[0] - stolen_before[0]) / ticks if ticks > 0 else 0.0
    return diagnosis(found, metric, judgements[metric], rule, wanted, stolen, load_before)


def diagnosis(pairs: Pairs, metric: str, judgement: Judgement, rule: Rule, wanted: float, stolen: float,
              load: float) -> Diagnosis:
    ratios = pairs.log_ratios(metric)
    noise = robust_spread(ratios) if len(ratios) >= 4 else math.inf
    best = (detectable_effect(expected_interval(noise, rule.maximum, rule), rule.margin)
            if math.isfinite(noise) else math.inf)
    return Diagnosis(noise, judgement, best, suggested_pairs(noise, wanted, rule) if math.isfinite(noise) else None,
                     wanted, stolen, load, pairs.voided)


def report(found: Diagnosis, metric: str) -> str:
    this = machine.this_machine()
    lines = [f"machine {this.id}: {this.processor}, {this.cores} cores, {this.memory_bytes / 1e9:.0f} GB, {this.system}",
             f"clock governor: {machine.governor() or 'the system does not say (a virtual machine?)'}",
             f"neighbours: load {found.load:.1f} on {this.cores} cores before the first run, {100 * found.stolen:.1f} % "
             "of the processor taken by other virtual machines"]
    for tool, purpose in (("git", "commits cannot be compared, only programs"), ("cmake", "commits cannot be built"),
                          ("valgrind", "instructions are not counted"), ("mpirun", "cases on several ranks do not run"),
                          ("sbatch", "profiles with a scheduler do not run")):
        if shutil.which(tool) is None:
            lines.append(f"there is no {tool}: {purpose}")
    lines += [f"void: pair {number}: {reason}" for number, _, reason in found.voided]
    lines.append(f"noise of a run ({metric}): {100 * found.noise:.1f} %")
    lines.append(f"the same program against itself: {found.judgement.verdict}")
    lines.append(f"a full session of this rule detects a slowdown of {100 * found.detectable:.1f} %")
    lines.append(f"suggested for {100 * found.wanted:.0f} %: {found.pairs} pairs" if found.pairs else
                 f"no number of pairs that the rule allows shows a slowdown of {100 * found.wanted:.0f} % here")
    if not found.able:
        lines.append("This machine cannot judge now: wait for a quieter hour, pin to cores, or take a longer case.")
    return "\n".join(lines)
