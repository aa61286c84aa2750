// Layers as text: read again they are the same layers, number for number.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "tessera/training_file.hpp"
#include "tessera/training_text.hpp"

namespace tessera::test {
namespace {

using namespace training;

TrainingModel again(const TrainingModel& model) {
  const training::Network& n = model.network;
  const std::string text = "[data]\nset = \"file\"\n[data.file]\ntraining = \"t.npz\"\nshape = [" + std::to_string(n.input.height) + ", " +
                           std::to_string(n.input.width) + ", " + std::to_string(n.input.channels) + "]\nclasses = " +
                           std::to_string(n.classes) + "\n[data.encoder]\nsteps = " + std::to_string(n.steps) +
                           "\ndt = " + std::to_string(n.dt_ms) + "\n[second_threshold]\ntarget = -1000.0\n" + layers_text(n);
  TrainingModel read = parse_training_model(text, "again");
  read.data = model.data;
  read.options = model.options;
  read.network.name = n.name;
  return read;
}

TEST(LayersText, OfAllModelsIsReadAsTheSameLayers) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TESSERA_SOURCE_DIR) / "models/training")) {
    if (entry.path().extension() != ".toml") continue;
    const TrainingModel model = load_training_file(entry.path());
    if (model.options.loss.kind == LossKind::squared_error_per_step || model.network.classes < 2) continue;  // no classes
    if (model.network.layers.back().neuron != NeuronKind::readout) continue;
    EXPECT_EQ(model_digest(again(model)), model_digest(model)) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 8);
}

TEST(LayersText, KeepsWhatNoModelHas) {
  TrainingModel model = parse_training_model(R"([data]
set = "yin_yang"
[[layer]]
name = "a"
neuron = "adaptive_lif"
size = 9
connection = { density = 0.3, min_delay = "2 ms", max_delay = "5 ms" }
recurrent = { kind = "sparse", density = 0.25 }
rewiring = { rule = "soft_deep_r", interval = 7, l1 = 0.001, noise = 0.125 }
alpha = [0.1, 0.7]
membrane = { per_neuron = true, trainable = true }
rho = 0.9375
adaptation_strength = 0.3
refractory = "3 ms"
surrogate = "arctan"
steepness = 3
height = 0.5
reset = "subtract"
max_activity = 0.5
initial_activity = 0.1
initial_gain = 2
regulariser = { strength = 0.1, low = 0.01, high = 0.2 }
bursts = { strength = 1e-7, epoch_factor = 0.9 }
[[layer]]
name = "b"
neuron = "synaptic_lif"
size = 4
kappa = 0.3
capacitance = 3
weight_penalty = 1e-3
weight_limit = 2.5
weight_roll_off = 0.75
reset = "subtract_undecayed"
substrate = false
[[layer]]
name = "out"
neuron = "readout"
size = 3
)", "all");
  EXPECT_EQ(model_digest(again(model)), model_digest(model));
  model.network.layers[0].membrane.low = 0.2;
  EXPECT_NE(model_digest(again(parse_training_model("[data]\nset = \"yin_yang\"\n[[layer]]\nneuron = \"readout\"\nsize = 3\n", "x"))), model_digest(model));
  model.network.layers[0].recurrent->rewiring->kind = RewiringKind::custom;
  model.network.layers[0].input.rewiring->kind = RewiringKind::custom;
  EXPECT_THROW((void)layers_text(model.network), InputError);
}

}  // namespace
}  // namespace tessera::test
