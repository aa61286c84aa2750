// One time step of a tile's neurons in training: forward with the list of who spiked or nearly did,
// and backward. All arrays are padded to a multiple of 16; padding neurons have no input and are
// never listed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

enum class MembraneKind { lif, adaptive, synaptic };
enum class SlopeKind { superspike, arctan, sigmoid, triangular, boxcar };

struct Membrane {
  MembraneKind kind = MembraneKind::lif;
  bool reset_to_zero = true;      ///< else `drop` is subtracted
  const float* alpha = nullptr;   ///< membrane decay of every neuron
  const float* second = nullptr;  ///< adaptive: rho; synaptic: kappa
  float threshold = 1.0f;
  float drop = 1.0f;           ///< what a spike subtracts from u
  float refractory = 0.0f;     ///< steps from a spike to the next at least; needs state.quiet
  float adaptation = 0.0f;  ///< rise of the threshold per unit of adaptation
  float inverse_capacitance = 1.0f;
  SlopeKind slope = SlopeKind::superspike;
  float steepness = 10.0f;
  float height = 1.0f;      ///< of the slope at the threshold
  float second_threshold = 0.0f;  ///< listed if u > second_threshold * (current threshold)
};

/// State at the end of a step, resets applied. `second` is the adaptation a[t+1] or the current
/// i[t]. The sensitivities du/dalpha and d(second)/d(its decay), du/dkappa are kept when not null
/// (together with gradients only).
struct MembraneState {
  float* u = nullptr;
  float* second = nullptr;
  float* u_by_alpha = nullptr;
  float* second_by_decay = nullptr;
  float* u_by_kappa = nullptr;  ///< synaptic only
  /// Steps until a neuron may spike, counted from this one; neither spikes nor slopes before. Null: none is refractory.
  float* quiet = nullptr;
};

/// Neurons above the second threshold, step after step and in ascending order; room for those of
/// all neurons in every step and 16 more. place: the step in the high half, the id in the low one;
/// x: u - threshold; by_alpha: du/dalpha; by_second: du/dkappa (synaptic) or da/drho (adaptive),
/// both null when not wanted.
struct Candidates {
  std::uint32_t* place = nullptr;
  float* x = nullptr;
  float* by_alpha = nullptr;
  float* by_second = nullptr;
  std::uint32_t count = 0;
  std::uint32_t spikes = 0;  ///< of the count

  void clear() { count = spikes = 0; }
  [[nodiscard]] static constexpr std::uint32_t place_of(std::uint32_t step, std::uint32_t id) {
    return step << 16 | id;
  }
};

/// Where the next entries of a list go; room for all candidates and 16 more. What is null is not
/// written.
struct ListEnd {
  std::uint16_t* id = nullptr;
  std::uint16_t* step = nullptr;
  float* slope = nullptr;
  float* by_alpha = nullptr;
  float* by_second = nullptr;
};

/// Advances `neurons` neurons by one step with the input `current` (I[t]) and appends those that
/// are to be listed to `candidates`, with places from `first` on; `gradients`: also those that only
/// pass gradients.
void membrane_step(const Membrane& membrane, const MembraneState& state, const float* current,
                   std::uint32_t neurons, std::uint32_t first, bool gradients,
                   Candidates& candidates);

/// Deals the candidates out to the spikes (x > 0) and to the others, in their order, with the slope
/// of the surrogate.
void list_candidates(const Membrane& membrane, const Candidates& candidates, const ListEnd& spikes,
                     const ListEnd& others);

/// g of a tile from step to step backwards (lif): rows[t] += alpha rows[t + 1] for t = steps - 1 ..
/// 0, rows of `neurons` floats. rows[t] holds what the listed entries bring; rows[steps] is g of
/// the step behind. A neuron whose bit j in the byte j / 8 of resets + t * neurons / 8 is set
/// forgets rows[t + 1] (no resets: null). `sum`: rows are also added to it (or null).
void membrane_flow(const float* alpha, std::uint32_t neurons, std::uint32_t steps,
                   const std::uint8_t* resets, float* rows, float* sum);
/// g[t] -> g[t-1] before the listed entries are added: gu *= alpha, second *= its decay (adaptive).
void membrane_decay(const Membrane& membrane, std::uint32_t neurons, float* gu, float* second);
/// out = gu (lif, adaptive), or gi = kappa gi + gu / C, out = gi (synaptic).
void membrane_output(const Membrane& membrane, std::uint32_t neurons, const float* gu, float* gi,
                     float* out);

/// u = alpha u + I / C of a readout, written to `trace`.
void readout_step(const float* alpha, float inverse_capacitance, const float* current,
                  std::uint32_t neurons, float* u, float* trace);

}  // namespace tessera
