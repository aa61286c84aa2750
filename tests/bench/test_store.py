"""The store: hashes, damage, writers at once, full disks, merging.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import errno
import hashlib
import json
import multiprocessing
import os

import pytest

from tessera_bench import store
from tessera_bench.errors import BenchError, StoreError

RECORDS = [{"type": "run", "number": i, "text": "ä µ", "nested": {"b": [1, 2.5, None], "a": True}} for i in range(5)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deep" / "records.jsonl"
    store.append(path, RECORDS)
    return path


def test_what_is_written_is_read_back(file):
    loaded = store.load(file)
    assert loaded.skipped == []
    assert [{k: r[k] for k in RECORDS[0]} for r in loaded.records] == RECORDS
    assert {r["schema"] for r in loaded.records} == {"tessera-bench/1"}


def test_the_hash_is_that_of_the_rest_of_the_line(file):
    for line in file.read_text().splitlines():
        record = json.loads(line)
        rest = {k: v for k, v in record.items() if k != "hash"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert record["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_record_is_good_in_any_spelling(file):
    line = json.loads(file.read_text().splitlines()[0])
    other = json.dumps(dict(reversed(line.items())), indent=None, separators=(", ", ": "))
    file.write_text(other + "\n")
    assert len(store.load(file).records) == 1


def test_every_flipped_character_of_a_line_is_noticed(file):
    line = store.line_of(RECORDS[0])
    for at in range(len(line) - 1):
        changed = bytearray(line)
        changed[at] = changed[at] ^ 1
        file.write_bytes(bytes(changed))
        loaded = store.load(file)
        assert loaded.records == [] and loaded.skipped, f"byte {at}"


def test_bad_lines_are_named_by_number_and_the_others_are_read(file):
    lines = file.read_bytes().splitlines(keepends=True)
    bad = [b"{\"hash\": 3}\n", b"not JSON\n", b"[1, 2]\n", b"\n", b"{\"a\": 1}\n", b"\xff\xfe\n",
           lines[1].replace(b'"number":1', b'"number":7'), lines[0].replace(b"tessera-bench/1", b"tessera-bench/9"),
           b"[" * 100000 + b"\n", lines[2][:40]]
    file.write_bytes(lines[0] + b"".join(bad[:5]) + lines[3] + b"".join(bad[5:]))
    loaded = store.load(file)
    assert [r["number"] for r in loaded.records] == [0, 3]
    assert [number for number, _ in loaded.skipped] == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    reasons = dict(loaded.skipped)
    assert "does not have its hash" in reasons[9]
    assert "schema 'tessera-bench/9'" in reasons[10]
    assert reasons[5] == "empty"
    assert "no record of this store" in reasons[6]
    assert "damaged or cut off" in reasons[12]


def test_loading_changes_nothing(file):
    file.write_bytes(file.read_bytes()[:-10])
    before = file.read_bytes()
    store.load(file)
    assert file.read_bytes() == before


def test_appending_after_a_cut_off_line_keeps_both_apart(file):
    file.write_bytes(file.read_bytes()[:-10])
    damaged = file.read_bytes()
    store.append(file, [{"type": "run", "number": 99}])
    assert file.read_bytes().startswith(damaged + b"\n")
    loaded = store.load(file)
    assert [r["number"] for r in loaded.records] == [0, 1, 2, 3, 99]
    assert [number for number, _ in loaded.skipped] == [5]


def _write_many(path, writer, count):
    for i in range(count):
        store.append(path, [{"type": "run", "writer": writer, "number": i, "filling": "x" * 5000}])


def test_writers_at_once_lose_nothing(tmp_path):
    path = tmp_path / "records.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(path, w, 25)) for w in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    loaded = store.load(path)
    assert loaded.skipped == []
    assert {(r["writer"], r["number"]) for r in loaded.records} == {(w, i) for w in range(4) for i in range(25)}


def test_a_full_disk_leaves_what_was_there(file, monkeypatch):
    before = file.read_bytes()
    real = os.write

    def full(descriptor, data):
        real(descriptor, data[:100])  # some of it fits
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="No space left on device. Nothing of these 2 records was kept"):
        store.append(file, RECORDS[:2])
    assert file.read_bytes() == before


def test_a_device_that_is_full_is_a_sentence():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises((StoreError, OSError)):
        store.append(__import__("pathlib").Path("/dev/full"), RECORDS[:1])


def test_a_store_in_an_impossible_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        store.append(tmp_path / "file" / "records.jsonl", RECORDS)
    with pytest.raises(BenchError, match="cannot be read"):
        store.load(tmp_path / "nothing.jsonl")


def test_concatenated_stores_are_a_store_and_repeated_records_count_once(file, tmp_path):
    other = tmp_path / "other.jsonl"
    store.append(other, RECORDS[3:] + [{"type": "run", "number": 7}])
    both = tmp_path / "both.jsonl"
    both.write_bytes(file.read_bytes() + other.read_bytes())
    loaded = store.load(both)
    assert [r["number"] for r in loaded.records] == [0, 1, 2, 3, 4, 7]
    assert (loaded.repeated, loaded.skipped) == (2, [])


def test_merging_adds_what_is_missing_once_and_names_what_is_bad(file, tmp_path):
    other = tmp_path / "other.jsonl"
    store.append(other, RECORDS[3:] + [{"type": "run", "number": 7}])
    with other.open("ab") as out:
        out.write(b"rubbish\n")
    added, report = store.merge(file, [other, other])
    assert (added, report.repeated) == (1, 2 + 3)
    assert [(number, reason.split(":")[0]) for number, reason in report.skipped] == [(4, "other.jsonl"), (4, "other.jsonl")]
    assert [r["number"] for r in store.load(file).records] == [0, 1, 2, 3, 4, 7]
    fresh = tmp_path / "fresh.jsonl"
    assert store.merge(fresh, [other])[0] == 3


def test_a_record_is_found_by_the_beginning_of_its_hash(file):
    records = store.load(file).records
    assert store.find(records, records[2]["hash"][:8]) is records[2]
    with pytest.raises(BenchError, match="at least six digits"):
        store.find(records, records[2]["hash"][:5])
    with pytest.raises(BenchError, match="0 records have such a hash"):
        store.find(records, "zzzzzzzz")


def test_numbers_that_json_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError):
        store.append(tmp_path / "records.jsonl", [{"x": float("nan")}])
    assert not (tmp_path / "records.jsonl").exists()
