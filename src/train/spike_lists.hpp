// Compressed spike lists: for every sample and step who spiked, then who only passes gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/membrane.hpp"
#include "tessera/spike_dataset.hpp"
#include "train/crew.hpp"

namespace tessera::training {

/// Lists of one layer for a batch. List q = sample * steps + step has the entries first[q] ..
/// first[q + 1]: spikes[q] spikes, then gradient-only entries, ids ascending in both parts. Arrays
/// only grow, so the last entry is first[lists], not the size of an array.
struct SpikeLists {
  std::uint32_t samples = 0;
  std::uint32_t steps = 0;
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> spikes;
  std::vector<std::uint16_t> id;
  std::vector<float> slope;      ///< surrogate derivative; layers only, when gradients are wanted
  std::vector<float> by_alpha;   ///< du/dalpha, when the membrane decay is trained
  std::vector<float> by_second;  ///< du/dkappa or da/drho, when that decay is trained

  [[nodiscard]] std::size_t lists() const { return std::size_t{samples} * steps; }
  [[nodiscard]] std::size_t entries() const { return first.empty() ? 0 : first[lists()]; }
  [[nodiscard]] std::uint64_t bytes() const;  ///< used by the lists of this batch
};

/// Input spikes as lists. Called by all workers.
void assign_input(Worker& worker, const SpikeBatch& batch, SpikeLists& lists);

/// What one section of a layer (a tile, or all of it) lists while it runs, sample by sample; merged
/// into SpikeLists afterwards. One recording per (section, range of samples).
struct Recording {
  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t spikes = 0;
    std::uint32_t others = 0;
  };
  std::vector<Span> spans;  ///< [sample in range][step]
  std::size_t entries = 0;  ///< used; the arrays only grow
  std::vector<std::uint16_t> id;
  std::vector<float> slope, by_alpha, by_second;

  void clear(std::size_t lists);
  /// Adds what `listed` has as the next list.
  void append(std::size_t list, const Listed& listed, bool gradients);
};

/// The recordings of a layer: `sections` by `parts` ranges of samples.
struct RecordingGrid {
  std::uint32_t sections = 0;
  std::uint32_t parts = 0;
  std::vector<Recording> recordings;  ///< [section * parts + part]
  void resize(std::uint32_t new_sections, std::uint32_t new_parts);
  [[nodiscard]] std::uint32_t begin(std::uint32_t part, std::uint32_t samples) const {
    return static_cast<std::uint32_t>(std::uint64_t{part} * samples / parts);
  }
};

struct Dropped {
  std::uint64_t spikes = 0;
  std::uint64_t others = 0;
};

/// Merges the recordings of a layer into its lists. What a merge needs is kept from batch to batch.
struct ListMerge {
  std::vector<Dropped> dropped;                    ///< of every sample
  std::vector<std::vector<std::uint32_t>> counts;  ///< spikes of every neuron, per worker

  /// A list holds at most `capacity` entries, spikes before others; what does not fit is counted.
  /// Called by all workers.
  void run(Worker& worker, const RecordingGrid& grid, std::uint32_t capacity, std::uint32_t neurons,
           bool gradients, SpikeLists& lists);
  /// After run(): sums over samples and workers.
  [[nodiscard]] Dropped total_dropped() const;
  void sum_counts(std::vector<std::uint32_t>& into) const;
};

/// The entries of the lists of a block of steps, by source: the visits of row k are row_first[k] ..
/// row_first[k + 1], spikes first. visit: sample * sample_stride + step inside the block; ds: what
/// flows back to it. place: the visit of every entry, in the order of the lists (kNoVisit: pooled
/// away).
struct VisitBlock {
  std::vector<std::uint32_t> row_first;
  std::vector<std::uint32_t> row_spikes;
  std::vector<std::uint32_t> visit;
  std::vector<std::uint32_t> place;
  static constexpr std::uint32_t kNoVisit = ~0u;
  std::vector<float> ds;

  /// `pooled` maps ids to rows (empty: the same). `others`: also gradient-only entries, with ds.
  void build(const SpikeLists& lists, const std::vector<std::uint32_t>& pooled, std::uint32_t rows,
             std::uint32_t first, std::uint32_t end, std::uint32_t sample_stride, bool others);
  /// entry_ds of the block's entries = scale * ds of their visits; 0 for those pooled away.
  void scatter(const SpikeLists& lists, std::uint32_t first, std::uint32_t end, float scale,
               std::vector<float>& entry_ds) const;
};

}  // namespace tessera::training
