// Parameters that ranks hold tile by tile: what an update needs of all of them, and how rank 0 gets them whole.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "comm/agreement.hpp"
#include "train/crew.hpp"
#include "train/optimizer.hpp"

namespace tessera::training {

class SharedParameters {
 public:
  explicit SharedParameters(const Agreement& ranks) : ranks_(ranks) {}

  /// Updater::update(), of gradients that are shared. Called by all workers of all ranks.
  void update(Worker& worker, Updater& updater, const std::vector<ParameterArray*>& arrays, double rate_factor);

  // Called by all ranks, in the same order of arrays.

  /// On rank 0 the whole tensor; on the others an empty one.
  [[nodiscard]] Tensor gather(const ParameterArray& array, AlignedArray<float> ParameterArray::* which,
                              const std::string& suffix) const;
  /// Every rank takes its part of the tensor that rank 0 has.
  void spread(const Tensor* on_first, ParameterArray& array) const;

 private:
  [[nodiscard]] std::vector<Updater::ArraySquares> all_squares(const Updater& updater,
                                                               const std::vector<ParameterArray*>& arrays) const;
  Agreement ranks_;
};

}  // namespace tessera::training
