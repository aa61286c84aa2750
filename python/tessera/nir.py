"""NIR files (Neuromorphic Intermediate Representation, 1.0.8): import and export of networks to train.

A file says neither the time step, nor how it is discretised, nor (for resets other than to v_reset) what a spike takes off;
they are arguments, and `Imported.mapping` says what became of every node. Times in files are seconds. Needs h5py
(``pip install 'tessera[nir]'``).
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _check
from ._check import Quantity
from ._nir_file import Graph, read_graph, write_graph
from .train import Layer, Network, Trainer

_NEURONS = ("LIF", "CubaLIF", "LI")


@dataclass(frozen=True)
class Imported:
    """A network from a file. ``weights`` are those of the file, by the names of `Trainer.weights`; ``mapping`` has a
    sentence for every layer. `trainer` makes a trainer that has these weights."""

    network: Network
    weights: Dict[str, NDArray[np.float32]] = field(repr=False)
    mapping: Tuple[str, ...] = field(repr=False)

    def trainer(self, **options: Any) -> Trainer:
        """A `Trainer` with these options and the weights of the file. Where thresholds are low, the second threshold is
        0.9 of the lowest, unless the options say something else."""
        layers = [self.network._core.layer(i) for i in range(len(self.network.layers))]
        lowest = min((x["threshold"] for x in layers if x["neuron"] != "readout"), default=1.0)
        if lowest < 0.9:
            options.setdefault("second_threshold", {"target": 0.9 * lowest})
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
    Throws InputError for a damaged file and for what has no counterpart: other nodes, v_reset that is not 0, several
    inputs of a layer, pooling whose windows overlap.
    """
    graph = read_graph(_check.path(file, "file"))
    _check.choice(reset, "reset", ("zero", "subtract", "subtract_undecayed"))
    _check.choice(discretisation, "discretisation", ("euler", "exponential"))
    step_ms = _check.number(dt, "ms", "dt")
    if not step_ms > 0.0:
        raise _check.problem("dt", "must be above 0 ms.")
    reader = _Reader(graph, step_ms / 1000.0, reset, discretisation)
    reader.read()
    network = Network(reader.layers, inputs=_ours(reader.input_shape), classes=reader.outputs,
                      steps=_check.whole(steps, "steps", 1, 65535), dt=step_ms)
    return Imported(network, reader.weights, tuple(reader.mapping))


def export_nir(trainer: Trainer, file: Union[str, "os.PathLike[str]"]) -> None:
    """Writes the network of a trainer with its weights of now: Affine or Linear, Conv2d, AvgPool2d, SumPool2d, Flatten,
    LIF, CubaLIF, and LI for a readout; time constants are such that "euler" with the network's dt gives the same
    numbers. The metadata names dt and reset. Throws InputError for what NIR cannot say: sparse connections and delays,
    adaptive neurons, refractory periods."""
    if not isinstance(trainer, Trainer):
        raise TypeError(f"trainer must be a Trainer, not {_check.kind_of(trainer)}.")
    write_graph(_check.path(file, "file"), _graph_of(trainer))


# ------------------------------------------------------------------------------------------ import


def _ours(shape: Tuple[int, ...]) -> Any:
    """Channels first in files, last here."""
    return shape[0] if len(shape) == 1 else (shape[1], shape[2], shape[0])


def _channels_last(values: NDArray[Any], shape: Tuple[int, ...]) -> NDArray[np.float64]:
    """One value per neuron, in our order; a single value stands for all."""
    full = np.broadcast_to(np.asarray(values, np.float64), shape)
    return full.ravel() if len(shape) == 1 else full.transpose(1, 2, 0).ravel()


class _Reader:
    def __init__(self, graph: Graph, dt: float, reset: str, discretisation: str):
        self.graph, self.dt, self.reset, self.euler = graph, dt, reset, discretisation == "euler"
        self.layers: List[Layer] = []
        self.weights: Dict[str, NDArray[np.float32]] = {}
        self.mapping: List[str] = []
        self.input_shape: Tuple[int, ...] = ()
        self.outputs = 0

    def read(self) -> None:
        inputs, outputs = self.graph.of_type("Input"), self.graph.of_type("Output")
        if len(inputs) != 1 or len(outputs) != 1:
            raise self.graph.problem("", f"needs one Input and one Output, not {len(inputs)} and {len(outputs)}.")
        self.input_shape = self.graph.shape(inputs[0], "shape")
        chains: Dict[str, Tuple[str, List[str]]] = {}
        loops: Dict[str, List[str]] = {}
        for node in (n for t in _NEURONS for n in self.graph.of_type(t)):
            for before in self.graph.before(node):
                start, operations = self._back(before)
                if start == node and node not in loops:
                    loops[node] = operations
                elif start != node and node not in chains:
                    chains[node] = (start, operations)
                else:
                    raise self.graph.problem(node, "has several inputs; one, and one from itself, can be told apart.")
        used, last, shape = 0, inputs[0], self.input_shape
        while True:
            following = [n for n, (start, _) in chains.items() if start == last]
            if not following:
                break
            if len(following) > 1:
                raise self.graph.problem(last, "feeds several layers; a layer has one successor here.")
            shape = self._layer(following[0], chains[following[0]][1], loops.get(following[0]), shape)
            last, used = following[0], used + 1
        if self.graph.before(outputs[0]) != [last] or used != sum(len(self.graph.of_type(t)) for t in _NEURONS):
            raise self.graph.problem(outputs[0], "does not come after the last of a chain of layers.")
        self.outputs = int(np.prod(shape))

    def _back(self, node: str) -> Tuple[str, List[str]]:
        """The neurons or input where a chain of linear nodes begins, and the chain in its order."""
        chain: List[str] = []
        while self.graph.type(node) not in _NEURONS + ("Input",):
            before = self.graph.before(node)
            if len(before) != 1 or len(chain) > 64:
                raise self.graph.problem(node, f"must have one input, not {len(before)}.")
            chain.insert(0, node)
            node = before[0]
        return node, chain

    def _layer(self, node: str, chain: List[str], loop: Optional[List[str]], shape: Tuple[int, ...]) -> Tuple[int, ...]:
        name = "".join(c if c.isalnum() and c.isascii() or c in "_-" else "_" for c in node)
        keys: Dict[str, Any] = {}
        chain = list(chain)
        if chain and self.graph.type(chain[0]) in ("AvgPool2d", "SumPool2d"):
            shape = self._pool(chain.pop(0), shape, keys)
        if chain and self.graph.type(chain[0]) == "Conv2d":
            if len(chain) > 1:
                raise self.graph.problem(chain[1], "has no place between a convolution and its neurons.")
            weight, bias, target = self._convolution(chain[0], shape, keys)
        else:
            weight, bias, target = self._dense(chain, shape, node)
        recurrent = None
        if loop is not None:
            recurrent, more, _ = self._dense(loop, target, node)
            bias = bias + more
            keys["recurrent"] = True
        gain, threshold = self._neuron(node, target, keys, name)
        scale = gain / threshold if "threshold" not in keys and keys["neuron"] != "readout" else gain
        if weight.ndim == 4:  # one scale per filter
            per_filter = scale.reshape(-1, weight.shape[3])
            if not (per_filter == per_filter[0]).all():
                raise self.graph.problem(node, "neurons of one filter differ in gain or threshold.")
            weight = weight * per_filter[0]
        else:
            weight = weight * scale
            keys["size"] = len(scale)
        self.weights[f"{name}.weight"] = weight.astype(np.float32)
        if recurrent is not None:
            recurrent = recurrent * scale
        recurrent = self._undecayed(keys, name, target, recurrent)
        if recurrent is not None:
            self.weights[f"{name}.recurrent_weight"] = recurrent.astype(np.float32)
        offset = bias * scale + self._leak(node, target) * (scale / gain if (gain > 0).all() else 0.0)
        if offset.any():
            keys["bias"] = True
            self.weights[f"{name}.bias"] = offset.astype(np.float32)
        note = "; a diagonal of recurrent weights makes the reset undecayed" if keys.pop("_diagonal", False) else ""
        self.layers.append(Layer(name, **keys))
        shown = ", ".join(f"{k} = {v}" for k, v in keys.items())
        self.mapping.append(f"{' + '.join(chain + (loop or []) + [node])}: layer '{name}' with {shown}{note}")
        return target

    def _undecayed(self, keys: Dict[str, Any], name: str, shape: Tuple[int, ...],
                   recurrent: Optional[NDArray[np.float64]]) -> Optional[NDArray[np.float64]]:
        """Training has the undecayed reset for layers of one decay. For others, alpha (u - theta s) - (1 - alpha) theta s
        is alpha u - theta s: the second part is a neuron's spike acting on itself one step later."""
        logit = self.weights.get(f"{name}.membrane_logit")
        if keys.get("reset") != "subtract_undecayed" or logit is None:
            return recurrent
        if keys["neuron"] != "lif" or "convolution" in keys:
            raise self.graph.problem(name, "subtract_undecayed with a decay for each neuron is possible for dense LIF layers.")
        alpha = 1.0 / (1.0 + np.exp(-logit.astype(np.float64)))
        diagonal = np.diag(-(1.0 - alpha) * keys.get("threshold", 1.0))
        keys.update(reset="subtract", recurrent=True, _diagonal=True)
        return diagonal if recurrent is None else recurrent + diagonal

    def _decay(self, tau: NDArray[np.float64], node: str) -> Tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The factor per step, and what a constant input of 1 adds in a step."""
        if not (tau >= self.dt * (1 - 1e-9)).all():
            raise self.graph.problem(node, f"has a time constant below dt = {self.dt * 1000:g} ms.")
        decay = 1.0 - self.dt / tau if self.euler else np.exp(-self.dt / tau)
        return np.maximum(decay, 0.0), 1.0 - decay

    def _put_decay(self, key: str, of: str, decay: NDArray[np.float64], name: str, keys: Dict[str, Any]) -> None:
        if (decay == decay[0]).all():
            keys[key] = float(decay[0])
            return
        keys[key] = [max(float(decay.min()), 1e-12), float(decay.max())]
        keys[of] = {"per_neuron": True}
        clipped = np.maximum(decay, 1e-12)
        self.weights[f"{name}.{of}_logit"] = (np.log(clipped) - np.log1p(-clipped)).astype(np.float32)

    def _neuron(self, node: str, shape: Tuple[int, ...], keys: Dict[str, Any],
                name: str) -> Tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Puts decay and threshold into the keys; gives the gain of the input and the thresholds."""
        kind = self.graph.type(node)
        values = {k: self._values(node, k, shape) for k in self.graph.fields(node)}
        decay, share = self._decay(values["tau" if "tau" in values else "tau_mem"], node)
        gain = share * values["r"]
        if kind == "CubaLIF":
            kappa, share = self._decay(values["tau_syn"], node)
            gain = gain * share * values.get("w_in", np.ones_like(gain))
            self._put_decay("kappa", "synapse", kappa, name, keys)
            keys["neuron"] = "synaptic_lif"
        else:
            keys["neuron"] = "readout" if kind == "LI" else "lif"
        self._put_decay("alpha", "membrane", decay, name, keys)
        if kind == "LI":
            return gain, np.ones_like(gain)
        if values.get("v_reset", np.zeros(1)).any():
            raise self.graph.problem(node, "has a v_reset that is not 0, which training does not have.")
        threshold = values["v_threshold"]
        if not (threshold > 0.0).all():
            raise self.graph.problem(node, "has a threshold that is not above 0.")
        if (threshold == threshold[0]).all():
            keys["threshold"] = float(threshold[0])
        keys["reset"] = self.reset
        return gain, threshold

    def _values(self, node: str, key: str, shape: Tuple[int, ...]) -> NDArray[np.float64]:
        """An array of the neurons, or a single value for all of them, in our order."""
        value = self.graph.array(node, key)
        if value.size != 1 and value.shape != shape:
            raise self.graph.problem(node, f"{key} has the shape {value.shape}, not {shape}.")
        return _channels_last(value.reshape(-1)[0] if value.size == 1 else value, shape)

    def _leak(self, node: str, shape: Tuple[int, ...]) -> NDArray[np.float64]:
        """What v_leak adds in every step."""
        leak = self._values(node, "v_leak", shape)
        if not leak.any():
            return leak
        if self.graph.type(node) == "CubaLIF":
            raise self.graph.problem(node, "has a v_leak that is not 0, which has no counterpart behind a synapse.")
        return leak * self._decay(self._values(node, "tau", shape), node)[1]

    def _pool(self, node: str, shape: Tuple[int, ...], keys: Dict[str, Any]) -> Tuple[int, ...]:
        size, stride = self.graph.pair(node, "kernel_size"), self.graph.pair(node, "stride")
        if len(shape) != 3 or size != stride or size[0] != size[1] or self.graph.pair(node, "padding") != (0, 0):
            raise self.graph.problem(node, "only square windows that do not overlap, without padding, are possible.")
        if size[0] < 1 or shape[1] % size[0] or shape[2] % size[0]:
            raise self.graph.problem(node, f"windows of {size[0]} do not divide {shape[1]} x {shape[2]}.")
        keys["pool"] = size[0]
        keys["pooling"] = "average" if self.graph.type(node) == "AvgPool2d" else "sum"
        return (shape[0], shape[1] // size[0], shape[2] // size[0])

    def _convolution(self, node: str, shape: Tuple[int, ...],
                     keys: Dict[str, Any]) -> Tuple[NDArray[np.float64], NDArray[np.float64], Tuple[int, ...]]:
        weight = self.graph.array(node, "weight")
        stride, padding = self.graph.pair(node, "stride"), self.graph.pair(node, "padding")
        plain = self.graph.pair(node, "dilation") == self.graph.pair(node, "groups") == (1, 1)
        square = weight.ndim == 4 and weight.shape[2] == weight.shape[3] and stride[0] == stride[1] and padding[0] == padding[1]
        if not plain or not square or len(shape) != 3 or weight.shape[1] != shape[0] or stride[0] < 1:
            raise self.graph.problem(node, "only square kernels over all channels, without dilation, are possible.")
        sizes = [(n + 2 * padding[0] - weight.shape[2]) // stride[0] + 1 for n in shape[1:]]
        if min(sizes) < 1:
            raise self.graph.problem(node, "the kernel is larger than its input.")
        target = (weight.shape[0], sizes[0], sizes[1])
        keys["convolution"] = {"filters": weight.shape[0], "kernel": weight.shape[2], "stride": stride[0],
                               "padding": padding[0]}
        bias = np.zeros(weight.shape[0]) if "bias" not in self.graph.fields(node) else self.graph.array(node, "bias")
        if bias.shape != (weight.shape[0],):
            raise self.graph.problem(node, "the bias must have one value per filter.")
        return weight.transpose(1, 2, 3, 0), _channels_last(bias[:, None, None], target), target

    def _dense(self, chain: List[str], shape: Tuple[int, ...],
               node: str) -> Tuple[NDArray[np.float64], NDArray[np.float64], Tuple[int, ...]]:
        """Affine, Linear, Scale and Flatten as one matrix [sources, targets] and a bias."""
        size = int(np.prod(shape))
        matrix: Optional[NDArray[np.float64]] = None
        bias = np.zeros(1)
        flat = len(shape) == 1
        for operation in chain:
            kind = self.graph.type(operation)
            if kind == "Flatten":
                flat = True
                continue
            if kind not in ("Affine", "Linear", "Scale"):
                raise self.graph.problem(operation, f"of type {kind} has no place in front of neurons here.")
            if not flat:
                raise self.graph.problem(operation, "acts on an image; put a Flatten before it.")
            now = size if matrix is None else len(matrix)
            if kind == "Scale":
                factor = np.diag(self._values(operation, "scale", (now,)))
            else:
                factor = self.graph.array(operation, "weight")
            if factor.ndim != 2 or factor.shape[1] != now:
                raise self.graph.problem(operation, f"has a weight of shape {factor.shape}, but {now} inputs.")
            matrix = factor if matrix is None else factor @ matrix
            bias = factor @ np.broadcast_to(bias, (now,))
            if kind == "Affine":
                bias = bias + self._values(operation, "bias", (len(factor),))
        if matrix is None:
            matrix, bias = np.eye(size), np.zeros(size)
        if bias.shape != (len(matrix),):
            raise self.graph.problem(node, "a bias does not fit its weight.")
        if len(shape) == 3:  # sources in our order
            order = np.arange(size).reshape(shape).transpose(1, 2, 0).ravel()
            matrix = matrix[:, order]
        return np.ascontiguousarray(matrix.T), bias, (len(matrix),)


# ------------------------------------------------------------------------------------------ export


def _graph_of(trainer: Trainer) -> Graph:
    model, weights = trainer.network._core, trainer.weights
    d = model.describe()
    dt = d["dt_ms"] / 1000.0
    shape = _theirs(d["shape"])
    graph = Graph("the export")
    graph.add("input", "Input", shape=np.array(shape, np.int64))
    before, resets = "input", set()
    for i in range(len(d["layers"])):
        layer = model.layer(i)
        before, shape = _export_layer(graph, layer, weights, before, shape, dt)
        if layer["neuron"] != "readout":
            resets.add(layer["reset"])
    graph.add("output", "Output", shape=np.array(shape, np.int64))
    graph.edges.append((before, "output"))
    graph.metadata = {"dt": f"{dt!r} s", "discretisation": "forward Euler", "reset": ", ".join(sorted(resets))}
    return graph


def _theirs(shape: Tuple[int, int, int]) -> Tuple[int, ...]:
    height, width, channels = shape
    return (channels,) if height == width == 1 else (channels, height, width)


def _refuse(name: str, what: str) -> Exception:
    return _check.problem(f"layer '{name}'", f"has {what}, for which NIR has no node.")


def _export_layer(graph: Graph, layer: Dict[str, Any], weights: Dict[str, NDArray[np.float32]], before: str,
                  shape: Tuple[int, ...], dt: float) -> Tuple[str, Tuple[int, ...]]:
    name, connection = layer["name"], layer["connection"]
    target = _theirs(layer["shape"])
    for part in (connection, layer["recurrent"] or connection):
        if part["kind"] == "sparse":
            raise _refuse(name, "sparse connections")
    if layer["neuron"] == "adaptive_lif":
        raise _refuse(name, "adaptive neurons")
    if layer["refractory"]:
        raise _refuse(name, "a refractory period")

    def follow(node: str, kind: str, **fields: Any) -> None:
        nonlocal before
        graph.add(node, kind, **fields)
        graph.edges.append((before, node))
        before = node

    pool = connection["pool"]
    if pool > 1:
        size = np.array([pool, pool], np.int64)
        kind = "AvgPool2d" if connection["pooling"] == "average" else "SumPool2d"
        follow(f"{name}_pool", kind, kernel_size=size, stride=size, padding=np.zeros(2, np.int64))
        shape = (shape[0], shape[1] // pool, shape[2] // pool)
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    if connection["kind"] == "convolution":
        if bias is not None:
            bias = bias.reshape(-1, target[0])
            if not (bias == bias[0]).all():
                raise _refuse(name, "a bias for each neuron of a filter")
            bias = bias[0]
        pair = {k: np.array([connection[k]] * 2, np.int64) for k in ("stride", "padding")}
        follow(f"{name}_in", "Conv2d", weight=weight.transpose(3, 0, 1, 2), input_shape=np.array(shape[1:], np.int64),
               bias=np.zeros(target[0], np.float32) if bias is None else bias, dilation=np.ones(2, np.int64),
               groups=np.int64(1), **pair)
    else:
        if len(shape) == 3:
            follow(f"{name}_flat", "Flatten", input_type=np.array(shape, np.int64), start_dim=np.int64(0),
                   end_dim=np.int64(-1))
            order = np.arange(int(np.prod(shape))).reshape(shape).transpose(1, 2, 0).ravel()
            unordered = np.empty_like(weight)
            unordered[order] = weight
            weight = unordered
        matrix = {"weight": np.ascontiguousarray(weight.T)}
        follow(f"{name}_in", "Linear" if bias is None else "Affine", **matrix, **({} if bias is None else {"bias": bias}))
    follow(name, *_export_neuron(layer, weights, target, dt)[:1], **_export_neuron(layer, weights, target, dt)[1])
    if layer["recurrent"] is not None:
        loop = f"{name}_recurrent"
        graph.add(loop, "Linear", weight=np.ascontiguousarray(weights[f"{name}.recurrent_weight"].T))
        graph.edges += [(name, loop), (loop, name)]
    return name, target


def _export_neuron(layer: Dict[str, Any], weights: Dict[str, NDArray[np.float32]], shape: Tuple[int, ...],
                   dt: float) -> Tuple[str, Dict[str, Any]]:
    def decay(key: str, of: str) -> NDArray[np.float64]:
        logit = weights.get(f"{layer['name']}.{of}_logit")
        value = np.float64(layer[key]) if logit is None else 1.0 / (1.0 + np.exp(-logit.astype(np.float64)))
        if np.size(value) > 1 and len(shape) == 3:  # ours are channels last
            return np.asarray(value).reshape(shape[1], shape[2], shape[0]).transpose(2, 0, 1)
        return np.broadcast_to(np.asarray(value), shape)

    tau = dt / (1.0 - decay("alpha", "membrane"))
    fields: Dict[str, Any] = {"r": tau / (layer["capacitance"] * dt), "v_leak": np.zeros(shape)}
    if layer["neuron"] == "readout":
        return "LI", {"tau": tau, **fields}
    fields.update(v_threshold=np.full(shape, layer["threshold"]), v_reset=np.zeros(shape))
    if layer["neuron"] == "lif":
        return "LIF", {"tau": tau, **fields}
    tau_syn = dt / (1.0 - decay("kappa", "synapse"))
    return "CubaLIF", {"tau_mem": tau, "tau_syn": tau_syn, "w_in": tau_syn / dt, **fields}
