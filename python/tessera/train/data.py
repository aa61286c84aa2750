"""Labelled spike trains."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, Iterable, Optional, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _check, _core
from .._check import Quantity

Shape = Union[int, Tuple[int, int, int]]


class Data:
    """Samples that are already spikes: at most one for each channel and step. Made by `from_dense`, `from_events`,
    `from_samples`, or `Network.open` for the data set of a training file.

    ``channels`` is a number, or (height, width, channels) for convolutions; the index of (y, x, c) is then
    (y * width + x) * channels + c. Labels are 0 .. classes - 1.

    >>> import numpy as np
    >>> from tessera import train
    >>> spikes = np.zeros((4, 10, 3), bool)  # samples, steps, channels
    >>> spikes[:, 5, 0] = True
    >>> train.Data.from_dense(spikes, [0, 1, 0, 1])
    <Data: 4 samples of 10 steps x 3 channels, 2 classes>
    """

    def __init__(self, core: _core.SpikeDataset):
        self._core = core

    @classmethod
    def from_dense(cls, spikes: ArrayLike, labels: ArrayLike, *, classes: Optional[int] = None,
                   shape: Optional[Shape] = None) -> "Data":
        """From an array [sample, step, channel], or [sample, step, height, width, channel]: what is not 0 is a spike."""
        array = np.asarray(spikes)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"spikes must be an array of numbers or truths, not of {array.dtype}.")
        if array.ndim not in (3, 5):
            raise _check.problem("spikes", f"must have the dimensions sample, step, channel, not {array.ndim} of them.")
        if shape is None:
            shape = array.shape[2] if array.ndim == 3 else array.shape[2:]
        flat = array.reshape(array.shape[0], array.shape[1], int(np.prod(array.shape[2:])))
        if _size(shape) != flat.shape[2]:
            raise _check.problem("shape", f"{shape} are {_size(shape)} channels, but the array has {flat.shape[2]}.")
        sample, step, channel = np.nonzero(flat)
        length = _check.whole(array.shape[1], "spikes.shape[1]", 1, 65536)
        return cls._made(sample, step, channel, labels, len(array), shape, length, classes)

    @classmethod
    def from_events(cls, samples: ArrayLike, times: ArrayLike, units: ArrayLike, labels: ArrayLike, *, channels: Shape,
                    steps: int, dt: Quantity = 1.0, classes: Optional[int] = None, crop: bool = False) -> "Data":
        """From one entry per spike: the number of its sample, its time (ms, from 0 on) and its channel, in any order. A
        time t falls into step floor(t / dt). Spikes after the end are a mistake, unless ``crop`` leaves them out."""
        label = _labels(labels)
        at = _check.numbers(times, "ms", "times")
        sample = _check.indices(samples, "samples", max(len(label), 1), len(at))
        channel = _check.indices(units, "units", _size(channels), len(at))
        step = _steps_of(at, _check.number(dt, "ms", "dt"), "times")
        length = _check.whole(steps, "steps", 1, 65536)
        keep = step < length
        if not _check.truth(crop, "crop") and not keep.all():
            i = int(np.flatnonzero(~keep)[0])
            raise _check.problem("times", f"entry {i} is {at[i]} ms, after the end of {length} steps; crop=True leaves "
                                 "such spikes out.")
        return cls._made(sample[keep], step[keep], channel[keep], label, len(label), channels, length, classes)

    @classmethod
    def from_samples(cls, samples: Iterable[Tuple[ArrayLike, ArrayLike, int]], *, channels: Shape, steps: int,
                     dt: Quantity = 1.0, time_unit: str = "ms", classes: Optional[int] = None,
                     crop: bool = False) -> "Data":
        """From anything that gives (times, units, label) for each sample, such as a generator over a data set of Tonic.
        Times are in ``time_unit`` ("s", "ms", "us")."""
        factor = _core.quantity(f"1 {_check.text(time_unit, 'time_unit')}", "ms")
        number, when, channel, labels = [], [], [], []
        for i, entry in enumerate(samples):
            if not isinstance(entry, (tuple, list)) or len(entry) != 3:
                raise TypeError(f"samples: number {i} must be (times, units, label).")
            times = _check.numbers(entry[0], "", f"samples[{i}][0]") * factor
            when.append(times)
            channel.append(_check.indices(entry[1], f"samples[{i}][1]", _size(channels), len(times)))
            number.append(np.full(len(times), i, np.uint32))
            labels.append(_check.whole(entry[2], f"samples[{i}][2]", high=65535))
        if not labels:
            raise _check.problem("samples", "there are none.")
        return cls.from_events(np.concatenate(number), np.concatenate(when), np.concatenate(channel), labels,
                               channels=channels, steps=steps, dt=dt, classes=classes, crop=crop)

    @classmethod
    def _made(cls, sample: NDArray[Any], step: NDArray[Any], channel: NDArray[Any], labels: ArrayLike, count: int,
              shape: Shape, steps: int, classes: Optional[int]) -> "Data":
        label = _labels(labels, count)
        most = int(label.max()) + 1 if len(label) else 1
        number = most if classes is None else _check.whole(classes, "classes", 1, 65536)
        if most > number:
            raise _check.problem("labels", f"the largest is {most - 1}, but there are {number} classes.")
        sizes = _sizes(shape)
        # One number a spike: sorting and leaving out doubles is then one call.
        keys = np.unique((sample.astype(np.int64) * steps + step.astype(np.int64)) * _size(shape) + channel)
        begin = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) * steps * _size(shape)).astype(np.uint64)
        inside = keys % (steps * _size(shape))
        return cls(_core.array_data(list(sizes), steps, number, begin, (inside // _size(shape)).astype(np.uint32),
                                    (inside % _size(shape)).astype(np.uint32), label))

    def __getstate__(self) -> object:
        raise TypeError("Data cannot be pickled; pass on the arrays that it was made from.")

    def __len__(self) -> int:
        return int(self._core.size())

    def __getitem__(self, index: int) -> Tuple[NDArray[np.uint32], NDArray[np.uint32], int]:
        """Steps, channels and label of a sample."""
        i = _check.whole(index, "index", -len(self), max(len(self) - 1, 0))
        return self._core.sample(i % len(self))

    @property
    def labels(self) -> NDArray[np.int32]:
        """One per sample."""
        return self._core.labels()

    @property
    def steps(self) -> int:
        """Of every sample."""
        return int(self._core.steps())

    @property
    def shape(self) -> Tuple[int, int, int]:
        """Height, width, channels."""
        height, width, channels = self._core.shape()
        return height, width, channels

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self._core.classes())

    def __repr__(self) -> str:
        return (f"<Data: {len(self)} samples of {self.steps} steps x {int(np.prod(self.shape))} channels, "
                f"{self.classes} classes>")


def _labels(labels: ArrayLike, count: Optional[int] = None) -> NDArray[np.int32]:
    return _check.indices(labels, "labels", 65536, count).astype(np.int32)


def _sizes(shape: Shape) -> Tuple[int, int, int]:
    if isinstance(shape, (tuple, list)):
        if len(shape) != 3:
            raise _check.problem("channels", "must be a number, or height, width and channels.")
        sizes = tuple(_check.whole(s, "channels", 1, 65536) for s in shape)
    else:
        sizes = (1, 1, _check.whole(shape, "channels", 1, 65536))
    if int(np.prod(sizes)) > 65536:
        raise _check.problem("channels", f"at most 65536 are possible, not {int(np.prod(sizes))}.")
    return sizes  # type: ignore[return-value]


def _size(shape: Shape) -> int:
    return int(np.prod(_sizes(shape)))


def _steps_of(times: NDArray[np.float64], dt: float, name: str) -> NDArray[np.int64]:
    if not dt > 0.0:
        raise _check.problem("dt", f"must be above 0 ms, not {dt}.")
    if (times < 0.0).any():
        i = int(np.flatnonzero(times < 0.0)[0])
        raise _check.problem(name, f"entry {i} is {times[i]}; times begin at 0.")
    return np.floor(np.minimum(times / dt, 2.0**40)).astype(np.int64)
