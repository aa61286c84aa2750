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

/// What a run reports: the loss, and the activity of the layers that spike.
template <class Layer>
[[nodiscard]] BatchResult batch_result(const OutputLoss& output, std::uint32_t samples,
                                       const std::vector<Layer>& layers) {
  BatchResult r;
  r.loss = output.result.loss;
  r.samples = samples;
  r.correct = output.result.correct;
  r.prediction = output.result.prediction;
  for (const Layer& layer : layers) {
    if (!layer.is_readout()) r.layers.push_back(layer.activity());
  }
  return r;
}

}  // namespace tessera::training
