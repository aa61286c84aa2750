// Compressed spike lists: for every sample and step who spiked, and who only passes gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/tile_run.hpp"
#include "tessera/spike_dataset.hpp"
#include "train/crew.hpp"

namespace tessera::training {

/// Room for n values in an array that is kept from batch to batch.
template <class T>
void grow(std::vector<T>& array, std::size_t n) {
  if (array.size() < n) array.resize(n + n / 2);
}

/// Entries by sample, then step, then id. Arrays only grow: entries 0 .. size count.
struct Stream {
  std::size_t size = 0;
  std::size_t room = 0;              ///< entries the arrays have room for
  std::vector<std::uint32_t> first;  ///< of every sample, and one more
  std::vector<std::uint16_t> id;     ///< inside the layer
  std::vector<std::uint16_t> step;
  std::vector<float> slope;      ///< surrogate derivative; layers only, when gradients are wanted
  std::vector<float> by_alpha;   ///< du/dalpha, when the membrane decay is trained
  std::vector<float> by_second;  ///< du/dkappa or da/drho, when that decay is trained
  std::vector<float> ds;         ///< d loss / d s of the entries, filled by the layer above

  /// The first entry of a sample that belongs to `from` or a later step.
  [[nodiscard]] std::uint32_t at(std::uint32_t sample, std::uint32_t from) const;
};

/// What one section of a layer (a tile, or all of it) lists in a range of samples. One worker
/// writes it while others write its neighbours: no line of the cache is shared.
struct alignas(128) Recording {
  Stream spikes;
  Stream others;                   ///< who only passes gradients
  std::vector<StepCounts> counts;  ///< [sample in the range][step]; at most 65,535 of a kind
  std::uint64_t dropped = 0;       ///< beyond what StepCounts can hold

  void clear(bool gradients);
  void begin_sample();
  /// Adds the candidates of the next step. Returns how many spikes were added.
  std::uint32_t append(const Membrane& membrane, const Candidates& candidates, bool gradients);
  /// Adds all steps of a sample of a tile. `candidates`: room for those of kRunSteps steps.
  void append_run(TileRun run, Candidates& candidates);
  static constexpr std::uint32_t kRunSteps = 32;  ///< dealt out together
  void end_samples();
  /// A spike that another rank has told of, in a recording without gradients that has the counts of all steps.
  void add_spike(std::uint16_t id, std::uint16_t step);

 private:
  void deal(const Membrane& membrane, const Candidates& candidates, bool gradients);
};

/// The entries of one step in a recording, for taking the steps of a sample from the last to the
/// first.
struct StepEntries {
  std::uint32_t spike0 = 0, spike1 = 0, other0 = 0, other1 = 0;

  /// Behind step end - 1 of a sample.
  static StepEntries behind(const Recording& recording, std::uint32_t sample, std::uint32_t end);
  /// To the entries of `step`; those of later steps must have been taken.
  void back_to(const Recording& recording, std::uint32_t sample, std::uint32_t step);
};

/// Lists of one layer, or of the input, for a batch: the spikes of every sample and step in one
/// list for the layer above (list q = sample * steps + step is id[first[q] .. first[q + 1]),
/// ascending), and the recordings, which also hold what gradients need.
struct SpikeLists {
  std::uint32_t samples = 0;
  std::uint32_t steps = 0;
  std::vector<std::uint32_t> first;
  std::vector<std::uint16_t> id;

  std::uint32_t section_width = 1 << 16;  ///< ids per section
  std::uint32_t sections = 1;
  std::uint32_t parts = 1;            ///< ranges of samples
  std::vector<Recording> recordings;  ///< [section][part]

  [[nodiscard]] std::size_t lists() const { return std::size_t{samples} * steps; }
  [[nodiscard]] std::uint32_t part_begin(std::uint32_t part) const {
    return static_cast<std::uint32_t>(std::uint64_t{part} * samples / parts);
  }
  [[nodiscard]] std::uint32_t part_of(std::uint32_t sample) const {
    return static_cast<std::uint32_t>(((std::uint64_t{sample} + 1) * parts - 1) / samples);
  }
  [[nodiscard]] Recording& recording(std::uint32_t section, std::uint32_t part) {
    return recordings[std::size_t{section} * parts + part];
  }
  [[nodiscard]] const Recording& recording(std::uint32_t section, std::uint32_t part) const {
    return recordings[std::size_t{section} * parts + part];
  }
  void resize(std::uint32_t new_sections, std::uint32_t new_parts);
  [[nodiscard]] std::uint64_t entries() const;  ///< spikes and others
  [[nodiscard]] std::uint64_t bytes() const;    ///< used by this batch, without ds
};

/// Input spikes as lists; `recorded`: also as recordings, in sections of 128 channels. Called by
/// all workers.
void assign_input(Worker& worker, const SpikeBatch& batch, bool recorded, SpikeLists& lists);

struct Dropped {
  std::uint64_t spikes = 0;
  std::uint64_t others = 0;
};

/// Makes a layer's lists out of its recordings. What a merge needs is kept from batch to batch.
class ListMerge {
 public:
  /// A step of a sample keeps at most `capacity` entries, spikes before others and low ids before
  /// high ones; what does not fit is counted and leaves the recordings, too. Called by all workers.
  void run(Worker& worker, std::uint32_t capacity, std::uint32_t neurons, SpikeLists& lists);
  [[nodiscard]] Dropped total_dropped() const;
  /// Spikes of every neuron.
  void sum_counts(std::vector<std::uint32_t>& into) const;

 private:
  void count_sample(std::uint32_t sample, std::uint32_t capacity, SpikeLists& lists);
  void cut(std::uint32_t part, SpikeLists& lists);

  std::vector<Dropped> dropped_;                    ///< of every sample
  std::vector<std::vector<std::uint32_t>> counts_;  ///< spikes of every neuron, per worker
  std::uint64_t beyond_counts_ = 0;
};

}  // namespace tessera::training
