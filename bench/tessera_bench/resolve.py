"""One case on one machine with one build: the three layers put together, and who said what.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import hashlib
import json
import os
from dataclasses import dataclass, field

from . import units
from .definitions import Definition, Library, overlay
from .errors import BenchError, nearest

NOT_MEASURED = ("about", "inherits", "abstract", "groups", "sizes")
DEFAULT_TIME_LIMIT = "10 min"


def canonical(value) -> str:
    """JSON with one spelling for one content: sorted keys, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True)
class Resolved:
    """A configuration in which nothing is left open. Names say where it came from; only values count."""

    case: str
    size: str
    machine: str
    build: str
    what: dict
    where: dict
    how: dict
    origin: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def label(self) -> str:
        return f"{self.case}/{self.size}"

    @property
    def ranks(self) -> int:
        return self.what.get("execution", {}).get("ranks", 1)

    @property
    def threads(self) -> int:
        asked = self.what.get("execution", {}).get("threads", self.where.get("threads", 0))
        return asked or len(os.sched_getaffinity(0))

    @property
    def time_limit(self) -> float:
        return units.seconds(self.where.get("time_limit", DEFAULT_TIME_LIMIT))

    @property
    def metrics(self) -> list[str]:
        return self.what.get("metrics", ["run_seconds"])

    @property
    def definition_hash(self) -> str:
        return content_hash(self.what)

    @property
    def profile_hash(self) -> str:
        return content_hash(self.where)


def _measured(values: dict) -> dict:
    return {key: value for key, value in values.items() if key not in NOT_MEASURED}


def _pick_size(case: Definition, size: str, origin: dict[str, str]) -> dict:
    sizes = case.values.get("sizes", {})
    if size not in sizes:
        raise BenchError(f"The case '{case.name}' has no size '{size}'. {nearest(size, sizes)}")
    values = _measured(case.values)
    for key, source in case.origin.items():
        if not key.startswith("sizes.") and key.split(".")[0] in values:
            origin["what." + key] = source
    prefix = f"sizes.{size}."
    chosen: dict[str, str] = {}
    merged = overlay(values, sizes[size], chosen, "")
    for key in chosen:
        origin["what." + key] = f"{case.origin[prefix + key]} [sizes.{size}]"
    return merged


def resolve(library: Library, case: str, machine: str, build: str, size: str) -> Resolved:
    """Puts the three layers together. Raises BenchError with all that does not fit."""
    parts = [library.get("what", case), library.get("where", machine), library.get("how", build)]
    for part in parts:
        if part.abstract:
            raise BenchError(f"{part.layer}/{part.name}.toml is abstract: others inherit from it, it cannot be used.")
    origin: dict[str, str] = {}
    what = _pick_size(parts[0], size, origin)
    where, how = _measured(parts[1].values), _measured(parts[2].values)
    for part in parts[1:]:
        for key, source in part.origin.items():
            if key.split(".")[0] not in NOT_MEASURED:
                origin[f"{part.layer}.{key}"] = source
    resolved = Resolved(case, size, machine, build, what, where, how, origin)
    problems = _contradictions(resolved)
    if problems:
        raise BenchError(*problems)
    return resolved


def _contradictions(resolved: Resolved) -> list[str]:
    problems = []
    if "kind" not in resolved.what:
        problems.append(f"what/{resolved.case}.toml: 'kind' is missing, also in what it inherits.")
    if "adaptor" not in resolved.how:
        problems.append(f"how/{resolved.build}.toml: 'adaptor' is missing, also in what it inherits.")
    most = resolved.where.get("max_ranks", 1)
    if resolved.ranks > most:
        problems.append(f"The case '{resolved.label}' runs on {resolved.ranks} ranks, and the machine profile "
                        f"'{resolved.machine}' has at most {most} (key max_ranks).")
    if resolved.ranks > 1 and resolved.where.get("launcher", "local") == "local":
        problems.append(f"The case '{resolved.label}' runs on {resolved.ranks} ranks, and the machine profile "
                        f"'{resolved.machine}' has launcher = \"local\", which starts one process.")
    return problems


def explain(resolved: Resolved) -> str:
    """The configuration, a line per value, with the file that it came from."""
    lines = [f"case {resolved.label}, machine {resolved.machine}, build {resolved.build}"]
    rows = []

    def walk(prefix: str, value) -> None:
        if isinstance(value, dict):
            for name in sorted(value):
                walk(f"{prefix}.{name}" if prefix else name, value[name])
        else:
            rows.append((prefix, json.dumps(value, ensure_ascii=False), resolved.origin.get(prefix, "default")))

    walk("", {"what": resolved.what, "where": resolved.where, "how": resolved.how})
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for key, value, source in rows:
        lines.append(f"  {key:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    lines.append(f"ranks {resolved.ranks}, threads {resolved.threads}")
    lines.append(f"definition {resolved.definition_hash[:16]}, profile {resolved.profile_hash[:16]}")
    return "\n".join(lines)
