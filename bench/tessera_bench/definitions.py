"""Reads definitions: folders what/, where/ and how/ of TOML files that inherit from each other.

A later folder of definitions goes before an earlier one, so users add or replace files without touching ours.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from . import schema
from .errors import BenchError, nearest


@dataclass
class Definition:
    """A definition after inheritance: values, and for every value (dotted key) the file it came from."""

    layer: str
    name: str
    values: dict
    origin: dict[str, str] = field(default_factory=dict)

    @property
    def abstract(self) -> bool:
        return bool(self.values.get("abstract", False))


def shipped_folder() -> Path:
    """The definitions that come with the tool: inside the installed package, or beside it in the repository."""
    here = Path(__file__).resolve().parent
    inside = here / "definitions"
    return inside if inside.is_dir() else here.parent / "definitions"


def _check_table(values: dict, keys: dict, where: str, prefix: str, problems: list[str]) -> None:
    for name, value in values.items():
        key = keys.get(name)
        dotted = f"{prefix}{name}"
        if key is None:
            problems.append(f"{where}: there is no key '{dotted}'. {nearest(name, keys)}")
        elif not key.accepts(value):
            problems.append(f"{where}: '{dotted}' is {value!r}; allowed is {key.allowed}.")
        elif key.inside:
            _check_table(value, key.inside, where, dotted + ".", problems)


def check_values(layer: str, values: dict, where: str) -> list[str]:
    """All problems of one file, each a sentence with the file, the key and what is allowed."""
    problems: list[str] = []
    _check_table(values, schema.KEYS[layer], where, "", problems)
    sizes = values.get("sizes", {})
    if layer == "what" and isinstance(sizes, dict):
        for size, table in sizes.items():
            if isinstance(table, dict):
                _check_table(table, schema.MEASURED, where, f"sizes.{size}.", problems)
    return problems


def overlay(base: dict, top: dict, origin: dict[str, str], source: str, prefix: str = "") -> dict:
    """`top` over `base`: tables are merged key by key, all else is replaced. Notes where values come from."""
    merged = dict(base)
    for name, value in top.items():
        dotted = prefix + name
        if isinstance(value, dict):
            below = merged.get(name)
            merged[name] = overlay(below if isinstance(below, dict) else {}, value, origin, source, dotted + ".")
        else:
            merged[name] = value
            origin[dotted] = source
    return merged


class Library:
    """All definitions of some folders."""

    def __init__(self, folders: list[Path] | None = None):
        self._files: dict[tuple[str, str], tuple[str, dict]] = {}
        problems: list[str] = []
        for folder in [shipped_folder(), *(folders or [])]:
            if not folder.is_dir():
                problems.append(f"There is no folder of definitions '{folder}'.")
                continue
            for layer in schema.LAYERS:
                for path in sorted((folder / layer).glob("*.toml")):
                    self._read(layer, path, problems)
        if problems:
            raise BenchError(*problems)

    def _read(self, layer: str, path: Path, problems: list[str]) -> None:
        where = f"{layer}/{path.name}"
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problems.append(f"{where}: this is no TOML file: {error}.")
            return
        found = check_values(layer, values, where)
        problems.extend(found)
        self._files[layer, path.stem] = (where, values)

    def names(self, layer: str) -> list[str]:
        return sorted(name for kind, name in self._files if kind == layer)

    def concrete(self, layer: str) -> list[Definition]:
        """Definitions that can be used, not only inherited from."""
        found = (self.get(layer, name) for name in self.names(layer))
        return [definition for definition in found if not definition.abstract]

    def get(self, layer: str, name: str) -> Definition:
        """The definition with all that it inherits. Raises BenchError: unknown names, cycles."""
        origin: dict[str, str] = {}
        values = self._collect(layer, name, origin, [])
        # What is said about a parent is not inherited.
        own = self._files[layer, name][1]
        for key in ("abstract", "inherits"):
            values.pop(key, None)
            origin.pop(key, None)
            if key in own:
                values[key] = own[key]
        return Definition(layer, name, values, origin)

    def _collect(self, layer: str, name: str, origin: dict[str, str], chain: list[str]) -> dict:
        if name in chain:
            circle = " -> ".join([*chain[chain.index(name):], name])
            raise BenchError(f"{layer}: definitions inherit in a circle: {circle}.")
        if (layer, name) not in self._files:
            what = {"what": "case", "where": "machine profile", "how": "build"}[layer]
            asked = f", which {layer}/{chain[-1]}.toml inherits" if chain else ""
            raise BenchError(f"There is no {what} '{name}'{asked}. {nearest(name, self.names(layer))}")
        source, own = self._files[layer, name]
        parents = own.get("inherits", [])
        merged: dict = {}
        for parent in [parents] if isinstance(parents, str) else parents:
            inherited: dict[str, str] = {}
            table = self._collect(layer, parent, inherited, [*chain, name])
            merged = overlay(merged, table, {}, "")
            origin.update(inherited)
        return overlay(merged, own, origin, source)
