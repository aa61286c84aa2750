"""NEST (https://nest-simulator.org), as the Python interpreter of the build finds it.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from .programs import PythonProgram


class Nest(PythonProgram):
    name = "nest"
    title = "NEST"
    module = "nest"
    models = ("balanced",)


ADAPTOR = Nest()
