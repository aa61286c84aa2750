"""Runs the tests with a mark. Exit code 77, which is a skip, when all of them were skipped.

Usage: run.py EXPRESSION (of marks, as pytest -m)
Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import sys
from pathlib import Path

import pytest


class Count:
    """How many tests passed, failed, were skipped."""

    def __init__(self):
        self.outcomes = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1


def main() -> int:
    count = Count()
    folder = Path(__file__).parent
    code = pytest.main(["-q", "-rs", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini"), "-m", " ".join(sys.argv[1:]),
                        str(folder)], plugins=[count])
    if code == 0 and count.outcomes["passed"] == 0:
        return 77 if count.outcomes["skipped"] else 1
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
