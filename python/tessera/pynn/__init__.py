"""PyNN scripts on Tessera: ``import tessera.pynn as sim`` instead of ``import pyNN.nest as sim``.

A backend of PyNN 0.13 (``pip install 'tessera[pynn]'``). docs/python.md says what there is, and what is different.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import warnings
from typing import Any, List, Union

from pyNN import common, errors, random, space
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.connectors import *  # noqa: F403
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.recording import get_io
from pyNN.space import Space
from pyNN.standardmodels import StandardCellType

from .. import _check
from . import simulator
from .cells import *  # noqa: F403
from .electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .populations import Assembly, Population, PopulationView
from .projections import Connection, Projection
from .recording import Recorder
from .synapses import *  # noqa: F403
from .synapses import StaticSynapse


def setup(timestep: float = DEFAULT_TIMESTEP, min_delay: Union[float, str] = DEFAULT_MIN_DELAY, **extra_params: Any) -> int:
    """Begins a new network. Times in ms.

    ``max_delay``: as in PyNN. ``threads``, ``precision`` ("exact", the default here, or "fast"), ``connectivity``: options
    of `tessera.Simulation`. ``rng_seed``: of Poisson sources and noisy currents. Others mean nothing here, and a warning
    says so. Returns the rank, 0.
    """
    max_delay = extra_params.pop("max_delay", DEFAULT_MAX_DELAY)
    common.setup(timestep, min_delay, max_delay=max_delay, **extra_params)
    state = simulator.state
    state.clear()
    state.dt = _check.number(timestep, "ms", "timestep")
    state.given_min_delay, state.given_max_delay = min_delay, max_delay
    state.seed = _check.whole(extra_params.pop("rng_seed", 1), "rng_seed", high=2**62)
    state.options = {"precision": "exact"}
    state.options.update({n: extra_params.pop(n) for n in ("threads", "precision", "connectivity") if n in extra_params})
    if extra_params:
        warnings.warn(f"setup: {', '.join(sorted(extra_params))} mean nothing to tessera.pynn.", stacklevel=2)
    return rank()


def end(compatible_output: bool = True) -> None:
    """Writes what is to be written to files."""
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []


run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes, rank = common.build_state_queries(simulator)
create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)  # noqa: F405
record = common.build_record(simulator)


def record_v(source: Any, filename: str) -> None:
    """Records membrane potentials, and writes them to a file at the end."""
    record(["v"], source, filename)


def record_gsyn(source: Any, filename: str) -> None:
    """Records synaptic conductances, and writes them to a file at the end."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)


def list_standard_models() -> List[str]:
    """Names of the cell types that there are."""
    return [n for n, t in globals().items() if isinstance(t, type) and issubclass(t, StandardCellType) and hasattr(t, "model")]
