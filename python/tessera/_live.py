"""What of a simulation can be looked at and changed between two runs: states, weights, rates, amplitudes."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Generic, Iterator, Mapping, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _check, _core
from ._check import Quantity
from .models import model

if TYPE_CHECKING:
    from .network import Population
    from .simulation import Simulation

Thing = TypeVar("Thing")


class Named(Mapping[str, Thing], Generic[Thing]):
    """Things by name, in order; a wrong name is told with the nearest one."""

    def __init__(self, kind: str, things: Dict[str, Thing]):
        self._kind, self._things = kind, things

    def __getitem__(self, name: Any) -> Thing:
        key = getattr(name, "name", name)
        if not isinstance(key, str) or key not in self._things:
            near = _core.did_you_mean(key, list(self._things)) if isinstance(key, str) else ""
            raise KeyError(f"There is no {self._kind} named {key!r}.{near}")
        return self._things[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __repr__(self) -> str:
        return f"<{self._kind}: {', '.join(self._things)}>"


class States(Mapping[str, "NDArray[np.float64]"]):
    """The state variables of a population by name. What is read is a copy, and read-only; setting takes an array with a
    value for each neuron, or one value for all."""

    def __init__(self, simulation: "Simulation", population: "Population"):
        self._simulation, self._population = simulation, population
        self._units = {**model(population.model).states, "refractory": "ms"}

    def __getitem__(self, variable: str) -> NDArray[np.float64]:
        name = _check.text(variable, "variable")
        values = self._simulation._alive.state(self._population.name, name)
        if name not in self._units and np.isnan(values).all():  # structural rules keep numbers with other names
            near = _core.did_you_mean(name, list(self._units))
            raise KeyError(f"Population '{self._population.name}' has no state variable {name[:60]!r}.{near}")
        values.flags.writeable = False
        return values

    def __setitem__(self, variable: str, values: ArrayLike) -> None:
        name = _check.text(variable, "variable")
        array = _check.numbers(values, self._units.get(name, ""), name, self._population.size)
        _core.set_state(self._simulation._alive, self._population.name, name, array)

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)

    def __repr__(self) -> str:
        return f"<States of {self._population.name!r}: {', '.join(self._units)}>"


class AllStates(Mapping[str, States]):
    """The states of all populations of neurons: ``sim.state["E"]["V_m"]``."""

    def __init__(self, simulation: "Simulation"):
        self._simulation = simulation

    def __getitem__(self, population: Any) -> States:
        network = self._simulation._network
        found = network._find(getattr(population, "name", population), "population")
        if not found.model:
            raise KeyError(f"'{found.name}' is a source of spikes; it has no state.")
        return States(self._simulation, found)

    def __call__(self, population: Any, variable: str = "V_m") -> NDArray[np.float64]:
        """A state variable of a population, as an array of its own."""
        name = self._simulation._find(population)
        return self._simulation._alive.state(name, _check.text(variable, "variable"))

    def __iter__(self) -> Iterator[str]:
        return (p.name for p in self._simulation._network.populations.values() if p.model)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<States of {', '.join(self)}>"


class LiveProjection:
    """A projection of a simulation. Its arrays have one entry per synapse, in the order of source, target, delay."""

    def __init__(self, simulation: "Simulation", name: str):
        self._simulation, self.name = simulation, name

    @property
    def synapses(self) -> NDArray[Any]:
        """Records of source, target, weight and delay (ms), with the weights of now."""
        return self._simulation.synapses(self.name)

    @property
    def sources(self) -> NDArray[np.uint32]:
        """Number of each synapse's source in its population."""
        return np.ascontiguousarray(self.synapses["source"])

    @property
    def targets(self) -> NDArray[np.uint32]:
        """Number of each synapse's target in its population."""
        return np.ascontiguousarray(self.synapses["target"])

    @property
    def delays(self) -> NDArray[np.float64]:
        """In ms."""
        return np.ascontiguousarray(self.synapses["delay"])

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of now, in the unit of the target's model: a read-only copy. Set it to an array, or to one value for all, to
        change them. That needs a projection whose weights are kept one by one: one with a ``plasticity``, which may be
        "static"."""
        values = np.ascontiguousarray(self.synapses["weight"])
        values.flags.writeable = False
        return values

    @weights.setter
    def weights(self, values: ArrayLike) -> None:
        name = "weights"
        if isinstance(values, (str, int, float, np.number)):
            values = np.full(len(self), _check.number(values, self._unit(), name))
        _core.set_weights(self._simulation._alive, self.name, _check.numbers(values, self._unit(), name))

    def _unit(self) -> str:
        network = self._simulation._network
        return model(network.populations[network.projections[self.name].target].model).weight_unit

    def __len__(self) -> int:
        return len(self.synapses)

    def __repr__(self) -> str:
        return f"<LiveProjection {self.name!r}>"


class LiveStimulus:
    """A stimulus of a simulation: the ``rate`` (Hz) of Poisson trains, or the ``amplitude`` (pA) of a current, can be set
    between runs. Checkpoints are then those of a network with these values (`Simulation.network`)."""

    def __init__(self, simulation: "Simulation", name: str, kind: str, target: str):
        self._simulation, self.name, self.kind, self.target = simulation, name, kind, target

    def _described(self) -> _core.Stimulus:
        network = _core.network_of(self._simulation._alive)
        return network.stimulus(network.stimulus_names().index(self.name))

    def _require(self, kind: str, what: str) -> None:
        if self.kind != kind:
            raise AttributeError(f"The stimulus '{self.name}' has no {what}; its kind is {self.kind}.")

    @property
    def rate(self) -> float:
        """Of Poisson trains, in Hz."""
        self._require("poisson", "rate")
        return float(self._described().rate_hz)

    @rate.setter
    def rate(self, value: Quantity) -> None:
        _core.set_stimulus_rate(self._simulation._alive, self.name, _check.number(value, "Hz", "rate"))

    @property
    def amplitude(self) -> Union[float, NDArray[np.float64]]:
        """Of a current, in pA: one for all neurons, or an array with one for each."""
        self._require("current", "amplitude")
        described = self._described()
        if not described.values:
            return float(described.amplitude_pA)
        values = np.array(described.values)
        values.flags.writeable = False
        return values

    @amplitude.setter
    def amplitude(self, value: Any) -> None:
        if isinstance(value, (str, int, float, np.number)):
            array = np.array([_check.number(value, "pA", "amplitude")])
        else:
            size = self._simulation._network.populations[self.target].size
            array = _check.numbers(value, "pA", "amplitude", size)
        _core.set_amplitude(self._simulation._alive, self.name, array)

    def __repr__(self) -> str:
        return f"<LiveStimulus {self.name!r}: {self.kind} onto {self.target}>"


class LiveSource:
    """A population of Poisson sources of a simulation, whose ``rate`` (Hz) can be set between runs."""

    def __init__(self, simulation: "Simulation", name: str, index: int):
        self._simulation, self.name, self._index = simulation, name, index

    @property
    def rate(self) -> float:
        """Of every source, in Hz."""
        return float(_core.network_of(self._simulation._alive).population(self._index).rate_hz)

    @rate.setter
    def rate(self, value: Quantity) -> None:
        _core.set_source_rate(self._simulation._alive, self.name, _check.number(value, "Hz", "rate"))

    def __repr__(self) -> str:
        return f"<LiveSource {self.name!r}>"


def projections_of(simulation: "Simulation") -> Named[LiveProjection]:
    """By name."""
    return Named("projection", {name: LiveProjection(simulation, name) for name in simulation._network.projections})


def stimuli_of(simulation: "Simulation") -> Named[LiveStimulus]:
    """By name."""
    core = simulation._network._core
    found: Dict[str, LiveStimulus] = {}
    for i, name in enumerate(core.stimulus_names()):
        s = core.stimulus(i)
        found[name] = LiveStimulus(simulation, name, s.kind, s.target)
    return Named("stimulus", found)


def sources_of(simulation: "Simulation") -> Named[LiveSource]:
    """Populations of Poisson sources by name."""
    return Named("population of Poisson sources", {p.name: LiveSource(simulation, p.name, p.index)
                                                   for p in simulation._network.populations.values() if p.kind == "poisson"})
