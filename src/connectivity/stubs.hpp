// The stubs of a chunk under fixed_indegree: every target has as many as it has synapses, and sources
// own consecutive intervals of a permutation of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/row_targets.hpp"

namespace tessera {

class Stubs {
 public:
  Stubs() = default;
  /// `targets` with `per_target` stubs each (fewer than 2^32 in all), permuted by (key, stream).
  Stubs(std::uint32_t targets, std::uint32_t per_target, RandomKey key, std::uint32_t stream);

  [[nodiscard]] StubPermutation permutation() const {
    StubPermutation view = permutation_;
    if (!shuffled_.empty()) view.shuffled = shuffled_.data();
    return view;
  }
  [[nodiscard]] std::size_t bytes() const { return shuffled_.size() * sizeof(shuffled_[0]); }

 private:
  StubPermutation permutation_;
  std::vector<std::uint16_t> shuffled_;
};

}  // namespace tessera
