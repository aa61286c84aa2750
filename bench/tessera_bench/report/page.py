"""The page: tables that are read without pictures, and pictures beside them.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import math
import statistics as numbers
from collections import defaultdict
from html import escape

from ..history import change_points, series
from . import svg

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.15rem .7rem;border-bottom:1px solid #ddd;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.9em}
svg{max-width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#333}
.grid{stroke:#ddd}.band{fill:#e8f0e0}.bar{stroke:#33658a;stroke-width:3}.dot{fill:#33658a}
.mark{stroke:#c1121f;stroke-dasharray:4 3}.REGRESSED{color:#c1121f}.IMPROVED{color:#2a7f3f}.INCONCLUSIVE{color:#9a6700}
"""


def _table(header: list[str], rows: list[list], identifier: str) -> str:
    """Cells that are numbers stand right. A cell may be (text, class)."""
    def cell(value, tag: str) -> str:
        text, kind = value if isinstance(value, tuple) else (value, "")
        if isinstance(text, (int, float)):
            text, kind = (f"{text:,}" if isinstance(text, int) else f"{text:.4g}"), "n"
        return f'<{tag} class="{kind}">{escape(str(text))}</{tag}>' if kind else f"<{tag}>{escape(str(text))}</{tag}>"

    head = "".join(cell(h, "th") for h in header)
    body = "".join("<tr>" + "".join(cell(c, "td") for c in row) + "</tr>" for row in rows)
    return f'<table id="{identifier}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _percent(log_ratio) -> float:
    return math.nan if log_ratio is None else 100 * math.expm1(log_ratio)


def _sessions(records: list[dict]) -> str:
    rows, bars = [], []
    for r in records:
        if r.get("type") != "session":
            continue
        name = f"{r['case']['name']}/{r['case']['size']}"
        base, head = (r["subjects"][side]["commit"][:12] for side in ("base", "head"))
        if not r["metrics"]:
            rows.append([r["time"], name, base, head, (r["verdict"], r["verdict"]), r["by"], "; ".join(r["reasons"]), "", r["hash"][:12]])
        for metric, j in r["metrics"].items():
            low, middle, high = (_percent(j[k]) for k in ("low", "median", "high"))
            change = f"{middle:+.1f} % [{low:+.1f}, {high:+.1f}]" if math.isfinite(low) else "too few pairs"
            rows.append([r["time"], name, base, head, (r["verdict"], r["verdict"]), r["by"], f"{metric}: {change} {j['verdict']}",
                         j["pairs"], r["hash"][:12]])
            if math.isfinite(low):
                bars.append((f"{name} {metric}"[:36], low, middle, high, j["verdict"]))
    if not rows:
        return ""
    header = ["time", "case", "base", "head", "verdict", "by", "change", ("pairs", "n"), "record"]
    return _section("Comparisons", _table(header, rows, "comparisons"),
                    svg.intervals("Median ratio of head over base, with 95 % interval", bars[-40:], 3.0) if bars else "")


def latest(records: list[dict]) -> list[list[dict]]:
    """The runs of the last session of every case, size, machine, profile, ranks, threads and build."""
    groups: dict[tuple, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for r in records:
        if r.get("type") == "run":
            key = (r["case"]["name"], r["case"]["size"], r["machine"]["id"], r["execution"]["profile_hash"],
                   r["execution"]["ranks"], r["execution"]["threads"], r["subject"]["build"], r["execution"]["side"])
            groups[key][r["session"]].append(r)
    return [max(sessions.values(), key=lambda runs: max(r["time"] for r in runs)) for _, sessions in sorted(groups.items())]


def label(r: dict) -> str:
    e = r["execution"]
    size = f"{e['ranks']}x{e['threads']}"
    other = "" if r["subject"]["adaptor"] == "tessera" else f" {r['subject']['adaptor']}"
    side = f" {e['side']}" if e["side"] in ("base", "head") else ""
    return f"{r['case']['name']}/{r['case']['size']}{other} {size}{side}"


def median(runs: list[dict], table: str, name: str) -> float:
    found = [r[table][name] for r in runs if name in r.get(table, {})]
    return numbers.median(found) if found else math.nan


def _cases(groups: list[list[dict]]) -> str:
    rows, stacks, builds, memory = [], [], [], []
    for runs in groups:
        r = runs[-1]
        values = [median(runs, "derived", "real_time_factor"), median(runs, "times", "run_seconds"),
                  median(runs, "times", "construction_seconds"), median(runs, "memory", "peak_resident_bytes") / 1e6]
        shown = [v if math.isfinite(v) else "" for v in values]
        rows.append([label(r), r["subject"]["commit"][:12], len(runs), *shown, r["check"].get("digest", ""), r["hash"][:12]])
        if math.isfinite(values[0]) and r["phases"]:
            scale = values[0] / values[1] if values[1] > 0 else 0.0
            stacks.append((label(r)[:36], {name: scale * numbers.median(x["phases"][name]["mean"] for x in runs)
                                            for name in r["phases"]}))
        if math.isfinite(values[2]):
            builds.append((label(r)[:36], {"construction": values[2]}))
        memory.append((label(r)[:36], {"peak": values[3]}))
    header = ["case, ranks x threads", "commit", ("runs", "n"), ("real-time factor", "n"), ("run, s", "n"),
              ("construction, s", "n"), ("peak, MB", "n"), "digest", "record"]
    parts = [_section("Cases, last session of each", _table(header, rows, "cases"))]
    if stacks:
        parts.append(_section("Real-time factor by phase", svg.stacked_bars("Real-time factor by phase", stacks, "")))
    if builds:
        parts.append(_section("Construction", svg.stacked_bars("Construction", builds, "s")))
    parts.append(_section("Memory", svg.stacked_bars("Peak resident memory", memory, "MB")))
    return "".join(parts)


def _scaling(groups: list[list[dict]]) -> str:
    curves: dict[str, dict[int, float]] = defaultdict(dict)
    for runs in groups:
        e, case = runs[-1]["execution"], runs[-1]["case"]
        name = f"{case['what'].get('model', case['name']).split('/')[-1]} {case['what'].get('connectivity', '')}/{case['size']}"
        if e["side"] not in ("base", "head"):
            curves[name].setdefault(e["ranks"] * e["threads"], median(runs, "times", "run_seconds"))
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    if not curves:
        return ""
    rows = [[name, workers, seconds] for name, points in curves.items() for workers, seconds in sorted(points.items())]
    return _section("Scaling: seconds of a run over ranks x threads",
                    _table(["network", ("workers", "n"), ("run, s", "n")], rows, "scaling"),
                    svg.lines("Scaling", {n: sorted(p.items()) for n, p in curves.items()}, "ranks x threads", "s",
                              logarithmic=True))


def _work(groups: list[list[dict]]) -> str:
    rows, points = [], {}
    for runs in groups:
        r = runs[-1]
        c = r["counters"]
        if not c.get("synaptic_events"):
            continue
        visits = c.get("row_visits") or 0
        per_visit = c["synaptic_events"] / visits if visits else math.nan
        cost = median(runs, "derived", "ns_per_event")
        rows.append([label(r), c["spikes"], c["synaptic_events"], visits, per_visit if visits else "", cost,
                     median(runs, "derived", "bytes_per_synapse")])
        if visits and cost > 0:
            points[label(r)[:28]] = [(per_visit, cost)]
    if not rows:
        return ""
    header = ["case", ("spikes", "n"), ("synaptic events", "n"), ("row visits", "n"), ("events per visit", "n"),
              ("ns per event and core", "n"), ("bytes per synapse", "n")]
    return _section("Work: what an event costs over how many a visit of memory brings", _table(header, rows, "work"),
                    svg.lines("Cost of an event over events per visit", points, "synaptic events per visit of a row",
                              "ns per event and core", logarithmic=True))


def _history(records: list[dict]) -> str:
    parts, rows = [], []
    for metric in ("run_seconds", "construction_seconds", "peak_resident_bytes"):
        for key, points in sorted(series(records, metric).items()):
            if len(points) < 2:
                continue
            values = [p.value for p in points]
            changes = change_points(values) if min(values) > 0 else []
            name = f"{key[0]}/{key[1]} on {key[3]}, {key[5]}x{key[6]}: {metric}"
            rows.append([name, len(points), values[0], values[-1], "; ".join(
                f"{points[c.at].commit[:12]} ({points[c.at].time}): {_percent(c.log_ratio):+.1f} %" for c in changes) or "none"])
            parts.append("<h3>" + escape(name) + "</h3>" + svg.lines(
                name, {metric: list(enumerate(values))}, "sessions in the order of time", "", [c.at - 0.5 for c in changes]))
    if not rows:
        return ""
    header = ["series", ("points", "n"), ("first", "n"), ("last", "n"), "change points"]
    return _section("History", _table(header, rows, "history"), *parts)


def page(records: list[dict], title: str = "Benchmarks") -> str:
    """The whole HTML file."""
    shown = latest(records)
    machines = {r["machine"]["id"]: r["machine"] for r in records if "machine" in r}
    machine_rows = [[m["id"], m["processor"], m["cores"], m["memory_bytes"] / 1e9, m["system"]] for m in machines.values()]
    body = [f"<h1>{escape(title)}</h1>",
            f"<p>{len(records)} records. A time is here only where the result of its run was checked.</p>",
            _sessions(records), _cases(shown) if shown else "", _scaling(shown), _work(shown), _history(records),
            _section("Machines", _table(["machine", "processor", ("cores", "n"), ("memory, GB", "n"), "system"],
                                        machine_rows, "machines")) if machine_rows else ""]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
            f"{''.join(body)}</body></html>\n")


