"""The command tessera-bench: options, and what they call.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import argparse
import sys
from pathlib import Path

from . import __version__, commands
from .errors import BenchError, RunFailed, StoreError
from .units import seconds

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


def _pairs(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    try:
        found = int(low), int(high or low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of pairs; write MIN:MAX, such as 10:60") from None
    if not 6 <= found[0] <= found[1] <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}': MIN:MAX must be from 6 to 1000, the smaller one first")
    return found


def _time(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_configuration(parser, many: bool = True) -> None:
    if many:
        parser.add_argument("--case", "-c", action="append", default=[], metavar="CASE", help="repeatable")
        parser.add_argument("--group", "-g", action="append", default=[], metavar="GROUP", help="all cases of a group")
    parser.add_argument("--machine", "-m", default="local", metavar="PROFILE", help="where/PROFILE.toml (local)")
    parser.add_argument("--build", "-b", default="tessera", metavar="BUILD", help="how/BUILD.toml (tessera)")
    parser.add_argument("--size", "-s", default="full", metavar="SIZE", help="smoke or full (full)")


def _add_store(parser) -> None:
    parser.add_argument("--store", type=Path, default=Path("results/bench/records.jsonl"), metavar="FILE",
                        help="JSON lines (results/bench/records.jsonl)")


def _add_rule(parser) -> None:
    parser.add_argument("--pairs", type=_pairs, default=(10, 60), metavar="MIN:MAX", help="fewest and most pairs (10:60)")
    parser.add_argument("--budget", type=_time, default=600.0, metavar="TIME", help="for the pairs of a case (10min)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions")
    parser.add_argument("--results-may-differ", action="store_true",
                        help="compare times although digests differ (a change of the network, another simulator)")
    parser.add_argument("--head-build", metavar="BUILD", help="how/BUILD.toml of HEAD, where it is another simulator")
    parser.add_argument("--no-record", action="store_true", help="keep nothing in the store")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="tessera-bench", description="Benchmarks with a verdict: docs/benchmarking.md")
    top.add_argument("--version", action="version", version=__version__)
    top.add_argument("--definitions", type=Path, action="append", default=[], metavar="FOLDER",
                     help="with what/, where/, how/; goes before what is shipped; repeatable")
    top.add_argument("--repository", type=Path, default=Path("."), metavar="FOLDER", help="in which to work (.)")
    sub = top.add_subparsers(dest="command", required=True)

    p = sub.add_parser("list", help="cases, machine profiles, builds, adaptors")
    p.set_defaults(run=commands.list_all)
    p = sub.add_parser("explain", help="the resolved configuration of a case, and who said what")
    p.add_argument("name", metavar="CASE")
    _add_configuration(p, many=False)
    p.set_defaults(run=commands.explain_case)

    p = sub.add_parser("run", help="measure cases, checking their results")
    _add_configuration(p)
    p.add_argument("--all", action="store_true", help="all cases of the build's kinds")
    p.add_argument("--repeat", type=int, default=1, metavar="N", help="fresh processes of each case (1)")
    p.add_argument("--program", type=Path, metavar="FILE", help="instead of the working tree's")
    p.add_argument("--allow-missing", action="store_true", help="cases whose program is missing here do not count as failed")
    p.add_argument("--no-record", action="store_true", help="keep nothing in the store")
    _add_store(p)
    p.set_defaults(run=commands.run_cases)

    for name, help_text in (("compare", "two commits or two programs: a verdict"),
                            ("gate", "the same for CI: exit code 0 passed, 1 regressed, 3 inconclusive")):
        p = sub.add_parser(name, help=help_text)
        p.add_argument("base", metavar="BASE", help="a commit, or a program")
        p.add_argument("head", metavar="HEAD", help="a commit, or a program")
        _add_configuration(p)
        _add_rule(p)
        _add_store(p)
        p.set_defaults(run=commands.compare_subjects)

    p = sub.add_parser("doctor", help="what this machine can resolve (A/A pairs)")
    _add_configuration(p)
    p.add_argument("--pairs", type=_pairs, default=(20, 20), metavar="N", help="A/A pairs (20)")
    p.add_argument("--program", type=Path, metavar="FILE", help="instead of the working tree's")
    p.set_defaults(run=commands.examine_machine)

    p = sub.add_parser("history", help="change points over the records of a store")
    p.add_argument("--metric", action="append", default=[], metavar="NAME", help="run_seconds by default; repeatable")
    _add_store(p)
    p.set_defaults(run=commands.show_history)
    p = sub.add_parser("report", help="one static HTML file of a store")
    p.add_argument("-o", "--out", type=Path, default=Path("results/bench/report.html"), metavar="FILE")
    p.add_argument("--title", default="Benchmarks")
    p.add_argument("--markdown", type=Path, metavar="PAGE", help="instead: renew the figures between the marks of PAGE")
    _add_store(p)
    p.set_defaults(run=commands.write_report)
    p = sub.add_parser("replay", help="measure again what a record says; tell what differs")
    p.add_argument("record", metavar="RECORD", help="the first digits of its hash")
    p.add_argument("--repeat", type=int, metavar="N", help="as often as the record's session did, at least 6")
    p.add_argument("--program", type=Path, metavar="FILE", help="instead of building the record's commit")
    _add_store(p)
    p.set_defaults(run=commands.replay_record)

    p = sub.add_parser("store", help="verify, merge, export")
    actions = p.add_subparsers(dest="action", required=True)
    a = actions.add_parser("verify", help="checks every line; exit code 1 when one was skipped")
    _add_store(a)
    a.set_defaults(run=commands.verify_store)
    a = actions.add_parser("merge", help="adds the records of other stores")
    a.add_argument("sources", type=Path, nargs="+", metavar="FILE")
    _add_store(a)
    a.set_defaults(run=commands.merge_stores)
    a = actions.add_parser("export", help="runs as csv")
    a.add_argument("-o", "--out", type=Path, metavar="FILE", help="standard output by default")
    _add_store(a)
    a.set_defaults(run=commands.export_store)

    p = sub.add_parser("simulate", help="how often the decision rule errs: the table of the documentation")
    p.add_argument("--sessions", type=int, default=2000, metavar="N")
    p.add_argument("--seed", type=int, default=1, metavar="N")
    p.set_defaults(run=commands.simulate_rule)
    return top


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(given)
    options.given = given
    try:
        return options.run(options)
    except BenchError as error:
        for problem in error.problems:
            print(f"tessera-bench: error: {problem}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except (RunFailed, StoreError) as error:
        print(f"tessera-bench: error: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("tessera-bench: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
