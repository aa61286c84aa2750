"""What is recorded of a population, and PyNN's view of it."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from pyNN import recording

from . import simulator


class Store:
    """Recorded spikes and samples of a population, and the state with which a changed network goes on."""

    def __init__(self, size: int):
        self.size = size
        self.reset()

    def reset(self) -> None:
        """Back to time 0."""
        #: state of all cells where the simulation stands; None: the initial values hold
        self.state: Optional[Dict[str, np.ndarray]] = None
        self._notes: Dict[str, np.ndarray] = {}
        self._given: List[Tuple[str, np.ndarray, np.ndarray]] = []
        #: steps and cells of spikes that may not all have arrived
        self.recent = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        self.clear_data(None)

    def clear_data(self, now: Optional[int]) -> None:
        """Forgets what was recorded, but for the samples of now, with which the next part begins."""
        kept = {} if now is None else self.samples
        self.spikes: List[Tuple[np.ndarray, np.ndarray]] = []  # steps, cells
        # By variable: (steps, cells, values[step, cell]).
        self.samples: Dict[str, List[Tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
        for variable, parts in kept.items():
            self.samples[variable] = [(steps[-1:], cells, values[-1:]) for steps, cells, values in parts if steps[-1] == now]

    def note(self, name: str, places: np.ndarray, values: np.ndarray) -> None:
        """A state variable of some cells, where the simulation stands."""
        self._notes.setdefault(name, np.zeros(self.size))[places] = values

    def take_notes(self) -> None:
        """What was noted is the state to go on with, but for what initialize() has said since."""
        if self._notes:  # else the population is new
            self.state, self._notes = self._notes, {}
            for name, places, values in self._given:
                self.state.setdefault(name, np.zeros(self.size))[places] = values
        self._given = []

    def initialize(self, name: str, places: np.ndarray, values: np.ndarray) -> None:
        """Sets a state variable, for the next run."""
        self._given.append((name, places, values))

    def add_spikes(self, steps: np.ndarray, cells: np.ndarray, oldest: int, recorded: bool) -> None:
        """Spikes of a run. Those after `oldest` may not all have arrived."""
        if recorded:
            self.spikes.append((steps, cells))
        steps, cells = (np.concatenate(both) for both in zip(self.recent, (steps, cells)))
        self.recent = (steps[steps > oldest], cells[steps > oldest])

    def signal(self, variable: str, cells: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Values at steps (rows) of cells (columns); NaN where nothing was recorded."""
        result = np.full((len(steps), len(cells)), np.nan)
        for part_steps, part_cells, values in reversed(self.samples.get(variable, [])):  # the first to say so is right
            from_rows, to_rows = _matches(part_steps, steps)
            from_columns, to_columns = _matches(part_cells, cells)
            result[np.ix_(to_rows, to_columns)] = values[np.ix_(from_rows, from_columns)]
        return result

    def spike_arrays(self) -> Tuple[np.ndarray, np.ndarray]:
        """Steps and cells of all recorded spikes."""
        if not self.spikes:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        steps, cells = zip(*self.spikes)
        return np.concatenate(steps), np.concatenate(cells)


def _matches(these: np.ndarray, those: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Places in `these` of what is in `those`, and its places there; both are in order."""
    places = np.searchsorted(those, these)
    found = np.flatnonzero(places < len(those))
    found = found[those[places[found]] == these[found]]
    return found, places[found]


class Recorder(recording.Recorder):
    __doc__ = recording.Recorder.__doc__
    _simulator = simulator

    def _record(self, variable: Any, new_ids: Any, sampling_interval: Optional[float] = None) -> None:
        if sampling_interval is not None:
            steps = sampling_interval / simulator.state.dt
            if steps < 0.5 or abs(steps - round(steps)) > 1e-6:
                raise ValueError(f"The sampling interval must be a multiple of the time step, not {sampling_interval} ms.")
            self.sampling_interval = sampling_interval
        simulator.state.changed = True

    def _reset(self) -> None:
        simulator.state.changed = True

    def _clear_simulator(self) -> None:
        self.population.store.clear_data(simulator.state.step)

    def places(self, ids: Any) -> np.ndarray:
        """Places in the population."""
        return np.sort(np.fromiter((int(i) for i in ids), dtype=np.int64)) - int(self.population.first_id)

    def _get_spiketimes(self, ids: Any, clear: bool = False) -> Any:
        steps, cells = self.population.store.spike_arrays()
        wanted = np.zeros(self.population.size, dtype=bool)
        wanted[self.places(ids if np.iterable(ids) else [ids])] = True
        mine = wanted[cells]
        return cells[mine] + int(self.population.first_id), simulator.state.time_of(steps[mine])

    def _get_all_signals(self, variable: Any, ids: Any, clear: bool = False) -> Any:
        state = simulator.state
        begin = int(state.steps_of(float(self._recording_start_time)))
        steps = np.arange(begin, state.step + 1, int(state.steps_of(self.sampling_interval)))
        return self.population.store.signal(variable.name, self.places(ids), steps), None

    def _local_count(self, variable: Any, filter_ids: Any = None) -> Dict[int, int]:
        _, cells = self.population.store.spike_arrays()
        counts = np.bincount(cells, minlength=self.population.size)
        first = int(self.population.first_id)
        return {int(i): int(counts[int(i) - first]) for i in self.filter_recorded(variable, filter_ids)}
