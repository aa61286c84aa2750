#!/usr/bin/env bash
# Tests the package that is installed in an environment, from another folder, so that the source is not what is found.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: tests/python/run.sh ENVIRONMENT FOLDER [pytest arguments]
set -euo pipefail
[ -f "$1/requirements.txt" ] || { echo "SKIPPED: there is no environment $1 (python.environment says why)." >&2; exit 77; }
environment=$(cd "$1" && pwd)
tests=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
cd "$2"
shift 2
PATH="$environment/bin:$PATH" exec "$environment/bin/python" -B -m pytest -q -p no:cacheprovider -c "$tests/pytest.ini" \
  --rootdir "$tests" "$tests" "$@"
