"""The report: one HTML file, its pictures inside it, no scripts; and the figures of a Markdown page.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from .markdown import replace_figures
from .page import page

__all__ = ["page", "replace_figures"]
