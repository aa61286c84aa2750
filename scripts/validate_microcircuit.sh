#!/usr/bin/env bash
# Full-density microcircuit against the reference: three seeds, stored and procedural, 1 and 2 threads.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/validate_microcircuit.sh [SEED ...]     default: 1 2 3; about a minute per seed
# The statistics are taken once per seed; all other runs must have the same digest, so the same spikes.
set -euo pipefail
cd "$(dirname "$0")/.."
tessera=build/release/tessera
model=models/microcircuit/microcircuit.toml
failed=0
digest() { sed -n 's/.*"digest": *"\([0-9a-f]*\)".*/\1/p' "$1/report.json" | head -n 1; }

[ $# -gt 0 ] || set -- 1 2 3
for seed in "$@"; do
  out=results/validation/seed_$seed
  "$tessera" run "$model" --time 10.5s --discard 500ms --seed "$seed" --threads 2 --connectivity procedural \
    --record spikes --out "$out" --force --quiet >/dev/null
  wanted=$(digest "$out")
  echo "seed $seed, digest $wanted"
  "$tessera" stats "$out" --reference models/microcircuit/reference || failed=1
  for variant in "stored --threads 2" "stored --threads 1" "procedural --threads 1"; do
    # shellcheck disable=SC2086  # a variant is several words on purpose
    "$tessera" run "$model" --time 10.5s --seed "$seed" --connectivity $variant --record none \
      --out "$out/other" --force --quiet >/dev/null
    found=$(digest "$out/other")
    if [ "$found" = "$wanted" ]; then echo "same spikes: $variant"; else echo "DIFFERENT spikes: $variant ($found)"; failed=1; fi
  done
done
exit "$failed"
