"""PyNN's synapse types. Parameters keep PyNN's names and units; what they become in the library is decided for every group
of targets, whose unit of weight they need."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict

from pyNN.standardmodels import build_translations, synapses

from . import simulator
from .cells import _missing

_WEIGHT_AND_DELAY = (("weight", "weight"), ("delay", "delay"))


class _Delayed:
    """Synapses whose delay, left out, is the smallest one."""

    def _get_minimum_delay(self) -> float:
        given = simulator.state.given_min_delay
        return simulator.state.dt if given == "auto" else given

    def rule(self, parameters: Dict[str, float], cell_type: Any, inhibitory: bool, tau_psc: float) -> Any:
        """The rule of plasticity for synapses with these parameters, or None."""
        return None


class StaticSynapse(_Delayed, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(*_WEIGHT_AND_DELAY)


class TsodyksMarkramSynapse(_Delayed, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = build_translations(*_WEIGHT_AND_DELAY, ("U", "U"), ("tau_rec", "tau_rec"), ("tau_facil", "tau_facil"))

    def rule(self, parameters: Dict[str, float], cell_type: Any, inhibitory: bool, tau_psc: float) -> Any:
        rule = {"rule": "tsodyks2", "U": parameters["U"], "tau_rec": parameters["tau_rec"],
                "tau_fac": parameters["tau_facil"]}
        if tau_psc > 0.0:
            rule.update(rule="tsodyks", tau_psc=tau_psc)
        return rule


class STDPMechanism(_Delayed, synapses.STDPMechanism):
    __doc__ = synapses.STDPMechanism.__doc__
    base_translations = build_translations(*_WEIGHT_AND_DELAY, ("dendritic_delay_fraction", "dendritic_delay_fraction"))

    def _build_translations(self) -> None:
        self.translations = dict(self.base_translations)
        for component in (self.timing_dependence, self.weight_dependence):
            self.translations.update(component.translations if component else {})

    def rule(self, parameters: Dict[str, float], cell_type: Any, inhibitory: bool, tau_psc: float) -> Any:
        p = parameters
        if self.voltage_dependence is not None or p["w_min"] != 0.0:
            raise NotImplementedError("tessera.pynn has pair rules with w_min = 0 and without dependence on the voltage.")
        if p["A_plus"] == 0.0:
            if p["A_minus"] == 0.0:
                return None
            raise NotImplementedError("tessera.pynn has no depression without potentiation (A_plus = 0).")
        scale = abs(cell_type.inhibitory_scale if inhibitory else cell_type.weight_scale)
        mu_plus, mu_minus = self.weight_dependence.exponents(p)
        return {"rule": "stdp", "tau_plus": p["tau_plus"], "tau_minus": p["tau_minus"], "lambda": p["A_plus"],
                "alpha": p["A_minus"] / p["A_plus"], "mu_plus": mu_plus, "mu_minus": mu_minus, "Wmax": p["w_max"] * scale,
                "axonal_delay": (1.0 - p["dendritic_delay_fraction"]) * p["delay"]}


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = build_translations(("tau_plus", "tau_plus"), ("tau_minus", "tau_minus"), ("A_plus", "A_plus"),
                                      ("A_minus", "A_minus"))


_LIMITS = (("w_min", "w_min"), ("w_max", "w_max"))


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = build_translations(*_LIMITS)

    def exponents(self, parameters: Dict[str, float]) -> Any:
        """Of w_max - w in potentiation and of w in depression."""
        return 0.0, 0.0


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = build_translations(*_LIMITS)

    def exponents(self, parameters: Dict[str, float]) -> Any:
        """Of w_max - w in potentiation and of w in depression."""
        return 1.0, 1.0


class AdditivePotentiationMultiplicativeDepression(synapses.AdditivePotentiationMultiplicativeDepression):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = build_translations(*_LIMITS)

    def exponents(self, parameters: Dict[str, float]) -> Any:
        """Of w_max - w in potentiation and of w in depression."""
        return 0.0, 1.0


class GutigWeightDependence(synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = build_translations(*_LIMITS, ("mu_plus", "mu_plus"), ("mu_minus", "mu_minus"))

    def exponents(self, parameters: Dict[str, float]) -> Any:
        """Of w_max - w in potentiation and of w in depression."""
        return parameters["mu_plus"], parameters["mu_minus"]


SimpleStochasticSynapse = _missing("SimpleStochasticSynapse", "the library has no synapses that fail by chance")
StochasticTsodyksMarkramSynapse = _missing("StochasticTsodyksMarkramSynapse", "the library has no synapses that fail by chance")
MultiQuantalSynapse = _missing("MultiQuantalSynapse", "the library has no synapses that fail by chance")
ElectricalSynapse = _missing("ElectricalSynapse", "the library has no gap junctions")
Vogels2011Rule = _missing("Vogels2011Rule", "use the library's vogels_sprekeler without PyNN")
