#!/usr/bin/env bash
# Builds the wheel of the Python package into dist/, for the Pythons from 3.10 on and the libraries of this machine.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(scripts/bench_python.sh)
[ -x build/wheel_python/bin/pip ] || "$python" -m venv build/wheel_python
build/wheel_python/bin/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
ls -l dist/*.whl
