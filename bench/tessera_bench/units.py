"""Times and sizes with units, as definitions write them.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import re

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z]+)\s*\Z")


def _parse(text: str, units: dict, what: str):
    match = _NUMBER.match(text) if isinstance(text, str) else None
    if not match or match.group(2) not in units:
        raise ValueError(f"{text!r} is no {what}; write a number and one of {', '.join(units)}, such as "
                         f"'10 {list(units)[2]}'")
    return float(match.group(1)) * units[match.group(2)]


def seconds(text: str) -> float:
    """'500 ms' -> 0.5. Raises ValueError with a sentence."""
    return _parse(text, _SECONDS, "time")


def size_bytes(text: str) -> int:
    """'8 GB' -> 8000000000. Raises ValueError with a sentence."""
    return int(_parse(text, _BYTES, "amount of memory"))


def show_seconds(value: float) -> str:
    """Three digits and a fitting unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.3g} s"


def show_ratio(log_ratio: float) -> str:
    """A log ratio as a signed percentage: log(1.05) -> '+5.0 %'."""
    import math

    return f"{100 * math.expm1(log_ratio):+.1f} %"
