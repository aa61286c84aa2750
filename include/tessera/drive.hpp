// What reaches a population from outside of the network, and whether it is enough: the facts behind
// "these populations are silent, because ...".
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tessera/network.hpp"

namespace tessera {

/// The input of a population of neurons that does not come from other populations of neurons,
/// during a window of time.
struct OutsideDrive {
  enum class Kind {
    none,      ///< no stimulus, no projection from a source
    constant,  ///< currents only
    random     ///< Poisson input or a source of spikes as well
  };
  Kind kind = Kind::none;
  /// Whether a neuron of the population that receives nothing but the mean of this input, as a
  /// smooth stream, spikes within a second. Where stimuli come and go the strongest moment counts;
  /// of a list of currents the largest one. Pulses of a source count while they are on.
  bool mean_reaches_threshold = false;
};

/// `from_ms` to `until_ms`, in model time: stimuli and sources that are off in all of it do not
/// count. `population` must be a population of neurons of a valid network whose model is in
/// `models`. Advances one neuron by its scalar equation, for a second of each of at most a hundred
/// moments; draws nothing.
[[nodiscard]] OutsideDrive outside_drive(const Network& network, const Population& population,
                                         const NeuronCatalogue& models, double from_ms,
                                         double until_ms);

}  // namespace tessera
