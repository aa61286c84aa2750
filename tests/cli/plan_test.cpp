// tessera plan of networks that are too large: an answer on standard output and exit code 2.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

class TooLarge : public testing::Test {
 protected:
  TooLarge() { options_.folder = folder_.path(); }
  Outcome run(const std::string& command, const std::string& model) {
    write_text(folder_ / "m.toml", model);
    return tessera(words_of(command), options_);
  }
  static std::string population(const std::string& name, const std::string& size) {
    return "[populations." + name + "]\nmodel = \"iaf_psc_exp\"\nsize = " + size + "\n";
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

void expect_says(const Outcome& outcome, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  for (const std::string& part : parts) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in:\n" << outcome.out;
  }
}

TEST_F(TooLarge, ForTheMemory) {
  // 10 million neurons, all to all: 10^14 synapses of four bytes.
  const std::string model =
      population("E", "10000000") +
      "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"all_to_all\"\n"
      "weight = 1\ndelay = 1\n";
  expect_says(
      run("plan m.toml --connectivity stored", model),
      {"10,000,000 neurons", "100,000,000,000,000 synapses", "does not fit:", "needs 40",
       " TB of memory", "that are available", "what would help:", "Procedural connectivity"});
  const Outcome refused = run("run m.toml --connectivity stored", model);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find(" TB of memory"), std::string::npos) << refused.err;
  EXPECT_FALSE(folder_.contents().contains("results"));
}

// 1,000 neurons and 100,000 synapses: the program alone takes more than 1 MB; 100,000 words of four bytes are 400 kB.
TEST_F(TooLarge, ForTheMemoryThatIsGiven) {
  const std::string model = population("E", "1000") +
                            "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"fixed_total_number\"\nnumber = 100000\n"
                            "weight = 1\ndelay = 1\n";
  expect_says(run("plan m.toml --memory 1MB", model), {"does not fit:", "the 1 MB that are available"});
  expect_says(run("plan m.toml --memory 1MiB", model), {"the 1.05 MB that are available"});
  const Outcome refused = run("run m.toml --memory 1000kB", model);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("of memory"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("1 MB that are available"), std::string::npos) << refused.err;
  EXPECT_EQ(run("plan m.toml --memory 1GB", model).exit_code, 0);
  for (const std::string size : {"1", "GB", "-1GB", "0B", "1XB", "1e30TB"}) {
    const Outcome wrong = run("plan m.toml --memory " + size, model);
    EXPECT_EQ(wrong.exit_code, 2) << size;
    EXPECT_NE(wrong.err.find("--memory"), std::string::npos) << wrong.err;
  }
}

// 289,384 neurons of 22 bytes (three states of four bytes, ten beside them) take 6.4 MB, whatever becomes of the synapses.
TEST_F(TooLarge, ForItsNeuronsAlone) {
  for (const char* command : {"plan", "run"}) {
    const Outcome outcome = run(std::string(command) + " " TESSERA_SOURCE_DIR "/models/multi_area/multi_area.toml --set tables=stand_in --memory 5MB", "");
    EXPECT_EQ(outcome.exit_code, 2);
    const std::string said = outcome.out + outcome.err;
    for (const char* part : {"Network 'multi_area' needs ", " MB of memory", "more than the 5 MB that are available", "population 'A01.23E' with 23268 neurons"}) {
      EXPECT_NE(said.find(part), std::string::npos) << command << ": " << part << " is not in:\n" << said;
    }
  }
  EXPECT_FALSE(folder_.contents().contains("results"));
}

TEST_F(TooLarge, ForTheFormat) {
  expect_says(run("plan m.toml", population("E", "5000000000")),
              {"m.toml:3:8 (populations.E.size)", "from 1 to 4294901760, not 5000000000",
               "what would help:"});
  // 8,000,000,000 - 4,294,901,760 neurons too many.
  const std::string two = population("A", "4000000000") + population("B", "4000000000");
  expect_says(run("plan m.toml", two), {"8000000000 neurons in all, 3705098240 more than"});
  EXPECT_EQ(run("run m.toml", two).exit_code, 2);
}

TEST_F(TooLarge, MistakesComeFirst) {
  const Outcome outcome = run("plan m.toml --threads none", population("E", "5000000000"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("--threads"), std::string::npos);
  EXPECT_NE(outcome.err.find("populations.E.size"), std::string::npos);
}

TEST_F(TooLarge, OthersFit) {
  const Outcome outcome = run("plan m.toml", kSmallModel);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find("does not fit"), std::string::npos);
}

// 1000 for each of 2e8 targets, and a millionth of 4e16 pairs, which is drawn: 2e11 and about 4e10.
TEST_F(TooLarge, WithADrawnNumberOfSynapses) {
  const auto projection = [](const std::string& name, const std::string& rule) {
    return "[projections." + name + "]\nsource = \"E\"\ntarget = \"E\"\nweight = 1\ndelay = 1\n" + rule;
  };
  expect_says(run("plan m.toml", population("E", "200000000") +
                                     projection("p", "rule = \"fixed_indegree\"\nnumber = 10000\n") +
                                     projection("q", "rule = \"pairwise_bernoulli\"\nprobability = 1e-6\n")),
              {"not even the wiring fits", "2,040,000,000,000 synapses expected", "88.89 GB\n"});
  // 2e12 drawn in-degrees in cells of about 90, four bytes a cell
}

/// Whole pages, huge ones for tables and rings, and the program's own 20 MB are counted; what is left are rates: lists of spikes
/// keep the room of their largest burst. Thin rows and their thousands of tables, and long rows, drawn and stored.
class PlanFullScale : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(PlanFullScale, IsWithinATenthOfThePeakOfARun) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.folder = folder.path();
  std::vector<std::string> words{"run", "--out", "r", "--record", "none", "--threads", "2"};
  for (const std::string& word : GetParam()) words.push_back(word);
  const Outcome outcome = tessera(words, options);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json memory = nlohmann::json::parse(read_text(folder / "r/report.json")).at("memory");
  const double peak = memory.at("peak_resident_bytes").get<double>();
  EXPECT_NEAR(memory.at("planned_bytes").get<double>(), peak, 0.1 * peak);
}

const std::string kAreas = TESSERA_SOURCE_DIR "/models/multi_area/multi_area.toml",
                  kCircuit = TESSERA_SOURCE_DIR "/models/microcircuit/microcircuit.toml";

INSTANTIATE_TEST_SUITE_P(
    Models, PlanFullScale,
    testing::Values(std::vector<std::string>{kAreas, "--set", "tables=stand_in", "--set", "scale=0.03", "--connectivity", "procedural", "--time", "20ms"},
                    std::vector<std::string>{kAreas, "--set", "tables=stand_in", "--set", "scale=0.1", "--connectivity", "procedural", "--time", "10ms"},
                    std::vector<std::string>{kCircuit, "--set", "scale=0.2", "--set", "drive=poisson", "--connectivity", "procedural", "--time", "50ms"},
                    std::vector<std::string>{kCircuit, "--set", "scale=0.2", "--set", "drive=poisson", "--connectivity", "stored", "--time", "50ms"}));

TEST_F(TooLarge, WhatRunRefusesPlanRefuses) {
  for (const char* command : {"plan", "run"}) {
    const Outcome outcome =
        run(std::string(command) + " m.toml --precision exact --connectivity procedural", kSmallModel);
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_NE(outcome.err.find("'stored' or 'auto', not 'procedural'"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
