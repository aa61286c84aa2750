// A user's own neuron model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tessera/neuron_model.hpp>

namespace my_neuron {

/// Quadratic integrate-and-fire with exponential post-synaptic currents.
[[nodiscard]] tessera::NeuronModel model();

}  // namespace my_neuron
