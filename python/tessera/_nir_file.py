"""The HDF5 side of NIR: a strict reader and a writer. Nothing here knows of networks."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _check
from .errors import InputError

_MOST_NODES, _MOST_EDGES, _MOST_VALUES = 4096, 65536, 2**28
_NUMBERS = {
    "Input": ("shape",), "Output": ("shape",), "Affine": ("weight", "bias"), "Linear": ("weight",), "Scale": ("scale",),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups"), "AvgPool2d": ("kernel_size", "stride", "padding"),
    "SumPool2d": ("kernel_size", "stride", "padding"), "Flatten": (), "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "LI": ("tau", "r", "v_leak"), "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
}


class Graph:
    """Nodes with their type and arrays, and edges."""

    def __init__(self, name: str):
        self.name = name
        self.nodes: Dict[str, Tuple[str, Dict[str, NDArray[Any]]]] = {}
        self.edges: List[Tuple[str, str]] = []
        self.metadata: Dict[str, str] = {}

    def problem(self, node: str, sentence: str) -> InputError:
        """A sentence about a node."""
        return _check.problem(f"{self.name}{f', node {node!r}' if node else ''}", sentence)

    def add(self, node: str, kind: str, **fields: Any) -> None:
        """Adds a node."""
        if node in self.nodes:
            raise self.problem(node, "there are two nodes of this name.")
        self.nodes[node] = (kind, {k: np.asarray(v) for k, v in fields.items()})

    def type(self, node: str) -> str:
        """Its primitive."""
        return self.nodes[node][0]

    def of_type(self, kind: str) -> List[str]:
        """All nodes of a primitive."""
        return [n for n, (k, _) in self.nodes.items() if k == kind]

    def before(self, node: str) -> List[str]:
        """Where edges to a node come from."""
        return [a for a, b in self.edges if b == node]

    def fields(self, node: str) -> List[str]:
        """Names of its arrays."""
        return list(self.nodes[node][1])

    def array(self, node: str, key: str) -> NDArray[np.float64]:
        """An array as float64, finite."""
        value = self.nodes[node][1][key].astype(np.float64)
        if not np.isfinite(value).all():
            raise self.problem(node, f"{key} has values that are not finite.")
        return value

    def shape(self, node: str, key: str) -> Tuple[int, ...]:
        """A shape of one or three sizes."""
        value = self.array(node, key)
        sizes = tuple(int(x) for x in value.ravel())
        if value.ndim != 1 or len(sizes) not in (1, 3) or min(sizes) < 1 or int(np.prod(sizes)) > 65536:
            raise self.problem(node, f"has the shape {sizes}; one size, or channels, height and width, are possible, "
                               "at most 65536 in all.")
        return sizes

    def pair(self, node: str, key: str) -> Tuple[int, int]:
        """Two whole numbers; a single one stands for both."""
        value = self.array(node, key).ravel()
        if len(value) not in (1, 2) or (value != np.floor(value)).any() or (np.abs(value) > 65536).any():
            raise self.problem(node, f"{key} must be one or two whole numbers.")
        return int(value[0]), int(value[-1])


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise ImportError("NIR files need h5py: pip install 'tessera[nir]'.") from None
    return h5py


def read_graph(path: str) -> Graph:
    """Reads a file. InputError for everything that is not as NIR says, for links to other files, and for sizes beyond
    reason."""
    h5py = _h5py()
    graph = Graph(os.path.basename(path))
    try:
        with h5py.File(path, "r") as file:
            _read(h5py, file, graph)
    except InputError:
        raise
    except Exception as error:  # whatever h5py makes of a damaged file
        raise graph.problem("", f"cannot be read: {error}") from None
    return graph


def _child(h5py: Any, group: Any, key: str, kind: Any, graph: Graph, node: str) -> Any:
    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise graph.problem(node, f"has no {key!r}, or only a link to it.")
    child = group[key]
    if not isinstance(child, kind) or isinstance(child, h5py.Dataset) and (child.external or child.is_virtual):
        raise graph.problem(node, f"{key!r} is not what NIR says.")
    if isinstance(child, h5py.Dataset) and (child.shape is None or child.size > _MOST_VALUES):
        raise graph.problem(node, f"{key!r} is empty or too large.")
    return child


def _text(value: Any, graph: Graph, node: str) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise graph.problem(node, "has a type or name that is no short text.")
    return value


def _read(h5py: Any, file: Any, graph: Graph) -> None:
    root = _child(h5py, file, "node", h5py.Group, graph, "")
    if _text(_child(h5py, root, "type", h5py.Dataset, graph, "")[()], graph, "") != "NIRGraph":
        raise graph.problem("", "does not hold a NIRGraph.")
    nodes = _child(h5py, root, "nodes", h5py.Group, graph, "")
    if len(nodes) > _MOST_NODES:
        raise graph.problem("", f"has {len(nodes)} nodes; at most {_MOST_NODES} are possible.")
    for name in nodes:
        group = _child(h5py, nodes, name, h5py.Group, graph, name)
        kind = _text(_child(h5py, group, "type", h5py.Dataset, graph, name)[()], graph, name)
        if kind not in _NUMBERS:
            raise graph.problem(name, f"has the type {kind}; possible are {', '.join(_NUMBERS)}.")
        arrays = {}
        for key in group:
            if key in ("type", "metadata"):
                continue
            value = _child(h5py, group, key, h5py.Dataset, graph, name)[()]
            if np.asarray(value).dtype.kind in "iuf":
                arrays[key] = np.asarray(value)
        missing = [k for k in _NUMBERS[kind] if k not in arrays]
        if missing:
            raise graph.problem(name, f"has no numbers {', '.join(missing)}.")
        graph.add(name, kind, **arrays)
    edges = _child(h5py, root, "edges", h5py.Dataset, graph, "")
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.shape[0] > _MOST_EDGES:
        raise graph.problem("", f"its edges have the shape {edges.shape}, not (number, 2).")
    for a, b in edges[()]:
        edge = (_text(a, graph, ""), _text(b, graph, ""))
        for end in edge:
            if end not in graph.nodes:
                raise graph.problem("", f"an edge names the node {end!r}, which is not there.")
        graph.edges.append(edge)


def write_graph(path: str, graph: Graph) -> None:
    """Writes a file, under a temporary name until it is whole."""
    h5py = _h5py()
    text = h5py.string_dtype()
    partial = f"{path}.partial"
    with h5py.File(partial, "w") as file:
        file.create_dataset("version", data="1.0.8", dtype=text)
        root = file.create_group("node")
        root.create_dataset("type", data="NIRGraph", dtype=text)
        root.create_dataset("edges", data=np.array(graph.edges, dtype=object), dtype=text)
        metadata = root.create_group("metadata")
        for key, said in graph.metadata.items():
            metadata.create_dataset(key, data=said, dtype=text)
        nodes = root.create_group("nodes")
        for name, (kind, fields) in graph.nodes.items():
            group = nodes.create_group(name)
            group.create_dataset("type", data=kind, dtype=text)
            for key, value in fields.items():
                group.create_dataset(key, data=value)
    os.replace(partial, path)
