// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/tile_totals.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/aligned_array.hpp"
#include "connectivity/row_places.hpp"
#include "connectivity/row_store.hpp"
#include "connectivity/store_bytes.hpp"

namespace tessera {
namespace {

/// What a source population sends onto a tile.
struct SourceOnTile {
  std::uint32_t first_group = kMaxDelayGroups, end_group = 0, bundles = 0;  ///< of those whose synapses are counted
  std::uint32_t first = kMaxDelayGroups, last = 0;                          ///< groups of all
  bool kept = false;                                                        ///< its spikes, until all is due
  double packed = 0.0, wide = 0.0;                                          ///< synapses
  double corrections = 0.0;                                                 ///< bytes
  double largest_count = 0.0;                                               ///< of a source, bundle and group
  double groups() const { return bundles > 0 ? end_group - first_group : 0.0; }
};

/// What an array takes beyond its entries: whole pages, huge ones of two megabytes from 256 kB on.
double rest_of_page(double bytes) { return static_cast<double>(page_bytes(static_cast<std::size_t>(bytes))) - bytes; }

/// Stored rows of all sources, and count records with one entry for every group and bundle.
void add_sources(const Network& network, const std::vector<SourceOnTile>& sources, bool by_population, Totals& totals) {
  double largest = 0.0;
  for (const SourceOnTile& on : sources) largest = std::max(largest, on.largest_count);
  double tables[2] = {0.0, 0.0};  // counts of one and of two bytes
  for (std::size_t p = 0; p < sources.size(); ++p) {
    const Population& source = network.populations[p];
    const SourceOnTile& on = sources[p];
    const double entry_bytes = (by_population ? on.largest_count : largest) > kLargestMeanCount8 ? 2.0 : 1.0;
    const double record = on.groups() * on.bundles * entry_bytes;
    tables[entry_bytes > 1.0 ? 1 : 0] += record * source.size;
    const double spikes = source.mean_rate_hz * source.size * network.dt_ms / 1000.0;
    totals.records += record * spikes;
    if (on.kept) totals.kept_spikes += spikes;
    for (const auto& [synapses, word] : {std::pair(on.packed, 4.0), std::pair(on.wide, 8.0)}) {
      if (synapses == 0.0) continue;
      const double headers = RowPlaces::expected_headers(source.size, synapses, on.last - on.first + 1.0);
      totals.stored_words += synapses + headers;
      totals.rows += (synapses + headers) * word + RowPlaces::expected_bytes(source.size, synapses, on.last > on.first);
    }
    if (on.corrections == 0.0) continue;
    // Every delay group of a source that has corrections takes two words more, every source where they begin.
    const double blocks = on.groups() * source.size;
    totals.corrections += 4.0 * source.size + on.corrections - 8.0 * blocks * std::expm1(-on.corrections / 4.0 / blocks);
  }
  for (const double table : tables) {
    if (table == 0.0) continue;
    totals.table_bytes += table;
    totals.table_pages += rest_of_page(table);
    ++totals.counting_stores;
  }
}

}  // namespace

double correction_bytes(const Wiring& wiring, const WeightUnits& units, const Bundle& b) {
  const double word = units.wide[b.projection] ? sizeof(WideWord) : sizeof(std::uint32_t);
  return units.corrected_by_group(b) ? wiring.expected_corrections_of(b) * word : 0.0;
}

template <class Expected>
double PlasticTotals::add(const Bundle& b, const PlasticityVariant& rule, const Expected& expected) {
  const bool first = expected.keeps_history && histories_.emplace(b.chunk, rule.tau_minus, rule.tau_minus_slow, rule.nearest).second;
  return expected.rows + (first ? expected.history : 0.0);
}

double PlasticTotals::bytes_of(const Bundle& b) {
  const PlasticityVariant& rule = rules_[b.projection];
  return exact_ ? add(b, rule, PlasticRows<double>::expected_bytes(wiring_, b, rule))
                : add(b, rule, PlasticRows<float>::expected_bytes(wiring_, b, rule));
}

double store_bytes(const Totals& totals, const Wiring& wiring, bool count_table) {
  const RingShape shape = wiring.ring_shape();
  double bytes = count_table ? totals.table_pages : 0.0;
  bytes += std::max(totals.counting_stores, 1) * procedural_store_bytes(shape, totals.last_group + 1, wiring.exchange_steps());
  if (totals.thin_bundles > 0) bytes += thin_store_bytes(shape, totals.last_thin_group + 1, wiring.exchange_steps(), totals.thin_bundles);
  return bytes;
}

Totals sum_up(const Wiring& wiring, const WeightUnits& units, const ThinChoice& thin, const TileLayout& layout, PlasticTotals& plastic,
              const std::vector<bool>& mixture) {
  const Network& network = wiring.network();
  Totals totals;
  std::vector<bool> on_tile(wiring.chunks().size(), false);
  for (const BlockLayout& block : layout.blocks) on_tile[block.chunk] = true;
  std::vector<SourceOnTile> sources(network.populations.size());
  double thin_table = 0.0;
  for (const Bundle& b : wiring.bundles()) {
    if (!on_tile[b.chunk]) continue;
    const Population& source = network.populations[b.source_population];
    const double n = wiring.expected_synapses_of(b);
    totals.synapses += n;
    if (is_plastic(wiring, b)) {
      totals.plastic += n;
      totals.plastic_bytes += plastic.bytes_of(b);
      totals.events_per_second += n * source.mean_rate_hz;
      continue;
    }
    SourceOnTile& on = sources[b.source_population];
    const auto [first, last] = wiring.delay_groups(b);
    on.first = std::min(on.first, first), on.last = std::max(on.last, last);
    if (mixture.empty() || mixture[b.projection]) (units.wide[b.projection] ? on.wide : on.packed) += n;
    totals.events_per_second += n * source.mean_rate_hz;
    totals.exceptions += wiring.expected_exception_bytes(b);
    if (!mixture.empty() && mixture[b.projection]) continue;
    if (!units.listed(b)) totals.trees += wiring.expected_tree_bytes(b);
    if (thin.holds(b)) {
      thin_table += source.size * ThinChoice::kCountBytes;
      ++totals.thin_bundles;
      totals.last_thin_group = std::max(totals.last_thin_group, last);
      totals.waiting += n * source.mean_rate_hz * wiring.projection(b).delay_ms.mean() / 1000.0 * ThinChoice::kWordBytes;
      continue;
    }
    on.kept = true;
    totals.last_group = std::max(totals.last_group, last);
    if (units.listed(b) && !units.corrected_by_group(b)) {
      if (wiring.counted(b)) totals.table_bytes += source.size;  // RowCounts: nearly always a byte
      continue;
    }
    const DelayTable& delays = wiring.delays(b);
    on.largest_count = std::max(on.largest_count, wiring.expected_draws_of(b) / source.size * delays.largest_group_share());
    ++on.bundles;
    on.corrections += correction_bytes(wiring, units, b);
    on.first_group = std::min(on.first_group, delays.first_group);
    on.end_group = std::max(on.end_group, delays.first_group + delays.groups);
  }
  totals.table_bytes += thin_table;
  totals.table_pages += thin_table > 0.0 ? rest_of_page(thin_table) : 0.0;
  add_sources(network, sources, thin.any(), totals);
  return totals;
}

}  // namespace tessera
