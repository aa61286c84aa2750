"""Three layers: inheritance, overriding, where a value came from, and every mistake as a sentence.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import pytest

from tessera_bench.adaptors import adaptor_names, find_adaptor
from tessera_bench.definitions import Library, shipped_folder
from tessera_bench.errors import BenchError
from tessera_bench.measure import smaller
from tessera_bench.resolve import content_hash, explain, resolve


@pytest.fixture
def library(tmp_path):
    """library({"what/a": text, ...}) reads these files after the shipped ones."""
    def make(files: dict[str, str]) -> Library:
        for name, text in files.items():
            path = tmp_path / "own" / f"{name}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Library([tmp_path / "own"])
    return make


def problems(call, *arguments) -> str:
    with pytest.raises(BenchError) as caught:
        call(*arguments)
    return "\n".join(caught.value.problems)


FAMILY = {
    "what/grandparent": 'abstract = true\nkind = "simulate"\nseed = 1\nparameters = { a = 1, b = 2 }\nrecord = ["spikes"]\n',
    "what/parent": 'abstract = true\ninherits = "grandparent"\nparameters.b = 3\n[sizes.full]\ntime = "2 s"\nparameters = { c = 5 }\n',
    "what/child": 'about = "x"\ninherits = "parent"\nseed = 7\nrecord = ["none"]\n[sizes.full]\nparameters.a = 9\n',
}


def test_the_nearest_definition_wins_and_tables_are_merged(library):
    found = resolve(library(FAMILY), "child", "local", "tessera", "full").what
    assert found == {"kind": "simulate", "seed": 7, "parameters": {"a": 9, "b": 3, "c": 5}, "record": ["none"],
                     "time": "2 s"}


def test_explain_names_the_file_of_every_value(library):
    text = explain(resolve(library(FAMILY), "child", "two_cores", "tessera", "full"))
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    for key, source in (("what.kind", "what/grandparent.toml"), ("what.seed", "what/child.toml"),
                        ("what.parameters.b", "what/parent.toml"), ("what.parameters.a", "what/child.toml [sizes.full]"),
                        ("what.parameters.c", "what/parent.toml [sizes.full]"), ("where.threads", "where/two_cores.toml"),
                        ("where.launcher", "where/local.toml"), ("how.adaptor", "how/tessera.toml")):
        assert lines[key].endswith(source), lines[key]


def test_several_parents_are_laid_over_each_other_in_order(library):
    found = library({"what/a": 'seed = 1\nepochs = 1\n', "what/b": 'seed = 2\n',
                     "what/c": 'inherits = ["a", "b"]\nkind = "train"\n[sizes.full]\n'})
    assert resolve(found, "c", "local", "tessera", "full").what == {"seed": 2, "epochs": 1, "kind": "train"}


def test_own_definitions_go_before_shipped_ones(library):
    found = library({"where/local": "threads = 1\n"})
    assert resolve(found, "kernels", "local", "tessera", "full").where == {"threads": 1}


def test_what_is_said_about_a_case_does_not_change_its_hash(library):
    one = resolve(library(FAMILY), "child", "local", "tessera", "full").definition_hash
    other = dict(FAMILY)
    other["what/child"] = other["what/child"].replace('"x"', '"another sentence"')
    assert resolve(library(other), "child", "local", "tessera", "full").definition_hash == one
    other["what/child"] = other["what/child"].replace("seed = 7", "seed = 8")
    assert resolve(library(other), "child", "local", "tessera", "full").definition_hash != one


def test_the_hash_of_a_definition_does_not_depend_on_who_and_where(library, monkeypatch, tmp_path):
    one = resolve(library(FAMILY), "child", "local", "tessera", "full")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.chdir(tmp_path)
    two = resolve(library(FAMILY), "child", "local", "tessera", "full")
    assert (one.definition_hash, one.profile_hash) == (two.definition_hash, two.profile_hash)


def test_canonical_content_has_one_hash():
    # SHA-256 of the text {"a":[1,"x"],"b":2}, by sha256sum.
    assert content_hash({"b": 2, "a": [1, "x"]}) == "8cbd548a32262b76a6536efe4e7ba86a0e811fcd0475d83a43e10acd0615aa37"


@pytest.mark.parametrize("name", [d.name for d in Library().concrete("what")])
def test_every_shipped_case_resolves_in_all_its_sizes(name):
    library = Library()
    sizes = library.get("what", name).values["sizes"]
    assert {"smoke", "full"} <= set(sizes)
    for size in sizes:
        found = resolve(library, name, "local", "tessera", size)
        assert found.what["kind"] in find_adaptor("tessera").kinds
        assert found.metrics
        assert found.what.get("check"), "every case checks its result before its time counts"
        assert smaller(found, found.what).threads == 1


def test_every_shipped_profile_and_build_resolves():
    library = Library()
    for profile in library.concrete("where"):
        resolve(library, "microcircuit_stored", profile.name, "tessera", "smoke")
    for build in library.concrete("how"):
        assert resolve(library, "balanced", "local", build.name, "smoke").how["adaptor"] in adaptor_names()


def test_all_mistakes_of_all_files_are_told_at_once(library):
    said = problems(library, {
        "what/a": 'conectivity = "stored"\nseed = -1\n[sizes.full]\ntime = "10"\nsizes = 3\n',
        "where/b": 'threads = "many"\nlauncher = "mpirunn"\n', "how/c": "adaptor = 3\n"})
    for sentence in ("what/a.toml: there is no key 'conectivity'. Did you mean 'connectivity'?",
                     "what/a.toml: 'seed' is -1; allowed is a whole number from 0.",
                     "what/a.toml: 'sizes.full.time' is '10'; allowed is a time with a unit",
                     "what/a.toml: there is no key 'sizes.full.sizes'.",
                     "where/b.toml: 'threads' is 'many'; allowed is a whole number from 0 (all cores).",
                     "where/b.toml: 'launcher' is 'mpirunn'; allowed is one of local, mpirun, srun.",
                     "how/c.toml: 'adaptor' is 3; allowed is a text."):
        assert sentence in said


def test_nested_tables_have_known_keys_too(library):
    said = problems(library, {"what/a": 'check.digets = "x"\nexecution.rank = 2\nparameters.anything = 1\n'})
    assert "no key 'check.digets'. Did you mean 'digest'?" in said
    assert "no key 'execution.rank'. Did you mean 'ranks'?" in said
    assert "anything" not in said


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_none_are_refused(library, value):
    assert "allowed is a table of numbers and texts" in problems(library, {"what/a": f"parameters.x = {value}\n"})


def test_text_that_is_no_toml(library):
    assert "what/a.toml: this is no TOML file" in problems(library, {"what/a": "kind = \n"})
    assert "what/b.toml: this is no TOML file" in problems(library, {"what/b": "kind = 'x'\nkind = 'y'\n"})


def test_circles_of_inheritance(library):
    found = library({"what/a": 'inherits = "b"\n', "what/b": 'inherits = "c"\n', "what/c": 'inherits = "b"\n',
                     "what/d": 'inherits = "d"\n'})
    assert "inherit in a circle: b -> c -> b." in problems(found.get, "what", "a")
    assert "inherit in a circle: d -> d." in problems(found.get, "what", "d")


def test_names_that_do_not_exist(library):
    found = library({**FAMILY, "what/orphan": 'inherits = "nobody"\n'})
    assert "There is no case 'nobody', which what/orphan.toml inherits." in problems(found.get, "what", "orphan")
    ask = (resolve, found, "child")
    assert "no machine profile 'locl'. Did you mean 'local'?" in problems(*ask, "locl", "tessera", "full")
    assert "no build 'teserra'. Did you mean 'tessera'?" in problems(*ask, "local", "teserra", "full")
    assert "has no size 'fulll'. Did you mean 'full'?" in problems(*ask, "local", "tessera", "fulll")
    assert "no case 'chid'. Did you mean 'child'?" in problems(resolve, found, "chid", "local", "tessera", "full")
    assert "There is no adaptor 'nets'" in problems(find_adaptor, "nets")


def test_a_folder_that_is_not_there(tmp_path):
    assert "There is no folder of definitions" in problems(Library, [tmp_path / "nothing"])


def test_abstract_definitions_cannot_be_used(library):
    assert "what/parent.toml is abstract" in problems(resolve, library(FAMILY), "parent", "local", "tessera", "full")


def test_what_does_not_fit_together(library):
    found = library({"what/wide": 'kind = "simulate"\nexecution.ranks = 8\n[sizes.full]\n',
                     "where/one": "threads = 1\n", "how/bare": "repository = '.'\n", "what/kindless": "[sizes.full]\n"})
    said = problems(resolve, found, "wide", "one", "tessera", "full")
    assert "runs on 8 ranks, and the machine profile 'one' has at most 1" in said
    assert 'launcher = "local", which starts one process' in said
    assert "how/bare.toml: 'adaptor' is missing" in problems(resolve, found, "wide", "local", "bare", "full")
    assert "what/kindless.toml: 'kind' is missing" in problems(resolve, found, "kindless", "local", "tessera", "full")


def test_the_shipped_folder_has_the_three_layers():
    assert all((shipped_folder() / layer).is_dir() for layer in ("what", "where", "how"))
