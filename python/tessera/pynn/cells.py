"""PyNN's cell types, as models of the library."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

from pyNN.standardmodels import build_translations, cells
from pyNN.standardmodels.base import ModelNotAvailable

# Of every type: `model`, the name in the library; `weight_scale`, from PyNN's unit to the library's; `inhibitory_scale`,
# the same for inhibitory synapses; `states`, by PyNN's name of a variable, that of the library and the factor to it.
_CURRENT = {"v": ("V_m", 1.0), "isyn_exc": ("I_syn_ex", 1000.0), "isyn_inh": ("I_syn_in", 1000.0)}
_CONDUCTANCE = {"v": ("V_m", 1.0), "gsyn_exc": ("g_ex", 1000.0), "gsyn_inh": ("g_in", 1000.0)}

_MEMBRANE = (("v_rest", "E_L"), ("cm", "C_m", 1000.0), ("v_thresh", "V_th"), ("v_reset", "V_reset"),
             ("tau_refrac", "t_ref"), ("i_offset", "I_e", 1000.0))
_LEAK = ("tau_m", "g_L", "cm / tau_m * 1000.0", "C_m / g_L")
_SYNAPSES = (("tau_syn_E", "tau_syn_ex"), ("tau_syn_I", "tau_syn_in"))
_REVERSAL = (("e_rev_E", "E_ex"), ("e_rev_I", "E_in"))


class IF_curr_exp(cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    translations = build_translations(("tau_m", "tau_m"), *_MEMBRANE, *_SYNAPSES)
    model, weight_scale, inhibitory_scale, states = "iaf_psc_exp", 1000.0, 1000.0, _CURRENT


class IF_curr_alpha(cells.IF_curr_alpha):
    __doc__ = cells.IF_curr_alpha.__doc__
    translations = build_translations(("tau_m", "tau_m"), *_MEMBRANE, *_SYNAPSES)
    model, weight_scale, inhibitory_scale, states = "iaf_psc_alpha", 1000.0, 1000.0, _CURRENT


class IF_curr_delta(cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    translations = build_translations(("tau_m", "tau_m"), *_MEMBRANE)
    model, weight_scale, inhibitory_scale, states = "iaf_psc_delta", 1.0, 1.0, {"v": ("V_m", 1.0)}


class IF_cond_exp(cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = build_translations(_LEAK, *_MEMBRANE, *_SYNAPSES, *_REVERSAL)
    model, weight_scale, inhibitory_scale, states = "iaf_cond_exp", 1000.0, -1000.0, _CONDUCTANCE


class EIF_cond_exp_isfa_ista(cells.EIF_cond_exp_isfa_ista):
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    translations = build_translations(
        _LEAK, *_MEMBRANE, *_SYNAPSES, *_REVERSAL, ("v_spike", "V_peak"), ("a", "a"), ("b", "b", 1000.0),
        ("delta_T", "Delta_T"), ("tau_w", "tau_w"))
    model, weight_scale, inhibitory_scale = "aeif_cond_exp", 1000.0, -1000.0
    states = {**_CONDUCTANCE, "w": ("w", 1000.0)}


class Izhikevich(cells.Izhikevich):
    __doc__ = cells.Izhikevich.__doc__
    translations = build_translations(("a", "a"), ("b", "b"), ("c", "c"), ("d", "d"), ("i_offset", "I_e", 1000.0))
    model, weight_scale, inhibitory_scale = "izhikevich", 1.0, 1.0
    states = {"v": ("V_m", 1.0), "u": ("U_m", 1.0)}


class SpikeSourcePoisson(cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = build_translations(("rate", "rate"), ("start", "start"), ("duration", "duration"))
    model, states = "poisson", {}


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = build_translations(("spike_times", "spike_times"))
    model, states = "spike_train", {}


def _missing(name: str, why: str) -> Any:
    def refuse(self: Any, *arguments: Any, **parameters: Any) -> None:
        raise NotImplementedError(f"tessera.pynn has no {name}: {why}.")

    return type(name, (ModelNotAvailable,), {"__init__": refuse, "__doc__": f"Not there: {why}."})


_NO_ALPHA = "the library has no conductances of alpha shape"
IF_cond_alpha = _missing("IF_cond_alpha", _NO_ALPHA)
EIF_cond_alpha_isfa_ista = _missing("EIF_cond_alpha_isfa_ista", _NO_ALPHA)
HH_cond_exp = _missing("HH_cond_exp", "the library has no Hodgkin-Huxley model")
IF_cond_exp_gsfa_grr = _missing("IF_cond_exp_gsfa_grr", "the library has no such adaptation")
GIF_cond_exp = _missing("GIF_cond_exp", "the library has no stochastic threshold")
SpikeSourceGamma = _missing("SpikeSourceGamma", "the library has no such source")
SpikeSourcePoissonRefractory = _missing("SpikeSourcePoissonRefractory", "the library has no such source")
PointNeuron = _missing("PointNeuron", "receptors are those of the models of the library")
MultiCompartmentNeuron = _missing("MultiCompartmentNeuron", "neurons of the library are points")
