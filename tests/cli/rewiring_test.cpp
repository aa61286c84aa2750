// Trainings whose connections rewire, through the command: files, threads, resume, evaluation, refusals.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "files/safetensors.hpp"

namespace tessera::test {
namespace {

const char* const kModel = R"(name = "small"
[data]
set = "yin_yang"
[data.encoder]
bias = true
[data.generator]
training_samples = 200
test_samples = 60
[[layer]]
name = "hidden"
size = 40
tau_mem = "20 ms"
initial_activity = 0.03
connection = { density = 0.5 }
recurrent = { density = 0.1 }
[layer.rewiring]
rule = "deep_r"
[[layer]]
name = "output"
neuron = "readout"
size = 3
[optimizer]
learning_rate = 0.03
clip_norm = 1
[training]
batch = 16
epochs = 5
threads = 1
)";

class Rewiring : public ::testing::Test {
 protected:
  Rewiring() {
    write_text(folder_ / "m.toml", kModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json json(const std::string& file) { return nlohmann::json::parse(read_text(folder_ / file)); }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Rewiring, LeavesStructureCountsAndASummary) {
  const Outcome outcome = line("train m.toml --out r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("synapses"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("rewiring    hidden.recurrent_weight: "), std::string::npos) << outcome.out;
  std::uint64_t synapses = 0;
  const io::Safetensors weights = io::read_safetensors(folder_ / "r/weights.safetensors");
  const nlohmann::json metrics = json("r/metrics.json");
  for (const auto& counts : metrics[4]["rewiring"]) {
    synapses += counts["synapses"].get<std::uint64_t>();
    const std::string name = counts["name"];
    std::size_t found = 0;
    for (const training::Tensor& t : weights.tensors) {
      if (t.name == name) found += t.shape == std::vector<std::uint64_t>{counts["synapses"]} ? 1 : 0;
      if (t.name == name + "_indices") found += t.shape == std::vector<std::uint64_t>{counts["synapses"], 3} ? 1 : 0;
    }
    EXPECT_EQ(found, 2u) << name;
  }
  EXPECT_EQ(json("r/report.json")["parameters"], synapses + 40 * 3) << "what is trained, not where it lies";
  const std::string csv = read_text(folder_ / "r/metrics.csv");
  EXPECT_NE(csv.find("hidden.weight.synapses,hidden.weight.formed,hidden.weight.eliminated"), std::string::npos);
  EXPECT_EQ(line("evaluate r").exit_code, 0);
  const double accuracy = json("r/report.json")["test"]["accuracy"];
  EXPECT_EQ(line("evaluate r").exit_code, 0);
  EXPECT_EQ(json("r/report.json")["test"]["accuracy"], accuracy);
}

TEST_F(Rewiring, ThreadsAndSlicesChangeNothingAndResumeIsExact) {
  ASSERT_EQ(line("train m.toml --out a --quiet --threads 1").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out b --quiet --threads 3").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out c --quiet --epochs 2").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out c --quiet --resume").exit_code, 0);
  const std::string weights = read_text(folder_ / "a/weights.safetensors");
  EXPECT_EQ(weights, read_text(folder_ / "b/weights.safetensors"));
  EXPECT_EQ(weights, read_text(folder_ / "c/weights.safetensors"));
  EXPECT_EQ(json("a/metrics.json")[4]["rewiring"], json("c/metrics.json")[4]["rewiring"]);
}

TEST_F(Rewiring, StrategiesThatDoNotRewireSaySo) {
  for (const char* strategy : {"reference", "dense"}) {
    const Outcome outcome = line(std::string("train m.toml --out r --strategy ") + strategy);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(std::string("The ") + strategy + " strategy does not rewire (layer 'hidden')"),
              std::string::npos)
        << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
