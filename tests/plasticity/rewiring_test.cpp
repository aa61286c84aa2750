// Synapses that come and go: none is lost or doubled, limits hold, and nothing depends on the machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::test {
namespace {

using Synapses = std::vector<ConnectivityRule::Synapse>;

/// Adds and removes at random, and keeps the synapses of each chunk in a map of its own.
class Naive final : public StructuralRule {
 public:
  static constexpr std::uint32_t kMost = 24;
  using Pair = std::pair<std::uint32_t, std::uint32_t>;

  void act(StructuralView& view) const override {
    std::map<Pair, double>& mine = chunks[view.first_target()];
    if (mine.empty()) view.for_each([&](std::uint32_t s, std::uint32_t t, double w) { EXPECT_TRUE(mine.emplace(Pair{s, t}, w).second); });
    for (int i = 0; i < 600; ++i) {
      const std::uint32_t source = view.below(view.sources() + 1), target = view.first_target() + view.below(view.targets() + 1);
      const bool inside = source < view.sources() && target < view.first_target() + view.targets();
      const bool there = mine.count({source, target}) > 0;
      ASSERT_EQ(view.exists(source, target), there);
      ASSERT_EQ(view.weight(source, target), there ? (mine[{source, target}]) : 0.0);
      if (view.uniform() < 0.45) {
        ASSERT_EQ(view.remove(source, target), there);
        mine.erase({source, target});
        removed += there ? 1 : 0;
        continue;
      }
      const double weight = 1.0 + view.below(8);
      const bool full = inside && view.indegree(target) >= kMost;
      ASSERT_EQ(view.add(source, target, weight), inside && !there && !full);
      if (inside && !there && !full) mine[{source, target}] = weight, ++added;
      refused_invalid += inside ? 0 : 1;
      refused_existing += inside && there ? 1 : 0;
      refused_full += inside && !there && full ? 1 : 0;
    }
    if (++acts % 16 == 0) compare(view, mine);
  }

  mutable std::map<std::uint32_t, std::map<Pair, double>> chunks;
  mutable std::uint64_t acts = 0;
  mutable std::uint64_t added = 0, removed = 0, refused_invalid = 0, refused_existing = 0, refused_full = 0;

 private:
  static void compare(const StructuralView& view, const std::map<Pair, double>& mine) {
    std::size_t n = 0;
    std::map<std::uint32_t, std::uint32_t> in, out;
    view.for_each([&](std::uint32_t s, std::uint32_t t, double w) {
      const auto found = mine.find({s, t});
      ASSERT_NE(found, mine.end());
      ASSERT_EQ(found->second, w);
      ++n, ++in[t], ++out[s];
    });
    ASSERT_EQ(n, mine.size());
    for (std::uint32_t t = view.first_target(); t < view.first_target() + view.targets(); ++t) {
      ASSERT_EQ(view.indegree(t), in[t]);
      ASSERT_LE(view.indegree(t), kMost);
    }
    for (std::uint32_t s = 0; s < view.sources(); ++s) ASSERT_EQ(view.outdegree(s), out[s]);
  }
};

std::shared_ptr<const Naive> naive;  // the rule that the catalogue hands out

NeuronCatalogue with_naive() {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  StructuralModel model;
  model.name = "naive";
  model.make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return naive; };
  models.add(model);
  return models;
}

// 1,000 times 600 proposals for each of two chunks, in both precisions; rows begin with a few synapses, grow to dozens and shrink.
TEST(Rewiring, NoSynapseIsLostOrDoubled) {
  for (const bool exact : {false, true}) {
    Network network;
    network.name = "naive";
    network.populations = {neurons_of("E", 700), neurons_of("I", 60)};
    network.populations[0].grid_columns = 10;
    Projection p = project("I", "E", Kind::fixed_indegree, 3, Distribution::constant(4.0), Distribution::constant(1.5));
    p.name = "changes";
    p.rule.multapses = false;
    p.plasticity = Plasticity{"static", {}, 0.0};
    p.rewiring = StructuralPlasticity{"naive", {}, 0.1, Naive::kMost};
    network.projections = {p};
    naive = std::make_shared<const Naive>();
    SimulationOptions options = exact ? exact_options() : options_of(Connectivity::stored);
    options.threads = 1;  // the rule of this test remembers
    Simulation simulation(network, with_naive(), options);
    simulation.run(100.0);
    const RewiringReport report = simulation.report().rewiring.at(0);
    EXPECT_GT(naive->chunks.size(), 1u) << "chunks";
    EXPECT_EQ(report.formed, naive->added);
    EXPECT_EQ(report.eliminated, naive->removed);
    EXPECT_EQ(report.invalid, naive->refused_invalid);
    EXPECT_EQ(report.existing, naive->refused_existing);
    EXPECT_EQ(report.at_limit, naive->refused_full);
    EXPECT_GT(naive->refused_full, 100u);
    EXPECT_GE(naive->acts * 600, 1'000'000u);
    EXPECT_EQ(report.synapses, 700u * 3u + report.formed - report.eliminated);
    EXPECT_EQ(simulation.synapses("changes").size(), report.synapses);
    for (const auto& s : simulation.synapses("changes")) EXPECT_EQ(s.delay_ms, 1.5);
  }
}

/// Joins source 0 and target 0 once, at 20 ms.
class JoinOnce final : public StructuralRule {
 public:
  void act(StructuralView& view) const override {
    if (view.time_ms() == 20.0 && view.first_target() == 0) EXPECT_TRUE(view.add(0, 0, 1.0));
  }
};

/// Sets the weight of all synapses to 1, once, at 20 ms.
class SetOnce final : public StructuralRule {
 public:
  void act(StructuralView& view) const override {
    if (view.time_ms() == 20.0) view.reweight([](std::uint32_t, std::uint32_t, double) { return 1.0; });
  }
};

/// A source that spikes at 5 ms, a target that spikes at 15, 30 and 45, and a projection "learns" with this rule.
Network one_pair(const std::string& rule, double probability) {
  Network network;
  network.name = "joined";
  network.rate_limit_hz = 1e6;
  const auto train = [](const char* name, std::vector<double> times_ms) {
    Population p;
    p.name = name;
    p.kind = Population::Kind::spike_train_source;
    p.size = 2;
    for (const double t : times_ms) p.train.push_back({t, 0});
    return p;
  };
  Population post = neurons_of("post", 2, "iaf_psc_delta");
  post.parameters = {{"E_L", 0.0}, {"V_reset", 0.0}, {"V_th", 1e6}, {"t_ref", 0.0}};
  network.populations = {train("pre", {5.0}), train("drive", {14.9, 29.9, 44.9}), post};
  Projection drive = project("drive", "post", Kind::one_to_one, 0, Distribution::constant(1e7), Distribution::constant(0.1));
  Projection learns = project("pre", "post", Kind::pairwise_bernoulli, 0, Distribution::constant(1.0), Distribution::constant(1.5));
  learns.name = "learns";
  learns.rule.probability = probability;
  learns.rewiring = StructuralPlasticity{rule, {}, 1.0, 0};
  network.projections = {drive, learns};
  return network;
}

NeuronCatalogue with_once() {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  StructuralModel join, set;
  join.name = "join";
  join.make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return std::make_shared<const JoinOnce>(); };
  set.name = "set";
  set.make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return std::make_shared<const SetOnce>(); };
  models.add(join);
  models.add(set);
  return models;
}

// The synapse that is made at 20 ms has not seen the target's first spike, but the source's trace is there. Each of the others
// adds lambda Wmax exp(-(time + 1.5 - 5) / 20). One that was there has seen the first spike too, until its weight is set.
TEST(Rewiring, ASynapseThatIsMadeOrSetGoesOnWithTheTracesOfItsNeurons) {
  const double step = 0.01 * 10.0, at_30 = 1.0 + step * std::exp(-26.5 / 20.0), at_45 = at_30 + step * std::exp(-41.5 / 20.0);
  for (const bool is_made : {true, false}) {
    Network network = one_pair(is_made ? "join" : "set", is_made ? 0.0 : 1.0);
    for (const double mu_minus : {0.0, 1.0}) {
      for (const double mu_plus : {0.0, 1e-12}) {  // rows with sums, and without
        network.projections[1].plasticity = Plasticity{"stdp", {{"Wmax", 10.0}, {"lambda", 0.01}, {"mu_plus", mu_plus}, {"mu_minus", mu_minus}}, 0.0};
        for (const bool exact : {false, true}) {
          Simulation simulation(network, with_once(), exact ? exact_options() : options_of(Connectivity::stored));
          const auto weight = [&] { return simulation.synapses("learns").at(0).weight; };  // of 0 -> 0
          const double tolerance = exact ? 1e-10 : 1e-5;
          simulation.run(19.0);
          EXPECT_EQ(simulation.synapses("learns").size(), is_made ? 0u : 4u);
          if (!is_made) {
            EXPECT_NEAR(weight(), 1.0 + step * std::exp(-11.5 / 20.0), tolerance);
          }
          simulation.run(16.0);
          EXPECT_NEAR(weight(), at_30, tolerance);
          simulation.run(15.0);
          EXPECT_NEAR(weight(), at_45, tolerance);
        }
      }
    }
  }
}

/// Two sheets of neurons that learn and rewire, fed by a moving bump.
Network map_network() {
  Network network;
  network.name = "map";
  Population source;
  source.name = "source";
  source.kind = Population::Kind::poisson_source;
  source.size = 32 * 32;
  source.grid_columns = 32;
  source.rate_hz = 20.0;
  source.bump = ActivityBump{400.0, 3.0, 7.0, 16, 16};
  Population target = neurons_of("target", 32 * 32, "iaf_psc_exp");
  target.grid_columns = 32;
  network.populations = {source, target};
  const auto add = [&](const char* from, double probability, double sigma, double weight) {
    Projection p = project(from, "target", Kind::gaussian_2d, 0, Distribution::constant(weight), Distribution::constant(0.9));
    p.name = from;
    p.rule.probability = probability;
    p.rule.sigma = sigma;
    p.plasticity = Plasticity{"stdp", {{"Wmax", weight}, {"lambda", 0.1}, {"alpha", 1.0}, {"mu_plus", 0}, {"mu_minus", 0}, {"tau_minus", 64}}, 0.3};
    p.rewiring = StructuralPlasticity{"bamford", {{"attempts", 200}, {"p_form", probability}, {"sigma", sigma}, {"weight", weight}}, 0.5, 30};
    network.projections.push_back(p);
  };
  add("source", 0.16, 2.5, 700.0);
  add("target", 1.0, 1.0, 300.0);
  return network;
}

struct Rewired {
  std::uint64_t digest = 0;
  std::vector<RewiringReport> reports;
  std::vector<Synapses> synapses;
};

Rewired state_of(const Simulation& simulation) {
  return {simulation.report().digest, simulation.report().rewiring, {simulation.synapses("source"), simulation.synapses("target")}};
}

void expect_same(const Rewired& a, const Rewired& b, const std::string& what) {
  EXPECT_EQ(a.digest, b.digest) << what;
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(std::tie(a.reports[p].formed, a.reports[p].eliminated, a.reports[p].at_limit, a.reports[p].synapses),
              std::tie(b.reports[p].formed, b.reports[p].eliminated, b.reports[p].at_limit, b.reports[p].synapses))
        << what;
    const auto same = [](const auto& x, const auto& y) { return std::tie(x.source, x.target, x.weight, x.delay_ms) == std::tie(y.source, y.target, y.weight, y.delay_ms); };
    EXPECT_TRUE(std::equal(a.synapses[p].begin(), a.synapses[p].end(), b.synapses[p].begin(), b.synapses[p].end(), same)) << what;
  }
}

constexpr double kTime_ms = 120.0;

TEST(Rewiring, ThreadsTilesAndResumingChangeNothing) {
  const Network network = map_network();
  for (const bool exact : {false, true}) {
    const auto options = [&](int threads, int tiles) { return exact ? exact_options(threads, tiles) : options_of(Connectivity::stored, threads, tiles); };
    Simulation alone = simulation_of(network, options(1, 1));
    alone.run(kTime_ms);
    const Rewired reference = state_of(alone);
    EXPECT_GT(alone.report().populations[1].spikes, 500u);
    for (const RewiringReport& report : reference.reports) {
      EXPECT_GT(report.formed, 500u);
      EXPECT_GT(report.eliminated, 20u);
    }
    for (const auto& [threads, tiles] : {std::pair(2, 4), std::pair(3, 0)}) {
      Simulation other = simulation_of(network, options(threads, tiles));
      other.run(kTime_ms);
      expect_same(state_of(other), reference, std::to_string(threads) + " threads");
    }
    const TemporaryFolder folder;
    Simulation first = simulation_of(network, options(2, 3));
    first.run(61.3);  // in the middle of an interval
    first.save_checkpoint(folder / "at.ckpt");
    for (const auto& [threads, tiles] : {std::pair(1, 1), std::pair(3, 5)}) {
      Simulation resumed = simulation_of(network, options(threads, tiles));
      resumed.load_checkpoint(folder / "at.ckpt");
      resumed.run(kTime_ms - 61.3);
      expect_same(state_of(resumed), reference, "resumed");
    }
  }
}

TEST(Rewiring, RanksChangeNothing) {
  const Network network = map_network();
  Simulation alone = simulation_of(network, options_of(Connectivity::stored));
  alone.run(kTime_ms);
  const Rewired reference = state_of(alone);
  for (const int ranks : {2, 3}) {
    Rewired together;
    together.synapses.resize(2);
    std::mutex mutex;
    const RanksOutcome outcome = run_over_ranks(network, options_of(Connectivity::stored), ranks, [&](Simulation& simulation, Keeper& keeper) {
      simulation.run(kTime_ms, keeper);
      const SimulationReport report = simulation.report();
      const Synapses own[] = {simulation.synapses("source"), simulation.synapses("target")};
      const std::lock_guard lock(mutex);
      for (int p = 0; p < 2; ++p) together.synapses[p].insert(together.synapses[p].end(), own[p].begin(), own[p].end());
      together.reports = report.rewiring;
    });
    for (Synapses& synapses : together.synapses) {
      std::sort(synapses.begin(), synapses.end(), [](const auto& a, const auto& b) { return std::tie(a.source, a.target) < std::tie(b.source, b.target); });
    }
    together.digest = outcome.digest;
    expect_same(together, reference, std::to_string(ranks) + " ranks");
  }
}

// Rates of a bump: at its centre base + peak, far away the base; 0.8 s are 160 places of the centre.
TEST(Bump, RatesFollowTheDistanceFromACentreThatMoves) {
  Network network;
  network.name = "bump";
  Population source;
  source.name = "source";
  source.kind = Population::Kind::poisson_source;
  source.size = 32 * 16;
  source.grid_columns = 32;
  source.rate_hz = 5.0;
  source.bump = ActivityBump{152.8, 2.0, 5.0, 16, 16};
  network.populations = {source, neurons_of("nobody", 1)};
  double spikes = 0.0, same = 0.0;
  for (int seed = 1; seed <= 5; ++seed) {
    SimulationOptions options = options_of(Connectivity::stored);
    options.seed = static_cast<std::uint64_t>(seed);
    Simulation simulation = simulation_of(network, options);
    Keeper keeper;
    simulation.run(800.0, keeper);
    // Both blocks of 16 x 16 have the bump at one place: their counts per period go together.
    std::vector<std::array<double, 2>> cells(160 * 256);
    for (const Spike& spike : keeper.spikes) {
      spikes += 1.0;
      const std::uint32_t column = spike.neuron % 32, row = spike.neuron / 32, period = (spike.step - 1) / 50;
      cells[period * 256 + row * 16 + column % 16][column / 16] += 1.0;
    }
    double product = 0.0;
    for (const auto& cell : cells) product += cell[0] * cell[1];
    same += product / static_cast<double>(cells.size());
  }
  // Mean and mean square of the rate over a block, from the definition.
  double mean = 0.0, square = 0.0;
  for (int x = 0; x < 16; ++x) {
    for (int y = 0; y < 16; ++y) {
      const double dx = std::min(x, 16 - x), dy = std::min(y, 16 - y), rate = 5.0 + 152.8 * std::exp(-(dx * dx + dy * dy) / 8.0);
      mean += rate / 256.0;
      square += rate * rate / 256.0;
    }
  }
  const double expected = mean * 0.8 * 512 * 5;
  EXPECT_NEAR(spikes, expected, 5.0 * std::sqrt(expected));
  // Counts of 5 ms in two blocks: the mean product is that of the rates; its SD by the number of cells, 204,800.
  const double product = square * 25e-6;
  EXPECT_NEAR(same / 5.0, product, 5.0 * std::sqrt(3.0 * product / 204800.0));
}

}  // namespace
}  // namespace tessera::test
