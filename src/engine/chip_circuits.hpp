// The circuits of chips whose neurons differ from each other and from run to run: every one has constants of its own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/neuron_block.hpp"
#include "tessera/errors.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera {

/// What a machine adds to neurons beyond their weights and events.
[[nodiscard]] bool circuits_differ(const MachineDescription& machine);

/// What of it the neurons of a network cannot have.
[[nodiscard]] std::vector<Problem> circuit_problems(const Network& network, const NeuronCatalogue& models, const MachineDescription& machine);

/// The number of a run for noise: networks with another seed have other noise.
[[nodiscard]] std::uint32_t noise_run(std::uint64_t network_seed);

/// With theta = V_th - E_L, and x as substrate::draw_pattern() has it for the chip of the run and the neuron's first
/// circuit: V_th + theta (x + that of this run), E_L + theta x, tau (1 + x), input times 1 + x. The threshold stays theta / 20
/// above leak and reset, time constants at 1 / 20 of themselves. By the neuron's number in its population.
class ChipCircuits {
 public:
  ChipCircuits(const Network& network, const NeuronCatalogue& models, const std::vector<PopulationKernel>& kernels,
               const PartitionedOptions& options, const PartitionRun& run);
  [[nodiscard]] const PopulationKernel* kernel(std::uint32_t population, std::uint32_t neuron) const;

 private:
  struct Key {
    std::uint32_t population, neuron;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  std::map<Key, PopulationKernel> kernels_;
};

/// Noise of the membranes; distances are 0 where there is none.
[[nodiscard]] MembraneNoise membrane_noise(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options);

}  // namespace tessera
