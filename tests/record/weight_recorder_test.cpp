// Weights over time: what is in the files, for any threads, tiles and ranks, after a checkpoint, and what is refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "files/file.hpp"
#include "results/weight_sinks.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/result.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera::test {
namespace {

using What = WeightRecording::What;
using Synapses = std::vector<ConnectivityRule::Synapse>;

constexpr std::uint32_t kSources = 100, kTargets = 1200;  // three chunks

/// Noise onto neurons that it drives; "learns" has several synapses of a pair and many delays, "maps" comes and goes.
Network learning() {
  Network network;
  network.name = "learning";
  Population noise;
  noise.name = "noise";
  noise.kind = Population::Kind::poisson_source;
  noise.size = kSources;
  noise.grid_columns = 10;
  noise.rate_hz = 40.0;
  Population cells = neurons_of("cells", kTargets);
  cells.grid_columns = 40;
  network.populations = {noise, cells};
  network.stimuli = {current("cells", 385.0)};
  const Plasticity stdp{"stdp", {{"Wmax", 400.0}, {"lambda", 0.1}, {"alpha", 1.2}, {"mu_plus", 0}, {"mu_minus", 0}}};
  Projection learns = project("noise", "cells", Kind::fixed_indegree, 6, Distribution::uniform(100, 300), Distribution::uniform(0.5, 5.0));
  learns.name = "learns";
  learns.plasticity = stdp;
  Projection maps = project("noise", "cells", Kind::pairwise_bernoulli, 0, Distribution::constant(200), Distribution::constant(1.0));
  maps.name = "maps";
  maps.rule.probability = 0.02;
  maps.plasticity = stdp;
  maps.rewiring = StructuralPlasticity{"prune_and_regrow", {{"weight", 200.0}}, 5.0, 0};
  network.projections = {learns, maps};
  return network;
}

WeightRecording recording(const char* projection, What what, std::uint32_t count, double interval_ms) {
  return {projection, what, count, interval_ms, {}};
}

const std::vector<WeightRecording> kEverything = {recording("learns", What::all, 1, 5.0), recording("learns", What::sample, 50, 2.0),
                                                  recording("learns", What::histogram, 20, 10.0), recording("maps", What::all, 1, 10.0),
                                                  recording("maps", What::sample, 300, 10.0), recording("maps", What::histogram, 7, 5.0)};

void record_to(Simulation& simulation, WeightRecorder& recorder, double end_ms) {
  const auto end = static_cast<std::int64_t>(std::llround(end_ms / 0.1));
  recorder.record(simulation);
  while (simulation.step() < end) {
    simulation.run(static_cast<double>(std::min(end, recorder.next(simulation.step())) - simulation.step()) * 0.1);
    recorder.record(simulation);
  }
}

/// A whole result: weights of a run from 0, or from a checkpoint, to `end_ms`.
void record_run(const std::filesystem::path& folder, const SimulationOptions& options, double end_ms,
                const std::vector<WeightRecording>& recordings = kEverything) {
  const Network network = learning();
  Simulation simulation = simulation_of(network, options);
  WeightRecorder recorder(folder, network, NeuronCatalogue::builtin(), options, recordings);
  record_to(simulation, recorder, end_ms);
  RunSummary summary = summarise(network, options, simulation.report());
  summary.files = recorder.finish();
  summary.weights = recorder.infos();
  write_report(folder, summary);
}

SimulationOptions stored(int threads = 1, int tiles = 0) { return options_of(Connectivity::stored, threads, tiles); }

using Entry = std::tuple<std::uint32_t, std::uint32_t, float>;
std::vector<Entry> entries(const WeightRecord::Synapses& synapses) {
  std::vector<Entry> list;
  for (std::size_t i = 0; i < synapses.weights.size(); ++i) list.emplace_back(synapses.sources[i], synapses.targets[i], synapses.weights[i]);
  std::sort(list.begin(), list.end());
  return list;
}
std::vector<Entry> entries(const Synapses& synapses) {
  std::vector<Entry> list;
  for (const auto& s : synapses) list.emplace_back(s.source, s.target, static_cast<float>(s.weight));
  std::sort(list.begin(), list.end());
  return list;
}

TEST(WeightRecorder, RecordsWhatASimulationHasAtThoseTimes) {
  const TemporaryFolder folder;
  record_run(folder.path(), stored(), 40.0);
  const std::vector<WeightRecord> records = load_weight_records(folder.path());
  ASSERT_EQ(records.size(), kEverything.size());
  Simulation other = simulation_of(learning(), stored(2, 3));  // nobody stops it to record
  std::map<double, std::pair<Synapses, Synapses>> at;
  for (int ms = 0; ms <= 40; ms += 10) {
    if (ms > 0) other.run(10.0);
    at[ms] = {other.synapses("learns"), other.synapses("maps")};
  }
  ASSERT_EQ(records[0].times_ms.size(), 9u);  // 0, 5, ..., 40
  ASSERT_EQ(records[0].sources.size(), 6u * kTargets);
  ASSERT_EQ(records[3].times_ms, (std::vector<double>{0, 10, 20, 30, 40}));
  std::size_t moved = 0;
  for (std::size_t t = 0; t < 9; t += 2) {
    const double ms = records[0].times_ms[t];
    EXPECT_EQ(entries(records[0].at(t)), entries(at.at(ms).first)) << ms;
    EXPECT_EQ(entries(records[3].at(t / 2)), entries(at.at(ms).second)) << ms;
  }
  for (std::size_t i = 0; i < records[0].sources.size(); ++i) moved += records[0].at(0).weights[i] != records[0].at(8).weights[i] ? 1 : 0;
  EXPECT_GT(moved, 1000u);
  // Columns keep their synapse: by target, then source; of several of one pair, by delay.
  const WeightRecord& all = records[0];
  std::size_t twins = 0;
  for (std::size_t i = 1; i < all.sources.size(); ++i) {
    EXPECT_LE(std::tie(all.targets[i - 1], all.sources[i - 1]), std::tie(all.targets[i], all.sources[i]));
    if (std::tie(all.targets[i - 1], all.sources[i - 1]) != std::tie(all.targets[i], all.sources[i])) continue;
    ++twins;
    EXPECT_LE(all.delays_ms[i - 1], all.delays_ms[i]);
  }
  EXPECT_GT(twins, 50u);  // 1200 x 15 / 100 = 180 expected
}

TEST(WeightRecorder, ASampleIsSomeOfAllAtRandom) {
  const TemporaryFolder folder;
  record_run(folder.path(), stored(), 10.0,
             {recording("learns", What::all, 1, 5.0), recording("learns", What::sample, 900, 5.0), recording("learns", What::sample, 100000, 5.0)});
  const std::vector<WeightRecord> records = load_weight_records(folder.path());
  const WeightRecord &all = records[0], &sample = records[1];
  ASSERT_EQ(sample.sources.size(), 900u);
  EXPECT_EQ(records[2].sources.size(), all.sources.size()) << "there are no more";
  for (std::size_t t = 0; t < 3; ++t) {
    const std::vector<Entry> whole = entries(all.at(t)), part = entries(sample.at(t));
    EXPECT_TRUE(std::includes(whole.begin(), whole.end(), part.begin(), part.end())) << t;
  }
  // 900 of 7200: of the synapses of half of the sources or the targets, half, with a standard deviation below 15.
  const auto below = [](const std::vector<std::uint32_t>& ids, std::uint32_t middle) {
    return static_cast<double>(std::count_if(ids.begin(), ids.end(), [middle](std::uint32_t i) { return i < middle; }));
  };
  EXPECT_NEAR(below(sample.targets, kTargets / 2), 450.0, 75.0);
  EXPECT_NEAR(below(sample.sources, kSources / 2), 900.0 * below(all.sources, kSources / 2) / 7200.0, 75.0);
  // Another seed, another sample: of 900 and 900 of 7200 places, about 112 are the same, with a standard deviation of 9.
  const TemporaryFolder again;
  SimulationOptions options = stored();
  options.seed = 43;
  record_run(again.path(), options, 0.0, {recording("learns", What::sample, 900, 5.0)});
  const WeightRecord other = load_weight_records(again.path()).front();
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::size_t i = 0; i < 900; ++i) pairs.emplace(sample.sources[i], sample.targets[i]);
  std::size_t common = 0;
  for (std::size_t i = 0; i < 900; ++i) common += pairs.count({other.sources[i], other.targets[i]});
  EXPECT_LT(common, 200u);
}

TEST(WeightRecorder, PairsThatComeAndGoAreSampledByTheirNumbers) {
  const TemporaryFolder folder;
  record_run(folder.path(), stored(), 60.0, {recording("maps", What::all, 1, 10.0), recording("maps", What::sample, 600, 10.0)});
  const std::vector<WeightRecord> records = load_weight_records(folder.path());
  const WeightRecord &all = records[0], &sample = records[1];
  const double start = static_cast<double>(all.at(0).weights.size());
  std::set<std::pair<std::uint32_t, std::uint32_t>> gone;
  for (std::size_t t = 0; t < 7; ++t) {
    const std::vector<Entry> whole = entries(all.at(t)), part = entries(sample.at(t));
    EXPECT_TRUE(std::includes(whole.begin(), whole.end(), part.begin(), part.end()));
    EXPECT_NEAR(static_cast<double>(part.size()), 600.0, 5.0 * std::sqrt(600.0));
    // What was formed and eliminated makes the number.
    EXPECT_EQ(static_cast<double>(whole.size()), start + static_cast<double>(all.formed[t]) - static_cast<double>(all.eliminated[t]));
    EXPECT_EQ(sample.formed[t], all.formed[t]);
    if (t > 0) {
      EXPECT_GT(all.formed[t], all.formed[t - 1]);
    }
  }
  // A pair of the sample is in it whenever it has a synapse.
  const std::vector<Entry> first = entries(sample.at(0));
  std::set<std::pair<std::uint32_t, std::uint32_t>> chosen;
  for (const auto& [s, t, w] : first) chosen.emplace(s, t);
  std::size_t still = 0;
  const std::vector<Entry> last = entries(sample.at(6));
  for (const auto& [s, t, w] : entries(all.at(6))) {
    if (chosen.count({s, t}) == 0) continue;
    ++still;
    EXPECT_TRUE(std::binary_search(last.begin(), last.end(), Entry(s, t, w)));
  }
  EXPECT_GT(still, 10u);
}

TEST(WeightRecorder, HistogramsCountEverySynapse) {
  const TemporaryFolder folder;
  record_run(folder.path(), stored(), 20.0, {recording("learns", What::histogram, 16, 10.0), recording("learns", What::all, 1, 10.0)});
  const std::vector<WeightRecord> records = load_weight_records(folder.path());
  const WeightRecord& histogram = records[0];
  ASSERT_EQ(histogram.edges.size(), 17u);
  for (std::size_t i = 0; i < 17; ++i) EXPECT_DOUBLE_EQ(histogram.edges[i], 25.0 * static_cast<double>(i));  // Wmax is 400
  for (std::size_t t = 0; t < 3; ++t) {
    std::vector<std::uint64_t> counts(16, 0);
    for (const float w : records[1].at(t).weights) ++counts[std::min(15, static_cast<int>(w / 25.0F))];
    EXPECT_EQ(std::vector<std::uint64_t>(histogram.counts.begin() + 16 * static_cast<std::ptrdiff_t>(t),
                                         histogram.counts.begin() + 16 * static_cast<std::ptrdiff_t>(t + 1)), counts);
    EXPECT_EQ(histogram.below[t] + histogram.above[t], 0u);
  }
  EXPECT_EQ(std::accumulate(histogram.counts.begin(), histogram.counts.begin() + 4, 0u), 0u);  // all begin between 100 and 300
}

// A rule without a largest weight: bins go to twice what weights begin with, and what lies above is counted.
TEST(WeightRecorder, HistogramsWithoutABoundCountWhatLiesAbove) {
  Network network;
  network.populations = {neurons_of("E", 10)};
  Projection p = project("E", "E", Kind::explicit_list, 0, Distribution::constant(0), Distribution::constant(1));
  p.name = "list";
  p.rule.list = {{0, 1, 5.0, 1.0}, {1, 2, 10.0, 1.0}, {2, 3, 0.0, 1.0}};
  p.plasticity = Plasticity{"stdp_power_law", {}, 0.0};
  network.projections = {p};
  const TemporaryFolder folder;
  WeightRecorder recorder(folder.path(), network, NeuronCatalogue::builtin(), stored(), {recording("list", What::histogram, 4, 1.0)});
  Simulation simulation = simulation_of(network, stored());
  recorder.record(simulation);
  RunSummary summary = summarise(network, stored(), simulation.report());
  summary.files = recorder.finish();
  summary.weights = recorder.infos();
  write_report(folder.path(), summary);
  const WeightRecord record = load_weight_records(folder.path()).front();
  EXPECT_EQ(record.edges, (std::vector<double>{0, 5, 10, 15, 20}));
  EXPECT_EQ(record.counts, (std::vector<std::uint64_t>{1, 1, 1, 0}));
}

std::string bytes_of(const std::filesystem::path& folder) { return io::read_file(folder / "weights.h5", 1 << 28); }

TEST(WeightRecorder, ThreadsTilesAndRanksChangeNoByte) {
  const TemporaryFolder folder;
  if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
  record_run(folder.path(), stored(1, 1), 30.0);
  const std::string reference = bytes_of(folder.path());
  for (const auto& [threads, tiles] : {std::pair(2, 2), std::pair(3, 5)}) {
    const TemporaryFolder other;
    record_run(other.path(), stored(threads, tiles), 30.0);
    EXPECT_TRUE(bytes_of(other.path()) == reference) << threads;
  }
  const Network network = learning();
  for (const int ranks : {2, 3}) {
    const TemporaryFolder other;
    (void)run_loopback(ranks, 1, [&](const std::shared_ptr<Communicator>& communicator) {
      SimulationOptions options = stored();
      options.communicator = communicator;
      Simulation simulation = simulation_of(network, options);
      WeightRecorder recorder(other.path(), network, NeuronCatalogue::builtin(), options, kEverything);
      record_to(simulation, recorder, 30.0);
      EXPECT_EQ(recorder.finish().size(), communicator->rank() == 0 ? 1u : 0u);
    });
    EXPECT_TRUE(bytes_of(other.path()) == reference) << ranks << " ranks";
  }
}

void append(WeightRecord& whole, const WeightRecord& part) {
  const auto join = [](auto& a, const auto& b) { a.insert(a.end(), b.begin(), b.end()); };
  join(whole.times_ms, part.times_ms);
  join(whole.weights, part.weights);
  join(whole.counts, part.counts);
  join(whole.formed, part.formed);
  if (!whole.info.rewired) return;
  join(whole.sources, part.sources);
  join(whole.targets, part.targets);
}

// The second part begins where the first ends, at a step that the first has recorded, and at one that nobody records.
TEST(WeightRecorder, AResumedRunRecordsTheRest) {
  const Network network = learning();
  const TemporaryFolder folder, first_folder, second_folder;
  record_run(folder.path(), stored(), 40.0);
  const std::vector<WeightRecord> whole = load_weight_records(folder.path());
  for (const double middle_ms : {20.0, 13.3}) {
    Simulation first = simulation_of(network, stored(2, 2));
    WeightRecorder recorder(first_folder.path(), network, NeuronCatalogue::builtin(), stored(), kEverything);
    record_to(first, recorder, middle_ms);
    first.save_checkpoint(first_folder / "at.ckpt");
    RunSummary summary = summarise(network, stored(), first.report());
    summary.files = recorder.finish();
    summary.weights = recorder.infos();
    write_report(first_folder.path(), summary);

    Simulation second = simulation_of(network, stored(1, 3));
    second.load_checkpoint(first_folder / "at.ckpt");
    WeightRecorder rest(second_folder.path(), network, NeuronCatalogue::builtin(), stored(), kEverything);
    record_to(second, rest, 40.0);
    summary.simulation = second.report();
    summary.files = rest.finish();
    write_report(second_folder.path(), summary);

    std::vector<WeightRecord> parts = load_weight_records(first_folder.path());
    const std::vector<WeightRecord> others = load_weight_records(second_folder.path());
    for (std::size_t r = 0; r < whole.size(); ++r) {
      append(parts[r], others[r]);
      EXPECT_EQ(parts[r].times_ms, whole[r].times_ms) << r << " at " << middle_ms;
      EXPECT_EQ(parts[r].weights, whole[r].weights) << r << " at " << middle_ms;
      EXPECT_EQ(std::tie(parts[r].sources, parts[r].targets, parts[r].counts, parts[r].formed),
                std::tie(whole[r].sources, whole[r].targets, whole[r].counts, whole[r].formed)) << r;
    }
  }
}

// The npy files hold what the HDF5 file holds.
TEST(WeightRecorder, NpyFilesHoldTheSame) {
  const TemporaryFolder folder, npy;
  record_run(folder.path(), stored(), 20.0);
  const std::vector<WeightRecord> records = load_weight_records(folder.path());
  std::vector<WeightRecordInfo> infos;
  for (const WeightRecord& record : records) infos.push_back(record.info);
  auto sink = io::make_npy_weight_sink(npy.path(), infos);
  for (std::size_t r = 0; r < records.size(); ++r) {
    const WeightRecord& record = records[r];
    const bool counts = record.info.recording.what == What::histogram;
    if (counts) {
      sink->begin_histogram(r, record.edges);
    } else if (!record.info.rewired) {
      Synapses synapses;
      for (std::size_t i = 0; i < record.sources.size(); ++i) synapses.push_back({record.sources[i], record.targets[i], 0.0, record.delays_ms[i]});
      sink->begin_synapses(r, synapses);
    }
    for (std::size_t t = 0; t < record.times_ms.size(); ++t) {
      if (counts) {
        const std::size_t bins = record.edges.size() - 1;
        std::vector<std::uint64_t> row{record.below[t]};
        row.insert(row.end(), record.counts.begin() + static_cast<std::ptrdiff_t>(t * bins), record.counts.begin() + static_cast<std::ptrdiff_t>((t + 1) * bins));
        row.push_back(record.above[t]);
        sink->append_histogram(r, record.times_ms[t], row);
      } else if (record.info.rewired) {
        const WeightRecord::Synapses s = record.at(t);
        sink->append_snapshot(r, {record.times_ms[t], s.sources, s.targets, s.weights, record.formed[t], record.eliminated[t]});
      } else {
        sink->append_row(r, record.times_ms[t], record.at(t).weights);
      }
    }
  }
  const std::vector<std::string> files = sink->finish();
  EXPECT_EQ(std::set<std::string>(files.begin(), files.end()).size(), files.size());
  const std::vector<WeightRecord> again = io::read_weights_npy([&npy](const std::string& name) { return npy / name; }, infos);
  for (std::size_t r = 0; r < records.size(); ++r) {
    EXPECT_EQ(again[r].weights, records[r].weights) << r;
    EXPECT_EQ(again[r].begin, records[r].begin) << r;
    EXPECT_EQ(again[r].eliminated, records[r].eliminated) << r;
    EXPECT_EQ(std::tie(again[r].times_ms, again[r].sources, again[r].targets, again[r].delays_ms, again[r].edges, again[r].counts, again[r].below),
              std::tie(records[r].times_ms, records[r].sources, records[r].targets, records[r].delays_ms, records[r].edges, records[r].counts, records[r].below)) << r;
  }
}

TEST(WeightRecorder, SaysAllThatIsWrong) {
  Network network = learning();
  network.projections.push_back(project("cells", "cells", Kind::fixed_indegree, 2, Distribution::constant(1), Distribution::constant(1)));
  network.projections.back().name = "fixed";
  network.projections[0].rule.number = 20000;  // 24 million synapses
  const std::vector<WeightRecording> wrong = {
      recording("learn", What::all, 1, 1.0),     recording("fixed", What::sample, 5, 1.0), recording("learns", What::all, 1, 1.0),
      recording("maps", What::sample, 0, 0.0),   recording("maps", What::histogram, 20000, 0.25),
      recording("maps", What::all, 1, std::nan(""))};
  std::string text;
  for (const Problem& problem : validate(wrong, network)) text += problem.message + "\n";
  for (const char* const part :
       {"There is no projection named 'learn'. Did you mean 'learns'?", "The weights of 'fixed' stay as they are: it has no plasticity.",
        "'learns' has about 24000000 synapses; at most 10000000", "every 0 ms; the interval must be above 0",
        "The synapses of a sample can be from 1 to 10000000; there are to be 0", "every 0.25 ms, which is not a multiple of the time step, 0.1 ms",
        "The bins of a histogram can be from 1 to 10000; there are to be 20000", "every nan ms"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  const TemporaryFolder folder;
  EXPECT_THROW(WeightRecorder(folder.path(), network, NeuronCatalogue::builtin(), stored(), wrong), InputError);
}

TEST(WeightRecorder, AFullDiskIsARunErrorAndLeavesNothing) {
  const Network network = learning();
  Simulation simulation = simulation_of(network, stored());
  const TemporaryFolder folder;
  const auto before_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::string message;
  for (const rlim_t bytes : {rlim_t{1000}, rlim_t{300000}}) {
    rlimit limit = before;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      WeightRecorder recorder(folder.path(), network, NeuronCatalogue::builtin(), stored(), {recording("learns", What::all, 1, 0.1)});
      Simulation own = simulation_of(network, stored());
      record_to(own, recorder, 5.0);
      (void)recorder.finish();
    } catch (const RunError& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_NE(message.find("cannot write"), std::string::npos) << message;
    EXPECT_EQ(folder.listing(), "") << bytes;
  }
  std::signal(SIGXFSZ, before_handler);
}

TEST(WeightRecorder, ADamagedOrContradictoryFileIsRefused) {
  const TemporaryFolder folder;
  if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
  record_run(folder.path(), stored(), 10.0);
  std::string bytes = bytes_of(folder.path());
  bytes[bytes.size() / 2] ^= 1;
  io::write_file(folder / "weights.h5", bytes);
  EXPECT_THROW((void)load_weight_records(folder.path()), InputError);
  WeightRecord record;
  record.info.rewired = true;
  record.times_ms = {0.0, 1.0};
  record.begin = {0, 2, 1};  // beyond, and back
  record.sources = record.targets = {0};
  record.weights = {1.0F};
  record.formed = record.eliminated = {0, 0};
  EXPECT_THROW(io::require_consistent(record, "file"), InputError);
}

TEST(SynapsesOfSomeSources, AreThoseOfTheWhole) {
  Simulation simulation = simulation_of(learning(), stored(2, 3));
  simulation.run(17.0);
  const std::vector<std::uint32_t> some{3, 40, 99};
  for (const char* const projection : {"learns", "maps"}) {
    Synapses part, whole = simulation.synapses(projection);
    simulation.visit_synapses(projection, some, [&part](std::span<const ConnectivityRule::Synapse> row) { part.insert(part.end(), row.begin(), row.end()); });
    std::erase_if(whole, [&some](const auto& s) { return std::find(some.begin(), some.end(), s.source) == some.end(); });
    EXPECT_GT(part.size(), 30u);
    EXPECT_EQ(entries(part), entries(whole)) << projection;
    for (const std::vector<std::uint32_t>& wrong : {std::vector<std::uint32_t>{5, 5}, std::vector<std::uint32_t>{1, 100}}) {
      EXPECT_THROW(simulation.visit_synapses(projection, wrong, [](auto) {}), InputError);
    }
  }
}

}  // namespace
}  // namespace tessera::test
