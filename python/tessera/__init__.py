"""Tessera: simulates, trains and maps spiking neural networks on many small memories.

Quantities are numbers in the documented unit, or texts such as ``"1.5 ms"``. There is no global state: networks and
simulations are objects that do not know of each other. docs/python.md is the manual.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from ._activity import SPIKE, Statistics, Trace
from .distributions import Distribution, exponential, lognormal, normal, uniform
from .errors import (ActivityError, CommunicationError, DivergedError, InputError, Problem, RunError, TesseraError,
                     TooLargeError)
from .models import Model, Parameter, load_models, model, models, plasticity_rules, structural_rules
from .network import Network, Population, Projection
from .result import Result, load_result
from .simulation import SYNAPSE, Plan, Simulation, plan
from .structural import EDGE, StructuralRule, StructuralView

__all__ = [
    "EDGE", "SPIKE", "SYNAPSE", "ActivityError", "CommunicationError", "Distribution", "DivergedError", "InputError", "Model",
    "Network", "Parameter", "Plan", "Population", "Problem", "Projection", "Result", "RunError", "Simulation",
    "Statistics", "StructuralRule", "StructuralView", "TesseraError", "TooLargeError", "Trace", "exponential", "load_models", "load_result", "lognormal", "model", "models",
    "normal", "plan", "plasticity_rules", "structural_rules", "uniform",
]
__version__ = "0.1.0"
