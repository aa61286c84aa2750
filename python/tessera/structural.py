"""Structural rules written in Python: which synapses come and go while a network runs."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _check, _core

#: Synapses as a rule sees them: numbers of the neurons in their populations, weight in the target's unit.
EDGE = np.dtype([("source", "<u4"), ("target", "<u4"), ("weight", "<f8")])

_NOBODY = 2**32 - 1  # no population has a neuron with this number


class StructuralView:
    """The synapses of one projection onto one chunk of its targets, while a rule acts. Neurons have their numbers in their
    populations. What cannot be (a pair that exists, a number outside, a weight of the wrong sign, a target at its limit)
    changes nothing, is told by the answer False, and counted in ``sim.report["rewiring"]``."""

    def __init__(self, core: _core.StructuralView, rule: "StructuralRule"):
        self._core, self._rule = core, rule

    @property
    def time(self) -> float:
        """Model time in ms."""
        return float(self._core.time())

    @property
    def sources(self) -> int:
        """Neurons of the source population."""
        return int(self._core.sources())

    @property
    def targets(self) -> range:
        """The targets of this chunk."""
        first = self._core.first_target()
        return range(first, first + self._core.targets())

    @property
    def is_recurrent(self) -> bool:
        """Whether source and target populations are the same."""
        return bool(self._core.is_recurrent())

    def synapses(self) -> NDArray[Any]:
        """All synapses, by source: records of source, target, weight."""
        return self._core.synapses().view(EDGE)

    def exists(self, source: int, target: int) -> bool:
        """Whether a pair has a synapse."""
        return bool(self._core.exists(_number(source, "source"), _number(target, "target")))

    def weight(self, source: int, target: int) -> float:
        """Of a synapse; 0 where there is none."""
        return float(self._core.weight(_number(source, "source"), _number(target, "target")))

    def indegree(self, target: int) -> int:
        """Synapses onto a target."""
        return int(self._core.indegree(_number(target, "target")))

    def outdegree(self, source: int) -> int:
        """Synapses from a source onto this chunk."""
        return int(self._core.outdegree(_number(source, "source")))

    def source_values(self, state: str) -> NDArray[np.float64]:
        """One of the rule's ``source_states``, of all sources, as it was when the step began."""
        return self._core.values(True, _place(state, self._rule.source_states, "source_states"))

    def target_values(self, state: str) -> NDArray[np.float64]:
        """One of the rule's ``target_states``, of the targets of this chunk."""
        return self._core.values(False, _place(state, self._rule.target_states, "target_states"))

    def distance(self, source: int, target: int) -> float:
        """Between two neurons of grids, in mm or grid units. InputError without grids."""
        return float(self._core.distance(_inside(source, "source", self.sources), _inside(target, "target", self.targets.stop)))

    def source_near(self, target: int, columns: int, rows: int) -> int:
        """The source at the target's place, moved by so many columns and rows; ``sources`` where there is nobody."""
        moved = (_check.whole(v, n, -65536, 65536) for v, n in ((columns, "columns"), (rows, "rows")))
        return int(self._core.source_near(_inside(target, "target", self.targets.stop), *moved))

    def reweight(self, weights: ArrayLike) -> None:
        """Gives all synapses these weights, in the order of `synapses`."""
        self._core.reweight(_check.numbers(weights, "", "weights"))

    def remove(self, source: int, target: int) -> bool:
        """Takes a synapse away."""
        return bool(self._core.remove(_number(source, "source"), _number(target, "target")))

    def add(self, source: int, target: int, weight: float) -> bool:
        """Makes a synapse."""
        value = _check.number(weight, "", "weight")
        return bool(self._core.add(_number(source, "source"), _number(target, "target"), value))

    def uniform(self) -> float:
        """A random number in [0, 1): a function of seed, projection, chunk and time."""
        return float(self._core.uniform())

    def below(self, n: int) -> int:
        """A random whole number from 0 to n - 1."""
        return int(self._core.below(_check.whole(n, "n", 1)))


class StructuralRule:
    """A rule in Python: a class with a function ``act``, which is called for every chunk of a projection's targets every
    ``interval``. It is the slow path: the library's own rules, and rules in C++, do not go through the interpreter.

    ``name`` is what reports and checkpoints call it. ``source_states`` and ``target_states`` name state variables that it
    wants to see. Chunks may be given in any order: let ``act`` depend on the view alone, and draw from it, and runs are the
    same for any number of threads. What it raises ends the run, and comes back from it.

    >>> import tessera
    >>> class Prune(tessera.StructuralRule):
    ...     def act(self, view):
    ...         for s in view.synapses():
    ...             if abs(s["weight"]) < 10.0:
    ...                 view.remove(s["source"], s["target"])
    >>> net = tessera.Network()
    >>> cells = net.population("cells", 10)
    >>> _ = net.connect(cells, cells, "fixed_indegree", number=4, autapses=False, multapses=False,
    ...                 weight=tessera.uniform(0, 20), delay=1, rewiring={"rule": Prune(), "interval": "5 ms"})
    >>> sim = net.simulate("20 ms")
    >>> sim.report["rewiring"][0]["eliminated"] > 0
    True
    """

    name: str = ""
    source_states: Sequence[str] = ()
    target_states: Sequence[str] = ()

    def act(self, view: StructuralView) -> None:
        """Looks at synapses, removes and adds."""
        raise NotImplementedError(f"{type(self).__name__} has no function act(self, view).")

    def _act(self, core: _core.StructuralView) -> None:
        self.act(StructuralView(core, self))


def _number(value: Any, name: str) -> int:
    """Numbers that no neuron can have are those of nobody; the library counts them."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be the number of a neuron, not {_check.kind_of(value)}.")
    return int(value) if 0 <= value < _NOBODY else _NOBODY


def _inside(value: Any, name: str, below: int) -> int:
    return _check.whole(value, name, 0, below - 1)


def _place(state: Any, states: Sequence[str], what: str) -> int:
    names = list(states)
    if _check.text(state, "state") not in names:
        raise _check.problem("state", f"the rule has no {state!r} among its {what}: {', '.join(names) or 'none'}.")
    return names.index(state)
