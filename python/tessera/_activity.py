"""What simulations and loaded results share: spikes by population, rates, statistics, pictures."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _check, _core, _html
from ._check import Quantity
from ._html import Picture

#: Spikes: time in ms, number of the neuron in its population.
SPIKE = np.dtype([("time", "<f8"), ("neuron", "<u4")])


@dataclass(frozen=True)
class Trace:
    """A recorded state variable: ``times`` (ms) and ``values[time, neuron]``."""

    population: str
    variable: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<Trace {self.variable} of {self.population}: {self.values.shape[0]} times x {self.values.shape[1]} neurons>"


@dataclass(frozen=True)
class Statistics:
    """Of one population, in a window: ``rates`` (Hz, per neuron), ``cvs`` of the inter-spike intervals (of neurons with
    more than two spikes), ``correlations`` (of pairs), and their means; NaN where there is nothing to average."""

    name: str
    mean_rate: float
    mean_cv: float
    mean_correlation: float
    rates: NDArray[np.float64]
    cvs: NDArray[np.float64]
    correlations: NDArray[np.float64]


class ByName(Mapping[str, Any]):
    """Things by the name of their population; a wrong name is told with the nearest one."""

    def __init__(self, names: List[str], get: Callable[[int], Any]):
        self._places = {name: i for i, name in enumerate(names)}
        self._get = get

    def __getitem__(self, name: Any) -> Any:
        key = getattr(name, "name", name)
        if key not in self._places:
            near = _core.did_you_mean(key, list(self._places)) if isinstance(key, str) else ""
            raise KeyError(f"There is no population named {key!r}.{near}")
        return self._get(self._places[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}: {len(self[name]):,} spikes" for name in self) + "}"


class Activity:
    """Spikes and what follows from them. The window of statistics is (start, end] in ms; left out, it is everything after
    the discarded start."""

    def _result(self) -> _core.Result:
        raise NotImplementedError

    @property
    def spikes(self) -> Mapping[str, NDArray[Any]]:
        raise NotImplementedError

    def statistics(self, start: Optional[Quantity] = None, end: Optional[Quantity] = None, *,
                   correlation_neurons: int = 1000) -> Dict[str, Statistics]:
        """Rates, irregularity and correlations of all populations, as docs/statistics.md defines them. Correlations are
        those of a random sample of so many neurons; 0: none."""
        count = _check.whole(correlation_neurons, "correlation_neurons")
        found = self._result().statistics(start_ms=_optional(start, "start"), end_ms=_optional(end, "end"),
                                          correlation_neurons=count)
        return {d["name"]: Statistics(d["name"], d["mean_rate_hz"], d["mean_cv"], d["mean_correlation"],
                                      d["rates_hz"], d["cvs"], d["correlations"]) for d in found}

    def rates(self, start: Optional[Quantity] = None, end: Optional[Quantity] = None) -> Dict[str, float]:
        """Mean rate (Hz) of every population."""
        return {n: s.mean_rate for n, s in self.statistics(start, end, correlation_neurons=0).items()}

    def raster(self, start: Optional[Quantity] = None, duration: Quantity = 400.0) -> Picture:
        """A picture of the spikes from ``start`` (ms; left out: the end of the run) for ``duration`` (ms)."""
        at = _optional(start, "start")
        return Picture(self._result().raster_svg(-1.0 if at is None else at, _check.number(duration, "ms", "duration")))

    def plot(self, start: Optional[Quantity] = None, end: Optional[Quantity] = None, *, axes: Any = None) -> Any:
        """A raster plot with matplotlib (``pip install 'tessera[plot]'``), all neurons numbered through from the top,
        of the times (start, end] in ms. Draws into ``axes`` where they are given. Returns the axes."""
        if axes is None:
            try:
                import matplotlib.pyplot as pyplot
            except ImportError:
                raise ImportError("plot() needs matplotlib: pip install 'tessera[plot]'. raster() works without it.") from None
            axes = pyplot.subplots()[1]
        low, high = _optional(start, "start"), _optional(end, "end")
        result, first, ticks = self._result(), 0, []
        for name, size, inhibitory in result.populations():
            spikes = self.spikes[name]
            keep = np.ones(len(spikes), bool)
            if low is not None:
                keep &= spikes["time"] > low
            if high is not None:
                keep &= spikes["time"] <= high
            axes.plot(spikes["time"][keep], spikes["neuron"][keep] + first, ",", color="C3" if inhibitory else "C0")
            ticks.append((first + size / 2, name))
            first += size
        axes.set_yticks([t for t, _ in ticks], [n for _, n in ticks])
        axes.set_ylim(max(first, 1), 0)
        axes.set_xlabel("time (ms)")
        return axes

    def to_neo(self) -> Any:
        """A ``neo.Block`` (``pip install neo``) with a Segment for every population, of its name: ``spiketrains`` has a train for
        every neuron in their order (made when they are looked at; ``spiketrains.multiplexed`` are arrays of neurons and times
        without that), ``analogsignals`` the recorded variables (time x neuron) with their units. Times are in ms."""
        from ._neo import block_of

        return block_of(self)

    def _activity_html(self, head: str) -> str:
        result = self._result()
        rates = self.rates() if result.has_spikes and result.end_ms > max(result.start_ms, result.discard_ms) else {}
        rows = [(name, f"{size:,}", f"{len(self.spikes[name]):,}", f"{rates[name]:.2f}" if name in rates else "")
                for name, size, _ in result.populations()[:40]]
        picture = self.raster().svg if any(len(s) for s in self.spikes.values()) else ""
        return f"<p>{_html.escape(head)}</p>" + _html.table(("population", "size", "spikes", "rate (Hz)"), rows) + picture


def _optional(value: Optional[Quantity], name: str) -> Optional[float]:
    return None if value is None else _check.number(value, "ms", name)


def spike_columns(spikes: NDArray[Any]) -> Tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Times and neurons as arrays of their own, contiguous."""
    return np.ascontiguousarray(spikes["time"]), np.ascontiguousarray(spikes["neuron"])
