// tessera plan --ranks: one rank of many, built without the others.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

const std::string kModel = TESSERA_SOURCE_DIR "/models/balanced/balanced.toml";

class DryRuns : public testing::Test {
 protected:
  Outcome plan(const std::string& options) {
    std::vector<std::string> words = words_of(options);
    words.insert(words.begin(), {"plan", kModel});
    ProcessOptions process;
    process.folder = folder_.path();
    return tessera(words, process);
  }
  nlohmann::json json_of(const std::string& options) {
    const Outcome outcome = plan(options + " --json d.json");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(read_text(folder_ / "d.json"));
  }
  TemporaryFolder folder_;
};

// 11,250 neurons and 11,250 inputs each per rank and unit of scale; ranks differ by a chunk of 16,384 at most. A rank
// of a network whose 64 ranks each send everything to everybody sends 63 messages in the 13 steps between meetings:
// 1 + 4 floor((15 - 1) / 4), with delays of 15 steps and groups of four.
TEST_F(DryRuns, OneRankIsBuiltAndTheRestIsCosted) {
  const nlohmann::json j = json_of("--ranks 64 --rank 3 --set scale=4 --connectivity procedural");
  EXPECT_EQ(j.at("ranks"), 64);
  EXPECT_EQ(j.at("rank"), 3);
  EXPECT_EQ(j.at("network").at("neurons"), 64 * 45000);
  EXPECT_NEAR(j.at("neurons").get<double>(), 45000.0, 16384.0);
  EXPECT_EQ(j.at("synapses").get<double>(), 11250.0 * j.at("neurons").get<double>());
  EXPECT_EQ(j.at("exchange").at("remote_interval_steps"), 13);
  EXPECT_NEAR(j.at("exchange").at("collective").at("messages_per_step"), 63.0 / 13.0, 1e-9);
  // 63/64 of 2.88e6 neurons x 7.6 Hz x 0.1 ms
  EXPECT_NEAR(j.at("exchange").at("collective").at("received_spikes_per_step"), 63.0 / 64.0 * 2188.8, 0.1);
  for (const char* way : {"collective", "point_to_point"}) {
    EXPECT_GT(j.at("exchange").at(way).at("bytes_per_step"), 0.0);
  }
  EXPECT_EQ(j.at("exchange").at("collective").at("table_bytes"), 0.0);
  EXPECT_GT(j.at("predicted").at("step_seconds"), 0.0);
  EXPECT_NEAR(j.at("predicted").at("real_time_factor").get<double>(), j.at("predicted").at("step_seconds").get<double>() * 1e4, 1e-6);
  double rooms = 0.0;
  for (const nlohmann::json& part : j.at("memory").at("rooms")) rooms += part.at("bytes").get<double>();
  EXPECT_EQ(rooms, j.at("memory").at("planned_bytes").get<double>());
  EXPECT_GT(j.at("memory").at("peak_resident_bytes"), 1e6);
}

// The four areas of the stand-in have 1.125, 1, 0.875 and 0.75 times the neurons of the microcircuit and in-degrees of their own
// size, so that load follows neurons: each alone on a rank, the largest is 1.2 times the mean. On eight ranks they are cut, and
// everybody gets some.
TEST_F(DryRuns, AreasAreDealtOutByLoad) {
  const auto stand_in = [this](const std::string& ranks) {
    std::vector<std::string> words = words_of("plan " TESSERA_SOURCE_DIR "/models/multi_area/multi_area.toml --set tables=stand_in --set scale=0.02 "
                                              "--connectivity procedural --placement pack --json d.json --ranks " + ranks);
    ProcessOptions process;
    process.folder = folder_.path();
    const Outcome outcome = tessera(words, process);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("of the copies of spikes that an all-gather makes"), std::string::npos) << outcome.out;
    return nlohmann::json::parse(read_text(folder_ / "d.json"));
  };
  const nlohmann::json four = stand_in("4"), eight = stand_in("8");
  EXPECT_NEAR(four.at("load").at("most_over_mean").get<double>(), 1.2, 0.01);
  EXPECT_EQ(four.at("load").at("idle_ranks"), 0);
  EXPECT_EQ(eight.at("load").at("idle_ranks"), 0);
  EXPECT_LT(eight.at("load").at("most_over_mean"), 1.5);
}

// What the network costs a rank does not grow with it: 64 times the ranks, the same neurons here.
TEST_F(DryRuns, MemoryAfterConstructionStaysFlat) {
  const nlohmann::json runs = json_of("--ranks 256,16384 --set scale=2 --connectivity procedural");
  ASSERT_EQ(runs.size(), 2u);
  const auto per_neuron = [](const nlohmann::json& run) {
    return run.at("memory").at("peak_resident_bytes").get<double>() / run.at("neurons").get<double>();
  };
  EXPECT_LT(per_neuron(runs[1]), 1.5 * per_neuron(runs[0]));
}

TEST_F(DryRuns, CostsCanBeSet) {
  const auto factor = [this](const std::string& costs) {
    return json_of("--ranks 64 --connectivity procedural " + costs).at("predicted").at("real_time_factor").get<double>();
  };
  const double usual = factor("--threads 1 --latency 2 --bandwidth 10");
  // A microsecond more for each of the log2(64) rounds of a meeting every 13 steps, 10,000 steps a second.
  EXPECT_NEAR(factor("--threads 1 --latency 3 --bandwidth 10") - usual, 6.0 * 1e-6 / 13.0 * 1e4, 1e-9);
  EXPECT_GT(factor("--threads 1 --event-cost 20"), usual);
}

TEST_F(DryRuns, APictureForEveryListOfRanks) {
  const Outcome outcome = plan("--ranks 1,8,64 --connectivity procedural --svg d.svg");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string svg = read_text(folder_ / "d.svg");
  for (const char* part : {"construction", "memory of a rank", "predicted real-time factor", "ranks", "</svg>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
}

TEST_F(DryRuns, WhatCannotBeIsRefused) {
  const struct {
    const char *options, *sentence;
  } cases[] = {{"--ranks 0", "--ranks"},
               {"--ranks 4 --rank 4", "--rank"},
               {"--ranks 4,x", "'x'"},
               {"--ranks 4 --latency fast", "microseconds"},
               {"--ranks 4 --bandwidth -1", "GB/s"},
               {"--ranks 4 --time 1s", "--time"},
               {"--rank 3", "give --ranks"},
               {"--json d.json", "give --ranks"}};
  for (const auto& [options, sentence] : cases) {
    const Outcome outcome = plan(options);
    EXPECT_EQ(outcome.exit_code, 2) << options;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << options << ": " << outcome.err;
  }
}

// 100,000 times the neurons on a rank: 1.3e13 synapses of five bytes.
TEST_F(DryRuns, ARankThatDoesNotFitIsRefusedBeforeAnythingIsBuilt) {
  const Outcome outcome = plan("--ranks 2 --set scale=20000 --connectivity stored");
  EXPECT_EQ(outcome.exit_code, 2);
  for (const char* part : {"rank 0 of 2", "TB", "available"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << ": " << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
