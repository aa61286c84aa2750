"""Current sources. Each says from which step on which current flows; the network gets these as currents of the library."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import build_translations, electrodes

from . import simulator

#: Steps at which a current changes, and its value (nA) from each of them on.
Changes = Tuple[np.ndarray, np.ndarray]


class _Source:
    """What all current sources do."""

    #: whether the current changes in every step, so that it is worked out for one run at a time
    sampled = False

    def __init__(self, **parameters: Any):
        super().__init__(**parameters)
        self._cells: List[int] = []
        self._recording = False
        self._reset()
        self._native: Dict[str, Any] = {}
        given = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))  # type: ignore[attr-defined]
        given.update(**parameters)
        self.set_native_parameters(self.translate(given))  # type: ignore[attr-defined]

    def _reset(self) -> None:
        self._kept: List[np.ndarray] = []  # recorded, one value a step

    def _register(self) -> None:
        if all(source is not self for source in simulator.state.current_sources):
            simulator.state.current_sources.append(self)
            self._number = len(simulator.state.current_sources)
        simulator.state.changed = True

    def inject_into(self, cells: Any) -> None:
        """Injects the current into all of these cells, from now on."""
        for cell in cells:
            if not cell.celltype.injectable:
                raise TypeError("Can't inject current into a spike source.")
        self._cells += [int(cell) for cell in cells]
        self._register()

    def record(self) -> None:
        """Records the current; `get_data` gives it."""
        self._recording = True
        self._register()

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        """Takes effect from the next run on."""
        parameters.evaluate(simplify=True)
        for name, value in parameters.items():
            self._native[name] = np.array(value.value) if isinstance(value, Sequence) else float(np.asarray(value).flat[0])
        self._check()
        simulator.state.changed = True

    def get_native_parameters(self) -> ParameterSpace:
        """In PyNN's units."""
        return ParameterSpace(dict(self._native))

    def _check(self) -> None:
        pass

    def _window(self) -> Tuple[int, int]:
        return tuple(int(simulator.state.steps_of(self._native[n])) for n in ("start", "stop"))  # type: ignore[return-value]

    def _changes(self, begin: int, end: int) -> Changes:
        """From step `begin` on, which is the first of them; `end` bounds only what changes in every step."""
        raise NotImplementedError

    def _keep(self, begin: int, end: int) -> None:
        if self._recording:
            steps, values = self._changes(begin, end)
            self._kept.append(values[np.searchsorted(steps, np.arange(begin, end), side="right") - 1])

    def _get_data(self) -> Tuple[np.ndarray, np.ndarray]:
        kept = np.concatenate(self._kept or [np.empty(0)])
        now = simulator.state.step if simulator.state.step >= len(kept) else len(kept)
        last = self._changes(now, now + 1)[1][:1]
        values = np.concatenate([np.zeros(max(now - len(kept), 0)), kept, last])  # nothing was kept before record()
        return simulator.state.time_of(np.arange(len(values))), values


def _pulse(window: Tuple[int, int], begin: int, inside: Any) -> Changes:
    """`inside` gives the changes from a step on; before and after the window there is no current."""
    start, stop = max(window[0], begin), window[1]
    if stop <= start:
        return np.array([begin]), np.zeros(1)
    steps, values = inside(start)
    before = ([begin], [0.0]) if start > begin else ([], [])
    return (np.concatenate([before[0], steps, [stop]]).astype(np.int64), np.concatenate([before[1], values, [0.0]]))


class DCSource(_Source, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = build_translations(("amplitude", "amplitude"), ("start", "start"), ("stop", "stop"))

    def _changes(self, begin: int, end: int) -> Changes:
        return _pulse(self._window(), begin, lambda start: ([start], [self._native["amplitude"]]))


class StepCurrentSource(_Source, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = build_translations(("amplitudes", "amplitudes"), ("times", "times"))

    def _check(self) -> None:
        times, values = self._native["times"], self._native["amplitudes"]
        if len(times) != len(values):
            raise ValueError(f"There are {len(times)} times and {len(values)} amplitudes.")
        if (times < 0.0).any():
            raise ValueError("Times of a StepCurrentSource must not be negative.")
        if (np.diff(times) < 0.0).any():
            raise ValueError("Times of a StepCurrentSource must not decrease.")
        steps = simulator.state.steps_of(times)
        last = np.append(steps[1:] != steps[:-1], True)[: len(steps)]  # of several in one step the last one counts
        self._native["times"], self._native["amplitudes"] = simulator.state.time_of(steps[last]), values[last]

    def _changes(self, begin: int, end: int) -> Changes:
        steps, values = simulator.state.steps_of(self._native["times"]), self._native["amplitudes"]
        first = np.searchsorted(steps, begin, side="right")
        now = values[first - 1] if first > 0 else 0.0
        return np.concatenate([[begin], steps[first:]]).astype(np.int64), np.concatenate([[now], values[first:]])


class _SampledSource(_Source):
    sampled = True

    def _at(self, steps: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _changes(self, begin: int, end: int) -> Changes:
        start, stop = self._window()

        def inside(first: int) -> Tuple[np.ndarray, np.ndarray]:
            steps = np.arange(first, max(min(end, stop), first))
            return steps, self._at(steps)

        return _pulse((start, min(stop, max(end, begin))), begin, inside)


class ACSource(_SampledSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = build_translations(*((n, n) for n in ("amplitude", "start", "stop", "frequency", "offset", "phase")))

    def _at(self, steps: np.ndarray) -> np.ndarray:
        p, t = self._native, simulator.state.time_of(steps)
        return p["offset"] + p["amplitude"] * np.sin(
            2e-3 * np.pi * p["frequency"] * (t - p["start"]) + p["phase"] * np.pi / 180.0)


class NoisyCurrentSource(_SampledSource, electrodes.NoisyCurrentSource):
    __doc__ = electrodes.NoisyCurrentSource.__doc__
    translations = build_translations(*((n, n) for n in ("mean", "start", "stop", "stdev", "dt")))

    def _at(self, steps: np.ndarray) -> np.ndarray:
        p, state = self._native, simulator.state
        every = max(int(state.steps_of(p["dt"])), 1)
        numbers = (steps - self._window()[0]) // every
        if len(numbers) == 0:
            return np.empty(0)
        # The same number gives the same value, however the time is cut into runs.
        draws = np.random.default_rng([state.seed, getattr(self, "_number", 0)]).standard_normal(int(numbers[-1]) + 1)
        return p["mean"] + p["stdev"] * draws[numbers]
