// On what a simulation's steps run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "kernels/cuda/machine.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// The device that the options ask for; null: the processor. Throws InputError with all obstacles where a
/// device is asked for that is not there or cannot run the network.
[[nodiscard]] std::unique_ptr<gpu::Machine> choose_device(const Network& network, const NeuronCatalogue& models,
                                                          const SimulationOptions& options);

}  // namespace tessera
