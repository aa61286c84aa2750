// Contracts D1 and D2 of networks with thin rows (connectivity/thin_rows.hpp).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "connectivity/thin_rows.hpp"
#include "engine/over_ranks.hpp"
#include "machine/stored_choice.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

/// Two balanced areas, thinly joined by long delays, beside 30,000 silent neurons that make a count table large, and whose four
/// million synapses make stored rows larger than that.
Network thin_areas() {
  Network network = balanced(0.1, 6.0);
  network.projections[0].rule.number *= 3;  // 60 synapses of a source in a chunk, in about 12 groups: not thin
  network.projections[0].weight = Distribution::normal(27.0, 3.0);
  const Network other = network;
  for (Population p : other.populations) {
    p.name += "2";
    network.populations.push_back(p);
  }
  for (Projection p : other.projections) {
    p.source += "2", p.target += "2", p.name += "2";
    network.projections.push_back(p);
  }
  for (Stimulus s : other.stimuli) {
    s.target += "2", s.name += "2";
    network.stimuli.push_back(s);
  }
  network.populations.push_back(neurons_of("S", 30'000));
  const Distribution slow = Distribution::normal(15.0, 25.0).within(0.1, 400.0), w = Distribution::normal(120.0, 12.0);
  for (const auto& [from, to, number] : {std::tuple("S", "E2", 4'000'000), std::tuple("E", "E2", 9000), std::tuple("E2", "E", 9000), std::tuple("E", "I2", 1500),
                                         std::tuple("E2", "I", 1500), std::tuple("S", "E", 5000), std::tuple("S", "S", 30'000)}) {
    network.projections.push_back(project(from, to, Kind::fixed_total_number, static_cast<std::uint64_t>(number), w, slow));
  }
  return network;
}

TEST(ThinAreas, HaveThinRows) {
  const Network network = thin_areas();
  const Wiring wiring(network, 42);
  const ThinChoice choice(wiring, choose_weight_units(wiring));
  int thin = 0;
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) thin += choice.holds(wiring.first_bundle(p)) ? 1 : 0;
  EXPECT_GE(thin, 6);
  EXPECT_FALSE(choice.holds(wiring.first_bundle(0)));
}

TEST(ThinAreas, SpikeAlikeOnEveryMachine) {
  const Network network = thin_areas();
  const Outcome reference = outcome_of(network, options_of(Connectivity::stored), 35.0);
  EXPECT_GT(reference.spikes, 300u);
  for (const SimulationOptions& options :
       {options_of(Connectivity::procedural), options_of(Connectivity::procedural, 2, 5, 1), options_of(Connectivity::procedural, 3, 0, 2),
        options_of(Connectivity::procedural, 2, 0, 0, false), options_of(Connectivity::stored, 3)}) {
    const Outcome outcome = outcome_of(network, options, 35.0);
    EXPECT_EQ(outcome.digest, reference.digest) << options.threads << " " << options.tiles;
    EXPECT_EQ(outcome.events, reference.events);
  }
  for (const int ranks : {2, 3}) {
    for (const Exchange exchange : {Exchange::collective, Exchange::point_to_point}) {
      const RanksOutcome over = outcome_over_ranks(network, with(options_of(Connectivity::procedural), exchange, RankPlacement::pack), ranks, 35.0);
      EXPECT_EQ(over.digest, reference.digest) << ranks << " " << to_string(exchange);
    }
  }
}

/// Memory of which automatic connectivity leaves `bytes` to what is stored of a network that is drawn: a fifth stays free.
SimulationOptions with_room(const Network& network, SimulationOptions options, std::uint64_t bytes) {
  options.connectivity = Connectivity::procedural;
  const std::uint64_t drawn = plan(network, NeuronCatalogue::builtin(), options).memory_bytes;
  options.connectivity = Connectivity::automatic;
  options.memory_limit_bytes = (drawn + bytes) * 5 / 4;
  return options;
}

std::size_t stored_projections(const Plan& plan) {
  for (const std::string& note : plan.notes) {
    if (note.find("projections are stored all the same") != std::string::npos) return std::stoul(note);
  }
  return 0;
}

TEST(ThinAreas, SpikeAlikeInEveryMixture) {
  const Network network = thin_areas();
  const Outcome reference = outcome_of(network, options_of(Connectivity::stored), 35.0);
  std::size_t before = 0;
  for (const std::uint64_t bytes : {60'000, 250'000, 800'000}) {
    for (const int threads : {1, 2, 3}) {
      const SimulationOptions options = with_room(network, options_of(Connectivity::procedural, threads), bytes);
      const Plan planned = plan(network, NeuronCatalogue::builtin(), options);
      EXPECT_EQ(planned.connectivity, Connectivity::procedural);
      EXPECT_EQ(planned.mixture.stored_projections, stored_projections(planned));
      EXPECT_EQ(planned.mixture.stored_projections + planned.mixture.drawn_projections, network.projections.size());
      EXPECT_NEAR(static_cast<double>(planned.mixture.stored_synapses + planned.mixture.drawn_synapses), planned.own_synapses, 2.0);
      EXPECT_EQ(to_string(planned.connectivity, planned.mixture), "mixed");
      EXPECT_LE(planned.memory_bytes, options.memory_limit_bytes);
      EXPECT_GE(stored_projections(planned), std::max<std::size_t>(before, 1)) << bytes;
      EXPECT_LT(stored_projections(planned), network.projections.size());
      Simulation simulation = simulation_of(network, options);
      simulation.run(35.0);
      const SimulationReport report = simulation.report();
      EXPECT_EQ(report.digest, reference.digest) << bytes << " " << threads;
      EXPECT_EQ(report.counts.synaptic_events, reference.events);
      if (threads == 3) before = stored_projections(planned);
    }
  }
  for (const int ranks : {2, 3}) {
    std::atomic<int> mixtures = 0;  // a rank with few synapses stores all of them
    run_loopback(ranks, 1, [&](const std::shared_ptr<Communicator>& communicator) {
      SimulationOptions options = options_of(Connectivity::procedural);
      options.communicator = communicator;
      options = with_room(network, options, 60'000);  // of this rank
      mixtures += stored_projections(plan(network, NeuronCatalogue::builtin(), options)) > 0 ? 1 : 0;
      Simulation simulation = simulation_of(network, options);
      simulation.run(35.0);
      const SimulationReport report = simulation.report();
      EXPECT_EQ(report.digest, reference.digest) << ranks;
      EXPECT_EQ(report.counts.synaptic_events, reference.events);
    });
    EXPECT_GT(mixtures, 0) << ranks;
  }
  EXPECT_GT(before, 6u);
}

// A thin synapse saves some twenty nanoseconds, one of a long row less than one, in as many bytes.
TEST(ThinAreas, ThinRowsAreStoredFirst) {
  const Network network = thin_areas();
  Wiring wiring(network, 42);
  wiring.own_all();
  const WeightUnits units = choose_weight_units(wiring);
  const ThinChoice thin(wiring, units);
  const std::vector<bool> none = choose_stored(wiring, units, thin, 0.0), some = choose_stored(wiring, units, thin, 250'000.0),
                          all = choose_stored(wiring, units, thin, 1e12);
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    const bool is_thin = thin.holds(wiring.first_bundle(p));
    EXPECT_FALSE(none[p]);
    EXPECT_TRUE(all[p]) << network.projections[p].name;
    EXPECT_TRUE(is_thin || !some[p]) << network.projections[p].name;
  }
  EXPECT_GT(std::count(some.begin(), some.end(), true), 0);
}

/// The least bytes with which so many projections are stored.
double bytes_that_store(const Wiring& wiring, const WeightUnits& units, const ThinChoice& thin, std::ptrdiff_t projections) {
  double too_few = 0.0, enough = 1e8;
  while (enough - too_few > 1.0) {
    const double bytes = 0.5 * (too_few + enough);
    const std::vector<bool> stored = choose_stored(wiring, units, thin, bytes);
    (std::count(stored.begin(), stored.end(), true) >= projections ? enough : too_few) = bytes;
  }
  return enough;
}

/// Of two projections, in either order in the network, the one that is stored where there is room for either, but not for both.
std::string stored_of_two(Network network, const Projection& a, const Projection& b) {
  std::string stored;
  for (const bool swapped : {false, true}) {
    network.projections = swapped ? std::vector{b, a} : std::vector{a, b};
    Wiring wiring(network, 42);
    wiring.own_all();
    const WeightUnits units = choose_weight_units(wiring);
    const ThinChoice thin(wiring, units);
    const std::vector<bool> one = choose_stored(wiring, units, thin, bytes_that_store(wiring, units, thin, 2) - 2.0);
    for (std::size_t p = 0; p < 2; ++p) stored += one[p] ? network.projections[p].name + " " : "";
  }
  return stored;
}

TEST(ThinAreas, OfTwoProjectionsTheOneThatSavesMoreIsStored) {
  Network network = thin_areas();
  Projection thin = network.projections.back();
  ASSERT_EQ(thin.source, "S");
  for (Population& p : network.populations) {
    p.mean_rate_hz = p.name == "I" ? 4.0 : 8.0;
    if (p.name == "S") p.size = 60'000;  // so that a count table is large with this projection alone
  }
  // As many synapses in one delay group save little each, since they are drawn in long rows.
  Projection thick = thin;
  thick.name = "thick", thin.name = "thin";
  thick.source = thick.target = "E";
  thick.delay_ms = Distribution::constant(2.0);
  EXPECT_EQ(stored_of_two(network, thin, thick), "thin thin ");
  // As many synapses of sources that spike half as often save half as much.
  Projection slow = thick;
  slow.name = "slow", slow.source = "I";
  EXPECT_EQ(stored_of_two(network, slow, thick), "thick thick ");
}

// From any kind of connectivity to any other: a checkpoint holds spikes, and what is under way is drawn or looked up again.
TEST(ThinAreas, ResumeWithWordsUnderWay) {
  const Network network = thin_areas();
  const TemporaryFolder folder;
  const Outcome whole = outcome_of(network, options_of(Connectivity::stored), 40.0);
  const SimulationOptions mixture = with_room(network, options_of(Connectivity::procedural, 2), 250'000);
  ASSERT_TRUE(plan(network, NeuronCatalogue::builtin(), mixture).mixture.is_mixed());
  for (const SimulationOptions& options : {options_of(Connectivity::procedural, 2), mixture}) {
    Simulation first = simulation_of(network, options);
    first.run(23.3);
    EXPECT_EQ(first.report().mixture.is_mixed(), options.connectivity == Connectivity::automatic);
    first.save_checkpoint(folder / "at.ckpt");
    for (const SimulationOptions& other : {options_of(Connectivity::stored, 1, 3), options_of(Connectivity::procedural, 1, 3), mixture}) {
      Simulation resumed = simulation_of(network, other);
      resumed.load_checkpoint(folder / "at.ckpt");
      resumed.run(40.0 - 23.3);
      EXPECT_EQ(resumed.report().digest, whole.digest) << to_string(options.connectivity) << " to " << to_string(other.connectivity);
    }
  }
}

}  // namespace
}  // namespace tessera::test
