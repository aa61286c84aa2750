// Which sources the neurons of a run need, how many of them lie outside, and what else a run takes from a chip.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "machine/divided_network.hpp"

namespace tessera {

/// Of the sources of one index: how many have a target in the run (expected, where synapses are drawn).
struct Needed {
  double with_target = 0.0;
  double outside = 0.0;   ///< of these, not in the run themselves
  double variance = 0.0;  ///< of `outside`
};

class RunNeeds {
 public:
  explicit RunNeeds(const DividedNetwork& network);

  /// One entry per source. `slices` are of any order and do not overlap.
  const std::vector<Needed>& evaluate(std::span<const PartitionSlice> slices);
  /// Of the last evaluation: whether a source may have a target in the run.
  [[nodiscard]] bool may_reach(std::uint32_t source, std::uint32_t neuron) const {
    return reaches_all(source) || is_marked(source, neuron);
  }
  /// The same for all sources of an index alike, and for one by a link that knows places.
  [[nodiscard]] bool reaches_all(std::uint32_t source) const { return common_miss_[source] < 1.0; }
  [[nodiscard]] bool has_marks(std::uint32_t source) const { return !marks_[source].touched.empty(); }
  [[nodiscard]] bool is_marked(std::uint32_t source, std::uint32_t neuron) const {
    const Marks& marks = marks_[source];
    return !marks.epoch.empty() && marks.epoch[neuron] == epoch_ && marks.miss[neuron] < 1.0f;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& marked(std::uint32_t source) const { return marks_[source].touched; }
  /// The largest number of sources any run could need; no evaluation tells more where a limit is above it.
  [[nodiscard]] double most_sources() const { return most_sources_; }

 private:
  struct Marks {  // of the sources of one index, those whose chance differs from that of the others
    std::vector<float> miss;
    std::vector<std::uint32_t> epoch, touched;
  };
  void follow(const EventLink& link, const PartitionSlice& slice);
  void follow_window(const EventLink& link, const PartitionSlice& slice);
  void follow_gaussian(const EventLink& link, std::span<const PartitionSlice> slices);
  void rectangle(const EventLink& link, std::uint32_t x0, std::uint32_t x1, std::uint32_t y0, std::uint32_t y1);
  void miss(std::uint32_t source, std::uint32_t neuron, float chance);
  void sum_up(std::uint32_t source, std::span<const PartitionSlice> slices);

  const DividedNetwork& network_;
  std::vector<Needed> needed_;
  std::vector<Marks> marks_;
  std::vector<double> common_miss_;  // of every source without a mark
  std::vector<double> targets_;      // per population, in this run
  std::vector<std::uint32_t> cells_; // epochs of window cells, of the link being followed
  std::uint32_t epoch_ = 0, cell_epoch_ = 0;
  double most_sources_ = 0.0;
};

/// What a run takes, and whether that is there.
class Limits {
 public:
  Limits(const DividedNetwork& network, const MachineDescription& machine);

  struct Usage {
    std::uint64_t neurons = 0, circuits = 0, tiles = 0, sources = 0;
    double bytes = 0.0, synapses = 0.0, events_in = 0.0, events_out = 0.0;
  };
  /// Everything; sources and events cost as much as the run has neurons and inputs.
  Usage usage(std::span<const PartitionSlice> slices);
  /// Circuits, tiles and memory only.
  Usage quick_usage(std::span<const PartitionSlice> slices) const;
  [[nodiscard]] bool fits(const Usage& usage) const;
  [[nodiscard]] bool fits_quickly(const Usage& usage) const;
  /// Whether anything but quick_usage() can limit a run.
  [[nodiscard]] bool has_slow_limits() const { return slow_; }
  struct Excess {
    std::string limit;  ///< "circuits", "tiles", ...
    double used = 0.0, available = 0.0;
    [[nodiscard]] double part() const { return available > 0.0 ? used / available : 0.0; }
  };
  /// Of all limits that there are, the one that is nearest to (or furthest beyond) its end.
  [[nodiscard]] Excess tightest(const Usage& usage) const;
  /// All that are exceeded.
  [[nodiscard]] std::vector<Excess> exceeded(const Usage& usage) const;
  /// How many neurons of a slice fit beside what is used already, by the quick limits.
  [[nodiscard]] std::uint32_t room_for(const std::vector<std::uint32_t>& neurons_of, const Usage& used, const PartitionSlice& slice) const;
  [[nodiscard]] const MachineDescription& machine() const { return machine_; }
  [[nodiscard]] const DividedNetwork& network() const { return network_; }
  [[nodiscard]] RunNeeds& needs() { return needs_; }
  [[nodiscard]] double clocks_per_step() const { return clocks_per_step_; }
  [[nodiscard]] bool has_tiles() const { return machine_.circuits.tiles > 1; }
  /// Bytes of a neuron in the memory that its chip (or its only tile) has for runs; 0: not limited.
  [[nodiscard]] double bytes_of(const DividedPopulation& p) const;
  [[nodiscard]] double bytes_available() const;

 private:
  [[nodiscard]] std::vector<Excess> all(const Usage& usage) const;
  const DividedNetwork& network_;
  const MachineDescription& machine_;
  RunNeeds needs_;
  double clocks_per_step_ = 1.0;
  bool events_known_ = false, slow_ = false;
};

}  // namespace tessera
