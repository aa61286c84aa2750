"""A session: two subjects, one case, one verdict. Exact things first, then instructions, then times.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
import secrets
import time
from dataclasses import dataclass, field

from . import __version__, check, instructions
from .errors import RunFailed
from .machine import this_machine
from .measure import Measurement, Runner, now, resolved_as_record, run_record
from .pairs import Pairs, control_of, run_pairs
from .verdict import Judgement, Rule, Verdict, overall


@dataclass
class Session:
    """What a comparison found. `by`: which step of the rule decided: result, work, instructions, control, metrics."""

    verdict: Verdict
    by: str
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    judgements: dict[str, Judgement] = field(default_factory=dict)
    control: dict[str, Judgement] = field(default_factory=dict)
    confirmation: dict[str, Judgement] = field(default_factory=dict)
    counted: instructions.Instructions | None = None
    pairs: Pairs = field(default_factory=Pairs)
    identifier: str = field(default_factory=lambda: secrets.token_hex(8))
    seconds: float = 0.0
    measured_seconds: float = 0.0

    @property
    def tool_share(self) -> float:
        """The part of the session in which nothing was measured."""
        return 1.0 - self.measured_seconds / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class Settings:
    rule: Rule = Rule()
    budget: float = 600.0
    confirm: bool = False
    count_instructions: bool = True
    results_may_differ: bool = False


class Comparison:
    """Runs a session of two runners with the same case. `small`: runners for counting instructions, or None."""

    def __init__(self, base: Runner, head: Runner, small: tuple[Runner, Runner] | None, settings: Settings,
                 say=lambda text: None):
        self.runners = {"base": base, "head": head}
        self.small, self.settings, self.say = small, settings, say
        self.expected: dict[str, str] = {}
        self.spent = 0.0
        self.records: list[tuple[str, int, Measurement]] = []

    def _measure(self, side: str) -> Measurement:
        found = self.runners[side].measure(self.expected.get(side))
        self.spent += found.wall_seconds
        return found

    def run(self) -> Session:
        start = time.monotonic()
        session = self._exact()
        if session is None:
            session = self._timed()
        session.seconds = time.monotonic() - start
        session.measured_seconds = self.spent
        return session

    def _exact(self) -> Session | None:
        """One run of each side: the result, then the work. A session when these decide already.
        Raises RunFailed when the base does not give its result."""
        first: dict[str, Measurement] = {}
        try:
            first["base"] = self._measure("base")
        except RunFailed as failed:
            raise RunFailed(f"the base gives no result to compare with: {failed}") from None
        try:
            first["head"] = self._measure("head")
        except RunFailed as failed:
            return Session(Verdict.REGRESSED, "result", [f"the head gives no result: {failed}"])
        base, head = first["base"].outcome, first["head"].outcome
        self.expected = {side: found.outcome.digest for side, found in first.items()}
        self.notes = []
        different = check.difference(base, head)
        if different and not self.settings.results_may_differ:
            return Session(Verdict.REGRESSED, "result", [*different, "times of different results are not compared"])
        self.notes += different
        work, grew = check.work_difference(base, head)
        if grew and not different:
            return Session(Verdict.REGRESSED, "work", work)
        self.notes += work
        return None

    def _timed(self) -> Session:
        metrics, rule = self.runners["base"].resolved.metrics, self.settings.rule
        counted = self._count()
        measure = {side: (lambda side=side: self._measure(side)) for side in self.runners}
        pairs, judgements = run_pairs(measure, metrics, rule, self.settings.budget, self.say)
        self._keep(pairs, 0)
        session = Session(Verdict.INCONCLUSIVE, "metrics", notes=self.notes, judgements=judgements, counted=counted,
                          pairs=pairs, control=control_of(pairs, metrics, rule))
        if pairs.reason_to_stop:
            session.notes.append(pairs.reason_to_stop)
        self._decide(session)
        if session.verdict is Verdict.REGRESSED and session.by == "metrics" and self.settings.confirm:
            self._confirm(session, measure)
        return session

    def _count(self) -> instructions.Instructions | None:
        if not self.settings.count_instructions or self.small is None:
            return None
        before = time.monotonic()
        counted = instructions.compare(*self.small)
        self.spent += time.monotonic() - before
        if counted.reason:
            self.say(f"no instructions counted: {counted.reason}")
        return counted

    def _decide(self, session: Session) -> None:
        disturbed = [m for m, j in session.control.items() if j.verdict in (Verdict.REGRESSED, Verdict.IMPROVED)]
        if disturbed:
            session.by = "control"
            session.reasons.append("runs of one and the same side differ among themselves in " + ", ".join(disturbed)
                                   + ": the machine changed in this session, so it does not count")
            return
        session.verdict = overall(j.verdict for j in session.judgements.values())
        counted = session.counted
        if counted is None or counted.reason:
            return
        changed = f"{100 * math.expm1(counted.log_ratio):+.2f} % instructions"
        if counted.verdict is Verdict.REGRESSED and session.verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE):
            # More work for the same result, and times do not say that it is free.
            session.verdict, session.by = Verdict.REGRESSED, "instructions"
            session.reasons.append(changed)
        elif counted.warns:
            session.notes.append(changed)

    def _confirm(self, session: Session, measure: dict) -> None:
        """Thirty fresh pairs, judged once. A regression that they do not show again is none."""
        n = self.settings.rule.confirmation
        rule = Rule(self.settings.rule.margin, self.settings.rule.coverage, self.settings.rule.early_coverage, n, n, n, n)
        regressed = [m for m, j in session.judgements.items() if j.verdict is Verdict.REGRESSED]
        self.say(f"confirming with {n} fresh pairs")
        pairs, session.confirmation = run_pairs(measure, regressed, rule, math.inf, self.say)
        self._keep(pairs, 1)
        session.pairs.voided += pairs.voided
        if not any(j.verdict is Verdict.REGRESSED for j in session.confirmation.values()):
            session.verdict = Verdict.INCONCLUSIVE
            session.reasons.append(f"{n} fresh pairs do not confirm the regression")

    def _keep(self, pairs: Pairs, experiment: int) -> None:
        first = 1000 * experiment  # numbers of pairs of a confirmation begin at 1000
        for pair in pairs.valid:
            self.records += [("base", first + pair.number, pair.base), ("head", first + pair.number, pair.head)]

    def run_records(self, session: Session) -> list[dict]:
        return [run_record(self.runners[side], found, session.identifier, side, pair)
                for side, pair, found in self.records]

    def record(self, session: Session, command: str) -> dict:
        base = self.runners["base"]
        resolved = base.resolved

        def judgement(j: Judgement) -> dict:
            finite = {k: (v if math.isfinite(v) else None) for k, v in (
                ("median", j.interval.middle), ("low", j.interval.low), ("high", j.interval.high),
                ("detectable", j.detectable))}
            return {"verdict": str(j.verdict), "pairs": j.pairs, "coverage": j.interval.coverage, **finite}

        counted = session.counted
        return {
            "type": "session", "tool": __version__, "time": now(), "session": session.identifier, "command": command,
            "case": resolved_as_record(resolved),
            "subjects": {side: {**r.subject.description, "build": r.resolved.build} for side, r in self.runners.items()},
            "execution": {"profile": resolved.machine, "profile_hash": resolved.profile_hash, "ranks": resolved.ranks,
                          "threads": resolved.threads},
            "machine": this_machine().record(),
            "verdict": str(session.verdict), "by": session.by, "reasons": session.reasons, "notes": session.notes,
            "metrics": {m: judgement(j) for m, j in session.judgements.items()},
            "control": {m: judgement(j) for m, j in session.control.items()},
            "confirmation": {m: judgement(j) for m, j in session.confirmation.items()},
            "instructions": None if counted is None else
            {"base": counted.base, "head": counted.head, "reason": counted.reason},
            "voided": [{"pair": n, "side": side, "reason": reason} for n, side, reason in session.pairs.voided],
            "rule": {"margin": self.settings.rule.margin, "coverage": self.settings.rule.coverage,
                     "early_coverage": self.settings.rule.early_coverage, "looks": self.settings.rule.looks},
            "seconds": session.seconds, "tool_share": session.tool_share,
        }
