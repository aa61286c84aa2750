#!/usr/bin/env bash
# Makes a Python environment for tessera-bench, once, with a command FOLDER/bin/tessera-bench that runs this source.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: bench/make_environment.sh PYTHON FOLDER
# Exits 77 (a skipped test), with the reason, when that is not possible on this machine.
set -uo pipefail
python=$1
folder=$2
bench=$(cd "$(dirname "$0")" && pwd)
skip() {
  echo "SKIPPED: $*. Nothing of tessera-bench was tested or run." >&2
  exit 77
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || skip "'$python' is older than Python 3.11"
ready() { [ -x "$folder/bin/tessera-bench" ] && cmp -s "$bench/requirements.txt" "$folder/requirements.txt"; }
ready && exit 0
rm -rf "$folder"
"$python" -m venv "$folder" >/dev/null 2>&1 || skip "'$python -m venv' failed (python3-venv is missing?)"
"$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 \
  -r "$bench/requirements.txt" || skip "pip could not install what bench/requirements.txt lists (no package index?)"
cat >"$folder/bin/tessera-bench" <<COMMAND
#!/bin/sh
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$bench" exec "$(cd "$folder" && pwd)/bin/python" -m tessera_bench "\$@"
COMMAND
chmod +x "$folder/bin/tessera-bench"
cp "$bench/requirements.txt" "$folder/requirements.txt"  # last: it says that all is there
