// What a structural rule sees of neurons, limits per source, weights that a rule changes, and DEEP R.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "tessera/structural_rule.hpp"

namespace tessera::test {
namespace {

using Synapses = std::vector<ConnectivityRule::Synapse>;

/// Spikes of a neuron, and the time since the last one.
class Counts final : public NeuronMemory {
 public:
  std::vector<std::string> names() const override { return {"spikes", "quiet"}; }
  void pass(double ms, double* values) const override { values[1] += ms; }
  void spike(double* values) const override { ++values[0], values[1] = 0.0; }
};

/// Notes what it sees, by time.
class Watch final : public StructuralRule {
 public:
  struct Seen {
    std::map<std::uint32_t, double> source_spikes, target_v, target_spikes, target_quiet;
  };
  void act(StructuralView& view) const override {
    const std::lock_guard lock(mutex);
    Seen& at = seen[std::llround(view.time_ms() * 10.0)];
    for (std::uint32_t s = 0; s < view.sources(); ++s) at.source_spikes[s] = view.source_value(0, s);
    for (std::uint32_t t = view.first_target(); t < view.first_target() + view.targets(); ++t) {
      at.target_v[t] = view.target_value(0, t);
      at.target_spikes[t] = view.target_value(1, t);
      at.target_quiet[t] = view.target_value(2, t);
    }
  }
  NeuronSight sees_of_sources() const override { return {{}, std::make_shared<Counts>()}; }
  NeuronSight sees_of_targets() const override { return {{"V_m"}, std::make_shared<Counts>()}; }

  mutable std::mutex mutex;
  mutable std::map<long long, Seen> seen;
};

std::shared_ptr<const Watch> watch;

NeuronCatalogue with(const std::string& name, std::shared_ptr<const StructuralRule> (*make)(const ParameterValues&)) {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  StructuralModel model;
  model.name = name;
  model.make = make;
  models.add(model);
  return models;
}

Network busy(const StructuralPlasticity& rewiring) {
  Network network;
  network.name = "busy";
  network.populations = {neurons_of("E", 700), neurons_of("T", 1300)};
  Projection p = project("E", "T", Kind::fixed_indegree, 3, Distribution::constant(40.0), Distribution::constant(1.5));
  p.name = "changes";
  p.rule.multapses = false;
  p.plasticity = Plasticity{"static", {}, 0.0};
  p.rewiring = rewiring;
  network.projections = {p};
  for (const char* const name : {"E", "T"}) network.stimuli.push_back(poisson(name, 5000.0, 160.0));
  return network;
}

// Spike counts of the rule are those of the spikes that observers get; V_m is that of simulation.state() at that time.
TEST(RuleView, ValuesOfNeuronsAreThoseOfTheirTime) {
  const Network network = busy({"watch", {}, 2.5});
  const auto make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return watch; };
  watch = std::make_shared<const Watch>();
  SimulationOptions options = options_of(Connectivity::stored, 2, 4);
  Simulation simulation(network, with("watch", make), options);
  Keeper keeper;
  simulation.run(50.0, keeper);
  const std::vector<double> v_at_50 = simulation.state("T", "V_m"), spikes_at_50 = simulation.state("E", "spikes");
  simulation.run(0.1, keeper);
  ASSERT_EQ(watch->seen.size(), 20u);
  ASSERT_GT(keeper.spikes.size(), 1000u);
  for (const auto& [time, seen] : watch->seen) {
    std::vector<double> counts(2000), last(2000, 0.0);
    for (const Spike& spike : keeper.spikes) {
      if (static_cast<long long>(spike.step) > time) continue;
      ++counts[spike.neuron];
      last[spike.neuron] = spike.step;
    }
    ASSERT_EQ(seen.source_spikes.size(), 700u);
    ASSERT_EQ(seen.target_v.size(), 1300u);
    for (const auto& [s, n] : seen.source_spikes) ASSERT_EQ(n, counts[s]) << time;
    for (const auto& [t, n] : seen.target_spikes) ASSERT_EQ(n, counts[700 + t]) << time;
    for (const auto& [t, quiet] : seen.target_quiet) ASSERT_NEAR(quiet, (static_cast<double>(time) - last[700 + t]) / 10.0, 1e-9);
  }
  for (std::uint32_t t = 0; t < 1300; ++t) ASSERT_EQ(watch->seen.at(500).target_v.at(t), v_at_50[t]);
  for (std::uint32_t s = 0; s < 700; ++s) ASSERT_EQ(watch->seen.at(500).source_spikes.at(s), spikes_at_50[s]);
}

/// Makes as many synapses as it can, from sources that have spiked lately, and removes some.
class Greedy final : public StructuralRule {
 public:
  void act(StructuralView& view) const override {
    for (int i = 0; i < 900; ++i) {
      const std::uint32_t source = view.below(view.sources()), target = view.first_target() + view.below(view.targets());
      if (view.uniform() < 0.15) {
        view.remove(source, target);
      } else if (view.source_value(1, source) < 20.0) {
        view.add(source, target, 40.0);
      }
    }
  }
  NeuronSight sees_of_sources() const override { return {{}, std::make_shared<Counts>()}; }
};

NeuronCatalogue with_greedy() {
  return with("greedy", [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return std::make_shared<const Greedy>(); });
}

std::map<std::uint32_t, std::uint32_t> outdegrees(const Synapses& synapses) {
  std::map<std::uint32_t, std::uint32_t> degrees;
  for (const auto& s : synapses) ++degrees[s.source];
  return degrees;
}

// The targets lie on several chunks, which do not know of each other while the rule acts.
TEST(RuleView, LimitsPerSourceHoldOverAllChunks) {
  constexpr std::uint32_t kMost = 23;
  Network network = busy({"greedy", {}, 1.0, 40, kMost});
  network.projections[0].rule.kind = Kind::fixed_outdegree;
  network.projections[0].rule.number = 4;
  SimulationOptions options = options_of(Connectivity::stored, 1, 1);
  Simulation alone(network, with_greedy(), options);
  for (int i = 0; i < 6; ++i) {
    alone.run(10.0);
    for (const auto& [source, n] : outdegrees(alone.synapses("changes"))) ASSERT_LE(n, kMost) << source;
  }
  const Synapses reference = alone.synapses("changes");
  const RewiringReport report = alone.report().rewiring.at(0);
  EXPECT_GT(report.at_limit, 1000u);
  EXPECT_EQ(reference.size(), 700u * 4u + report.formed - report.eliminated);
  std::uint32_t full = 0;
  for (const auto& [source, n] : outdegrees(reference)) full += n == kMost ? 1 : 0;
  EXPECT_GT(full, 50u) << "a source can have all of its synapses, not a part per chunk";
  const auto same = [](const auto& a, const auto& b) { return a.source == b.source && a.target == b.target; };
  Simulation other(network, with_greedy(), options_of(Connectivity::stored, 3, 4));
  other.run(60.0);
  const Synapses others = other.synapses("changes");
  EXPECT_TRUE(std::equal(reference.begin(), reference.end(), others.begin(), others.end(), same));
  Synapses together;
  std::mutex mutex;
  run_loopback(3, 1, [&](const std::shared_ptr<Communicator>& communicator) {
    SimulationOptions own = options;
    own.communicator = communicator;
    Simulation part(network, with_greedy(), own);
    part.run(60.0);
    const Synapses here = part.synapses("changes");
    const std::lock_guard lock(mutex);
    together.insert(together.end(), here.begin(), here.end());
  });
  std::sort(together.begin(), together.end(), [](const auto& a, const auto& b) { return std::tie(a.source, a.target) < std::tie(b.source, b.target); });
  EXPECT_TRUE(std::equal(reference.begin(), reference.end(), together.begin(), together.end(), same)) << "3 ranks";
}

// Far from 0 a weight is its first value - steps decay + a sum of steps normal numbers.
TEST(DeepR, WeightsWalkAtRandom) {
  for (const double sign : {1.0, -1.0}) {
    Network network = busy({"deep_r", {{"noise", 0.5}, {"decay", 0.05}, {"weight", sign * 1.0}}, 1.0});
    network.projections[0].weight = Distribution::constant(sign * 40.0);
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
    simulation.run(100.1);  // it acts at 1, ..., 100 ms
    double sum = 0.0, square = 0.0;
    const Synapses synapses = simulation.synapses("changes");
    const auto n = static_cast<double>(synapses.size());
    for (const auto& s : synapses) sum += sign * s.weight / n;
    for (const auto& s : synapses) square += (sign * s.weight - sum) * (sign * s.weight - sum) / n;
    EXPECT_EQ(n, 3900.0);
    EXPECT_NEAR(sum, 40.0 - 100.0 * 0.05, 4.0 * std::sqrt(25.0 / n));
    EXPECT_NEAR(square, 100.0 * 0.25, 4.0 * 25.0 * std::sqrt(2.0 / n));
  }
}

// Near 0: no weight changes its sign, what goes is replaced, and synapses come to lie anywhere.
TEST(DeepR, SynapsesThatReach0AreReplaced) {
  Network network = busy({"deep_r", {{"noise", 2.0}, {"most", 9.0}, {"weight", -0.5}}, 1.0, 12, 20});
  network.projections[0].weight = Distribution::constant(-4.0);
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored, 2, 3));
  std::set<std::pair<std::uint32_t, std::uint32_t>> before;
  for (const auto& s : simulation.synapses("changes")) before.emplace(s.source, s.target);
  simulation.run(60.0);
  const Synapses synapses = simulation.synapses("changes");
  const RewiringReport report = simulation.report().rewiring.at(0);
  EXPECT_EQ(synapses.size(), 3900u);
  EXPECT_EQ(report.formed, report.eliminated);
  EXPECT_GT(report.formed, 10000u);
  EXPECT_EQ(report.invalid, 0u);
  std::size_t kept = 0;
  for (const auto& s : synapses) {
    EXPECT_LE(s.weight, 0.0);
    EXPECT_GE(s.weight, -9.0);
    kept += before.count({s.source, s.target});
  }
  EXPECT_LT(kept, 1500u);
  for (const auto& [source, n] : outdegrees(synapses)) EXPECT_LE(n, 20u);
}

/// Gives weights that cannot be.
class Wrong final : public StructuralRule {
 public:
  void act(StructuralView& view) const override {
    view.reweight([](std::uint32_t source, std::uint32_t target, double weight) {
      return (source + target) % 3 == 0 ? -1.0 : (source + target) % 3 == 1 ? std::nan("") : weight + 1.0;
    });
  }
};

TEST(RuleView, WeightsThatCannotBeAreCountedAndNotTaken) {
  const Network network = busy({"wrong", {}, 1.0});
  const auto make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return std::make_shared<const Wrong>(); };
  Simulation simulation(network, with("wrong", make), options_of(Connectivity::stored));
  simulation.run(2.1);
  std::uint64_t wrong = 0;
  for (const auto& s : simulation.synapses("changes")) {
    EXPECT_EQ(s.weight, (s.source + s.target) % 3 == 2 ? 42.0 : 40.0);
    wrong += (s.source + s.target) % 3 == 2 ? 0 : 2;
  }
  EXPECT_EQ(simulation.report().rewiring.at(0).invalid, wrong);
}

// The rules of docs/structural-plasticity.md, as they stand there.
class Since final : public tessera::NeuronMemory {
 public:
  std::vector<std::string> names() const override { return {"quiet"}; }
  void pass(double ms, double* values) const override { values[0] += ms; }
  void spike(double* values) const override { values[0] = 0.0; }
};

class Wake final : public tessera::StructuralRule {
 public:
  tessera::NeuronSight sees_of_sources() const override { return {{"V_m"}, nullptr}; }
  tessera::NeuronSight sees_of_targets() const override { return {{}, std::make_shared<Since>()}; }
  void act(tessera::StructuralView& view) const override {
    for (std::uint32_t t = view.first_target(); t < view.first_target() + view.targets(); ++t) {
      if (view.target_value(0, t) < 1000.0) continue;
      const std::uint32_t source = view.below(view.sources());
      if (view.source_value(0, source) > -60.0) view.add(source, t, 100.0);
    }
  }
};
// Targets without input are quiet for a second, then get synapses from neurons that noise keeps above -60 mV.
TEST(PageOnStructuralPlasticity, ARuleThatLooksAtNeuronsDoesWhatItSays) {
  Network network = busy({"wake", {}, 100.0});
  network.projections[0].rule.kind = Kind::pairwise_bernoulli;
  network.projections[0].rule.probability = 0.0;
  network.stimuli.pop_back();
  const auto make = [](const ParameterValues&) -> std::shared_ptr<const StructuralRule> { return std::make_shared<const Wake>(); };
  Simulation simulation(network, with("wake", make), options_of(Connectivity::stored));
  simulation.run(1000.0);
  EXPECT_TRUE(simulation.synapses("changes").empty());
  const std::vector<double> v = simulation.state("E", "V_m");
  EXPECT_NEAR(simulation.state("T", "quiet")[7], 1000.0, 1e-6);
  simulation.run(0.1);
  const Synapses synapses = simulation.synapses("changes");
  EXPECT_GT(synapses.size(), 100u);
  for (const auto& s : synapses) EXPECT_GT(v[s.source], -60.0);

  const auto text_of = [](const std::string& file) {
    std::stringstream text;
    text << std::ifstream(TESSERA_SOURCE_DIR + file).rdbuf();
    return text.str();
  };
  const std::string page = text_of("/docs/structural-plasticity.md"), here = text_of("/tests/plasticity/rule_view_test.cpp");
  for (const std::string& name : NeuronCatalogue::builtin().structural_rule_names()) EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << name;
  const std::size_t begin = page.find("class Since final"), end = page.find("```", begin);
  ASSERT_NE(begin, std::string::npos);
  EXPECT_NE(here.find(page.substr(begin, end - begin)), std::string::npos);
}

}  // namespace
}  // namespace tessera::test
