"""Keeps people and places out of records: user names, host names, absolute paths.

Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
"""

import getpass
import os
import re
import socket
from functools import lru_cache
from pathlib import Path

# A path that starts at the root, where something may stand before it: --out=/home/... or '/tmp/...'.
_PATH = re.compile(r"(?<![\w.}>/%~-])(?:file://)?/(?=[A-Za-z0-9._~-])[^\s'\",;:)\]}]*")
_HOME = re.compile(r"(?<![\w/])~[A-Za-z0-9_-]*/[^\s'\",;:)\]}]*")


@lru_cache(maxsize=1)
def _names() -> tuple[re.Pattern, ...]:
    names = set()
    try:
        names.add(getpass.getuser())
    except (KeyError, OSError):
        pass
    names |= {os.environ.get(variable, "") for variable in ("USER", "LOGNAME", "SUDO_USER", "HOSTNAME")}
    names |= {Path.home().name, socket.gethostname(), socket.gethostname().split(".")[0]}
    # A word such as "root" or "vm" is nobody's name, and may stand in a sentence.
    return tuple(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in sorted(names, key=len, reverse=True)
                 if len(name) > 3 and name not in ("root", "home", "localhost"))


def clean_text(text: str) -> str:
    text = _HOME.sub("<path>", _PATH.sub("<path>", text))
    for name in _names():
        text = name.sub("<name>", text)
    return text


def clean(value):
    """The same value with every text in it cleaned, keys of tables too."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value
