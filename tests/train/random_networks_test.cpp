// Networks drawn at random, so that features meet in ways nobody thought of, against the float64
// oracle.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "support/draw.hpp"
#include "train/blas.hpp"
#include "train/networks.hpp"

namespace tessera::training {
namespace {

using tessera::test::Draw;

Connection drawn_connection(Draw& draw, bool image) {
  Connection c;
  const std::uint32_t kind = draw.below(image ? 3 : 2);
  if (kind == 1) c = sparse(draw.between(0.3, 0.9), draw.below(2), 1 + draw.below(3));
  if (kind == 1 && draw.one_in(2)) c.min_delay = c.max_delay = 0;
  if (kind == 2) {
    c.kind = ConnectionKind::convolution;
    c.filters = 1 + draw.below(10);
    c.kernel = 1 + draw.below(3);
    c.stride = 1 + draw.below(2);
    c.padding = c.kernel / 2 + draw.below(c.kernel - c.kernel / 2);
  }
  if (image) c.pool = 1 + draw.below(2);
  c.pooling = draw.one_in(2) ? Pooling::sum : Pooling::average;
  return c;
}

Decay drawn_decay(Draw& draw) {
  Decay decay{0.85, 0.85, false, draw.one_in(2)};
  if (draw.one_in(2)) decay = {0.6, 0.95, true, decay.trainable};
  return decay;
}

Layer drawn_layer(Draw& draw, const std::string& name, bool image) {
  Layer layer = make_layer(name.c_str(), NeuronKind::lif,
                           draw.one_in(4) ? 130 + draw.below(60) : 10 + draw.below(40), 2.0);
  layer.neuron = static_cast<NeuronKind>(draw.below(3));
  layer.input = drawn_connection(draw, image);
  if (layer.input.kind == ConnectionKind::convolution) layer.size = 0;
  if (layer.input.pool > 1 && layer.input.pooling == Pooling::average) layer.initial_gain *= 4.0;
  if (draw.one_in(2)) layer.recurrent = drawn_connection(draw, false);
  if (layer.recurrent) layer.recurrent->pool = 1;
  layer.bias = draw.one_in(2);
  layer.membrane = drawn_decay(draw);
  layer.synapse = drawn_decay(draw);
  layer.adaptation = drawn_decay(draw);
  layer.capacitance = draw.one_in(2) ? 1.0 : 1.7;
  layer.threshold = draw.one_in(2) ? 1.0 : 1.3;
  layer.reset = draw.one_in(2) ? Reset::subtract : Reset::to_zero;
  layer.surrogate = static_cast<Surrogate>(draw.below(3));  // without kinks: rounding cannot decide
  if (draw.one_in(3)) layer.regulariser = {2.0, 0.05, 0.1};
  return layer;
}

Network drawn_network(Draw& draw, Loss& loss) {
  Network network;
  network.name = "drawn";
  network.steps = 1 + draw.below(20);
  network.classes = 3;
  network.input = draw.one_in(3) ? Shape{1, 1, 20 + draw.below(30)}
                                 : Shape{5, 4 + draw.below(4), 1 + draw.below(2)};
  bool image = network.input.height > 1;
  const std::uint32_t layers = 1 + draw.below(3);
  for (std::uint32_t k = 0; k < layers; ++k) {
    network.layers.push_back(drawn_layer(draw, "layer" + std::to_string(k), image));
    const Connection& c = network.layers.back().input;
    image = image && c.kind == ConnectionKind::convolution && c.stride == 1 && c.pool == 1 &&
            c.kernel < 3;
  }
  Layer out = drawn_layer(draw, "out", false);
  out.size = 3;
  loss.kind = static_cast<LossKind>(draw.below(4));
  loss.reduction = static_cast<Reduction>(draw.below(3));
  if (loss.kind == LossKind::spike_count) {
    if (out.neuron == NeuronKind::readout) out.neuron = NeuronKind::lif;
  } else {
    out.neuron = NeuronKind::readout;
    out.recurrent.reset();
    out.regulariser = {};
  }
  network.layers.push_back(out);
  return network;
}

double relative_difference(const Tensor& a, const Tensor& b) {
  double largest = 1e-6, difference = 0.0;
  for (std::size_t k = 0; k < b.values.size(); ++k) {
    largest = std::max(largest, std::abs(static_cast<double>(b.values[k])));
    difference = std::max(difference, std::abs(static_cast<double>(a.values[k]) - b.values[k]));
  }
  return difference / largest;
}

bool same_spikes(const Trainer& a, const Trainer& b, std::uint32_t samples) {
  for (std::size_t layer = 0; layer < a.network().layers.size(); ++layer) {
    for (std::uint32_t sample = 0; sample < samples; ++sample) {
      if (a.spikes(layer, sample) != b.spikes(layer, sample)) return false;
    }
  }
  return true;
}

// What the dense strategy has no matrices for becomes something that it has.
void make_dense(Network& network) {
  const auto change = [](Connection& c) {
    c.min_delay = c.max_delay = 0;
    if (c.kind != ConnectionKind::convolution) return;
    const Connection convolution = c;
    c = {};
    c.pool = convolution.pool;
    c.pooling = convolution.pooling;
  };
  for (Layer& layer : network.layers) {
    if (layer.size == 0) layer.size = 20;
    change(layer.input);
    if (layer.recurrent) change(*layer.recurrent);
    // A layer that was an image before is a row now.
    if (&layer != network.layers.data()) layer.input.pool = 1;
  }
}

// A wrong term shows far above 1e-4; sums that nearly cancel, as those of a shared decay, leave a
// few 1e-5 of rounding in single precision.
void expect_oracle(Strategy strategy) {
  int rounded = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    Draw draw(seed);
    Loss loss;
    Network network = drawn_network(draw, loss);
    if (strategy == Strategy::dense) make_dense(network);
    const std::vector<Problem> problems = validate(network, options_of(loss, strategy, 1));
    ASSERT_TRUE(problems.empty()) << seed << ": " << problems[0].message;
    const std::uint32_t samples = 1 + draw.below(6);
    const SpikeBatch batch = random_batch(network, samples, draw.between(0.05, 0.3), seed);
    Trainer oracle(network, options_of(loss, Strategy::reference, 1));
    Trainer fast(network, options_of(loss, strategy, 1 + static_cast<int>(seed % 3)));
    const double theta_grad = seed % 2 == 0 ? -std::numeric_limits<double>::infinity() : 0.3;
    oracle.set_theta_grad(theta_grad);
    fast.set_theta_grad(theta_grad);
    std::vector<Tensor> wanted, found;
    const BatchResult a = oracle.gradients(batch, wanted), b = fast.gradients(batch, found);
    if (!same_spikes(oracle, fast, samples)) {
      ++rounded;
      continue;
    }
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_NEAR(b.loss, a.loss, 1e-5 * std::abs(a.loss) + 1e-6);
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      EXPECT_LT(relative_difference(found[k], wanted[k]), 1e-4) << wanted[k].name;
    }
    for (std::size_t k = 0; k < a.layers.size(); ++k)
      EXPECT_EQ(b.layers[k].listed, a.layers[k].listed);
  }
  EXPECT_LE(rounded, 2) << "rounding may decide about a spike now and then, not often";
}

TEST(RandomNetworks, SparseEqualsTheOracle) { expect_oracle(Strategy::sparse); }

TEST(RandomNetworks, DenseEqualsTheOracle) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  expect_oracle(Strategy::dense);
}

}  // namespace
}  // namespace tessera::training
