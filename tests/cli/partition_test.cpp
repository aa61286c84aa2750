// tessera partition: tables, JSON and pictures; what it refuses, and in which words.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli/examples.hpp"
#include "cli/process.hpp"

namespace tessera::test {
namespace {

const std::string kMnist = TESSERA_SOURCE_DIR "/models/training/mnist.toml";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Partitions : public testing::Test {
 protected:
  Outcome divide(const std::string& model, const std::string& options) {
    std::vector<std::string> words = words_of(options);
    words.insert(words.begin(), {"partition", model});
    ProcessOptions process;
    process.folder = folder_.path();
    return tessera(words, process);
  }
  Outcome divide_text(const std::string& text, const std::string& options) {
    write_text(folder_ / "model.toml", text);
    return divide("model.toml", options);
  }
  nlohmann::json json_of(const std::string& model, const std::string& options) {
    const Outcome outcome = divide(model, options + " --json p.json");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(read_text(folder_ / "p.json"));
  }
  TemporaryFolder folder_;
};

// 784 inputs are 8 circuits of both halves (five runs, as published), or 7 (four).
TEST_F(Partitions, MnistIsDividedAsPublishedAndBetter) {
  const nlohmann::json pairs = json_of(kMnist, "--machine brainscales2 --machine-set join_multiple=2");
  EXPECT_EQ(pairs.at("runs").size(), 5u);
  EXPECT_EQ(pairs.at("bound").at("runs"), 5);
  const nlohmann::json j = json_of(kMnist, "--machine brainscales2 --svg p.svg");
  ASSERT_EQ(j.at("runs").size(), 4u);
  EXPECT_EQ(j.at("bound").at("runs"), 4);
  EXPECT_EQ(j.at("playback_copies"), 4 * 784 + 256);
  const nlohmann::json& first = j.at("runs").at(0);
  EXPECT_EQ(first.at("slices").at(0).at("population"), "hidden");
  EXPECT_EQ(first.at("slices").at(0).at("first"), 0);
  EXPECT_EQ(first.at("slices").at(0).at("count"), 73);
  EXPECT_EQ(first.at("circuits"), 511);
  EXPECT_EQ(first.at("sources"), 784);
  EXPECT_GT(first.at("peak_events"), 0.0);
  EXPECT_GT(j.at("predicted").at("total_ms"), 0.0);
  const std::string picture = read_text(folder_ / "p.svg");
  EXPECT_TRUE(contains(picture, "<svg") && contains(picture, "Schedule") && contains(picture, ">hidden<"));
}

TEST_F(Partitions, AStatedPartitionIsTakenOrCompleted) {
  const std::string mnist = read_text(kMnist);
  write_text(folder_ / "five.toml", mnist +
                                        "\n[[partition]]\npart = [\"hidden[0:64]\"]\n[[partition]]\npart = [\"hidden[64:128]\"]\n"
                                        "[[partition]]\npart = [\"hidden[128:192]\"]\n[[partition]]\npart = [\"hidden[192:]\"]\n"
                                        "[[partition]]\npart = [\"output\"]\n");
  const nlohmann::json five = json_of("five.toml", "--machine brainscales2");
  ASSERT_EQ(five.at("runs").size(), 5u);
  for (int r = 0; r < 4; ++r) EXPECT_EQ(five.at("runs").at(r).at("slices").at(0).at("first"), 64 * r);
  EXPECT_EQ(five.at("method"), "stated");
  // Only the outputs are stated: they come last, whatever is found for the rest.
  write_text(folder_ / "some.toml", mnist + "\n[[partition]]\npart = [\"output\"]\n");
  const nlohmann::json some = json_of("some.toml", "--machine brainscales2");
  ASSERT_EQ(some.at("runs").size(), 5u);
  EXPECT_EQ(some.at("runs").at(4).at("slices").at(0).at("population"), "output");
  EXPECT_EQ(some.at("runs").at(4).at("slices").size(), 1u);
}

TEST_F(Partitions, AWrongStatementIsToldWhole) {
  const Outcome outcome = divide_text(read_text(kMnist) +
                                          "\n[[partition]]\npart = [\"hidden[0:100]\", \"hiden\"]\n[[partition]]\npart = [\"hidden[90:200]\", \"output[5:20]\"]\n",
                                      "--machine brainscales2 --json p.json");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.err, "Did you mean 'hidden'?")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "repeats 10 of the neurons that are in a run already, from 90 on")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "56 neurons of 'hidden' are in no run, from 200 on")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "goes beyond the 10 neurons of 'output'")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "exceeds its circuits: 700 of 512, 188 too many")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "model.toml:")) << outcome.err;
  EXPECT_FALSE(folder_.contents().count("p.json"));
  const Outcome text = divide_text(read_text(kMnist) + "\n[[partition]]\npart = [\"hidden[9:3]\"]\n", "--machine brainscales2");
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_TRUE(contains(text.err, "'hidden[9:3]' is no slice")) << text.err;
}

TEST_F(Partitions, WhatCannotBeDividedIsExplained) {
  const std::string network =
      "dt = \"1 ms\"\n[populations.a]\nsize = 700\nmodel = \"iaf_psc_exp\"\n[projections.own]\nsource = \"a\"\ntarget = \"a\"\nrule = \"fixed_indegree\"\n"
      "number = 20\nweight = \"1 pA\"\ndelay = \"2 ms\"\n";
  const Outcome forbidden = divide_text(network, "--machine ideal_512 --no-lock-step");
  EXPECT_EQ(forbidden.exit_code, 2);
  EXPECT_TRUE(contains(forbidden.err, "Recurrent component of 'a': it takes 700 circuits, but a run has 512: 188 too many")) << forbidden.err;
  const Outcome allowed = divide_text(network, "--machine ideal_512");
  EXPECT_EQ(allowed.exit_code, 0) << allowed.err;
  EXPECT_TRUE(contains(allowed.out, "2 runs in lock-step, 500 turns of 2 ms")) << allowed.out;

  write_text(folder_ / "small.toml", "[circuits]\nper_tile = 8\nfan_in = 100\nsigned_rows = 2\njoin_at_most = 4\n");
  const Outcome fan_in = divide(kMnist, "--machine small.toml");
  EXPECT_EQ(fan_in.exit_code, 2);
  // 1,568 rows for 784 signed inputs, four circuits of 100; the outputs have 512.
  EXPECT_TRUE(contains(fan_in.err, "Fan-in of 'hidden': a neuron needs 1568 synapse rows (784 inputs), but all 4 circuits that can be joined take 400: 1168 too many"))
      << fan_in.err;
  EXPECT_TRUE(contains(fan_in.err, "Fan-in of 'output'")) << fan_in.err;

  write_text(folder_ / "few.toml", "[circuits]\nper_tile = 80\n[sources]\nexternal = 700\n");
  const Outcome sources = divide(kMnist, "--machine few.toml");
  EXPECT_EQ(sources.exit_code, 2);
  EXPECT_TRUE(contains(sources.err, "one neuron of 'hidden' alone takes 784, but a run has 700: 84 too many")) << sources.err;

  write_text(folder_ / "slow.toml", "speedup = 1000\n[circuits]\nper_tile = 80\n[events]\nclock = \"3 us\"\n");
  const Outcome clock = divide_text(network, "--machine slow.toml");
  EXPECT_EQ(clock.exit_code, 2);
  EXPECT_TRUE(contains(clock.err, "which is 2000 ns on the chip, but its clock is 3000 ns")) << clock.err;
}

TEST_F(Partitions, MistakesOfAllInputsAreToldTogether) {
  const Outcome outcome = divide("missing.toml", "--machine brainscales --chips 0 --activity 2");
  EXPECT_EQ(outcome.exit_code, 2);
  for (const char* part : {"missing.toml", "Did you mean 'brainscales2'?", "--chips", "--activity"}) EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  const Outcome none = divide(kMnist, "");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_TRUE(contains(none.err, "--machine")) << none.err;
}

TEST_F(Partitions, EveryCommandOfThePageRuns) {
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models", folder_.path() / "models");
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/machines", folder_.path() / "machines");
  const std::vector<std::string> commands = examples("partitioned-emulation.md");
  ASSERT_GE(commands.size(), 4u);
  ProcessOptions process;
  process.folder = folder_.path();
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    std::vector<std::string> words = words_of(command);
    ASSERT_EQ(words.at(0), "tessera");
    words.erase(words.begin());
    const Outcome outcome = tessera(words, process);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
