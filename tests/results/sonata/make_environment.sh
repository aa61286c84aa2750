#!/usr/bin/env bash
# Makes a Python environment with libsonata and h5py, once.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: make_environment.sh PYTHON FOLDER
# Exits 77 (a skipped test), with the reason, when that is not possible on this machine.
set -uo pipefail
python=$1
folder=$2
skip() {
  echo "SKIPPED: $*. The SONATA files of this build were not read with libsonata." >&2
  exit 77
}

ready() { "$folder/bin/python" -c 'import h5py, libsonata, numpy' 2>/dev/null; }
ready && exit 0
rm -rf "$folder"
"$python" -m venv "$folder" >/dev/null 2>&1 || skip "'$python -m venv' failed (python3-venv is missing?)"
"$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 \
  libsonata h5py numpy || skip "pip could not install libsonata, h5py and numpy (no package index?)"
ready || skip "libsonata or h5py was installed but cannot be imported"
