// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/layout.hpp"

namespace tessera::gpu {

void Layout::place(bool with_ring) {
  words = 0;
  const auto room = [this](std::uint32_t n) {
    const std::uint32_t at = words;
    words += n;
    return at;
  };
  slices_at = room(slices * static_cast<std::uint32_t>(sizeof(Slice) / 4));  // first: aligned to 16 bytes
  poisson_at = room(poisson * static_cast<std::uint32_t>(sizeof(PoissonInput) / 4));
  populations_at = room(with_ring ? 0 : slices * static_cast<std::uint32_t>(sizeof(DrawnPopulation) / 4));
  entries_at = room(entries * static_cast<std::uint32_t>(sizeof(DrawnEntry) / 4));
  weights_at = room(weights);
  slice_of_at = room(neurons);
  row_at = room(neurons);
  row_words_at = room(neurons);
  current_at = room(neurons);
  refractory_at = room(neurons);
  columns_at = room(neurons * columns);
  thresholds_at = room(thresholds);
  chunk_at = room(poisson > 0 ? neurons : 0);
  in_chunk_at = room(poisson > 0 ? neurons : 0);
  spiked_at = room(neurons);
  ring_at = room(with_ring ? slots * ring_steps : 0);
  words = (words + 3) / 4 * 4;  // so that all images are aligned
}

}  // namespace tessera::gpu
