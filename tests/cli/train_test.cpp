// Whole trainings: the files of a result, exact resume, Ctrl-C, refusals, plots, evaluation.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// 200 generated samples: an epoch takes milliseconds.
const char* const kModel = R"(name = "small"

[parameters]
neurons = 24
rate = 0.01

[data]
set = "yin_yang"
[data.encoder]
bias = true
[data.generator]
training_samples = 200
test_samples = 60

[[layer]]
name = "hidden"
size = "$neurons"
tau_mem = "20 ms"
initial_activity = 0.03

[[layer]]
name = "output"
neuron = "readout"
size = 3

[optimizer]
learning_rate = "$rate"
[schedule]
kind = "cosine"
warmup_batches = 3

[training]
batch = 16
epochs = 6
threads = 1
)";

class Train : public ::testing::Test {
 protected:
  Train() {
    write_text(folder_ / "m.toml", kModel);
    options_.folder = folder_.path();
  }

  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json json(const std::string& file) {
    return nlohmann::json::parse(read_text(folder_ / file));
  }
  void expect_refused(const std::string& words, const std::string& part) {
    const auto before = folder_.contents();
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "tessera: error: ")) << words;
    EXPECT_TRUE(contains(outcome.err, part)) << words << ": " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Train, LeavesWholeFilesAndASummary) {
  const Outcome outcome = line("train m.toml --out r --seed 3");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part :
       {"hidden", "spiking (%)", "test ", "best epoch", "samples/s", "digest", "result      r"}) {
    EXPECT_TRUE(contains(outcome.out, part)) << outcome.out;
  }
  EXPECT_TRUE(contains(outcome.err, "epoch 6/6")) << outcome.err;
  const std::set<std::string> files = folder_.contents();
  for (const char* file : {"model.toml", "metrics.csv", "metrics.json", "weights.safetensors",
                           "checkpoint.safetensors", "report.json", "confusion.csv", "raster.csv"})
    EXPECT_TRUE(files.count(std::string("r/") + file)) << file;
  for (const std::string& file : files) EXPECT_FALSE(contains(file, "partial")) << file;

  const nlohmann::json report = json("r/report.json");
  EXPECT_EQ(report["kind"], "training");
  EXPECT_EQ(report["seed"], 3);
  EXPECT_EQ(report["epochs_done"], 6);
  EXPECT_EQ(report["parameters"], 5 * 24 + 24 * 3);  // five input channels, no biases
  EXPECT_EQ(report["test"]["samples"], 60);
  EXPECT_EQ(read_text(folder_ / "r/model.toml"), kModel);
  const nlohmann::json metrics = json("r/metrics.json");
  ASSERT_EQ(metrics.size(), 6u);
  EXPECT_EQ(metrics[0]["epoch"], 1);
  // 180 training samples are left, of 24 neurons and 40 steps each.
  EXPECT_EQ(metrics[0]["layers"][0]["neuron_steps"], 180 * 24 * 40);
  std::uint64_t samples = 0;
  std::istringstream confusion(read_text(folder_ / "r/confusion.csv"));
  std::string row;
  std::getline(confusion, row);
  EXPECT_EQ(row, "label,yin,yang,dot");
  for (std::string cell; std::getline(confusion, row);) {
    std::istringstream cells(row);
    std::getline(cells, cell, ',');
    while (std::getline(cells, cell, ',')) samples += std::stoul(cell);
  }
  EXPECT_EQ(samples, 60u);
}

TEST_F(Train, ThreadsDoNotChangeTheWeights) {
  ASSERT_EQ(line("train m.toml --out a --quiet --threads 1").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out b --quiet --threads 3").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out c --quiet --seed 2").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "a/weights.safetensors"),
            read_text(folder_ / "b/weights.safetensors"));
  EXPECT_NE(json("a/report.json")["weights_digest"], json("c/report.json")["weights_digest"]);
}

TEST_F(Train, EncodedSamplesAreKeptAndUsedAgain) {
  ASSERT_EQ(line("train m.toml --out plain --quiet").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out first --quiet --cache kept").exit_code, 0);
  std::map<std::string, std::filesystem::file_time_type> written;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "kept"))
    written[file.path().filename().string()] = file.last_write_time();
  ASSERT_EQ(written.size(), 2u) << "one for training, one for the test";
  ASSERT_EQ(line("train m.toml --out second --quiet --cache kept").exit_code, 0);
  for (const auto& [name, time] : written)
    EXPECT_EQ(std::filesystem::last_write_time(folder_ / ("kept/" + name)), time) << name;
  for (const char* result : {"first", "second"}) {
    EXPECT_EQ(json(std::string(result) + "/report.json")["weights_digest"],
              json("plain/report.json")["weights_digest"]);
  }
  // A folder that cannot be made: a sentence, and no result.
  write_text(folder_ / "file", "");
  const Outcome outcome = line("train m.toml --out third --quiet --cache file/below");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "cannot make the folder")) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "third/report.json"));
}

TEST_F(Train, ResumeEqualsATrainingThatWasNeverInterrupted) {
  // A constant rate: where a cosine ends depends on the number of epochs that was asked for.
  std::string model = kModel;
  model.replace(model.find("cosine"), 6, "constant");
  write_text(folder_ / "m.toml", model);
  ASSERT_EQ(line("train m.toml --out whole --quiet").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out parts --quiet --epochs 2").exit_code, 0);
  EXPECT_EQ(json("parts/metrics.json").size(), 2u);
  const Outcome outcome = line("train m.toml --out parts --quiet --resume --threads 2");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json whole = json("whole/metrics.json"), parts = json("parts/metrics.json");
  ASSERT_EQ(parts.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    for (const char* key : {"epoch", "loss", "accuracy", "validation_loss", "validation_accuracy",
                            "learning_rate", "theta_grad", "layers"})
      EXPECT_EQ(parts[i][key], whole[i][key]) << i << " " << key;
  }
  const nlohmann::json a = json("whole/report.json"), b = json("parts/report.json");
  for (const char* key : {"weights_digest", "best_epoch", "best_validation_accuracy", "test"})
    EXPECT_EQ(a[key], b[key]) << key;
  EXPECT_EQ(read_text(folder_ / "whole/weights.safetensors"),
            read_text(folder_ / "parts/weights.safetensors"));
}

TEST_F(Train, CtrlCKeepsTheEpochsThatAreDoneAndResumeGoesOn) {
  bool sent = false;
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    if (sent || !contains(text, "/100000")) return;
    sent = true;
    kill(child, SIGINT);
  };
  const Outcome outcome = line("train m.toml --out r --epochs 100000");
  EXPECT_TRUE(sent);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "interrupted")) << outcome.out;
  options_.on_error_output = nullptr;
  const nlohmann::json report = json("r/report.json");
  EXPECT_EQ(report["interrupted"], true);
  const std::size_t done = json("r/metrics.json").size();
  EXPECT_EQ(report["epochs_done"], done);
  EXPECT_GE(done, 1u);
  for (const std::string& file : folder_.contents()) EXPECT_FALSE(contains(file, "partial"));
  // Untested so far; the weights are there.
  const Outcome evaluated = line("evaluate r");
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_TRUE(contains(evaluated.out, "test accuracy")) << evaluated.out;
  EXPECT_TRUE(json("r/report.json").contains("test"));
  EXPECT_EQ(
      line("train m.toml --out r --quiet --resume --epochs " + std::to_string(done + 1)).exit_code,
      0);
  EXPECT_EQ(json("r/metrics.json").size(), done + 1);
}

TEST_F(Train, EvaluationSaysWhatTrainingSaid) {
  ASSERT_EQ(line("train m.toml --out r --quiet --set neurons=30 --seed 5").exit_code, 0);
  const std::string before = read_text(folder_ / "r/confusion.csv");
  const nlohmann::json report = json("r/report.json");
  const Outcome outcome = line("evaluate r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_text(folder_ / "r/confusion.csv"), before);
  EXPECT_EQ(json("r/report.json"), report);
  const Outcome on_training = line("evaluate r --split train --strategy reference");
  EXPECT_EQ(on_training.exit_code, 0) << on_training.err;
  EXPECT_TRUE(contains(on_training.out, "training accuracy")) << on_training.out;
  EXPECT_TRUE(contains(on_training.out, "200 samples")) << on_training.out;
  EXPECT_EQ(read_text(folder_ / "r/confusion.csv"), before);
}

TEST_F(Train, ItsResultCanBeDrawn) {
  ASSERT_EQ(line("train m.toml --out r --quiet").exit_code, 0);
  for (const char* kind : {"loss", "activity", "confusion", "raster"}) {
    const Outcome outcome = line(std::string("plot r ") + kind);
    EXPECT_EQ(outcome.exit_code, 0) << kind << ": " << outcome.err;
    const std::string svg = read_text(folder_ / (std::string("r/") + kind + ".svg"));
    EXPECT_TRUE(contains(svg, "<svg ") && contains(svg, "</svg>")) << kind;
  }
  EXPECT_TRUE(contains(read_text(folder_ / "r/confusion.svg"), "yang"));
  expect_refused("plot r isi", "loss, activity, confusion, raster");
  expect_refused("plot r loss -o r/report.json", ".svg");
  expect_refused("plot r loss --from 3ms", "--from");
}

TEST_F(Train, AnEarlierResultIsRefusedUnlessForced) {
  ASSERT_EQ(line("train m.toml --out r --quiet").exit_code, 0);
  write_text(folder_ / "r/notes.txt", "mine");
  expect_refused("train m.toml --out r", "--force");
  ASSERT_EQ(line("train m.toml --out r --quiet --force --epochs 2").exit_code, 0);
  EXPECT_EQ(json("r/metrics.json").size(), 2u);
  EXPECT_EQ(read_text(folder_ / "r/notes.txt"), "mine");
}

TEST_F(Train, BadInputIsToldAtOnceAndNothingIsWritten) {
  expect_refused("train", "MODEL");
  expect_refused("train missing.toml", "missing.toml");
  expect_refused("train m.toml --epochs 0 --strategy sparce --out r", "--epochs");
  expect_refused("train m.toml --epochs 0 --strategy sparce --out r", "Did you mean 'sparse'?");
  expect_refused("train m.toml --set neurons=0 --out r", "layer[0].size");
  expect_refused("train m.toml --set rate=-1 --out r", "learning_rate");
  expect_refused("train m.toml --set nurons=3 --out r", "Did you mean 'neurons'?");
  expect_refused("train m.toml --resume --out r", "no checkpoint");
  expect_refused("evaluate nowhere", "not the result folder of a training");
  std::string files = kModel;
  files.replace(files.find("yin_yang"), 8, "mnist");
  files.erase(files.find("[data.generator]"),
              files.find("[[layer]]") - files.find("[data.generator]"));
  files.replace(files.find("size = 3"), 8, "size = 10");
  write_text(folder_ / "mnist.toml", files);
  expect_refused("train mnist.toml --data nothing --out r", "SHA-256");
}

TEST_F(Train, DamagedCheckpointsAndThoseOfOtherModelsAreRefused) {
  ASSERT_EQ(line("train m.toml --out r --quiet --epochs 2").exit_code, 0);
  expect_refused("train m.toml --out r --resume --epochs 2", "--epochs");
  expect_refused("train m.toml --out r --resume --seed 9", "another model");
  expect_refused("train m.toml --out r --resume --set neurons=25", "another model");
  expect_refused("train m.toml --out r --resume --force", "choose one");
  const std::string whole = read_text(folder_ / "r/checkpoint.safetensors");
  write_text(folder_ / "r/checkpoint.safetensors", whole.substr(0, whole.size() - 10));
  expect_refused("train m.toml --out r --resume", "checkpoint.safetensors");
  write_text(folder_ / "r/checkpoint.safetensors", read_text(folder_ / "r/weights.safetensors"));
  expect_refused("train m.toml --out r --resume", "not a checkpoint");
  write_text(folder_ / "r/weights.safetensors", "nonsense");
  expect_refused("evaluate r", "weights.safetensors");
}

TEST_F(Train, WeightsOfAnotherTrainingAreNoWeightsOfThisReport) {
  ASSERT_EQ(line("train m.toml --out a --quiet --epochs 2").exit_code, 0);
  ASSERT_EQ(line("train m.toml --out b --quiet --epochs 3").exit_code, 0);
  ASSERT_EQ(line("evaluate a --quiet").exit_code, 0);
  // The same model, whole files, but not what the report speaks of.
  write_text(folder_ / "a/weights.safetensors", read_text(folder_ / "b/weights.safetensors"));
  expect_refused("evaluate a", "report.json");
  write_text(folder_ / "b/model.toml", read_text(folder_ / "b/model.toml") + "# a word\n");
  expect_refused("evaluate b", "model.toml");
  // A report that is no JSON any more is not just another folder.
  const std::string report = read_text(folder_ / "a/report.json");
  write_text(folder_ / "a/report.json", report.substr(0, report.size() / 2));
  expect_refused("evaluate a", "a/report.json");
}

TEST_F(Train, ALossThatIsNoNumberKeepsTheLastGoodEpoch) {
  ASSERT_EQ(line("train m.toml --out good --quiet --epochs 2").exit_code, 0);
  std::string model = kModel;
  // The rate is sane for two epochs, and then all but infinite.
  model.replace(model.find("kind = \"cosine\"\nwarmup_batches = 3"), 34,
                "kind = \"step\"\nstep_epochs = 2\nstep_factor = 1e300");
  model.replace(model.find("size = 3"), 8, "size = 3\nbias = true");
  write_text(folder_ / "m.toml", model);
  const Outcome outcome = line("train m.toml --out r");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  for (const char* part : {"Epoch 3", "batch", "layer '"}) {
    EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  }
  EXPECT_EQ(json("r/metrics.json").size(), 2u);
  EXPECT_NE(json("r/report.json")["failure"], "");
  EXPECT_EQ(line("evaluate r --quiet").exit_code, 0);
}

TEST_F(Train, AFullDiskIsARunErrorAndLeavesTheEarlierResult) {
  ASSERT_EQ(line("train m.toml --out r --quiet --epochs 1").exit_code, 0);
  options_.largest_file_bytes = 1000;  // a checkpoint holds 4 x 192 floats
  const Outcome outcome = line("train m.toml --out s --quiet");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "safetensors")) << outcome.err;
  for (const std::string& file : folder_.contents()) EXPECT_FALSE(contains(file, "partial"));
}

TEST_F(Train, ProgressOnATerminalIsRedrawnInPlace) {
  options_.terminal = true;
  options_.columns = 140;
  bool sent = false;  // a second Ctrl-C would end the program at once
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    if (sent || !contains(text, "ETA")) return;
    sent = true;
    kill(child, SIGINT);
  };
  const Outcome outcome = line("train m.toml --out r --epochs 100000");
  EXPECT_EQ(outcome.exit_code, 130);
  for (const char* part : {"\r\033[K[", "loss", "accuracy", "samples/s", "hidden", "ETA"}) {
    EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  }
}

// An epoch of this takes milliseconds; each one leaves its line all the same.
TEST_F(Train, EveryEpochLeavesALine) {
  const Outcome outcome = line("train m.toml --out r --epochs 20");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (int epoch = 1; epoch <= 20; ++epoch) {
    const std::string number = std::to_string(epoch);
    const std::string start = "epoch " + std::string(2 - number.size(), ' ') + number + "/20  ";
    EXPECT_TRUE(contains(outcome.err, start)) << start;
  }
}

TEST_F(Train, LinesFitANarrowTerminal) {
  options_.terminal = true;
  for (const unsigned short columns : {60, 40}) {
    options_.columns = columns;
    const Outcome narrow = line("train m.toml --force --out r");
    ASSERT_EQ(narrow.exit_code, 0) << narrow.err;
    std::istringstream lines(narrow.err);
    int epochs = 0;
    for (std::string one; std::getline(lines, one, '\n');) {
      const std::size_t begin = one.rfind("tessera: epoch ");
      if (begin == std::string::npos) continue;
      const std::string text = one.substr(begin, one.find('\r', begin) - begin);
      ++epochs;
      EXPECT_LT(text.size(), columns) << text;
      EXPECT_TRUE(contains(text, columns == 60 ? "validation " : " %")) << text;
      EXPECT_FALSE(contains(text, "samples/s")) << text;
    }
    EXPECT_EQ(epochs, 6);
  }
}

TEST_F(Train, WithoutValidationNothingIsCalledSo) {
  std::string model = kModel;
  model += "validation = 0\n";
  write_text(folder_ / "m.toml", model);
  const Outcome outcome = line("train m.toml --out r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "validation")) << outcome.err;
  EXPECT_FALSE(contains(outcome.out, "validation accuracy")) << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "training accuracy")) << outcome.out;
  EXPECT_TRUE(json("r/metrics.json")[0]["validation_accuracy"].is_null());
  EXPECT_TRUE(json("r/report.json")["best_validation_accuracy"].is_null());
  EXPECT_EQ(json("r/report.json")["best_by"], "training");
  ASSERT_EQ(line("plot r loss").exit_code, 0);
  EXPECT_FALSE(contains(read_text(folder_ / "r/loss.svg"), "validation"));
  // The same training goes on from its checkpoint.
  EXPECT_EQ(line("train m.toml --out r --quiet --resume --epochs 7").exit_code, 0);
}

TEST_F(Train, AFolderThatIsNotThereIsToldBeforeTheKindOfAPlot) {
  for (const char* kind : {"loss", "raster"}) {
    const Outcome outcome = line(std::string("plot nowhere ") + kind);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_TRUE(contains(outcome.err, "no result folder 'nowhere'")) << outcome.err;
    EXPECT_FALSE(contains(outcome.err, "KIND")) << outcome.err;
  }
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_TRUE(contains(line("plot empty loss").err, "report.json is missing"));
  std::filesystem::create_directory(folder_ / "damaged");
  write_text(folder_ / "damaged/report.json", "{");
  const Outcome damaged = line("plot damaged loss");
  EXPECT_TRUE(contains(damaged.err, "report.json")) << damaged.err;
  EXPECT_FALSE(contains(damaged.err, "KIND")) << damaged.err;
  EXPECT_TRUE(contains(line("plot nowhere lass").err, "Did you mean 'loss'?"));
}

TEST_F(Train, AZeroIsNoDefault) {
  for (const char* key : {"steps = 0", "dt = 0"}) {
    std::string model = kModel;
    model.replace(model.find("bias = true"), 11, std::string("bias = true\n") + key);
    write_text(folder_ / "zero.toml", model);
    expect_refused("train zero.toml --out r", "leave it out for the default");
  }
  for (const char* key : {"training_samples = 200", "test_samples = 60"}) {
    std::string model = kModel;
    const std::string name = std::string(key).substr(0, std::string(key).find(' '));
    model.replace(model.find(key), std::string(key).size(), name + " = 0");
    write_text(folder_ / "zero.toml", model);
    expect_refused("train zero.toml --out r", name + "' must be at least 1");
  }
}

}  // namespace
}  // namespace tessera::test
