// The plastic synapses of a tile: rows whose weights a rule changes.
//
// A row has the synapses of one source, one projection, one chunk and one delay group. It is visited once per
// spike of its source, when the first of its synapses may be due, and then its weights are brought up to date
// and transmitted in one pass. Rows of sources that have long been silent are brought up to date after
// kLongestWait, so that histories need not reach further back. All of this follows from the spikes alone:
// neither tiles nor ranks change a weight.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned_array.hpp"
#include "connectivity/modulator.hpp"
#include "connectivity/post_history.hpp"
#include "connectivity/post_sums.hpp"
#include "connectivity/row_store.hpp"
#include "connectivity/structural_rows.hpp"
#include "plasticity/plastic_row.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera {

struct PlasticRowsInput {
  const Wiring* wiring = nullptr;
  const WeightUnits* units = nullptr;
  const TileLayout* layout = nullptr;
  std::span<const PlasticityVariant> rules;     ///< per projection; outlive the rows
  std::span<const std::shared_ptr<const StructuralRule>> structural;  ///< the same, null where nothing is rewired; or empty
  std::span<const std::uint32_t> first_id;      ///< per population: global id of its first neuron
};

/// What structural rules have done.
struct RewiringCounts {
  std::uint64_t synapses = 0;  ///< that exist
  std::uint64_t formed = 0, eliminated = 0;
  /// Proposals that were not carried out: the pair existed, a number was out of range or a weight had the wrong sign, the
  /// target had its most synapses.
  std::uint64_t existing = 0, invalid = 0, at_limit = 0;
};

struct PlasticSynapse {
  std::uint32_t source, target;  ///< in their populations
  std::uint32_t delay_steps;     ///< axonal and dendritic
  double weight;
};

template <class Real>
class PlasticRows : public StructuralRows {
 public:
  using Input = typename InputOf<Real>::type;

  explicit PlasticRows(const PlasticRowsInput& input);
  ~PlasticRows() override;

  /// Takes in spikes of `step`, before any of them is due; several calls add up.
  void receive(std::int64_t step, SpikeLists spikes);
  /// The same after a checkpoint: what was due before `now` has been delivered.
  void receive_again(std::int64_t step, std::int64_t now, SpikeLists spikes);
  /// Visits the rows that are due. `ring`: of the tile; exact precision: its slots of this step.
  void deliver(std::int64_t step, Input* ring);
  /// Own neurons (global ids) that spiked in `step`.
  void spiked(std::int64_t step, std::span<const std::uint32_t> neurons);

  [[nodiscard]] bool reaches(std::uint32_t source) const;
  [[nodiscard]] const RowCounters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t synapses() const;
  [[nodiscard]] std::uint64_t bytes() const;
  /// What the rows of a bundle will take, and what its targets' histories will where `keeps_history`.
  struct ExpectedBytes {
    double rows = 0.0, history = 0.0;
    bool keeps_history = false;  ///< shared by bundles of one chunk with equal traces
  };
  [[nodiscard]] static ExpectedBytes expected_bytes(const Wiring& wiring, const tessera::Bundle& described, const PlasticityVariant& rule);

  /// A projection's synapses with the weights that they have at `now` (steps done), by chunk, then source; of all sources
  /// (null), or of some, ascending. Nothing changes by that.
  void read(std::uint32_t projection, std::int64_t now, const std::vector<std::uint32_t>* sources,
            const std::function<void(std::span<const PlasticSynapse> row)>& show) const;

  /// Sets weights at `now`, in the order in which read() shows all, where they are others than these. They are possible
  /// ones. A row with a weight that changes is brought to the time of its synapses first; spikes that act later act on
  /// the changed weight.
  void write(std::uint32_t projection, std::int64_t now, std::span<const double> weights);

  /// Of a projection on this tile.
  [[nodiscard]] RewiringCounts rewired(std::uint32_t projection) const;
  [[nodiscard]] double rewiring_seconds() const { return rewiring_seconds_; }

  void count_degrees(std::uint32_t projection, std::span<std::uint64_t> of_sources, std::span<std::uint64_t> of_targets) const override;
  void show_synapses(std::uint32_t projection, std::span<const char> sources, std::span<const char> targets,
                     const std::function<void(std::uint32_t source, std::uint32_t target)>& show) const override;
  bool change(std::uint32_t projection, std::int64_t step, std::uint32_t source, std::uint32_t target,
              std::optional<double> weight) override;
  void refuse(std::uint32_t projection, std::uint32_t target) override;
  void allow(std::uint32_t projection, std::uint32_t chunk, std::vector<std::uint32_t> of_sources) override;
  void show(std::uint32_t projection, const SeenNeurons& neurons) override;

  /// The first weight that stopped being finite; step -1: none.
  struct NotFinite {
    std::int64_t step = -1;
    std::uint32_t projection = 0, source = 0;
  };
  [[nodiscard]] const NotFinite& not_finite() const { return not_finite_; }
  [[nodiscard]] std::uint32_t source_population(std::uint32_t projection) const { return wiring_->source_population(projection); }

  /// All that changes on one of the tile's chunks, as bytes that depend on the network and its spikes alone.
  void save_chunk(std::uint32_t chunk, std::vector<std::uint8_t>& bytes) const;
  [[nodiscard]] std::size_t chunk_bytes(std::uint32_t chunk) const;
  /// False when the bytes are not what save_chunk() writes for this chunk; what is loaded then means nothing.
  [[nodiscard]] bool load_chunk(std::uint32_t chunk, std::span<const std::uint8_t> bytes);

  /// After which a row is brought up to date though its source is silent.
  static constexpr double kLongestWaitMs = 1000.0;

 private:
  struct Row {
    std::uint32_t begin, count;
    std::uint32_t group;
    std::int32_t before, seen;  ///< the source's last spike; targets' spikes up to here are in the weights
    std::uint32_t capacity;     ///< room for so many synapses
    double fast, slow;                  ///< traces of the source right after `before`
    ShortTermState short_term;
  };
  struct Bundle;  ///< plastic_bundle.hpp
  struct Due {
    std::uint32_t bundle, row;
    std::int32_t time;  ///< of the spike, at the synapse
  };

  void add_bundle(const PlasticRowsInput& input, const tessera::Bundle& described, const BlockLayout& block);
  void list_synapses(Bundle& bundle) const;
  [[nodiscard]] std::uint32_t find_history(const Bundle& bundle);
  [[nodiscard]] std::uint32_t find_modulator(const PlasticRowsInput& input, const Projection& projection, double tau_ms);
  void hear_modulators(std::int64_t step, SpikeLists spikes);
  void push(std::int64_t step, std::uint32_t source, std::int64_t not_before);
  /// A row at `now`: its weights (and what else it keeps per synapse) are at these addresses.
  struct Columns {
    Real *weights, *states;
    float* sums;
    const Modulator* modulator = nullptr;  ///< of rules with a third factor
  };
  [[nodiscard]] Columns columns_of(Bundle& bundle, const Row& row) const;
  /// Brings a row to `now` and, when there is a spike, transmits it. False when a weight is not finite.
  bool advance_row(const Bundle& bundle, Row& row, Columns columns, const PostSums* sums, std::int32_t now, bool spike,
                   std::int64_t step, Input* ring) const;
  bool advance_each(const Bundle& bundle, Row& row, Columns columns, std::int32_t now, bool spike, std::int64_t step, Input* ring) const;
  bool advance_sum(const Bundle& bundle, Row& row, Columns columns, const PostSums& sums, std::int32_t now, bool spike, std::int64_t step,
                   Input* ring) const;
  static void remember(const Bundle& bundle, Row& row, std::int32_t now, bool spike);
  [[nodiscard]] std::int32_t time_of_sums(const Bundle& bundle, std::int64_t step) const;
  void visit(const Due& due, std::int64_t step, Input* ring);
  void ask_for(const Due& due) const;
  void catch_up(std::int64_t step);
  void catch_up_sums(std::int64_t step);
  void rewire(std::int64_t step);
  [[nodiscard]] Bundle* bundle_of(std::uint32_t projection, std::uint32_t target) const;
  [[nodiscard]] std::int32_t time_of_row(const Bundle& bundle, const Row& row, std::int64_t step) const;
  [[nodiscard]] static bool lay_out_rows(Bundle& bundle, std::vector<Row> rows);
  [[nodiscard]] static bool count_targets(Bundle& bundle);
  class Reader;
  void set_row(Bundle& bundle, Reader& reader, std::uint32_t row, std::int64_t now, const double* weights);
  class View;

  const Wiring* wiring_;
  const Network* network_;
  std::uint32_t group_steps_, slot_bits_, ring_mask_;
  std::int64_t longest_wait_, lag_;
  std::vector<std::unique_ptr<Bundle>> bundles_;           ///< ascending by projection, then chunk
  std::vector<PostHistory<Real>> histories_;
  struct HistoryPlace {
    std::uint32_t chunk, first_id, size;
  };
  std::vector<HistoryPlace> history_places_;
  std::vector<Modulator> modulators_;                      ///< distinct ones
  std::vector<std::vector<Due>> due_;                      ///< per step, a ring
  RowCounters counters_;
  double rewiring_seconds_ = 0.0;
  NotFinite not_finite_;
};

extern template class PlasticRows<float>;
extern template class PlasticRows<double>;

}  // namespace tessera
