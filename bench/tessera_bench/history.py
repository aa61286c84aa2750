"""Change points in what was measured over time: E-divisive (Matteson and James 2014), made deterministic.

The published procedure asks random permutations whether a split is real; here Welch's test does, so that the same
records give the same change points.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from .statistics import welch_p

SMALLEST = 3  # points of a segment: fewer have no variance to speak of
LONGEST = 2000  # points of a series that are looked at, the last ones: the distances need the square of that


@dataclass(frozen=True)
class Point:
    """One session or one group of runs: when, of which commit, and the median of its runs."""

    time: str
    commit: str
    value: float
    runs: int
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """The series is different from point `at` on: log ratio of the means, and Welch's p."""

    at: int
    log_ratio: float
    p: float


def divergences(values) -> np.ndarray:
    """Q of every split: entry k compares values[:k] with values[k:]; minus infinity where a side is too short.

    Q = m n / (m + n) (2 mean|x - y| - mean|x - x'| - mean|y - y'|), means over pairs.
    """
    x = np.asarray(values, dtype=float)
    total = len(x)
    found = np.full(total + 1, -math.inf)
    if total < 2 * SMALLEST:
        return found
    distances = np.abs(x[:, None] - x[None, :])
    inside = distances.cumsum(axis=0).cumsum(axis=1)  # sums over the leading square
    whole = inside[-1, -1]
    for k in range(SMALLEST, total - SMALLEST + 1):
        m, n = k, total - k
        first = inside[k - 1, k - 1]
        both = inside[k - 1, -1] - first
        second = whole - first - 2 * both
        energy = 2 * both / (m * n) - first / (m * (m - 1)) - second / (n * (n - 1))
        found[k] = m * n / (m + n) * energy
    return found


def _split(x: np.ndarray, start: int, end: int, p_limit: float, found: list[int]) -> None:
    q = divergences(x[start:end])
    k = int(np.argmax(q))
    if not math.isfinite(q[k]) or welch_p(x[start:start + k], x[start + k:end]) > p_limit:
        return
    found.append(start + k)
    _split(x, start, start + k, p_limit, found)
    _split(x, start + k, end, p_limit, found)


def change_points(values, p_limit: float = 0.001) -> list[Change]:
    """Change points of a series of positive values, in order; logarithms are compared."""
    x = np.log(np.asarray(values, dtype=float))
    found: list[int] = []
    if len(x) >= 2 * SMALLEST:
        _split(x, 0, len(x), p_limit, found)
    # A point that a later split made doubtful goes: the weakest first, until all hold between their neighbours.
    points = sorted(found)
    while points:
        edges = [0, *points, len(x)]
        p = [welch_p(x[edges[i]:edges[i + 1]], x[edges[i + 1]:edges[i + 2]]) for i in range(len(points))]
        if max(p) <= p_limit:
            return [Change(at, float(x[edges[i + 1]:edges[i + 2]].mean() - x[edges[i]:edges[i + 1]].mean()), p[i])
                    for i, at in enumerate(points)]
        points.pop(p.index(max(p)))
    return []


def value_of(record: dict, metric: str) -> float | None:
    """A metric of a run's record, by the names that definitions use."""
    for table in ("times", "memory"):
        if metric in record.get(table, {}):
            return record[table][metric]
    phase = record.get("phases", {}).get(metric.removesuffix("_seconds"))
    return phase["mean"] if phase else None


def series(records: list[dict], metric: str) -> dict[tuple, list[Point]]:
    """Points by (case, size, definition, machine, profile, ranks, threads, adaptor): only what may be compared. A
    point is all runs of one session and one program; points are in the order of time."""
    groups: dict[tuple, dict[tuple, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if record.get("type") != "run" or value_of(record, metric) is None:
            continue
        case, execution, subject = record["case"], record["execution"], record["subject"]
        key = (case["name"], case["size"], case["definition_hash"], record["machine"]["id"],
               execution["profile_hash"], execution["ranks"], execution["threads"], subject["adaptor"])
        program = tuple(sorted(subject["binaries"].items()))
        groups[key][record["session"], subject["commit"], program].append(record)
    found = {}
    for key, sessions in groups.items():
        points = [Point(min(r["time"] for r in runs), name[1], float(np.median([value_of(r, metric) for r in runs])),
                        len(runs), tuple(r["hash"] for r in runs)) for name, runs in sessions.items()]
        found[key] = sorted(points, key=lambda point: (point.time, point.commit))[-LONGEST:]
    return found
