// From the output layer's trace to the loss and its derivative, for the engines in float32.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "train/loss.hpp"

namespace tessera::training {

/// Buffers are kept from batch to batch.
struct OutputLoss {
  std::vector<double> trace;  ///< [step][sample][class], filled by the engine
  std::vector<double> slope;
  std::vector<float> derivative;  ///< d loss / d trace, the same layout
  LossResult result;

  void evaluate(const Loss& loss, const SpikeBatch& batch, std::uint32_t classes, bool gradients) {
    slope.resize(gradients ? trace.size() : 0);
    result = evaluate_loss(loss, trace, batch.label, batch.steps, classes, slope);
    derivative.assign(slope.begin(), slope.end());
  }
};

}  // namespace tessera::training
