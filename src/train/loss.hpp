// The losses: value, derivative with respect to the output trace, and predictions. In float64.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training {

struct LossResult {
  double loss = 0.0;  ///< mean over samples
  std::uint32_t correct = 0;
  std::vector<std::int32_t> prediction;  ///< one per sample; of equal classes the lowest
};

/// `trace` is [steps][samples][classes]: u of the readout, or 0 and 1 for a spiking output. A label
/// per sample. Writes d loss / d trace in the same layout; an empty `derivative` is not written.
/// The maximum over steps is that of the first step which reaches it, and so is its derivative.
[[nodiscard]] LossResult evaluate_loss(const Loss& loss, std::span<const double> trace,
                                       std::span<const std::int32_t> label, std::uint32_t steps,
                                       std::uint32_t classes, std::span<double> derivative);

}  // namespace tessera::training
