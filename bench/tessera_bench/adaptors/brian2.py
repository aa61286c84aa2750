"""Brian2 (https://briansimulator.org), as the Python interpreter of the build finds it.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

from .programs import PythonProgram


class Brian2(PythonProgram):
    name = "brian2"
    title = "Brian2"
    module = "brian2"
    models = ("balanced",)


ADAPTOR = Brian2()
