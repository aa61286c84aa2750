"""Layers of spiking neurons inside of a PyTorch program.

`SparseLayers` is a ``torch.nn.Module``: its weights are parameters of PyTorch, its forward and backward pass are the sparse ones
of the library. Needs PyTorch, which the package does not bring.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

try:
    import torch
except ImportError:
    raise ImportError("tessera.torch needs PyTorch (pip install torch); tessera.train works without it.") from None

from . import _check, _core
from .train import Network, Trainer


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, layers: "SparseLayers", batch: _core.SpikeBatch, *weights: torch.Tensor) -> torch.Tensor:
        layers._assign(weights)
        output = torch.from_dlpack(_core.forward_batch(layers._engine, batch))
        ctx.layers, ctx.batch = layers, batch
        ctx.save_for_backward(*weights)
        return output

    @staticmethod
    def backward(ctx: Any, *derivatives: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        layers: SparseLayers = ctx.layers
        layers._assign(ctx.saved_tensors)  # another batch, or the optimiser, may have been there since
        derivative = derivatives[0].detach().to(torch.float32).contiguous()
        found = _core.gradients_of_batch(layers._engine, ctx.batch, derivative)
        layers._last = None
        return (None, None, *(torch.from_dlpack(found[name]) for name in layers._names))


class SparseLayers(torch.nn.Module):
    """The layers of a `train.Network` as a module of PyTorch.

    ``layers(spikes)`` takes a tensor [step, sample, channel] (what is not 0 is a spike; float32, uint8, int8 or bool are read
    where they are, others are converted) and returns the output [step, sample, class]: the membrane of a readout, or 0 and 1
    of a spiking last layer. ``loss.backward()`` gives the parameters their gradients, with the surrogates that the network
    names. The loss is PyTorch's: the network's own means nothing. Parameters are named as in `Trainer.weights`, below "layers":
    "layers.hidden.weight" [sources, targets]. All is float32 on the processor. There is no gradient by the spikes that come in.
    The backward pass computes the forward pass once more.

    ``gradient_threshold``: neurons pass a gradient where they spike or their membrane is above this share of the threshold;
    left out, all do (docs/training.md, second threshold). ``seed`` is that of the initial weights, ``threads`` as for `Trainer`.
    """

    def __init__(self, network: Network, *, seed: Optional[int] = None, threads: Optional[int] = None,
                 gradient_threshold: Optional[float] = None):
        super().__init__()
        if not isinstance(network, Network):
            raise TypeError(f"network must be a train.Network, not {_check.kind_of(network)}.")
        self.network = network
        # One strategy from the first batch on: the dense one could come in between.
        options: Dict[str, Any] = {"strategy": "sparse"} if network._parts else {}
        self._trainer = Trainer(network, seed=seed, threads=threads, **options)
        threshold = float("-inf") if gradient_threshold is None else _check.number(gradient_threshold, "", "gradient_threshold")
        _core.set_gradient_threshold(self._engine, threshold)
        weights = self._trainer.weights
        if any(name.endswith("_indices") for name in weights):
            raise _check.problem("network", "a connection that rewires has weights that come and go; train it with train.Trainer.")
        trainable = set(_core.trainable(self._engine))
        self._names: List[str] = list(weights)
        self._last: Optional[_core.SpikeBatch] = None
        self.layers = torch.nn.ModuleDict()
        for name, values in weights.items():
            layer, part = name.rsplit(".", 1)
            if layer not in self.layers:
                self.layers[layer] = torch.nn.Module()
            self.layers[layer].register_parameter(part, torch.nn.Parameter(torch.from_dlpack(values), name in trainable))

    @property
    def _engine(self) -> _core.Trainer:
        return self._trainer._core

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """The output [step, sample, class]."""
        batch = self._batch(spikes)
        output: torch.Tensor = _Run.apply(self, batch, *self._tensors())
        self._last = batch
        return output

    def spikes(self, layer: str) -> torch.Tensor:
        """Spikes of a layer in the batch that was computed last: rows of step, sample, neuron (int64). After a backward pass
        it is gone."""
        names = [name for name, _, _ in self.network.layers]
        index = names.index(_check.choice(layer, "layer", names))
        if self._last is None:
            raise _check.problem("layer", "there is no batch; call the layers first, and ask before backward().")
        return torch.from_dlpack(_core.spikes_of_batch(self._engine, index, self._last.samples))

    def initialise_activity(self, spikes: torch.Tensor) -> None:
        """Scales the weights until every layer with an ``initial_activity`` has it on these spikes."""
        batch = self._batch(spikes)
        self._assign(tuple(self._tensors()))
        _core.initialise_on_batch(self._engine, batch)
        with torch.no_grad():
            for tensor, values in zip(self._tensors(), self._trainer.weights.values()):
                tensor.copy_(torch.from_dlpack(values))

    def _tensors(self) -> Iterator[torch.Tensor]:
        for name in self._names:
            layer, part = name.rsplit(".", 1)
            yield getattr(self.layers[layer], part)

    def _batch(self, spikes: Any) -> _core.SpikeBatch:
        if not isinstance(spikes, torch.Tensor):
            raise TypeError(f"spikes must be a tensor, not {_check.kind_of(spikes)}.")
        described: Dict[str, Any] = self.network._core.describe()
        height, width, channels = described["shape"]
        steps, inputs = described["steps"], height * width * channels
        if spikes.dim() != 3 or spikes.shape[0] != steps or spikes.shape[2] != inputs or spikes.shape[1] < 1:
            raise _check.problem("spikes", f"has the shape {list(spikes.shape)}; it must be [{steps}, samples, {inputs}].")
        if spikes.requires_grad:
            raise _check.problem("spikes", "there is no gradient by the spikes that come in; detach() them.")
        if spikes.device.type != "cpu":
            raise _check.problem("spikes", f"is on {spikes.device}; the layers are computed on the processor.")
        if spikes.is_complex() or spikes.is_sparse:
            raise _check.problem("spikes", "must be a dense tensor of numbers.")
        if spikes.dtype not in (torch.float32, torch.uint8, torch.int8, torch.bool):
            spikes = spikes != 0
        return _core.dense_batch(spikes)

    def _assign(self, weights: Tuple[torch.Tensor, ...]) -> None:
        arrays = []
        for name, tensor in zip(self._names, weights):
            if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
                raise _check.problem(name, f"is {tensor.dtype} on {tensor.device}; the layers are float32 on the processor.")
            arrays.append((name, tensor.detach().contiguous()))
        self._engine.set_parameters(arrays)

    def __getstate__(self) -> Any:
        raise TypeError("SparseLayers cannot be pickled or copied; make them anew and use load_state_dict(other.state_dict()).")

    def extra_repr(self) -> str:
        """For print()."""
        return repr(self.network)
