// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/neuron_memories.hpp"

#include <algorithm>

namespace tessera {

NeuronMemories::NeuronMemories(const std::vector<MemoryKind>& kinds, const std::vector<Chunk>& chunks, const TileLayout& layout,
                               std::span<const std::uint32_t> first_id, double dt_ms)
    : kinds_(&kinds), dt_ms_(dt_ms) {
  for (const BlockLayout& block : layout.blocks) {
    const Chunk& chunk = chunks[block.chunk];
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      if (kinds[k].population != chunk.population) continue;
      parts_.push_back({k, block.chunk, first_id[chunk.population] + chunk.begin, chunk.size,
                        std::vector<double>(chunk.size * kinds[k].names.size()), std::vector<std::uint32_t>(chunk.size)});
    }
  }
}

void NeuronMemories::bring(const Part& part, std::uint32_t neuron, std::int64_t now, double* values) const {
  const std::int64_t steps = now - part.last[neuron];
  if (steps > 0) (*kinds_)[part.kind].rule->pass(static_cast<double>(steps) * dt_ms_, values);
}

void NeuronMemories::spiked(std::int64_t step, std::span<const std::uint32_t> neurons) {
  for (Part& part : parts_) {
    const MemoryKind& kind = (*kinds_)[part.kind];
    for (const std::uint32_t id : neurons) {
      const std::uint32_t n = id - part.first_id;
      if (n >= part.size) continue;
      double* const values = part.values.data() + n * kind.names.size();
      bring(part, n, step + 1, values);
      kind.rule->spike(values);
      part.last[n] = static_cast<std::uint32_t>(step + 1);
    }
  }
}

void NeuronMemories::read(std::size_t kind, std::uint32_t chunk, std::int64_t now, std::span<double* const> values) const {
  const std::size_t numbers = (*kinds_)[kind].names.size();
  std::vector<double> copy(numbers);
  for (const Part& part : parts_) {
    if (part.kind != kind || part.chunk != chunk) continue;
    for (std::uint32_t n = 0; n < part.size; ++n) {
      std::copy_n(part.values.begin() + static_cast<std::ptrdiff_t>(n * numbers), numbers, copy.begin());
      bring(part, n, now, copy.data());
      for (std::size_t k = 0; k < numbers; ++k) values[k][n] = copy[k];
    }
  }
}

void NeuronMemories::write(std::size_t kind, std::uint32_t chunk, std::int64_t now, std::span<const double* const> values) {
  const std::size_t numbers = (*kinds_)[kind].names.size();
  for (Part& part : parts_) {
    if (part.kind != kind || part.chunk != chunk) continue;
    for (std::uint32_t n = 0; n < part.size; ++n) {
      for (std::size_t k = 0; k < numbers; ++k) part.values[n * numbers + k] = values[k][n];
      part.last[n] = static_cast<std::uint32_t>(now);
    }
  }
}

}  // namespace tessera
