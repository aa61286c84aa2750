#!/usr/bin/env bash
# Makes a fresh Python environment with what building and testing the package needs, once.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: tests/python/make_environment.sh PYTHON FOLDER
# Exits 77 (a skipped test), with the reason, when that is not possible on this machine.
set -uo pipefail
python=$1
folder=$2
list=$(cd "$(dirname "$0")/../../python" && pwd)/requirements.txt
skip() {
  echo "SKIPPED: $*. Nothing of the Python package was tested." >&2
  exit 77
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || skip "'$python' is older than Python 3.10"
"$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ||
  skip "'$python' has no Python.h (python3-dev is missing?)"
[ -x "$folder/bin/python" ] && cmp -s "$list" "$folder/requirements.txt" && exit 0
rm -rf "$folder"
"$python" -m venv "$folder" >/dev/null 2>&1 || skip "'$python -m venv' failed (python3-venv is missing?)"
pip() { "$folder/bin/pip" "$@" --quiet --disable-pip-version-check --retries 1 --timeout 15; }
pip install --no-compile -r "$list" || skip "pip could not install what python/requirements.txt lists (no package index?)"
# PyNN's own scenario tests are in its source package only.
pip download --no-deps --no-binary PyNN --dest "$folder/source" "$(grep '^PyNN==' "$list")" &&
  tar -xzf "$folder"/source/*.tar.gz -C "$folder/source" --strip-components 1 ||
  skip "pip could not get the source of PyNN"
cp "$list" "$folder/requirements.txt"  # last: it says that all is there
