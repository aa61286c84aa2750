// A layer's neurons as the kernels see them: constants, and the decay factors that follow trained
// logits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "kernels/membrane.hpp"
#include "train/parameter_array.hpp"
#include "train/parameters.hpp"

namespace tessera::training {

/// All but the decay factors.
[[nodiscard]] Membrane membrane_of(const Layer& layer, double theta_grad);

/// Throws DivergedError when one of n membrane potentials is not finite. A neuron whose u is not a
/// number never spikes again: without a look it would fall silent unnoticed.
void expect_finite(const Layer& layer, const float* u, std::size_t n);

/// alpha, kappa or rho of every neuron of a layer.
class DecayFactor {
 public:
  /// Room for `stride` values: padding is zero.
  DecayFactor(const Layer& layer, DecayRole role, std::uint32_t neurons, std::size_t stride);

  [[nodiscard]] ParameterArray* logit() {
    return logit_ ? &*logit_ : nullptr;
  }  ///< null: fixed, one value
  [[nodiscard]] bool trained() const { return logit_ && logit_->trainable; }
  [[nodiscard]] const float* value() const { return value_.data(); }
  /// Values follow their logits.
  void refresh();
  /// The gradient of the logits from d loss / d factor of every neuron.
  void set_gradient(const float* by_factor);

 private:
  std::uint32_t neurons_;
  double fixed_;
  std::optional<ParameterArray> logit_;
  AlignedArray<float> value_;
};

}  // namespace tessera::training
