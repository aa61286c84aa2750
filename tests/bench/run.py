"""Runs something in the environment of tessera-bench; without one, exit code 77, which is a skip.

Usage: run.py ENVIRONMENT tests EXPRESSION (of marks, as pytest -m); 77 also when all of them were skipped
       run.py ENVIRONMENT command ARGUMENT ... (of tessera-bench)
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import os
import sys
from pathlib import Path

SKIPPED = 77


class Count:
    """How many tests passed, failed, were skipped."""

    def __init__(self):
        self.outcomes = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1


def run_tests(expression: str) -> int:
    import pytest

    count = Count()
    folder = Path(__file__).parent
    code = pytest.main(["-q", "-rs", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini"), "-m", expression,
                        str(folder)], plugins=[count])
    if code == 0 and count.outcomes["passed"] == 0:
        return SKIPPED if count.outcomes["skipped"] else 1
    return int(code)


def main() -> int:
    environment, what, arguments = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    python, command = environment / "bin" / "python", environment / "bin" / "tessera-bench"
    if not command.exists():
        print(f"SKIPPED: there is no environment {environment} (bench.python_environment says why).", file=sys.stderr)
        return SKIPPED
    if what == "command":
        os.execv(command, [str(command), *arguments])
    if Path(sys.prefix).resolve() != environment.resolve():
        os.execv(python, [str(python), "-B", *sys.argv])
    return run_tests(" ".join(arguments))


if __name__ == "__main__":
    sys.exit(main())
