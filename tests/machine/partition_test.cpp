// Known networks on known machines: figures of publications, formulas and hand calculations.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/partition.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "machine/partition_networks.hpp"

namespace tessera {
namespace {

using namespace partitions;

const NeuronCatalogue kModels = NeuronCatalogue::builtin();

training::Network mnist() {
  training::Network n;
  n.name = "mnist";
  n.input = {28, 28, 1};
  n.steps = 30;
  n.classes = 10;
  n.layers = {layer("hidden", 256), layer("output", 10)};
  return n;
}

PartitionOptions on_chips(std::uint32_t chips) {
  PartitionOptions options;
  options.chips = chips;
  return options;
}

// Signed inputs take two rows of 256. Eight circuits for 784 inputs: 64 neurons fill a chip, so 256 take four, and the 20
// circuits of the outputs a fifth (Arnold et al. 2024). Seven: 73 a chip, and the last 37 leave room for the outputs.
TEST(Partition, MnistTakesFiveRunsOfPairsAndFourWithoutThem) {
  const Partition pairs = partition(mnist(), load_machine("brainscales2", {{"join_multiple", "2"}}));
  EXPECT_EQ(pairs.populations[0].circuits, 8u);
  EXPECT_EQ(pairs.populations[1].circuits, 2u);
  EXPECT_EQ(pairs.runs.size(), 5u);
  EXPECT_EQ(pairs.bound.runs, 5u);  // 2,068 circuits of 512
  const Partition single = partition(mnist(), load_machine("brainscales2"));
  EXPECT_EQ(single.populations[0].circuits, 7u);
  EXPECT_EQ(single.runs.size(), 4u);
  EXPECT_EQ(single.bound.runs, 4u);  // 1,812 circuits
  EXPECT_EQ(single.runs.back().slices.back().population, 1u);
  EXPECT_EQ(single.runs.back().slices.back().count, 10u);
  // Every pixel goes to all four runs with hidden neurons, and every hidden neuron to the run of the outputs.
  EXPECT_EQ(single.playback_copies, 4u * 784 + 256);
  EXPECT_EQ(single.bound.playback_copies, 4u * 784 + 256);
  EXPECT_EQ(single.rounds, 4u);
  // Three runs of hidden neurons do not need each other; the one with the outputs needs them all.
  const Partition chips = partition(mnist(), load_machine("brainscales2"), on_chips(4));
  EXPECT_EQ(chips.rounds, 2u);
}

// 8 x 8 tiles of all 8 channels fill a chip, and need 10 x 10 x 3 inputs: 16 x 300. Index order would need 6,528.
TEST(Partition, ConvolutionIsCutIntoTiles) {
  training::Network n;
  n.input = {34, 34, 3};
  n.steps = 10;
  n.layers = {layer("edges", 0)};
  n.layers[0].input.kind = training::ConnectionKind::convolution;
  n.layers[0].input.filters = 8;
  n.layers[0].input.kernel = 3;
  const Partition p = partition(n, load_machine("ideal_512"));
  EXPECT_EQ(p.runs.size(), 16u);
  EXPECT_EQ(p.bound.runs, 16u);
  EXPECT_LE(p.playback_copies, 4800u);
  EXPECT_EQ(p.bound.playback_copies, 34u * 34 * 3);
  for (const PartitionRun& run : p.runs) EXPECT_EQ(run.sources, 300u);
}

// Padding and a pool: 8 x 4 -> pool 2 -> 4 x 2 -> kernel 3, padding 1 -> 4 x 2. The upper 2 x 2 outputs need the pooled rows
// 0 .. 2, which are rows 0 .. 5 of all 4 columns; a column of outputs would need everything. The same lying down.
TEST(Partition, WindowsKnowPaddingAndPools) {
  for (const training::Shape& shape : {training::Shape{8, 4, 1}, training::Shape{4, 8, 1}}) {
    training::Network n;
    n.input = shape;
    n.steps = 1;
    n.layers = {layer("a", 0)};
    n.layers[0].input.kind = training::ConnectionKind::convolution;
    n.layers[0].input.filters = 1;
    n.layers[0].input.kernel = 3;
    n.layers[0].input.padding = 1;
    n.layers[0].input.pool = 2;
    const Partition p = partition(n, machine_of(4, 0));
    ASSERT_EQ(p.runs.size(), 2u);
    EXPECT_EQ(p.populations[0].fan_in, 36u);
    EXPECT_EQ(p.runs[0].sources, 24u);
    EXPECT_EQ(p.playback_copies, 48u);
    EXPECT_EQ(p.bound.playback_copies, 32u);
  }
}

// 2,048 neurons on a torus of 32 x 64, each with 64 inputs at gaussian distances (sigma 3), numbered at random: index order
// needs all sources in all four runs. Mt-KaHyPar finds 3,793 copies.
TEST(Partition, LocalRecurrenceIsFoundAgainAfterShuffling) {
  constexpr std::uint32_t kRows = 32, kColumns = 64, kNeurons = kRows * kColumns;
  std::mt19937 random(7);
  std::vector<std::uint32_t> number(kNeurons);
  std::iota(number.begin(), number.end(), 0u);
  std::shuffle(number.begin(), number.end(), random);
  std::normal_distribution<double> away(0.0, 3.0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::uint32_t t = 0; t < kNeurons; ++t) {
    std::set<std::uint32_t> sources;
    while (sources.size() < 64) {
      const int y = (static_cast<int>(t / kColumns + std::lround(away(random))) % 32 + 32) % 32;
      const int x = (static_cast<int>(t % kColumns + std::lround(away(random))) % 64 + 64) % 64;
      const auto s = static_cast<std::uint32_t>(y * 64 + x);
      if (s != t) sources.insert(s);
    }
    for (const std::uint32_t s : sources) pairs.emplace_back(number[s], number[t]);
  }
  Network n;
  n.name = "local";
  n.populations = {neurons("a", kNeurons)};
  n.projections = {listed("a", "a", pairs)};
  const Partition p = partition(n, kModels, load_machine("ideal_512"));
  ASSERT_EQ(p.runs.size(), 4u);
  for (const PartitionRun& run : p.runs) EXPECT_EQ(run.neurons, 512u);
  EXPECT_LE(p.playback_copies, 3900u) << p.method;
  EXPECT_EQ(p.playback_copies, Plain(n).copies(Plain(n).runs_of(p)));
  EXPECT_EQ(p.bound.playback_copies, 2048u);
  // Its delays are 1 ms of 1,000 ms: four runs take a thousand turns each.
  ASSERT_EQ(p.components.size(), 1u);
  EXPECT_EQ(p.components[0].runs.size(), 4u);
  EXPECT_EQ(p.components[0].turns, 1000u);
}

// Four unconnected recurrent populations of 300, 300, 200, 200 circuits: next fit takes three runs, two are enough. A chain
// of them must be cut in its order, where three are the fewest.
TEST(Partition, ComponentsArePackedWithoutBreakingTheOrder) {
  const std::vector<std::uint32_t> sizes{300, 300, 200, 200};
  Network n;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    n.populations.push_back(neurons(name, sizes[i]));
    Projection own = all_to_all(name, name);
    own.rule.kind = ConnectivityRule::Kind::fixed_indegree;
    own.rule.number = 10;
    n.projections.push_back(own);
  }
  const Partition free = partition(n, kModels, machine_of(512, 256));
  EXPECT_EQ(free.runs.size(), 2u);
  EXPECT_EQ(free.bound.runs, 2u);
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    Projection next = n.projections[i];
    next.name = "chain" + std::to_string(i);
    next.target = n.populations[i + 1].name;
    n.projections.push_back(next);
  }
  EXPECT_EQ(partition(n, kModels, machine_of(512, 256)).runs.size(), 3u);
}

// A million neurons of in-degree 100 by a rule. A run of 512 neurons has a target of a source with the chance
// 1 - (1 - 1e-6)^51,200.
TEST(Partition, RulesAreDividedWithoutTheirSynapses) {
  Network n;
  n.populations = {neurons("in", 1'000'000), neurons("a", 1'000'000)};
  n.populations[0].kind = Population::Kind::poisson_source;
  n.populations[0].model.clear();
  n.populations[0].rate_hz = 8.0;
  Projection p = all_to_all("in", "a");
  p.rule.kind = ConnectivityRule::Kind::fixed_indegree;
  p.rule.number = 100;
  n.projections = {p};
  const Partition found = partition(n, kModels, machine_of(512, 256));
  EXPECT_EQ(found.runs.size(), 1954u);  // 1e6 / 512
  EXPECT_EQ(found.bound.runs, 1954u);
  const double chance = -std::expm1(51'200 * std::log1p(-1e-6));
  const double last = -std::expm1((1'000'000 - 1953 * 512) * 100.0 * std::log1p(-1e-6));
  EXPECT_NEAR(static_cast<double>(found.playback_copies), 1e6 * (1953 * chance + last), 100.0);
  // What no run exceeds lies a few standard deviations above the mean.
  EXPECT_GT(static_cast<double>(found.runs[0].sources), 1e6 * chance + 4 * std::sqrt(1e6 * chance * (1 - chance)));
  EXPECT_LT(static_cast<double>(found.runs[0].sources), 1e6 * chance + 6 * std::sqrt(1e6 * chance * (1 - chance)));
}

// A sheet of 64 x 64 with gaussian connections, cut into 8 runs: tiles need fewer sources than rows.
TEST(Partition, GridsAreCutIntoBlocks) {
  Network n;
  n.populations = {neurons("in", 4096), neurons("a", 4096)};
  for (Population& p : n.populations) p.grid_columns = 64;
  n.populations[0].kind = Population::Kind::poisson_source;
  n.populations[0].rate_hz = 8.0;
  Projection p = all_to_all("in", "a");
  p.rule.kind = ConnectivityRule::Kind::gaussian_2d;
  p.rule.probability = 0.9;
  p.rule.sigma = 2.0;
  n.projections = {p};
  const Partition found = partition(n, kModels, machine_of(256, 256));
  ASSERT_EQ(found.runs.size(), 16u);
  // Rows of 4 x 64: the expected sources of one, from the sums along y alone (along x every source has all of the kernel).
  double rows = 0.0;
  for (int y = -32; y < 32; ++y) {
    double mass = 0.0;
    for (int t = 0; t < 4; ++t) mass += std::exp(-0.5 * std::pow(std::abs(y - t) / 2.0, 2));
    rows += 64.0 * -std::expm1(-0.9 * mass * std::sqrt(2.0 * M_PI) * 2.0);
  }
  EXPECT_LT(static_cast<double>(found.playback_copies), 0.97 * 16 * rows);
  EXPECT_GT(found.playback_copies, found.bound.playback_copies);
}

// Tiles: 3 tiles of 10 neurons. Populations do not share one, so 11 + 11 neurons take 4 tiles: 2 runs.
TEST(Partition, TilesHoldOnePopulationEach) {
  MachineDescription m = machine_of(10, 0);
  m.circuits.tiles = 3;
  Network n;
  n.populations = {neurons("a", 11), neurons("b", 11)};
  const Partition p = partition(n, kModels, m);
  EXPECT_EQ(p.bound.runs, 2u);
  ASSERT_EQ(p.runs.size(), 2u);
  for (const PartitionRun& run : p.runs) EXPECT_LE(run.tiles, 3u);
  // 100 bytes a neuron and 4 a synapse, 1,000 bytes a tile: 5 neurons with 25 inputs.
  m.memory.bytes_per_tile = 1000;
  m.memory.bytes_per_neuron = 100;
  m.memory.bytes_per_synapse = 4;
  n.projections = {all_to_all("a", "b")};
  n.projections[0].rule.kind = ConnectivityRule::Kind::fixed_indegree;
  n.projections[0].rule.number = 25;
  const Partition bytes = partition(n, kModels, m);  // a: 10 a tile, 2 tiles; b: 5 a tile, 3 tiles
  EXPECT_EQ(bytes.bound.runs, 2u);
  EXPECT_EQ(bytes.runs.size(), 2u);
}

// Weights of one sign take one row, of both signs two: 256 inputs are one circuit or two.
TEST(Partition, RowsFollowFromSigns) {
  Network n;
  n.populations = {neurons("in", 256), neurons("a", 4)};
  n.projections = {all_to_all("in", "a")};
  const MachineDescription m = load_machine("ideal_512");
  EXPECT_EQ(partition(n, kModels, m).populations[1].circuits, 1u);
  n.projections[0].weight = Distribution::normal(1.0, 0.5);
  EXPECT_EQ(partition(n, kModels, m).populations[1].circuits, 2u);
  n.projections[0].weight = Distribution::normal(1.0, 0.5).within(0.0, HUGE_VAL);
  EXPECT_EQ(partition(n, kModels, m).populations[1].circuits, 1u);
}

// 100 sources of 80 Hz in steps of 0.1 ms: 0.8 events a step; the chip is 1,000 times faster, so a step is 100 ns, and with
// a clock of 50 ns 0.4 events come in one. Chip time: 1 s of the model is 1 ms.
TEST(Partition, EventsAndTimesFollowFromRates) {
  Network n;
  n.time_ms = 1000.0;
  n.populations = {neurons("in", 100), neurons("a", 20)};
  n.populations[0].kind = Population::Kind::poisson_source;
  n.populations[0].rate_hz = 80.0;
  n.populations[1].mean_rate_hz = 5.0;
  n.projections = {all_to_all("in", "a")};
  MachineDescription m = machine_of(10, 0);
  m.speedup = 1000.0;
  m.events.clock_ns = 50.0;
  m.times = {.reconfiguration_ms = 3.0, .section_ms = 0.5, .host_ms = 2.0, .events_per_second = 1e6};
  const Partition p = partition(n, kModels, m);
  ASSERT_EQ(p.runs.size(), 2u);
  EXPECT_NEAR(p.runs[0].events_in, 0.4, 1e-9);
  EXPECT_NEAR(p.runs[0].events_out, 10 * 5.0 * 0.1e-3 / 2.0, 1e-9);
  EXPECT_NEAR(p.playback_events, 2 * 100 * 80.0, 1e-6);
  EXPECT_NEAR(p.predicted.chip_ms, 2 * 1.5, 1e-9);
  EXPECT_NEAR(p.predicted.reconfiguration_ms, 6.0, 1e-9);
  EXPECT_NEAR(p.predicted.transfer_ms, 4.0 + (2 * 8000.0 + 100.0) / 1000.0, 1e-6);
  // On two chips everything stays loaded, and both run at one time.
  const Partition two = partition(n, kModels, m, on_chips(2));
  EXPECT_EQ(two.rounds, 1u);
  EXPECT_NEAR(two.predicted.chip_ms, 1.5, 1e-9);
  EXPECT_NEAR(two.predicted.reconfiguration_ms, 0.0, 1e-9);
  // A link of half of that forces nothing smaller: every run needs all sources.
  m.events.in_per_clock = 0.2;
  EXPECT_THROW((void)partition(n, kModels, m), InputError);
}

// Mixed mode: the layer in the middle runs ideally. It takes no circuits, its 40 spikes come from outside, and the first
// layer, which sends to it alone, is a run's whole content: three populations, of which two are divided.
TEST(Partition, LayersInIdealArithmeticTakeNoCircuits) {
  training::Network n = mnist();
  n.layers = {layer("first", 64), layer("ideal", 40), layer("last", 10)};
  n.layers[1].on_substrate = false;
  const Partition p = partition(n, load_machine("brainscales2"));
  ASSERT_EQ(p.populations.size(), 2u);
  EXPECT_EQ(p.populations[0].name, "first");
  EXPECT_EQ(p.populations[0].index, 0u);
  EXPECT_EQ(p.populations[1].name, "last");
  EXPECT_EQ(p.populations[1].index, 2u);
  EXPECT_EQ(p.populations[1].fan_in, 40u);
  ASSERT_EQ(p.runs.size(), 1u);             // 64 x 7 + 10 circuits of 512
  EXPECT_EQ(p.runs[0].circuits, 458u);
  EXPECT_EQ(p.playback_copies, 784u + 40);  // spikes of the first layer are not played back: nothing on a chip needs them
}

/// A population whose neurons all reach each other, so that it is never cut where a chip holds it.
void add_component(Network& n, const std::string& name, std::uint32_t size) {
  n.populations.push_back(neurons(name, size));
  n.projections.push_back(all_to_all(name, name));
}

// 40 circuits in pieces of 5 5 4 4 3 3 3 3 3 3 2 2 on chips of 10. In the order of the file, and always taking the largest
// piece that fits, they fill (5 5) (4 4 2) (3 3 3) (3 3 3) and leave one over; (5 3 2) (5 3 2) (4 3 3) (4 3 3) is all of it.
TEST(Partition, PiecesThatFillChipsExactlyAreFound) {
  Network n;
  int number = 0;
  for (const std::uint32_t size : {5, 5, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2}) add_component(n, "c" + std::to_string(number++), size);
  EXPECT_EQ(partition(n, kModels, machine_of(10, 0)).runs.size(), 4u);
}

// Four pieces of half a chip; two need the hundred sources of one population, the others those of another. Side by side in
// the order of the file every run needs both (400 copies), sorted by their sources one each (200), and 20 neurons reach themselves.
TEST(Partition, OfFewPiecesThoseWithTheSameSourcesShareARun) {
  Network n;
  for (const char* name : {"s", "t"}) {
    n.populations.push_back(neurons(name, 100));
    n.populations.back().kind = Population::Kind::poisson_source;
    n.populations.back().rate_hz = 5.0;
  }
  for (const char* name : {"a", "b", "c", "d"}) add_component(n, name, 5);
  for (const auto& [source, target] : {std::pair{"s", "a"}, {"t", "b"}, {"s", "c"}, {"t", "d"}}) n.projections.push_back(all_to_all(source, target));
  const Partition p = partition(n, kModels, machine_of(10, 0));
  EXPECT_EQ(p.runs.size(), 2u);
  EXPECT_EQ(p.playback_copies, 220u);
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

// A chip a thousand times as fast has 0.5 to 60 us for membranes, 0.3 to 30 for synapses, 0.04 to 32 for refractory times.
TEST(Partition, TimeConstantsMustBeThoseOfTheMachine) {
  Network n;
  n.populations = {neurons("a", 8)};
  const MachineDescription m = load_machine("brainscales2");
  const auto divided = [&] { (void)partition(n, kModels, m); };
  n.populations[0].parameters = {{"tau_m", 60.0}, {"tau_syn_ex", 0.3}, {"tau_syn_in", 30.0}, {"t_ref", 0.04}};
  n.dt_ms = 0.01;
  EXPECT_EQ(refusal(divided), "nothing was refused");
  n.populations[0].parameters = {{"tau_m", 60.1}, {"tau_syn_ex", 0.25}, {"tau_syn_in", 31.0}, {"t_ref", 33.0}};
  const std::string all = refusal(divided);
  EXPECT_NE(all.find("Membrane time constant of 'a': 60.1 ms, which is 60.1 us on the chip, but the machine has 0.5 to 60 us. A shorter one"), std::string::npos) << all;
  EXPECT_NE(all.find("Synaptic time constant of 'a': 0.25 ms, which is 0.25 us on the chip, but the machine has 0.3 to 30 us. A longer one"), std::string::npos) << all;
  EXPECT_NE(all.find("Refractory time of 'a': 33 ms"), std::string::npos) << all;
  EXPECT_EQ(all.find("31 ms"), std::string::npos) << all;  // one complaint about the synapses of a population

  training::Network trained = mnist();
  trained.layers[0].neuron = training::NeuronKind::synaptic_lif;
  trained.layers[0].membrane = {std::exp(-1.0 / 6.0), std::exp(-1.0 / 80.0), true, false};  // dt 1 ms: 6 to 80 ms
  trained.layers[0].synapse = {std::exp(-1.0 / 0.2), std::exp(-1.0 / 0.2), false, false};
  trained.layers[1].refractory = 40;
  const auto divide_it = [&] { (void)partition(trained, m); };
  const std::string layers = refusal(divide_it);
  EXPECT_NE(layers.find("Membrane time constant of 'hidden': 80 ms"), std::string::npos) << layers;
  EXPECT_NE(layers.find("Synaptic time constant of 'hidden': 0.2 ms"), std::string::npos) << layers;
  EXPECT_NE(layers.find("Refractory time of 'output': 40 ms"), std::string::npos) << layers;
  trained.layers[0].on_substrate = trained.layers[1].on_substrate = false;
  trained.layers.push_back(layer("last", 2));
  EXPECT_EQ(refusal(divide_it), "nothing was refused");
}

}  // namespace
}  // namespace tessera
