"""Projections: PyNN's connectors choose the connections, which become explicit lists of the library."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from pyNN import common
from pyNN.parameters import ParameterSpace
from pyNN.space import Space

from . import simulator
from .synapses import STDPMechanism, StaticSynapse


class Connection(common.Connection):
    """One connection of a projection, which holds its values."""

    def __init__(self, projection: "Projection", place: int):
        object.__setattr__(self, "_of", (projection, place))

    @property
    def presynaptic_index(self) -> int:
        """Number of the source in the projection's `pre`."""
        projection, place = self._of
        return int(projection.pre_indices[place])

    @property
    def postsynaptic_index(self) -> int:
        """Number of the target in the projection's `post`."""
        projection, place = self._of
        return int(projection.post_indices[place])

    def __getattr__(self, name: str) -> float:
        projection, place = self._of
        return float(projection.column(name)[place])

    def __setattr__(self, name: str, value: float) -> None:
        projection, place = self._of
        values = projection.column(name).copy()
        values[place] = value
        projection.set_column(name, values)

    def as_tuple(self, *names: str) -> Tuple[float, ...]:
        """Values by name."""
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(self, presynaptic_population: Any, postsynaptic_population: Any, connector: Any, synapse_type: Any = None,
                 source: Any = None, receptor_type: Optional[str] = None, space: Space = Space(),
                 label: Optional[str] = None):
        super().__init__(presynaptic_population, postsynaptic_population, connector, synapse_type, source, receptor_type,
                         space, label)
        self._parts: List[Tuple[np.ndarray, int, Dict[str, Any]]] = []  # of one target each
        self._columns: Dict[str, np.ndarray] = {}
        self._learnt: Optional[np.ndarray] = None
        self.read_learnt: Any = None  # gives the weights that the running simulation has, or None
        connector.connect(self)
        self._gather()
        simulator.state.projections.append(self)
        simulator.state.changed = True

    def _convergent_connect(self, presynaptic_indices: Any, postsynaptic_index: int, location_selector: Any = None,
                            **parameters: Any) -> None:
        if location_selector is not None:
            raise NotImplementedError("Neurons of tessera.pynn are points: a location on them has no meaning.")
        self._parts.append((np.asarray(presynaptic_indices, dtype=np.int64), int(postsynaptic_index), parameters))

    def _gather(self) -> None:
        """Makes one array of each value of all connections."""
        sizes = [len(pre) for pre, _, _ in self._parts]
        self.pre_indices = np.concatenate([pre for pre, _, _ in self._parts] or [np.empty(0, np.int64)])
        self.post_indices = np.repeat(np.array([post for _, post, _ in self._parts], dtype=np.int64), sizes)
        for name in self._parts[0][2] if self._parts else self.synapse_type.get_native_names():
            self._columns[name] = np.concatenate([np.broadcast_to(np.asarray(values[name], dtype=float), (size,))
                                                  for size, (_, _, values) in zip(sizes, self._parts)] or [np.empty(0)])
        self._parts = []

    # ------------------------------------------------------------------------------------ values

    def __len__(self) -> int:
        return len(self.pre_indices)

    def __getitem__(self, i: int) -> Connection:
        if not -len(self) <= i < len(self):
            raise IndexError(f"There are {len(self)} connections.")
        return Connection(self, i % len(self))

    @property
    def connections(self) -> Sequence[Connection]:
        """All connections."""
        return [Connection(self, i) for i in range(len(self))]

    def column(self, name: str) -> np.ndarray:
        """A value of all connections; weights that learn are those of now."""
        if name not in self._columns:
            raise AttributeError(f"Connections of this projection have no '{name}'; they have {', '.join(self._columns)}.")
        learnt = self.learnt() if name == "weight" else None
        return self._columns[name] if learnt is None else learnt

    def set_column(self, name: str, values: np.ndarray) -> None:
        """Sets a value of all connections, from now on."""
        self._columns[name] = values
        if name == "weight":
            self.forget_learnt()
        simulator.state.changed = True

    def learnt(self) -> Optional[np.ndarray]:
        """Weights that the running simulation has changed, or None."""
        if isinstance(self.synapse_type, STDPMechanism) and self.read_learnt is not None:
            self._learnt = self.read_learnt()
        return self._learnt

    def forget_learnt(self) -> None:
        """Back to the weights that were given."""
        self._learnt, self.read_learnt = None, None

    def delay_range(self) -> Tuple[float, float]:
        """Smallest and largest delay (ms)."""
        return float(self._columns["delay"].min()), float(self._columns["delay"].max())

    def _set_attributes(self, parameters: ParameterSpace) -> None:
        parameters.evaluate(simplify=False)
        for name, values in parameters.items():
            if name != "weight":
                self.column("weight")  # keeps what was learnt
            values = np.broadcast_to(np.asarray(values, dtype=float), self.shape)
            self.set_column(name, values[self.pre_indices, self.post_indices])

    def _set_initial_value_array(self, variable: str, initial_value: Any) -> None:
        if not np.all(np.asarray(initial_value.evaluate(simplify=True)) == 0.0):
            raise NotImplementedError(f"Synapses of tessera.pynn begin with {variable} = 0.")

    # ------------------------------------------------------------------------------------ for get()

    def _values(self, name: str) -> np.ndarray:
        return {"presynaptic_index": self.pre_indices, "postsynaptic_index": self.post_indices}.get(name, None) \
            if name.endswith("_index") else self.column(name)

    def _get_attributes_as_list(self, names: Sequence[str]) -> List[Any]:
        return list(zip(*(self._values(name).astype(float).tolist() for name in names)))

    def _get_attributes_as_arrays(self, names: Sequence[str], multiple_synapses: str = "sum") -> List[np.ndarray]:
        places = (self.pre_indices, self.post_indices)
        arrays = []
        for name in names:
            values = self.column(name)
            result = np.full(self.shape, np.nan)
            if multiple_synapses == "first":
                result[places[0][::-1], places[1][::-1]] = values[::-1]
            elif multiple_synapses == "last":
                result[places] = values
            else:
                result[places] = {"sum": 0.0, "min": np.inf, "max": -np.inf}[multiple_synapses]
                {"sum": np.add, "min": np.minimum, "max": np.maximum}[multiple_synapses].at(result, places, values)
            arrays.append(result)
        return arrays
