// A tile: neurons, their input and everything that lands on them. Nothing else ever writes into it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "connectivity/plastic_rows.hpp"
#include "connectivity/row_store.hpp"
#include "engine/neuron_block.hpp"
#include "engine/neuron_memories.hpp"
#include "engine/spike_source.hpp"
#include "tessera/simulation.hpp"

namespace tessera {

/// What every tile of a simulation looks at.
struct TileContext {
  const Wiring* wiring = nullptr;
  const WeightUnits* units = nullptr;
  std::vector<PopulationKernel> kernels;      ///< per population; sources have an empty variant
  std::vector<std::uint32_t> first_id;        ///< global id of every population's first neuron
  std::vector<PlasticityVariant> rules;       ///< per projection, empty ones where it is not plastic; of no one: none
  std::vector<std::shared_ptr<const StructuralRule>> structural;  ///< the same, null where nothing is rewired
  std::vector<MemoryKind> memories;           ///< that structural rules keep of neurons
  std::uint32_t exchange_steps = 1;
  Connectivity connectivity = Connectivity::stored;
  bool count_table = true;
  /// Circuits that differ from each other have kernels of their own: of a chunk's neuron, by its place. Null: they do not.
  using CircuitKernel = std::function<const PopulationKernel*(std::uint32_t chunk, std::uint32_t place)>;
  CircuitKernel circuit_kernel;
  const MembraneNoise* noise = nullptr;
  std::vector<bool> stored;                   ///< procedural: per projection, whether it is stored all the same; of no one: none

  [[nodiscard]] bool writes_down(const Bundle& b) const {
    return connectivity == Connectivity::stored || (!stored.empty() && stored[b.projection]);
  }
  /// Whether a tile has the counts of its rows in a table, so that nobody draws them again.
  [[nodiscard]] bool keeps_counts(const Bundle& b) const {
    return count_table && !writes_down(b) && !units->listed(b) && !is_plastic(*wiring, b);
  }
};


class Tile {
 public:
  virtual ~Tile() = default;

  virtual void receive(std::int64_t step, SpikeLists spikes) = 0;
  /// More spikes of a step that was received: those of other ranks come later.
  virtual void receive_more(std::int64_t step, SpikeLists spikes) = 0;
  virtual void deliver(std::int64_t step) = 0;
  /// Advances all neurons and appends the global ids of those that spiked.
  virtual void update(std::int64_t step, std::vector<std::uint32_t>& spikes) = 0;
  /// Appends the global ids of those that spike at time 0: listed spikes, before anything is advanced.
  virtual void begin(std::vector<std::uint32_t>& spikes) = 0;

  /// After a checkpoint was loaded: spikes of an earlier step whose synapses are not all delivered.
  virtual void receive_again(std::int64_t step, std::int64_t now, SpikeLists spikes) = 0;
  [[nodiscard]] virtual bool reaches(std::uint32_t source) const = 0;
  /// The row store of a fast tile, null of an exact one.
  [[nodiscard]] virtual RowStore* rows() { return nullptr; }
  [[nodiscard]] virtual RowCounters counters() const = 0;
  [[nodiscard]] virtual std::uint64_t synapses() const = 0;
  [[nodiscard]] virtual std::uint64_t synapse_bytes() const = 0;

  /// Copies state variable `name` of the first `count` neurons of one of the tile's chunks into values[0 ..].
  /// Nothing is written where their model has no such variable.
  virtual void read_state(std::uint32_t chunk, const std::string& name, std::uint32_t count,
                          double* values) const = 0;
  /// Takes such values for all neurons of a chunk, where they are others than now. False: there is no such variable.
  virtual bool write_state(std::uint32_t chunk, const std::string& name, const double* values) = 0;
  /// Takes what the network says now of stimuli and of the rates of sources.
  virtual void renew_inputs(const Network& network) = 0;
  using ShowSynapses = std::function<void(std::span<const PlasticSynapse> row)>;
  /// Shows the synapses of a plastic projection with their weights at `now` (steps done), of all sources or of some.
  virtual void read_synapses(std::uint32_t projection, std::int64_t now, const std::vector<std::uint32_t>* sources,
                             const ShowSynapses& show) const = 0;
  /// Takes weights in the order in which read_synapses() shows all, where they are others than now.
  virtual void write_weights(std::uint32_t projection, std::int64_t now, std::span<const double> weights) = 0;
  /// What structural rules have done to a projection here, and how long they took in all.
  [[nodiscard]] virtual RewiringCounts rewired(std::uint32_t projection) const = 0;
  [[nodiscard]] virtual double rewiring_seconds() const = 0;
  /// Null where no plastic synapses land here, or no rule keeps anything of neurons.
  [[nodiscard]] virtual StructuralRows* structural() = 0;
  [[nodiscard]] virtual NeuronMemories* memories() = 0;
  /// The first neuron whose membrane potential stopped being finite, or the first source of a weight that did;
  /// step -1: none.
  struct NotFinite {
    static constexpr std::uint32_t kNoProjection = 0xffffffffu;
    std::int64_t step = -1;
    std::uint32_t population = 0, neuron = 0;
    std::uint32_t projection = kNoProjection;  ///< of the weight
  };
  [[nodiscard]] virtual NotFinite find_not_finite() const = 0;

  /// State of one chunk as bytes that do not depend on the tile: columns, refractoriness, ring.
  [[nodiscard]] virtual std::vector<std::uint32_t> chunks() const = 0;
  virtual void save_chunk(std::uint32_t chunk, std::vector<std::uint8_t>& bytes) const = 0;
  /// Takes what save_chunk() wrote; false when that is not what was written for such a chunk.
  [[nodiscard]] virtual bool load_chunk(std::uint32_t chunk, std::span<const std::uint8_t> bytes) = 0;
  [[nodiscard]] virtual std::size_t chunk_bytes(std::uint32_t chunk) const = 0;
};

/// float32 state, packed rows, integer ring.
[[nodiscard]] std::unique_ptr<Tile> make_fast_tile(const TileContext& context, const TileLayout& layout);
/// float64 state, float64 weights; for comparison with other simulators.
[[nodiscard]] std::unique_ptr<Tile> make_exact_tile(const TileContext& context, const TileLayout& layout);

}  // namespace tessera
