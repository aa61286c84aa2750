#!/usr/bin/env bash
# The prepared run for a machine with a GPU that is at hand for minutes: tests, sanitizer, digests against
# the processor, the speed of the microcircuit, what bounds the GPU, and how the processor scales.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/gpu_check.sh OUT [PROGRAMS] [PART...]
# Writes everything into the folder OUT; summary.txt is what to read. PROGRAMS is a folder with tessera,
# test_device, bench_training and gpu_floors (and their libraries in PROGRAMS/lib); without it they are built
# here. Parts: build tests sanitize microcircuit networks floors threads; default: all. Every part has a time limit and may fail
# without harm to the others; all together stay under eight minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${1:?Usage: scripts/gpu_check.sh OUT [PROGRAMS] [PART...]}
programs=${2:-}
shift $(($# > 1 ? 2 : 1))
parts=${*:-build tests sanitize microcircuit networks floors threads}
mkdir -p "$out"
summary=$out/summary.txt
model=models/microcircuit/microcircuit.toml
: > "$summary"

say() { printf '%s\n' "$*" | tee -a "$summary"; }
wants() { [[ " $parts " == *" $1 "* ]]; }
# step NAME SECONDS COMMAND...: its output goes to OUT/NAME.log, what became of it into the summary.
step() {
  local name=$1 limit=$2 begin=$SECONDS
  shift 2
  timeout "$limit" "$@" > "$out/$name.log" 2>&1
  local status=$?
  say "$(printf '%-28s exit %d after %d s' "$name" $status $((SECONDS - begin)))"
  return $status
}
# What a report says, as one line.
show() {
  python3 - "$1" <<'PY' | tee -a "$summary"
import json, sys
r = json.load(open(sys.argv[1] + "/report.json"))
c = r["counts"]
phases = " ".join("%s %.3f" % (k, v["seconds"]) for k, v in r["phases"].items())
print("  %-44s factor %.4f  digest %s  spikes %d  construction %.2f s  phases (s): %s"
      % (sys.argv[1].split("/")[-1] + " on " + r["device"], r["real_time_factor"], r["digest"], c["spikes"],
         r["construction_seconds"], phases))
PY
}
# simulate NAME SECONDS OPTIONS...
simulate() {
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$tessera" run "$model" --out "$out/runs/$name" --force --quiet "$@" && show "$out/runs/$name"
}

{ nvidia-smi; lscpu; free -g; nvcc --version; } > "$out/machine.txt" 2>&1
say "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo 'no GPU')"

if [ -z "$programs" ]; then
  programs=$out/programs
  mkdir -p "$programs/lib"
  if wants build; then
    step configure 60 cmake -B "$out/build" -G Ninja -DCMAKE_BUILD_TYPE=Release
    step build 400 cmake --build "$out/build" --target tessera_cli test_device bench_training
    cp "$out"/build/tessera "$out"/build/tests/test_device "$out"/build/bench/bench_training "$programs" 2>/dev/null
    step build_floors 60 nvcc -O3 -std=c++20 -arch=native bench/gpu_floors.cu -o "$programs/gpu_floors"
  fi
fi
programs=$(cd "$programs" && pwd)
tessera=$programs/tessera
export LD_LIBRARY_PATH=$programs/lib:${LD_LIBRARY_PATH:-}

if wants tests; then
  step info 20 "$tessera" info
  grep GPU "$out/info.log" | tee -a "$summary"
  step test_device 120 "$programs/test_device" --gtest_filter='Cuda.*' --gtest_brief=1
  tail -n 3 "$out/test_device.log" | tee -a "$summary"
fi

if wants microcircuit; then
  # Equal digests mean equal spikes: 10 s on the processor and on the GPU.
  simulate dc_cpu 60 --time 10s --record none --connectivity stored
  simulate dc_cuda_1 60 --time 10s --record none --device cuda
  if [ -f "$out/runs/dc_cuda_1/report.json" ]; then
    for k in 2 3 4 5; do simulate dc_cuda_$k 30 --time 10s --record none --device cuda; done
    simulate dc_cuda_recorded 30 --time 10s --device cuda
    for k in 1 2 3; do simulate drawn_cuda_$k 30 --time 10s --record none --device cuda --connectivity procedural; done
    simulate poisson_cpu 60 --time 1s --record none --connectivity stored --set drive=poisson
    simulate poisson_cuda_1s 30 --time 1s --record none --device cuda --set drive=poisson
    for k in 1 2 3; do simulate poisson_cuda_$k 30 --time 10s --record none --device cuda --set drive=poisson; done
  fi
fi

if wants networks; then
  # Other models, sources, rules, images that no shared memory holds: every pair of digests is equal.
  for where in cpu cuda; do
    model=models/balanced/brunel.toml simulate brunel_$where 30 --time 500ms --record none --device $where
    model=models/balanced/balanced.toml simulate balanced_$where 30 --time 200ms --record none --device $where
    simulate thalamus_$where 30 --time 800ms --record none --device $where --set thalamus=true
    simulate thalamus_drawn_$where 30 --time 800ms --record none --device $where --set thalamus=true --connectivity procedural
    model=models/multi_area/multi_area.toml simulate areas_$where 45 --set tables=stand_in --set scale=0.02 --time 100ms --record none \
      --device $where --connectivity procedural
  done
  simulate dc_cuda_state 30 --time 2s --record V_m:L4E:1000:1ms --device cuda
  step plan_cuda 30 "$tessera" plan "$model" --device cuda
fi

if wants sanitize && command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck; do
    for connectivity in stored procedural; do
      step sanitize_${tool}_$connectivity 45 compute-sanitizer --tool $tool --error-exitcode 9 "$tessera" run "$model" \
        --set scale=0.02 --set drive=poisson --time 10ms --device cuda --connectivity $connectivity --record none --quiet --force \
        --out "$out/runs/sanitize"
      grep -E "ERROR SUMMARY|RACECHECK SUMMARY" "$out/sanitize_${tool}_$connectivity.log" | tail -n 1 | tee -a "$summary"
      # A source of spikes, recorded state, alpha-shaped currents, rows written down beside drawn ones.
      step sanitize_${tool}_${connectivity}_any 45 compute-sanitizer --tool $tool --error-exitcode 9 "$programs/test_device" \
        --gtest_filter="Cuda.Sanitize_$connectivity" --gtest_brief=1
      grep -E "ERROR SUMMARY|RACECHECK SUMMARY" "$out/sanitize_${tool}_${connectivity}_any.log" | tail -n 1 | tee -a "$summary"
    done
  done
fi

if wants floors; then
  step floors 60 "$programs/gpu_floors"
fi

if wants threads; then
  for threads in 1 2 4 8 16; do
    for connectivity in stored procedural; do
      simulate threads_${threads}_$connectivity 40 --time 3s --seed 1 --record none --threads $threads --connectivity $connectivity
    done
    for activity in 0.05 0.02 0.01; do
      step training_${threads}_$activity 20 "$programs/bench_training" layers=2 activity=$activity repetitions=5 threads=$threads
      tail -n 1 "$out/training_${threads}_$activity.log" | tee -a "$summary"
    done
  done
fi

rm -rf "$out/build"
say "done after $SECONDS s"
