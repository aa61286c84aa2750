"""From PyNN's objects to a network of the library.

Cells of a population that have the same parameters are one population of the library, a group. A network that was changed
goes on from where it was: its groups begin with the states of their cells, refractory times included, and the spikes that
are on their way come from a source of their own.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from typing import Any, Dict, List, Tuple

import numpy as np

from ..models import model
from ..network import Network

Synapses = Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # sources, targets, weights, delays (steps)


class Group:
    """Cells of one population with the same parameters: `places` of them there."""

    def __init__(self, name: str, owner: Any, places: np.ndarray):
        self.name, self.owner, self.places = name, owner, places
        self.cell_type = owner.celltype

    def value(self, name: str) -> float:
        """A parameter that all share."""
        return float(self.owner._values[name][self.places[0]])


class Built:
    """A network that was built at a time, and what it needs to be read again."""

    def __init__(self, state: Any):
        self.state, self.begin = state, state.step
        self.network = Network("PyNN", dt=state.dt, seed=state.seed, rate_limit=float("inf"))
        self.groups: List[Group] = []
        self.group_of: List[np.ndarray] = []   # by population: group of every cell
        self.place_in: List[np.ndarray] = []   # and its place there
        self.wired: List[Tuple[Group, Group, Synapses]] = []
        self.recorders: List[Tuple[Group, str, np.ndarray, int]] = []  # variable, columns, every so many steps

    # ------------------------------------------------------------------------------------ cells

    def add_cells(self) -> None:
        """Makes the groups."""
        for number, population in enumerate(self.state.populations):
            label = re.sub("[^A-Za-z0-9_.+-]", "_", str(population.label))[:40]
            group_of = np.zeros(population.size, dtype=np.int64)
            if population.celltype.model != "spike_train":
                shared = [v for n, v in population._values.items() if n != "I_e"]
                group_of = np.unique(np.column_stack(shared), axis=0, return_inverse=True)[1].reshape(-1)
            place_in, before = np.zeros(population.size, dtype=np.int64), len(self.groups)
            for g in range(int(group_of.max()) + 1):
                places = np.flatnonzero(group_of == g)
                place_in[places] = np.arange(len(places))
                self.groups.append(Group(f"{number}.{g}.{label}", population, places))
                self._add_group(self.groups[-1])
            self.group_of.append(group_of + before)
            self.place_in.append(place_in)

    def _add_group(self, group: Group) -> None:
        kind, size, state = group.cell_type.model, len(group.places), self.state
        if kind == "spike_train":
            times, neurons = self._trains(group)
            self.network.spike_source(group.name, size, times, neurons)
        elif kind == "poisson":
            begin = max(group.value("start"), state.t)
            stop = group.value("start") + group.value("duration")
            over = stop <= begin  # its time was before this run
            self.network.poisson_source(group.name, size, 0.0 if over else group.value("rate"), start=begin - state.t,
                                        duration=float("inf") if over else stop - begin)
        else:
            names = [n for n in group.owner._values if n != "I_e"]
            self.network.population(group.name, size, kind, initial=self._initial(group),
                                    **{n: group.value(n) for n in names})
            offset = group.owner._values["I_e"][group.places]
            if offset.any():
                self.network.current(group.name, offset)

    def _trains(self, group: Group) -> Tuple[np.ndarray, np.ndarray]:
        state, steps, neurons = self.state, [], []
        for place, times in enumerate(group.owner._values["spike_times"][group.places]):
            at = state.steps_of(getattr(times, "value", times)).reshape(-1)
            at = at[at > state.step] if state.step > 0 else at
            steps.append(at - state.step)
            neurons.append(np.full(len(at), place))
        all_steps, all_neurons = np.concatenate(steps), np.concatenate(neurons)
        order = np.lexsort((all_neurons, all_steps))
        return state.time_of(all_steps[order]), all_neurons[order]

    def _initial(self, group: Group) -> Dict[str, np.ndarray]:
        """Values of the states that the model has with these parameters."""
        store = group.owner.store
        values = dict(group.owner._initial if store.state is None else store.state)
        kind = group.cell_type.model
        if kind in ("iaf_psc_exp", "iaf_psc_alpha"):
            _share_currents(values, group.value("tau_syn_ex") == group.value("tau_syn_in"), group.owner.size)
        known = set(model(kind).states) | {"refractory"}
        return {n: v[group.places] for n, v in values.items() if n in known}

    # ------------------------------------------------------------------------------------ synapses

    def add_synapses(self) -> None:
        for number, projection in enumerate(self.state.projections):
            if len(projection) == 0:
                continue
            self._add_projection(number, projection)

    def _locate(self, ids: Any) -> Tuple[np.ndarray, np.ndarray]:
        """Groups, and places in them."""
        populations, places = self.state.places(ids)
        groups, inside = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
        for p in np.unique(populations):
            mine = populations == p
            groups[mine], inside[mine] = self.group_of[p][places[mine]], self.place_in[p][places[mine]]
        return groups, inside

    def _add_projection(self, number: int, projection: Any) -> None:
        source_group, source = self._locate(np.array([int(i) for i in projection.pre.all_cells])[projection.pre_indices])
        target_group, target = self._locate(np.array([int(i) for i in projection.post.all_cells])[projection.post_indices])
        names = [n for n in projection._columns if n not in ("weight", "delay")]
        keys = [source_group, target_group] + [projection.column(n) for n in names]
        if "dendritic_delay_fraction" in names and (projection.column("dendritic_delay_fraction") != 1.0).any():
            keys.append(projection.column("delay"))
        _, part_of = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
        weights, delays = projection.column("weight"), self.state.steps_of(projection.column("delay"))
        readers = []
        for part in range(int(part_of.max()) + 1):
            mine = np.flatnonzero(part_of.reshape(-1) == part)
            sources, targets = self.groups[source_group[mine[0]]], self.groups[target_group[mine[0]]]
            inhibitory = projection.receptor_type == "inhibitory"
            scale = targets.cell_type.inhibitory_scale if inhibitory else targets.cell_type.weight_scale
            synapses = (source[mine], target[mine], weights[mine] * scale, delays[mine])
            first = {n: float(projection.column(n)[mine[0]]) for n in [*names, "delay"]}
            tau = targets.owner._values.get("tau_syn_in" if inhibitory else "tau_syn_ex")
            rule = projection.synapse_type.rule(first, targets.cell_type, inhibitory,
                                                0.0 if tau is None else float(tau[targets.places[0]]))
            name = f"{number}.{part}"
            self.network.connect(sources.name, targets.name, "explicit_list", name=name, plasticity=rule,
                                 synapses=(*synapses[:3], self.state.time_of(synapses[3])))
            self.wired.append((sources, targets, synapses))
            if rule is not None and rule["rule"] == "stdp":
                readers.append((name, mine, synapses, scale))
        if readers:
            projection.read_learnt = lambda: self._read_learnt(weights, readers)

    def _read_learnt(self, weights: np.ndarray, readers: List[Any]) -> np.ndarray:
        """Weights of now. Synapses come in another order: those of a pair with the same delay keep theirs."""
        result = weights.copy()
        for name, places, synapses, scale in readers:
            now = self.state.simulation.synapses(name)
            ours = np.lexsort((synapses[3], synapses[1], synapses[0]))
            theirs = np.lexsort((now["delay"], now["target"], now["source"]))
            result[places[ours]] = now["weight"][theirs] / scale
        return result

    # ------------------------------------------------------------------------------------ spikes in flight

    def in_flight(self, now: int) -> List[Tuple[Any, np.ndarray, np.ndarray, np.ndarray]]:
        """Arrivals after `now` of spikes that were fired until now, each with the weight that it was fired with: population,
        places, weights, steps."""
        arrivals = [(p, places[at > now], weights[at > now], at[at > now]) for p, places, weights, at in self.state.pending]
        for sources, targets, (source, target, weights, delays) in self.wired:
            steps, cells = sources.owner.store.recent
            place = np.full(sources.owner.size, -1)
            place[sources.places] = np.arange(len(sources.places))
            recent = (steps >= self.begin if self.begin == 0 else steps > self.begin) & (place[cells] >= 0) \
                & (steps + int(delays.max()) > now)
            order = np.argsort(source, kind="stable")
            first = np.searchsorted(source[order], np.arange(len(sources.places) + 1))  # of each source's synapses
            for step, cell in zip(steps[recent], place[cells[recent]]):
                row = order[first[cell]:first[cell + 1]]
                row = row[step + delays[row] > now]
                arrivals.append((targets.owner, targets.places[target[row]], weights[row], step + delays[row]))
        return [a for a in arrivals if len(a[1])]

    def add_pending(self) -> None:
        """One source that spikes at time 0; its delays are the times until the arrivals."""
        if not self.state.pending:
            return
        self.network.spike_source("on_their_way", 1, [0.0], [0])
        by_group: Dict[int, List[Any]] = {}
        for population, places, weights, at in self.state.pending:
            number = next(i for i, p in enumerate(self.state.populations) if p is population)
            for group in np.unique(self.group_of[number][places]):
                mine = self.group_of[number][places] == group
                by_group.setdefault(int(group), []).append((self.place_in[number][places[mine]], weights[mine], at[mine]))
        for group, parts in by_group.items():
            targets, weights, at = (np.concatenate(column) for column in zip(*parts))
            self.network.connect("on_their_way", self.groups[group].name, "explicit_list",
                                 synapses=(np.zeros(len(targets), np.int64), targets, weights,
                                           self.state.time_of(at - self.state.step)))

    # ------------------------------------------------------------------------------------ currents

    def add_currents(self, end: int) -> None:
        self.state.sampled_until = None
        by_group: Dict[int, List[Tuple[Any, np.ndarray]]] = {}
        for source in self.state.current_sources:
            if not source._cells:
                continue
            steps, values = source._changes(self.state.step, end)
            if source.sampled and source._window()[1] > end:
                self.state.sampled_until = end
            groups, places = self._locate(source._cells)
            for group in np.unique(groups):
                by_group.setdefault(int(group), []).append(((steps, values), places[groups == group]))
        for group, currents in by_group.items():
            self._inject(self.groups[group], currents)

    def _inject(self, group: Group, currents: List[Tuple[Any, np.ndarray]]) -> None:
        """The sum of all currents into a group: one current of the library from every change to the next."""
        changes = np.unique(np.concatenate([steps for (steps, _), _ in currents]))
        changes = changes[changes < 2**51]
        total = np.zeros((len(changes), len(group.places)))
        for (steps, values), places in currents:
            now = values[np.searchsorted(steps, changes, side="right") - 1]
            for place in places:  # a source may be injected into a cell more than once
                total[:, place] += now * 1000.0
        differs = np.append(True, (total[1:] != total[:-1]).any(axis=1))
        changes, total = changes[differs], total[differs]
        t = self.state.time_of
        for i, step in enumerate(changes):
            if total[i].any():
                duration = t(changes[i + 1] - step) if i + 1 < len(changes) else float("inf")
                self.network.current(group.name, total[i], start=t(step - self.state.step), duration=duration, name=f"from_{step}")

    # ------------------------------------------------------------------------------------ results

    def add_recorders(self) -> None:
        for group in self.groups:
            recorder = group.owner.recorder
            every = int(self.state.steps_of(recorder.sampling_interval))
            if self.state.step % every or int(self.state.steps_of(float(recorder._recording_start_time))) % every:
                every = 1
            for variable, ids in recorder.recorded.items():
                if variable.name == "spikes" or not ids:
                    continue
                columns = np.flatnonzero(np.isin(group.places, recorder.places(ids)))
                if len(columns):
                    self.network.record(group.name, group.cell_type.states[variable.name][0], count=int(columns[-1]) + 1,
                                        interval=self.state.time_of(every))
                    self.recorders.append((group, variable.name, columns, every))

    def _sample(self, group: Group, variable: str, columns: np.ndarray, steps: np.ndarray, values: np.ndarray) -> None:
        factor = group.cell_type.states[variable][1]
        group.owner.store.samples.setdefault(variable, []).append((steps, group.places[columns], values[:, columns] / factor))

    def first_samples(self, simulation: Any, now: int) -> None:
        """What is recorded of the time at which this network begins."""
        for group, variable, columns, _ in self.recorders:
            values = simulation.state(group.name, group.cell_type.states[variable][0])
            self._sample(group, variable, columns, np.array([now]), values.reshape(1, -1))

    def collect(self, simulation: Any, begin: int, end: int) -> None:
        """Takes what a run from `begin` to `end` has recorded."""
        for (group, variable, columns, _), trace in zip(self.recorders, simulation.traces):
            self._sample(group, variable, columns, self.begin + self.state.steps_of(trace.times), trace.values)
        new: Dict[int, List[Tuple[np.ndarray, np.ndarray]]] = {}
        for group in self.groups:
            spikes = simulation.spikes[group.name]
            steps, cells = self.begin + self.state.steps_of(spikes["time"]), group.places[spikes["neuron"]]
            new.setdefault(id(group.owner), []).append((steps, cells))
        longest = max((int(s[3].max()) for _, _, s in self.wired), default=0)
        for population in self.state.populations:
            steps, cells = (np.concatenate(part) for part in zip(*new[id(population)]))
            population.store.add_spikes(steps, cells, end - longest, any(
                v.name == "spikes" and ids for v, ids in population.recorder.recorded.items()))

    def keep_state(self, simulation: Any) -> None:
        """Notes the state of every cell, so that another network can go on from it."""
        for group in self.groups:
            kind, store = group.cell_type.model, group.owner.store
            for name in [] if kind in ("poisson", "spike_train") else [*model(kind).states, "refractory"]:
                values = simulation.state(group.name, name)
                if not np.isnan(values).any():  # else the model has no such state with these parameters
                    store.note(name, group.places, values)
        for population in self.state.populations:
            population.store.take_notes()


def _share_currents(values: Dict[str, np.ndarray], one: bool, size: int) -> None:
    """The models have one current where the time constants are equal, and one for each sign where they are not."""
    for prefix in ("", "d"):
        both, ex, inh = (values.pop(f"{prefix}I_syn{end}", None) for end in ("", "_ex", "_in"))
        zero = np.zeros(size)
        if one:
            values[f"{prefix}I_syn"] = sum((v for v in (both, ex, inh) if v is not None), zero)
        else:
            values[f"{prefix}I_syn_ex"] = (zero if ex is None else ex) + (zero if both is None else both)
            values[f"{prefix}I_syn_in"] = zero if inh is None else inh


def build(state: Any, end: int) -> Built:
    """The network of now, to be run until a step and perhaps further."""
    built = Built(state)
    built.add_cells()
    built.add_synapses()
    built.add_pending()
    built.add_currents(end)
    built.add_recorders()
    return built
