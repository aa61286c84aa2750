"""The trainer: weights, epochs, evaluation."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _check, _core, _html
from ..errors import InputError, RunError
from .data import Data
from .network import Network


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch, counted from 1. Accuracies are 0 .. 1; those of validation are NaN when nothing is held out.
    ``layers``: what every spiking layer did in the training batches. ``best``: the best epoch so far."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    theta_grad: float
    seconds: float
    samples_per_second: float
    layers: List[Dict[str, Any]] = field(repr=False)
    best: bool = False


class History(Sequence[Epoch]):
    """The epochs of a training; ``history["loss"]`` is an array with a value for each."""

    def __init__(self, epochs: Optional[List[Epoch]] = None):
        self._epochs = epochs if epochs is not None else []

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            names = [n for n in Epoch.__dataclass_fields__ if n != "layers"]
            return np.array([getattr(e, _check.choice(key, "key", names)) for e in self._epochs])
        return self._epochs[key]

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._epochs)

    def __repr__(self) -> str:
        return f"<History of {len(self)} epochs>"

    def _repr_html_(self) -> str:
        rows = [(e.epoch, f"{e.loss:.4f}", f"{e.accuracy:.4f}", f"{e.validation_accuracy:.4f}") for e in self._epochs]
        return _html.table(("epoch", "loss", "accuracy", "validation"), rows)


@dataclass(frozen=True)
class Evaluation:
    """``accuracy`` is 0 .. 1, ``confusion[label, prediction]`` counts samples."""

    loss: float
    accuracy: float
    confusion: NDArray[np.int64] = field(repr=False)
    layers: List[Dict[str, Any]] = field(repr=False)

    def plot(self, *, names: Optional[Sequence[str]] = None, axes: Any = None) -> Any:
        """The confusion matrix with matplotlib: the share of the samples of a class (row) that was taken for each class
        (column), with the numbers. ``names`` of the classes, else their numbers. Returns the axes."""
        counts = self.confusion
        labels = [str(i) for i in range(len(counts))] if names is None else [_check.text(n, "names") for n in names]
        if len(labels) != len(counts):
            raise _check.problem("names", f"there are {len(labels)} for {len(counts)} classes.")
        if axes is None:
            try:
                import matplotlib.pyplot as pyplot
            except ImportError:
                raise ImportError("plot() needs matplotlib: pip install 'tessera[plot]'.") from None
            axes = pyplot.subplots()[1]
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
        for (row, column), count in np.ndenumerate(counts):
            if count and len(counts) <= 40:
                axes.text(column, row, str(count), ha="center", va="center", color="white" if share[row, column] > 0.5 else "black")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("prediction")
        axes.set_ylabel("label")
        return axes


@dataclass(frozen=True)
class Forward:
    """What the network makes of some samples: ``output[step, sample, class]`` (the readout's membrane, or 0 and 1 of a
    spiking output), ``predictions``, and for the layers that were asked for ``spikes[layer][sample]``: rows of (step,
    neuron)."""

    loss: float
    predictions: NDArray[np.int32]
    output: NDArray[np.float32] = field(repr=False)
    spikes: Dict[str, List[NDArray[np.uint32]]] = field(repr=False)


class Trainer:
    """Weights and optimiser of a network.

    ``loss``, ``optimizer``, ``schedule``, ``second_threshold``, ``eprop``: the sections of a training file as
    dictionaries, or the name of their kind (``loss="cross_entropy"``); a training file has its own. ``validation`` is the
    share of the samples that is held out. The same seed gives the same weights for any number of threads.
    """

    def __init__(self, network: Network, *, loss: Any = None, optimizer: Any = None, schedule: Any = None,
                 second_threshold: Any = None, eprop: Any = None, batch: Optional[int] = None,
                 epochs: Optional[int] = None, seed: Optional[int] = None, validation: Optional[float] = None,
                 patience: Optional[int] = None, slices: Optional[int] = None, strategy: Optional[str] = None,
                 threads: Optional[int] = None):
        if not isinstance(network, Network):
            raise TypeError(f"network must be a train.Network, not {_check.kind_of(network)}.")
        self.network = network
        sections = {"loss": loss, "optimizer": optimizer, "schedule": schedule, "second_threshold": second_threshold,
                    "eprop": eprop}
        training = {"batch": batch, "epochs": epochs, "seed": seed, "validation": validation, "patience": patience,
                    "slices": slices, "strategy": strategy, "threads": threads}
        model = network._with(sections, training)
        self._made, self._process = _core.Trainer(model), os.getpid()
        self._layers = [name for name, neuron, _ in model.describe()["layers"]]
        #: of the last call of fit()
        self.history = History()
        #: number of the epoch whose weights these are; 0: none
        self.best_epoch = 0
        self._restored: List[Epoch] = []

    @property
    def _core(self) -> _core.Trainer:
        if os.getpid() != self._process:
            raise RunError("This trainer was made in another process; threads do not survive a fork. Make a trainer in this process, "
                           "perhaps from a checkpoint.")
        return self._made

    def __getstate__(self) -> object:
        raise TypeError("A trainer cannot be pickled; use fit(checkpoint=) and restore(), or weights.")

    def fit(self, data: Data, *, callback: Optional[Callable[[Epoch], Any]] = None,
            on_batch: Optional[Callable[..., Any]] = None, keep_best: bool = True,
            checkpoint: Union[None, str, "os.PathLike[str]"] = None) -> History:
        """Trains for the epochs that were asked for, or, after `restore`, for those that are left of them.

        ``callback(epoch)`` is called after every epoch; a true answer ends the training. ``on_batch(epoch, epochs, batch,
        batches, loss, accuracy)`` is called after every batch. Afterwards the weights are those of the epoch with the best
        validation accuracy (without validation: training accuracy), or of the last one with ``keep_best=False``. What
        looks wrong (a silent layer, ...) is told as a Python warning. Ctrl-C ends the training after the batch;
        ``history`` has the epochs that were done. ``checkpoint`` is a folder that gets one after every epoch, for `restore`.
        Throws DivergedError when the loss is no longer finite.
        """
        if not isinstance(data, Data):
            raise TypeError(f"data must be a train.Data, not {_check.kind_of(data)}.")
        folder = None if checkpoint is None else _check.path(checkpoint, "checkpoint")
        history, self._restored = self._restored, []
        self.history = History(history)

        def on_epoch(metrics: Dict[str, Any], best: bool) -> bool:
            history.append(Epoch(**metrics, best=best))
            return bool(callback(history[-1])) if callback is not None else False

        try:
            result = self._core.fit(data._core, on_epoch=on_epoch, on_batch=on_batch,
                                    on_warning=lambda sentence: warnings.warn(sentence, stacklevel=4), folder=folder)
        except InputError:  # nothing has begun
            self._restored = list(history)
            raise
        self.best_epoch = max((e.epoch for e in history if e.best), default=0)
        if _check.truth(keep_best, "keep_best") and result["best_weights"]:
            self._core.set_parameters(list(result["best_weights"].items()))
        return self.history

    def restore(self, checkpoint: Union[str, "os.PathLike[str]"]) -> "Trainer":
        """Takes weights, optimiser and epochs from a checkpoint of `fit` with the same network, options and seed (only
        ``epochs`` may be larger). The next fit() with the same data gives the weights of a training that was never
        interrupted, to the last bit. ``history`` has the epochs until then."""
        epochs, best = _core.restore_training(self._core, _check.path(checkpoint, "checkpoint"))
        self._restored = [Epoch(**metrics, best=metrics["epoch"] == best) for metrics in epochs]
        self.history, self.best_epoch = History(list(self._restored)), best
        return self

    def evaluate(self, data: Data) -> Evaluation:
        """Loss, accuracy and confusion of all samples, with the weights of now."""
        if not isinstance(data, Data):
            raise TypeError(f"data must be a train.Data, not {_check.kind_of(data)}.")
        r = self._core.evaluate(data._core)
        return Evaluation(r["loss"], r["accuracy"], np.array(r["confusion"], np.int64), r["layers"])

    def forward(self, data: Data, samples: ArrayLike, *, spikes: Sequence[str] = ()) -> Forward:
        """Runs some samples (their numbers) and gives the output, and the spikes of the layers that are named."""
        chosen = self._samples(data, samples)
        names = [_check.choice(s, "spikes", self._layers) for s in spikes]
        r = self._core.forward(data._core, chosen)
        found = {name: [self._core.spikes(self._layers.index(name), i) for i in range(len(chosen))] for name in names}
        return Forward(r["loss"], r["predictions"], r["output"], found)

    def gradients(self, data: Data, samples: ArrayLike) -> Dict[str, NDArray[np.float32]]:
        """The gradient of the loss of these samples, by the names of `weights`. Nothing is updated."""
        chosen = self._samples(data, samples)
        return dict(self._core.gradients(data._core, chosen)["gradients"])

    def step(self, data: Data, samples: ArrayLike, *, rate_scale: float = 1.0) -> float:
        """One batch: forward, backward, update. For loops of your own. Returns the loss before the update."""
        scale, chosen = _check.number(rate_scale, "", "rate_scale"), self._samples(data, samples)
        return float(self._core.step(data._core, chosen, scale)["loss"])

    def initialise_activity(self, data: Data, samples: ArrayLike) -> None:
        """Scales the initial weights until every layer with an `initial_activity` has it on these samples; fit() begins
        with it, and loops of your own should."""
        chosen = self._samples(data, samples)
        self._core.initialise_activity(data._core, chosen)

    def _samples(self, data: Any, samples: ArrayLike) -> NDArray[np.uint32]:
        if not isinstance(data, Data):
            raise TypeError(f"data must be a train.Data, not {_check.kind_of(data)}.")
        d = self.network._core.describe()
        if tuple(d["shape"]) != data.shape or d["steps"] != data.steps or d["classes"] != data.classes:
            raise _check.problem("data", f"{data!r} does not fit {self.network!r} with {d['classes']} classes.")
        chosen = _check.indices(samples, "samples", len(data))
        if not 0 < len(chosen) <= 65536:
            raise _check.problem("samples", "there must be from 1 to 65536.")
        return chosen

    @property
    def weights(self) -> Dict[str, NDArray[np.float32]]:
        """All parameters by name, "hidden.weight" [sources, targets], "hidden.bias", ...: copies. Setting the property,
        to a dictionary with some or all of them, changes the network."""
        return dict(self._core.parameters())

    @weights.setter
    def weights(self, values: Mapping[str, ArrayLike]) -> None:
        new = self.weights
        for name, value in _check.mapping(values, "weights").items():
            _check.choice(name, "weights", new)
            array = np.asarray(value)
            if array.dtype.kind not in "iuf":
                raise TypeError(f"{name} must be an array of numbers, not of {array.dtype}.")
            if array.shape != new[name].shape:
                raise _check.problem(name, f"has the shape {array.shape}; it must be {new[name].shape}.")
            if not np.isfinite(array).all():
                raise _check.problem(name, "has values that are not finite.")
            new[name] = np.ascontiguousarray(array, dtype=np.float32)
        self._core.set_parameters(list(new.items()))

    @property
    def digest(self) -> str:
        """Of the weights: that of ``tessera train`` for the same weights."""
        return str(self._core.digest())

    def save_weights(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the weights as safetensors."""
        self._core.save(_check.path(file, "file"), self.best_epoch)

    def load_weights(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Reads weights of the same layers: of save_weights(), or weights.safetensors of a result folder."""
        self._core.load(_check.path(file, "file"))

    def __repr__(self) -> str:
        return f"<Trainer of {self.network!r}>"


def fit(network: Network, data: Data, *, callback: Optional[Callable[[Epoch], Any]] = None, **options: Any) -> Trainer:
    """Makes a `Trainer` with these options and trains it."""
    trainer = Trainer(network, **options)
    trainer.fit(data, callback=callback)
    return trainer
