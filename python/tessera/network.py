"""Networks: populations, projections, stimuli and recorders, built in Python or loaded from a model file."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import weakref
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _check, _core, _html
from ._check import Quantity
from ._projection import RULES, needed, plasticity_of, rewiring_of, rule_of, set_delay, values_of, weight_unit
from .distributions import drawn
from .errors import InputError
from .models import Model, model, models, plasticity_rules, structural_rules
from .structural import StructuralRule

if TYPE_CHECKING:
    from .simulation import Plan, Simulation


class Population:
    """A population of a network. Made by the network's functions, which give it a name and neurons."""

    def __init__(self, network: "Network", index: int, name: str, size: int, kind: str, model_name: str):
        self.network, self.index, self.name, self.size = network, index, name, size
        #: "neurons", "poisson" or "spike_train"
        self.kind = kind
        #: name of the neuron model; "" for sources
        self.model = model_name

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"<Population {self.name!r}: {self.size} x {self.model or self.kind}>"

    @property
    def inhibitory(self) -> bool:
        """Whether it is drawn in the second colour."""
        return bool(self._core.inhibitory)

    @property
    def parameters(self) -> Dict[str, float]:
        """All parameters of its neurons, in the units of the model; defaults filled in."""
        if not self.model:
            return {}
        values = {p.name: p.default for p in model(self.model).parameters.values()}
        return {**values, **self._core.parameters}

    @property
    def _core(self) -> _core.Population:
        return self.network._core.population(self.index)


class Projection:
    """A projection of a network. Made by `Network.connect`."""

    def __init__(self, network: "Network", index: int, name: str, source: str, target: str, rule: str):
        self.network, self.index, self.name = network, index, name
        self.source, self.target, self.rule = source, target, rule

    def __repr__(self) -> str:
        return f"<Projection {self.name!r}: {self.source} -> {self.target}, {self.rule}>"


PopulationLike = Union[Population, str]


class Network:
    """A network to simulate.

    ``dt`` is the time step (ms). ``seed`` is that of runs that give none. A population that fires above ``rate_limit``
    (Hz, mean over 100 ms) stops a run.

    All quantities are numbers in the unit that is written beside them, or texts with a unit: ``1.5`` or ``"1.5 ms"``.

    >>> import tessera
    >>> net = tessera.Network(dt="0.1 ms")
    >>> cells = net.population("cells", 100, "iaf_psc_exp", tau_m="20 ms")
    >>> _ = net.current(cells, "400 pA")
    >>> net
    <Network: 1 population, 100 neurons, 0 projections>
    """

    def __init__(self, name: str = "", *, dt: Quantity = 0.1, seed: int = 1, rate_limit: Quantity = 1000.0):
        self._core = _core.Network()
        self._core.name = _check.text(name, "name")
        self._core.dt_ms = _check.number(dt, "ms", "dt")
        if not self._core.dt_ms > 0.0:
            raise _check.problem("dt", "the time step must be above 0.")
        self._core.seed = _check.whole(seed, "seed", high=2**63 - 1)
        self._core.rate_limit_hz = _check.number(rate_limit, "Hz", "rate_limit", infinite=True)
        self._populations: Dict[str, Population] = {}
        self._projections: Dict[str, Projection] = {}
        self._taken: Set[str] = set()
        self._rules: Dict[str, StructuralRule] = {}  # those in Python, by the names that projections have for them

    # ------------------------------------------------------------------------------------ files

    @classmethod
    def load(cls, file: Union[str, "os.PathLike[str]"], **parameters: Any) -> "Network":
        """Reads a model file. Named parameters of the file are given by name: ``load(file, scale=0.1, drive="dc")``.
        Throws InputError with all problems of the file, each with its line."""
        return cls._of(_core.load_model(_check.path(file, "file"), _overrides(parameters)))

    @classmethod
    def from_toml(cls, text: str, *, folder: str = ".", **parameters: Any) -> "Network":
        """The same from the text of a model file; files that it names are looked for in ``folder``."""
        return cls._of(_core.parse_model(_check.text(text, "text"), "text", _check.path(folder, "folder"),
                                         _overrides(parameters)))

    @classmethod
    def _of(cls, core: _core.Network, rules: Optional[Dict[str, StructuralRule]] = None) -> "Network":
        network = cls()
        network._core = core
        network._rules = dict(rules or {})
        for i, name in enumerate(core.population_names()):
            p = core.population(i)
            network._populations[name] = Population(network, i, name, p.size, p.kind, p.model)
        for i, name in enumerate(core.projection_names()):
            q = core.projection(i)
            network._projections[name] = Projection(network, i, name, q.source, q.target, q.rule.kind)
        network._taken = set(core.stimulus_names())
        return network

    def to_sonata(self, folder: Union[str, "os.PathLike[str]"], *, seed: Optional[int] = None) -> List[str]:
        """Writes the network with all its synapses as a SONATA circuit (docs/results.md): nodes.h5, edges.h5, their types,
        circuit_config.json. ``seed``: left out, the network's. Synapses go to the disk as they are drawn. Files of these names
        are replaced, when all are whole. Returns the names of the files."""
        chosen = self._core.seed if seed is None else _check.whole(seed, "seed")
        return list(_core.export_sonata(self._core, chosen, _check.path(folder, "folder")))

    def to_toml(self) -> str:
        """The network as the text of a model file, number for number: it gives the same spikes. Named parameters and
        expressions of a file that it came from are worked in. InputError where a structural rule is written in Python."""
        for name in self._rules:
            raise InputError(f"The structural rule '{name}' is written in Python; no file can hold it.")
        return str(self._core.text())

    def save(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Writes `to_toml` to a file."""
        with open(_check.path(file, "file"), "w", encoding="utf-8") as out:
            out.write(self.to_toml())

    # ------------------------------------------------------------------------------ populations

    def population(self, name: str, size: int, model: str = "iaf_psc_exp", *, inhibitory: bool = False,
                   initial: Optional[Mapping[str, Any]] = None, mean_rate: Quantity = 0.0,
                   grid_columns: int = 0, extent: Optional[Sequence[Quantity]] = None, periodic: bool = True,
                   **parameters: Quantity) -> Population:
        """Adds neurons of a `model`; its parameters are further arguments.

        ``initial``: by state variable, a value, a distribution, or an array with one value per neuron; "refractory" is what
        is left of a refractory time (ms).
        ``mean_rate`` (Hz): expected, for plans. ``grid_columns``, ``extent`` (x and y, mm) and ``periodic`` lay the
        population out as a sheet, for ``gaussian_2d`` and delays by distance.
        """
        info = _model_named(model)
        p = self._new_population(name, size, inhibitory, mean_rate)
        p.model = info.name
        p.parameters = values_of(parameters, info.parameters, "", f"the model {info.name}", "")
        for state, value in _check.mapping(initial, "initial").items():
            unit = {**info.states, "refractory": "ms"}[_check.choice(state, "initial", [*info.states, "refractory"])]
            if isinstance(value, (list, tuple, np.ndarray)):
                p.set_initial_values(state, _check.numbers(value, unit, f"initial.{state}", p.size))
            else:
                p.set_initial(state, drawn(value, unit, f"initial.{state}"))
        p.grid_columns = _check.whole(grid_columns, "grid_columns")
        p.periodic = _check.truth(periodic, "periodic")
        if extent is not None:
            edges = _check.numbers(list(extent), "mm", "extent", 2)
            p.extent_mm = [float(edges[0]), float(edges[1])]
        return self._add_population(p)

    def poisson_source(self, name: str, size: int, rate: Quantity, *, start: Quantity = 0.0,
                       duration: Quantity = float("inf"), interval: Quantity = 0.0, inhibitory: bool = False,
                       grid_columns: int = 0, extent: Optional[Sequence[Quantity]] = None,
                       periodic: bool = True) -> Population:
        """Adds sources that spike as Poisson processes of ``rate`` (Hz) from ``start`` for ``duration`` (ms), and again
        every ``interval`` (ms; 0: once)."""
        p = self._new_population(name, size, inhibitory, rate)
        p.kind = "poisson"
        p.rate_hz = p.mean_rate_hz
        p.start_ms = _check.number(start, "ms", "start")
        p.duration_ms = _check.number(duration, "ms", "duration", infinite=True)
        p.interval_ms = _check.number(interval, "ms", "interval")
        p.grid_columns = _check.whole(grid_columns, "grid_columns")
        p.periodic = _check.truth(periodic, "periodic")
        if extent is not None:
            edges = _check.numbers(list(extent), "mm", "extent", 2)
            p.extent_mm = [float(edges[0]), float(edges[1])]
        return self._add_population(p)

    def spike_source(self, name: str, size: int, times: ArrayLike, neurons: ArrayLike, *,
                     inhibitory: bool = False) -> Population:
        """Adds sources that spike at given times: ``times`` (ms) and the number of the neuron at each of them."""
        p = self._new_population(name, size, inhibitory, 0.0)
        p.kind = "spike_train"
        at = _check.numbers(times, "ms", "times")
        p.set_train(at, _check.indices(neurons, "neurons", p.size, len(at)))
        return self._add_population(p)

    def _new_population(self, name: str, size: int, inhibitory: bool, mean_rate: Quantity) -> _core.Population:
        p = _core.Population()
        p.name = _check.text(name, "name")
        if p.name in self._populations:
            raise _check.problem("name", f"there is a population '{p.name}' already.")
        p.size = _check.whole(size, "size", 1, 4_294_901_760)
        p.inhibitory = _check.truth(inhibitory, "inhibitory")
        p.mean_rate_hz = _check.number(mean_rate, "Hz", "mean_rate")
        p.where = _core.SourceLocation(*_check.caller(), f"populations.{p.name}")
        return p

    def _add_population(self, p: _core.Population) -> Population:
        made = Population(self, len(self._populations), p.name, p.size, p.kind, p.model)
        self._core.add_population(p)
        self._populations[p.name] = made
        return made

    # ------------------------------------------------------------------------------ projections

    def connect(self, source: Union[PopulationLike, Sequence[PopulationLike]],
                target: Union[PopulationLike, Sequence[PopulationLike]], rule: str = "all_to_all", *,
                weight: Any = None, delay: Any = None, number: Optional[int] = None,
                probability: Optional[Quantity] = None, sigma: Optional[Quantity] = None, autapses: bool = True,
                multapses: bool = True, synapses: Any = None, name: Optional[str] = None,
                plasticity: Any = None, rewiring: Any = None) -> Any:
        """Joins populations; lists of them give a projection for every pair.

        ``rule``: one of "one_to_one", "all_to_all", "fixed_total_number", "fixed_indegree", "fixed_outdegree" (with
        ``number``), "pairwise_bernoulli" (with ``probability``), "gaussian_2d" (with ``probability`` and ``sigma``, mm
        or grid units), "explicit_list" (with ``synapses``: arrays of sources, targets, weights, delays).
        ``weight``: in the unit of the target's model (pA, nS or mV). ``delay``: ms, at least dt. Both are a value or a
        distribution; a delay that grows with the distance is ``{"offset": "0.5 ms", "velocity": "0.3 m/s"}`` or has
        ``"slope"`` (ms/mm). ``plasticity`` and ``rewiring``: the name of a rule, or a dictionary with ``rule`` and its
        parameters. Returns a `Projection`, or a list where lists were given.
        """
        rule = _check.choice(rule, "rule", RULES)
        sources, targets = self._find_all(source, "source"), self._find_all(target, "target")
        made = []
        for t in targets:
            unit = weight_unit(t)
            for s in sources:
                p = _core.Projection()
                p.source, p.target = s.name, t.name
                p.name = self._free_name(name, f"{s.name}->{t.name}", len(sources) * len(targets) > 1)
                p.where = _core.SourceLocation(*_check.caller(), f"projections.{p.name}")
                p.rule = rule_of(rule, s, t, unit, number, probability, sigma, autapses, multapses, synapses)
                if rule != "explicit_list":
                    p.weight = drawn(needed(weight, "weight"), unit, "weight")
                    set_delay(p, needed(delay, "delay"), s)
                if plasticity is not None:
                    p.plasticity = plasticity_of(plasticity, unit)
                if rewiring is not None:
                    p.rewiring = rewiring_of(rewiring, unit, self._name_of_rule)
                    if plasticity is None:
                        p.plasticity = plasticity_of("static", unit)
                made.append(Projection(self, len(self._projections), p.name, s.name, t.name, rule))
                self._core.add_projection(p)
                self._projections[p.name] = made[-1]
        one = not isinstance(source, (list, tuple)) and not isinstance(target, (list, tuple))
        return made[0] if one else made

    def _free_name(self, name: Optional[str], standard: str, several: bool) -> str:
        if name is None:
            result, n = standard, 2
            while result in self._projections:
                result, n = f"{standard} {n}", n + 1
            return result
        result = _check.text(name, "name") + (f".{standard}" if several else "")
        if result in self._projections:
            raise _check.problem("name", f"there is a projection '{result}' already.")
        return result

    def _name_of_rule(self, rule: StructuralRule) -> str:
        """Of a rule in Python: its own, numbered where another one has it."""
        for known, other in self._rules.items():
            if other is rule:
                return known
        base = _check.text(rule.name or type(rule).__name__, "rewiring.rule.name")
        taken = {*structural_rules(), *plasticity_rules(), *models(), *self._rules}
        result, n = base, 2
        while result in taken:
            result, n = f"{base} {n}", n + 1
        states = [[_check.text(s, f"rewiring.rule.{what}") for s in _check.listed(getattr(rule, what))]
                  for what in ("source_states", "target_states")]
        self._rules[result] = rule
        self._core.add_rule(result, weakref.ref(rule), *states)
        return result

    def _find_all(self, value: Any, name: str) -> List[Population]:
        found = [self._find(v, name) for v in _check.listed(value)]
        if not found:
            raise _check.problem(name, "the list names no population.")
        return found

    def _find(self, value: Any, name: str) -> Population:
        if isinstance(value, Population):
            if value.network is not self:
                raise _check.problem(name, f"population '{value.name}' belongs to another network.")
            return value
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a population or its name, not {_check.kind_of(value)}.")
        if value not in self._populations:
            near = _core.did_you_mean(value, list(self._populations))
            raise _check.problem(name, f"there is no population named '{value[:80]}'.{near}")
        return self._populations[value]

    def _select(self, value: Any, name: str) -> List[Population]:
        """A population; or all of an area, AREA of AREA.LAYER; or those whose names fit a pattern with * and ?."""
        if not isinstance(value, str) or value in self._populations:
            return [self._find(value, name)]
        found = [p for n, p in self._populations.items() if n.rpartition(".")[0] == value and value]
        found = found or [p for n, p in self._populations.items() if "[" not in value and fnmatchcase(n, value)]
        if found:
            return found
        if "*" in value or "?" in value:
            raise _check.problem(name, f"no population has a name like '{value[:80]}'.")
        near = _core.did_you_mean(value, [*self._populations, *(n.rpartition(".")[0] for n in self._populations)])
        raise _check.problem(name, f"there is no population named '{value[:80]}'.{near}")

    # ---------------------------------------------------------------------- stimuli and recorders

    def poisson(self, target: Union[PopulationLike, Sequence[PopulationLike]], rate: Quantity, weight: Quantity, *,
                delay: Quantity = 0.0, start: Quantity = 0.0, duration: Quantity = float("inf"),
                name: Optional[str] = None) -> "Network":
        """Gives every neuron of the targets its own Poisson train of ``rate`` (Hz), with ``weight`` in the unit of the
        target's model, from ``start`` for ``duration`` (ms)."""
        for t in self._find_all(target, "target"):
            s = self._stimulus(t, "poisson", name, start, duration)
            s.rate_hz = _check.number(rate, "Hz", "rate")
            s.weight = _check.number(weight, weight_unit(t), "weight")
            s.delay_ms = _check.number(delay, "ms", "delay")
            self._core.add_stimulus(s)
        return self

    def current(self, target: Union[PopulationLike, Sequence[PopulationLike]], amplitude: Any, *,
                start: Quantity = 0.0, duration: Quantity = float("inf"), name: Optional[str] = None) -> "Network":
        """Injects a constant current (pA) from ``start`` for ``duration`` (ms); an array gives one amplitude per neuron."""
        for t in self._find_all(target, "target"):
            s = self._stimulus(t, "current", name, start, duration)
            if isinstance(amplitude, (list, tuple, np.ndarray)):
                s.values = _check.numbers(amplitude, "pA", "amplitude", t.size).tolist()
            else:
                s.amplitude_pA = _check.number(amplitude, "pA", "amplitude")
            self._core.add_stimulus(s)
        return self

    def step_current(self, target: Union[PopulationLike, Sequence[PopulationLike]], times: ArrayLike,
                     amplitudes: ArrayLike, *, name: Optional[str] = None) -> "Network":
        """Injects a current that has ``amplitudes[i]`` (pA) from ``times[i]`` (ms) on until the next one."""
        at = _check.numbers(times, "ms", "times")
        values = _check.numbers(amplitudes, "pA", "amplitudes", len(at))
        if len(at) == 0 or (np.diff(at) <= 0.0).any():
            raise _check.problem("times", "there must be some, each later than the one before.")
        for t in self._find_all(target, "target"):
            for i, (start, value) in enumerate(zip(at, values)):
                duration = float(at[i + 1] - start) if i + 1 < len(at) else float("inf")
                s = self._stimulus(t, "current", None if name is None else f"{name}.{i}", float(start), duration)
                s.amplitude_pA = float(value)
                self._core.add_stimulus(s)
        return self

    def _stimulus(self, target: Population, kind: str, name: Optional[str], start: Quantity,
                  duration: Quantity) -> _core.Stimulus:
        s = _core.Stimulus()
        s.kind, s.target = kind, target.name
        base = f"{kind} {target.name}" if name is None else f"{_check.text(name, 'name')} {target.name}"
        s.name, n = base, 2
        while s.name in self._taken:
            s.name, n = f"{base} {n}", n + 1
        s.start_ms = _check.number(start, "ms", "start")
        s.duration_ms = _check.number(duration, "ms", "duration", infinite=True)
        s.where = _core.SourceLocation(*_check.caller(), f"stimuli.{s.name}")
        self._taken.add(s.name)
        return s

    def record(self, population: Union[PopulationLike, Sequence[PopulationLike]], variable: str = "V_m", *,
               count: Optional[int] = None, interval: Optional[Quantity] = None) -> "Network":
        """Records a state variable of the first ``count`` neurons (all, if left out) every ``interval`` (ms; default
        dt), of populations, areas ("V1" of "V1.4E") or patterns ("V1.*"). Spikes are recorded without being asked for;
        with the variable "spikes", only those of the neurons that are named so."""
        found = [p for v in _check.listed(population) for p in self._select(v, "population")]
        if not found:
            raise _check.problem("population", "the list names no population.")
        if variable == "spikes" and interval is not None:
            raise _check.problem("interval", "spikes are recorded when they happen: there is no interval.")
        for p in found:
            if variable == "spikes":
                number = p.size if count is None else min(_check.whole(count, "count", 1), p.size)
                self._core.add_spike_recorder(p.name, number, _core.SourceLocation(*_check.caller(), "recorders"))
                continue
            r = _core.StateRecorder()
            r.population = p.name
            r.variable = _check.text(variable, "variable")
            r.count = p.size if count is None else _check.whole(count, "count", 1)
            r.interval_ms = self._core.dt_ms if interval is None else _check.number(interval, "ms", "interval")
            r.where = _core.SourceLocation(*_check.caller(), f"recorders[{self._core.recorder_count()}]")
            self._core.add_recorder(r)
        return self

    # ------------------------------------------------------------------------------------ views

    @property
    def name(self) -> str:
        """Name of the network, for reports."""
        return str(self._core.name)

    @property
    def dt(self) -> float:
        """Time step in ms."""
        return float(self._core.dt_ms)

    @property
    def populations(self) -> Dict[str, Population]:
        """By name, in order. A new dictionary."""
        return dict(self._populations)

    @property
    def projections(self) -> Dict[str, Projection]:
        """By name, in order. A new dictionary."""
        return dict(self._projections)

    def __getitem__(self, name: str) -> Population:
        return self._find(name, "name")

    @property
    def size(self) -> int:
        """Neurons and sources of all populations."""
        return sum(p.size for p in self._populations.values())

    def check(self) -> None:
        """Throws InputError with everything that is wrong with the network."""
        self._core.require_valid()

    def plan(self, **options: Any) -> "Plan":
        """What a simulation with these `Simulation` options will need, before anything is allocated: a `Plan`."""
        from .simulation import plan

        return plan(self, **options)

    def simulate(self, time: Quantity, *, progress: Any = None, **options: Any) -> "Simulation":
        """Makes a `Simulation` with these options and runs it for ``time`` (ms)."""
        from .simulation import Simulation

        return Simulation(self, **options).run(time, progress=progress)

    def copy(self) -> "Network":
        """A network of its own with the same contents."""
        return Network._of(_core.Network(self._core), self._rules)

    def __getstate__(self) -> object:
        raise TypeError("A network cannot be pickled; pass on network.to_toml() and use Network.from_toml().")

    def __repr__(self) -> str:
        count = len(self._populations)
        label = f" {self.name!r}" if self.name else ""
        return (f"<Network{label}: {count} population{'' if count == 1 else 's'}, {self.size:,} neurons, "
                f"{len(self._projections)} projection{'' if len(self._projections) == 1 else 's'}>")

    def _repr_html_(self) -> str:
        populations = list(self._populations.values())
        places = {p.name: i for i, p in enumerate(populations)}
        edges = [(places[q.source], places[q.target]) for q in self._projections.values()]
        rows = [(p.name, f"{p.size:,}", p.model or p.kind) for p in populations[:40]]
        more = "" if len(populations) <= 40 else f"<p>and {len(populations) - 40} more populations</p>"
        return (f"<p>{_html.escape(repr(self)[1:-1])}</p>" +
                _html.network_picture([(p.name, p.inhibitory) for p in populations[:40]], edges) +
                _html.table(("population", "size", "model"), rows) + more)


def _overrides(parameters: Mapping[str, Any]) -> List[Tuple[str, str]]:
    result = []
    for name, value in parameters.items():
        if isinstance(value, (bool, np.bool_)):
            result.append((name, "true" if value else "false"))
        elif isinstance(value, (int, float, np.integer, np.floating)):
            result.append((name, repr(value.item() if isinstance(value, np.generic) else value)))
        else:
            result.append((name, _check.text(value, name)))
    return result


def _model_named(name: Any) -> Model:
    return model(_check.text(name, "model"))
