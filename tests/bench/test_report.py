"""The report: tables that are right, read without scripts and networks, in a parser and in a browser.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from tessera_bench.errors import BenchError
from tessera_bench.report import page, replace_figures
from tessera_bench.report.svg import ticks


class Tables(HTMLParser):
    """Cells of all tables by identifier, and everything that would need a network or a script."""

    def __init__(self):
        super().__init__()
        self.tables, self.outside, self.open, self.table, self.row, self.cell = {}, [], [], None, None, None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in ("meta", "link", "img", "rect", "line", "circle", "polyline", "br"):
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe", "object") or {"src", "href", "onload", "onclick"} & attributes.keys():
            self.outside.append(tag)
        if tag == "table":
            self.table = self.tables.setdefault(attributes["id"], [])
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("rect", "line", "circle", "polyline"):
            return
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.row.append(self.cell)
            self.cell = None
        elif tag == "tr":
            self.table.append(self.row)

    def handle_data(self, text):
        if self.cell is not None:
            self.cell += text


def read(text: str) -> Tables:
    found = Tables()
    found.feed(text)
    assert found.open == []
    return found


def run(name="plain", session="s1", commit="c" * 40, seconds=2.0, time="2026-01-01T00:00:00Z", ranks=1, threads=1, side="only"):
    phases = {n: {"min": s, "mean": s, "max": s} for n, s in (("deliver", 0.75 * seconds), ("update", 0.25 * seconds))}
    return {"type": "run", "hash": f"{session}{seconds}".ljust(64, "0"), "session": session, "time": time,
            "subject": {"adaptor": "tessera", "commit": commit, "binaries": {"tessera": commit}, "build": "tessera"},
            "case": {"name": name, "size": "full", "definition_hash": "d", "what": {"model": "models/m.toml", "connectivity": "stored"}},
            "execution": {"profile_hash": "p", "ranks": ranks, "threads": threads, "side": side},
            "machine": {"id": "m1", "processor": "P <x> & y", "cores": 2, "memory_bytes": 8 * 10**9, "system": "Linux"},
            "check": {"passed": True, "digest": "00000000000000aa"},
            "counters": {"spikes": 500, "synaptic_events": 50_000, "row_visits": 2_500},
            "times": {"run_seconds": seconds, "construction_seconds": 0.5}, "phases": phases,
            "memory": {"peak_resident_bytes": 12_500_000},
            "derived": {"real_time_factor": seconds / 10, "ns_per_event": 40.0, "bytes_per_synapse": 4.25}}


def session(verdict="REGRESSED", low=0.05, median=0.0953, high=0.12):
    base = run()
    metric = {"verdict": verdict, "pairs": 20, "coverage": 0.95, "low": low, "median": median, "high": high, "detectable": 0.05}
    return {"type": "session", "hash": "e" * 64, "time": "2026-01-02T00:00:00Z", "case": base["case"], "verdict": verdict,
            "by": "metrics", "reasons": [], "subjects": {"base": {"commit": "a" * 40}, "head": {"commit": "b" * 40}},
            "metrics": {"run_seconds": metric}, "machine": base["machine"]}


def test_an_empty_store_has_a_report():
    assert read(page([])).tables == {}


def test_tables_hold_the_numbers_of_the_records():
    tables = read(page([run(seconds=2.0), run(seconds=4.0), run(seconds=3.0), session()])).tables
    (row,) = tables["cases"][1:]
    # Medians of three runs of 10 s of model time: factor 0.3, 3 s; construction 0.5 s; 12.5 MB.
    assert row[:8] == ["plain/full 1x1", "c" * 12, "3", "0.3", "3", "0.5", "12.5", "00000000000000aa"]
    (row,) = tables["comparisons"][1:]
    assert row[2:5] == ["a" * 12, "b" * 12, "REGRESSED"]
    assert row[6] == "run_seconds: +10.0 % [+5.1, +12.7] REGRESSED"  # exp(0.05), exp(0.0953), exp(0.12)
    (row,) = tables["work"][1:]
    assert row[1:7] == ["500", "50,000", "2,500", "20", "40", "4.25"]
    assert tables["machines"][1] == ["m1", "P <x> & y", "2", "8", "Linux"]


def test_scaling_and_history_are_there_when_records_have_them():
    records = [run(name="ranks_1", session="a", seconds=4.0), run(name="ranks_2", session="b", seconds=2.5, ranks=2)]
    tables = read(page(records)).tables
    assert [row[1:] for row in tables["scaling"][1:]] == [["1", "4"], ["2", "2.5"]]
    records = [run(session=f"s{i:02}", seconds=1.0 if i < 6 else 1.2, time=f"2026-01-{i + 1:02}", commit=f"{i:040}") for i in range(12)]
    rows = read(page(records)).tables["history"][1:]
    by_metric = {row[0].split(": ")[1]: row for row in rows}
    assert by_metric["run_seconds"][1:4] == ["12", "1", "1.2"]
    assert "(2026-01-07): +20.0 %" in by_metric["run_seconds"][4]
    assert by_metric["peak_resident_bytes"][4] == "none"


def test_a_report_needs_no_network_and_no_script():
    text = page([run(), run(session="b", seconds=3.0), session()])
    assert read(text).outside == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert text.count("<svg") == text.count("</svg>") > 3


def test_names_cannot_break_out_of_the_page():
    text = page([run(name="<script>alert(1)</script>"), run(name='"><img src=x>')], title="<b>&")
    found = read(text)
    assert found.outside == []
    assert any(row[0].startswith("<script>alert(1)</script>/full") for row in found.tables["cases"])


def test_sessions_that_ended_early_are_shown():
    early = {**session(), "metrics": {}, "by": "result", "reasons": ["digest: a became b"]}
    few = session("INCONCLUSIVE", None, None, None)
    rows = read(page([early, few])).tables["comparisons"][1:]
    assert rows[0][4:7] == ["REGRESSED", "result", "digest: a became b"]
    assert rows[1][6] == "run_seconds: too few pairs INCONCLUSIVE"


@pytest.mark.parametrize("low, high, expected", [(0, 10, [0, 2, 4, 6, 8, 10]), (-6, 6, [-5, 0, 5]), (0, 0.45, [0, 0.1, 0.2, 0.3, 0.4])])
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_figures_of_a_page_are_renewed_between_its_marks():
    text = "# Figures\nwhy\n<!-- records: begin -->\nold\n<!-- records: end -->\nmore\n"
    once = replace_figures(text, [run(seconds=2.0), run(seconds=4.0), run(seconds=3.0), session()])
    assert once.startswith("# Figures\nwhy\n<!-- records: begin -->\n") and once.endswith("<!-- records: end -->\nmore\n")
    assert "old" not in once
    # Medians of 2, 3 and 4 s of 10 s of model time; the record is the last one.
    assert f"| plain/full 1x1 | m1 | {'c' * 12} | 3 | 0.3 | 3 | 0.5 | 12.5 | s13.00000000 |" in once
    assert "Machine m1: P <x> & y, 2 cores, 8 GB, Linux." in once
    assert replace_figures(once, [run(seconds=2.0), run(seconds=4.0), run(seconds=3.0)]) == once


@pytest.mark.parametrize("text", ["", "<!-- records: begin -->", "<!-- records: end --> <!-- records: begin -->",
                                  "<!-- records: begin --> <!-- records: begin --> <!-- records: end -->"])
def test_a_page_without_its_marks_is_left_alone(text):
    with pytest.raises(BenchError, match="The page needs one line"):
        replace_figures(text, [])


@pytest.mark.browser
def test_a_browser_shows_the_tables(tmp_path):
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if browser is None:
        pytest.skip("there is no chromium on this machine: the page was read by a parser only")
    path = tmp_path / "report.html"
    path.write_text(page([run(), run(session="b", seconds=3.0), session()]))
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu",
                           f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
                          capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    shown = read(done.stdout.replace("<!DOCTYPE html>", ""))
    assert shown.tables == read(page([run(), run(session="b", seconds=3.0), session()])).tables
    picture = tmp_path / "page.png"
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
                    f"--screenshot={picture}", "--window-size=1200,1600", path.as_uri()], check=True, capture_output=True)
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000
