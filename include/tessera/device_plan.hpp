// What a simulation will need of a GPU's memory, before anything is built.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/simulation.hpp"

namespace tessera {

struct DevicePlan {
  std::string device;                   ///< "cuda:0 NAME", "emulated"; "cpu": the steps run on the processor
  std::uint32_t blocks = 0;             ///< one per multiprocessor
  std::uint32_t neurons_per_block = 0;  ///< the most of any block
  std::uint64_t image_bytes = 0;        ///< of a block: state, constants and, with stored rows, its ring of input
  std::uint64_t shared_bytes = 0;       ///< that a block can have; 0: unknown
  bool in_shared_memory = false;        ///< images fit there; larger ones stay in the GPU's memory
  std::int64_t launch_steps = 0;        ///< steps of a launch at most
  std::vector<PlannedMemory> memory;
  std::uint64_t memory_bytes = 0;       ///< in all
  std::uint64_t available_bytes = 0;    ///< 0: unknown
  std::vector<std::string> obstacles;   ///< what keeps the network from running there, a sentence each; empty: nothing
  std::vector<std::string> notes;
};

/// The plan for the device that options.device names; of Device::Kind::automatic that of the GPU that would be taken. Where
/// there is no such GPU, that of one with 132 multiprocessors, and a note. Throws InputError for an invalid network.
[[nodiscard]] DevicePlan plan_on_device(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options);

}  // namespace tessera
