// topographic_map_case [SEEDS]: runs models/topographic_map for 60 s with so many seeds (10) and prints all figures beside
// those of an independent program. Exits with 1 when one is more than three standard deviations away.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <exception>

#include "plasticity/topographic_map.hpp"

int main(int argc, char** argv) {
  using namespace tessera::test;
  const long seeds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 10;
  if (argc > 2 || seeds < 2 || seeds > 1000) {
    fmt::print(stderr, "usage: topographic_map_case [SEEDS], 2 to 1000\n");
    return 2;
  }
  try {
    bool near = true;
    for (const MapCase& which : map_cases()) {
      std::vector<MapRun> runs;
      for (long seed = 1; seed <= seeds; ++seed) runs.push_back(run_map(which, static_cast<std::uint64_t>(seed)));
      fmt::print("{}\n{:36}{:>12}{:>9}{:>12}{:>9}{:>6}\n", which.name, "", "mean", "SD", "reference", "SD", "SDs");
      for (const Deviation& d : deviations(which, runs)) {
        fmt::print("  {:34}{:>12.3f}{:>9.3f}{:>12.3f}{:>9.3f}{:>6.1f}\n", d.what, d.mean, d.sd, d.expected, d.expected_sd, d.in_sd);
        near = near && d.in_sd <= 3.0;
      }
    }
    return near ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "topographic_map_case: {}\n", error.what());
    return 2;
  }
}
