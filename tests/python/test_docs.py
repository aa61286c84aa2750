"""The examples of docs/python.md and of the docstrings run and print what they say."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import doctest
import importlib
import pkgutil
import re

import pytest
import tessera
from conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "python.md").read_text()
README = (REPOSITORY / "README.md").read_text()
EXAMPLES = [code for text in (PAGE, README) for code in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)]
# Optional packages have adaptors that import them; these are tested with what they need.
MODULES = sorted(m.name for m in pkgutil.walk_packages(tessera.__path__, "tessera.") if not m.name.endswith("_core"))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_of_the_page(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = EXAMPLES[number]
    exec(compile(code, f"docs/python.md, example {number + 1}", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    expected = re.findall(r"print\(.*\)\s+# (.*)$", code, re.M)
    assert [line for line in expected if line not in printed] == []


def test_hello_network_has_twelve_lines():
    assert len(EXAMPLES[0].strip().splitlines()) <= 12


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    if name == "tessera.torch":
        pytest.importorskip("torch", reason="PyTorch is not installed: tessera.torch WAS NOT IMPORTED")
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_everything_public_is_documented():
    for name in tessera.__all__:
        thing = getattr(tessera, name)
        if callable(thing):
            assert thing.__doc__, name
            for attribute, value in vars(thing).items() if isinstance(thing, type) else ():
                if not attribute.startswith("_") and callable(value):
                    assert value.__doc__, f"{name}.{attribute}"


def test_the_package_is_typed_and_has_the_command():
    import subprocess
    from pathlib import Path

    from conftest import command

    folder = Path(tessera.__file__).parent
    assert (folder / "py.typed").exists()
    assert "class Simulation" in (folder / "_core.pyi").read_text()
    assert "models" in subprocess.run([command(), "--help"], capture_output=True, text=True, check=True).stdout
