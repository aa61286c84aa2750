// Commands on a network with plastic projections: what they say about it, and what they refuse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera::test {
namespace {

/// The small model; its projection from E onto I (20 synapses on each of 40 neurons) learns.
class Plastic : public testing::Test {
 protected:
  Plastic() {
    std::string model = kSmallModel;
    const std::string head = "[projections.to_I]\n";
    model.insert(model.find(head) + head.size(),
                 "plasticity = { rule = \"stdp\", Wmax = \"600 pA\", axonal_delay = \"0.5 ms\" }\n");
    write_text(folder_ / "m.toml", model);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  void expect_refused(const std::string& words, const std::string& part) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  void expect_says(const std::string& words, const std::string& part) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(part), std::string::npos) << outcome.out;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Plastic, CannotBeProcedural) {
  const std::string sentence =
      "Projection 'to_I' is plastic (stdp), so its weights must be kept: connectivity must be 'stored' or 'auto', not "
      "'procedural'.";
  expect_refused("run m.toml --connectivity procedural --out r", sentence);
  expect_refused("plan m.toml --connectivity procedural", sentence);
}

TEST_F(Plastic, CannotRunOnAGpu) {
  expect_refused("run m.toml --device emulated --out r", "Projection 'to_I' is plastic (stdp); weights do not change on a GPU yet.");
}

TEST_F(Plastic, IsToldByPlanSynapsesAndReport) {
  expect_says("plan m.toml", "\nplastic           800 synapses with stdp in 1 projection\n");
  const Outcome list = line("synapses m.toml");
  EXPECT_NE(list.out.find("  plasticity  "), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("  stdp  "), std::string::npos) << list.out;
  expect_says("run m.toml --time 100ms --out r", "\nplastic           800 synapses with stdp in 1 projection\n");
  const auto report = nlohmann::json::parse(read_text(folder_ / "r/report.json"));
  ASSERT_EQ(report.at("plasticity").size(), 1u);
  const auto& entry = report.at("plasticity")[0];
  EXPECT_EQ(entry.at("projection"), "to_I");
  EXPECT_EQ(entry.at("rule"), "stdp");
  EXPECT_EQ(entry.at("axonal_delay_ms"), 0.5);
  EXPECT_EQ(entry.at("parameters"), nlohmann::json({{"Wmax", 600.0}}));
}

// A checkpoint belongs to one plasticity.
TEST_F(Plastic, OfAnotherKindDoesNotGoOn) {
  ASSERT_EQ(line("run m.toml --time 100ms --checkpoint-every 50ms --out r").exit_code, 0);
  std::string model = read_text(folder_ / "m.toml");
  model.replace(model.find("600 pA"), 6, "700 pA");
  write_text(folder_ / "other.toml", model);
  expect_refused("run other.toml --time 100ms --resume r/checkpoint_50ms.tsc --out s", "it belongs to another network");
}

// Weights over time: a file of the result, whose plot says what it shows, and a checkpoint at which a second run goes on.
TEST_F(Plastic, WeightsAreRecordedOverTimeAndDrawn) {
  const std::string record = " --record weights:to_I:20:10ms --record weights:to_I:histogram=8:20ms";
  ASSERT_EQ(line("run m.toml --time 60ms --checkpoint-every 25ms --out r" + record).exit_code, 0);
  const auto report = nlohmann::json::parse(read_text(folder_ / "r/report.json"));
  EXPECT_EQ(report.at("weight_recorders").size(), 2u);
  EXPECT_EQ(report.at("weight_recorders")[0].at("what"), "sample");
  EXPECT_EQ(report.at("weight_recorders")[0].at("source"), "E");
  EXPECT_GT(report.at("populations")[0].at("spikes"), 100) << "spikes are recorded beside";
  const auto records = load_weight_records(folder_ / "r");
  EXPECT_EQ(records.at(0).times_ms, (std::vector<double>{0, 10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(records.at(0).sources.size(), 20u);
  EXPECT_EQ(records.at(1).times_ms, (std::vector<double>{0, 20, 40, 60}));
  std::uint64_t synapses = 0;
  for (std::size_t b = 0; b < 8; ++b) synapses += records.at(1).counts.at(b);
  EXPECT_EQ(synapses, 800u);
  ASSERT_EQ(line("run m.toml --time 60ms --resume r/checkpoint_25ms.tsc --threads 2 --out s" + record).exit_code, 0);
  const auto rest = load_weight_records(folder_ / "s");
  EXPECT_EQ(rest.at(0).times_ms, (std::vector<double>{30, 40, 50, 60}));
  EXPECT_EQ(rest.at(0).weights, std::vector<float>(records[0].weights.begin() + 60, records[0].weights.end()));
  ASSERT_EQ(line("plot r weights").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "r/weights.svg").find("a sample of 20 synapses"), std::string::npos);
  expect_refused("plot r map", "This result holds no map that forms: record all synapses of a projection with rewiring, --record "
                               "weights:PROJECTION:all:INTERVAL.");
  ASSERT_EQ(line("run m.toml --time 60ms --out t").exit_code, 0);
  expect_refused("plot t weights", "This result holds no weights over time");
  // A result that takes the place of another one leaves no file of it.
  ASSERT_EQ(line("run m.toml --time 60ms --out r --force").exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r/weights.h5"));
}

TEST_F(Plastic, RecordingsThatMeanNothingAreRefused) {
  const auto refused = [this](const std::string& what, const std::string& part) {
    expect_refused("run m.toml --out r --record " + what, "--record " + what);
    expect_refused("run m.toml --out r --record " + what, part);
  };
  refused("weights", "should be weights:PROJECTION:COUNT:INTERVAL");
  refused("weights:to_I:10ms", "should be weights:PROJECTION:COUNT:INTERVAL");
  refused("weights:to_I:histogran:10ms", "'histogran' is not what can be recorded of weights: a number of synapses, all, histogram or "
                                         "histogram=BINS. Did you mean 'histogram'?");
  refused("weights:to_I:0:10ms", "'0' is not a whole number from 1 to 10000000.");
  refused("weights:to_I:histogram=0:10ms", "'0' is not a whole number from 1 to 10000.");
  refused("weights:to_I:all:10", "'10' has no unit");
  refused("weights:to_I:all:0ms", "the interval must be above 0");
  refused("weights:to_I:all:0.25ms", "not a multiple of the time step, 0.1 ms");
  refused("weights:to_J:all:10ms", "There is no projection named 'to_J'. Did you mean 'to_I'?");
  refused("weights:to_E:all:10ms", "The weights of 'to_E' stay as they are: it has no plasticity.");
}

// Weights that stop being numbers end the run; what was recorded up to then is a whole result.
TEST_F(Plastic, WeightsThatAreNoNumbersEndTheRunWithAResult) {
  std::string model = read_text(folder_ / "m.toml");
  const std::string before = "rule = \"stdp\", Wmax = \"600 pA\"";
  model.replace(model.find(before), before.size(), "rule = \"stdp_power_law\", lambda = 1e35, mu = 400");
  const std::string target = "target = \"E\"\namplitude";
  model.replace(model.find(target), target.size(), "target = [\"E\", \"I\"]\namplitude");  // I would be silent
  write_text(folder_ / "bad.toml", model);
  const Outcome outcome = line("run bad.toml --out r --record weights:to_I:10:1ms");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("A weight of projection 'to_I', of a synapse of neuron "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("Check the parameters of its plasticity (stdp_power_law)."), std::string::npos) << outcome.err;
  EXPECT_GT(load_weight_records(folder_ / "r").at(0).times_ms.size(), 3u);
  EXPECT_EQ(line("plot r weights").exit_code, 0);
}

// The model file's recorders of weights: the same files as by option, beside those that an option adds; none where
// --record lists what is recorded; mistakes have the place in the file.
TEST_F(Plastic, WeightsAreRecordedAsTheModelSays) {
  const std::string plain = read_text(folder_ / "m.toml");
  const std::string recorders =
      "\n[[recorders]]\nweights = \"to_I\"\ncount = 20\ninterval = \"10 ms\"\n"
      "[[recorders]]\nweights = \"to_I\"\nwhat = \"histogram\"\ncount = 8\ninterval = \"20 ms\"\n";
  write_text(folder_ / "own.toml", plain + recorders);
  ASSERT_EQ(line("run m.toml --time 60ms --out r --record weights:to_I:20:10ms --record weights:to_I:histogram=8:20ms").exit_code, 0);
  ASSERT_EQ(line("run own.toml --time 60ms --out s").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "s/weights.h5"), read_text(folder_ / "r/weights.h5"));
  ASSERT_EQ(line("run own.toml --time 60ms --out t --record weights:to_I:5:30ms").exit_code, 0);
  EXPECT_EQ(load_weight_records(folder_ / "t").size(), 3u);
  ASSERT_EQ(line("run own.toml --time 60ms --out u --record spikes").exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "u/weights.h5"));

  write_text(folder_ / "bad.toml", plain + "\n[[recorders]]\nweights = \"to_J\"\n[[recorders]]\nweights = \"to_E\"\nwhat = \"histogran\"\n"
                                           "[[recorders]]\nweights = \"to_I\"\nwhat = \"all\"\ncount = 3\n");
  expect_refused("run bad.toml --out v", "Did you mean 'histogram'?");
  expect_refused("run bad.toml --out v", "All weights are recorded: there is no count.");
  write_text(folder_ / "worse.toml", plain + "\n[[recorders]]\nweights = \"to_J\"\n[[recorders]]\nweights = \"to_I\"\ninterval = \"0.25 ms\"\n");
  expect_refused("run worse.toml --out v", "There is no projection named 'to_J'. Did you mean 'to_I'?");
  expect_refused("run worse.toml --out v", "not a multiple of the time step");
  expect_refused("run worse.toml --out v", "worse.toml:");
}

// The name of a table of projections stands for each plastic one of it.
TEST_F(Plastic, ATableOfProjectionsStandsForItsPlasticOnes) {
  Network network;
  for (const char* name : {"p.E->E", "p.E->I", "p.I->E", "pp.E->E"}) {
    network.projections.emplace_back();
    network.projections.back().name = name;
    if (name != std::string("p.E->I")) network.projections.back().plasticity.emplace();
  }
  WeightRecording table, one;
  table.projection = "p";
  table.count = 7;
  one.projection = "p.E->I";
  const auto all = one_of_each({table, one}, network);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].projection, "p.E->E");
  EXPECT_EQ(all[1].projection, "p.I->E");
  EXPECT_EQ(all[1].count, 7u);
  EXPECT_EQ(all[2].projection, "p.E->I");
}

}  // namespace
}  // namespace tessera::test
