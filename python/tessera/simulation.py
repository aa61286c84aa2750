"""Running a network."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _check, _core, _html
from ._activity import SPIKE, Activity, ByName, Trace, spike_columns
from ._check import Quantity
from ._live import AllStates, LiveProjection, LiveSource, LiveStimulus, Named, projections_of, sources_of, stimuli_of
from ._progress import Line, reporter
from .errors import RunError
from .network import Network, PopulationLike

#: Synapses: numbers of the neurons in their populations, weight in the target's unit, delay in ms.
SYNAPSE = np.dtype([("source", "<u4"), ("target", "<u4"), ("weight", "<f8"), ("delay", "<f8")])


def _options(*, seed: int, threads: int = 0, tiles: int = 0, group_size: int = 0, connectivity: str = "auto",
             precision: str = "fast", device: str = "cpu", count_table: bool = True, memory_limit: int = 0,
             ranks: Any = False, exchange: str = "auto", rank_placement: str = "spread") -> _core.SimulationOptions:
    return _core.SimulationOptions(
        seed=_check.whole(seed, "seed", high=2**64 - 1), threads=_check.whole(threads, "threads", high=4096),
        tiles=_check.whole(tiles, "tiles", high=2**30), group_size=_check.whole(group_size, "group_size", high=2**30),
        connectivity=_word(connectivity, "connectivity"), precision=_word(precision, "precision"),
        device=_check.text(device, "device"), count_table=_check.truth(count_table, "count_table"),
        memory_limit=_check.whole(memory_limit, "memory_limit", high=2**63), **_ranks(ranks),
        exchange=_word(exchange, "exchange"), rank_placement=_word(rank_placement, "rank_placement"))


def _ranks(value: Any) -> Dict[str, Any]:
    """Whether there are ranks, and the communicator of mpi4py that has them."""
    if not callable(getattr(value, "py2f", None)):
        if value is not None and not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"ranks must be True, False or a communicator of mpi4py, not {_check.kind_of(value)}.")
        return {"ranks": bool(value), "communicator": None}
    ours, module = _core.mpi_name(), sys.modules.get("mpi4py.MPI")
    theirs = re.split("[,\n\0]", str(module.Get_library_version()))[0].replace(" v", " ", 1) if module is not None else ours
    if ours and theirs != ours:
        raise _check.problem("ranks", f"mpi4py uses {theirs}, but this package was built with {ours}; both must be the same.")
    return {"ranks": True, "communicator": int(value.py2f())}


def _word(value: Any, name: str) -> str:
    return _check.choice(value, name, {
        "connectivity": ("auto", "stored", "procedural"), "precision": ("fast", "exact"),
        "exchange": ("auto", "collective", "point_to_point"), "rank_placement": ("spread", "pack")}[name])


@dataclass(frozen=True)
class Plan:
    """What a simulation will need: ``values`` has every figure by name (neurons, synapses, memory_bytes,
    real_time_factor, ...), and each is an attribute as well. ``memory`` is a list of (room, bytes, what)."""

    values: Dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.values:
            raise AttributeError(name)
        return self.values[name]

    @property
    def fits(self) -> bool:
        """Whether the network fits this machine; else ``obstacles`` says why not."""
        return not self.values["obstacles"]

    def __repr__(self) -> str:
        v = self.values
        return (f"<Plan: {v['neurons']:,} neurons, {v['synapses']:,} synapses, {v['connectivity']}, "
                f"{v['memory_bytes'] / 1e6:,.0f} MB, {'fits' if self.fits else 'does not fit'}>")

    def _repr_html_(self) -> str:
        rows = [(room, f"{size / 1e6:,.1f} MB", what) for room, size, what in self.values["memory"]]
        problems = "".join(f"<p>{_html.escape(o)}</p>" for o in self.values["obstacles"])
        return f"<p>{_html.escape(repr(self)[1:-1])}</p>" + _html.table(("room", "memory", "what"), rows) + problems


def plan(network: Network, **options: Any) -> Plan:
    """What a `Simulation` with these options will need, before anything is allocated."""
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, not {_check.kind_of(network)}.")
    options.setdefault("seed", network._core.seed)
    return Plan(_core.plan(network._core, _options(**options)))


def _recorded(network: Network, wanted: Any) -> List[int]:
    """Of how many first neurons of every population spikes are kept."""
    counts = dict.fromkeys(network.populations, 0)
    items: List[Tuple[Any, Optional[int]]]
    if isinstance(wanted, Mapping):
        items = [(who, _check.whole(count, "record_spikes", 1)) for who, count in wanted.items()]
    else:
        items = [(who, None) for who in _check.listed(wanted)]
    for who, count in items:
        for p in network._select(who, "record_spikes"):
            counts[p.name] = max(counts[p.name], p.size if count is None else min(count, p.size))
    return list(counts.values())


@dataclass
class _Callback:
    population: int
    function: Callable[[NDArray[Any]], Any]
    steps: int
    seen: int  # spikes that it was told

    def call(self, spikes: NDArray[Any]) -> None:
        new = spikes[self.seen:].copy()  # a view would make the next piece go on with a copy of everything
        self.seen = len(spikes)
        del spikes
        self.function(new)


class Simulation(Activity):
    """A network that runs. What is changed in the network afterwards has no effect on it; several simulations do not know
    of each other.

    ``seed``: left out, the network's. ``threads``: 0 is as many as there is work for. ``connectivity``: "stored",
    "procedural" or "auto". ``precision``: "fast" or "exact" (float64). ``device``: "cpu", "cuda", "cuda:1", "auto".
    ``ranks=True``: together with the other processes that mpirun has started, or those of a communicator of mpi4py
    (``ranks=comm``). ``record_spikes``: True (all, or those that `Network.record` names), False, or whose spikes are
    kept (12 bytes each): populations, areas ("V1" of "V1.4E"), patterns ("V1.*"), or a mapping from these to how many
    first neurons. Threads and connectivity change no spike.

    >>> import tessera
    >>> net = tessera.Network()
    >>> cells = net.population("cells", 10)
    >>> _ = net.current(cells, "500 pA")
    >>> sim = tessera.Simulation(net, seed=3).run("100 ms")
    >>> sim.spikes["cells"][0]["neuron"]
    np.uint32(0)
    """

    def __init__(self, network: Network, *,
                 record_spikes: Union[bool, Sequence[PopulationLike], Mapping[PopulationLike, int]] = True, **options: Any):
        if not isinstance(network, Network):
            raise TypeError(f"network must be a Network, not {_check.kind_of(network)}.")
        options.setdefault("seed", network._core.seed)
        self._network = network.copy()
        self._names = list(self._network.populations)
        self._seed = options["seed"]
        if isinstance(record_spikes, bool):
            recorded = self._network._core.recorded_neurons() if record_spikes else [0] * len(self._names)
        else:
            recorded = _recorded(network, record_spikes)
        self._core = _core.Simulation(self._network._core, _options(**options), recorded)
        self._recorded, self._process, self._start_ms = recorded, os.getpid(), 0.0
        self._callbacks: List[_Callback] = []
        self._in_run = False

    @property
    def _alive(self) -> _core.Simulation:
        if os.getpid() != self._process:
            raise RunError("This simulation was made in another process; threads do not survive a fork. Make a "
                           "simulation in this process, perhaps from a checkpoint.")
        return self._core

    def run(self, time: Quantity, *, progress: Any = None) -> "Simulation":
        """Advances by ``time`` (ms, whole steps), and may be called again. Other Python threads go on meanwhile.

        ``progress``: left out, a line on a terminal or in a notebook; True, False, or a function that is called about
        ten times a second with the model time now and at the end (ms), wall seconds, real-time factor, spikes per second.
        Ctrl-C ends the run within about 100 ms with KeyboardInterrupt; what was simulated until then is there, and the
        simulation can go on. Throws ActivityError where a population fires above the network's limit.
        """
        report, duration = reporter(progress), _check.number(time, "ms", "time")
        if self._in_run:
            raise RunError("This simulation is at work: run() was called by one of its own callbacks.")
        self._in_run = True
        try:
            if self._callbacks:
                self._run_with_callbacks(duration, report)
            else:
                self._alive.run(duration, report)
        finally:
            self._in_run = False
            if isinstance(report, Line):
                report.close()
        return self

    def on_spikes(self, population: PopulationLike, function: Callable[[NDArray[Any]], Any], *,
                  every: Quantity = 10.0) -> "Simulation":
        """From now on calls ``function(spikes)`` whenever ``every`` (ms of model time, whole steps) has passed in a run, with
        the spikes of the population since the call before: records as in `spikes`, perhaps none. The simulation stands
        meanwhile, so the function may read and set states, weights, rates and amplitudes, and runs stay the same for any number
        of threads. It is the slow path: the run is cut into pieces of ``every``. What the function raises ends the run, comes
        back from it, and leaves a simulation that can go on.
        """
        name = self._find(population)
        if not callable(function):
            raise TypeError(f"function must be callable, not {_check.kind_of(function)}.")
        index, dt = self._names.index(name), self._network.dt
        if not self._recorded[index]:
            raise _check.problem("population", f"the spikes of '{name}' are not recorded; see record_spikes.")
        length = _check.number(every, "ms", "every")
        steps = round(length / dt) if 0.0 < length < 1e12 else 0
        if steps < 1 or abs(steps * dt - length) > 1e-6 * dt + 1e-9 * length:
            raise _check.problem("every", f"must be a whole number of steps of {dt:g} ms, at least one, not {length:g} ms.")
        self._callbacks.append(_Callback(index, function, steps, len(self._alive.spikes(index)) // SPIKE.itemsize))
        return self

    def _run_with_callbacks(self, duration: float, report: Optional[Callable[..., None]]) -> None:
        dt, now = self._network.dt, int(self._alive.step())
        end = now + round(min(duration / dt, 2.0**40))
        if duration < 0.0 or abs((end - now) * dt - duration) > 1e-6 * dt + 1e-9 * duration:
            self._alive.run(duration, report)  # says why that cannot be
            return

        def shown(now_ms: float, _: float, *rest: float) -> None:
            if report is not None:
                report(now_ms, end * dt, *rest)

        while now < end:
            piece = min([end] + [(now // c.steps + 1) * c.steps for c in self._callbacks])
            self._alive.run((piece - now) * dt, None if report is None else shown)
            now = piece
            for c in list(self._callbacks):
                if now % c.steps == 0:
                    c.call(self._alive.spikes(c.population).view(SPIKE))

    # ----------------------------------------------------------------------------------- results

    @property
    def network(self) -> Network:
        """A copy of the network that runs, with the rates and amplitudes that were set."""
        return Network._of(_core.network_of(self._alive), self._network._rules)

    @property
    def time(self) -> float:
        """Model time in ms."""
        return float(self._alive.step()) * self._network.dt

    @property
    def spikes(self) -> Mapping[str, NDArray[Any]]:
        """By population, an array of records (``time`` in ms, ``neuron``), sorted by time, then neuron. It looks into the
        memory of the recording: nothing is copied, and it is read-only."""
        core = self._alive
        return ByName(self._names, lambda i: core.spikes(i).view(SPIKE))

    @property
    def traces(self) -> List[Trace]:
        """What `Network.record` asked for, in its order."""
        traces = []
        for i in range(self._network._core.recorder_count()):
            recorder = self._network._core.recorder(i)
            times, values = (part.view(np.float64) for part in self._alive.samples(i))
            traces.append(Trace(recorder.population, recorder.variable, times, values.reshape(len(times), recorder.count)))
        return traces

    def trace(self, population: PopulationLike, variable: str = "V_m") -> Trace:
        """The first recording of a variable of a population."""
        name = self._find(population)
        for t in self.traces:
            if t.population == name and t.variable == variable:
                return t
        raise _check.problem("variable", f"nothing has recorded {variable!r} of '{name}'; use Network.record() before.")

    def clear(self) -> None:
        """Forgets the recorded spikes and traces. Arrays that were taken stay."""
        self._alive.clear()
        self._start_ms = self.time
        for c in self._callbacks:
            c.seen = 0

    @property
    def state(self) -> AllStates:
        """States of now. ``sim.state["E"]["V_m"]`` is an array with a value for each neuron, in the variable's unit; set it to
        change them between runs. "refractory" is what is left of refractory times (ms). What is set to what it is stays so
        to the last bit. ``sim.state("E", "V_m")`` reads, too."""
        return AllStates(self)

    @property
    def projections(self) -> Named[LiveProjection]:
        """By name: ``sim.projections["E->I"].weights`` can be read, and set where the projection has a plasticity."""
        return projections_of(self)

    @property
    def stimuli(self) -> Named[LiveStimulus]:
        """By name: ``rate`` of Poisson trains and ``amplitude`` of currents can be set between runs."""
        return stimuli_of(self)

    @property
    def sources(self) -> Named[LiveSource]:
        """Populations of Poisson sources by name, whose ``rate`` can be set between runs."""
        return sources_of(self)

    def synapses(self, projection: Any) -> NDArray[Any]:
        """The synapses of a projection (or its name), as records of source, target, weight and delay (ms). Weights are
        those of now where the projection learns."""
        name = getattr(projection, "name", projection)
        known = list(self._network.projections)
        if _check.text(name, "projection") not in known:
            raise _check.problem("projection", f"there is no projection named '{name[:80]}'."
                                 f"{_core.did_you_mean(name, known)}")
        return self._alive.synapses(name).view(SYNAPSE)

    @property
    def report(self) -> Dict[str, Any]:
        """Figures of the run so far: counts, seconds by phase, digest, memory, threads."""
        return dict(self._alive.report())

    @property
    def digest(self) -> str:
        """Equal digests mean equal spikes: 16 hexadecimal digits, those of ``tessera run``."""
        return str(self._alive.report()["digest"])

    def save_checkpoint(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Writes everything needed to go on. Recorded spikes are not part of it."""
        self._alive.save(_check.path(file, "file"))

    def restore(self, file: Union[str, "os.PathLike[str]"]) -> "Simulation":
        """Goes on from a checkpoint of the same network and seed. Forgets what was recorded."""
        self._alive.restore(_check.path(file, "file"))
        self.clear()
        return self

    def _find(self, population: Any) -> str:
        return self._network._find(getattr(population, "name", population), "population").name

    def _result(self) -> _core.Result:
        result = _core.Result(self._network.name, self._network.dt, self._start_ms, self.time,
                              self._network._core.discard_ms)
        for i, p in enumerate(self._network.populations.values()):
            if self._recorded[i]:
                result.add_population(p.name, p.size, p.inhibitory, self._recorded[i], *spike_columns(self.spikes[p.name]))
        return result

    def __getstate__(self) -> object:
        raise TypeError("A simulation cannot be pickled; use save_checkpoint() and restore().")

    def __repr__(self) -> str:
        return f"<Simulation of {self._network!r} at {self.time:g} ms>"

    def _repr_html_(self) -> str:
        return self._activity_html(repr(self)[1:-1])
