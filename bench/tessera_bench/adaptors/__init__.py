"""Adaptors: what a case means to a simulator, and how its output is read. One file each.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import importlib
import pkgutil

from ..errors import BenchError, nearest
from .base import Adaptor, Job, Outcome

__all__ = ["Adaptor", "Job", "Outcome", "adaptor_names", "find_adaptor"]


def adaptor_names() -> list[str]:
    """Every module of this package but `base` is an adaptor, so a new file is a new adaptor."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base" and not m.ispkg)


def find_adaptor(name: str) -> Adaptor:
    if name not in adaptor_names():
        raise BenchError(f"There is no adaptor '{name}'. {nearest(name, adaptor_names())}")
    return importlib.import_module(f".{name}", __name__).ADAPTOR
