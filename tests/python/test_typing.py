"""Type checkers understand the package: its stubs and annotations, on the examples of the page."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest
from test_docs import EXAMPLES

WRONG = """
import tessera
net = tessera.Network(dt=0.1)
net.population("E", "many")
tessera.Simulation(net).state["E"]["V_m"].no_such_thing
"""


def checked(folder):
    # Functions of examples are written without types; all that they call has them.
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--allow-untyped-defs", "--allow-untyped-calls", "--allow-subclassing-any",
                           "--ignore-missing-imports", "--follow-imports=silent", "--cache-dir", folder / "cache", *sorted(folder.glob("*.py"))],
                          capture_output=True, text=True, cwd=folder)


def test_examples_pass_the_type_checker(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed: NO TYPE WAS CHECKED")
    for i, code in enumerate(EXAMPLES):
        if "tessera.pynn" not in code:  # PyNN has no types
            (tmp_path / f"example_{i + 1}.py").write_text(code)
    done = checked(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "wrong.py").write_text(WRONG)
    told = checked(tmp_path).stdout
    assert 'wrong.py:4: error: Argument 2 to "population"' in told and 'wrong.py:5: error: "ndarray' in told
