// A part of a network: the neurons that are on a chip at one time, with everything that lands on them. It takes turns
// with other parts; between two turns it gets what they have spiked.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_team.hpp"
#include "connectivity/tile_layout.hpp"
#include "connectivity/weight_units.hpp"
#include "connectivity/wiring.hpp"
#include "engine/chip_circuits.hpp"
#include "engine/neuron_ranges.hpp"
#include "engine/spike_log.hpp"
#include "engine/step_loop.hpp"
#include "engine/tile.hpp"
#include "machine/placement.hpp"
#include "tessera/partitioned_simulation.hpp"

namespace tessera {

/// Neurons of a chunk that belong to a part, ascending places in the chunk.
struct PartChunk {
  std::uint32_t chunk = 0;
  std::vector<std::uint32_t> places;  ///< empty: all of it
};

/// What all parts of a network look at; it outlives them.
struct PartContext {
  const Network* network = nullptr;
  const Wiring* wiring = nullptr;  ///< with no chunks of its own: what follows from the description
  const WeightUnits* units = nullptr;
  const AllNeurons* neurons = nullptr;
  std::vector<PopulationKernel> kernels;
  std::vector<int> ports;
  std::vector<std::uint32_t> first_id;
  Connectivity connectivity = Connectivity::stored;
  bool count_table = true;
  std::uint32_t local_interval = 1;  ///< steps between two meetings of the threads
  const MembraneNoise* noise = nullptr;  ///< null: none
};

/// Samples of one state recorder of the neurons of a part: [time][column].
struct PartTrace {
  std::vector<std::uint32_t> neurons;  ///< numbers in their population, by column
  std::vector<double> values;
};

class ChipPart {
 public:
  /// `number`: of its neurons in PartContext::neurons. `circuits`: where its neurons differ from each other; else null.
  /// `team`: the threads that it has always; parts with teams of their own may be made and advanced at one time.
  ChipPart(const PartContext& context, std::vector<PartChunk> chunks, int number, std::unique_ptr<ChipCircuits> circuits,
           ThreadTeam& team);

  /// Advances from step `from` to `to`. Its samples are appended to `traces`; returns its spikes, sorted by step.
  [[nodiscard]] std::vector<Spike> advance(std::int64_t from, std::int64_t to, std::vector<PartTrace>& traces);
  /// Spikes of others: of step begin + i the list spikes[i].
  void play_back(std::int64_t begin, std::span<const std::span<const std::uint32_t>> spikes);
  /// Neurons of the network that have a target here. `exactly`: also where rows have to be drawn to know; else all of a
  /// population that sends here.
  [[nodiscard]] std::vector<bool> reached_by(bool exactly) const;

  /// Moves the rows into a file until the next turn; what is in flight and the neurons stay.
  void park(ScratchFile& file);
  void unpark(const ScratchFile& file);

  [[nodiscard]] Tile::NotFinite find_not_finite() const;
  [[nodiscard]] PartMemory memory() const;
  [[nodiscard]] RowCounters counters() const;
  [[nodiscard]] std::uint64_t synapses() const;
  [[nodiscard]] const std::vector<StepLoop::Counters>& worker_counters() const { return loop_->worker_counters(); }
  [[nodiscard]] std::size_t tiles() const { return tiles_.size(); }
  /// An empty trace of every recorder, with the neurons of this part.
  [[nodiscard]] std::vector<PartTrace> make_traces() const;

 private:
  void place(std::vector<PartChunk> chunks);
  void make_tiles();
  void make_sample_buffers();
  [[nodiscard]] std::uint64_t neuron_bytes() const;
  void draw_reached(std::vector<bool>& reached) const;

  const PartContext* context_;
  ThreadTeam* team_;
  std::unique_ptr<ChipCircuits> circuits_;
  std::unique_ptr<Wiring> wiring_;  ///< of the part's chunks; null once its rows are written down
  Placement placement_;
  std::vector<TileLayout> layouts_;
  TileContext tile_context_;
  std::vector<std::unique_ptr<Tile>> tiles_;
  std::unique_ptr<StepLoop> loop_;
};

}  // namespace tessera
