// models/topographic_map beside another program: a C++ program written for this model alone, from the equations and the
// published code of Knight, Senk and Nowotny (2025), run with 3 to 5 seeds.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tessera/model_file.hpp"

namespace tessera::test {

/// Figures of a map after 60 s: of one of its projections, and the rate of the target neurons.
struct MapFigures {
  double per_neuron;          ///< synapses
  double weight, weak;        ///< mean over g_max; part of the synapses below half of it
  double width, weighted_width;  ///< of a neuron's sources around its own place, along an axis in grid units: mean over neurons
  double formed, eliminated;
  double rate_hz;
};

/// What the other program gives: mean and standard deviation over its seeds.
struct ExpectedFigure {
  const char* what;
  double MapFigures::* figure;
  double mean, sd;
};

/// One way to run the model.
struct MapCase {
  const char* name;
  std::vector<ParameterOverride> overrides;
  std::vector<ExpectedFigure> feed_forward, lateral;
};

[[nodiscard]] std::span<const MapCase> map_cases();

/// Feed-forward and lateral figures of one seed.
struct MapRun {
  MapFigures feed_forward, lateral;
};
[[nodiscard]] MapRun run_map(const MapCase& which, std::uint64_t seed);

/// How far the mean of figures over seeds is from what is expected, in standard deviations over seeds: the larger one of
/// the two programs, since so few seeds underestimate it.
struct Deviation {
  std::string what;
  double mean, sd;           ///< ours
  double expected, expected_sd;
  double in_sd;
};
[[nodiscard]] std::vector<Deviation> deviations(const MapCase& which, std::span<const MapRun> runs);

}  // namespace tessera::test
