// What the engine asks of projections whose synapses come and go, between two steps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace tessera {

/// Values that a rule asked for, of all neurons of a projection's populations.
struct SeenNeurons {
  std::vector<std::vector<double>> of_sources, of_targets;  ///< [value][neuron in its population]
};

class StructuralRows {
 public:
  virtual ~StructuralRows() = default;

  /// Adds the synapses of a projection on this tile to those of their sources and targets, by number in their populations.
  /// An empty span: nobody asks.
  virtual void count_degrees(std::uint32_t projection, std::span<std::uint64_t> of_sources, std::span<std::uint64_t> of_targets) const = 0;
  /// Shows the synapses of a projection whose source (or target) is marked; an empty span: all are.
  virtual void show_synapses(std::uint32_t projection, std::span<const char> sources, std::span<const char> targets,
                             const std::function<void(std::uint32_t source, std::uint32_t target)>& show) const = 0;
  /// Takes a synapse away, or makes one with this weight, onto a target on this tile, before step `step`. False when that
  /// cannot be; counted as what a rule proposes to a StructuralView.
  virtual bool change(std::uint32_t projection, std::int64_t step, std::uint32_t source, std::uint32_t target,
                      std::optional<double> weight) = 0;
  /// Counts a proposal that a limit over all chunks forbids.
  virtual void refuse(std::uint32_t projection, std::uint32_t target) = 0;
  /// So many synapses a rule may make from each source onto a chunk, until this is said again.
  virtual void allow(std::uint32_t projection, std::uint32_t chunk, std::vector<std::uint32_t> of_sources) = 0;
  /// What the rule of a projection sees from now on. It outlives the rows.
  virtual void show(std::uint32_t projection, const SeenNeurons& neurons) = 0;
};

}  // namespace tessera
