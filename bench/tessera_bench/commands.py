"""What the commands do: definitions, subjects and stores put together.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import csv
import io
import os
import secrets
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from . import builds, doctor, history, launch, replay, simulate, store
from .adaptors import adaptor_names, find_adaptor
from .definitions import Library
from .errors import BenchError, RunFailed
from .measure import Runner, run_record, smaller
from .render import session_text, table
from .report import page, replace_figures
from .resolve import Resolved, explain, resolve
from .session import Comparison, Settings
from .units import show_ratio, show_seconds
from .verdict import Rule, Verdict

GATE_EXIT = {Verdict.REGRESSED: 1, Verdict.INCONCLUSIVE: 3, Verdict.EQUIVALENT: 0, Verdict.IMPROVED: 0}


def say(text: str) -> None:
    print(f"tessera-bench: {text}", file=sys.stderr, flush=True)


def _library(options) -> Library:
    return Library(options.definitions)


def _chosen(library: Library, options, standard: str | None) -> list[str]:
    """The cases of a command line, in the order of their names; `standard` where none is asked for."""
    cases = list(options.case)
    concrete = library.concrete("what")
    groups = {group for case in concrete for group in case.values.get("groups", [])}
    for group in options.group:
        if group not in groups:
            raise BenchError(f"There is no group '{group}'. Known: {', '.join(sorted(groups))}.")
        cases += [case.name for case in concrete if group in case.values.get("groups", [])]
    if getattr(options, "all", False):
        kinds = find_adaptor(library.get("how", options.build).values["adaptor"]).kinds
        cases += [case.name for case in concrete if case.values.get("kind") in kinds]
    if not cases and standard is None:
        raise BenchError("No case is named: use --case, --group or --all; 'tessera-bench list' shows them.")
    return list(dict.fromkeys(cases)) or [standard]


def _resolved(library: Library, options, cases: list[str], build: str | None = None) -> list[Resolved]:
    """All of them, or all problems of all of them."""
    found, problems = [], []
    for case in cases:
        try:
            found.append(resolve(library, case, options.machine, build or options.build, options.size))
        except BenchError as error:
            problems += error.problems
    if problems:
        raise BenchError(*dict.fromkeys(problems))
    return found


def _as_job(options, resolved: list[Resolved]) -> int | None:
    """Submits this same command where the profile wants a job; its exit code, or None to go on here."""
    if not launch.wants_job(resolved[0]):
        return None
    with tempfile.TemporaryDirectory(prefix="tessera_bench_", dir=".") as folder:
        code, text = launch.submit(resolved[0], options.given, sys.executable, Path(folder).resolve())
    print(text, end="")
    return code


def list_all(options) -> int:
    library = _library(options)
    rows = [[d.name, ", ".join(d.values.get("groups", [])), " ".join(sorted(d.values.get("sizes", {}))),
             d.values.get("about", "")] for d in library.concrete("what")]
    print(table(["case", "groups", "sizes", "about"], rows))
    for layer, title in (("where", "machine profile"), ("how", "build")):
        print()
        print(table([title, "about"], [[d.name, d.values.get("about", "")] for d in library.concrete(layer)]))
    print(f"\nadaptors: {', '.join(adaptor_names())}")
    return 0


def explain_case(options) -> int:
    print(explain(resolve(_library(options), options.name, options.machine, options.build, options.size)))
    return 0


def _tree_subject(options, resolved: Resolved) -> tuple[builds.Subject, Path]:
    repository = builds.find_repository(resolved.how, options.repository)
    program = getattr(options, "program", None)
    if program is not None and not program.is_file():
        raise BenchError(f"There is no program '{program}'.")
    if program is not None:
        return builds.subject_of_program(resolved.how, program, repository), repository
    return builds.subject_of_tree(resolved.how, repository), repository


def run_cases(options) -> int:
    """Every case in turn. Exit code 1 when a result is wrong or a case could not run."""
    library = _library(options)
    resolved = _resolved(library, options, _chosen(library, options, None))
    code = _as_job(options, resolved)
    if code is not None:
        return code
    if options.repeat < 1:
        raise BenchError(f"--repeat is {options.repeat}; allowed is a whole number from 1.")
    subject, repository = _tree_subject(options, resolved[0])
    session, failed, missing = secrets.token_hex(8), set(), 0
    runners, found, digests = {}, {one.case: [] for one in resolved}, {}
    for one in resolved:
        try:
            runners[one.case] = Runner(one, subject, repository)
        except BenchError as error:
            missing += 1
            say(f"NOT RUN: {one.label}: {error}")
    for _ in range(options.repeat):  # cases take turns, so that a slow minute of the machine hits all of them
        for name, runner in runners.items():
            try:
                expected = _digest_of(library, options, runner.resolved, digests, subject, repository)
                found[name].append(runner.measure(expected or digests.get(name)))
                digests[name] = found[name][-1].outcome.digest
            except (RunFailed, BenchError) as error:
                failed.add(name)
                say(f"FAILED: {runner.resolved.label}: {error}")
    records = [run_record(runners[name], m, session, "only", i) for name, runs in found.items() for i, m in enumerate(runs)]
    if records and not options.no_record:
        store.append(options.store, records)
    rows = [_row(runners[name].resolved, runs) for name, runs in found.items() if runs]
    if rows:
        print(table(["case", "digest", "result", "best", "peak"], rows))
    print(f"{len(runners) - len(failed)} of {len(resolved)} cases have the right result" +
          (f", {missing} were not run" if missing else ""))
    return 1 if failed or (missing and not options.allow_missing) or not runners else 0


def _row(one: Resolved, runs) -> list[str]:
    outcome, metric = runs[-1].outcome, one.metrics[0]
    counters = ", ".join(f"{name} {outcome.counters[name]:,}" for name in outcome.result_counters)
    return [one.label, outcome.digest or "-", counters, f"{metric} {_shown(metric, min(m.metric(metric) for m in runs))}",
            f"{outcome.memory['peak_resident_bytes'] / 1e6:.1f} MB"]


def _shown(metric: str, value: float) -> str:
    return f"{value / 1e6:.1f} MB" if metric.endswith("bytes") else show_seconds(value)


def _digest_of(library, options, one: Resolved, digests: dict[str, str], subject, repository) -> str | None:
    """The digest of the case that this one must agree with; that case is run first where it was not yet."""
    other = one.what.get("check", {}).get("same_as")
    if other is None or other == one.case:
        return None
    if other not in digests:
        runner = Runner(resolve(library, other, options.machine, options.build, options.size), subject, repository)
        digests[other] = runner.measure().outcome.digest
    return digests[other]


def _small_runners(library, options, one: Resolved, subjects, repository) -> tuple[Runner, Runner] | None:
    """Runners for counting instructions: the smoke size on one thread."""
    try:
        small = resolve(library, one.case, options.machine, options.build, "smoke")
        small = smaller(small, small.what)
        return tuple(Runner(small, subject, repository) for subject in subjects)
    except BenchError:
        return None


def compare_subjects(options) -> int:
    """compare and gate: one session per case."""
    library = _library(options)
    resolved = _resolved(library, options, _chosen(library, options, "microcircuit_stored"))
    code = _as_job(options, resolved)
    if code is not None:
        return code
    head_build = options.head_build or options.build
    heads = _resolved(library, options, [one.case for one in resolved], head_build)
    repository = builds.find_repository(resolved[0].how, options.repository)
    base = builds.subject_of(resolved[0].how, repository, options.base, say)
    head = builds.subject_of(heads[0].how, repository, options.head, say)
    rule = Rule(minimum=options.pairs[0], maximum=options.pairs[1])
    settings = Settings(rule, options.budget, options.command == "gate", not options.no_instructions,
                        options.results_may_differ or head_build != options.build)
    codes = []
    for one, other in zip(resolved, heads):
        runners = Runner(one, base, repository), Runner(other, head, repository)
        small = None if options.no_instructions or head_build != options.build else \
            _small_runners(library, options, one, (base, head), repository)
        comparison = Comparison(*runners, small, settings, lambda text, one=one: say(f"{one.label}: {text}"))
        session = comparison.run()
        if not options.no_record:
            store.append(options.store, [*comparison.run_records(session), comparison.record(session, options.command)])
        print(session_text(one.label, session), flush=True)
        codes.append(GATE_EXIT[session.verdict])
    if options.command == "compare":
        return 0
    return 1 if 1 in codes else max(codes)


def examine_machine(options) -> int:
    """Exit code 3 when this machine cannot judge now."""
    library = _library(options)
    resolved = _resolved(library, options, _chosen(library, options, "microcircuit_stored"))[0]
    subject, repository = _tree_subject(options, resolved)
    found = doctor.examine(Runner(resolved, subject, repository), options.pairs[1], Rule(), say=say)
    print(doctor.report(found, resolved.metrics[0]))
    return 0 if found.able else 3


def _load(options) -> list[dict]:
    loaded = store.load(options.store)
    for number, reason in loaded.skipped:
        say(f"{options.store}:{number}: skipped: {reason}")
    return loaded.records


def show_history(options) -> int:
    records = _load(options)
    rows = []
    for metric in options.metric or ["run_seconds"]:
        for key, points in sorted(history.series(records, metric).items()):
            values = [point.value for point in points]
            changes = history.change_points(values) if values and min(values) > 0 else []
            words = [f"{points[c.at].commit[:12]} ({points[c.at].time}): {show_ratio(c.log_ratio)}" for c in changes]
            rows.append([f"{key[0]}/{key[1]}", key[7], key[3], f"{key[5]}x{key[6]}", metric, len(points), "; ".join(words) or "-"])
    print(table(["case", "adaptor", "machine", "ranks x threads", "metric", "points", "change points"], rows))
    return 0


def _replace_file(path: Path, text: str) -> None:
    partial = path.with_name("." + path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise BenchError(f"'{path}' cannot be written: {error.strerror}.") from None


def write_report(options) -> int:
    """The HTML file, or the figures of a Markdown page."""
    records = _load(options)
    if options.markdown is None:
        _replace_file(options.out, page(records, options.title))
    else:
        try:
            text = options.markdown.read_text(encoding="utf-8")
        except OSError as error:
            raise BenchError(f"The page '{options.markdown}' cannot be read: {error.strerror}.") from None
        _replace_file(options.markdown, replace_figures(text, records))
    print(options.markdown or options.out)
    return 0


def replay_record(options) -> int:
    """Exit code 0 when result and counters are the same, 1 when not."""
    records = _load(options)
    record = store.find(records, options.record)
    resolved = replay.resolved_of(record)
    repository = builds.find_repository(resolved.how, options.repository)
    if options.program:
        subject = builds.subject_of_program(resolved.how, options.program, repository)
    elif "targets" in resolved.how and record["subject"]["commit"] != "unknown" and not record["subject"]["dirty"]:
        subject = builds.subject_of_commit(resolved.how, repository, record["subject"]["commit"], say)
    elif "targets" in resolved.how:
        raise BenchError(f"The record {record['hash'][:12]} is of a program whose commit is not known, or of a working "
                         "tree with changes; name the program with --program.")
    else:
        subject = builds.subject_of_tree(resolved.how, repository)
    try:
        today = resolve(_library(options), resolved.case, resolved.machine, resolved.build, resolved.size)
    except BenchError:
        today = None
    metrics = resolved.metrics
    repeats = options.repeat or max(6, len(replay.siblings(records, record)))
    found = replay.replay(record, records, Runner(resolved, subject, repository), repeats, metrics, say)
    found = replace(found, differences=replay.differences(record, today, subject, repository))
    print(f"{resolved.label}, recorded {record['time']}: {found.recorded} runs then, {found.repeated} now")
    for difference in found.differences:
        print(f"  differs: {difference}")
    for metric, interval in found.intervals.items():
        covers = "covers 1" if interval.low <= 0 <= interval.high else "does not cover 1"
        print(f"  {metric}: new over old {show_ratio(interval.middle)} [{show_ratio(interval.low)}, "
              f"{show_ratio(interval.high)}] ({100 * interval.coverage:.1f} %): {covers}")
    for problem in found.problems:
        print(f"  WRONG: {problem}")
    if not found.problems:
        print("  same result and counters")
    return 1 if found.problems else 0


def verify_store(options) -> int:
    loaded = store.load(options.store)
    for number, reason in loaded.skipped:
        print(f"{options.store}:{number}: {reason}")
    runs = sum(record.get("type") == "run" for record in loaded.records)
    print(f"{len(loaded.records)} records ({runs} runs), {loaded.repeated} repeated, {len(loaded.skipped)} lines skipped")
    return 1 if loaded.skipped else 0


def merge_stores(options) -> int:
    added, report = store.merge(options.store, options.sources)
    for number, reason in report.skipped:
        print(f"line {number} of {reason}")
    print(f"{added} records added, {report.repeated} were there, {len(report.skipped)} lines skipped")
    return 1 if report.skipped else 0


COLUMNS = ("hash", "time", "case", "size", "commit", "ranks", "threads", "side", "pair", "machine", "digest")


def export_store(options) -> int:
    """A row per run: what it was, then all times, memory and counters that any run has."""
    runs = [record for record in _load(options) if record.get("type") == "run"]
    extra = sorted({f"{t}.{name}" for r in runs for t in ("times", "memory", "counters", "derived") for name in r[t]})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *extra])
    for r in runs:
        e = r["execution"]
        fixed = [r["hash"], r["time"], r["case"]["name"], r["case"]["size"], r["subject"]["commit"], e["ranks"],
                 e["threads"], e["side"], e["pair"], r["machine"]["id"], r["check"].get("digest", "")]
        writer.writerow(fixed + [r[t].get(name, "") for t, _, name in (column.partition(".") for column in extra)])
    if options.out:
        options.out.write_text(out.getvalue(), encoding="utf-8")
    else:
        print(out.getvalue(), end="")
    return 0


def simulate_rule(options) -> int:
    if options.sessions < 1:
        raise BenchError(f"--sessions is {options.sessions}; allowed is a whole number from 1.")
    print(simulate.table(options.sessions, options.seed))
    return 0
