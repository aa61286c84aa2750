"""The keys of the three layers of definitions: what they may hold.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
from dataclasses import dataclass, field

from . import units

LAYERS = ("what", "where", "how")
KINDS = ("simulate", "train", "training_batch", "kernels")


@dataclass(frozen=True)
class Key:
    """One key: a test of its value and the sentence that says what is allowed."""

    allowed: str
    accepts: object
    inside: dict = field(default_factory=dict)  # of a table with fixed keys


def _word(*choices):
    return Key("one of " + ", ".join(choices), lambda v: v in choices)


def _is_number(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)


def _is_integer(v):
    return isinstance(v, int) and not isinstance(v, bool)


def _is_time(v):
    try:
        return units.seconds(v) >= 0
    except ValueError:
        return False


def _is_memory(v):
    try:
        return units.size_bytes(v) > 0
    except ValueError:
        return False


def _is_range(v):
    return isinstance(v, list) and len(v) == 2 and all(map(_is_number, v)) and v[0] <= v[1]


def _table_of(test):
    return lambda v: isinstance(v, dict) and all(test(x) for x in v.values())


def _list_of(test):
    return lambda v: isinstance(v, list) and all(test(x) for x in v)


def _is_text(v):
    return isinstance(v, str)


TEXT = Key("a text", _is_text)
TEXTS = Key("a list of texts", _list_of(_is_text))
TIME = Key("a time with a unit, such as '10 s'", _is_time)
TABLE = Key("a table", lambda v: isinstance(v, dict))
RANGE = Key("a list of two numbers, smallest and largest", _is_range)
COMMON = {
    "about": TEXT,
    "inherits": Key("a name or a list of names", lambda v: _is_text(v) or _list_of(_is_text)(v)),
    "abstract": Key("true or false", lambda v: isinstance(v, bool)),
}
CHECK = {
    "digest": Key("16 hexadecimal digits", lambda v: _is_text(v) and len(v) == 16),
    "same_as": Key("the name of a case", _is_text),
    "counters": Key("a table of whole numbers", _table_of(_is_integer)),
    "spikes": RANGE,
    "mean_rate_hz": RANGE,
    "accuracy": RANGE,
    "activity": RANGE,
}
MEASURED = {
    "model": TEXT,
    "parameters": Key("a table of numbers and texts", _table_of(lambda v: _is_number(v) or _is_text(v) or isinstance(v, bool))),
    "seed": Key("a whole number from 0", lambda v: _is_integer(v) and v >= 0),
    "time": TIME,
    "discard": TIME,
    "connectivity": _word("stored", "procedural", "auto"),
    "record": TEXTS,
    "checkpoint_every": TIME,
    "epochs": Key("a whole number from 1", lambda v: _is_integer(v) and v >= 1),
    "settings": Key("a table of numbers and texts", _table_of(lambda v: _is_number(v) or _is_text(v))),
    "arguments": Key("a table of lists of texts, a list for an adaptor", _table_of(_list_of(_is_text))),
    "execution": Key("a table", TABLE.accepts, {
        "ranks": Key("a whole number from 1", lambda v: _is_integer(v) and v >= 1),
        "threads": Key("a whole number from 0 (all cores)", lambda v: _is_integer(v) and v >= 0)}),
    "metrics": TEXTS,
    "check": Key("a table", TABLE.accepts, CHECK),
}
WHAT = {**COMMON, **MEASURED, "kind": _word(*KINDS), "groups": TEXTS,
        "sizes": Key("a table of tables", _table_of(TABLE.accepts))}
WHERE = {
    **COMMON,
    "max_ranks": Key("a whole number from 1", lambda v: _is_integer(v) and v >= 1),
    "threads": Key("a whole number from 0 (all cores)", lambda v: _is_integer(v) and v >= 0),
    "pinning": Key("'none', 'cores' or a list of cores",
                   lambda v: v in ("none", "cores") or (_list_of(_is_integer)(v) and len(v) > 0)),
    "launcher": _word("local", "mpirun", "srun"),
    "launcher_options": TEXTS,
    "scheduler": _word("none", "slurm"),
    "scheduler_options": TEXTS,
    "modules": TEXTS,
    "environment": Key("a table of texts", _table_of(_is_text)),
    "memory": Key("an amount with a unit, such as '8 GB'", _is_memory),
    "time_limit": TIME,
}
HOW = {
    **COMMON,
    "adaptor": TEXT,
    "repository": TEXT,
    "built_in": TEXT,
    "configure": TEXTS,
    "targets": TEXTS,
    "programs": Key("a table of paths in the build folder", _table_of(_is_text)),
    "environment": Key("a table of texts", _table_of(_is_text)),
    "python": TEXT,
}
KEYS = {"what": WHAT, "where": WHERE, "how": HOW}
