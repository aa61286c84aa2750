"""What can go wrong, as sentences: bad input, a build that fails, a measured run that does not count.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import difflib


class BenchError(Exception):
    """Bad input or a tool that is missing: all problems at once. The command ends with exit code 2."""

    def __init__(self, *problems: str):
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class BuildError(BenchError):
    """A commit that does not build. Nothing was measured."""


class StoreError(Exception):
    """A record could not be written (a full disk, say). The command ends with exit code 1."""


class RunFailed(Exception):
    """A measured run that crashed, took too long, or gave a wrong result: its time does not count."""


def nearest(word: str, known) -> str:
    """Says which known word is meant, or lists them all when none is near."""
    names = sorted(str(name) for name in known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known: {', '.join(names)}." if names else "There are none."
