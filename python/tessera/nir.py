"""NIR files (Neuromorphic Intermediate Representation, 1.0.8): import and export of networks to train.

A file says neither the time step, nor how it is discretised, nor (for resets other than to v_reset) what a spike takes off;
they are arguments, and `Imported.mapping` says what became of every node. Times in files are seconds.
``tessera import nir`` and ``tessera export nir`` do the same on the command line.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Dict, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _check, _core
from ._check import Quantity
from .train import Network, Trainer

_RESETS = ("zero", "subtract", "subtract_undecayed")


@dataclass(frozen=True)
class Imported:
    """A network from a file. ``weights`` are those of the file, by the names of `Trainer.weights`; ``mapping`` has a
    sentence for every layer. `trainer` makes a trainer that has these weights."""

    network: Network
    weights: Dict[str, NDArray[np.float32]] = field(repr=False)
    mapping: Tuple[str, ...] = field(repr=False)
    second_threshold: float = field(repr=False, default=0.9)

    def trainer(self, **options: Any) -> Trainer:
        """A `Trainer` with these options and the weights of the file. Where thresholds are low, the second threshold is
        0.9 of the lowest, unless the options say something else."""
        if self.second_threshold < 0.9:
            options.setdefault("second_threshold", {"target": self.second_threshold})
        made = Trainer(self.network, **options)
        made.weights = self.weights
        return made

    def __str__(self) -> str:
        return "\n".join((repr(self.network),) + self.mapping)


def import_nir(file: Union[str, "os.PathLike[str]"], *, steps: int, dt: Quantity = "0.1 ms", reset: str = "zero",
               discretisation: str = "euler") -> Imported:
    """Reads a file.

    ``steps``: of a sample. ``dt`` (ms): the time step the network was made for; snnTorch writes files for 0.1 ms.
    ``discretisation``: "euler" (decay 1 - dt/tau, as snnTorch and Norse compute) or "exponential" (exp(-dt/tau)).
    ``reset``: "zero" (what the file says when v_reset is 0), "subtract", or "subtract_undecayed" (snnTorch's default,
    which its files do not tell).
    Throws InputError with all problems: a damaged file, and what has no counterpart: other nodes, v_reset that is not 0,
    several inputs of a layer, pooling whose windows overlap.
    """
    _check.choice(reset, "reset", _RESETS)
    _check.choice(discretisation, "discretisation", ("euler", "exponential"))
    step_ms = _check.number(dt, "ms", "dt")
    wanted = _check.whole(steps, "steps", 1, 65535)
    made = _core.import_nir(_check.path(file, "file"), wanted, step_ms, _RESETS.index(reset), discretisation == "exponential")
    network = Network.__new__(Network)
    network._build(made["layers"], made["spiking"], made["shape"], made["classes"], wanted, step_ms, "")
    return Imported(network, made["weights"], tuple(made["mapping"]), made["second_threshold"])


def export_nir(trainer: Trainer, file: Union[str, "os.PathLike[str]"]) -> None:
    """Writes the network of a trainer with its weights of now: Affine or Linear, Conv2d, AvgPool2d, SumPool2d, Flatten,
    LIF, CubaLIF, IF, and LI for a readout; time constants are such that "euler" with the network's dt gives the same
    numbers. The metadata names dt and reset. Throws InputError with all that NIR cannot say: sparse connections and delays,
    adaptive neurons, refractory periods."""
    if not isinstance(trainer, Trainer):
        raise TypeError(f"trainer must be a Trainer, not {_check.kind_of(trainer)}.")
    trainer._core.export_nir(_check.path(file, "file"))
