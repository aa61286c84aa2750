// Results of trainings: what is written reads back, and every damage is a sentence.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/training_result.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "files/file.hpp"
#include "files/safetensors.hpp"
#include "files/sealed_json.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::training {
namespace {

TrainingModel model() {
  TrainingModel made = parse_training_model(R"(
name = "tiny"
[parameters]
n = 4
[data]
set = "yin_yang"
[[layer]]
name = "a"
size = "$n"
[[layer]]
name = "out"
neuron = "readout"
size = 3
)",
                                            "t.toml");
  return made;
}

EpochMetrics epoch(std::uint32_t number) {
  EpochMetrics m;
  m.epoch = number;
  m.loss = 1.0 / 3.0;
  m.accuracy = 0.1;
  m.validation_loss = std::nan("");
  m.theta_grad = 0.9;
  m.seconds = 1e-5;
  LayerActivity layer;
  layer.name = "hidden";
  layer.spikes = 18446744073709551615u;  // counts keep all their digits
  layer.neuron_steps = 3;
  layer.silent_neurons = 4;
  m.layers = {layer};
  return m;
}

template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TrainingResult, CheckpointsReadBackEqual) {
  const TemporaryFolder folder;
  Checkpoint checkpoint;
  checkpoint.model_digest = 0xfedcba9876543210u;
  checkpoint.data_digest = 0xf000000000000001u;
  checkpoint.best_epoch = 2;
  checkpoint.epochs = {epoch(0), epoch(1)};
  checkpoint.parameters = {{"out.weight", {2, 3}, {1, 2, 3, 4, 5, 6}}};
  checkpoint.state = {{"out.weight", {6}, {0, 0, 0, 0, 0, 1e-30f}}, {"theta", {1}, {0.5f}}};
  save_checkpoint(folder / "c", checkpoint);
  const Checkpoint back = load_checkpoint(folder / "c");
  EXPECT_EQ(back.model_digest, checkpoint.model_digest);
  EXPECT_EQ(back.data_digest, checkpoint.data_digest);
  EXPECT_EQ(back.best_epoch, 2u);
  ASSERT_EQ(back.epochs.size(), 2u);
  EXPECT_EQ(back.epochs[1].epoch, 1u);
  EXPECT_EQ(back.epochs[1].loss, 1.0 / 3.0);
  EXPECT_TRUE(std::isnan(back.epochs[1].validation_loss));
  EXPECT_EQ(back.epochs[1].layers[0].spikes, 18446744073709551615u);
  ASSERT_EQ(back.parameters.size(), 1u);
  EXPECT_EQ(back.parameters[0].name, "out.weight");
  ASSERT_EQ(back.state.size(), 2u);
  EXPECT_EQ(back.state[0].values, checkpoint.state[0].values);
}

TEST(TrainingResult, DamagedCheckpointsAreRefused) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::map<std::string, std::string>& change) {
    io::Safetensors content;
    content.tensors = {{"parameter/w", {1}, {1}}};
    content.metadata = {{"format", "tessera training checkpoint 1"},
                        {"epoch", "0"},
                        {"best_epoch", "0"},
                        {"model_digest", "00ff"},
                        {"data_digest", "0a"},
                        {"metrics", "[]"}};
    for (const auto& [key, value] : change) {
      if (key == "tensor") {
        content.tensors[0].name = value;
      } else if (value.empty()) {
        content.metadata.erase(key);
      } else {
        content.metadata[key] = value;
      }
    }
    io::write_safetensors(folder / "c", content);
    return error_of([&] { (void)load_checkpoint(folder / "c"); });
  };
  EXPECT_EQ(refused({}), "");
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"format", ""},
                                                        {"format", "another"},
                                                        {"epoch", "1"},
                                                        {"epoch", "-1"},
                                                        {"best_epoch", "99999999999"},
                                                        {"model_digest", "xyz"},
                                                        {"data_digest", ""},
                                                        {"data_digest", "1z"},
                                                        {"metrics", "{}"},
                                                        {"metrics", "[1]"},
                                                        {"metrics", "[{\"epoch\": 0}]"},
                                                        {"metrics", "[[[[[[[[[[[[[[]]]]]]]]]]]]]]"},
                                                        {"metrics", "["},
                                                        {"tensor", "w"}}) {
    const std::string error = refused({{key, value}});
    EXPECT_NE(error, "") << key << " " << value;
    EXPECT_NE(error.find("/c"), std::string::npos) << error;
  }
}

TEST(TrainingResult, AReportReadsBack) {
  const TemporaryFolder folder;
  const TrainingModel made = model();
  TrainingSummary summary;
  summary.epochs = {epoch(0)};
  summary.best_epoch = 1;
  summary.overrides = {{"n", "4"}};
  EvaluationResult test;
  test.accuracy = 0.75;
  test.confusion = {{3, 0, 1}, {0, 2, 0}, {1, 0, 1}};
  summary.test = test;
  summary.raster = SampleRaster{2, 1, {{"input", 4, {{0, 3}, {39, 0}}}, {"a, b", 4, {{7, 1}}}}};
  write_metrics(folder.path(), summary.epochs);
  write_training_report(folder.path(), made, summary);
  ASSERT_TRUE(is_training_result(folder.path()));
  const TrainingResult result = load_training_result(folder.path());
  EXPECT_EQ(result.model, "tiny");
  EXPECT_EQ(result.classes, (std::vector<std::string>{"yin", "yang", "dot"}));
  EXPECT_EQ(result.overrides, summary.overrides);
  EXPECT_EQ(result.confusion, test.confusion);
  EXPECT_EQ(result.test_accuracy, 0.75);
  ASSERT_TRUE(result.raster.has_value());
  EXPECT_EQ(result.raster->label, 2);
  EXPECT_EQ(result.raster->layers[0].spikes, summary.raster->layers[0].spikes);
  EXPECT_EQ(result.raster->layers[1].name, "a, b");  // a comma inside a cell
  EXPECT_EQ(result.raster->layers[1].spikes, summary.raster->layers[1].spikes);
}

// A folder as a training leaves it, its weights and checkpoint included.
void write_result(const std::filesystem::path& folder) {
  const TrainingModel made = model();
  TrainingSummary summary;
  summary.epochs = {epoch(0)};
  summary.best_epoch = 1;
  EvaluationResult test;
  test.confusion = {{3, 0, 1}, {0, 2, 0}, {1, 0, 1}};
  summary.test = test;
  summary.raster = SampleRaster{0, 0, {{"input", 4, {{0, 3}}}}};
  const std::vector<Tensor> tensors = {{"a.weight", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"b", {0}, {}}};
  summary.weights_digest = weights_digest(tensors);
  save_weights(folder / "weights.safetensors", tensors, model_digest(made), 1);
  Checkpoint checkpoint;
  checkpoint.epochs = summary.epochs;
  checkpoint.best_epoch = 1;
  checkpoint.model_digest = model_digest(made);
  checkpoint.parameters = tensors;
  checkpoint.state = {{"a.weight", {2}, {0.5f, 0.25f}}};
  save_checkpoint(folder / "checkpoint.safetensors", checkpoint);
  write_metrics(folder, summary.epochs);
  write_training_report(folder, made, summary);
}

// What evaluate, plot and --resume read.
void read_everything(const std::filesystem::path& folder) {
  const TrainingResult result = load_training_result(folder);
  require_intact(result, "model.toml");
  require_intact(result, "metrics.csv");
  (void)load_weights(folder / "weights.safetensors");
  (void)load_checkpoint(folder / "checkpoint.safetensors");
}

TEST(TrainingResult, EveryChangedByteOfEveryFileIsFound) {
  const TemporaryFolder folder;
  write_result(folder.path());
  ASSERT_EQ(error_of([&] { read_everything(folder.path()); }), "");
  for (const char* name : {"report.json", "metrics.json", "metrics.csv", "confusion.csv",
                           "raster.csv", "model.toml", "weights.safetensors",
                           "checkpoint.safetensors"}) {
    const std::string whole = io::read_file(folder / name, 1 << 20);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
      std::ofstream(folder / name, std::ios::binary) << damaged;  // not flushed to the disk each time
      const std::string error = error_of([&] { read_everything(folder.path()); });
      EXPECT_NE(error.find(name), std::string::npos) << name << " " << at << ": " << error;
    }
    io::write_file(folder / name, whole);
  }
}

// Blanks for blanks: 0x20 becomes what JSON takes for a blank too.
TEST(TrainingResult, AnotherPaddingOfWeightsIsFound) {
  const TemporaryFolder folder;
  write_result(folder.path());
  for (const char* name : {"weights.safetensors", "checkpoint.safetensors"}) {
    std::string whole = io::read_file(folder / name, 1 << 20);
    const std::size_t brace = whole.rfind("}}");
    if (whole[brace + 2] != ' ') whole.replace(brace, 2, "} ");
    whole[brace + 2] = '\t';
    io::write_file(folder / name, whole);
    EXPECT_NE(error_of([&] { read_everything(folder.path()); }), "") << name;
    write_result(folder.path());
  }
}

TEST(TrainingResult, WeightsWithoutADigestAreRefused) {
  const TemporaryFolder folder;
  write_result(folder.path());
  for (const char* name : {"weights.safetensors", "checkpoint.safetensors"}) {
    // The key as another program might spell it: the same length, another name.
    std::string whole = io::read_file(folder / name, 1 << 20);
    whole.replace(whole.find("tessera_digest"), 14, "another_digest");
    io::write_file(folder / name, whole);
    EXPECT_NE(error_of([&] { read_everything(folder.path()); }).find("no digest"),
              std::string::npos);
    write_result(folder.path());
  }
}

TEST(TrainingResult, AFinishedTrainingThatGoesOnHasNoReport) {
  const TemporaryFolder folder;
  write_result(folder.path());
  reopen_training_result(folder.path());
  EXPECT_FALSE(is_training_result(folder.path()));
  EXPECT_EQ(error_of([&] { (void)load_checkpoint(folder / "checkpoint.safetensors"); }), "");
}

TEST(TrainingResult, DamagedFoldersAreRefused) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_training_result(folder.path()));
  EXPECT_NE(error_of([&] { (void)load_training_result(folder.path()); }), "");
  TrainingSummary summary;
  summary.epochs = {epoch(0)};
  summary.best_epoch = 1;
  EvaluationResult test;
  test.confusion = {{3, 0, 1}, {0, 2, 0}, {1, 0, 1}};
  summary.test = test;
  summary.raster = SampleRaster{0, 0, {{"input", 4, {{0, 3}}}}};
  write_metrics(folder.path(), summary.epochs);
  write_training_report(folder.path(), model(), summary);
  for (const auto& [file, text] : std::vector<std::pair<std::string, std::string>>{
           {"metrics.json", "[{}]"},
           {"metrics.json", "nonsense"},
           {"confusion.csv", "label,yin,yang,dot\nyin,1,2\n"},
           {"confusion.csv", "label,yin,yang,dot\nyin,1,2,-3\n"},
           {"confusion.csv", "label,yin,yang,dot\nyin,1,2,3\n"},
           {"raster.csv", "layer,step,neuron\ninput,40,0\n"},  // yin_yang has 40 steps
           {"raster.csv", "layer,step,neuron\ninput,0,4\n"},
           {"raster.csv", "layer,step,neuron\nother,0,0\n"},
           {"raster.csv", "layer,step,neuron\ninput,0\n"},
           {"report.json", "{\"kind\": \"training\"}"},
           {"report.json", "[]"}}) {
    const std::string whole = io::read_file(folder / file, 1 << 20);
    const std::string report = io::read_file(folder / "report.json", 1 << 20);
    const std::string checksum = io::file_checksum(folder / file);
    io::write_file(folder / file, text);
    std::string error = error_of([&] { (void)load_training_result(folder.path()); });
    EXPECT_NE(error.find(file), std::string::npos) << file << ": " << text << ": " << error;
    // The same when the report says that this is how the file has to be.
    if (file != "report.json") {
      std::string agreed = report.substr(0, report.rfind(",\n  \"checksum\"")) + "\n}";
      agreed.replace(agreed.find(checksum), checksum.size(), io::file_checksum(folder / file));
      io::write_file(folder / "report.json", io::sealed(agreed));
      error = error_of([&] { (void)load_training_result(folder.path()); });
      EXPECT_NE(error.find(file), std::string::npos) << file << ": " << text << ": " << error;
      EXPECT_EQ(error.find("checksum"), std::string::npos) << error;
    }
    io::write_file(folder / file, whole);
    io::write_file(folder / "report.json", report);
  }
  EXPECT_EQ(error_of([&] { (void)load_training_result(folder.path()); }), "");
}

}  // namespace
}  // namespace tessera::training
