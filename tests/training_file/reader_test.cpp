// What training files mean: every key reaches its field, with units, defaults and parameters.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "training_file/load.hpp"

namespace tessera::training {
namespace {

using test::kData;
using test::kHidden;
using test::kOutput;
using test::layer;
using test::parse;

TEST(TrainingFile, TheSmallestModelHasTheDefaultsOfTheStructs) {
  const TrainingModel model = parse(kData + kHidden + kOutput);
  ASSERT_EQ(model.network.layers.size(), 2u);
  EXPECT_EQ(model.network.classes, 3u);
  EXPECT_EQ(model.network.input.size(), 5u);  // four values and a bias channel
  EXPECT_GT(model.network.steps, 0u);
  const Layer standard;
  const Layer& hidden = model.network.layers[0];
  EXPECT_EQ(hidden.neuron, NeuronKind::lif);
  EXPECT_EQ(hidden.size, 30u);
  EXPECT_EQ(hidden.membrane.low, standard.membrane.low);
  EXPECT_EQ(hidden.surrogate_steepness, standard.surrogate_steepness);
  EXPECT_EQ(model.network.layers[1].neuron, NeuronKind::readout);
  const Options options;
  EXPECT_EQ(model.options.batch, options.batch);
  EXPECT_EQ(model.options.optimizer.learning_rate, options.optimizer.learning_rate);
  EXPECT_EQ(model.options.second_threshold.start, options.second_threshold.start);
  EXPECT_EQ(model.text, kData + kHidden + kOutput);
}

TEST(TrainingFile, TimeConstantsBecomeFactorsPerStep) {
  const Layer a = layer("size = 4\ntau_mem = \"20 ms\"\n");
  EXPECT_DOUBLE_EQ(a.membrane.low, std::exp(-1.0 / 20.0));  // yin_yang steps are 1 ms
  EXPECT_FALSE(a.membrane.per_neuron);
  const Layer b = layer("size = 4\ntau_mem = [\"0.005 s\", 25]\nmembrane = { trainable = true }\n");
  EXPECT_DOUBLE_EQ(b.membrane.low, std::exp(-1.0 / 5.0));
  EXPECT_DOUBLE_EQ(b.membrane.high, std::exp(-1.0 / 25.0));
  EXPECT_TRUE(b.membrane.per_neuron);
  EXPECT_TRUE(b.membrane.trainable);
  const Layer c = layer("size = 4\nalpha = 0.9\nmembrane = { per_neuron = true }\n");
  EXPECT_EQ(c.membrane.low, 0.9);
  EXPECT_TRUE(c.membrane.per_neuron);
}

TEST(TrainingFile, EveryKeyOfALayerReachesItsField) {
  const Layer a = layer(R"(
neuron = "adaptive_lif"
size = 12
rho = 0.97
adaptation = { trainable = true }
adaptation_strength = 0.2
threshold = 1.5
capacitance = 20
reset = "subtract"
surrogate = "arctan"
steepness = 4
max_activity = 0.5
initial_activity = 0.05
initial_gain = 2.5
bias = true
connection = { kind = "sparse", density = 0.25, min_delay = "1 ms", max_delay = "12 ms" }
recurrent = { density = 0.1 }
regulariser = { strength = 0.3, low = 0.01, high = 0.2 }
)");
  EXPECT_EQ(a.neuron, NeuronKind::adaptive_lif);
  EXPECT_EQ(a.adaptation.low, 0.97);
  EXPECT_TRUE(a.adaptation.trainable);
  EXPECT_EQ(a.adaptation_strength, 0.2);
  EXPECT_EQ(a.threshold, 1.5);
  EXPECT_EQ(a.capacitance, 20.0);
  EXPECT_EQ(a.reset, Reset::subtract);
  EXPECT_EQ(a.surrogate, Surrogate::arctan);
  EXPECT_EQ(a.surrogate_steepness, 4.0);
  EXPECT_EQ(a.max_activity, 0.5);
  EXPECT_EQ(a.initial_activity, 0.05);
  EXPECT_EQ(a.initial_gain, 2.5);
  EXPECT_TRUE(a.bias);
  EXPECT_EQ(a.input.kind, ConnectionKind::sparse);
  EXPECT_EQ(a.input.density, 0.25);
  EXPECT_EQ(a.input.min_delay, 1u);
  EXPECT_EQ(a.input.max_delay, 12u);
  ASSERT_TRUE(a.recurrent.has_value());
  EXPECT_EQ(a.recurrent->kind, ConnectionKind::sparse);
  EXPECT_EQ(a.recurrent->density, 0.1);
  EXPECT_EQ(a.regulariser.strength, 0.3);
  EXPECT_EQ(a.regulariser.low, 0.01);
  EXPECT_EQ(a.regulariser.high, 0.2);
  const Layer b =
      layer("size = 3\nneuron = \"synaptic_lif\"\ntau_syn = \"5 ms\"\nrecurrent = true\n");
  EXPECT_DOUBLE_EQ(b.synapse.low, std::exp(-1.0 / 5.0));
  ASSERT_TRUE(b.recurrent.has_value());
  EXPECT_EQ(b.recurrent->kind, ConnectionKind::dense);
  EXPECT_FALSE(layer("size = 3\nrecurrent = false\n").recurrent.has_value());
}

TEST(TrainingFile, ConvolutionsTakeTheirSizeFromTheInput) {
  const TrainingModel model = parse(R"(
[data]
set = "mnist"
[[layer]]
name = "c"
convolution = { filters = 8, kernel = 5, stride = 2, padding = 2 }
[[layer]]
name = "d"
pool = 2
pooling = "sum"
size = 10
neuron = "readout"
)");
  const Connection& c = model.network.layers[0].input;
  EXPECT_EQ(c.kind, ConnectionKind::convolution);
  EXPECT_EQ(c.filters, 8u);
  EXPECT_EQ(c.kernel, 5u);
  EXPECT_EQ(c.stride, 2u);
  EXPECT_EQ(c.padding, 2u);
  EXPECT_EQ(model.network.layers[1].input.pool, 2u);
  EXPECT_EQ(model.network.layers[1].input.pooling, Pooling::sum);
  EXPECT_EQ(model.network.input, (Shape{28, 28, 1}));
  EXPECT_EQ(layer_shapes(model.network)[0], (Shape{14, 14, 8}));  // (28 + 2 * 2 - 5) / 2 + 1
}

TEST(TrainingFile, EveryKeyOfTheOptionsReachesItsField) {
  const TrainingModel model = parse(kData + kHidden + kOutput + R"(
[loss]
kind = "mean_squared_error"
reduction = "max"
[optimizer]
kind = "sgd"
learning_rate = 0.02
weight_decay = 0.001
momentum = 0.8
clip_norm = 1.5
[schedule]
kind = "step"
warmup_batches = 7
step_epochs = 3
step_factor = 0.25
[second_threshold]
start = -50
target = 0.8
rate = 0.25
[training]
batch = 16
epochs = 4
seed = 18446744073709551
validation = 0.2
patience = 5
strategy = "dense"
threads = 2
)");
  const Options& o = model.options;
  EXPECT_EQ(o.loss.kind, LossKind::mean_squared_error);
  EXPECT_EQ(o.loss.reduction, Reduction::max);
  EXPECT_EQ(o.optimizer.kind, OptimizerKind::sgd);
  EXPECT_EQ(o.optimizer.learning_rate, 0.02);
  EXPECT_EQ(o.optimizer.weight_decay, 0.001);
  EXPECT_EQ(o.optimizer.momentum, 0.8);
  EXPECT_EQ(o.optimizer.clip_norm, 1.5);
  EXPECT_EQ(o.optimizer.schedule, ScheduleKind::step);
  EXPECT_EQ(o.optimizer.warmup_batches, 7u);
  EXPECT_EQ(o.optimizer.step_epochs, 3u);
  EXPECT_EQ(o.optimizer.step_factor, 0.25);
  EXPECT_EQ(o.second_threshold.start, -50.0);
  EXPECT_EQ(o.second_threshold.target, 0.8);
  EXPECT_EQ(o.second_threshold.rate, 0.25);
  EXPECT_EQ(o.batch, 16u);
  EXPECT_EQ(o.epochs, 4u);
  EXPECT_EQ(o.seed, 18446744073709551u);
  EXPECT_EQ(o.validation_fraction, 0.2);
  EXPECT_EQ(o.patience, 5u);
  EXPECT_EQ(o.strategy, Strategy::dense);
  EXPECT_EQ(o.threads, 2);
}

TEST(TrainingFile, SpikingOutputsAndAdamwHaveTheirOwnKeys) {
  const TrainingModel model = parse(kData + kHidden + R"(
[[layer]]
name = "out"
size = 3
[loss]
kind = "spike_count"
count_true = 0.5
count_false = 0.01
[optimizer]
beta1 = 0.8
beta2 = 0.99
epsilon = 1e-6
[schedule]
kind = "cosine"
final_fraction = 0.1
[second_threshold]
start = -inf
rate = 0
)");
  EXPECT_EQ(model.options.loss.count_true, 0.5);
  EXPECT_EQ(model.options.loss.count_false, 0.01);
  EXPECT_EQ(model.options.optimizer.beta1, 0.8);
  EXPECT_EQ(model.options.optimizer.beta2, 0.99);
  EXPECT_EQ(model.options.optimizer.epsilon, 1e-6);
  EXPECT_EQ(model.options.optimizer.final_fraction, 0.1);
  EXPECT_EQ(model.options.second_threshold.start, -INFINITY);
}

TEST(TrainingFile, EveryKeyOfTheDataReachesItsField) {
  const TrainingModel model = parse(R"(
[data]
set = "nmnist"
folder = "elsewhere"
cache_megabytes = 100
[data.encoder]
kind = "binning"
steps = 50
dt = "6 ms"
start = "10 ms"
min_events = 2
crop_x = 1
crop_y = 2
crop_width = 32
crop_height = 30
width = 16
height = 15
merge_polarities = true
max_spikes_per_step = 40
[data.augmentation]
shift = 2
jitter = "1.5 ms"
crop = "20 ms"
rotation = 10
skew = [0.9, 1.1]
[[layer]]
name = "out"
neuron = "readout"
size = 10
)");
  const DataSpec& d = model.data;
  EXPECT_EQ(d.dataset, "nmnist");
  EXPECT_EQ(d.folder, "elsewhere");
  EXPECT_EQ(d.cache_megabytes, 100u);
  EXPECT_EQ(d.encoder.kind, EncoderKind::binning);
  EXPECT_EQ(d.encoder.start_ms, 10.0);
  EXPECT_EQ(d.encoder.min_events, 2u);
  EXPECT_EQ(d.encoder.crop_x, 1u);
  EXPECT_EQ(d.encoder.crop_height, 30u);
  EXPECT_TRUE(d.encoder.merge_polarities);
  EXPECT_EQ(d.encoder.max_spikes_per_step, 40u);
  EXPECT_EQ(d.augmentation.shift, 2u);
  EXPECT_EQ(d.augmentation.jitter_ms, 1.5);
  EXPECT_EQ(d.augmentation.crop_ms, 20.0);
  EXPECT_EQ(d.augmentation.rotation_degrees, 10.0);
  EXPECT_EQ(d.augmentation.skew_low, 0.9);
  EXPECT_EQ(d.augmentation.skew_high, 1.1);
  EXPECT_EQ(model.network.input, (Shape{15, 16, 1}));
  EXPECT_EQ(model.network.steps, 50u);
  EXPECT_EQ(model.network.dt_ms, 6.0);
}

TEST(TrainingFile, KeysOfTrainingOnASubstrateReachTheirFields) {
  const TrainingModel model = parse(R"(
[data]
set = "mnist"
[data.augmentation]
rotation = 25
rotation_probability = 0.5
rotation_gain = 1.2
[[layer]]
name = "hidden"
size = 20
substrate = false
weight_limit = 0.8
weight_roll_off = 0.25
weight_penalty = 0.003
bursts = { strength = 0.01, epoch_factor = 0.985 }
[[layer]]
name = "out"
neuron = "readout"
size = 10
[loss]
reduction = "max"
scale = 3
log_probability_penalty = 1e-4
)");
  EXPECT_EQ(model.data.augmentation.rotation_probability, 0.5);
  EXPECT_EQ(model.data.augmentation.rotation_gain, 1.2);
  const Layer& hidden = model.network.layers[0];
  EXPECT_FALSE(hidden.on_substrate);
  EXPECT_TRUE(model.network.layers[1].on_substrate);
  EXPECT_EQ(hidden.weight_limit, 0.8);
  EXPECT_EQ(hidden.weight_roll_off, 0.25);
  EXPECT_EQ(hidden.weight_penalty, 0.003);
  EXPECT_EQ(hidden.bursts.strength, 0.01);
  EXPECT_EQ(hidden.bursts.epoch_factor, 0.985);
  EXPECT_EQ(model.options.loss.scale, 3.0);
  EXPECT_EQ(model.options.loss.log_probability_penalty, 1e-4);
}

TEST(TrainingFile, NamedParametersCanBeOverridden) {
  const std::string text =
      "[parameters]\nneurons = 30\ntau = \"20 ms\"\n" + kData +
      "[[layer]]\nname = \"h\"\nsize = \"$neurons\"\ntau_mem = \"2 * $tau\"\n" + kOutput;
  EXPECT_EQ(parse(text).network.layers[0].size, 30u);
  const TrainingModel model = parse(text, {{"neurons", "50"}, {"tau", "10"}});
  EXPECT_EQ(model.network.layers[0].size, 50u);
  EXPECT_DOUBLE_EQ(model.network.layers[0].membrane.low, std::exp(-1.0 / 20.0));
  EXPECT_EQ(model.parameters.at("neurons"), 50.0);
}

TEST(TrainingFile, TheDigestTellsModelsApartButNotHowLongTheyTrain) {
  const std::string text = kData + kHidden + kOutput;
  const std::uint64_t digest = model_digest(parse(text));
  EXPECT_EQ(model_digest(parse("name = \"x\"\n" + text +
                               "[training]\nepochs = 3\nthreads = 1\n"
                               "strategy = \"dense\"\npatience = 2\n")),
            digest);
  for (const char* lines : {"[training]\nseed = 2\n", "[training]\nbatch = 16\n", "bias = true\n",
                            "[optimizer]\nlearning_rate = 0.0010000001\n"}) {
    EXPECT_NE(model_digest(parse(text + lines)), digest) << lines;
  }
}

}  // namespace
}  // namespace tessera::training
