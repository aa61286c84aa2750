#!/usr/bin/env bash
# pip install of the package, against an installed library instead of compiling that once more.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: tests/python/install.sh ENVIRONMENT PREFIX BUILD_FOLDER COMPILER
set -euo pipefail
[ -f "$1/requirements.txt" ] || { echo "SKIPPED: there is no environment $1 (python.environment says why)." >&2; exit 77; }
environment=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
PATH="$environment/bin:$PATH" CXX=$4 "$environment/bin/pip" install --no-build-isolation --no-deps --force-reinstall \
  --disable-pip-version-check -v . --config-settings cmake.source-dir=python \
  --config-settings "cmake.define.CMAKE_PREFIX_PATH=$2" --config-settings "build-dir=$3"
