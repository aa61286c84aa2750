// The wiring of a network: what every source sends into every chunk, as a pure function of the seed.
//
// A bundle is one projection into one chunk of its target population. The row of a source in a bundle
// is a list of synapses; stored and procedural connectivity both come from the functions here.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "connectivity/chunks.hpp"
#include "connectivity/exceptions.hpp"
#include "connectivity/gaussian_rows.hpp"
#include "connectivity/samplers.hpp"
#include "connectivity/source_cells.hpp"
#include "connectivity/source_tree.hpp"
#include "connectivity/stubs.hpp"
#include "connectivity/target_row.hpp"
#include "connectivity/value_tables.hpp"
#include "network/sheet.hpp"
#include "tessera/network.hpp"

namespace tessera {

/// One synapse of a row. `target` counts from the chunk's first neuron.
struct RowSynapse {
  std::uint32_t target = 0;
  std::uint32_t delay_steps = 1;
  double weight = 0.0;
};

struct Bundle {
  /// uniform: counts per source and delay group, then targets drawn with replacement, group by group
  /// (kernels/draw_rows.hpp). corrected: the same, and then what the rule does not allow is put right
  /// (corrections.hpp). listed: everything else, row by row (kernels/row_targets.hpp).
  enum class Drawing { uniform, corrected, listed };
  std::uint32_t id = 0;     ///< the key of its draws: all bundles of the network are numbered through
  std::uint32_t index = 0;  ///< its place in Wiring::bundles(), which has those of own chunks only
  std::uint32_t projection = 0;
  std::uint32_t source_population = 0;
  std::uint32_t chunk = 0;
  Chunk targets;
  Drawing drawing = Drawing::listed;
  bool self_projection = false;  ///< source and target populations are the same
};

/// What a process holds grows with the chunks it owns: the constructor makes what all of the network
/// shares (chunks, delays, weights), own() adds the bundles of some chunks, and prepare_chunk() the
/// counts of their rows.
class Wiring {
 public:
  Wiring(const Network& network, std::uint64_t seed);
  /// Another process's share of the same network, so to speak: what all of it shares is shared with `other`, which may go.
  [[nodiscard]] static Wiring without_chunks(const Wiring& other);
  /// Replaces every drawn weight of a projection that does not learn by map(weight), as chips do that keep whole numbers;
  /// before own() and without_chunks(). Signs must not change.
  void map_weights(std::uint32_t projection, const std::function<double(double)>& map);
  /// Makes the bundles into these chunks, of all or of one projection; once, before anything is listed.
  void own(std::span<const std::uint32_t> chunks, std::uint32_t projection = kAllProjections);
  void own_all(std::uint32_t projection = kAllProjections);
  static constexpr std::uint32_t kAllProjections = 0xffffffffu;
  /// Makes what the rows into an own chunk are drawn from: call it before they are listed. Calls for
  /// different chunks may run at the same time.
  void prepare_chunk(std::uint32_t chunk);
  void prepare_bundle(const Bundle& b);
  /// Gives back what the rows of a bundle are no longer listed from.
  void release_exceptions(const Bundle& b) {
    if (tables_[b.index]) tables_[b.index]->exceptions = {};
  }

  /// Gives back the tree of a bundle whose counts are kept elsewhere.
  void release_tree(const Bundle& b) { trees_[b.index].reset(); }
  /// Bytes that it takes.
  [[nodiscard]] double expected_tree_bytes(const Bundle& b) const;

  [[nodiscard]] const Network& network() const { return *network_; }
  [[nodiscard]] RandomKey key() const { return key_; }
  [[nodiscard]] const std::vector<Chunk>& chunks() const { return chunks_; }
  [[nodiscard]] const std::vector<Bundle>& bundles() const { return bundles_; }
  /// A projection's bundle into its first chunk, whoever owns it; its index means nothing.
  [[nodiscard]] Bundle first_bundle(std::uint32_t projection) const {
    return bundle_into(projection, first_chunk_[target_of_[projection]]);
  }
  /// Sets reached[s - begin] of those sources in [begin, end) of a projection's population that have a synapse
  /// in a chunk, own or not: exactly, or of all where rows would have to be drawn to know. Needs no table of
  /// the chunk, but prepare_reaching() once.
  void find_reaching(std::uint32_t projection, std::uint32_t chunk, std::uint32_t begin, std::uint32_t end,
                     std::vector<bool>::iterator reached) const;
  void prepare_reaching();
  [[nodiscard]] std::uint32_t source_population(std::uint32_t projection) const { return source_of_[projection]; }
  [[nodiscard]] std::uint32_t target_population(std::uint32_t projection) const { return target_of_[projection]; }
  [[nodiscard]] const Projection& projection(const Bundle& b) const {
    return network_->projections[b.projection];
  }
  [[nodiscard]] const WeightTable& weights(const Bundle& b) const {
    return *weight_tables_[weight_table_of_[b.projection]];
  }
  [[nodiscard]] const DelayTable& delays(const Bundle& b) const {
    return delay_tables_[delay_table_of_[b.projection]];
  }
  /// First and last delay group that a synapse of the bundle may be in.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> delay_groups(const Bundle& b) const;
  [[nodiscard]] double expected_synapses_of(const Bundle& b) const;
  /// Draws with replacement that its rows are made of, corrected ones before they are.
  [[nodiscard]] double expected_draws_of(const Bundle& b) const;
  /// Delay groups are as long as the ring of a tile; both follow from the network's size and delays.
  [[nodiscard]] RingShape ring_shape() const { return shape_; }
  /// Steps of the delay tables for draw_rows.hpp; empty with groups of four steps.
  [[nodiscard]] const std::vector<std::int32_t>& step_tables() const { return step_tables_; }
  /// What the queue of draw_rows.hpp keeps of a delay group of the bundle's table.
  [[nodiscard]] std::uint32_t step_code(const Bundle& b, std::uint32_t group) const;
  [[nodiscard]] std::uint32_t min_delay_steps() const { return min_delay_; }
  /// Steps between two meetings of the workers (argument 2 above the step loop).
  [[nodiscard]] std::uint32_t exchange_steps() const {
    return 1 + (shortest_lead_ - 1) / shape_.steps() * shape_.steps();
  }
  [[nodiscard]] std::uint32_t max_delay_steps() const { return max_delay_; }
  [[nodiscard]] std::size_t bytes() const;
  /// The same with what prepare_chunk() will add for all own chunks, but for exceptions.
  [[nodiscard]] double expected_bytes() const;
  /// Of which a rule takes this much for every chunk of its targets.
  [[nodiscard]] static double bytes_per_chunk(const ConnectivityRule& rule, std::uint32_t sources,
                                              std::uint32_t largest_chunk);

  /// Bytes that the table of exceptions of a listed bundle takes, about: of its repeated and its own sources.
  [[nodiscard]] double expected_exception_bytes(const Bundle& b) const;
  /// Words that put the draws of a corrected bundle right, about.
  [[nodiscard]] double expected_corrections_of(const Bundle& b) const;

  /// Draws of sources [block * kBlock, ...) of a bundle that is uniform or corrected.
  void block_counts(const Bundle& b, std::uint32_t block, std::uint32_t* counts) const;
  /// The same of several blocks, one after the other.
  void counts_of(const Bundle& b, std::uint32_t first_block, std::uint32_t blocks, std::uint32_t* counts) const;
  [[nodiscard]] std::uint32_t count(const Bundle& b, std::uint32_t source) const;
  /// The draws of a source in a listed bundle, where a rule has them counted: how many, and how many the
  /// sources before it have.
  using Share = SourceTree::Share;
  [[nodiscard]] bool counted(const Bundle& b) const;
  [[nodiscard]] Share share(const Bundle& b, std::uint32_t source) const;
  /// The cells of a bundle whose sources have few synapses each, or null. Its rows are drawn a cell at a
  /// time: item k of a cell is draw first(cell) + k of the stubs, and as the key of weights and delays the
  /// cell takes the place of the source (kernels/row_targets.hpp).
  [[nodiscard]] const SourceCells* cells(const Bundle& b) const { return cells_[b.index].get(); }
  /// The same of a projection, before anything is prepared: 0, or sources per cell.
  [[nodiscard]] std::uint32_t cell_width(std::uint32_t projection) const { return cell_width_[projection]; }
  [[nodiscard]] StubPermutation stubs(const Bundle& b) const { return tables_[b.index]->stubs.permutation(); }
  /// Whether these are of the pairs that are not connected.
  [[nodiscard]] bool is_inverted(const Bundle& b) const { return tables_[b.index]->inverted; }
  /// Draws of all sources before the block's (fixed_indegree; 0 for other rules).
  [[nodiscard]] std::uint32_t block_first(const Bundle& b, std::uint32_t block) const;
  /// Splits `count` draws of a source over the delay groups of its bundle's table (uniform or corrected).
  void split_delays(const Bundle& b, std::uint32_t source, std::uint32_t count,
                    std::uint32_t* per_group) const;
  /// Place of a source in the chunk where it must not be a target, else the chunk's size.
  [[nodiscard]] std::uint32_t excluded_target(const Bundle& b, std::uint32_t source) const;
  /// What a bundle of fixed_indegree drops and adds. Empty for other rules.
  [[nodiscard]] const Exceptions& exceptions(const Bundle& b) const { return tables_[b.index]->exceptions; }
  /// The targets of a source in a listed bundle with the share that share() gives. Not of explicit lists.
  void list_targets(const Bundle& b, std::uint32_t source, Share share, TargetRow& row) const;
  /// Asks memory for what list_targets() reads: call the first some rows ahead, then the second.
  void prefetch_begin(const Bundle& b, std::uint32_t source) const {
    if (trees_[b.index]) trees_[b.index]->prefetch(source);
    if (cells_[b.index]) cells_[b.index]->prefetch(source);
    if (tables_[b.index]) tables_[b.index]->exceptions.prefetch_begin(source);
  }
  void prefetch_exceptions(const Bundle& b, std::uint32_t source) const {
    if (tables_[b.index]) tables_[b.index]->exceptions.prefetch(source);
  }
  /// Appends the row of a source, in the order in which its draws are numbered.
  void list_row(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const;
  /// The delay of a synapse of a projection whose delays grow with distance.
  [[nodiscard]] std::uint32_t distance_delay_steps(const Bundle& b, std::uint32_t source, std::uint32_t target) const;
  [[nodiscard]] bool is_explicit(const Bundle& b) const { return explicit_[b.projection] != nullptr; }

 private:
  Wiring() = default;
  void prepare_delays();
  void add_projection(std::uint32_t projection);
  void add_weights(std::uint32_t projection);
  void add_explicit(std::uint32_t projection);
  [[nodiscard]] Bundle bundle_into(std::uint32_t projection, std::uint32_t chunk) const;
  [[nodiscard]] std::vector<std::uint64_t> items_of_chunks(std::uint32_t projection) const;
  [[nodiscard]] SourceTree tree_of(const Bundle& b, std::uint64_t items, bool cached) const;
  void list_uniform(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const;
  [[nodiscard]] RowSynapse synapse_of(const Bundle& b, std::uint32_t row, std::uint32_t source, std::uint32_t k,
                                      std::uint32_t target) const;
  void list_cell_row(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const;
  void list_explicit(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const;
  void put_right(const Bundle& b, std::uint32_t source, std::vector<RowSynapse>& row) const;
  void list_indegree(const Bundle& b, std::uint32_t source, Share share, TargetRow& row) const;
  class Draws;
  void prepare_exceptions(const Bundle& b);
  /// Sources that a target may have.
  [[nodiscard]] std::uint32_t open_sources(const Bundle& b) const;
  [[nodiscard]] std::uint32_t outdegree_share(const Bundle& b, std::uint32_t source) const;

  struct ExplicitRows {  // synapses of an explicit list, ordered by source
    std::vector<std::uint32_t> begin;
    std::vector<ConnectivityRule::Synapse> synapses;
  };
  /// What the rows of a listed bundle are drawn from, where the rule needs it.
  struct RowTables {
    Stubs stubs;                 ///< fixed_indegree, listed
    std::uint64_t draws = 0;     ///< fixed_indegree, corrected: of all sources
    bool inverted = false;       ///< stubs are of the pairs that are not connected
    Exceptions exceptions;       ///< made by prepare_chunk()
    BinomialTable counts;        ///< pairwise_bernoulli: of a whole chunk,
    BinomialTable counts_but_one;  ///< and without the source itself
    std::vector<RowsOfChunk> rows;  ///< gaussian_2d: per row of the source grid
  };
  [[nodiscard]] std::unique_ptr<RowTables> tables_for(const Bundle& b) const;

  const Network* network_ = nullptr;
  RandomKey key_{0};
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> first_chunk_;                ///< per population and after the last
  std::vector<Bundle> bundles_;                           ///< of own chunks
  std::vector<std::shared_ptr<const WeightTable>> weight_tables_;  ///< distinct ones
  std::vector<std::uint32_t> weight_table_of_;            ///< per projection
  std::vector<std::uint32_t> first_of_weights_;           ///< per distinct table: a projection that has it
  std::vector<DelayTable> delay_tables_;                  ///< distinct ones
  std::vector<std::uint32_t> delay_table_of_;             ///< per projection
  std::vector<std::int32_t> step_tables_;
  std::vector<std::uint32_t> step_table_begin_;           ///< per delay table
  std::vector<std::unique_ptr<SourceTree>> trees_;        ///< per own bundle, where the rule has one
  std::vector<std::unique_ptr<SourceCells>> cells_;       ///< per own bundle, where sources have few synapses
  std::vector<std::unique_ptr<RowTables>> tables_;        ///< per own bundle, where it is listed
  std::vector<std::uint64_t> items_;                      ///< per own bundle: synapses, where a rule shares them out
  std::vector<std::vector<std::uint64_t>> all_items_;     ///< per projection: of all chunks, after prepare_reaching()
  std::vector<std::uint32_t> source_of_, target_of_;      ///< per projection: populations
  std::vector<Bundle::Drawing> drawing_;                  ///< per projection
  std::vector<std::uint32_t> cell_width_;                 ///< per projection; 0: no cells
  std::vector<std::uint32_t> first_bundle_;               ///< per projection: id
  std::vector<std::shared_ptr<const ExplicitRows>> explicit_;   ///< per projection
  std::vector<std::optional<SheetPair>> sheets_;          ///< per projection, where distances count
  std::vector<std::shared_ptr<const GaussianRows>> gaussian_;   ///< per projection: gaussian_2d
  std::vector<double> expected_;                          ///< synapses per projection
  RingShape shape_;
  std::uint32_t min_delay_ = 1;
  std::uint32_t shortest_lead_ = 1;  ///< the same of dendritic parts: plastic rows are due when these begin
  std::uint32_t max_delay_ = 1;
};

/// Steps of the part of a projection's delays that lies before the synapse (plastic projections).
[[nodiscard]] std::uint32_t axonal_steps(const Projection& projection, double dt_ms);

/// Whether the plasticity of a projection has a third factor.
[[nodiscard]] inline bool has_modulator(const Projection& projection) {
  return projection.plasticity && !projection.plasticity->modulator.empty();
}
/// Steps from a spike of a projection's modulator to when it acts.
[[nodiscard]] std::uint32_t modulator_steps(const Projection& projection, double dt_ms);

/// Whether a rule changes the weights of a bundle, so that its synapses are in no store but PlasticRows.
[[nodiscard]] inline bool is_plastic(const Wiring& wiring, const Bundle& b) {
  return wiring.projection(b).plasticity.has_value();
}

}  // namespace tessera
