"""Measures again what a record says, and tells what differs.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from dataclasses import dataclass
from pathlib import Path

from .builds import Subject, file_hash
from .errors import BenchError, RunFailed
from .history import value_of
from .machine import this_machine
from .measure import Measurement, Runner
from .resolve import Resolved, content_hash
from .statistics import Interval, shift_interval


@dataclass(frozen=True)
class Replay:
    """`differences`: of what was asked; `problems`: of the result; `intervals`: log ratio of new over old, by metric."""

    differences: list[str]
    problems: list[str]
    intervals: dict[str, Interval]
    recorded: int
    repeated: int


def resolved_of(record: dict) -> Resolved:
    """The configuration that the record carries. Raises BenchError when it is no run."""
    if record.get("type") != "run":
        raise BenchError(f"The record {record['hash'][:12]} is a {record.get('type')}, not a run; replay one of its runs.")
    case, execution, subject = record["case"], record["execution"], record["subject"]
    what, where = case["what"], execution["where"]
    for name, value, wanted in (("definition", what, case["definition_hash"]),
                                ("profile", where, execution["profile_hash"])):
        if content_hash(value) != wanted:
            raise BenchError(f"The {name} in the record {record['hash'][:12]} does not have its hash: people and places "
                             "were taken out of it, so it cannot be replayed.")
    what = {**what, "execution": {**what.get("execution", {}), "ranks": execution["ranks"], "threads": execution["threads"]}}
    return Resolved(case["name"], case["size"], execution["profile"], subject["build"], what, where, subject["how"])


def siblings(records: list[dict], record: dict) -> list[dict]:
    """All runs of the same side of the same session, the record among them."""
    def key(r):
        return (r["session"], r["case"]["name"], r["case"]["size"], r["execution"]["side"], r["execution"]["threads"])
    return [r for r in records if r.get("type") == "run" and key(r) == key(record)]


def differences(record: dict, now: Resolved | None, subject: Subject, repository: Path) -> list[str]:
    """What is not as it was: machine, program, model, and today's definition of that name."""
    found = []
    here = this_machine()
    if here.id != record["machine"]["id"]:
        found.append(f"machine: {record['machine']['processor']}, {record['machine']['cores']} cores, "
                     f"{record['machine']['system']}; now {here.processor}, {here.cores} cores, {here.system}")
    before, after = record["subject"], subject.description
    if before["commit"] != after["commit"]:
        found.append(f"commit: {before['commit'][:12]}; now {after['commit'][:12]}")
    if before["dirty"]:
        found.append("the record is of a working tree with changes, which no commit has")
    if before["binaries"] != after["binaries"]:
        found.append("program: another binary (another compiler, or other paths in it)")
    model = record["case"]["what"].get("model")
    if model and (repository / model).is_file() and file_hash(repository / model) != record["case"].get("model_hash"):
        found.append(f"model: {model} has changed")
    if now is None:
        found.append("definition: there is none of that name any more; the record's own is used")
    else:
        if now.definition_hash != record["case"]["definition_hash"]:
            found.append("definition: changed since; the record's own is used")
        if now.profile_hash != record["execution"]["profile_hash"]:
            found.append("profile: changed since; the record's own is used")
    return found


def replay(record: dict, records: list[dict], runner: Runner, repeats: int, metrics: list[str],
           say=lambda text: None) -> Replay:
    """Runs as often as asked and compares result, counters and times."""
    fresh: list[Measurement] = []
    problems: list[str] = []
    for number in range(repeats):
        try:
            fresh.append(runner.measure(record["check"]["digest"] or None))
        except RunFailed as failed:
            problems.append(f"run {number + 1}: {failed}")
            if not fresh and number >= 2:
                break
    if fresh:
        for name, value in record["counters"].items():
            if fresh[0].outcome.counters.get(name) != value:
                problems.append(f"{name}: {value} became {fresh[0].outcome.counters.get(name)}")
    old = siblings(records, record)
    intervals = {}
    for metric in metrics:
        before = [value for r in old if (value := value_of(r, metric)) is not None]
        if fresh and before:
            intervals[metric] = shift_interval([math.log(v) for v in before],
                                               [math.log(m.metric(metric)) for m in fresh])
    return Replay([], problems, intervals, len(old), len(fresh))
