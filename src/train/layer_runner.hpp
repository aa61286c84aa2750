// Who runs the neurons of a layer forward in place of the layer itself, and leaves recordings as the layer would.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kernels/membrane.hpp"
#include "train/crew.hpp"
#include "train/parameter_array.hpp"
#include "train/spike_lists.hpp"

namespace tessera::training {

/// A layer's forward pass over a batch.
struct LayerRun {
  const SpikeLists& input;
  SpikeLists& lists;        ///< its recordings are to be filled; sections and parts are set
  float* trace;             ///< readouts: [sample][step][stride], to be filled
  std::uint32_t stride;
  std::uint32_t capacity;   ///< of a list
  bool gradients;
  const Membrane& membrane;  ///< constants; alpha and second of all neurons
  const ParameterArray& weights;
  const ParameterArray* recurrent;  ///< null without
  const ParameterArray* bias;       ///< null without
};

class LayerRunner {
 public:
  virtual ~LayerRunner() = default;
  /// Called by all workers.
  virtual void run(Worker& worker, const LayerRun& layer) = 0;
};

}  // namespace tessera::training
