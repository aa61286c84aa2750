// Trainings on machines from the command line: the same weights on an ideal one, others on a chip, refusals.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// 100 generated samples; 600 hidden neurons do not fit one chip of 512 circuits.
const char* const kModel = R"(name = "small"
[data]
set = "yin_yang"
[data.encoder]
steps = 20
bias = true
[data.generator]
training_samples = 100
test_samples = 40
[[layer]]
name = "hidden"
size = 600
tau_mem = "20 ms"
initial_activity = 0.03
[[layer]]
name = "output"
neuron = "readout"
size = 3
tau_mem = "20 ms"
[training]
batch = 25
epochs = 2
threads = 1
)";

class TrainOnMachine : public ::testing::Test {
 protected:
  TrainOnMachine() {
    write_text(folder_ / "m.toml", kModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  Outcome good(const std::string& words) {
    Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 0) << words << ": " << outcome.err;
    return outcome;
  }
  nlohmann::json report(const std::string& result) {
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")));
  }
  void expect_refused(const std::string& words, const std::string& part) {
    const auto before = folder_.contents();
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_TRUE(contains(outcome.err, part)) << words << ": " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }
  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(TrainOnMachine, AnIdealOneGivesTheSameWeights) {
  good("train m.toml --out plain --quiet");
  const Outcome ideal = good("train m.toml --machine ideal_512 --out ideal");
  EXPECT_EQ(report("ideal")["weights_digest"], report("plain")["weights_digest"]);
  EXPECT_EQ(report("ideal")["test"], report("plain")["test"]);
  EXPECT_EQ(report("ideal")["substrate"]["machine"], "ideal_512");
  EXPECT_GE(report("ideal")["substrate"]["runs"], 2) << "603 neurons on chips of 512 circuits";
  EXPECT_FALSE(report("plain").contains("substrate"));
  EXPECT_TRUE(contains(ideal.out, "substrate   ideal_512: ")) << ideal.out;
  good("train m.toml --machine brainscales2 --effects none --out none --quiet");
  EXPECT_EQ(report("none")["weights_digest"], report("plain")["weights_digest"]) << "nothing of the chip counts";
}

TEST_F(TrainOnMachine, AChipTrainsResumesAndEvaluates) {
  good("train m.toml --machine brainscales2 --epochs 2 --out whole --quiet");
  good("train m.toml --machine brainscales2 --epochs 1 --out part --quiet");
  good("train m.toml --machine brainscales2 --epochs 2 --out part --resume --quiet");
  EXPECT_EQ(report("part")["weights_digest"], report("whole")["weights_digest"]);
  good("train m.toml --machine brainscales2 --chip-seed 2 --epochs 2 --out other --quiet");
  EXPECT_NE(report("other")["weights_digest"], report("whole")["weights_digest"]);
  const std::string before = read_text(folder_ / "whole/report.json");
  const Outcome evaluated = good("evaluate whole --machine brainscales2 --effects weights,pattern");
  EXPECT_TRUE(contains(evaluated.out, "substrate   brainscales2: ")) << evaluated.out;
  EXPECT_EQ(read_text(folder_ / "whole/report.json"), before) << "the result keeps its own accuracy";
  expect_refused("train m.toml --machine brainscales2 --chip-seed 2 --epochs 3 --out whole --resume", "another substrate");
  expect_refused("train m.toml --epochs 3 --out whole --resume", "made on a substrate");
}

TEST_F(TrainOnMachine, MistakesAreTold) {
  expect_refused("train m.toml --effects noise --out r", "--effects: says something about a machine, but there is no --machine");
  expect_refused("train m.toml --machine brainscales2 --effects noise,heat --out r", "heat");
  expect_refused("train m.toml --machine brainscales --out r", "brainscales2");
  expect_refused("train m.toml --machine ideal_512 --strategy dense --out r", "needs the sparse strategy");
  expect_refused("train m.toml --machine ideal_512 --slices 2 --out r", "one slice, not 2");
}

}  // namespace
}  // namespace tessera::test
