// How a tile holds its incoming synapses. Two stores give the same rows: `stored` wrote them down once,
// `procedural` draws them again whenever their source spikes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/scratch_file.hpp"
#include "connectivity/fan.hpp"
#include "kernels/draw_rows.hpp"

namespace tessera {

struct RowCounters {
  std::uint64_t synaptic_events = 0;
  std::uint64_t row_visits = 0;
};

/// Lists of global source ids, one list per tile that sent any.
using SpikeLists = std::span<const std::span<const std::uint32_t>>;

/// Who is shown a stored row, one delay group after the other (see in_flight.hpp for what words mean).
class RowVisitor {
 public:
  virtual ~RowVisitor() = default;
  virtual void visit(std::uint32_t group, std::span<const std::uint32_t> packed) = 0;
  virtual void visit(std::uint32_t group, std::span<const WideWord> wide) = 0;
};

class RowStore {
 public:
  virtual ~RowStore() = default;
  /// Takes in the spikes of `step`; they deliver from step + 1 on.
  virtual void receive(std::int64_t step, SpikeLists spikes) = 0;
  /// More spikes of a step that was received, before any of them is due.
  virtual void receive_more(std::int64_t step, SpikeLists spikes) = 0;
  /// The same after a checkpoint: what was due before `now` has been delivered.
  virtual void receive_again(std::int64_t step, std::int64_t now, SpikeLists spikes) = 0;
  /// Adds everything due at `step` to the ring.
  virtual void deliver(std::int64_t step, std::int32_t* ring) = 0;
  /// Whether a source has any synapse on the tile (true when that is not known).
  [[nodiscard]] virtual bool reaches(std::uint32_t source) const = 0;
  /// Shows the row of a source. Only of stores that have rows; several threads may ask at once.
  virtual void visit_row(std::uint32_t source, RowVisitor& visitor) const;
  /// Forgets the words of all rows, once they are kept elsewhere; nothing is delivered any more.
  virtual void drop_words() {}
  /// Moves the rows into a file, and back: between the two nothing is delivered or looked up. Stores without rows stay.
  virtual void park(ScratchFile&) {}
  virtual void unpark(const ScratchFile&) {}
  /// Synapses written down; 0 in procedural stores.
  [[nodiscard]] virtual std::uint64_t synapses() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  [[nodiscard]] const RowCounters& counters() const { return counters_; }

 protected:
  RowCounters counters_;
};

/// What a store is built from; the wiring and units outlive it.
struct RowStoreInput {
  const Wiring* wiring = nullptr;
  const WeightUnits* units = nullptr;
  const TileLayout* layout = nullptr;
  std::uint32_t exchange_steps = 1;
};

/// What the kernels of draw_rows.hpp look up.
[[nodiscard]] DrawTables tables_of(const Wiring& wiring, const WeightUnits& units);

/// Whether any of these bundles lands on the tile.
[[nodiscard]] bool lands_on(const RowStoreInput& input, const BundleChoice& holds);

/// Synapses that the rules lead one to expect of these bundles on the tile.
[[nodiscard]] double expected_synapses(const RowStoreInput& input, const BundleChoice& holds);

/// Two stores of one tile as one: packed words in the first, wide ones in the second. A tile without
/// wide words has one store and no pair.
[[nodiscard]] std::unique_ptr<RowStore> make_pair_of_rows(std::unique_ptr<RowStore> packed,
                                                          std::unique_ptr<RowStore> wide);

[[nodiscard]] inline bool every_bundle(const Bundle&) { return true; }

/// What puts the draws of corrected bundles right, written down once; it goes with procedural rows. The tile has
/// such bundles.
[[nodiscard]] std::unique_ptr<RowStore> make_correction_rows(const RowStoreInput& input);

/// Of all bundles on the tile, or of those with `stored` true.
[[nodiscard]] std::unique_ptr<RowStore> make_stored_rows(const RowStoreInput& input, const BundleChoice& stored = every_bundle);
/// Count records use bytes while the largest expected count of one source, bundle and delay group is at
/// most this (100 + 15 SD of a Poisson count is 250), else two bytes.
inline constexpr double kLargestMeanCount8 = 100.0;

/// `count_table`: keep how many synapses each source has per bundle and delay group. Of all bundles, or of those with `drawn`
/// true, which includes all that are corrected by group.
[[nodiscard]] std::unique_ptr<RowStore> make_procedural_rows(const RowStoreInput& input, bool count_table,
                                                             const BundleChoice& drawn = every_bundle);

/// Procedural rows, but for those of projections that are stored.
[[nodiscard]] std::unique_ptr<RowStore> make_mixed_rows(const RowStoreInput& input, bool count_table,
                                                        const std::vector<bool>& stored);

}  // namespace tessera
