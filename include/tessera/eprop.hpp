// e-prop: learning with eligibility traces instead of back-propagation through time. docs/eprop.md has the equations.
// Sources: Bellec et al. 2020 (Nat. Commun. 11:3625); the models `*_bsshslm_2020` of NEST; ml_genn's EPropCompiler.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tessera::training {

/// Which of two programs the gradient is that of (e: eligibility, psi z_bar without adaptation; L: learning signal).
///   bellec2020  gradient = sum over t of L[t] e_bar[t], e_bar[t] = kappa e_bar[t-1] + (1 - kappa) e[t], kappa of the
///               readout; rate: (strength / T) (spikes / T - target) sum of e, of a sample of T steps
///   mlgenn      e_bar[t] = alpha e_bar[t-1] + e[t], alpha of the layer; rate: strength (f[t] - target) e[t] with the
///               running mean f of spikes; source traces are one step ahead of psi, errors arrive a step late
enum class EpropConvention { bellec2020, mlgenn };

/// Where a neuron's learning signal comes from: L_j = sum over outputs k of B_jk error_k.
///   symmetric  B is the readout's weights, as they are now
///   random     B is fixed: "<layer>.feedback" [neurons, outputs], normal(0, gain / sqrt(neurons)), not trained
enum class EpropFeedback { symmetric, random };

struct Eprop {
  EpropConvention convention = EpropConvention::bellec2020;
  EpropFeedback feedback = EpropFeedback::symmetric;
  double feedback_gain = 1.0;     ///< random: >= 0
  double rate_strength = 0.0;     ///< c_reg >= 0; 0: no regularisation of rates
  double rate_target_hz = 10.0;   ///< >= 0
  double rate_tau_ms = 500.0;     ///< mlgenn: of the running mean, > 0
  /// Divides gradients by the steps in which the loss looks at the output, as `average_gradient` of NEST.
  bool average = false;
};

[[nodiscard]] std::string to_string(EpropConvention convention);
[[nodiscard]] std::string to_string(EpropFeedback feedback);

}  // namespace tessera::training
