// e-prop on lists: against the float64 recursion with all traces, against back-propagation where both are the same,
// against finite differences; any number of threads, slices; resuming.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "comm/loopback.hpp"
#include "train/eprop_networks.hpp"
#include "train/reference_network.hpp"

namespace tessera::training {
namespace {

constexpr LossKind kCrossEntropy = LossKind::cross_entropy_per_step, kSquares = LossKind::squared_error_per_step;

std::vector<float> targets(const Network& network, std::uint32_t samples) {
  std::vector<float> target;
  for (std::size_t i = 0; i < std::size_t{samples} * network.steps * network.classes; ++i)
    target.push_back(static_cast<float>(std::sin(0.1 * static_cast<double>(i))));
  return target;
}

// The gradients of a batch are the means of the recursion's over its samples.
void expect_recursion(const Network& network, const Options& options, const SpikeBatch& batch) {
  Trainer trainer(network, options);
  std::vector<Tensor> gradients;
  const BatchResult result = trainer.gradients(batch, gradients);
  const EpropProblem problem(network, *options.eprop, trainer.parameters());
  eprop::Matrix input, recurrent, output;
  std::vector<double> bias(network.classes, 0.0);
  double loss = 0.0;
  std::uint64_t spikes = 0;
  for (std::uint32_t b = 0; b < batch.samples; ++b) {
    const eprop::Interval interval = interval_of(network, options.loss, batch, b);
    eprop::Mlgenn fresh(problem.rule, problem.weights);
    const bool mlgenn = options.eprop->convention == EpropConvention::mlgenn;
    const eprop::Outcome outcome = mlgenn ? fresh.run(problem.weights, interval)
                                          : bellec2020(problem.rule, problem.weights, problem.feedback, interval);
    add(input, outcome.gradient.input);
    add(recurrent, outcome.gradient.recurrent);
    add(output, outcome.gradient.output);
    for (std::size_t k = 0; k < outcome.gradient.bias.size(); ++k) bias[k] += outcome.gradient.bias[k];
    loss += outcome.loss / batch.samples;
    spikes += outcome.spikes.size();
  }
  const double scale = batch.samples * (options.eprop->average ? (options.loss.window > 0 ? options.loss.window : batch.steps) : 1.0);
  EXPECT_EQ(result.layers[0].spikes, spikes);
  EXPECT_GT(spikes, 20u * batch.samples);
  EXPECT_NEAR(result.loss, loss, 1e-5 * loss);
  EXPECT_LE(difference(tensor_of(gradients, "hidden.weight"), input, scale), 2e-6);
  if (network.layers[0].recurrent) {
    EXPECT_LE(difference(tensor_of(gradients, "hidden.recurrent_weight"), recurrent, scale), 2e-6);
  }
  EXPECT_LE(difference(tensor_of(gradients, "out.weight"), output, scale), 2e-6);
  for (std::size_t k = 0; network.layers[1].bias && k < bias.size(); ++k)
    EXPECT_NEAR(tensor_of(gradients, "out.bias").values[k], bias[k] / scale, 2e-6 * std::abs(bias[0] / scale)) << k;
}

TEST(Eprop, IsTheRecursionOfBellec2020) {
  for (const NeuronKind kind : {NeuronKind::lif, NeuronKind::adaptive_lif}) {
    for (const LossKind loss : {kCrossEntropy, kSquares}) {
      for (const EpropFeedback feedback : {EpropFeedback::symmetric, EpropFeedback::random}) {
        SCOPED_TRACE(to_string(kind) + " " + to_string(loss) + " " + to_string(feedback));
        Network network = eprop_network(kind);
        network.layers[0].refractory = kind == NeuronKind::lif ? 0 : 3;
        Eprop eprop;
        eprop.feedback = feedback;
        eprop.rate_strength = 2.0;
        eprop.rate_target_hz = 50.0;
        eprop.average = loss == kCrossEntropy;
        Options options = eprop_options(loss, eprop);
        options.loss.window = loss == kCrossEntropy ? 15 : 0;
        SpikeBatch batch = random_batch(network, 3, 0.25, 7);
        if (loss == kSquares) batch.target = targets(network, 3);
        expect_recursion(network, options, batch);
      }
    }
  }
}

// Inputs and readout scaled by 1 - decay, a bias, many neurons (several tiles), one-hot targets.
TEST(Eprop, IsTheRecursionWithScalesAndBias) {
  Network network = eprop_network(NeuronKind::adaptive_lif, 150);
  network.layers[0].capacitance = 1.0 / (1.0 - 0.9);
  network.layers[0].initial_gain = 8.0;
  network.layers[1].capacitance = 1.0 / (1.0 - 0.85);
  network.layers[1].bias = true;
  Eprop eprop;
  eprop.rate_strength = 1.0;
  expect_recursion(network, eprop_options(kSquares, eprop), random_batch(network, 2, 0.25, 8));
}

TEST(Eprop, IsTheRecursionWithoutRecurrence) {
  for (const NeuronKind kind : {NeuronKind::lif, NeuronKind::adaptive_lif}) {
    Network network = eprop_network(kind, 150);
    network.layers[0].recurrent.reset();
    network.layers[0].initial_gain = 2.0;
    expect_recursion(network, eprop_options(kSquares, {}), random_batch(network, 2, 0.25, 8));
  }
}

// Spikes that take a step to arrive are those of ml_genn, where synapses go first in a step.
TEST(Eprop, IsTheRecursionOfMlgenn) {
  for (const NeuronKind kind : {NeuronKind::lif, NeuronKind::adaptive_lif}) {
    for (const LossKind loss : {kCrossEntropy, kSquares}) {
      for (const bool recurrent : {true, false}) {
        SCOPED_TRACE(to_string(kind) + " " + to_string(loss) + (recurrent ? "" : " feed-forward"));
        Network network = eprop_network(kind);
        network.layers[0].reset = Reset::subtract;
        network.layers[0].refractory = 3;
        network.layers[0].initial_gain = 1.5;
        network.layers[0].input = network.layers[1].input = sparse(1.0, 1, 1);
        if (!recurrent) network.layers[0].recurrent.reset();
        network.layers[1].membrane = network.layers[0].membrane;
        network.layers[1].bias = true;
        Eprop eprop;
        eprop.convention = EpropConvention::mlgenn;
        eprop.rate_strength = 0.5;
        expect_recursion(network, eprop_options(loss, eprop), random_batch(network, 2, 0.3, 9));
      }
    }
  }
}

std::vector<Tensor> gradients_of(const Network& network, const Options& options, const SpikeBatch& batch) {
  Trainer trainer(network, options);
  std::vector<Tensor> gradients;
  (void)trainer.gradients(batch, gradients);
  return gradients;
}

// Without recurrence nothing is cut off, and with kappa = 0 (or a readout that is scaled by 1 - kappa) the learning
// signal is the whole derivative of the loss by a spike.
TEST(Eprop, IsBackPropagationWithoutRecurrence) {
  for (const NeuronKind kind : {NeuronKind::lif, NeuronKind::adaptive_lif}) {
    for (const double kappa : {0.0, 0.85}) {
      for (const LossKind loss : {kCrossEntropy, kSquares}) {
        Network network = eprop_network(kind);
        network.layers[0].recurrent.reset();
        network.layers[0].initial_gain = 2.0;
        network.layers[1].membrane = {kappa, kappa, false, false};
        network.layers[1].capacitance = 1.0 / (1.0 - kappa);
        Eprop eprop;
        eprop.average = loss == kCrossEntropy;
        Options options = eprop_options(loss, eprop);
        const SpikeBatch batch = random_batch(network, 4, 0.25, 3);
        const std::vector<Tensor> local = gradients_of(network, options, batch);
        options.eprop.reset();
        const std::vector<Tensor> whole = gradients_of(network, options, batch);
        for (std::size_t k = 0; k < whole.size(); ++k) {
          float largest = 0.0f;
          for (const float x : whole[k].values) largest = std::max(largest, std::abs(x));
          EXPECT_GT(largest, 1e-3f);
          for (std::size_t i = 0; i < whole[k].values.size(); ++i)
            ASSERT_NEAR(local[k].values[i], whole[k].values[i], 2e-6f * largest) << whole[k].name << i;
        }
        // With recurrence they differ.
        network.layers[0].recurrent = Connection{};
        const std::vector<Tensor> whole_recurrent = gradients_of(network, options, batch);
        options.eprop = eprop;
        EXPECT_NE(gradients_of(network, options, batch)[0].values, whole_recurrent[0].values);
      }
    }
  }
}

// With the errors held, the outputs move with the weights as the smooth spikes do.
TEST(Eprop, IsTheFiniteDifferenceWithoutRecurrence) {
  Network network = eprop_network(NeuronKind::lif, 8);
  network.layers[0].recurrent.reset();
  network.layers[0].initial_gain = 2.0;
  network.layers[1].membrane = {0.0, 0.0, false, false};
  const Options options = eprop_options(kSquares, {});
  SpikeBatch batch = random_batch(network, 2, 0.25, 4);
  batch.target = targets(network, 2);
  Trainer trainer(network, options);
  std::vector<Tensor> gradients;
  (void)trainer.gradients(batch, gradients);
  const auto topology = resolve(network, options.seed);
  const Reference reference(network, topology);
  ReferenceValues values = to_values(trainer.parameters());
  const ReferenceRun base = reference.run(values, batch, options.loss);
  ReferenceOptions smooth;
  smooth.smoothed = true;
  smooth.base = &base;
  const auto along_errors = [&] {
    const ReferenceRun run = reference.run(values, batch, options.loss, smooth);
    double sum = 0.0;
    for (std::size_t i = 0; i < run.output().size(); ++i) sum += base.output_derivative[i] * run.output()[i];
    return sum;
  };
  const double h = 1e-6;
  double largest = 0.0;
  for (std::size_t i = 0; i < values[0].size(); ++i) {
    const double middle = values[0][i];
    values[0][i] = middle + h;
    const double up = along_errors();
    values[0][i] = middle - h;
    const double slope = (up - along_errors()) / (2.0 * h);
    values[0][i] = middle;
    EXPECT_NEAR(gradients[0].values[i], slope, 2e-5) << i;
    largest = std::max(largest, std::abs(slope));
  }
  EXPECT_GT(largest, 0.1);
}

// All layers of a deep network learn through feedback of their own; threads change nothing, slices only rounding.
TEST(Eprop, LearnsAlikeOnAnyNumberOfThreads) {
  Network network = eprop_network(NeuronKind::adaptive_lif, 70);
  Layer second = eprop_layer(NeuronKind::lif, 40);
  second.name = "second";
  second.initial_gain = 2.0;
  network.layers.insert(network.layers.begin() + 1, second);
  Eprop eprop;
  eprop.feedback = EpropFeedback::random;
  eprop.rate_strength = 1.0;
  const auto trained = [&](int threads, std::uint32_t slices) {
    Options options = eprop_options(kCrossEntropy, eprop, threads);
    options.slices = slices;
    options.optimizer.learning_rate = 0.005;
    Trainer trainer(network, options);
    for (std::uint64_t n = 0; n < 2; ++n) (void)trainer.train(random_batch(network, 13, 0.2, n));
    return trainer.parameters();
  };
  const std::vector<Tensor> one = trained(1, 1), three = trained(3, 1), sliced = trained(1, 4), shared = trained(2, 4);
  const std::vector<Tensor> begin = Trainer(network, eprop_options(kCrossEntropy, eprop)).parameters();
  for (std::size_t k = 0; k < one.size(); ++k) {
    const bool feedback = one[k].name.ends_with("feedback");
    EXPECT_EQ(one[k].values == begin[k].values, feedback) << one[k].name;
    EXPECT_EQ(three[k].values, one[k].values) << one[k].name;
    EXPECT_EQ(shared[k].values, sliced[k].values) << one[k].name;
    double worst = 0.0;
    for (std::size_t i = 0; i < one[k].values.size(); ++i)
      worst = std::max(worst, std::abs(double{one[k].values[i]} - sliced[k].values[i]));
    EXPECT_LE(worst, 0.01) << one[k].name;  // 2 steps of the optimiser
  }
}

// Targets and rates of a sample do not know which rank or slice it belongs to.
TEST(Eprop, LearnsAlikeOnAnyNumberOfRanks) {
  const Network network = eprop_network(NeuronKind::adaptive_lif);
  Eprop eprop;
  eprop.feedback = EpropFeedback::random;
  eprop.rate_strength = 1.0;
  const auto trained = [&](std::uint32_t slices, std::shared_ptr<Communicator> rank) {
    Options options = eprop_options(kSquares, eprop);
    options.slices = slices;
    options.communicator = std::move(rank);
    options.optimizer.kind = OptimizerKind::sgd;  // weights move by gradients, not by their signs
    options.optimizer.learning_rate = 1e-3;
    Trainer trainer(network, options);
    for (std::uint64_t n = 0; n < 3; ++n) {
      SpikeBatch batch = random_batch(network, 7, 0.2, n);
      batch.target = targets(network, 7);
      (void)trainer.train(batch);
    }
    return trainer.parameters();
  };
  const std::vector<Tensor> whole = trained(1, nullptr), alone = trained(3, nullptr);
  for (std::size_t k = 0; k < whole.size(); ++k) {
    for (std::size_t i = 0; i < whole[k].values.size(); ++i)
      ASSERT_NEAR(alone[k].values[i], whole[k].values[i], 1e-5) << whole[k].name;
  }
  run_loopback(3, 1, [&](const std::shared_ptr<Communicator>& rank) {
    const std::vector<Tensor> one = trained(3, rank);
    for (std::size_t k = 0; k < alone.size(); ++k) EXPECT_EQ(one[k].values, alone[k].values) << one[k].name;
  });
}

TEST(Eprop, ResumesWithItsFeedback) {
  const Network network = eprop_network(NeuronKind::lif);
  Eprop eprop;
  eprop.feedback = EpropFeedback::random;
  Options options = eprop_options(kCrossEntropy, eprop);
  Trainer whole(network, options), first(network, options);
  options.seed = 77;  // another feedback to begin with
  Trainer second(network, options);
  for (std::uint64_t n = 0; n < 4; ++n) {
    const SpikeBatch batch = random_batch(network, 5, 0.2, n);
    (void)whole.train(batch);
    (void)(n < 2 ? first : second).train(batch);
    if (n != 1) continue;
    second.set_parameters(first.parameters());
    second.set_state(first.state());
  }
  for (const Tensor& tensor : whole.parameters())
    EXPECT_EQ(tensor_of(second.parameters(), tensor.name).values, tensor.values) << tensor.name;
}

// Connections that rewire under e-prop: the number of synapses stays, some are others, the loss falls.
TEST(Eprop, TrainsConnectionsThatRewire) {
  Network network = eprop_network(NeuronKind::lif, 40);
  Rewiring rewiring;
  rewiring.kind = RewiringKind::deep_r;
  rewiring.l1 = 0.01;
  network.layers[0].input = sparse(0.5, 0, 0);
  network.layers[0].recurrent = sparse(0.3, 0, 0);
  network.layers[0].input.rewiring = network.layers[0].recurrent->rewiring = rewiring;
  network.layers[0].initial_gain = 1.5;
  Options options = eprop_options(kCrossEntropy, {}, 2);
  options.optimizer.learning_rate = 0.005;
  Trainer trainer(network, options);
  const SpikeBatch batch = random_batch(network, 9, 0.25, 5);
  const std::size_t synapses = tensor_of(trainer.parameters(), "hidden.weight").values.size();
  const double before = trainer.evaluate(batch).loss;
  std::uint64_t formed = 0;
  for (int n = 0; n < 60; ++n) {
    const BatchResult result = trainer.train(batch);
    for (const RewiringCounts& counts : result.rewiring) formed += counts.formed;
  }
  EXPECT_EQ(tensor_of(trainer.parameters(), "hidden.weight").values.size(), synapses);
  EXPECT_GT(formed, 0u);
  EXPECT_LT(trainer.evaluate(batch).loss, 0.5 * before);
}

std::string refusal(const Network& network, const Options& options) {
  std::string all;
  for (const Problem& problem : validate(network, options)) all += problem.message + "\n";
  return all;
}

TEST(Eprop, SaysWhatItCannotTrain) {
  const Network good = eprop_network(NeuronKind::lif);
  const Options options = eprop_options(kCrossEntropy, {});
  EXPECT_EQ(refusal(good, options), "");
  const auto with = [&](const auto& change) {
    Network network = good;
    Options changed = options;
    change(network, changed);
    return refusal(network, changed);
  };
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers[0].reset = Reset::to_zero; }), "traces outlive a spike"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers[0].neuron = NeuronKind::synaptic_lif; }), "not for synaptic_lif"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers[0].membrane.trainable = true; }), "time constants are not trained"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers[1].membrane.trainable = true; }), "one fixed value"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers.insert(n.layers.begin(), n.layers[0]); n.layers[0].name = "more"; }),
                  "2 layers are to learn"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers.erase(n.layers.begin()); }), "spiking neurons below the readout"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.strategy = Strategy::dense; }), "no dense strategy"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.strategy = Strategy::reference; }), "no reference strategy"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.parallel = Parallel::model; }), "parallel = model"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.loss.kind = LossKind::cross_entropy; }), "an error in every step"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.eprop->convention = EpropConvention::mlgenn; }), "the readout differ"));
  EXPECT_TRUE(has(with([](Network& n, Options& o) {
                    o.eprop->convention = EpropConvention::mlgenn;
                    n.layers[1].membrane = n.layers[0].membrane;
                    o.loss.window = 10;
                  }),
                  "leave out `window`"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.loss.window = 41; }), "at most the steps"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.eprop->rate_strength = -1.0; }), "rate_strength"));
  EXPECT_TRUE(has(with([](Network&, Options& o) { o.eprop->rate_tau_ms = 0.0; }), "rate_tau_ms"));
  EXPECT_TRUE(has(with([](Network& n, Options&) { n.layers[0].membrane = {0.5, 0.9, true, false}; }), "subtract_undecayed"));
}

// One output and targets from the data: right is what comes within a tenth of the target's square.
TEST(Eprop, ErrorsOfTargets) {
  Network network = eprop_network(NeuronKind::lif, 10, 4);
  network.classes = network.layers[1].size = 1;
  const Options options = eprop_options(kSquares, {});
  Trainer trainer(network, options);
  SpikeBatch batch = random_batch(network, 2, 0.0, 1);  // no input, no output
  batch.label = {0, 0};
  batch.target = {1.0f, 2.0f, 0.0f, 2.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  const BatchResult result = trainer.evaluate(batch);
  EXPECT_DOUBLE_EQ(result.loss, 0.5 * (1.0 + 4.0 + 4.0) / 2.0);
  EXPECT_EQ(result.correct, 1u);
  batch.target.pop_back();
  EXPECT_THROW((void)trainer.evaluate(batch), InputError);
}

}  // namespace
}  // namespace tessera::training
