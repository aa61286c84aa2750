// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/row_store.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tessera {

namespace {

std::vector<bool> chunks_on_tile(const RowStoreInput& input) {
  std::vector<bool> on_tile(input.wiring->chunks().size(), false);
  for (const BlockLayout& block : input.layout->blocks) on_tile[block.chunk] = true;
  return on_tile;
}

class PairOfRows final : public RowStore {
 public:
  PairOfRows(std::unique_ptr<RowStore> packed, std::unique_ptr<RowStore> wide, bool first_is_drawn = false)
      : packed_(std::move(packed)), wide_(std::move(wide)), first_is_drawn_(first_is_drawn) {}

  void receive(std::int64_t step, SpikeLists spikes) override {
    packed_->receive(step, spikes);
    wide_->receive(step, spikes);
  }
  void receive_more(std::int64_t step, SpikeLists spikes) override {
    packed_->receive_more(step, spikes);
    wide_->receive_more(step, spikes);
  }
  void receive_again(std::int64_t step, std::int64_t now, SpikeLists spikes) override {
    packed_->receive_again(step, now, spikes);
    wide_->receive_again(step, now, spikes);
  }
  void deliver(std::int64_t step, std::int32_t* ring) override {
    packed_->deliver(step, ring);
    wide_->deliver(step, ring);
    const RowCounters &a = packed_->counters(), &b = wide_->counters();
    counters_ = {a.synaptic_events + b.synaptic_events, a.row_visits + b.row_visits};
  }
  bool reaches(std::uint32_t source) const override {
    return packed_->reaches(source) || wide_->reaches(source);
  }
  void visit_row(std::uint32_t source, RowVisitor& visitor) const override {
    if (!first_is_drawn_) packed_->visit_row(source, visitor);
    wide_->visit_row(source, visitor);
  }
  void drop_words() override {
    packed_->drop_words();
    wide_->drop_words();
  }
  void park(ScratchFile& file) override {
    packed_->park(file);
    wide_->park(file);
  }
  void unpark(const ScratchFile& file) override {
    packed_->unpark(file);
    wide_->unpark(file);
  }
  std::uint64_t synapses() const override { return packed_->synapses() + wide_->synapses(); }
  std::uint64_t bytes() const override { return packed_->bytes() + wide_->bytes(); }

 private:
  std::unique_ptr<RowStore> packed_, wide_;
  bool first_is_drawn_;  ///< and has no rows to visit
};

}  // namespace

void RowStore::visit_row(std::uint32_t, RowVisitor&) const {
  throw std::logic_error("only stored rows can be visited");
}

DrawTables tables_of(const Wiring& wiring, const WeightUnits& units) {
  return {units.tables.data(), wiring.step_tables().empty() ? nullptr : wiring.step_tables().data()};
}

std::unique_ptr<RowStore> make_pair_of_rows(std::unique_ptr<RowStore> packed, std::unique_ptr<RowStore> wide) {
  return std::make_unique<PairOfRows>(std::move(packed), std::move(wide));
}

std::unique_ptr<RowStore> make_mixed_rows(const RowStoreInput& input, bool count_table, const std::vector<bool>& stored) {
  const BundleChoice is_stored = [&stored](const Bundle& b) { return stored[b.projection]; };
  const BundleChoice is_drawn = std::not_fn(is_stored);
  if (!lands_on(input, is_stored)) return make_procedural_rows(input, count_table);
  if (!lands_on(input, is_drawn)) return make_stored_rows(input);
  return std::make_unique<PairOfRows>(make_procedural_rows(input, count_table, is_drawn), make_stored_rows(input, is_stored), true);
}

bool lands_on(const RowStoreInput& input, const BundleChoice& holds) {
  const std::vector<bool> on_tile = chunks_on_tile(input);
  const std::vector<Bundle>& bundles = input.wiring->bundles();
  return std::any_of(bundles.begin(), bundles.end(), [&](const Bundle& b) { return on_tile[b.chunk] && !is_plastic(*input.wiring, b) && holds(b); });
}

double expected_synapses(const RowStoreInput& input, const BundleChoice& holds) {
  std::vector<std::uint32_t> neurons(input.wiring->chunks().size(), 0);  // of every chunk, on the tile
  for (const BlockLayout& block : input.layout->blocks) neurons[block.chunk] = block.count(input.wiring->chunks()[block.chunk]);
  double synapses = 0.0;
  for (const Bundle& b : input.wiring->bundles()) {
    if (neurons[b.chunk] == 0 || is_plastic(*input.wiring, b) || !holds(b)) continue;
    synapses += input.wiring->expected_synapses_of(b) * neurons[b.chunk] / b.targets.size;
  }
  return synapses;
}

}  // namespace tessera
