// The layers of a network that run on a substrate, in a batch: before it their weights are mapped to what the chip can
// hold, after it they are themselves again, and their gradients are those of the mapping.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "train/sparse_layer.hpp"
#include "train/substrate_layer.hpp"

namespace tessera::training {

class SubstrateForward {
 public:
  /// Becomes the runner of those layers that are on the substrate. What is referred to must outlive it.
  SubstrateForward(const Network& network, const std::vector<LayerTopology>& topology, const Substrate& substrate,
                   std::vector<SparseLayer>& layers);

  /// Called by all workers, before the forward pass and after the backward pass.
  void begin(Worker& worker, substrate::RunNumber run, std::uint32_t samples, std::uint32_t steps);
  void end(Worker& worker, bool gradients);
  /// The weights as they were, after something was thrown in between.
  void restore();

  [[nodiscard]] std::vector<LinkActivity> links() const;
  [[nodiscard]] SubstrateUse use() const { return {batch_.largest_part, batch_.all_parts, batch_.parts}; }
  /// See Trainer::calibrate(). One factor for each layer of the network.
  std::vector<double> calibrate();
  [[nodiscard]] const std::vector<float>& factors() const { return factors_; }
  void set_factors(const std::vector<float>& factors);

 private:
  struct Mapped {
    std::size_t layer;
    bool recurrent;
    ParameterArray* array;
    substrate::WeightMap map;
    AlignedArray<float> other, slope;  ///< other: what the array does not hold, of its own weights and those of the chip
    bool is_mapped = false;            ///< the array holds those of the chip
  };
  void map(Mapped& weights);
  static void change(Mapped& weights);

  const Network* network_;
  const Substrate* substrate_;
  std::vector<SparseLayer>* layers_;
  SubstrateBatch batch_;
  std::vector<std::unique_ptr<SubstrateLayer>> on_chip_;  ///< of every layer; null: not on the substrate
  std::vector<Mapped> mapped_;
  std::vector<float> factors_;
};

}  // namespace tessera::training
