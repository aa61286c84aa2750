// Training through an emulated chip: a machine (tessera/machine_description.hpp) and a partition of the network onto it
// (tessera/partition.hpp). The forward pass of the layers on the substrate runs part by part with the chip's arithmetic,
// the backward pass is ideal, at the spikes and membranes that were recorded. docs/partitioned-training.md has the
// equations.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/machine_description.hpp"
#include "tessera/partition.hpp"
#include "tessera/training.hpp"

namespace tessera::training {

struct Substrate {
  MachineDescription machine;
  Partition partition;  ///< of the layers of the network that is trained; those that are not on the substrate need none
  std::uint64_t seed = 1;  ///< of the fixed patterns of the chips and of the noise of their runs
};

/// What an emulation can do without, for experiments: weights that are whole, clocks and limits of events, fixed
/// patterns, noise, converters that read membranes.
enum class SubstrateEffect { weights, events, pattern, noise, readout };

/// Words of effects: "weights", "events", "pattern", "noise", "readout".
[[nodiscard]] std::string to_string(SubstrateEffect effect);

/// Switches all effects off that are not among `wanted`: what they concern is ideal then.
void keep_effects(const std::vector<SubstrateEffect>& wanted, MachineDescription& machine);

/// A number that two substrates share when they compute alike: a training is resumed only with its own.
[[nodiscard]] std::uint64_t digest(const Substrate& substrate);

/// All problems of training a network on a substrate: layers that the emulation cannot run, a partition that misses
/// or repeats neurons, a clock that does not fit the steps. The network must be valid.
[[nodiscard]] std::vector<Problem> validate(const Network& network, const Options& options, const Substrate& substrate);

}  // namespace tessera::training
