"""The notebooks of docs/gallery run from the first cell to the last, and show their results."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import ast
import re

import pytest
from conftest import REPOSITORY

GALLERY = REPOSITORY / "docs" / "gallery"
NOTEBOOKS = sorted(p.stem for p in GALLERY.glob("*.md") if p.stem != "index")


def cells(text):
    """Code of the cells and the line that each begins in."""
    for match in re.finditer(r"^```\{code-cell\}\n(.*?)^```$", text, re.M | re.S):
        yield match.group(1), text.count("\n", 0, match.start(1))


def run_cell(code, line, file, names):
    """As a notebook does it: the last expression is shown."""
    tree = ast.parse(code, file)
    ast.increment_lineno(tree, line)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec"), names)
    if last is not None:
        shown = eval(compile(ast.Expression(last.value), file, "eval"), names)
        getattr(shown, "_repr_html_", shown.__repr__)()


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESSERA_REPOSITORY", str(REPOSITORY))
    monkeypatch.setenv("TESSERA_QUICK", "1")

    def run(text, file="notebook"):
        names = {"__name__": "__main__"}
        for code, line in cells(text):
            run_cell(code, line, file, names)
        return names

    yield run
    pyplot.close("all")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(name, notebook):
    file = GALLERY / f"{name}.md"
    notebook(file.read_text(), str(file))


def test_there_are_ten_and_the_index_names_them():
    index = (GALLERY / "index.md").read_text()
    assert len(NOTEBOOKS) == 10
    assert sorted(re.findall(r"\]\((\w+)\.md\)", index)) == NOTEBOOKS
    assert sorted(re.findall(r"^(\w+)$", index.split("```{toctree}")[1], re.M)) == NOTEBOOKS


def test_a_cell_that_raises_fails(notebook):
    with pytest.raises(ZeroDivisionError):
        notebook("```{code-cell}\nx = 1\n```\n\n```{code-cell}\nx / 0\n```\n")
