// Gradients of a loss that somebody else has: back-propagated from its derivative by the output.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "train/networks.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kSamples = 6;

Options with_strategy(Strategy strategy) {
  Options options;
  options.strategy = strategy;
  options.threads = 2;
  options.loss.kind = LossKind::squared_error_per_step;
  return options;
}

double largest(const std::vector<Tensor>& tensors) {
  double most = 0.0;
  for (const Tensor& t : tensors) {
    for (const float x : t.values) most = std::max(most, static_cast<double>(std::abs(x)));
  }
  return most;
}

void expect_times(const std::vector<Tensor>& found, double factor, const std::vector<Tensor>& of, double tolerance) {
  ASSERT_EQ(found.size(), of.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    for (std::size_t i = 0; i < found[k].values.size(); ++i) {
      ASSERT_NEAR(found[k].values[i], factor * of[k].values[i], tolerance) << found[k].name << " " << i;
    }
  }
}

// 1/2 sum (u - target)^2, mean over samples, has the derivative (u - target) / samples: the own loss, done outside.
TEST(OuterLoss, TheDerivativeOfAnOwnLossGivesItsGradient) {
  for (const Strategy strategy : {Strategy::sparse, Strategy::dense, Strategy::reference}) {
    const Network network = two_layers();
    const SpikeBatch batch = test::random_spikes(network, kSamples, 0.2, 5);
    Trainer trainer(network, with_strategy(strategy));
    std::vector<Tensor> own, outer, doubled, none;
    const BatchResult result = trainer.gradients(batch, own);
    std::vector<float> derivative = trainer.output();
    for (std::size_t t = 0; t < network.steps; ++t) {
      for (std::size_t b = 0; b < kSamples; ++b) {
        float* const row = derivative.data() + (t * kSamples + b) * network.classes;
        row[batch.label[b]] -= 1.0f;
        for (std::uint32_t c = 0; c < network.classes; ++c) row[c] /= kSamples;
      }
    }
    const BatchResult outside = trainer.gradients(batch, derivative, outer);
    EXPECT_GT(largest(own), 1e-3);
    expect_times(outer, 1.0, own, 1e-5 * largest(own));
    EXPECT_EQ(outside.layers[0].spikes, result.layers[0].spikes);
    EXPECT_TRUE(outside.prediction.empty());

    for (float& d : derivative) d *= 2.0f;  // linear, and exactly so for a power of two
    (void)trainer.gradients(batch, derivative, doubled);
    expect_times(doubled, 2.0, outer, 0.0);
    (void)trainer.gradients(batch, std::vector<float>(derivative.size(), 0.0f), none);
    EXPECT_EQ(largest(none), 0.0);
    std::vector<Tensor> again;  // the own loss is there again
    (void)trainer.gradients(batch, again);
    expect_times(again, 1.0, own, 0.0);
  }
}

// Output of the readout is linear in its own weights: d sum(u) / d w = what the layer below has sent, decayed. With alpha = 0
// and C = 1 that is its number of spikes.
TEST(OuterLoss, TheSumOfAReadoutHasTheSpikesBelowAsItsGradient) {
  Network network = two_layers();
  network.layers.back().membrane = {0.0, 0.0, false, false};
  const SpikeBatch batch = test::random_spikes(network, kSamples, 0.3, 6);
  Trainer trainer(network, with_strategy(Strategy::sparse));
  std::vector<Tensor> gradients;
  const BatchResult result = trainer.gradients(batch, std::vector<float>(std::size_t{network.steps} * kSamples * network.classes, 1.0f), gradients);
  const Tensor& weight = gradients.back();
  ASSERT_EQ(weight.name, "out.weight");
  for (std::size_t j = 0; j < 24; ++j) {
    for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(weight.values[j * 4 + c], static_cast<float>(result.neuron_spikes[1][j]));
  }
}

TEST(OuterLoss, WhatCannotBeIsRefused) {
  const Network network = two_layers();
  const SpikeBatch batch = test::random_spikes(network, kSamples, 0.2, 5);
  Trainer trainer(network, with_strategy(Strategy::sparse));
  std::vector<Tensor> gradients;
  std::vector<float> derivative(std::size_t{network.steps} * kSamples * network.classes, 0.1f);
  EXPECT_THROW((void)trainer.gradients(batch, std::span(derivative).first(7), gradients), InputError);
  derivative[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW((void)trainer.gradients(batch, derivative, gradients), InputError);
}

}  // namespace
}  // namespace tessera::training
