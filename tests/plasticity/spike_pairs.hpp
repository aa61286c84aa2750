// One synapse whose two neurons spike at given times, run through the engine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tessera/simulation.hpp"

namespace tessera::test {

struct SpikePairs {
  std::string rule;
  std::map<std::string, double> parameters;
  double dt_ms = 0.1, delay_ms = 1.0, axonal_delay_ms = 0.0;
  double weight = 1.0;
  std::vector<double> pre_ms, post_ms;
  std::vector<double> modulator_ms = {};  ///< spikes of the modulator; empty: there is none
  double modulator_delay_ms = 1.0;
};

/// A case of the published layout: "rule", "params", "dt", "delay", "w0", "pre", "post" (with a third factor also "modulator",
/// "modulator_delay"). The rule may have the name of a
/// special case (stdp_additive, stdp_multiplicative, stdp_guetig).
[[nodiscard]] SpikePairs spike_pairs_of(const nlohmann::json& entry);

/// The network: a source with the spikes `pre`, a neuron that a strong second source makes spike at the times `post`,
/// and the plastic projection "synapse" between them.
[[nodiscard]] Network network_of(const SpikePairs& pairs);

/// The weight at each of these times, ascending, spikes of that time included.
[[nodiscard]] std::vector<double> weights_at(const SpikePairs& pairs, const std::vector<double>& times_ms, Precision precision);

/// What each presynaptic spike adds to the membrane potential when it arrives (exact precision).
[[nodiscard]] std::vector<double> transmitted(const SpikePairs& pairs);

}  // namespace tessera::test
