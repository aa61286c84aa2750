"""What a projection is made of: rule, delay, plasticity, rewiring; their arguments checked and converted."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Protocol

from . import _check, _core
from .distributions import drawn
from .models import Parameter, model, plasticity_rules, structural_rules
from .structural import StructuralRule

RULES = ("one_to_one", "all_to_all", "fixed_total_number", "fixed_indegree", "fixed_outdegree", "pairwise_bernoulli",
         "gaussian_2d", "explicit_list")


class Cells(Protocol):
    """What is needed of a population."""

    name: str
    size: int
    kind: str
    model: str

    @property
    def _core(self) -> _core.Population: ...


def needed(value: Any, name: str) -> Any:
    if value is None:
        raise TypeError(f"{name} is missing.")
    return value


def values_of(given: Mapping[str, Any], known: Mapping[str, Parameter], weight_unit: str, owner: str,
            path: str) -> Dict[str, float]:
    """Values by name in the units of their parameters; unknown names are told with the nearest one."""
    values = {}
    for key, value in given.items():
        if key not in known:
            near = _core.did_you_mean(str(key), list(known))
            raise _check.problem(path + str(key), f"{owner} has no parameter '{key}'.{near}")
        unit = known[key].unit
        values[key] = _check.number(value, weight_unit if unit == "weight" else unit, path + key)
    return values


def weight_unit(target: Cells) -> str:
    if target.kind != "neurons":
        raise _check.problem("target", f"'{target.name}' is a source of spikes; nothing can act on it.")
    return model(target.model).weight_unit


def rule_of(kind: str, source: Cells, target: Cells, unit: str, number: Any, probability: Any, sigma: Any,
          autapses: Any, multapses: Any, synapses: Any) -> _core.ConnectivityRule:
    rule = _core.ConnectivityRule()
    rule.kind = kind
    used = {"fixed_total_number": "number", "fixed_indegree": "number", "fixed_outdegree": "number",
            "pairwise_bernoulli": "probability", "gaussian_2d": "probability sigma", "explicit_list": "synapses"}
    wanted = used.get(kind, "").split()
    given = {"number": number, "probability": probability, "sigma": sigma, "synapses": synapses}
    for key, value in given.items():
        if (value is not None) != (key in wanted):
            raise TypeError(f"{key} is missing: the rule {kind} needs it." if value is None else
                            f"{key} has no meaning for the rule {kind}.")
    if number is not None:
        rule.number = _check.whole(number, "number", high=2**63 - 1)
    if probability is not None:
        rule.probability = _check.number(probability, "", "probability")
    if sigma is not None:
        on_sheet = source._core.extent_mm[0] > 0.0
        rule.sigma = _check.number(sigma, "mm" if on_sheet else "", "sigma")
    rule.autapses = _check.truth(autapses, "autapses")
    rule.multapses = _check.truth(multapses, "multapses")
    if synapses is not None:
        if not isinstance(synapses, (list, tuple)) or len(synapses) != 4:
            raise TypeError("synapses must be four arrays: sources, targets, weights, delays.")
        sources = _check.indices(synapses[0], "synapses[0]", source.size)
        count = len(sources)
        rule.set_list(sources, _check.indices(synapses[1], "synapses[1]", target.size, count),
                      _check.numbers(synapses[2], unit, "synapses[2]", count),
                      _check.numbers(synapses[3], "ms", "synapses[3]", count))
    return rule


def set_delay(p: _core.Projection, delay: Any, source: Cells) -> None:
    if not isinstance(delay, Mapping):
        p.delay_ms = drawn(delay, "ms", "delay")
        return
    known = ("offset", "velocity", "slope")
    for key in delay:
        _check.choice(key, "delay", known)
    if ("velocity" in delay) == ("slope" in delay):
        raise _check.problem("delay", "a delay that grows with the distance needs either 'velocity' or 'slope'.")
    on_sheet = source._core.extent_mm[0] > 0.0
    p.delay_ms = drawn(delay.get("offset", 0.0), "ms", "delay.offset")
    if "slope" in delay:
        p.delay_slope = _rate(delay["slope"], "ms/mm" if on_sheet else "ms", "delay.slope")
        return
    velocity = _rate(delay["velocity"], "mm/ms" if on_sheet else "1/ms", "delay.velocity")
    if not velocity > 0.0:
        raise _check.problem("delay.velocity", f"the velocity must be above 0, not {velocity}.")
    p.delay_slope = 1.0 / velocity


def _rate(value: Any, unit: str, name: str) -> float:
    """A quantity of a composed unit: a text divided by the unit is a pure number."""
    if isinstance(value, str):
        return _check.number(f"({value}) / (1 {unit})", "", name)
    return _check.number(value, "", name)


def plasticity_of(value: Any, unit: str) -> _core.Plasticity:
    given = {"rule": value} if isinstance(value, str) else dict(_check.mapping(value, "plasticity"))
    rules = plasticity_rules()
    p = _core.Plasticity()
    p.rule = _check.choice(given.pop("rule", None), "plasticity.rule", rules)
    p.axonal_delay_ms = _check.number(given.pop("axonal_delay", 0.0), "ms", "plasticity.axonal_delay")
    if "modulator" in given:
        modulator = given.pop("modulator")
        p.modulator = modulator.name if hasattr(modulator, "name") else _check.text(modulator, "plasticity.modulator")
        p.modulator_delay_ms = _check.number(given.pop("modulator_delay", 1.0), "ms", "plasticity.modulator_delay")
    p.parameters = values_of(given, rules[p.rule], unit, f"the rule {p.rule}", "plasticity.")
    return p


def rewiring_of(value: Any, unit: str, name_of: Callable[[StructuralRule], str]) -> _core.StructuralPlasticity:
    """``name_of`` gives the name of a rule in Python in its network."""
    given = {"rule": value} if isinstance(value, (str, StructuralRule)) else dict(_check.mapping(value, "rewiring"))
    rules = structural_rules()
    r = _core.StructuralPlasticity()
    rule = given.pop("rule", None)
    if isinstance(rule, type) and issubclass(rule, StructuralRule):
        raise TypeError(f"rewiring.rule must be an object: {rule.__name__}(), not the class itself.")
    r.rule = name_of(rule) if isinstance(rule, StructuralRule) else _check.choice(rule, "rewiring.rule", rules)
    parameters, words = ({}, ()) if isinstance(rule, StructuralRule) else rules[r.rule]
    r.interval_ms = _check.number(given.pop("interval", 1.0), "ms", "rewiring.interval")
    r.max_indegree = _check.whole(given.pop("max_indegree", 0), "rewiring.max_indegree")
    r.max_outdegree = _check.whole(given.pop("max_outdegree", 0), "rewiring.max_outdegree")
    r.words = {w: _check.text(given.pop(w), f"rewiring.{w}") for w in words if w in given}
    r.parameters = values_of(given, parameters, unit, f"the rule {r.rule}", "rewiring.")
    return r
