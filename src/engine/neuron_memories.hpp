// Numbers that structural rules keep of a tile's neurons (NeuronMemory). They are carried along when a neuron spikes, and
// looked at between steps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "connectivity/chunks.hpp"
#include "connectivity/tile_layout.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {

/// One memory of a population.
struct MemoryKind {
  std::uint32_t population = 0;
  std::shared_ptr<const NeuronMemory> rule;
  std::vector<std::string> names;
};

class NeuronMemories {
 public:
  NeuronMemories(const std::vector<MemoryKind>& kinds, const std::vector<Chunk>& chunks, const TileLayout& layout,
                 std::span<const std::uint32_t> first_id, double dt_ms);

  /// Own neurons (global ids) that spiked in `step`.
  void spiked(std::int64_t step, std::span<const std::uint32_t> neurons);
  /// Copies the values of a chunk as they are after `now` steps into values[k][0 ..]; nothing where the chunk is not here.
  void read(std::size_t kind, std::uint32_t chunk, std::int64_t now, std::span<double* const> values) const;
  /// Sets them.
  void write(std::size_t kind, std::uint32_t chunk, std::int64_t now, std::span<const double* const> values);

  /// Visits what is kept of a chunk: address, bytes.
  template <class Visit>
  void each_array(std::uint32_t chunk, const Visit& visit) {
    for (Part& part : parts_) {
      if (part.chunk != chunk) continue;
      visit(part.values.data(), part.values.size() * sizeof(double));
      visit(part.last.data(), part.last.size() * sizeof(std::uint32_t));
    }
  }

 private:
  struct Part {  ///< of one kind and one chunk
    std::size_t kind;
    std::uint32_t chunk, first_id, size;
    std::vector<double> values;         ///< [neuron][number], as they were
    std::vector<std::uint32_t> last;    ///< [neuron] after so many steps
  };
  void bring(const Part& part, std::uint32_t neuron, std::int64_t now, double* values) const;

  const std::vector<MemoryKind>* kinds_;
  double dt_ms_;
  std::vector<Part> parts_;
};

}  // namespace tessera
