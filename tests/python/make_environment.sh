#!/usr/bin/env bash
# Makes a fresh Python environment with what building and testing the package needs, once.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: tests/python/make_environment.sh PYTHON FOLDER
# Exits 77 (a skipped test), with the reason, when that is not possible on this machine.
set -uo pipefail
python=$1
folder=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
lists=("$here/python/requirements.txt" "$here/docs/site/requirements.txt")
skip() {
  echo "SKIPPED: $*. Nothing of the Python package was tested." >&2
  exit 77
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || skip "'$python' is older than Python 3.10"
"$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ||
  skip "'$python' has no Python.h (python3-dev is missing?)"
[ -x "$folder/bin/python" ] && cat "${lists[@]}" | cmp -s - "$folder/requirements.txt" && exit 0
rm -rf "$folder"
"$python" -m venv "$folder" >/dev/null 2>&1 || skip "'$python -m venv' failed (python3-venv is missing?)"
pip() { "$folder/bin/pip" "$@" --quiet --disable-pip-version-check --retries 1 --timeout 15; }
pip install --no-compile -r "${lists[0]}" -r "${lists[1]}" ||
  skip "pip could not install what python/requirements.txt and docs/site/requirements.txt list (no package index?)"
# PyNN's own scenario tests are in its source package only.
pip download --no-deps --no-binary PyNN --dest "$folder/source" "$(grep '^PyNN==' "${lists[0]}")" &&
  tar -xzf "$folder"/source/*.tar.gz -C "$folder/source" --strip-components 1 ||
  skip "pip could not get the source of PyNN"
cat "${lists[@]}" >"$folder/requirements.txt"  # last: it says that all is there
