#!/usr/bin/env bash
# Builds the documentation site into build/docs: the library, the package in an environment of its own, then the pages.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
environment=build/docs/python
scripts/build.sh
cmake --install build/release --prefix build/docs/installed >/dev/null
tests/python/make_environment.sh "$(scripts/bench_python.sh)" "$environment" || exit 1
tests/python/install.sh "$environment" "$PWD/build/docs/installed" build/docs/package "${CXX:-c++}" >build/docs/install.log 2>&1 ||
  { tail -n 30 build/docs/install.log >&2; exit 1; }
TESSERA_PREFIX=$PWD/build/docs/installed docs/site/build.sh "$environment" build/docs
