#!/usr/bin/env bash
# Does the second threshold cost accuracy? Every model is trained with it (sparse strategy) and with the full
# gradient of every neuron (dense strategy), over several seeds: test accuracy, and epochs to 95 % of the final one.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/compare_strategies.sh DATA_FOLDER [MODEL[:EPOCHS] ...]    default: yin_yang mnist:6 nmnist
# SEEDS: how many (default 5). Results stay in results/strategies/. The last lines are means and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?data folder}
shift
[ $# -gt 0 ] || set -- yin_yang mnist:6 nmnist
tessera=build/release/tessera
out=results/strategies
mkdir -p "$out"

number() { sed -n "s/.*\"$2\": *\([-+.eE0-9]*\).*/\1/p" "$1" | tail -n 1; }
# When the validation accuracy reaches 95 % of the last epoch's, interpolated between epochs from 0 before the first.
epochs_needed() {
  awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "validation_accuracy") column = i; next}
           {value[NR - 1] = $column; last = NR - 1}
           END {goal = 0.95 * value[last]
                for (k = 1; k <= last; k++) if (value[k] >= goal) {
                  printf "%.2f", k - 1 + (goal - value[k - 1]) / (value[k] - value[k - 1]); exit}}' "$1"
}

printf '%-12s %4s %16s %16s %8s %8s\n' model seed 'sparse accuracy' 'dense accuracy' 'epochs' 'epochs'
for entry in "$@"; do
  model=${entry%%:*}
  epochs=()
  [[ $entry == *:* ]] && epochs=(--epochs "${entry##*:}")
  # The same training with every neuron listed: theta_grad stays at minus infinity.
  full=$out/${model}_full.toml
  sed '/^\[second_threshold\]/,/^$/d' "models/training/$model.toml" >"$full"
  printf '\n[second_threshold]\nstart = -inf\nrate = 0\n' >>"$full"
  rows=""
  for ((seed = 1; seed <= ${SEEDS:-5}; seed++)); do
    "$tessera" train "models/training/$model.toml" --data "$data" --seed "$seed" --strategy sparse \
      --out "$out/${model}_sparse_$seed" --force --quiet "${epochs[@]}" >/dev/null
    "$tessera" train "$full" --data "$data" --seed "$seed" --strategy dense \
      --out "$out/${model}_dense_$seed" --force --quiet "${epochs[@]}" >/dev/null
    row="$(number "$out/${model}_sparse_$seed/report.json" accuracy) $(number "$out/${model}_dense_$seed/report.json" accuracy)"
    row+=" $(epochs_needed "$out/${model}_sparse_$seed/metrics.csv") $(epochs_needed "$out/${model}_dense_$seed/metrics.csv")"
    # shellcheck disable=SC2086  # four numbers on purpose
    printf '%-12s %4d %16s %16s %8s %8s\n' "$model" "$seed" $row
    rows+="$row"$'\n'
  done
  awk -v model="$model" 'NF == 4 {s += $1; d += $2; a += $3; b += $4; n++}
    END {printf "%-12s mean %16.4f %16.4f %8.1f %8.1f   accuracy ratio %.4f, epochs ratio %.2f\n",
         model, s / n, d / n, a / n, b / n, s / d, a / b}' <<<"$rows"
done
