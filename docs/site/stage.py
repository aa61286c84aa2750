"""Lays out what Sphinx reads: the pages of docs/ as they are, and pages of the catalogue, made from what the command prints.

Usage: stage.py FOLDER    with the Python of an environment in which the package is installed
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import tessera

SITE = Path(__file__).resolve().parent
REPOSITORY = SITE.parents[1]


def stage(folder):
    """The folder is made new. Pages keep their places, so that links between them stay as they are."""
    folder = Path(folder)
    if folder.exists():
        shutil.rmtree(folder)
    pages = [*REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("docs/gallery/*.md"), *REPOSITORY.glob("models/*/README.md"),
             REPOSITORY / "CONTRIBUTING.md"]
    for page in pages:
        put(page, folder)
        for linked in links(page.read_text()):
            target = (page.parent / linked).resolve()
            if target.is_file() and target.suffix != ".md":
                put(target, folder)
    for name in ("index.md", "api"):
        copy = shutil.copytree if (SITE / name).is_dir() else shutil.copy
        copy(SITE / name, folder / name)
    shutil.copy(SITE / "models.md", folder / "models" / "index.md")
    write_catalogue(folder / "catalogue")


def put(file, folder):
    target = folder / file.relative_to(REPOSITORY)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def links(text):
    """Files that a page names in links and pictures, without the heading behind them."""
    return {link.split("#")[0] for link in re.findall(r"\]\(([^)\s:]+)\)", text) if not link.startswith("#")}


# ---------------------------------------------------------------------------------------------- catalogue

KINDS = (("Neuron models", "neuron", tessera.models),
         ("Rules of plasticity", "plasticity", tessera.plasticity_rules),
         ("Structural rules", "structural", tessera.structural_rules))


def write_catalogue(folder):
    lines = ["# Models and rules", "", "Made from what `tessera models NAME` prints.", ""]
    for title, kind, names in KINDS:
        (folder / kind).mkdir(parents=True)
        rows = []
        for name in sorted(names()):
            summary, page = catalogue_page(name, described(name))
            (folder / kind / f"{name}.md").write_text(page)
            rows.append(f"| [{name}]({kind}/{name}.md) | {summary} |")
        lines += [f"## {title}", "", "| | |", "|---|---|", *rows, "",
                  "```{toctree}", ":hidden:", ":glob:", "", f"{kind}/*", "```", ""]
    (folder / "index.md").write_text("\n".join(lines))


def described(name):
    command = Path(sysconfig.get_path("scripts")) / "tessera"
    return subprocess.run([command, "models", name], check=True, capture_output=True, text=True).stdout


def catalogue_page(name, text):
    """Summary and page of what the command printed: paragraphs with a title, tables in columns."""
    first, *sections = text.strip().split("\n\n")
    summary = first.removeprefix(f"{name}: ")
    page = [f"# {name}", "", summary, ""]
    for section in sections:
        title, *body = section.splitlines()
        if body and body[0].split()[:2] == ["name", "unit"]:
            page += [f"## {title}", "", *table([line[2:] for line in body]), ""]
        elif title == "Source":
            page += ["## Source", "", *(line.strip() for line in body), ""]
        elif body:
            page += [f"## {title}", "", "```text", *(line[2:] for line in body), "```", ""]
        else:
            page += [title, ""]
    return summary, "\n".join(page)


def table(lines):
    """Columns begin where the words of the head begin. Rows that are not in columns have a name, a value, a meaning."""
    head = [m for m in re.finditer(r"\S+(?: \S+)*", lines[0])]
    starts = [m.start() for m in head] + [None]
    rows = [[m.group() for m in head]]
    for line in lines[1:]:
        if all(line[s - 1] == " " for s in starts[1:-1] if s < len(line)):
            rows.append([line[a:b].strip() for a, b in zip(starts, starts[1:])])
        else:
            word, value, about = re.split(r"\s{2,}", line, maxsplit=2)
            rows.append([word, "", value, "", about])
    cells = [[cell.replace("|", "\\|").replace("*", "\\*") for cell in row] for row in rows]
    cells.insert(1, ["---"] * len(head))
    return ["| " + " | ".join(row) + " |" for row in cells]


if __name__ == "__main__":
    stage(sys.argv[1])
