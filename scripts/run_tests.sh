#!/usr/bin/env bash
# Everything a change must pass: all tests; those of most rooms under sanitizers; a short fuzzing session.
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/run_tests.sh [release] [asan] [tsan] [fuzz]     default: release
# TESSERA_DATA_DIR: folder with optional validation data; tests that need it are skipped without.
# TESSERA_FUZZ_SECONDS: length of one fuzzing session (default 10).
# The last line is "N passed, N failed"; the exit code is 0 only when nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

stages=("$@")
[ ${#stages[@]} -eq 0 ] && stages=(release)
jobs=$(nproc 2>/dev/null || echo 2)
passed=0
failed=0
skipped=0
notes=()

# Rooms whose tests run on small networks and are worth the sanitizers' price. The release build runs
# every test on all instruction sets; here there are AVX2 and the baseline (src/CMakeLists.txt).
asan_rooms=(base comm kernels neurons plasticity network connectivity machine machine_file substrate engine record files model_file training_file results interchange train data)
# Rows are drawn and listed by one thread at a time; the engine tests build them side by side.
tsan_rooms=(base comm engine train data)

too_long='FullScale|InEveryMixture|HaveTheSameBitsOnAnyNumber|HaveTheWeightsOfSharedSamples|EquallyLikely|AreUniform|^Joint\.|AreIndependent$|TargetsDrawTheirSources|NumbersOfSynapses'

headline() { printf '\n=== %s ===\n' "$*"; }
stage_failed() { failed=$((failed + 1)); notes+=("FAILED: $*"); echo "FAILED: $*"; }

# Thread sanitizer of older compilers cannot live with highly randomised addresses.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2>/dev/null; then fixed_addresses=(setarch "$(uname -m)" -R); fi

# run_ctest BUILD_FOLDER STAGE [ctest options]: runs and adds to the counters.
run_ctest() {
  local folder=$1 stage=$2
  shift 2
  local report
  report=$(pwd)/build/ctest_$stage.xml
  rm -f "$report"
  "${fixed_addresses[@]}" ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$report" "$@"
  local status=$?
  if [ ! -f "$report" ]; then
    stage_failed "$stage: ctest did not finish (exit code $status)"
    return
  fi
  # The head of the report: tests="57" failures="0" disabled="0" skipped="2"
  local head number tests failures skips
  head=$(tr '\n' ' ' <"$report" | grep -o '<testsuite [^>]*>' | head -n 1)
  number() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" <<<"$head"; }
  tests=$(number tests) failures=$(number failures) skips=$(number skipped)
  passed=$((passed + tests - failures - skips))
  failed=$((failed + failures))
  skipped=$((skipped + skips))
  if [ "$failures" -gt 0 ]; then
    notes+=("FAILED: $failures of $tests tests of the $stage build")
    local name
    while read -r name; do notes+=("FAILED: $stage: $name"); done < <(
      sed -n '/status="fail"/s/.*<testcase name="\([^"]*\)".*/\1/p' "$report")
  fi
  [ "$skips" -gt 0 ] && notes+=("SKIPPED: $skips tests of the $stage build (they say why above)")
  if [ "$status" -ne 0 ] && [ "$failures" -eq 0 ]; then stage_failed "$stage: ctest exit code $status"; fi
}

build() {  # build PRESET [targets]
  local preset=$1
  shift
  local log=build/configure_$preset.log
  mkdir -p build
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log"
    return 1
  fi
  if grep -q 'tests of several processes: left out' "$log"; then
    notes+=("NOT RUN: tests of several processes ($preset), because there is no MPI or no mpirun (apt-get install libopenmpi-dev openmpi-bin)")
  fi
  if [ $# -gt 0 ]; then
    "${fixed_addresses[@]}" cmake --build "build/$preset" --target "$@"
  else
    "${fixed_addresses[@]}" cmake --build "build/$preset"
  fi
}

targets_of() {  # the test executables of those rooms that have tests
  local room
  for room in "$@"; do
    compgen -G "tests/$room/*.cpp" >/dev/null && echo "test_$room"
  done
}

sanitized() {  # sanitized PRESET rooms...
  local preset=$1
  shift
  headline "$preset build and tests"
  local targets
  mapfile -t targets < <(targets_of "$@")
  if [ ${#targets[@]} -eq 0 ]; then
    stage_failed "$preset: there are no tests to run"
    return
  fi
  if ! build "$preset" "${targets[@]}"; then
    stage_failed "the $preset build"
    return
  fi
  # Every test is labelled with its room. Full-scale networks would take too long here, and so would
  # tests that draw millions of times to see a distribution, or try every combination: shorter ones run the same lines.
  local labels
  labels=$(IFS='|' && echo "$*")
  run_ctest "build/$preset" "$preset" -L "^($labels)\$" -E "$too_long"
}

# fuzz_reader NAME: one session. Several run at once, so what it says comes in one piece at its end.
fuzz_reader() {
  local reader=$1 new_inputs=build/fuzz/corpus/$1 mark=build/fuzz/fuzz_$1.passed inputs log
  mkdir -p "$new_inputs"
  rm -f "$mark"
  inputs=("$new_inputs")
  [ -d "tests/fuzz/corpus/$reader" ] && inputs+=("tests/fuzz/corpus/$reader")
  [ -f "tests/fuzz/$reader.dict" ] && inputs+=(-dict="tests/fuzz/$reader.dict")
  if log=$("build/fuzz/tests/fuzz/fuzz_$reader" -max_total_time="${TESSERA_FUZZ_SECONDS:-10}" -timeout=10 \
    -rss_limit_mb=2048 -max_len=65536 -artifact_prefix=build/fuzz/ -verbosity=0 \
    -print_final_stats=1 "${inputs[@]}" </dev/null 2>&1); then
    touch "$mark"
    printf '%s\nfuzz_%s: no crash, no hang\n' "$log" "$reader"
  else
    printf '%s\n' "$log"
  fi
}

fuzz() {
  headline "fuzzing"
  if ! command -v clang++ >/dev/null 2>&1; then
    notes+=("NOT RUN: fuzzing, because clang is not installed (apt-get install clang)")
    return
  fi
  local sources
  mapfile -t sources < <(compgen -G 'tests/fuzz/fuzz_*.cpp')
  if [ ${#sources[@]} -eq 0 ]; then
    notes+=("NOT RUN: fuzzing, because tests/fuzz holds no fuzzer")
    return
  fi
  if ! build fuzz; then
    stage_failed "the fuzz build"
    return
  fi
  local readers reader
  mapfile -t readers < <(printf '%s\n' "${sources[@]}" | sed 's|.*/fuzz_||; s|\.cpp$||')
  export -f fuzz_reader
  printf '%s\0' "${readers[@]}" | xargs -0 -P "$jobs" -I{} bash -c 'fuzz_reader "$1"' _ {}
  for reader in "${readers[@]}"; do
    if [ -f "build/fuzz/fuzz_$reader.passed" ]; then
      passed=$((passed + 1))
    else
      stage_failed "fuzz_$reader found an input that breaks the reader (kept in build/fuzz)"
    fi
  done
}

for stage in "${stages[@]}"; do
  started=$SECONDS
  case $stage in
    release)
      headline "release build and tests"
      if build release; then run_ctest build/release release; else stage_failed "the release build"; fi ;;
    asan) sanitized asan "${asan_rooms[@]}" ;;
    tsan) sanitized tsan "${tsan_rooms[@]}" ;;
    fuzz) fuzz ;;
    *) echo "There is no stage '$stage'; choose from release, asan, tsan, fuzz." >&2; exit 2 ;;
  esac
  echo "($stage: $((SECONDS - started)) s)"
done

headline "summary"
for note in "${notes[@]}"; do echo "$note"; done
[ "$skipped" -gt 0 ] && echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
