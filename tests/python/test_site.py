"""What the documentation site is made of: pages of the catalogue, and names in the tables for those who come from elsewhere."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import ast
import functools
import importlib.util
import inspect
import os
import re
import shlex

import pytest
import tessera
import yaml
from conftest import REPOSITORY
from tessera import train
from tessera._projection import RULES

TABLES = (REPOSITORY / "docs" / "coming-from.md").read_text().split("\n## Training\n")


@functools.lru_cache(maxsize=None)
def stage():
    spec = importlib.util.spec_from_file_location("stage", REPOSITORY / "docs" / "site" / "stage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(page):
    return [[cell.strip().replace("\\", "") for cell in line.strip("|").split(" | ")]
            for line in page.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("name", tessera.models())
def test_pages_of_models_say_what_the_package_says(name):
    model = tessera.model(name)
    summary, page = stage().catalogue_page(name, stage().described(name))
    assert summary == model.summary
    found = {row[0]: row for row in rows(page)}
    for p in model.parameters.values():
        assert found[p.name][1] == (p.unit or "-")
        assert float(found[p.name][2]) == p.default
        assert found[p.name][4] == p.about
    for state, unit in model.states.items():
        assert found[state][1] == (unit or "-")


def test_pages_of_rules_have_all_parameters():
    rules = {**tessera.plasticity_rules(), **{n: p for n, (p, _) in tessera.structural_rules().items()}}
    for name, parameters in rules.items():
        found = {row[0]: row for row in rows(stage().catalogue_page(name, stage().described(name))[1])}
        for p in parameters.values():
            assert float(found[p.name][2]) == p.default, (name, p.name)
        for word in tessera.structural_rules().get(name, ((), ()))[1]:
            assert word in found, (name, word)


def test_every_page_is_in_a_table_of_contents(tmp_path):
    stage().stage(tmp_path / "source")
    listed = (tmp_path / "source" / "index.md").read_text()
    for page in REPOSITORY.glob("docs/*.md"):
        assert f"\ndocs/{page.stem}\n" in listed, page.name


@pytest.mark.parametrize("file", sorted(REPOSITORY.glob(".github/workflows/*.yml")), ids=lambda f: f.stem)
def test_workflows_call_what_is_there(file):
    """Hosted runners are not at hand, so at least the files and targets that a workflow names exist."""
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    steps = [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]]
    commands = [c for step in steps for c in re.split(r"&&|\n", step.get("run", "")) if c.strip()]
    assert commands
    for command in commands:
        program, *words = [w for w in shlex.split(command) if w != "sudo"]
        if program == "make":
            assert set(words) <= targets
        elif program != "apt-get":
            assert os.access(REPOSITORY / program, os.X_OK), program


# ---------------------------------------------------------------------------------------------- coming from ...


def last_cells(text):
    """The last column: ours."""
    return [line.rstrip("|").split(" | ")[-1] for line in text.splitlines() if line.startswith("| ") and line.endswith("|")]


def test_names_of_the_tables_exist():
    owners = {"net": tessera.Network, "sim": tessera.Simulation, "tessera": tessera, "train": train, "trainer": train.Trainer}
    names = [m for cell in last_cells("\n".join(TABLES)) for m in re.findall(r"\b(net|sim|tessera|train|trainer)\.([\w.]+)", cell)]
    assert len(names) > 25
    for owner, path in names:
        thing = owners[owner]
        for name in path.strip(".").split("."):
            if (owner, name) == ("tessera", "nir"):
                pytest.importorskip("h5py")
                thing = importlib.import_module("tessera.nir")
            elif (owner, name) != ("tessera", "train"):
                assert hasattr(thing, name), f"{owner}.{path}"
                thing = getattr(thing, name)


def test_arguments_and_rules_of_the_tables_exist():
    functions = [tessera.Network, tessera.Network.population, tessera.Network.poisson_source, tessera.Network.connect,
                 tessera.Network.poisson, tessera.Network.simulate]
    known = {p for f in functions for p in inspect.signature(f).parameters}
    known |= set(tessera.model("iaf_psc_exp").parameters) | {"seed", "threads"}
    given = {m for cell in last_cells(TABLES[0]) for m in re.findall(r"\b(\w+)=", cell)}
    assert len(given) > 12
    assert given - known == set()
    connectivity = {m for cell in last_cells(TABLES[0]) for m in re.findall(r'"((?:fixed|pairwise|one_to|all_to|explicit)\w+)"', cell)}
    assert connectivity <= set(RULES) and len(connectivity) == 7
    for key, rules in (("plasticity", tessera.plasticity_rules()), ("rewiring", tessera.structural_rules())):
        said = re.findall(key + r'=(?:\{"rule": )?"(\w+)"', "\n".join(last_cells(TABLES[0])))
        assert said and set(said) <= set(rules)


def test_keys_of_layers_and_trainers_in_the_table_work():
    pairs = [m for cell in last_cells(TABLES[1]) for m in re.findall(r'\b(\w+)=("[^"]*"|\{[^}]*\}|True|[\d.e-]+)', cell)]
    assert len(pairs) >= 11
    for key, text in pairs:
        value = ast.literal_eval(text)
        options = {key: value} if key in ("loss", "optimizer") else {}
        keys = {} if options else {key: value}
        if keys.get("neuron") == "readout":
            keys = {}  # the last layer below
        decay = {} if {"alpha", "tau_mem"} & set(keys) else {"tau_mem": "10 ms"}
        kappa = {"kappa": 0.9} if keys.get("neuron") == "synaptic_lif" else {}
        spiking = isinstance(value, dict) and value.get("kind") == "spike_count"
        last = train.Layer("out", 3, tau_mem="20 ms", neuron="lif" if spiking else "readout")
        network = train.Network([train.Layer("hidden", 8, **keys, **decay, **kappa), last], inputs=4, classes=3, steps=10)
        train.Trainer(network, **options)
