// The oracle against PyTorch's autograd: outputs, spikes, losses and all gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "train/pytorch_fixture.hpp"
#include "train/reference_network.hpp"

namespace tessera::training {
namespace {

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-9 * std::max(1.0, std::abs(expected[i])))
        << what << '[' << i << ']';
}

TEST(pytorch, oracle_has_the_same_outputs_and_gradients) {
  const auto cases = test::read_pytorch_cases();
  ASSERT_EQ(cases.size(), 7U);
  for (const test::PytorchCase& c : cases) {
    SCOPED_TRACE(c.network.name);
    Options options;
    options.loss = c.loss;
    EXPECT_TRUE(validate(c.network, options).empty());
    const auto topology = resolve(c.network, 1);
    const Reference reference(c.network, topology);
    const ReferenceValues values = to_values(c.parameters);
    const ReferenceRun run = reference.run(values, c.batch, c.loss);
    EXPECT_NEAR(run.loss, c.expected_loss, 1e-10 * std::max(1.0, c.expected_loss));
    EXPECT_NEAR(run.regulariser, c.expected_regulariser, 1e-10);
    EXPECT_EQ(run.prediction, c.expected_prediction);
    expect_near(run.output(), c.expected_output, "output");
    for (std::size_t i = 0; i < c.expected_spikes.size(); ++i) {
      const auto& spikes = run.layers[i].spike;
      EXPECT_EQ(std::accumulate(spikes.begin(), spikes.end(), 0.0), double(c.expected_spikes[i]));
    }
    const ReferenceValues gradients = reference.gradients(values, c.batch, run);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      expect_near(gradients[i], c.expected_gradients[i], c.parameters[i].name);
  }
}

}  // namespace
}  // namespace tessera::training
