"""The state behind PyNN's functions: time, the simulation that runs, and how it goes on after a change."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, List, Optional

import numpy as np
from pyNN import common
from pyNN.common.control import BaseState

from ..simulation import Simulation
from . import _build

name = "Tessera"


class ID(int, common.IDMixin):
    """The number of a cell, which knows its population."""

    def __init__(self, number: int):
        common.IDMixin.__init__(self)


class State(BaseState):
    """What PyNN keeps of a simulator. A simulation of the library is made at the first run. What is changed between runs
    makes another one, which goes on from the state of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.mpi_rank, self.num_processes = 0, 1
        self.dt = 0.1
        self.options: dict = {}
        self.seed = 1
        self.clear()

    # -------------------------------------------------------------------------------------- time

    def time_of(self, steps: Any) -> Any:
        """Steps in ms; the nearest number to the decimal one where dt is a whole fraction of a millisecond."""
        per_ms = round(1.0 / self.dt)
        return steps / per_ms if per_ms > 0 and abs(per_ms * self.dt - 1.0) < 1e-9 else steps * self.dt

    def steps_of(self, time: Any) -> Any:
        """The nearest step to a time in ms; what never ends is a very late step."""
        return np.rint(np.minimum(np.asarray(time, dtype=float) / self.dt, 2.0**52)).astype(np.int64)

    @property
    def t(self) -> float:
        """Model time in ms."""
        return float(self.time_of(self.step))

    @property
    def min_delay(self) -> Any:
        """As given to setup(), else the smallest delay of a connection (ms)."""
        if self.given_min_delay != "auto":
            return self.given_min_delay
        return min((p.delay_range()[0] for p in self.projections if len(p)), default=self.dt)

    @property
    def max_delay(self) -> Any:
        """As given to setup(), else the largest delay of a connection (ms)."""
        if self.given_max_delay != "auto":
            return self.given_max_delay
        return max((p.delay_range()[1] for p in self.projections if len(p)), default=self.dt)

    # ------------------------------------------------------------------------------------ control

    def clear(self) -> None:
        """Forgets the network."""
        self.given_min_delay: Any = "auto"
        self.given_max_delay: Any = "auto"
        self.recorders = set()
        self.populations: List[Any] = []
        self.projections: List[Any] = []
        self.current_sources: List[Any] = []
        self.first_ids: List[int] = []
        self.id_counter = 0
        self.builds = 0
        self.segment_counter = -1
        self.reset()

    def reset(self) -> None:
        """Back to time 0 and the initial values."""
        self.running = False
        self.t_start = 0
        self.step = 0
        self.changed = True
        self.sampled_until: Optional[int] = None
        self.simulation: Optional[Simulation] = None
        self.built: Optional[_build.Built] = None
        self.pending: List[Any] = []
        self.segment_counter += 1
        for population in self.populations:
            population.store.reset()
        for projection in self.projections:
            projection.forget_learnt()
        for source in self.current_sources:
            source._reset()

    def run(self, simtime: float) -> None:
        """Goes on for simtime (ms)."""
        self._run_to(self.step + int(self.steps_of(simtime)))

    def run_until(self, tstop: float) -> None:
        """Goes on until tstop (ms)."""
        self._run_to(int(self.steps_of(tstop)))

    def _run_to(self, end: int) -> None:
        self.running = True
        if not self.populations:
            self.step = max(self.step, end)
        if end <= self.step or not self.populations:
            return
        if self.sampled_until is not None and end > self.sampled_until:
            self.changed = True  # alternating and noisy currents are worked out for one run at a time
        if self.changed or self.simulation is None:
            self._build(end)
        assert self.simulation is not None and self.built is not None
        for source in self.current_sources:
            source._keep(self.step, end)
        begin, self.step = self.step, end
        self.simulation.run(self.time_of(end - begin), progress=False)
        self.built.collect(self.simulation, begin, end)
        self.simulation.clear()

    def _build(self, end: int) -> None:
        if self.simulation is not None and self.built is not None:
            self.built.keep_state(self.simulation)
            self.pending = self.built.in_flight(self.step)
        self.built = _build.build(self, end)
        self.builds += 1
        self.simulation = Simulation(self.built.network, seed=self.seed + 7919 * (self.builds - 1), **self.options)
        self.built.first_samples(self.simulation, self.step)
        self.changed = False

    # ------------------------------------------------------------------------------------ cells

    def add_population(self, population: Any) -> np.ndarray:
        """Numbers its cells."""
        first = self.id_counter
        self.first_ids.append(first)
        self.populations.append(population)
        self.id_counter += population.size
        self.changed = True
        return np.arange(first, self.id_counter)

    def places(self, ids: Any) -> Any:
        """Populations (by number) and places in them of cells."""
        numbers = np.asarray(ids, dtype=np.int64)
        populations = np.searchsorted(self.first_ids, numbers, side="right") - 1
        return populations, numbers - np.asarray(self.first_ids, dtype=np.int64)[populations]


state = State()
