#!/usr/bin/env bash
# The figures of docs/performance.md: real-time factor, construction and memory of the microcircuit.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/run_benchmarks.sh [REPETITIONS] [THREADS]     default: 3 repetitions, all cores
# Variants alternate, so that a slow minute of the machine hits all of them. Runs take 10 s of model
# time each; leave the machine alone meanwhile. Reports stay in results/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
repetitions=${1:-3}
threads=${2:-$(nproc)}
tessera=build/release/tessera
model=models/microcircuit/microcircuit.toml
variants=("stored" "procedural" "procedural --no-count-table"
          "stored --set drive=poisson" "procedural --set drive=poisson" "stored --record spikes")

field() {  # field REPORT KEY: a number of a report, wherever it stands
  sed -n "s/.*\"$2\": *\([-+.eE0-9]*\).*/\1/p" "$1" | head -n 1
}

printf '%-34s %4s %10s %12s %10s  %s\n' variant run rtf 'build (s)' 'peak (MB)' digest
for ((repetition = 1; repetition <= repetitions; repetition++)); do
  for variant in "${variants[@]}"; do
    out=results/bench/$(tr -s ' =-' '_' <<<"$variant")_$repetition
    record=(--record none)
    [[ $variant == *--record* ]] && record=()
    # shellcheck disable=SC2086  # a variant is several words on purpose
    "$tessera" run "$model" --time 10s --threads "$threads" --connectivity $variant "${record[@]}" \
      --out "$out" --force --quiet >/dev/null
    report=$out/report.json
    printf '%-34s %4d %10.3f %12.2f %10.0f  %s\n' "$variant" "$repetition" \
      "$(field "$report" real_time_factor)" "$(field "$report" construction_seconds)" \
      "$(awk "BEGIN {print $(field "$report" peak_resident_bytes) / 1e6}")" \
      "$(sed -n 's/.*"digest": *"\{0,1\}\([0-9a-fx]*\).*/\1/p' "$report" | head -n 1)"
  done
done
if [ -x build/release/bench/bench_kernels ]; then build/release/bench/bench_kernels; fi
