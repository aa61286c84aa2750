"""Result folders that the command has written."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from typing import Any, List, Mapping, Union

import numpy as np
from numpy.typing import NDArray

from . import _check, _core
from ._activity import SPIKE, Activity, ByName, Trace


class Result(Activity):
    """The spikes and traces of a result folder. Made by `load_result`."""

    def __init__(self, core: _core.Result):
        self._loaded = core
        self._names = [name for name, _, _ in core.populations()]

    def _result(self) -> _core.Result:
        return self._loaded

    @property
    def spikes(self) -> Mapping[str, NDArray[Any]]:
        """By population, an array of records (``time`` in ms, ``neuron``)."""
        return ByName(self._names, self._spikes_of)

    def _spikes_of(self, index: int) -> NDArray[Any]:
        times, neurons = self._loaded.spikes(index)
        spikes = np.empty(len(times), SPIKE)
        spikes["time"], spikes["neuron"] = times, neurons
        return spikes

    @property
    def traces(self) -> List[Trace]:
        """Recorded state variables."""
        return [Trace(*parts) for parts in self._loaded.traces()]

    @property
    def digest(self) -> str:
        """Of all spikes."""
        return str(self._loaded.digest)

    @property
    def time(self) -> float:
        """Model time at the end, ms."""
        return float(self._loaded.end_ms)

    def __repr__(self) -> str:
        return f"<Result of {self._loaded.model!r}, {self.time:g} ms, digest {self.digest}>"

    def _repr_html_(self) -> str:
        return self._activity_html(repr(self)[1:-1])


def load_result(folder: Union[str, "os.PathLike[str]"]) -> Result:
    """Reads a result folder of ``tessera run``. InputError with all problems: no such folder, a damaged file."""
    return Result(_core.load_result(_check.path(folder, "folder")))
