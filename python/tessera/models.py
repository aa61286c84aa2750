"""The catalogue: neuron models and rules of plasticity that this build knows."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple, Union

from . import _check, _core


@dataclass(frozen=True)
class Parameter:
    """A parameter of a model: its unit, default, range and meaning."""

    name: str
    unit: str
    default: float
    minimum: float
    maximum: float
    about: str


@dataclass(frozen=True)
class Model:
    """A neuron model: parameters, state variables (name to unit), the unit of weights onto it."""

    name: str
    summary: str
    weight_unit: str
    parameters: Dict[str, Parameter]
    states: Dict[str, str]
    document: str

    def __repr__(self) -> str:
        return f"<neuron model {self.name}: {self.summary}>"

    def _repr_html_(self) -> str:
        from ._html import escape, table

        rows = [(p.name, p.unit, f"{p.default:g}", p.about) for p in self.parameters.values()]
        return f"<b>{escape(self.name)}</b>: {escape(self.summary)}" + table(("parameter", "unit", "default", ""), rows)


def _parameters(entries: List[Dict[str, Any]]) -> Dict[str, Parameter]:
    return {e["name"]: Parameter(**e) for e in entries}


def models() -> List[str]:
    """Names of all neuron models."""
    return list(_core.model_names())


def load_models(file: Union[str, "os.PathLike[str]"]) -> List[str]:
    """Takes in the neuron models and rules of a shared library of your own (docs/neuron-models.md), for all networks of this
    process, and returns their names. The file is code, and runs: load what you trust. InputError, and nothing is added, for a
    file that is missing or no library of models, that was built for another version, or has a name that there is already.
    """
    names = list(_core.load_models(os.path.abspath(_check.path(file, "file"))))
    for cached in (model, plasticity_rules, structural_rules):
        cached.cache_clear()
    return names


@functools.lru_cache(maxsize=None)
def model(name: str) -> Model:
    """A neuron model by its name. InputError for a name that is not known.

    >>> import tessera
    >>> tessera.model("iaf_psc_exp").parameters["tau_m"].unit
    'ms'
    """
    d = _core.describe_model(name)
    return Model(d["name"], d["summary"], d["weight_unit"], _parameters(d["parameters"]),
                 {state: unit for state, unit, _ in d["states"]}, d["document"])


@functools.lru_cache(maxsize=None)
def plasticity_rules() -> Dict[str, Dict[str, Parameter]]:
    """Rules of plasticity and their parameters. The unit "weight" is that of the weights."""
    return {name: _parameters(entries) for name, entries in _core.describe_rules()["plasticity"].items()}


@functools.lru_cache(maxsize=None)
def structural_rules() -> Dict[str, Tuple[Dict[str, Parameter], Tuple[str, ...]]]:
    """Structural rules: their parameters, and the names of those that are words."""
    rules = _core.describe_rules()["structural"]
    return {name: (_parameters(entries), tuple(words)) for name, (entries, words) in rules.items()}
