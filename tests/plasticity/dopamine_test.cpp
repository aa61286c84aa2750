// A third factor: against the equations by hand, against NEST, over ranks that nothing else connects, and what is refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>
#include <tuple>

#include "connectivity/modulator.hpp"
#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "files/file.hpp"
#include "plasticity/spike_pairs.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

SpikePairs pairs_of(const std::vector<double>& pre_ms, const std::vector<double>& post_ms, const std::vector<double>& modulator_ms) {
  SpikePairs pairs;
  pairs.rule = "stdp_dopamine";
  pairs.weight = 100.0;
  pairs.pre_ms = pre_ms;
  pairs.post_ms = post_ms;
  pairs.modulator_ms = modulator_ms;
  return pairs;
}

void expect_weights(const SpikePairs& pairs, const std::vector<double>& times_ms, const std::vector<double>& expected) {
  for (const Precision precision : {Precision::exact, Precision::fast}) {
    const std::vector<double> weights = weights_at(pairs, times_ms, precision);
    const double tolerance = precision == Precision::exact ? 1e-11 : 2e-5;
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], tolerance) << "at " << times_ms[i] << " ms";
  }
}

/// What a weight changes in a time without events, from c and n at its beginning. tau_c 1000, tau_n 200: 1 / tau = 0.006.
double change(double c, double n, double h, double b = 0.0) {
  return c * (n / 0.006 * (1.0 - std::exp(-0.006 * h)) - b * 1000.0 * (1.0 - std::exp(-h / 1000.0)));
}

// A pair at 10 and 16 (15 + delay) is remembered, and the spike of the modulator at 50 makes it a change from 51 on.
TEST(Dopamine, APairWaitsForIt) {
  const double c_at_51 = std::exp(-6.0 / 20.0) * std::exp(-35.0 / 1000.0);
  expect_weights(pairs_of({10.0, 300.0}, {15.0}, {50.0}), {40.0, 51.0, 151.0, 300.0, 400.0},
                 {100.0, 100.0, 100.0 + change(c_at_51, 0.005, 100.0), 100.0 + change(c_at_51, 0.005, 249.0),
                  // The spike at 300 takes A_minus y from c.
                  100.0 + change(c_at_51, 0.005, 249.0) +
                      change(c_at_51 * std::exp(-0.249) - 1.5 * std::exp(-284.0 / 20.0), 0.005 * std::exp(-249.0 / 200.0), 100.0)});
}

// Target first: c is negative, and spikes of the modulator add up. With b weights rest at another n.
TEST(Dopamine, DepressesAndRestsAtItsBaseline) {
  SpikePairs pairs = pairs_of({20.0, 200.0}, {15.0}, {30.0, 60.0});
  pairs.parameters["b"] = 0.004;
  const double c_at_20 = -1.5 * std::exp(-4.0 / 20.0), c_at_31 = c_at_20 * std::exp(-0.011), c_at_61 = c_at_20 * std::exp(-0.041);
  const double n_at_61 = 0.005 * std::exp(-30.0 / 200.0) + 0.005;
  const double at_31 = 100.0 + change(c_at_20, 0.0, 11.0, 0.004), at_61 = at_31 + change(c_at_31, 0.005, 30.0, 0.004);
  expect_weights(pairs, {20.0, 31.0, 61.0, 200.0}, {100.0, at_31, at_61, at_61 + change(c_at_61, n_at_61, 139.0, 0.004)});
}

// The modulator's delay and the synapse's are two: the same spike acts at 30 + 12.4.
TEST(Dopamine, HasADelayOfItsOwn) {
  SpikePairs pairs = pairs_of({10.0}, {12.0}, {30.0});
  pairs.delay_ms = 5.0;
  pairs.modulator_delay_ms = 12.4;
  const double c_at_42 = std::exp(-7.0 / 20.0) * std::exp(-25.4 / 1000.0);
  expect_weights(pairs, {42.4, 60.0}, {100.0, 100.0 + change(c_at_42, 0.005, 17.6)});
}

TEST(Dopamine, ChangesWeightsAsInNest) {
  const auto file = nlohmann::json::parse(io::read_file(std::string(TESSERA_SOURCE_DIR) + "/tests/plasticity/stdp_dopamine_nest.json", 1 << 20));
  ASSERT_EQ(file.at("cases").size(), 9u);
  for (const auto& entry : file.at("cases")) {
    const std::string name = entry.at("name");
    const SpikePairs pairs = spike_pairs_of(entry);
    const auto expected = entry.at("weights").get<std::vector<double>>();
    ASSERT_EQ(expected.size(), pairs.pre_ms.size());
    for (const Precision precision : {Precision::exact, Precision::fast}) {
      const std::vector<double> weights = weights_at(pairs, pairs.pre_ms, precision);
      const double tolerance = precision == Precision::exact ? 1e-9 : 2e-3;  // of 200
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(weights[i], expected[i], tolerance) << name << ", spike " << i;
    }
  }
}

using Synapses = std::vector<ConnectivityRule::Synapse>;

/// The modulator has no synapses of its own, its delay is the shortest by far, and its spikes must reach every tile.
Network rewarded(double seconds_of_silence = 0.0) {
  Network network;
  network.name = "rewarded";
  Population source;
  source.name = "source";
  source.kind = Population::Kind::poisson_source;
  source.size = 200;
  source.rate_hz = 20.0;
  Population modulator = source;
  modulator.name = "dopamine";
  modulator.size = 30;
  modulator.rate_hz = 5.0;
  modulator.start_ms = 1000.0 * seconds_of_silence;
  network.populations = {source, neurons_of("cells", 1500), modulator, neurons_of("others", 900)};
  network.stimuli = {current("cells", 385.0), current("others", 385.0)};
  for (const char* const target : {"cells", "others"}) {
    Projection p = project("source", target, Kind::fixed_indegree, 10, Distribution::constant(100), Distribution::uniform(4.0, 9.0));
    p.name = target;
    p.plasticity = Plasticity{"stdp_dopamine", {{"A_plus", 5.0}, {"A_minus", 4.0}}, 0.0, "dopamine", 0.2};
    network.projections.push_back(p);
  }
  network.projections[1].plasticity->modulator_delay_ms = 6.0;
  return network;
}

std::vector<Synapses> synapses_of(const Simulation& simulation) { return {simulation.synapses("cells"), simulation.synapses("others")}; }

void expect_same(const std::vector<Synapses>& a, const std::vector<Synapses>& b, const std::string& what) {
  const auto key = [](const auto& s) { return std::tie(s.source, s.target, s.delay_ms, s.weight); };
  for (std::size_t p = 0; p < 2; ++p) {
    ASSERT_EQ(a[p].size(), b[p].size()) << what;
    for (std::size_t i = 0; i < a[p].size(); ++i) ASSERT_TRUE(key(a[p][i]) == key(b[p][i])) << what << ", synapse " << i;
  }
}

std::size_t changed(const std::vector<Synapses>& synapses) {
  std::size_t n = 0;
  for (const Synapses& list : synapses) {
    for (const auto& s : list) n += s.weight != 100.0 ? 1 : 0;
  }
  return n;
}

TEST(Dopamine, ReachesEveryTileAndRank) {
  const Network network = rewarded();
  for (const bool exact : {false, true}) {
    const SimulationOptions options = exact ? exact_options(1, 1) : options_of(Connectivity::stored, 1, 1);
    Simulation alone = simulation_of(network, options);
    alone.run(150.0);
    const std::vector<Synapses> reference = synapses_of(alone);
    EXPECT_GT(changed(reference), 10000u);
    SimulationOptions several = options;
    several.threads = 2;
    several.tiles = 6;
    several.group_size = 2;
    Simulation tiles = simulation_of(network, several);
    tiles.run(150.0);
    expect_same(synapses_of(tiles), reference, "tiles");
    for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
      for (const RankPlacement placement : {RankPlacement::spread, RankPlacement::pack}) {
        std::vector<Synapses> together(2);
        std::mutex mutex;
        const RanksOutcome outcome = run_over_ranks(network, with(options, exchange, placement), 3, [&](Simulation& simulation, Keeper& keeper) {
          simulation.run(150.0, keeper);
          const std::vector<Synapses> own = synapses_of(simulation);
          const std::lock_guard lock(mutex);
          for (std::size_t p = 0; p < 2; ++p) together[p].insert(together[p].end(), own[p].begin(), own[p].end());
        });
        for (Synapses& list : together) {
          std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
            return std::tie(a.source, a.target, a.delay_ms, a.weight) < std::tie(b.source, b.target, b.delay_ms, b.weight);
          });
        }
        EXPECT_EQ(outcome.digest, alone.report().digest);
        expect_same(together, reference, to_string(exchange) + ", " + to_string(placement));
      }
    }
  }
}

// A checkpoint between a spike of the modulator and when it acts; reading changes nothing.
TEST(Dopamine, ResumesExactly) {
  const Network network = rewarded();
  for (const bool exact : {false, true}) {
    const SimulationOptions options = exact ? exact_options(2, 3) : options_of(Connectivity::stored, 2, 3);
    Simulation whole = simulation_of(network, options);
    whole.run(120.0);
    const TemporaryFolder folder;
    Simulation first = simulation_of(network, options);
    for (int i = 0; i < 7; ++i) {
      first.run(8.9);
      (void)synapses_of(first);
    }
    first.save_checkpoint(folder / "at.ckpt");
    Simulation second = simulation_of(network, exact ? exact_options() : options_of(Connectivity::stored));
    second.load_checkpoint(folder / "at.ckpt");
    expect_same(synapses_of(second), synapses_of(first), "at the checkpoint");
    second.run(120.0 - 7 * 8.9);
    expect_same(synapses_of(second), synapses_of(whole), "resumed");
  }
}

// Sums of spikes that arrive in any order, and a past that is forgotten.
TEST(Modulator, KnowsItsTraceAtAllTimesThatAreNeeded) {
  Modulator modulator({10, 5, 3, 200.0}, 0.1);
  EXPECT_TRUE(modulator.has(10) && modulator.has(14));
  EXPECT_FALSE(modulator.has(9) || modulator.has(15));
  for (const int time : {40, 20, 40, 30}) modulator.add(time);  // act at 43, 23, 43, 33
  modulator.advance(35);
  const double at_23 = 1.0 / 200.0, at_33 = at_23 * std::exp(-1.0 / 200.0) + 1.0 / 200.0;
  Modulator::Window window = modulator.window(0, 35);
  EXPECT_EQ(window.level, 0.0);
  ASSERT_EQ(window.events.size(), 2u);
  EXPECT_EQ(window.events[1].time, 33);
  EXPECT_DOUBLE_EQ(window.events[1].level, at_33);
  window = modulator.window(23, 32);  // what acted at 23 is behind it
  EXPECT_EQ(window.events.size(), 0u);
  EXPECT_DOUBLE_EQ(window.level, at_23);
  std::vector<std::uint8_t> bytes;
  modulator.save(bytes);
  EXPECT_EQ(bytes.size(), modulator.saved_bytes());
  Modulator again({10, 5, 3, 200.0}, 0.1);
  std::span<const std::uint8_t> rest(bytes);
  ASSERT_TRUE(again.load(rest));
  EXPECT_TRUE(rest.empty());
  again.advance(50);
  EXPECT_DOUBLE_EQ(again.window(33, 50).events[0].level, at_33 * std::exp(-1.0 / 200.0) + 2.0 / 200.0);
  again.need_after(45);
  EXPECT_EQ(again.window(45, 50).events.size(), 0u);
  EXPECT_DOUBLE_EQ(again.window(45, 50).level, (at_33 * std::exp(-1.0 / 200.0) + 2.0 / 200.0) * std::exp(-0.2 / 200.0));
  bytes.resize(bytes.size() - 1);
  rest = bytes;
  EXPECT_FALSE(again.load(rest));
}

std::string problems_of(const Network& network) {
  std::string text;
  for (const Problem& problem : validate(network, NeuronCatalogue::builtin())) text += problem.message + "\n";
  return text;
}

TEST(Dopamine, SaysWhatIsMissing) {
  const auto with = [](const auto& change) {
    Network network = rewarded();
    change(*network.projections[0].plasticity);
    return problems_of(network);
  };
  const auto expect = [](const std::string& text, const char* part) { EXPECT_NE(text.find(part), std::string::npos) << text; };
  EXPECT_EQ(problems_of(rewarded()), "");
  expect(with([](Plasticity& p) { p.modulator = ""; }), "(stdp_dopamine) needs a modulator: the population whose spikes are the third factor.");
  expect(with([](Plasticity& p) { p.modulator = "dopamin"; }), "is 'dopamin', but there is no such population. Did you mean 'dopamine'?");
  expect(with([](Plasticity& p) { p = {"stdp_power_law", {}, 0.0, "dopamine"}; }), "names a modulator ('dopamine'), but the rule stdp_power_law has no third factor.");
  for (const double delay : {0.0, -1.0, 1e9, std::nan("")}) {
    expect(with([delay](Plasticity& p) { p.modulator_delay_ms = delay; }), "it must be from one step (0.1 ms) to 6553.6 ms.");
  }
  expect(with([](Plasticity& p) { p.parameters["Wmin"] = -1.0; }), "Wmin must lie between 0 and Wmax.");
}

}  // namespace
}  // namespace tessera::test
