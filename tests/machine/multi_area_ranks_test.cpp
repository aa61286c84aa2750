// The multi-area model over ranks: which spikes travel, counted in another way.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "engine/networks.hpp"
#include "files/file.hpp"
#include "files/npz.hpp"
#include "machine/exchange_plan.hpp"
#include "machine/rank_placement.hpp"
#include "model_file/load.hpp"
#include "tessera/communicator.hpp"

namespace tessera::test {
namespace {

struct RanksOfAreas {
  Wiring wiring;
  Placement placement;
  SimulationOptions options;
};

RanksOfAreas packed(const Network& network, int ranks) {
  SimulationOptions options = options_of(Connectivity::procedural);
  options.communicator = dry_run_communicator(0, ranks);
  options.rank_placement = RankPlacement::pack;
  Wiring wiring(network, 42);
  Placement placement = place(wiring, ports_of(network, NeuronCatalogue::builtin()), options);
  return {std::move(wiring), std::move(placement), std::move(options)};
}

std::string area(const std::string& population) { return population.substr(0, population.find('.')); }

/// The rank of every neuron of a population.
std::vector<std::uint32_t> ranks_of_neurons(const RanksOfAreas& on, std::size_t population) {
  std::vector<std::uint32_t> ranks(on.wiring.network().populations[population].size);
  for (std::uint32_t c = 0; c < on.wiring.chunks().size(); ++c) {
    const Chunk& chunk = on.wiring.chunks()[c];
    if (chunk.population == population) std::fill_n(ranks.begin() + chunk.begin, chunk.size, on.placement.rank_of_chunk[c]);
  }
  return ranks;
}

// The four areas of the stand-in, a fifth of the neurons with about one synapse in another area each, so that about half of the
// (neuron, rank) pairs have one. Every area is on a rank of its own. Drawn here: all synapses between areas, and so on which
// other ranks a neuron has any. The number is a sum of independent events or nearly so; five standard deviations.
TEST(MultiAreaRanks, CopiesArePlannedAsTheSynapsesAreDrawn) {
  const Network network = load("multi_area/multi_area.toml", {{"tables", "stand_in"}, {"N_scaling", "0.2"}, {"K_scaling", "0.001"}});
  const RanksOfAreas on = packed(network, 4);
  std::vector<std::vector<std::uint32_t>> rank_of;
  std::set<std::pair<std::string, std::uint32_t>> homes;
  for (std::size_t p = 0; p < network.populations.size(); ++p) {
    rank_of.push_back(ranks_of_neurons(on, p));
    for (const std::uint32_t rank : rank_of.back()) homes.emplace(area(network.populations[p].name), rank);
  }
  EXPECT_EQ(homes.size(), 4u) << "an area lies on one rank";
  std::vector<std::set<std::pair<std::uint32_t, std::uint32_t>>> needs(network.populations.size());  // neuron, rank
  std::uint64_t seed = 7;  // of each projection another one: alone, all are number 0 and would draw the same sources
  for (const Projection& p : network.projections) {
    if (area(p.source) == area(p.target)) continue;
    Network alone;
    alone.dt_ms = network.dt_ms;
    alone.populations = {*network.find(p.source), *network.find(p.target)};
    alone.projections = {p};
    const std::size_t source = network.index_of(p.source), target = network.index_of(p.target);
    for (const auto& s : list_synapses(alone, NeuronCatalogue::builtin(), ++seed, p.name)) needs[source].emplace(s.source, rank_of[target][s.target]);
  }
  double copies = 0.0, variance = 0.0;  // per step
  for (std::size_t p = 0; p < needs.size(); ++p) {
    const double spikes = network.populations[p].mean_rate_hz * network.dt_ms / 1000.0;
    copies += static_cast<double>(needs[p].size()) * spikes;
    if (needs[p].empty()) continue;
    variance += network.populations[p].size * 3.0 * 0.25 * spikes * spikes;  // three other ranks; p (1 - p) <= 1/4
  }
  const ExchangePlan plan = plan_exchange(on.wiring, on.placement, on.options);
  EXPECT_GT(copies, 0.0);
  EXPECT_NEAR(plan.point_to_point.received_per_step * 4.0, copies, 5.0 * std::sqrt(variance));
  EXPECT_LT(5.0 * std::sqrt(variance), 0.08 * copies) << "a test that sees something";
}

class PublishedMultiAreaRanks : public testing::Test {
 protected:
  void SetUp() override {
    const char* const data = std::getenv("TESSERA_DATA_DIR");
    tables_ = data == nullptr ? "" : std::filesystem::path(data) / "multi_area";
    if (tables_.empty() || !std::filesystem::exists(tables_ / "mam_area_fanout.npz")) {
      GTEST_SKIP() << "The tables of the multi-area model are not in TESSERA_DATA_DIR/multi_area; models/multi_area/README.md says how to write them.";
    }
  }
  std::filesystem::path tables_;
};

// One area per rank. Another program has tabulated what part of an area's neurons has a target in each other area
// (mam_area_fanout); at equal rates that is what travels. At the rates of the ground state point to point saves 92 % of the
// copies of an all-gather (published), because the neurons that send nothing to other areas fire most.
TEST_F(PublishedMultiAreaRanks, FullScaleCopiesAreThosePublished) {
  Network network = load("multi_area/multi_area.toml");
  std::vector<std::string> areas;
  for (const Population& p : network.populations) {
    if (areas.empty() || areas.back() != area(p.name)) areas.push_back(area(p.name));
  }
  ASSERT_EQ(areas.size(), 32u);
  RanksOfAreas on = packed(network, 32);
  for (std::uint32_t c = 0; c < on.wiring.chunks().size(); ++c) {
    const std::string& name = network.populations[on.wiring.chunks()[c].population].name;
    on.placement.rank_of_chunk[c] = static_cast<std::uint32_t>(std::find(areas.begin(), areas.end(), area(name)) - areas.begin());
  }
  const ExchangePlan ground = plan_exchange(on.wiring, on.placement, on.options);
  const double saved = 1.0 - ground.point_to_point.received_per_step / ground.collective.received_per_step;
  EXPECT_NEAR(saved, 0.92, 0.005);
  EXPECT_EQ(ground.chosen, Exchange::point_to_point);

  for (Population& p : network.populations) p.mean_rate_hz = 1.0;  // the wiring looks at them
  const std::vector<double> fanout = io::NpzArchive(io::read_file(tables_ / "mam_area_fanout.npz", 1 << 28), "npz").read("frac_neurons").values;
  double copies = 0.0;
  for (const Population& p : network.populations) {
    const std::size_t from = static_cast<std::size_t>(std::find(areas.begin(), areas.end(), area(p.name)) - areas.begin());
    for (std::size_t to = 0; to < 32; ++to) copies += p.size * fanout[from * 32 + to] * 1e-4;
  }
  EXPECT_NEAR(plan_exchange(on.wiring, on.placement, on.options).point_to_point.received_per_step * 32.0, copies, 1e-4 * copies);
}

}  // namespace
}  // namespace tessera::test
