// Data of one's own: what `data convert` writes trains to the same weights, bit for bit.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const char* const kData = R"([data]
set = "yin_yang"
[data.encoder]
steps = 40
dt = "0.7 ms"
bias = true
[data.generator]
training_samples = 150
test_samples = 40
)";

const char* const kRest = R"(
[[layer]]
size = 20
tau_mem = "20 ms"
initial_activity = 0.03
[[layer]]
neuron = "readout"
size = 3
[training]
batch = 16
epochs = 2
threads = 1
)";

class OwnData : public ::testing::Test {
 protected:
  OwnData() { options_.folder = folder_.path(); }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json report(const std::string& folder) {
    return nlohmann::json::parse(read_text(folder_ / (folder + "/report.json")));
  }
  // Spikes and labels as csv, and the model that trains on them.
  void convert(const std::string& format) {
    write_text(folder_ / "generated.toml", std::string(kData) + kRest);
    const Outcome outcome = line("data convert generated.toml --out own --format " + format);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    write_text(folder_ / "own.toml", read_text(folder_ / "own/data.toml") + kRest);
  }
  void replace(const std::string& file, const std::string& part, const std::string& by) {
    std::string text = read_text(folder_ / file);
    ASSERT_TRUE(contains(text, part)) << text;
    text.replace(text.find(part), part.size(), by);
    write_text(folder_ / file, text);
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

class OwnFormats : public OwnData, public ::testing::WithParamInterface<const char*> {};

TEST_P(OwnFormats, WhatConvertWroteTrainsToTheSameWeights) {
  convert(GetParam());
  ASSERT_EQ(line("train generated.toml --out a --quiet").exit_code, 0);
  const Outcome own = line("train own.toml --data . --out b --quiet");
  ASSERT_EQ(own.exit_code, 0) << own.err;
  EXPECT_EQ(report("a")["weights_digest"], report("b")["weights_digest"]);
  EXPECT_EQ(report("a")["data_digest"], report("b")["data_digest"]);
  EXPECT_EQ(report("a")["test"], report("b")["test"]);
  EXPECT_EQ(report("b")["classes"], (std::vector<std::string>{"yin", "yang", "dot"}));
  EXPECT_EQ(line("evaluate b --data .").exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(All, OwnFormats, ::testing::Values("npy", "csv", "h5"));

TEST_F(OwnData, OtherLabelsAreNotResumed) {
  convert("csv");
  ASSERT_EQ(line("train own.toml --data . --out r --quiet --epochs 1").exit_code, 0);
  const std::string labels = read_text(folder_ / "own/train_labels.csv");
  const std::size_t first = labels.find('\n') + 1;
  replace("own/train_labels.csv", labels.substr(first, 3),
          labels[first + 2] == '0' ? "0,1" : "0,0");
  const Outcome refused = line("train own.toml --data . --out r --quiet --resume");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(contains(refused.err, "other samples or labels")) << refused.err;
  write_text(folder_ / "own/train_labels.csv", labels);
  EXPECT_EQ(line("train own.toml --data . --out r --quiet --resume").exit_code, 0);
}

TEST_F(OwnData, WithoutTestSamplesThereIsNoTestAccuracy) {
  convert("csv");
  replace("own.toml", "test = \"test_spikes.csv\"\ntest_labels = \"test_labels.csv\"\n", "");
  const Outcome outcome = line("train own.toml --data . --out r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "the data set has no test samples")) << outcome.out;
  EXPECT_FALSE(report("r").contains("test"));
  EXPECT_EQ(report("r")["test_samples"], 0);
  const Outcome evaluated = line("evaluate r --data .");
  EXPECT_EQ(evaluated.exit_code, 2);
  EXPECT_TRUE(contains(evaluated.err, "has no test samples")) << evaluated.err;
  EXPECT_TRUE(contains(line("data info own.toml --data . --split test").out, "no samples"));
}

TEST_F(OwnData, AClassWithoutSamplesIsTold) {
  convert("csv");
  replace("own.toml", "[\"yin\", \"yang\", \"dot\"]", "5");
  replace("own.toml", "size = 3", "size = 5");
  const Outcome outcome = line("train own.toml --data . --out r --quiet");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "no training sample of 2 of its 5 classes (3, 4)"));
}

TEST_F(OwnData, MistakesOfTheTrainingFileAreToldAtOnce) {
  convert("csv");
  const std::string good = read_text(folder_ / "own.toml");
  const auto expect_told = [&](const std::vector<std::string>& parts) {
    const Outcome outcome = line("train own.toml --data . --out r");
    EXPECT_EQ(outcome.exit_code, 2);
    for (const std::string& part : parts) EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
    write_text(folder_ / "own.toml", good);
  };
  replace("own.toml", "shape = 5", "shape = [5, 5]");
  replace("own.toml", "steps = 40", "steps = 0");
  expect_told({"(data.file.shape)", "(data.encoder.steps)"});
  replace("own.toml", "train_labels.csv", "../train_labels.csv");
  replace("own.toml", "test_spikes.csv", "test_spikes.mat");
  expect_told({"(data.file.training_labels)", "must be a name inside", "(data.file.test)"});
  write_text(folder_ / "none.toml", std::string("[data]\nset = \"file\"\n") + kRest);
  EXPECT_TRUE(contains(line("train none.toml --out r").err, "needs a table [data.file]"));
}

}  // namespace
}  // namespace tessera::test
