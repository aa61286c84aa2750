#!/usr/bin/env bash
# Builds the documentation site with an environment in which the package is installed. A warning is an error.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: docs/site/build.sh ENVIRONMENT FOLDER [force|off]     off: notebooks are shown, not executed
# Writes FOLDER/html, from what is laid out in FOLDER/source.
set -euo pipefail
[ -f "$1/requirements.txt" ] || { echo "SKIPPED: there is no environment $1 (python.environment says why)." >&2; exit 77; }
environment=$(cd "$1" && pwd)
folder=$2
site=$(cd "$(dirname "$0")" && pwd)
TESSERA_REPOSITORY=$(cd "$site/../.." && pwd)
export TESSERA_REPOSITORY TESSERA_NOTEBOOKS=${3:-force} PYTHONDONTWRITEBYTECODE=1 PATH="$environment/bin:$PATH"
python "$site/stage.py" "$folder/source"
rm -rf "$folder/html"
python -m sphinx -q -W --keep-going -b html -c "$site" -d "$folder/doctrees" "$folder/source" "$folder/html"
echo "$folder/html/index.html"
