"""The report: one HTML file, its pictures inside it, no scripts.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from .page import page

__all__ = ["page"]
