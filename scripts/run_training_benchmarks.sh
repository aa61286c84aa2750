#!/usr/bin/env bash
# The training figures of docs/performance.md: a batch at fixed activities, and epochs of SHD's size.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/run_training_benchmarks.sh [REPETITIONS]     default: 2 rounds
# Programs take turns within a round, so that a slow minute of the machine hits all of them. Files of
# 350 MB and reports stay in results/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-2}
bench=build/release/bench/bench_training
speech=results/bench/speech

[ -f "$speech/shd/shd_test.h5" ] || build/release/bench/bench_speech "$speech"
$bench header=1 repetitions=1 | sed -n 1p
for ((round = 1; round <= rounds; round++)); do
  for layers in 2 3 5; do
    for activity in 0.05 0.02 0.01; do
      $bench layers=$layers activity=$activity repetitions=9 | tail -n 1
    done
    $bench layers=$layers strategy=dense repetitions=3 | tail -n 1
  done
  for activity in 0.05 0.02 0.01; do
    $bench recurrent=1 layers=1 neurons=1024 inputs=700 activity=$activity repetitions=9 | tail -n 1
  done
  for model in shd_recurrent shd; do
    out=results/bench/${model}_$round
    build/release/tessera train models/training/$model.toml --data "$speech" --epochs 3 \
      --out "$out" --force --quiet
    printf '%s, samples/s in epochs 1, 2, 3: ' "$model"
    awk -F, 'NR == 1 { for (k = 1; k <= NF; ++k) if ($k == "samples_per_second") column = k; next }
             { printf "%.0f ", $column } END { print "" }' "$out/metrics.csv"
  done
done
