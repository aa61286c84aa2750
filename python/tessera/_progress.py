"""The progress line of a run: on a terminal and in notebooks, else none."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from typing import Any, Callable, Optional


def _shown() -> bool:
    if "ipykernel" in sys.modules:
        return True
    return bool(getattr(sys.stderr, "isatty", lambda: False)())


class Line:
    """Draws over itself; `close` ends the line."""

    def __init__(self) -> None:
        self._drawn = False

    def __call__(self, now_ms: float, end_ms: float, seconds: float, factor: float, spikes_per_second: float) -> None:
        share = now_ms / end_ms if end_ms > 0 else 1.0
        bar = "#" * int(30 * share)
        sys.stderr.write(f"\r[{bar:<30}] {now_ms:.0f} of {end_ms:.0f} ms, {factor:.2f} x real time, "
                         f"{spikes_per_second:,.0f} spikes/s ")
        sys.stderr.flush()
        self._drawn = True

    def close(self) -> None:
        if self._drawn:
            sys.stderr.write("\n")


def reporter(progress: Any) -> Optional[Callable[..., None]]:
    """None: a line where somebody sees it. True, False: a line or none. Else a function of the model time now and at
    the end (ms), wall seconds, real-time factor and spikes per second."""
    if progress is None:
        progress = _shown()
    if callable(progress):
        return progress  # type: ignore[no-any-return]
    if not isinstance(progress, bool):
        raise TypeError("progress must be True, False or a function.")
    return Line() if progress else None
