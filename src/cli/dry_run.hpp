// One rank of many, built here without the others: what it takes, and what the whole machine would need.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/network.hpp"
#include "tessera/simulation.hpp"

namespace tessera::cli {

/// What one rank of a dry run took. Sizes and times are of this rank.
struct DryRun {
  int ranks = 1, rank = 0;
  std::uint64_t network_neurons = 0;
  double network_synapses = 0.0;
  Plan plan;
  std::uint64_t synapses = 0;      ///< built; of procedural connectivity expected
  double construction_seconds = 0.0;
  std::uint64_t peak_resident_bytes = 0;
  double imbalance = 1.0;          ///< load of the busiest rank over the mean
  std::uint64_t idle_ranks = 0;    ///< without neurons
  double step_seconds = 0.0;       ///< predicted
  double real_time_factor = 0.0;   ///< predicted
};

/// `plan --ranks`: builds the ranks, prints what they took and writes the files asked for. `problems`: found before.
int plan_ranks(const PlanArguments& arguments, Problems& problems);

/// Numbers of ranks, "1,64,1024".
[[nodiscard]] std::vector<int> parse_ranks(const std::string& text, Problems& problems);
/// A positive number of a unit that is fixed; `value` becomes so many times `factor`.
void parse_cost(const Text& text, const char* option, const char* unit, double factor, double& value, Problems& problems);

/// The object that --json writes for one rank.
[[nodiscard]] std::string dry_run_json(const DryRun& run);
/// The same back from text.
[[nodiscard]] DryRun dry_run_of(const std::string& json);
/// Construction time, memory per rank and predicted real-time factor over ranks.
[[nodiscard]] std::string scaling_svg(const std::string& title, const std::vector<DryRun>& runs);

}  // namespace tessera::cli
