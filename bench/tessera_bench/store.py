"""The store: a file of JSON lines that only grows. A line carries the hash of its content.

A line is {"hash":"<64 hexadecimal digits>",<rest>}, and the hash is the SHA-256 of {<rest>} as it is written: canonical
JSON (sorted keys, no blanks). So files are merged by writing one after the other.
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import fcntl
import gc
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BenchError, StoreError
from .privacy import clean
from .resolve import canonical

SCHEMA = "tessera-bench/1"
_HEAD = b'{"hash":"'
_BODY = len(_HEAD) + 64 + 2  # behind the hash and `",`


@dataclass
class Loaded:
    """Records in the order of the file, and what was skipped: line number and reason."""

    records: list[dict] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    repeated: int = 0


def line_of(record: dict) -> bytes:
    """The line of a record, without people and places (privacy.py), with schema and hash."""
    content = {key: value for key, value in clean(record).items() if key != "hash"}
    content["schema"] = SCHEMA
    body = canonical(content).encode()
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + b'",' + body[1:] + b"\n"


def _parse(line: bytes) -> dict:
    """Raises ValueError with a reason."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise ValueError("no JSON (damaged or cut off)") from None
    if not isinstance(record, dict) or "hash" not in record:
        raise ValueError("JSON, but no record of this store")
    if record.get("schema") != SCHEMA:
        raise ValueError(f"a record of schema {record.get('schema')!r}; this program reads {SCHEMA!r}")
    written = record["hash"]
    if line.startswith(_HEAD) and len(line) > _BODY:
        if hashlib.sha256(b"{" + line[_BODY:]).hexdigest() == written:
            return record
    # Another program may have written the same content in other order or spacing.
    content = {key: value for key, value in record.items() if key != "hash"}
    try:
        same = hashlib.sha256(canonical(content).encode()).hexdigest() == written
    except ValueError:
        same = False
    if not same:
        raise ValueError("its content does not have its hash")
    return record


def load(path: Path) -> Loaded:
    """Reads a store. Lines that are damaged or foreign are skipped and named; nothing is repaired.
    Raises BenchError when there is no such file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BenchError(f"The store '{path}' cannot be read: {error.strerror}.") from None
    collecting = gc.isenabled()
    gc.disable()  # records have no cycles, and looking for some takes longer than reading them
    try:
        return _read_lines(data.split(b"\n"))
    finally:
        if collecting:
            gc.enable()


def _read_lines(lines: list[bytes]) -> Loaded:
    loaded, seen = Loaded(), set()
    for number, line in enumerate(lines, 1):
        if not line:
            if number < len(lines):
                loaded.skipped.append((number, "empty"))
            continue
        try:
            record = _parse(line)
        except ValueError as error:
            loaded.skipped.append((number, str(error)))
            continue
        if record["hash"] in seen:
            loaded.repeated += 1
            continue
        seen.add(record["hash"])
        loaded.records.append(record)
    return loaded


def _write_all(file: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(file, data[written:])


def append(path: Path, records: list[dict]) -> list[str]:
    """Adds records under a lock and returns their hashes. Either all of them are in the file, or none.
    Raises StoreError, for example when the disk is full."""
    lines = [line_of(record) for record in records]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise StoreError(f"The store '{path}' cannot be written: {error.strerror}. Nothing was recorded.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # released by close
        before = os.fstat(file).st_size
        data = b"".join(lines)
        # Somebody's last line may have been cut off: it stays as it is, and ours begins on a line of its own.
        if before > 0 and os.pread(file, 1, before - 1) != b"\n":
            data = b"\n" + data
        try:
            _write_all(file, data)
            os.fsync(file)
        except OSError as error:
            os.ftruncate(file, before)
            raise StoreError(f"The store '{path}' could not be written: {error.strerror}. "
                             f"Nothing of these {len(records)} records was kept.") from None
    finally:
        os.close(file)
    return [line[len(_HEAD):len(_HEAD) + 64].decode() for line in lines]


def merge(target: Path, sources: list[Path]) -> tuple[int, Loaded]:
    """Adds the records of `sources` that `target` lacks. Returns how many, and what was skipped in the sources."""
    known = {record["hash"] for record in load(target).records} if target.exists() else set()
    report, fresh = Loaded(), []
    for source in sources:
        found = load(source)
        report.skipped += [(number, f"{source.name}: {reason}") for number, reason in found.skipped]
        report.repeated += found.repeated
        for record in found.records:
            if record["hash"] in known:
                report.repeated += 1
            else:
                known.add(record["hash"])
                fresh.append(record)
    if fresh:
        append(target, fresh)
    return len(fresh), report


def find(records: list[dict], prefix: str) -> dict:
    """The one record whose hash begins like this. Raises BenchError."""
    found = [record for record in records if record["hash"].startswith(prefix)]
    if len(prefix) < 6 or len(found) != 1:
        reason = ("a hash needs at least six digits" if len(prefix) < 6 else
                  f"{len(found)} records have such a hash")
        raise BenchError(f"'{prefix}' names no record: {reason}.")
    return found[0]
