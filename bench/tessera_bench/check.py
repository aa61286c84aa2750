"""Is the result what it should be? Before that is known a time does not count.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from .adaptors import Outcome
from .resolve import Resolved

_RANGES = ("spikes", "mean_rate_hz", "accuracy", "activity")


def result_problems(resolved: Resolved, outcome: Outcome) -> list[str]:
    """Where the result is not as the case says, a sentence each."""
    wanted = resolved.what.get("check", {})
    problems = []
    if "digest" in wanted and outcome.digest != wanted["digest"]:
        problems.append(f"the digest is {outcome.digest or 'missing'}, not {wanted['digest']}")
    for name, value in wanted.get("counters", {}).items():
        if outcome.counters.get(name) != value:
            problems.append(f"{name} is {outcome.counters.get(name)}, not {value}")
    for name in _RANGES:
        if name not in wanted:
            continue
        low, high = wanted[name]
        found = outcome.results.get(name)
        if found is None or not low <= found <= high:
            problems.append(f"{name} is {found}, not from {low} to {high}")
    return problems


def difference(base: Outcome, head: Outcome) -> list[str]:
    """Where two results differ: digest and the counters that belong to the result."""
    found = []
    if base.digest != head.digest:
        found.append(f"digest: {base.digest or 'none'} became {head.digest or 'none'}")
    for name in base.result_counters:
        found += _changed(name, base.counters.get(name), head.counters.get(name))
    return found


def work_difference(base: Outcome, head: Outcome) -> tuple[list[str], bool]:
    """Where the work for the same result differs, and whether any of it grew."""
    found, grew = [], False
    for name in base.counters.keys() & head.counters.keys():
        if name not in base.result_counters:
            before, after = base.counters[name], head.counters[name]
            found += _changed(name, before, after)
            grew = grew or after > before
    return sorted(found), grew


def _changed(name: str, before, after) -> list[str]:
    if before == after:
        return []
    if not before or after is None:
        return [f"{name}: {before} became {after}"]
    return [f"{name}: {before} became {after} ({100 * (after / before - 1):+.3g} %)"]
