"""Arguments: what each must be, told with its name; values with units."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import functools
import math
import os
import sys
from typing import Any, Iterable, List, Mapping, Optional, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from .errors import InputError, Problem

#: A number in the unit that the argument is documented with, or a text with a unit, such as ``"1.5 ms"``.
Quantity = Union[float, int, str]

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def problem(name: str, sentence: str) -> InputError:
    """An error that names the argument."""
    return InputError([Problem(f"{name}: {sentence}", key=name)])


def kind_of(value: object) -> str:
    """How a value is called in messages."""
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


@functools.lru_cache(maxsize=4096)
def _converted(text: str, unit: str) -> float:
    return float(_core.quantity(text, unit))


def number(value: Any, unit: str, name: str, *, infinite: bool = False) -> float:
    """A quantity in ``unit``; not NaN, and finite unless that may be infinite."""
    if isinstance(value, str):
        try:
            result = _converted(value, unit)
        except InputError as error:
            raise problem(name, str(error)) from None
    elif isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        wanted = f"a number of {unit}, or a text such as '1.5 {unit}'" if unit else "a number"
        raise TypeError(f"{name} must be {wanted}, not {kind_of(value)}.")
    else:
        try:
            result = float(value)
        except OverflowError:
            raise problem(name, "the number is too large.") from None
    if math.isnan(result) or (math.isinf(result) and not infinite):
        raise problem(name, f"must be a finite number, not {result}.")
    return result


def whole(value: Any, name: str, low: int = 0, high: int = 2**32 - 1) -> int:
    """A whole number from ``low`` to ``high``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer, float, np.floating)):
        raise TypeError(f"{name} must be a whole number, not {kind_of(value)}.")
    if isinstance(value, (float, np.floating)) and not (math.isfinite(value) and value == int(value)):
        raise problem(name, f"must be a whole number, not {value}.")
    result = int(value)
    if not low <= result <= high:
        raise problem(name, f"must be from {low} to {high}, not {result}.")
    return result


def text(value: Any, name: str) -> str:
    """A text without characters that nothing could show."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {kind_of(value)}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise problem(name, "the text holds half a character.") from None
    return value


def truth(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {kind_of(value)}.")
    return bool(value)


def choice(value: Any, name: str, words: Iterable[str]) -> str:
    """One of these words."""
    words = list(words)
    if text(value, name) not in words:
        near = _core.did_you_mean(value, words)
        raise problem(name, f"there is no '{value[:60]}'; choose from {', '.join(words)}.{near}")
    return str(value)


def path(value: Any, name: str) -> str:
    """A file or folder."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path, not {kind_of(value)}.")
    result = os.fspath(value)
    if not isinstance(result, str) or "\0" in result:
        raise problem(name, "this is no path.")
    return result


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """A dictionary; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dictionary, not {kind_of(value)}.")
    return value


def numbers(value: ArrayLike, unit: str, name: str, length: Optional[int] = None) -> NDArray[np.float64]:
    """One-dimensional float64, contiguous; any layout and any type of number comes in. A text is a quantity, and with a
    length a single value stands for that many."""
    if isinstance(value, (str, int, float, np.number)) and length is not None:
        return np.full(length, number(value, unit, name))
    if isinstance(value, (list, tuple)) and any(isinstance(v, str) for v in value):
        value = [number(v, unit, f"{name}[{i}]") for i, v in enumerate(value)]
    array = _array(value, name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be an array of numbers, not of {array.dtype}.")
    result = np.ascontiguousarray(array, dtype=np.float64)
    _one_row(result, name, length)
    if not np.isfinite(result).all():
        at = int(np.flatnonzero(~np.isfinite(result))[0])
        raise problem(name, f"entry {at} is {result[at]}; all must be finite numbers.")
    return result


def indices(value: ArrayLike, name: str, below: int, length: Optional[int] = None) -> NDArray[np.uint32]:
    """One-dimensional uint32, contiguous: numbers of neurons, steps or samples below a limit."""
    array = _array(value, name)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of whole numbers, not of {array.dtype}.")
    _one_row(array, name, length)
    if array.size and (int(array.min()) < 0 or int(array.max()) >= below):
        at = int(np.flatnonzero((array < 0) | (array >= below))[0])
        raise problem(name, f"entry {at} is {array[at]}; all must be from 0 to {below - 1}.")
    return np.ascontiguousarray(array, dtype=np.uint32)


def _array(value: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except Exception as error:  # whatever an object's own conversion raises
        raise TypeError(f"{name} is no array: {error}") from None


def _one_row(array: NDArray[Any], name: str, length: Optional[int]) -> None:
    if array.ndim != 1:
        raise problem(name, f"must have one dimension, not {array.ndim}.")
    if length is not None and len(array) != length:
        raise problem(name, f"must have {length} entries, not {len(array)}.")


def caller() -> Tuple[str, int]:
    """File and line outside of this package that led here, for messages."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back  # type: ignore[assignment]
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)


def listed(value: Any) -> List[Any]:
    """A list as it is; anything else alone in one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
