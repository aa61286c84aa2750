// A folder with a network, its spikes and membrane traces made with NEST, and the comparison with
// ours.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tessera::nest_cases {

struct Connection {
  std::uint32_t source, target;
  double weight;
  std::uint32_t delay_steps;
};
struct SpikeAt {
  std::uint32_t step, id;  // the step is the end of the interval in which the threshold was crossed
  auto operator<=>(const SpikeAt&) const = default;
};
struct MembraneSample {
  std::uint32_t step, id;
  double v_mV;
};

/// The files of one case: case.json, connections.csv, neurons.csv, spikes.csv, membrane.csv.
struct NestCase {
  std::string name, model;
  std::map<std::string, double> parameters;
  std::uint32_t neurons = 0;
  double dt_ms = 0.1;
  std::uint32_t steps = 0;
  std::vector<Connection> connections;
  std::vector<double> current_pA, initial_v_mV;  // one per neuron
  std::vector<SpikeAt> spikes;                   // sorted
  std::vector<MembraneSample> membrane;          // in the order of time
};

/// Reads and checks a folder. Throws InputError with a sentence for anything that is not a case.
[[nodiscard]] NestCase read_case(const std::filesystem::path& folder);

/// What a simulation of a case gave: spikes (any order) and V_m of the traced neurons, in the order
/// of NestCase::membrane.
struct Outcome {
  std::vector<SpikeAt> spikes;
  std::vector<double> v_mV;
};

struct Comparison {
  std::int64_t first_difference = -1;  ///< first step whose spikes differ; -1: none
  std::size_t spikes = 0, nest_spikes = 0;
  double largest_deviation_mV = 0.0;       ///< over all samples
  double deviation_before_spike_mV = 0.0;  ///< over samples before the traced neuron's first spike
};
[[nodiscard]] Comparison compare(const NestCase& nest, const Outcome& outcome);

/// True for the models that are integrated exactly (currents), false for the conductance models.
[[nodiscard]] bool integrated_exactly(const NestCase& nest);

/// What is outside the bounds, one sentence each; empty when the comparison holds. Exactly
/// integrated models: equal spikes for 500 ms, traces to 1e-9 mV. Conductance models: spike counts
/// within 1 %, traces to 1e-3 mV before the first spike.
[[nodiscard]] std::vector<std::string> out_of_bounds(const NestCase& nest, const Comparison& found);

}  // namespace tessera::nest_cases
