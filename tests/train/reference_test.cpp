// The oracle: trajectories computed by hand, gradients against central differences of the smoothed
// network for every kind of layer, and the mask of the second threshold.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "train/parameters.hpp"
#include "train/reference_network.hpp"
#include "train/small_network.hpp"

namespace tessera::training {
namespace {

/// A network with everything that belongs to it.
struct Bench {
  Network network;
  Loss loss;
  std::vector<LayerTopology> topology;
  std::vector<Tensor> tensors;
  SpikeBatch batch;

  Bench(Network n, Loss l, std::uint32_t samples = 3)
      : network(std::move(n)),
        loss(l),
        topology(resolve(network, 11)),
        tensors(initial_parameters(network, topology, 5)),
        batch(test::random_spikes(network, samples, 0.3, 9)) {
    Options options;
    options.loss = loss;
    EXPECT_TRUE(validate(network, options).empty());
  }
};

/// Every parameter whose gradient should be there, against central differences. Kinked surrogates
/// need a step below the distance of every u from its kinks: the tolerance says what is left.
void expect_finite_differences(const Bench& bench, const std::string& name,
                               double tolerance = 2e-7) {
  const Reference reference(bench.network, bench.topology);
  ReferenceValues values = to_values(bench.tensors);
  // Logits and biases away from their symmetric starting values.
  for (auto& tensor : values)
    for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] += 0.05 * std::sin(3.0 * double(i));
  ReferenceOptions options;
  options.smoothed = true;
  const ReferenceRun base = reference.run(values, bench.batch, bench.loss, options);
  const ReferenceValues gradients = reference.gradients(values, bench.batch, base, options);
  options.base = &base;
  const auto total = [&] {
    const ReferenceRun run = reference.run(values, bench.batch, bench.loss, options);
    return run.loss + run.regulariser;
  };
  const double h = 1e-6;
  // Rounding leaves about 1e-16 of the loss, divided by h.
  const double least = std::max(1.0, base.loss);
  for (std::size_t p = 0; p < values.size(); ++p) {
    double largest = 0.0;
    for (std::size_t i = 0; i < values[p].size(); i += 1 + values[p].size() / 40) {
      const double middle = values[p][i];
      values[p][i] = middle + h;
      const double up = total();
      values[p][i] = middle - h;
      const double down = total();
      values[p][i] = middle;
      const double slope = (up - down) / (2.0 * h);
      EXPECT_NEAR(gradients[p][i], slope, tolerance * std::max(least, std::abs(slope)))
          << name << ": " << bench.tensors[p].name << '[' << i << ']';
      largest = std::max(largest, std::abs(slope));
    }
    EXPECT_GT(largest, 1e-5) << name << ": nothing reaches " << bench.tensors[p].name;
  }
}

Network two_hidden(const Layer& hidden, std::uint32_t steps = 12) {
  Network n = test::network(6, hidden, 3, steps);
  Layer second = hidden;
  second.name = "second";
  if (second.input.kind == ConnectionKind::convolution) second.input = Connection{};
  second.size = 7;
  n.layers.insert(n.layers.begin() + 1, second);
  return n;
}

TEST(reference, lif_follows_the_equation_by_hand) {
  Network n = test::network(1, test::layer("hidden", NeuronKind::lif, 1), 2, 4);
  n.layers[0].membrane = {0.5, 0.5, false, false};
  n.layers[0].capacitance = 2.0;
  for (const Reset reset : {Reset::to_zero, Reset::subtract}) {
    n.layers[0].reset = reset;
    const auto topology = resolve(n, 1);
    SpikeBatch batch;
    batch.samples = 1;
    batch.steps = 4;
    batch.channels = 1;
    batch.first = {0, 1, 2, 2, 3};
    batch.channel = {0, 0, 0};
    batch.label = {1};
    // w / C = 0.75: u = 0.75, 0.375 + 0.75 = 1.125 and a spike; then 0, or (1.125 - 1) / 2 =
    // 0.0625.
    const ReferenceRun run = Reference(n, topology).run({{1.5}, {2.0, -1.0}}, batch, {});
    const bool zero = reset == Reset::to_zero;
    const double u2 = zero ? 0.0 : 0.0625;
    const std::vector<double> expected = {0.75, 1.125, u2, u2 / 2.0 + 0.75};
    EXPECT_EQ(run.layers[0].u, expected);
    EXPECT_EQ(run.layers[0].spike, (std::vector<double>{0, 1, 0, 0}));
    // The readout gets the spike in the same step and decays by 0.9.
    EXPECT_DOUBLE_EQ(run.output()[2], 2.0);
    EXPECT_DOUBLE_EQ(run.output()[5], -0.9);
    EXPECT_EQ(run.prediction[0], 0);
  }
}

TEST(reference, adaptation_synapses_and_recurrence_by_hand) {
  Network n = test::network(1, test::layer("hidden", NeuronKind::adaptive_lif, 1), 2, 4);
  n.layers[0].membrane = {0.5, 0.5, false, false};
  n.layers[0].adaptation = {0.5, 0.5, false, false};
  n.layers[0].adaptation_strength = 0.4;
  n.layers[0].recurrent = Connection{};
  SpikeBatch batch;
  batch.samples = 1;
  batch.steps = 4;
  batch.channels = 1;
  batch.first = {0, 1, 1, 1, 1};
  batch.channel = {0};
  batch.label = {0};
  // Spike in step 0; the recurrent weight 1.2 arrives in step 1, below the threshold 1 + 0.4 by
  // then.
  const auto topology = resolve(n, 1);
  ReferenceRun run = Reference(n, topology).run({{2.0}, {1.2}, {1.0, 0.0}}, batch, {});
  EXPECT_EQ(run.layers[0].adaptation, (std::vector<double>{0, 1, 0.5, 0.25}));
  EXPECT_EQ(run.layers[0].spike, (std::vector<double>{1, 0, 0, 0}));
  EXPECT_EQ(run.layers[0].u, (std::vector<double>{2.0, 1.2, 0.6, 0.3}));

  n.layers[0].neuron = NeuronKind::synaptic_lif;
  n.layers[0].recurrent.reset();
  n.layers[0].synapse = {0.5, 0.5, false, false};
  run = Reference(n, resolve(n, 1)).run({{0.5}, {1.0, 0.0}}, batch, {});
  EXPECT_EQ(run.layers[0].current, (std::vector<double>{0.5, 0.25, 0.125, 0.0625}));
  EXPECT_EQ(run.layers[0].u, (std::vector<double>{0.5, 0.5, 0.375, 0.25}));
}

// alpha 0.5, input 2 in steps 0, 2 and 3: u[0] = 2 spikes, u[1] = 1 - 1, u[2] = 2 cannot spike before 3 steps are over,
// u[3] = 1 + 2 can, u[4] = 1.5 - 1.
TEST(reference, refractory_neurons_and_undecayed_resets_by_hand) {
  Network n = test::network(1, test::layer("hidden", NeuronKind::lif, 1), 2, 5);
  n.layers[0].membrane = {0.5, 0.5, false, false};
  n.layers[0].reset = Reset::subtract_undecayed;
  n.layers[0].refractory = 3;
  n.layers[0].bias = true;
  SpikeBatch batch;
  batch.samples = 1;
  batch.steps = 5;
  batch.channels = 1;
  batch.first = {0, 1, 1, 2, 3, 3};
  batch.channel = {0, 0, 0};
  batch.label = {0};
  const auto topology = resolve(n, 1);
  const ReferenceRun run = Reference(n, topology).run({{2.0}, {0.0}, {1.0, 0.0}}, batch, {});
  EXPECT_EQ(run.layers[0].u, (std::vector<double>{2.0, 0.0, 2.0, 3.0, 0.5}));
  EXPECT_EQ(run.layers[0].spike, (std::vector<double>{1, 0, 0, 1, 0}));
}

TEST(reference, gradients_of_every_neuron_kind_and_reset) {
  for (const NeuronKind kind :
       {NeuronKind::lif, NeuronKind::adaptive_lif, NeuronKind::synaptic_lif})
    for (const Reset reset : {Reset::to_zero, Reset::subtract, Reset::subtract_undecayed}) {
      Layer hidden = test::layer("hidden", kind, 8);
      hidden.reset = reset;
      hidden.threshold = 1.2;
      hidden.capacitance = 1.3;
      if (reset == Reset::subtract_undecayed) {
        hidden.refractory = 3;
        hidden.surrogate_height = 0.4;
      }
      expect_finite_differences({two_hidden(hidden), {}},
                                to_string(kind) + (reset == Reset::subtract ? " subtract" : ""));
    }
}

TEST(reference, gradients_of_every_surrogate) {
  for (const Surrogate kind : {Surrogate::superspike, Surrogate::arctan, Surrogate::sigmoid,
                               Surrogate::triangular, Surrogate::piecewise_linear}) {
    Layer hidden = test::layer("hidden", NeuronKind::lif, 8);
    hidden.surrogate = kind;
    hidden.surrogate_steepness = 0.5;
    const bool kinked = kind == Surrogate::piecewise_linear || kind == Surrogate::triangular;
    expect_finite_differences({two_hidden(hidden), {}}, to_string(kind), kinked ? 1e-5 : 2e-7);
  }
}

TEST(reference, gradients_of_every_loss) {
  const Network n = two_hidden(test::layer("hidden", NeuronKind::lif, 8));
  for (const LossKind kind : {LossKind::cross_entropy, LossKind::mean_squared_error})
    for (const Reduction reduction :
         {Reduction::sum, Reduction::mean, Reduction::last, Reduction::max})
      expect_finite_differences({n, {kind, reduction}}, to_string(kind) + to_string(reduction));
  expect_finite_differences({n, {LossKind::cross_entropy_per_step}}, "per step");
  for (const LossKind kind : {LossKind::cross_entropy_per_step, LossKind::squared_error_per_step}) {
    Loss late{kind};
    late.window = 5;
    expect_finite_differences({n, late}, to_string(kind) + " in a window");
  }
  Network spiking = n;
  spiking.layers.back().neuron = NeuronKind::lif;
  expect_finite_differences({spiking, {LossKind::spike_count}}, "spike count");
}

Connection sparse(double density, std::uint32_t max_delay) {
  Connection c;
  c.kind = ConnectionKind::sparse;
  c.density = density;
  c.max_delay = max_delay;
  return c;
}

TEST(reference, gradients_of_recurrent_and_delayed_connections) {
  for (const NeuronKind kind :
       {NeuronKind::lif, NeuronKind::adaptive_lif, NeuronKind::synaptic_lif}) {
    Layer hidden = test::layer("hidden", kind, 8);
    hidden.recurrent = Connection{};
    expect_finite_differences({two_hidden(hidden), {}}, "recurrent " + to_string(kind));
    hidden.recurrent = sparse(0.5, 3);
    hidden.input = sparse(0.6, 2);
    expect_finite_differences({two_hidden(hidden), {}}, "delayed " + to_string(kind));
  }
}

TEST(reference, gradients_of_convolutions_and_pooling) {
  for (const Pooling pooling : {Pooling::average, Pooling::sum}) {
    Layer hidden = test::layer("hidden", NeuronKind::lif, 0);
    hidden.input.kind = ConnectionKind::convolution;
    hidden.input.filters = 3;
    hidden.input.padding = 1;
    hidden.input.pool = 2;
    hidden.input.pooling = pooling;
    Network n = two_hidden(hidden, 6);
    n.input = {7, 8, 2};
    n.layers[1].input.pool = 3;
    n.layers[1].input.pooling = pooling;
    expect_finite_differences({n, {}, 2}, "convolution");
    n.layers[0].input.pool = 1;
    n.layers[0].input.stride = 2;
    expect_finite_differences({n, {}, 2}, "stride");
  }
}

TEST(reference, gradients_of_biases_decays_and_regularisers) {
  for (const NeuronKind kind : {NeuronKind::adaptive_lif, NeuronKind::synaptic_lif}) {
    Layer hidden = test::layer("hidden", kind, 8);
    hidden.bias = true;
    hidden.membrane = {0.7, 0.95, true, true};
    hidden.synapse = {0.6, 0.6, false, true};
    hidden.adaptation = {0.8, 0.97, true, true};
    hidden.adaptation_strength = 0.3;
    hidden.regulariser = {20.0, 0.45, 0.55};
    hidden.bursts = {0.03, 0.9};
    Network n = two_hidden(hidden);
    n.layers.back().bias = true;
    n.layers.back().membrane = {0.8, 0.8, true, true};
    expect_finite_differences({n, {LossKind::cross_entropy, Reduction::mean}}, to_string(kind));
  }
}

TEST(reference, gradients_of_fixed_decays_are_zero) {
  Layer hidden = test::layer("hidden", NeuronKind::lif, 8);
  hidden.membrane = {0.7, 0.95, true, false};
  const Bench bench({two_hidden(hidden), {}});
  const Reference reference(bench.network, bench.topology);
  const auto values = to_values(bench.tensors);
  const ReferenceRun run = reference.run(values, bench.batch, bench.loss);
  const auto gradients = reference.gradients(values, bench.batch, run);
  ASSERT_EQ(bench.tensors[1].name, "hidden.membrane_logit");
  EXPECT_EQ(gradients[1], std::vector<double>(8, 0.0));
}

/// In one feed-forward layer the gradient is a sum over (step, neuron): masking some of them must
/// give what is left of the sum, which the derivative by the spikes shows entry by entry.
TEST(reference, second_threshold_masks_the_surrogate) {
  // One neuron, two steps, u = 0.5 and 0.95 (the input of step 1 adds to 0.9 x 0.5): no spikes.
  Network n = test::network(1, test::layer("hidden", NeuronKind::lif, 1), 2, 2);
  const auto topology = resolve(n, 1);
  const Reference reference(n, topology);
  SpikeBatch batch;
  batch.samples = 1;
  batch.steps = 2;
  batch.channels = 1;
  batch.first = {0, 1, 2};
  batch.channel = {0, 0};
  batch.label = {0};
  const ReferenceValues values = {{0.5}, {1.0, 0.0}};
  const ReferenceRun run = reference.run(values, batch, {});
  ASSERT_DOUBLE_EQ(run.layers[0].u[0], 0.5);
  ASSERT_DOUBLE_EQ(run.layers[0].u[1], 0.95);
  // Silent: softmax is 1/2, so d loss / d u_out is -1/2 for class 0 at both steps. By s of step 0
  // it is -1/2 (1 + 0.9), by s of step 1 it is -1/2. Superspike with beta 2: 1/4 at x = -0.5,
  // 1/1.21 at -0.05.
  const double late = -0.5 / 1.21, early = -0.5 * 1.9 / 4.0;
  // u of step 0 has the input of step 0; u of step 1 that of step 1 and 0.9 of step 0's.
  const auto d_weight = [&](double theta_grad) {
    ReferenceOptions options;
    options.theta_grad = theta_grad;
    return reference.gradients(values, batch, run, options)[0][0];
  };
  EXPECT_NEAR(d_weight(-std::numeric_limits<double>::infinity()), early + late * 1.9, 1e-14);
  EXPECT_NEAR(d_weight(0.9), late * 1.9, 1e-14);
  EXPECT_EQ(d_weight(0.96), 0.0);
  EXPECT_TRUE(Reference::is_listed(n.layers[0], run.layers[0], 1, 0.9));
  EXPECT_FALSE(Reference::is_listed(n.layers[0], run.layers[0], 0, 0.9));
}

TEST(reference, names_the_layer_that_diverges) {
  Bench bench({two_hidden(test::layer("hidden", NeuronKind::lif, 8)), {}});
  bench.tensors[1].values[0] = std::numeric_limits<float>::quiet_NaN();
  const Reference reference(bench.network, bench.topology);
  for (auto& value : bench.tensors[0].values) value = 5.0F;  // so that every neuron spikes
  try {
    (void)reference.run(to_values(bench.tensors), bench.batch, bench.loss);
    FAIL() << "no exception";
  } catch (const DivergedError& error) {
    EXPECT_EQ(error.layer, "second");
  }
}

}  // namespace
}  // namespace tessera::training
