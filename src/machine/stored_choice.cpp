// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/stored_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "connectivity/row_places.hpp"
#include "machine/placement.hpp"

namespace tessera {
namespace {

// Nanoseconds of a synaptic event (docs/performance.md): drawn; written down, with the visit of its delay group, which a thin
// row has nearly one of per synapse.
constexpr double kThinNs = 20.0, kDrawnNs = 2.0, kStoredNs = 1.6, kStoredVisitNs = 8.0;

struct Candidate {
  double saved = 0.0;  ///< nanoseconds per second
  double bytes = 0.0;
  bool possible = false;
};

}  // namespace

std::vector<bool> choose_stored(const Wiring& wiring, const WeightUnits& units, const ThinChoice& thin, double bytes) {
  const Network& network = wiring.network();
  std::vector<Candidate> candidates(network.projections.size());
  for (const Bundle& b : wiring.bundles()) {
    if (is_plastic(wiring, b) || units.corrected_by_group(b)) continue;
    const Population& source = network.populations[b.source_population];
    const double n = wiring.expected_synapses_of(b), rate = source.mean_rate_hz > 0.0 ? source.mean_rate_hz : kAssumedRate_Hz;
    const auto [first, last] = wiring.delay_groups(b);
    const double headers = RowPlaces::expected_headers(source.size, n, last - first + 1.0);
    Candidate& candidate = candidates[b.projection];
    candidate.possible = true;
    candidate.saved += rate * (thin.holds(b) ? n * (kThinNs - kStoredNs) - headers * kStoredVisitNs : n * (kDrawnNs - kStoredNs));
    candidate.bytes += (n + headers) * (units.wide[b.projection] ? 8.0 : 4.0) + RowPlaces::expected_bytes(source.size, n, last > first);
  }
  std::vector<std::uint32_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return candidates[a].saved * candidates[b].bytes > candidates[b].saved * candidates[a].bytes;
  });
  std::vector<bool> stored(candidates.size(), false);
  for (const std::uint32_t p : order) {
    if (!candidates[p].possible || candidates[p].saved <= 0.0 || candidates[p].bytes > bytes) continue;
    bytes -= candidates[p].bytes;
    stored[p] = true;
  }
  return stored;
}

std::string mixture_text(const Network& network, const std::vector<bool>& stored, double bytes) {
  double synapses = 0.0;
  for (std::size_t p = 0; p < stored.size(); ++p) {
    if (!stored[p]) continue;
    const Projection& projection = network.projections[p];
    synapses += expected_synapses(projection, *network.find(projection.source), *network.find(projection.target));
  }
  return fmt::format("{} of {} projections are stored all the same, {:.4g} synapses in {:.0f} MB: those that save most time per byte",
                     std::count(stored.begin(), stored.end(), true), stored.size(), synapses, std::ceil(bytes / 1e6));
}

}  // namespace tessera
