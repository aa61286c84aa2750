// What one rank meets, all ranks hear; and what must not go unnoticed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/communicator.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

constexpr Exchange kExchanges[] = {Exchange::collective, Exchange::point_to_point};

/// What every rank throws, or "" for a rank that returns.
std::vector<std::string> sentences_of(int ranks, const std::function<void(const std::shared_ptr<Communicator>&)>& work) {
  std::vector<std::string> sentences(static_cast<std::size_t>(ranks));
  run_loopback(ranks, 3, [&](const std::shared_ptr<Communicator>& communicator) {
    try {
      work(communicator);
    } catch (const std::exception& error) {
      sentences[static_cast<std::size_t>(communicator->rank())] = error.what();
    }
  });
  return sentences;
}

void expect_all(const std::vector<std::string>& sentences, const std::string& sentence) {
  for (const std::string& one : sentences) EXPECT_EQ(one, sentence);
}

SimulationOptions over(const std::shared_ptr<Communicator>& communicator) {
  SimulationOptions options = options_of(Connectivity::stored);
  options.communicator = communicator;
  return options;
}

TEST(RankFaults, AnotherModelSeedOrOptionOnOneRankIsNamedOnAll) {
  const auto with_change = [](const std::function<void(Network&, SimulationOptions&)>& change) {
    return sentences_of(3, [&](const std::shared_ptr<Communicator>& communicator) {
      Network network = balanced();
      SimulationOptions options = over(communicator);
      if (communicator->rank() == 2) change(network, options);
      (void)simulation_of(network, options);
    });
  };
  const std::string models = "Ranks 0 and 2 have different models or seeds: all ranks of a run need the same.";
  expect_all(with_change([](Network& n, SimulationOptions&) { n.projections[0].weight.b += 1.0; }), models);
  expect_all(with_change([](Network& n, SimulationOptions&) { n.populations[0].initial["V_m"].distribution.a += 1.0; }), models);
  expect_all(with_change([](Network& n, SimulationOptions&) { n.recorders.push_back({"E", "V_m", 3, 1.0, {}}); }), models);
  expect_all(with_change([](Network&, SimulationOptions& o) { o.seed += 1; }), models);
  const std::string options = "Ranks 0 and 2 have different options: all ranks of a run need the same.";
  expect_all(with_change([](Network&, SimulationOptions& o) { o.exchange = Exchange::point_to_point; }), options);
  expect_all(with_change([](Network&, SimulationOptions& o) { o.rank_placement = RankPlacement::pack; }), options);
  expect_all(with_change([](Network&, SimulationOptions& o) { o.precision = Precision::exact; }), options);
  expect_all(with_change([](Network&, SimulationOptions& o) { o.threads = 2; o.connectivity = Connectivity::procedural; }), "");
}

TEST(RankFaults, ABadModelIsOneMessage) {
  expect_all(sentences_of(3,
                          [](const std::shared_ptr<Communicator>& communicator) {
                            Network network = balanced();
                            network.projections[0].source = "absent";
                            (void)simulation_of(network, over(communicator));
                          }),
             [] {
               Network network = balanced();
               network.projections[0].source = "absent";
               try {
                 (void)simulation_of(network, options_of(Connectivity::stored));
               } catch (const InputError& error) {
                 return std::string(error.what());
               }
               return std::string("no error");
             }());
}

TEST(RankFaults, ARankWithoutMemoryStopsAll) {
  const std::vector<std::string> sentences = sentences_of(3, [](const std::shared_ptr<Communicator>& communicator) {
    SimulationOptions options = over(communicator);
    if (communicator->rank() == 1) options.memory_limit_bytes = 17u << 20;
    (void)simulation_of(beside_silent(balanced(), 40000), options);
  });
  EXPECT_EQ(sentences[0].rfind("Rank 1: Network 'balanced' needs ", 0), 0u) << sentences[0];
  expect_all(sentences, sentences[0]);
}

TEST(RankFaults, DifferentTimesAreRefusedByAll) {
  expect_all(sentences_of(3,
                          [](const std::shared_ptr<Communicator>& communicator) {
                            Simulation simulation = simulation_of(balanced(), over(communicator));
                            simulation.run(1.0 + communicator->rank());
                          }),
             "Ranks were asked to run for different times, between 10 and 30 steps.");
}

/// A population without synapses that is driven far beyond its limit of 100 spikes/s; its most active neuron and the
/// others differ by the current of each.
Network racing() {
  Network network = balanced();
  network.rate_limit_hz = 100.0;
  Population race = neurons_of("race", 1100);
  network.populations.push_back(race);
  Stimulus drive = current("race", 1500.0);
  for (int i = 0; i < 1100; ++i) drive.values.push_back(i == 1007 ? 9000.0 : 2000.0);
  network.stimuli.push_back(drive);
  return network;
}

TEST(RankFaults, ARaceIsToldOnAllRanksAsOnOne) {
  const auto run = [](const SimulationOptions& options) {
    Simulation simulation = simulation_of(racing(), options);
    simulation.run(150.0);
  };
  std::string alone;
  try {
    run(options_of(Connectivity::stored));
  } catch (const ActivityError& error) {
    alone = error.what();
    EXPECT_EQ(error.neuron, 1007u);
  }
  EXPECT_EQ(alone.rfind("Population 'race' fires at ", 0), 0u) << alone;
  expect_all(sentences_of(3, [&](const std::shared_ptr<Communicator>& communicator) { run(over(communicator)); }), alone);
}

TEST(RankFaults, APotentialThatIsNoNumberIsToldOnAllRanksAsOnOne) {
  Network network = balanced();
  network.populations.push_back(neurons_of("Z", 700));  // two chunks
  InitialValue initial;
  initial.values.assign(700, -65.0);
  initial.values[30] = initial.values[650] = -1e39;  // below the range of float32
  network.populations[2].initial["V_m"] = initial;
  const auto run = [&network](const SimulationOptions& options) {
    Simulation simulation = simulation_of(network, options);
    simulation.run(40.0);
  };
  std::string alone;
  try {
    run(options_of(Connectivity::stored));
  } catch (const ActivityError& error) {
    alone = error.what();
  }
  EXPECT_EQ(alone.rfind("The membrane potential of neuron 30 of population 'Z' ", 0), 0u) << alone;
  expect_all(sentences_of(3, [&](const std::shared_ptr<Communicator>& communicator) { run(over(communicator)); }), alone);
}

/// A disk that fills up under rank 0.
class FullDisk : public RunObserver {
 public:
  [[nodiscard]] bool wants_spikes() const override { return true; }
  void on_spikes(std::span<const Spike>) override { throw RunError("The disk is full."); }
};

TEST(RankFaults, AnObserverThatFailsStopsAllRanks) {
  expect_all(sentences_of(3,
                          [](const std::shared_ptr<Communicator>& communicator) {
                            Simulation simulation = simulation_of(balanced(), over(communicator));
                            FullDisk disk;
                            simulation.run(40.0, disk);
                          }),
             "Rank 0: The disk is full.");
}

/// Wants to stop after the first slice.
class Stopper : public RunObserver {
 public:
  [[nodiscard]] bool stop_requested() override { return ++asked_ > 1; }

 private:
  int asked_ = 0;
};

TEST(RankFaults, AnyRankCanStopTheRun) {
  std::vector<std::int64_t> steps(3, -1);
  run_loopback(3, 1, [&](const std::shared_ptr<Communicator>& communicator) {
    Simulation simulation = simulation_of(balanced(), over(communicator));
    RunObserver nobody;
    Stopper stopper;
    simulation.run(1000.0, communicator->rank() == 2 ? stopper : nobody);
    steps[static_cast<std::size_t>(communicator->rank())] = simulation.step();
  });
  EXPECT_EQ(steps, std::vector<std::int64_t>(3, 50));  // the first slice has 50 steps
}

TEST(RankFaults, ACheckpointThatCannotBeWrittenOrReadIsToldByAll) {
  const TemporaryFolder folder;
  const std::vector<std::string> written = sentences_of(3, [&](const std::shared_ptr<Communicator>& communicator) {
    Simulation simulation = simulation_of(balanced(), over(communicator));
    simulation.run(5.0);
    simulation.save_checkpoint(folder / "no_folder" / "at.ckpt");
  });
  EXPECT_NE(written[0].find("Rank 0: Cannot create checkpoint"), std::string::npos) << written[0];
  expect_all(written, written[0]);
  std::ofstream(folder / "good.ckpt") << "TSCKPT06 and then nothing";
  const std::vector<std::string> read = sentences_of(3, [&](const std::shared_ptr<Communicator>& communicator) {
    Simulation simulation = simulation_of(balanced(), over(communicator));
    simulation.load_checkpoint(communicator->rank() == 1 ? folder / "absent.ckpt" : folder / "good.ckpt");
  });
  EXPECT_NE(read[0].find("Rank 0: Checkpoint"), std::string::npos) << read[0];
  expect_all(read, read[0]);
}

// The negative control: one list of spikes lost, repeated, emptied or doubled cannot pass. Ranks meet every 33 steps,
// so that nearly every list has spikes, and lists of the first third have time to matter. What happens to a list
// without spikes does not show.
TEST(RankFaults, ATamperedMessageIsNoticed) {
  Network network = three_areas(5.0);
  for (const auto& [from, to] : {std::pair{"EA", "EC"}, {"EB", "EA"}, {"EC", "EB"}}) {
    network.projections.push_back(project(from, to, Kind::fixed_total_number, 1500, Distribution::constant(150), Distribution::uniform(5.0, 8.0)));
  }
  using FaultKind = LoopbackFault::Kind;
  for (const Exchange exchange : kExchanges) {
    const SimulationOptions options = with(options_of(Connectivity::stored), exchange, RankPlacement::pack);
    const RanksOutcome whole = outcome_over_ranks(network, options, 3, 30.0);
    const std::uint64_t check = 3 * 2;  // messages of the check before the first step, and of the report at the end
    const std::uint64_t lists = whole.messages - 2 * check;
    ASSERT_GT(lists, 60u);
    for (const FaultKind kind : {FaultKind::lost, FaultKind::repeated, FaultKind::emptied, FaultKind::doubled}) {
      int tried = 0, noticed = 0;
      for (std::uint64_t i = check + 6; i < check + lists / 3; i += 4, ++tried) {  // after those at time 0
        try {
          if (outcome_over_ranks(network, options, 3, 30.0, 1, {kind, i}).digest != whole.digest) ++noticed;
        } catch (const RunError&) {
          ++noticed;
        }
      }
      const bool always = kind == FaultKind::lost || kind == FaultKind::repeated;
      EXPECT_GE(noticed, always ? tried : (tried * 3 + 3) / 4) << to_string(exchange) << " kind " << static_cast<int>(kind);
    }
  }
}

}  // namespace
}  // namespace tessera::test
