"""What docs/benchmarking.md shows is understood: commands, definitions, keys.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import re
import shlex
from pathlib import Path

from tessera_bench import schema
from tessera_bench.cli import parser
from tessera_bench.definitions import Library
from tessera_bench.resolve import resolve

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "benchmarking.md").read_text(encoding="utf-8")


def fences(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_command_on_the_page_is_one():
    lines = [line.strip() for text in fences("sh") + fences("yaml") for line in text.splitlines()]
    commands = [line[line.index("tessera-bench") + 13:] for line in lines if re.search(r"(^|/|run: )tessera-bench |/tessera-bench ", line)]
    assert len(commands) >= 9
    names = set(Library().names("what")) | {"quiet_columns"}
    for command in commands:
        words = shlex.split(command.split("||")[0], comments=True)
        options = parser().parse_args(words)
        assert set(getattr(options, "case", [])) <= names


def test_every_definition_on_the_page_resolves(tmp_path):
    for text in fences("toml"):
        path = tmp_path / re.match(r"# (\S+)", text).group(1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    library = Library([tmp_path])
    found = resolve(library, "quiet_columns", "pinned", "tessera", "medium")
    assert found.what["parameters"]["g"] == -5.0 and found.what["time"] == "2 s"
    assert resolve(library, "microcircuit_stored", "my_cluster", "tessera", "full").where["launcher"] == "srun"


def test_every_key_is_on_the_page_and_every_case():
    for layer, keys in schema.KEYS.items():
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {layer} | `")]
        for key in keys.keys() - schema.COMMON.keys():
            assert f"`{key}" in row, f"{layer}.{key}"
    for case in Library().concrete("what"):
        assert f"`{case.name}`" in PAGE, case.name


def test_the_table_of_the_rule_is_that_of_the_command():
    from tessera_bench.simulate import simulate
    from tessera_bench.verdict import Verdict

    # A row of the table, from fewer sessions: within four standard errors of the share on the page.
    row = next(line for line in PAGE.splitlines() if line.startswith("| normal, 3 % | +5 % |"))
    share = float(row.split("|")[3].strip(" %")) / 100
    found = simulate(0.05, "normal", 0.03, 300, seed=1).shares[Verdict.REGRESSED]
    assert abs(found - share) < 4 * (share * (1 - share) / 300) ** 0.5
