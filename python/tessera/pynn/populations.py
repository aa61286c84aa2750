"""Populations, views and assemblies: parameters and initial values, cell by cell, in the library's units."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ParameterSpace, Sequence, simplify

from . import simulator
from .recording import Recorder, Store


class Assembly(common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    @property
    def receptor_types(self) -> Any:
        """Those that all populations have, in the order of the first one: PyNN's own are in no order, but the first one is
        the default of a projection."""
        shared = set.intersection(*(set(p.receptor_types) for p in self.populations))
        return [r for r in self.populations[0].receptor_types if r in shared]


class _Cells:
    """What a population and a view of one have in common: both read and write the population's arrays."""

    def _get_view(self, selector: Any, label: Any = None) -> "PopulationView":
        return PopulationView(self, selector, label)

    def _owner(self) -> Any:
        """The population and the places of these cells in it."""
        raise NotImplementedError

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        population, places = self._owner()
        return ParameterSpace({name: simplify(population._values[name][places]) for name in names},
                              shape=(self.size,))  # type: ignore[attr-defined]

    def _get_parameters(self, *names: str) -> ParameterSpace:
        cell_type = self.celltype  # type: ignore[attr-defined]
        wanted = () if any(name in cell_type.computed_parameters() for name in names) else names
        return cell_type.reverse_translate(self._get_native_parameters(*cell_type.get_native_names(*wanted)))

    def _set_parameters(self, parameters: ParameterSpace) -> None:
        population, places = self._owner()
        parameters.evaluate(simplify=False)
        for name, value in parameters.items():
            if name not in population._values:
                raise errors.NonExistentParameterError(name, population.celltype.__class__.__name__)
            values = population._values[name].copy()
            values[places] = _column(value, len(places))
            population._values[name] = values
        simulator.state.changed = True

    def _set_initial_value_array(self, variable: str, values: Any) -> None:
        population, places = self._owner()
        states = population.celltype.states
        if variable not in states:
            if states:
                raise errors.InvalidParameterValueError(
                    f"{population.celltype.__class__.__name__} has no variable '{variable}'.")
            return
        state, factor = states[variable]
        given = np.broadcast_to(np.asarray(values.evaluate(simplify=False), dtype=float), (len(places),)) * factor
        population._initial.setdefault(state, np.zeros(population.size))[places] = given
        if simulator.state.simulation is not None:
            population.store.initialize(state, places, given)
        simulator.state.changed = True


def _column(value: Any, size: int) -> np.ndarray:
    """One value per cell; lists of spike times stay objects."""
    if isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.dtype == object):
        column = np.empty(size, dtype=object)
        column[:] = [value] * size if isinstance(value, Sequence) else list(value)
        for times in column:
            if isinstance(times, Sequence) and (np.diff(times.value) < 0).any():
                raise errors.InvalidParameterValueError("Spike times must be in increasing order.")
        return column
    return np.broadcast_to(np.asarray(value, dtype=float), (size,)).copy()


class PopulationView(_Cells, common.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _assembly_class = Assembly
    _simulator = simulator

    def _owner(self) -> Any:
        return self.grandparent, np.asarray(self.index_in_grandparent(np.arange(self.size)), dtype=np.int64)


class Population(_Cells, common.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def _owner(self) -> Any:
        return self, np.arange(self.size)

    def _create_cells(self) -> None:
        parameters = self.celltype.native_parameters
        parameters.shape = (self.size,)
        parameters.evaluate(simplify=False)
        #: by native name, an array with a value per cell; replaced, never written into
        self._values: Dict[str, np.ndarray] = {n: _column(v, self.size) for n, v in parameters.items()}
        #: by state variable of the library, at time 0
        self._initial: Dict[str, np.ndarray] = {}
        self.store = Store(self.size)
        numbers = simulator.state.add_population(self)
        self.all_cells = np.array([simulator.ID(int(n)) for n in numbers], dtype=simulator.ID)
        for cell in self.all_cells:
            cell.parent = self
        self._mask_local = np.ones(self.size, dtype=bool)
