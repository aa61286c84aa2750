// Recording and reading back: round trips, early stops, full disks, damaged results.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "files/file.hpp"
#include "results/sinks.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

Network two_populations() {
  Network network;
  network.name = "pair";
  network.dt_ms = 0.1;
  Population exciting;
  exciting.name = "E";
  exciting.size = 10;
  Population inhibiting = exciting;
  inhibiting.name = "I";
  inhibiting.size = 5;
  inhibiting.inhibitory = true;
  network.populations = {exciting, inhibiting};
  network.recorders.push_back({"I", "V_m", 3, 0.1, {}});
  return network;
}

SimulationReport report_of(const Network& network, double model_time_ms) {
  SimulationReport report;
  report.model_time_ms = model_time_ms;
  for (const Population& population : network.populations) {
    report.populations.push_back({population.name, population.size, 0});
  }
  return report;
}

// Spikes of both populations at every third step; neuron ids are global: 10 and above are I.
std::vector<Spike> some_spikes(std::uint32_t steps) {
  std::vector<Spike> spikes;
  for (std::uint32_t step = 1; step <= steps; step += 3) {
    for (std::uint32_t neuron = step % 4; neuron < 15; neuron += 4)
      spikes.push_back({step, neuron});
  }
  return spikes;
}

void expect_equal(const Result& result, const std::vector<Spike>& spikes) {
  std::vector<double> times[2];
  std::vector<std::uint32_t> ids[2];
  for (const Spike& spike : spikes) {
    const int population = spike.neuron >= 10 ? 1 : 0;
    times[population].push_back(spike.step * 0.1);
    ids[population].push_back(spike.neuron - (population == 1 ? 10 : 0));
  }
  ASSERT_EQ(result.populations.size(), 2U);
  for (int population = 0; population < 2; ++population) {
    EXPECT_EQ(result.populations[population].spikes.times_ms, times[population]);
    EXPECT_EQ(result.populations[population].spikes.neurons, ids[population]);
  }
}

// A whole result in `folder`: spikes of `steps` steps and as many samples.
void record(const std::filesystem::path& folder, const Network& network, std::uint32_t steps) {
  SpikeRecorder spikes(folder, network);
  TraceRecorder traces(folder, network);
  spikes.on_spikes(some_spikes(steps));
  for (std::uint32_t step = 1; step <= steps; ++step) {
    const double values[3] = {-65.0 + step, -64.0, 0.25 * step};
    traces.on_sample({step, 0, values});
  }
  RunSummary summary = summarise(network, {}, report_of(network, steps * 0.1));
  summary.files = spikes.finish();
  for (const std::string& file : traces.finish()) summary.files.push_back(file);
  write_report(folder, summary);
}

TEST(Recorders, RoundTrip) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  record(folder.path(), network, 300);
  const Result result = load_result(folder.path());
  EXPECT_EQ(result.model, "pair");
  EXPECT_TRUE(result.has_spikes);
  EXPECT_TRUE(result.find("I")->inhibitory);
  expect_equal(result, some_spikes(300));
  ASSERT_EQ(result.traces.size(), 1U);
  const Trace& trace = result.traces[0];
  EXPECT_EQ(trace.neurons, 3U);
  ASSERT_EQ(trace.times_ms.size(), 300U);
  ASSERT_EQ(trace.values.size(), 900U);
  EXPECT_DOUBLE_EQ(trace.times_ms[9], 1.0);
  EXPECT_EQ(trace.values[9 * 3 + 0], -55.0);
  EXPECT_EQ(trace.values[9 * 3 + 2], 2.5);
}

TEST(Recorders, ManySpikesPassThroughTheBuffers) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  const auto spikes = some_spikes(60000);  // beyond the buffers of both populations
  SpikeRecorder recorder(folder.path(), network);
  for (std::size_t i = 0; i < spikes.size(); i += 777) {
    const std::size_t count = std::min<std::size_t>(777, spikes.size() - i);
    recorder.on_spikes(std::span(spikes).subspan(i, count));
  }
  EXPECT_EQ(recorder.spikes_written(), spikes.size());
  RunSummary summary = summarise(network, {}, report_of(network, 6000.0));
  summary.files = recorder.finish();
  write_report(folder.path(), summary);
  expect_equal(load_result(folder.path()), spikes);
}

// Of E the first four neurons, of I all, and none of a third population: that is in no file, and everything else as if all
// were recorded.
TEST(Recorders, TheFirstNeuronsOfSomePopulations) {
  const TemporaryFolder folder;
  Network network = two_populations();
  network.populations.push_back(network.populations[1]);
  network.populations.back().name = "other";
  network.spike_recorders = {{"I"}, {"E", 4}};
  std::vector<Spike> spikes = some_spikes(60000), kept;
  for (std::size_t i = 0; i < spikes.size(); i += 7) spikes[i].neuron = 15 + spikes[i].step % 5;
  for (const Spike& spike : spikes) {
    if (spike.neuron < 4 || (spike.neuron >= 10 && spike.neuron < 15)) kept.push_back(spike);
  }
  SpikeRecorder recorder(folder.path(), network);
  recorder.on_spikes(spikes);
  EXPECT_EQ(recorder.spikes_written(), kept.size());
  RunSummary summary = summarise(network, {}, report_of(network, 6000.0));
  summary.files = recorder.finish();
  EXPECT_EQ(summary.files.size(), has_hdf5() ? 1u : 2u);
  write_report(folder.path(), summary);
  Result result = load_result(folder.path());
  EXPECT_TRUE(result.has_spikes);
  EXPECT_TRUE(result.is_subset());
  ASSERT_EQ(result.populations.size(), 3u);
  EXPECT_EQ(result.populations[0].recorded(), 4u);
  EXPECT_EQ(result.populations[1].recorded(), 5u);
  EXPECT_EQ(result.populations[2].recorded(), 0u);
  EXPECT_EQ(result.populations[2].spikes.size(), 0u);
  result.populations.pop_back();
  expect_equal(result, kept);
}

TEST(Recorders, NothingHasAFinalNameBeforeFinish) {
  const TemporaryFolder folder;
  {
    SpikeRecorder recorder(folder.path(), two_populations());
    recorder.on_spikes(some_spikes(30));
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_EQ(entry.path().filename().string()[0], '.');
    }
  }
  EXPECT_EQ(folder.listing(), "");  // given up without finish(): nothing is left
}

TEST(Recorders, EarlierResultSurvivesAnAbandonedRun) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  record(folder.path(), network, 30);
  {
    SpikeRecorder recorder(folder.path(), network);
    recorder.on_spikes(some_spikes(90));
  }
  expect_equal(load_result(folder.path()), some_spikes(30));
}

TEST(Recorders, AResultWithoutSpikesIsLoadable) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  record(folder.path(), network, 0);
  const Result result = load_result(folder.path());
  EXPECT_TRUE(result.has_spikes);
  EXPECT_EQ(result.populations[0].spikes.size(), 0U);
  EXPECT_TRUE(result.traces[0].times_ms.empty());
}

TEST(Recorders, AnUnrecordedRunDropsTheOldFiles) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  record(folder.path(), network, 30);
  io::write_file(folder / "notes.txt", "mine");
  write_report(folder.path(), summarise(network, {}, report_of(network, 3.0)));
  EXPECT_EQ(folder.listing(), "notes.txt report.json");
  EXPECT_FALSE(load_result(folder.path()).has_spikes);
}

TEST(Recorders, EveryDamageIsFoundWhenReading) {
  const TemporaryFolder folder;
  record(folder.path(), two_populations(), 300);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (name == "report.json") continue;
    const std::string whole = io::read_file(entry.path(), 1 << 24);
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 37) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
      io::write_file(folder / name, damaged);
      EXPECT_THROW((void)load_result(folder.path()), InputError) << name << " " << at;
      io::write_file(folder / name, whole.substr(0, at));
      EXPECT_THROW((void)load_result(folder.path()), InputError) << name << " cut at " << at;
    }
    io::write_file(folder / name, whole);
  }
  expect_equal(load_result(folder.path()), some_spikes(300));
}

TEST(Recorders, FilesOfAnotherRunAreRefused) {
  const TemporaryFolder one;
  const TemporaryFolder two;
  record(one.path(), two_populations(), 30);
  record(two.path(), two_populations(), 60);
  const std::string name = has_hdf5() ? "spikes.h5" : "spikes_E.npy";
  std::filesystem::copy_file(two / name, one / name,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THROW((void)load_result(one.path()), InputError);
}

// Lets no file of this process grow beyond `bytes`: like a disk that is full, but reproducible.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_{};
  void (*before_handler_)(int) = nullptr;
};

std::string error_while_recording(const std::filesystem::path& folder) {
  try {
    SpikeRecorder recorder(folder, two_populations());
    recorder.on_spikes(some_spikes(60000));
    (void)recorder.finish();
  } catch (const RunError& error) {
    return error.what();
  }
  return "";
}

TEST(Recorders, AFileThatCannotGrowIsARunErrorAtAnyLength) {
  const TemporaryFolder folder;
  record(folder.path(), two_populations(), 30);
  const std::string before = folder.listing();
  for (const rlim_t bytes : {100, 1000, 5000, 70000, 300000, 700000}) {
    const FileSizeLimit limit(bytes);
    const std::string error = error_while_recording(folder.path());
    EXPECT_NE(error.find("spikes"), std::string::npos) << bytes;
    EXPECT_NE(error.find("File too large"), std::string::npos) << error;
  }
  EXPECT_EQ(folder.listing(), before);
  expect_equal(load_result(folder.path()), some_spikes(30));
}

TEST(Recorders, AFullDiskIsARunError) {
  const TemporaryFolder folder;
  const std::string name = has_hdf5() ? "spikes.h5" : "spikes_E.npy";
  std::filesystem::create_symlink("/dev/full", folder / name);
  const std::string error = error_while_recording(folder.path());
  EXPECT_EQ(error, "cannot write " + (folder / name).string() + ": No space left on device");
}

TEST(Recorders, AMissingFolderIsARunError) {
  const TemporaryFolder folder;
  EXPECT_THROW(SpikeRecorder(folder / "missing", two_populations()), RunError);
  EXPECT_THROW(TraceRecorder(folder / "missing", two_populations()), RunError);
}

TEST(NpySinks, AreReadInEveryBuild) {
  const TemporaryFolder folder;
  const Network network = two_populations();
  auto spikes = io::make_npy_spike_sink(folder.path(), {"E", "I"});
  spikes->append(0, std::vector<double>{0.1, 0.2}, std::vector<std::uint64_t>{3, 9});
  spikes->append(1, std::vector<double>{0.3}, std::vector<std::uint64_t>{4});
  auto traces = io::make_npy_trace_sink(folder.path(), {{"I", "V_m", 3}});
  traces->append(0, std::vector<double>{0.1}, std::vector<double>{-65, -66, -67});
  RunSummary summary = summarise(network, {}, report_of(network, 1.0));
  summary.files = spikes->finish();
  for (const std::string& file : traces->finish()) summary.files.push_back(file);
  write_report(folder.path(), summary);
  EXPECT_EQ(folder.listing(),
            "report.json spikes_E.npy spikes_I.npy traces_I.V_m.npy traces_I.V_m_times.npy");
  const Result result = load_result(folder.path());
  EXPECT_EQ(result.populations[0].spikes.neurons, (std::vector<std::uint32_t>{3, 9}));
  EXPECT_EQ(result.populations[1].spikes.times_ms, std::vector<double>{0.3});
  EXPECT_EQ(result.traces[0].values, (std::vector<double>{-65, -66, -67}));
}

TEST(TraceFiles, HoldOneVariableEach) {
  EXPECT_EQ(io::trace_files({{"E", "V_m", 1}, {"I", "V_m", 2}, {"E", "g_ex", 1}, {"E", "V_m", 3},
                             {"a", "x/y", 1}}),
            (std::vector<std::string>{"traces_V_m.h5", "traces_V_m.h5", "traces_g_ex.h5",
                                      "traces_V_m~2.h5", "traces_x%2Fy.h5"}));
}

// Several recorders, of one population and of one variable: each comes back with its own times.
TEST(Recorders, SeveralTracesKeepTheirTimesAndValues) {
  const TemporaryFolder folder;
  Network network = two_populations();
  network.recorders = {{"I", "V_m", 2, 0.1, {}},
                       {"E", "V_m", 1, 0.3, {}},
                       {"I", "g_ex", 1, 0.2, {}},
                       {"I", "V_m", 1, 0.5, {}}};
  TraceRecorder traces(folder.path(), network);
  const std::uint32_t every[] = {1, 3, 2, 5};
  for (std::uint32_t step = 1; step <= 30; ++step) {
    for (std::size_t r = 0; r < 4; ++r) {
      const double values[2] = {1000.0 * static_cast<double>(r) + step, -1.0 * step};
      if (step % every[r] == 0) {
        traces.on_sample({step, r, std::span(values, network.recorders[r].count)});
      }
    }
  }
  RunSummary summary = summarise(network, {}, report_of(network, 3.0));
  summary.files = traces.finish();
  write_report(folder.path(), summary);
  const Result result = load_result(folder.path());
  ASSERT_EQ(result.traces.size(), 4U);
  for (std::size_t r = 0; r < 4; ++r) {
    SCOPED_TRACE(r);
    const Trace& trace = result.traces[r];
    EXPECT_EQ(trace.population, network.recorders[r].population);
    EXPECT_EQ(trace.variable, network.recorders[r].variable);
    ASSERT_EQ(trace.neurons, network.recorders[r].count);
    ASSERT_EQ(trace.times_ms.size(), 30 / every[r]);
    for (std::size_t i = 0; i < trace.times_ms.size(); ++i) {
      const auto step = static_cast<double>((i + 1) * every[r]);
      EXPECT_EQ(trace.times_ms[i], step * 0.1);
      EXPECT_EQ(trace.values[i * trace.neurons], 1000.0 * static_cast<double>(r) + step);
    }
  }
}

TEST(TraceNames, AreDifferentForEveryRecorder) {
  EXPECT_EQ(io::trace_names({{"E", "V_m", 1}, {"E", "V_m", 2}, {"a/b", "g", 1}}),
            (std::vector<std::string>{"E.V_m", "E.V_m~2", "a%2Fb.g"}));
}

TEST(ObserverListTest, HandsOnToThoseThatWant) {
  struct Counter : RunObserver {
    std::size_t spikes = 0;
    bool wants = false;
    bool stop = false;
    void on_spikes(std::span<const Spike> list) override { spikes += list.size(); }
    bool wants_spikes() const override { return wants; }
    bool stop_requested() override { return stop; }
  };
  Counter first;
  Counter second;
  ObserverList list({&first, &second});
  EXPECT_FALSE(list.wants_spikes());
  second.wants = true;
  EXPECT_TRUE(list.wants_spikes());
  const Spike spikes[2] = {{1, 0}, {1, 1}};
  list.on_spikes(spikes);
  EXPECT_EQ(first.spikes, 0U);
  EXPECT_EQ(second.spikes, 2U);
  EXPECT_FALSE(list.stop_requested());
  first.stop = true;
  EXPECT_TRUE(list.stop_requested());
}

}  // namespace
}  // namespace tessera
