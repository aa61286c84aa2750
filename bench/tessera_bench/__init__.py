"""Continuous benchmarking of spiking simulators with a statistical verdict (docs/benchmarking.md).

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

__version__ = "0.1.0"
