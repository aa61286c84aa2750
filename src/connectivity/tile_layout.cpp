// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/tile_layout.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/draw_rows.hpp"

namespace tessera {
namespace {

std::uint32_t padded(std::uint32_t size) {
  const auto padding = static_cast<std::uint32_t>(kNeuronPadding);
  return (size + padding - 1) / padding * padding;
}

struct Incoming {
  double largest = 0.0;   ///< |weight|
  double indegree = 0.0;  ///< expected synapses per neuron
};

std::vector<Incoming> incoming(const Wiring& wiring) {
  const Network& network = wiring.network();
  std::vector<Incoming> result(network.populations.size());
  std::vector<bool> seen(network.projections.size(), false);
  for (const Bundle& bundle : wiring.bundles()) {
    if (seen[bundle.projection]) continue;
    seen[bundle.projection] = true;
    const Projection& projection = wiring.projection(bundle);
    const Population& target = network.populations[bundle.targets.population];
    Incoming& in = result[bundle.targets.population];
    if (projection.rule.kind == ConnectivityRule::Kind::explicit_list) {
      for (const auto& synapse : projection.rule.list) in.largest = std::max(in.largest, std::abs(synapse.weight));
    } else {
      in.largest = std::max(in.largest, wiring.weights(bundle).largest_magnitude());
    }
    in.indegree += expected_synapses(projection, network.populations[bundle.source_population], target) /
                   target.size;
  }
  for (const Stimulus& stimulus : network.stimuli) {
    Incoming& in = result[network.index_of(stimulus.target)];
    if (stimulus.kind == Stimulus::Kind::poisson) in.largest = std::max(in.largest, std::abs(stimulus.weight));
  }
  return result;
}

}  // namespace

TileLayout lay_out_tile(const std::vector<Chunk>& chunks,
                        const std::vector<std::uint32_t>& chunks_of_tile,
                        const std::vector<int>& ports) {
  TileLayout layout;
  for (const std::uint32_t c : chunks_of_tile) {
    const int n = ports[chunks[c].population];
    const std::uint32_t size = padded(chunks[c].size);
    layout.blocks.push_back({c, layout.slots, layout.slots + (n == 2 ? size : 0)});
    layout.slots += size * static_cast<std::uint32_t>(n);
  }
  return layout;
}

std::int32_t WeightUnits::units_of(double weight, std::uint32_t population) const {
  return static_cast<std::int32_t>(std::lround(weight / unit[population]));
}

WeightUnits choose_weight_units(const Wiring& wiring) {
  const Network& network = wiring.network();
  WeightUnits units;
  for (const Incoming& in : incoming(wiring)) {
    // A slot must hold all of a neuron's synapses at once without leaving 31 bits.
    const double most = std::min<double>(kLargestUnits, 0x1p30 / (2.0 * in.indegree + 1000.0));
    units.unit.push_back(in.largest > 0.0 ? in.largest / most : 1.0);
  }
  std::vector<std::vector<std::int32_t>> distinct;
  units.table_of.assign(network.projections.size(), WeightUnits::kMostTables);
  std::vector<bool> seen(network.projections.size(), false);
  for (const Bundle& bundle : wiring.bundles()) {
    if (seen[bundle.projection]) continue;
    seen[bundle.projection] = true;
    const std::uint32_t population = bundle.targets.population;
    std::vector<std::int32_t> table;
    double mean = 0.0;
    for (const double value : wiring.weights(bundle).values) {
      table.push_back(units.units_of(value, population));
      mean += std::abs(value) / WeightTable::kSize;
    }
    const bool listed = wiring.projection(bundle).rule.kind == ConnectivityRule::Kind::explicit_list;
    if (mean > 0.0 && !listed) {
      units.largest_relative_quantum = std::max(units.largest_relative_quantum, units.unit[population] / mean);
    }
    if (bundle.drawing == Bundle::Drawing::listed) continue;
    auto same = std::find(distinct.begin(), distinct.end(), table);
    if (same == distinct.end() && distinct.size() == WeightUnits::kMostTables) continue;
    if (same == distinct.end()) same = distinct.insert(distinct.end(), std::move(table));
    units.table_of[bundle.projection] = static_cast<std::uint32_t>(same - distinct.begin());
  }
  for (const auto& table : distinct) units.tables.insert(units.tables.end(), table.begin(), table.end());
  return units;
}

}  // namespace tessera
