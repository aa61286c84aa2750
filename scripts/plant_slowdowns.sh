#!/usr/bin/env bash
# Does tessera-bench find what it should? Sessions with a planted slowdown of 5 and of 10 % in delivery, sessions of a
# program against itself (every other one beside a build), and the replay of a record. For a machine left alone.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/plant_slowdowns.sh [SIZE] [BUDGET]     default: medium, 10min a session; 3 hours at most in all
# No instructions are counted: times alone have to find it. The last lines are the table.
set -euo pipefail
cd "$(dirname "$0")/.."
size=${1:-medium}
budget=${2:-10min}
out=results/bench/planted
mkdir -p "$out"
bench/make_environment.sh "$(scripts/bench_python.sh)" build/bench_python
tessera_bench=build/bench_python/bin/tessera-bench

build() {  # build PERCENT: a program whose delivery is slower by that
  cmake -S . -B "build/planted_$1" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O3 -DNDEBUG" \
    -DTESSERA_TESTS=OFF -DTESSERA_BENCH=OFF -DTESSERA_PLANTED_SLOWDOWN="$1" >"$out/configure_$1.log"
  cmake --build "build/planted_$1" --target tessera_cli >"$out/build_$1.log"
}
for percent in 0 5 10; do build "$percent"; done

session() {  # session NAME HEAD: one comparison; its words go to NAME.txt
  $tessera_bench compare build/planted_0/tessera "build/planted_$2/tessera" --case delivery --size "$size" \
    --budget "$budget" --no-instructions --store "$out/records.jsonl" >"$out/$1.txt" 2>"$out/$1.log"
  head -n 3 "$out/$1.txt"
}
neighbour() {  # builds the same files over and over, on all cores, until it is ended
  while true; do
    cmake --build build/planted_neighbour --target clean >/dev/null 2>&1 || true
    CCACHE_DISABLE=1 cmake --build build/planted_neighbour --target tessera_cli >/dev/null 2>&1 || true
  done
}
for k in 1 2 3 4 5 6; do session "five_$k" 5; done
for k in 1 2 3 4; do session "ten_$k" 10; done
cmake -S . -B build/planted_neighbour -G Ninja -DCMAKE_BUILD_TYPE=Release -DTESSERA_TESTS=OFF -DTESSERA_BENCH=OFF \
  >"$out/configure_neighbour.log"
for k in 1 2 3 4 5 6 7 8 9 10; do
  builder=
  if [ $((k % 2)) -eq 0 ]; then
    setsid bash -c "$(declare -f neighbour); neighbour" &
    builder=$!
  fi
  session "same_$k" 0
  if [ -n "$builder" ]; then kill -- "-$builder" 2>/dev/null || true; fi
done

$tessera_bench run --case delivery --size "$size" --program build/planted_0/tessera --repeat 10 --store "$out/replay.jsonl"
record=$(sed -n '1s/^{"hash":"\([0-9a-f]*\)".*/\1/p' "$out/replay.jsonl")
$tessera_bench replay "$record" --program build/planted_0/tessera --store "$out/replay.jsonl" | tee "$out/replay.txt"

echo
echo "verdicts (REGRESSED IMPROVED EQUIVALENT INCONCLUSIVE)"
for kind in five ten same; do
  printf '%-5s' "$kind"
  for word in REGRESSED IMPROVED EQUIVALENT INCONCLUSIVE; do
    printf ' %2d' "$(head -q -n 1 "$out/$kind"_*.txt | grep -c ": $word " || true)"
  done
  echo
done
