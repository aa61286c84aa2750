// [eprop] in training files: keys, defaults, mistakes; the two tasks of its publication learn, and the example of
// docs/eprop.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <sstream>

#include "training_file/load.hpp"

namespace tessera::training {
namespace {

const std::string kTop = R"(
[data]
set = "yin_yang"
[data.encoder]
bias = true
[[layer]]
name = "hidden"
size = 30
tau_mem = "20 ms"
reset = "subtract_undecayed"
refractory = "4 ms"
surrogate = "triangular"
steepness = 1
height = 0.3
recurrent = true
[[layer]]
name = "output"
neuron = "readout"
size = 3
tau_mem = "20 ms"
[loss]
kind = "cross_entropy_per_step"
window = "10 ms"
)";

TEST(EpropFile, KeysAndDefaults) {
  const TrainingModel plain = test::parse(kTop);
  EXPECT_FALSE(plain.options.eprop);
  EXPECT_EQ(plain.options.loss.window, 10u);
  EXPECT_EQ(plain.network.layers[0].refractory, 4u);
  EXPECT_EQ(plain.network.layers[0].surrogate_height, 0.3);
  EXPECT_EQ(plain.network.layers[0].reset, Reset::subtract_undecayed);
  const TrainingModel empty = test::parse(kTop + "[eprop]\n");
  ASSERT_TRUE(empty.options.eprop);
  EXPECT_EQ(empty.options.eprop->convention, EpropConvention::bellec2020);
  EXPECT_EQ(empty.options.eprop->feedback, EpropFeedback::symmetric);
  EXPECT_EQ(empty.options.second_threshold.start, 0.0);
  EXPECT_EQ(empty.options.second_threshold.rate, 0.0);
  EXPECT_NE(model_digest(empty), model_digest(plain));
  const TrainingModel full = test::parse(kTop +
                                         "[eprop]\nfeedback = \"random\"\nfeedback_gain = 2\nrate_strength = 3\n"
                                         "rate_target = \"20 Hz\"\naverage = true\n[second_threshold]\ntarget = 0.5\n");
  EXPECT_EQ(full.options.eprop->feedback, EpropFeedback::random);
  EXPECT_EQ(full.options.eprop->feedback_gain, 2.0);
  EXPECT_EQ(full.options.eprop->rate_strength, 3.0);
  EXPECT_EQ(full.options.eprop->rate_target_hz, 20.0);
  EXPECT_TRUE(full.options.eprop->average);
  EXPECT_EQ(full.options.second_threshold.target, 0.5);
}

TEST(EpropFile, Mistakes) {
  const auto has = [](const std::string& text, const std::string& part) {
    const std::string all = test::complaints(text);
    EXPECT_NE(all.find(part), std::string::npos) << all;
  };
  has(kTop + "[eprop]\nfeedback_gain = 2\n", "only random feedback has weights of its own");
  has(kTop + "[eprop]\nrate_target = \"20 Hz\"\n", "there is no rate_strength");
  has(kTop + "[eprop]\nrate_strength = 1\nrate_tau = \"20 ms\"\n", "only mlgenn");
  has(kTop + "[eprop]\nconvention = \"belec2020\"\n", "Did you mean 'bellec2020'?");
  has(kTop + "[eprop]\nrate_strength = -1\n", "eprop.rate_strength");
  has(kTop + "[eprop]\nstrenght = 1\n", "strenght");
  has(kTop + "[eprop]\n[training]\nstrategy = \"dense\"\n", "e-prop has no dense strategy");
  std::string text = kTop;
  text.replace(text.find("4 ms"), 4, "4.5 ms");
  has(text, "not a multiple of the time step");
  text = kTop;
  text.replace(text.find("cross_entropy_per_step"), 22, "cross_entropy");
  has(text, "only the losses per step look at a part of a sample");
  text = kTop + "[eprop]\n";
  text.replace(text.find("height = 0.3"), 12, "height = 0");
  has(text, "height");
  EXPECT_EQ(test::complaints(kTop + "[eprop]\n"), "");
}

FitResult fitted(const TrainingModel& model) {
  const auto data = open_dataset(model.data, "", Split::train, model.options.seed);
  Trainer trainer(model.network, model.options);
  FitObserver observer;
  return fit(trainer, *data, observer);
}

// A network of 40 neurons follows the curve: less than a third of the error of doing nothing is left.
TEST(EpropFile, PatternGenerationLearns) {
  TrainingModel model = load_training_file(TESSERA_SOURCE_DIR "/models/training/pattern_generation.toml", {{"neurons", "40"}});
  model.data.encoder.steps = model.network.steps = 250;
  model.options.epochs = 120;
  model.options.threads = 1;
  SpikeSample sample;
  open_dataset(model.data, "", Split::train, 1)->read(0, kUnvaried, sample);
  double nothing = 0.0;
  for (const float x : sample.target) nothing += 0.5 * x * x;
  const FitResult result = fitted(model);
  EXPECT_LT(result.epochs.back().loss, nothing / 3.0);
  EXPECT_GT(result.epochs.front().loss, nothing / 2.0);
}

// One cue, and its side a tenth of a second later.
TEST(EpropFile, EvidenceAccumulationLearns) {
  TrainingModel model = load_training_file(TESSERA_SOURCE_DIR "/models/training/evidence_accumulation.toml",
                                           {{"neurons", "40"}, {"cues", "1"}, {"steps", "350"}, {"samples", "64"}});
  model.options.validation_fraction = 0.0;
  model.options.optimizer.schedule = ScheduleKind::constant;
  model.options.epochs = 24;
  model.options.threads = 1;
  const FitResult result = fitted(model);
  EXPECT_GE(result.epochs.back().accuracy, 0.9);
}

TEST(EpropFile, TheExampleOfThePage) {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/eprop.md").rdbuf();
  const std::string text = page.str(), fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
  TrainingModel model = test::parse(text.substr(begin, text.find("```", begin) - begin));
  EXPECT_EQ(model.options.epochs, 2u);
  model.options.threads = 1;
  const FitResult result = fitted(model);
  ASSERT_EQ(result.epochs.size(), 2u);
  EXPECT_TRUE(std::isfinite(result.epochs[1].loss));
  EXPECT_GT(result.epochs[1].layers.at(0).spikes, 0u);
  EXPECT_EQ(result.epochs[1].layers.at(0).dropped_gradients, 0u);
}

// Targets without a loss that looks at them would be ignored.
TEST(EpropFile, TargetsNeedTheirLoss) {
  TrainingModel model = load_training_file(TESSERA_SOURCE_DIR "/models/training/pattern_generation.toml");
  model.data.generator.seed = 1;
  const auto data = open_dataset(model.data, "", Split::train, 1);
  model.network.classes = model.network.layers[1].size = 2;
  model.options.loss = {LossKind::cross_entropy_per_step};
  Trainer trainer(model.network, model.options);
  FitObserver observer;
  try {
    (void)fit(trainer, *data, observer);
    FAIL() << "was trained";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("the loss has to be squared_error_per_step"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tessera::training
