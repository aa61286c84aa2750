"""Distributions of weights, delays and initial values.

Every argument is a number in the unit of where the distribution is used, or a text with a unit. All take ``low`` and
``high``: values outside are drawn again.

>>> import tessera
>>> tessera.normal("80 pA", "8 pA", low=0)
normal(mean='80 pA', sd='8 pA', low=0)
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import Any, Dict, Optional

from . import _core, _check
from ._check import Quantity


class Distribution:
    """What a value is drawn from. Made by `uniform`, `normal`, `lognormal` and `exponential`."""

    def __init__(self, kind: str, values: Dict[str, Any], low: Optional[Quantity], high: Optional[Quantity]):
        self._kind, self._values = kind, values
        self._bounds = {k: v for k, v in (("low", low), ("high", high)) if v is not None}

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in {**self._values, **self._bounds}.items())
        return f"{self._kind}({shown})"

    def _core(self, unit: str, name: str) -> _core.Distribution:
        """The library's distribution, of values in ``unit``."""
        v = {k: _check.number(x, "" if k == "sigma" else unit, f"{name}.{k}") for k, x in self._values.items()}
        d = _core.Distribution()
        d.kind = self._kind
        if self._kind == "uniform":
            d.a, d.b = v["start"], v["stop"]
        elif self._kind == "normal":
            d.a, d.b = v["mean"], v["sd"]
        elif self._kind == "exponential":
            d.a = v["mean"]
        else:
            if v["median"] == 0.0:
                raise _check.problem(f"{name}.median", "the median must not be 0.")
            d.a, d.b, d.mirrored = math.log(abs(v["median"])), v["sigma"], v["median"] < 0.0
        for key, x in self._bounds.items():
            setattr(d, key, _check.number(x, unit, f"{name}.{key}", infinite=True))
        wrong = d.problem()
        if wrong:
            raise _check.problem(name, wrong)
        return d


def uniform(start: Quantity, stop: Quantity, *, low: Optional[Quantity] = None,
            high: Optional[Quantity] = None) -> Distribution:
    """Values of [start, stop), all equally likely."""
    return Distribution("uniform", {"start": start, "stop": stop}, low, high)


def normal(mean: Quantity, sd: Quantity, *, low: Optional[Quantity] = None,
           high: Optional[Quantity] = None) -> Distribution:
    """Gaussian values with this mean and standard deviation."""
    return Distribution("normal", {"mean": mean, "sd": sd}, low, high)


def lognormal(median: Quantity, sigma: Quantity, *, low: Optional[Quantity] = None,
              high: Optional[Quantity] = None) -> Distribution:
    """Values whose logarithm is normal with standard deviation ``sigma`` (a pure number). A negative median gives
    negative values."""
    return Distribution("lognormal", {"median": median, "sigma": sigma}, low, high)


def exponential(mean: Quantity, *, low: Optional[Quantity] = None, high: Optional[Quantity] = None) -> Distribution:
    """Exponential values; a negative mean gives negative ones."""
    return Distribution("exponential", {"mean": mean}, low, high)


def drawn(value: Any, unit: str, name: str) -> _core.Distribution:
    """A distribution, or a single value as one."""
    if isinstance(value, Distribution):
        return value._core(unit, name)
    d = _core.Distribution()
    d.a = _check.number(value, unit, name)
    return d
