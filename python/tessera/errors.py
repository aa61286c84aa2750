"""Errors of the library, with their fields.

``InputError`` is bad input: all problems that were found in one pass, each with the place where it was said.
``RunError`` is a run that could not go on. Arguments of a wrong type are Python's own ``TypeError``.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Optional, Tuple, Union


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    ``message`` is a sentence. ``file``, ``line`` and ``column`` say where it was written (a model file, or the line of
    Python that built it), counted from 1; ``""`` and 0 where that is unknown. ``key`` is the place inside of the
    description, for example ``"populations.E.size"``.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""


class TesseraError(Exception):
    """What all errors of this package are."""


class InputError(TesseraError, ValueError):
    """Bad input. ``problems``: all that was found, a tuple of `Problem`."""

    problems: Tuple[Problem, ...]

    def __init__(self, problems: Union[str, Iterable[object]], text: Optional[str] = None):
        if isinstance(problems, str):
            self.problems = (Problem(problems),)
        else:
            self.problems = tuple(p if isinstance(p, Problem) else Problem(*p) for p in problems)  # type: ignore[misc]
        super().__init__(text or "\n".join(p.message for p in self.problems))

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.problems, str(self))


class TooLargeError(InputError):
    """A network that is right, but larger than Tessera can hold."""


class RunError(TesseraError, RuntimeError):
    """A run that could not go on: a full disk, a value that became not a number."""


class ActivityError(RunError):
    """A neuron whose state stopped being finite, or a population that fires above the limit.

    ``population`` is its name, ``neuron`` the number in it, ``step`` the time in steps of dt.
    """

    def __init__(self, text: str, population: str = "", neuron: int = 0, step: int = 0):
        super().__init__(text)
        self.population, self.neuron, self.step = population, neuron, step

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (str(self), self.population, self.neuron, self.step)


class DivergedError(RunError):
    """A loss or a gradient of a training that is no longer finite. ``layer`` is the name of the layer."""

    def __init__(self, text: str, layer: str = ""):
        super().__init__(text)
        self.layer = layer

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (str(self), self.layer)


class CommunicationError(RunError):
    """A rank of the run is missing."""
