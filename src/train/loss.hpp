// The losses: value, derivative with respect to the output trace, and predictions; in
// float64 for the oracle, of float32 output and sample by sample for the engines.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training {

/// Of one sample, not yet divided by the number of samples.
struct SampleLoss {
  double loss = 0.0;
  std::int32_t prediction = 0;
  bool followed = true;  ///< false: the output did not follow its target, whatever the prediction
};

struct LossResult {
  double loss = 0.0;  ///< mean over samples
  std::uint32_t correct = 0;
  std::vector<std::int32_t> prediction;  ///< one per sample; of equal classes the lowest

  /// The next of `samples` samples.
  void add(const SampleLoss& one, std::int32_t label, std::size_t samples);
};

/// The output of a batch: u of the readout, or 0 and 1 for a spiking output, `classes` numbers per
/// sample and step; and where d loss / d trace goes, in the same layout (null: nowhere).
template <class Value>
struct OutputTrace {
  const Value* trace = nullptr;
  Value* derivative = nullptr;
  std::size_t sample_stride = 0;
  std::size_t step_stride = 0;
  std::size_t samples = 0;
  std::uint32_t steps = 0;
  std::uint32_t classes = 0;
  const float* target = nullptr;  ///< [sample][step][class]; null: one-hot of the label
};

/// The loss of one sample; its derivative is that of the mean over samples. The maximum over steps
/// is that of the first step which reaches it, and so is its derivative. Different samples may be
/// evaluated at the same time. Steps lie `step_stride` apart, a multiple of 16; what lies behind
/// the classes must be -infinity, and its derivative becomes 0.
[[nodiscard]] SampleLoss sample_loss(const Loss& loss, const OutputTrace<float>& output,
                                     std::size_t sample, std::int32_t label);

/// All samples one after the other in float64, [steps][samples][classes], a label per sample. An
/// empty `derivative` is not written; an empty `target`: one-hot.
[[nodiscard]] LossResult evaluate_loss(const Loss& loss, std::span<const double> trace,
                                       std::span<const std::int32_t> label, std::uint32_t steps,
                                       std::uint32_t classes, std::span<double> derivative,
                                       std::span<const float> target = {});

}  // namespace tessera::training
