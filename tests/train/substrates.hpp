// Partitions and machines for the tests of training on substrates.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/substrate.hpp"

namespace tessera::training {

/// Every layer in runs of at most `neurons`, one run after the other on `chips` chips. `together`: the last run of a
/// layer also has the first neurons of the next one.
inline Partition divide(const Network& network, std::uint32_t neurons, std::uint32_t chips = 1, bool together = false) {
  Partition partition;
  partition.training = true;
  partition.chips = chips;
  const std::vector<Shape> shapes = layer_shapes(network);
  for (std::uint32_t k = 0; k < shapes.size(); ++k) {
    PartitionedPopulation population;
    population.name = network.layers[k].name;
    population.index = k;
    population.size = static_cast<std::uint32_t>(shapes[k].size());
    population.circuits = k == 0 ? 2 : 1;
    partition.populations.push_back(population);
    for (std::uint32_t first = 0; first < population.size; first += neurons) {
      PartitionSlice slice;
      slice.population = k;
      slice.first = first;
      slice.count = std::min(neurons, population.size - first);
      if (!(together && first == 0 && k > 0)) {
        PartitionRun run;
        run.chip = static_cast<std::uint32_t>(partition.runs.size()) % chips;
        partition.runs.push_back(std::move(run));
      }
      partition.runs.back().slices.push_back(slice);
    }
  }
  return partition;
}

/// Neurons of the first layer taken in turns of three by two runs, the rest in one run each.
inline Partition deal(const Network& network) {
  Partition partition = divide(network, 1 << 16);
  PartitionRun one, other;
  const std::uint32_t size = partition.populations[0].size;
  for (std::uint32_t first = 0, k = 0; first < size; first += 3, ++k) {
    (k % 2 == 0 ? one : other).slices.push_back({0, first, std::min(3U, size - first)});
  }
  partition.runs[0] = other;
  partition.runs.insert(partition.runs.begin(), one);
  return partition;
}

inline std::shared_ptr<Substrate> on(Partition partition, MachineDescription machine = {}) {
  auto substrate = std::make_shared<Substrate>();
  substrate->partition = std::move(partition);
  substrate->machine = std::move(machine);
  substrate->machine.circuits.per_tile = 512;
  return substrate;
}

}  // namespace tessera::training
