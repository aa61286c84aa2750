"""Networks to train: layers as objects, or a training file."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from .. import _check, _core, _html
from .._check import Quantity
from ..network import _overrides
from .data import Data, Shape, _sizes

#: Sections of a training file that a trainer can be given for a network that was built in Python.
SECTIONS = ("loss", "optimizer", "schedule", "second_threshold", "eprop")


class Layer:
    """A layer. Further arguments are the keys of ``[[layer]]`` in docs/training.md: ``neuron`` ("lif", "adaptive_lif",
    "synaptic_lif", "readout"), ``tau_mem`` or ``alpha``, ``threshold``, ``reset``, ``recurrent``, ``connection``,
    ``convolution``, ``bias``, ``initial_activity``, ...; tables are dictionaries.

    >>> from tessera import train
    >>> train.Layer("hidden", 100, tau_mem="20 ms", reset="subtract")
    Layer('hidden', 100, tau_mem='20 ms', reset='subtract')
    """

    def __init__(self, name: str, size: Optional[int] = None, **keys: Any):
        self.name = _check.text(name, "name")
        self.size = None if size is None else _check.whole(size, "size", 1, 65536)
        self.keys = keys

    def __repr__(self) -> str:
        parts = [repr(self.name)] + ([] if self.size is None else [str(self.size)])
        return f"Layer({', '.join(parts + [f'{k}={v!r}' for k, v in self.keys.items()])})"

    def _table(self) -> Dict[str, Any]:
        size = {} if self.size is None else {"size": self.size}
        return {"name": self.name, **size, **self.keys}


class Network:
    """A network to train: ``layers`` from the input on, the last one with a neuron for each class. ``inputs`` is the number
    of channels, or (height, width, channels); a sample has ``steps`` of ``dt`` (ms).

    >>> from tessera import train
    >>> train.Network([train.Layer("hidden", 40), train.Layer("out", 3, neuron="readout")], inputs=5, classes=3, steps=50)
    <train.Network: 5 - 40 lif - 3 readout, 50 steps of 1 ms>
    """

    def __init__(self, layers: Sequence[Layer], *, inputs: Shape, classes: int, steps: int, dt: Quantity = 1.0,
                 name: str = ""):
        if not isinstance(layers, (list, tuple)) or not all(isinstance(x, Layer) for x in layers):
            raise TypeError("layers must be a list of Layer.")
        spikes = bool(layers) and layers[-1].keys.get("neuron", "lif") != "readout"
        self._build(toml({"layer": [x._table() for x in layers]}), spikes, inputs, classes, steps, dt, name)

    def _build(self, layers: str, spikes: bool, inputs: Shape, classes: int, steps: int, dt: Quantity, name: str) -> None:
        """``layers``: the text of the tables; ``spikes``: whether the last of them does."""
        sizes = _sizes(inputs)
        shape: Any = sizes[2] if sizes[0] == sizes[1] == 1 else list(sizes)
        # Its samples come from Python; the file stands for them and is never opened.
        data = {"set": "file", "file": {"training": "python.npz", "shape": shape, "classes": _check.whole(classes, "classes")},
                "encoder": {"steps": _check.whole(steps, "steps", 1, 65535), "dt": _check.number(dt, "ms", "dt")}}
        self._layers = layers
        self._parts: Optional[Dict[str, Any]] = {"name": _check.text(name, "name") or "network", "data": data}
        if spikes:
            self._parts["loss"] = {"kind": "spike_count"}  # the only one for an output that spikes
        # Whether the second threshold suits the layers is asked when there is a trainer.
        self._core = self._parse({**self._parts, "second_threshold": {"target": -100.0}})

    def _parse(self, parts: Mapping[str, Any]) -> _core.TrainingModel:
        return _core.parse_training(f"{toml(parts)}\n{self._layers}", "network", [])

    @classmethod
    def load(cls, file: Union[str, "os.PathLike[str]"], **parameters: Any) -> "Network":
        """Reads a training file, with its named parameters; all its sections count."""
        network = cls.__new__(cls)
        network._parts = None
        network._core = _core.load_training(_check.path(file, "file"), _overrides(parameters))
        return network

    def open(self, split: str = "train", folder: Union[str, "os.PathLike[str]"] = "data") -> Data:
        """The data set of a training file: split "train" or "test", its files in ``folder``."""
        if self._parts is not None:
            raise _check.problem("network", "a network that was built in Python has no data set.")
        test = _check.choice(split, "split", ("train", "test")) == "test"
        return Data(self._core.open(_check.path(folder, "folder"), test))

    def _with(self, sections: Mapping[str, Any], training: Mapping[str, Any]) -> _core.TrainingModel:
        """The model with what a trainer was given."""
        given = {k: v for k, v in sections.items() if v is not None}
        if self._parts is not None:
            parts = {**self._parts, **{k: {"kind": v} if isinstance(v, str) else dict(_check.mapping(v, k))
                                       for k, v in given.items()}}
            wanted = {k: v for k, v in training.items() if v is not None}
            return self._parse({**parts, "training": wanted} if wanted else parts)
        if given:
            raise _check.problem(next(iter(given)), "the training file says it; change the file, or its parameters.")
        core = self._core
        for key, value in training.items():
            if value is None:
                continue
            if key not in ("seed", "batch", "epochs", "patience", "threads"):
                raise _check.problem(key, "the training file says it; change the file, or its parameters.")
            core.set_option(key, _check.whole(value, key))
        return core

    @property
    def layers(self) -> List[Tuple[str, str, int]]:
        """Name, neuron and size of every layer."""
        return list(self._core.describe()["layers"])

    def to_toml(self) -> str:
        """The text of its training file. Of a network that was built in Python, without a file for its data."""
        return str(self._core.text) if self._parts is None else f"{toml(self._parts)}\n{self._layers}"

    def __repr__(self) -> str:
        d = self._core.describe()
        chain = " - ".join([str(int(np.prod(d["shape"])))] + [f"{size} {neuron}" for _, neuron, size in d["layers"]])
        return f"<train.Network: {chain}, {d['steps']} steps of {d['dt_ms']:g} ms>"

    def _repr_html_(self) -> str:
        return f"<p>{_html.escape(repr(self)[1:-1])}</p>" + _html.table(("layer", "neuron", "size"), self.layers)


def toml(tables: Mapping[str, Any]) -> str:
    """A dictionary as TOML: values first, then tables and lists of tables; what lies deeper stands in braces."""
    lines: List[str] = []
    for key, value in tables.items():
        if not isinstance(value, (dict, list)):
            lines.append(f"{key} = {_value(value, key)}")
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += [f"\n[{key}]"] + [f"{_key(k)} = {_value(v, f'{key}.{k}')}" for k, v in value.items()]
        elif isinstance(value, list):
            for i, entry in enumerate(value):
                lines += [f"\n[[{key}]]"] + [f"{_key(k)} = {_value(v, f'{key}[{i}].{k}')}" for k, v in entry.items()]
    return "\n".join(lines) + "\n"


def _key(key: Any) -> str:
    return _quoted(_check.text(key, "a key"))


def _quoted(text: str) -> str:
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 or c in '"\\' else c for c in text)
    return f'"{escaped}"'


def _value(value: Any, name: str) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        if not -(2**63) <= int(value) < 2**63:
            raise _check.problem(name, "the number is too large.")
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, str):
        return _quoted(_check.text(value, name))
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v, f'{name}.{k}')}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ", ".join(_value(v, f"{name}[{i}]") for i, v in enumerate(value)) + "]"
    raise TypeError(f"{name} cannot be {_check.kind_of(value)}.")
