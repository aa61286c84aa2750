#!/usr/bin/env bash
# Configures and builds the release preset: the command and its companions, without the tests.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/build.sh [bench]     bench: the benchmark programs as well
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
if ! cmake --preset release >build/configure_release.log 2>&1; then
  cat build/configure_release.log >&2
  exit 1
fi
targets=(tessera_cli nest_case)
[ "${1:-}" = bench ] && targets+=(bench_kernels bench_rules bench_training bench_speech)
cmake --build build/release --target "${targets[@]}"
