#!/usr/bin/env bash
# All cases of tessera-bench with what was built here: records, and a report of them. docs/benchmarking.md says more.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/run_benchmarks.sh [REPETITIONS] [SIZE] [MACHINE]     default: 3 repetitions, full, local
# Cases take turns, so that a slow minute of the machine hits all of them. Leave the machine alone meanwhile.
# Records are added to results/bench/records.jsonl; results/bench/report.html shows them.
set -euo pipefail
cd "$(dirname "$0")/.."
bench/make_environment.sh "$(scripts/bench_python.sh)" build/bench_python
tessera_bench=build/bench_python/bin/tessera-bench
status=0
$tessera_bench run --all --size "${2:-full}" --machine "${3:-local}" --repeat "${1:-3}" --allow-missing || status=$?
if [ -f results/bench/records.jsonl ]; then $tessera_bench report; fi
exit "$status"
