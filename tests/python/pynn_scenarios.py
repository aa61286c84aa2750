"""A pytest plugin: runs PyNN's scenario tests, unchanged, with tessera.pynn as one more simulator."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import sys

sys.path.insert(0, os.getcwd())  # PyNN's folder `test`

import system.scenarios.fixtures as fixtures  # noqa: E402
import tessera.pynn  # noqa: E402

theirs = fixtures.run_with_simulators
fixtures._loaded_modules["tessera"] = tessera.pynn
fixtures.run_with_simulators = lambda *names: theirs(*names, "tessera")
