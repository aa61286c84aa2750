// Working memory of a layer: what a worker needs to run neurons, and the backward pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "train/sparse_layer.hpp"
#include "train/step_exchange.hpp"

namespace tessera::training {

// Forward: the state of the neurons in progress, the input of a step, what they list.
struct SparseLayer::Scratch {
  AlignedArray<float> u, second, u_by_alpha, second_by_decay, u_by_kappa, quiet, current;
  AlignedArray<std::uint32_t> candidate_place;
  AlignedArray<float> candidate_value[3];
  std::vector<DelayRing> input_ring, recurrent_ring;  ///< one per tile that is in progress
  std::vector<std::uint16_t> last_spikes;
  std::uint32_t block_steps = 1;  ///< of a sample, whose input is made together
  Candidates candidates;

  void clear() {
    for (AlignedArray<float>* state : {&u, &second, &u_by_alpha, &second_by_decay, &u_by_kappa, &quiet}) {
      std::fill(state->begin(), state->end(), 0.0f);
    }
    for (DelayRing& ring : input_ring) ring.clear();
    for (DelayRing& ring : recurrent_ring) ring.clear();
    last_spikes.clear();
  }
};

// Samples that take steps together: their neurons' state, [sample][own tile], and who spiked in the last step.
struct SparseLayer::Steps {
  StepExchange exchange;
  Scratch state;
  std::uint32_t samples = 0;
  bool gradients = false;
};

// Backward. A group is a range of samples whose sums are taken together, a part a range of tiles
// whose ds are: how many there are does not depend on the number of workers.
struct SparseLayer::Flow {
  static constexpr std::uint32_t kMostGroups = 16;

  // What flows through the tiles in progress, of one worker or of all.
  struct Front {
    AlignedArray<float> g;           ///< [tile in progress][sample][row][width], a zero row each
    AlignedArray<float> gu, second;  ///< carried from step to step, [sample][neurons in progress]
  };

  std::uint32_t samples = 0, steps = 0;
  std::uint32_t block_steps = 1, blocks = 1;
  std::uint32_t groups = 1, parts = 1;  ///< own parts
  std::uint32_t sections = 1;  ///< of the input's visits
  /// Rows of g per sample: steps of a block and what lies behind them.
  std::uint32_t sample_rows = 1;
  std::vector<VisitBlock>* visits = nullptr;  ///< of the input, [block][section]
  const LayerShare* below = nullptr;          ///< of the input's sections, where ranks exchange
  std::vector<VisitBlock> recurrent;          ///< of the layer's own spikes, [block]
  std::vector<Front> fronts;                  ///< of every worker, or one
  /// Of every worker: a sample's block, a bit a neuron.
  std::vector<std::vector<std::uint8_t>> resets;
  AlignedArray<float> bias, alpha, decay;  ///< sums, [group][stride]
  AlignedArray<float> kernel;              ///< sums of a convolution, [group][weights]
  std::vector<float> regulariser;          ///< d regulariser / d s of every neuron
  const float* derivative = nullptr;

  [[nodiscard]] std::uint32_t zero_row() const { return samples * sample_rows; }
  [[nodiscard]] std::size_t row(std::size_t tile_in_progress, std::uint32_t sample,
                                std::uint32_t step) const {
    return tile_in_progress * (zero_row() + 1) + std::size_t{sample} * sample_rows + step;
  }
  [[nodiscard]] std::uint32_t group_begin(std::size_t group) const {
    return static_cast<std::uint32_t>(group * samples / groups);
  }
  [[nodiscard]] std::uint32_t block_begin(std::size_t block) const {
    return static_cast<std::uint32_t>(block) * block_steps;
  }
  [[nodiscard]] std::uint32_t block_end(std::size_t block) const {
    return std::min(steps, block_begin(block) + block_steps);
  }
};

}  // namespace tessera::training
