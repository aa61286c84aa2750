// The sparse strategy against PyTorch's autograd, through the trainer.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "train/pytorch_fixture.hpp"

namespace tessera::training {
namespace {

// Relative to the largest value: single precision against float64.
template <class Found>
void expect_close(const Found& found, const std::vector<double>& expected,
                  const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double largest = 0.0;
  for (const double x : expected) largest = std::max(largest, std::abs(x));
  EXPECT_GT(largest, 0.0) << what << " is all zero: the case says nothing";
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(found[k], expected[k], 1e-5 * largest) << what << " [" << k << ']';
  }
}

TEST(Pytorch, TheSparseStrategyHasTheSameGradients) {
  const std::vector<test::PytorchCase> cases = test::read_pytorch_cases();
  ASSERT_EQ(cases.size(), 7u);
  for (const test::PytorchCase& c : cases) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(c.network.name);
      Options options;
      options.threads = threads;
      options.strategy = Strategy::sparse;
      options.loss = c.loss;
      options.second_threshold = {-std::numeric_limits<double>::infinity(), 0.0, 0.0};
      Trainer trainer(c.network, options);
      trainer.set_parameters(c.parameters);
      std::vector<Tensor> gradients;
      const BatchResult result = trainer.gradients(c.batch, gradients);
      EXPECT_NEAR(result.loss, c.expected_loss, 1e-5 * std::max(1.0, c.expected_loss));
      EXPECT_EQ(result.prediction, c.expected_prediction);
      ASSERT_EQ(result.layers.size(), c.expected_spikes.size());
      for (std::size_t k = 0; k < result.layers.size(); ++k) {
        EXPECT_EQ(result.layers[k].spikes, c.expected_spikes[k]);
        EXPECT_EQ(result.layers[k].listed, result.layers[k].neuron_steps);
      }
      ASSERT_EQ(gradients.size(), c.parameters.size());
      for (std::size_t k = 0; k < gradients.size(); ++k) {
        EXPECT_EQ(gradients[k].name, c.parameters[k].name);
        expect_close(gradients[k].values, c.expected_gradients[k], gradients[k].name);
      }
      trainer.evaluate(c.batch);
      expect_close(trainer.output(), c.expected_output, "output");
    }
  }
}

}  // namespace
}  // namespace tessera::training
