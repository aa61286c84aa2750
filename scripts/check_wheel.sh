#!/usr/bin/env bash
# Installs a wheel into a fresh environment and runs the first network and the command with it; prints which libraries it brings.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/check_wheel.sh WHEEL [PYTHON]     PYTHON: default the system's
set -euo pipefail
wheel=$(realpath "$1")
python=${2:-$("$(dirname "$0")/bench_python.sh")}
largest=15000000  # bytes
size=$(stat -c %s "$wheel")
echo "$(basename "$wheel"): $size bytes"
[ "$size" -lt $largest ] || { echo "The wheel has $size bytes; it must stay below $largest." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check "$wheel"
cd "$folder"  # the source must not be what is found
"$folder/python/bin/python" -m zipfile -l "$wheel" | sed -n 's|^tessera\.libs/\(\S\S*\).*|  brings \1|p'
"$folder/python/bin/python" - <<'PYTHON'
import tessera

net = tessera.Network()
cells = net.population("cells", 1000, "iaf_psc_exp", tau_m="10 ms")
net.connect(cells, cells, "fixed_indegree", number=100, weight="-100 pA", delay="1.5 ms")
net.poisson(cells, rate="10 kHz", weight="80 pA")
sim = net.simulate("1 s")
print(tessera.__version__, sim.rates(), len(sim.spikes["cells"]), "spikes")
assert 1 < sim.rates()["cells"] < 100
PYTHON
"$folder/python/bin/tessera" --version
"$folder/python/bin/tessera" models iaf_psc_exp >/dev/null
echo "passed"
