// On an ideal substrate nothing changes, to the bit: outputs, spikes, gradients and trained weights are those of the
// network that is not divided.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>
#include <string>

#include "train/networks.hpp"
#include "train/substrates.hpp"

namespace tessera::training {
namespace {

struct Case {
  std::string name;
  std::function<void(Network&)> change;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  return {
      {"lif", [](Network&) {}},
      {"subtract", [](Network& n) { n.layers[0].reset = Reset::subtract; }},
      {"adaptive", [](Network& n) { make_adaptive(n.layers[1]); }},
      {"synaptic", [](Network& n) { make_synaptic(n.layers[0]); }},
      {"bias", [](Network& n) { n.layers[0].bias = n.layers[2].bias = true; }},
      {"sigmoid", [](Network& n) { n.layers[0].surrogate = Surrogate::sigmoid; }},
      {"own_decays", [](Network& n) { n.layers[0].membrane = {0.8, 0.95, true, false}; }},
      {"short_lists", [](Network& n) { n.layers[0].max_activity = 0.2; }},
      {"delays", [](Network& n) { n.layers[0].input = sparse(0.4, 0, 5), n.layers[1].input = sparse(0.5, 1, 3); }},
      {"sparse_bias", [](Network& n) { n.layers[0].input = sparse(0.6, 0, 0), n.layers[0].bias = true; }},
      {"pooled", [](Network& n) { n.input = {6, 6, 3}, n.layers[0].input.pool = 2; }},
      {"convolution", [](Network& n) { make_convolutional(n, 1); }},
      {"pooled_convolution", [](Network& n) { make_convolutional(n, 2); }},
      {"recurrent", [](Network& n) { n.layers[0].recurrent = Connection{}; }},
      {"recurrent_delays", [](Network& n) { n.layers[0].recurrent = sparse(0.3, 0, 4), n.layers[0].max_activity = 0.4; }},
      {"wide", [](Network& n) { n.layers[0].size = 300; }},
  };
}

struct Result {
  std::vector<Tensor> gradients, parameters;
  std::vector<float> output;
  std::vector<std::array<std::uint32_t, 2>> spikes;
  BatchResult evaluated;
};

Result run(const Network& network, std::shared_ptr<const Substrate> substrate, int threads, double theta_grad) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.substrate = std::move(substrate);
  options.second_threshold = {theta_grad, 0.5, std::isinf(theta_grad) ? 0.0 : 0.3};
  Trainer trainer(network, options);
  Result r;
  const SpikeBatch batch = random_batch(network, 9, 0.2, 3);
  trainer.gradients(batch, r.gradients);
  for (std::uint64_t k = 0; k < 3; ++k) trainer.train(random_batch(network, 9, 0.25, 10 + k));
  r.evaluated = trainer.evaluate(batch);
  r.output = trainer.output();
  r.spikes = trainer.spikes(0, 2);
  r.parameters = trainer.parameters();
  return r;
}

void expect_equal(const Result& a, const Result& b) {
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.spikes, b.spikes);
  EXPECT_EQ(a.evaluated.neuron_spikes, b.evaluated.neuron_spikes);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t k = 0; k < a.gradients.size(); ++k) {
    EXPECT_EQ(a.gradients[k].values, b.gradients[k].values) << a.gradients[k].name;
    EXPECT_EQ(a.parameters[k].values, b.parameters[k].values) << a.parameters[k].name;
  }
}

class IdealSubstrate : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Networks, IdealSubstrate, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(IdealSubstrate, GivesTheSameBits) {
  Network network = two_layers();
  GetParam().change(network);
  for (const double theta_grad : {-std::numeric_limits<double>::infinity(), -100.0}) {
    const Result whole = run(network, nullptr, 1, theta_grad);
    EXPECT_FALSE(whole.spikes.empty()) << "nothing is compared";
    const std::uint32_t neurons = network.layers[0].recurrent ? 11 : 13;  // never a multiple of a tile or a vector
    for (const std::uint32_t chips : {1U, 2U, 4U}) {
      expect_equal(run(network, on(divide(network, neurons, chips)), chips == 1 ? 1 : 2, theta_grad), whole);
    }
    expect_equal(run(network, on(divide(network, 150, 1, true)), 2, theta_grad), whole);
    expect_equal(run(network, on(deal(network)), 1, theta_grad), whole);
  }
}

TEST(IdealSubstrate, TakesTheMemoryOfItsLargestPart) {
  Network network = two_layers();
  network.layers[0].size = 300;
  Options options = options_of({}, Strategy::sparse, 1);
  const auto use = [&](std::uint32_t neurons, std::uint32_t chips = 1) {
    options.substrate = on(divide(network, neurons, chips));
    Trainer trainer(network, options);
    trainer.evaluate(random_batch(network, 9, 0.2, 3));
    return trainer.substrate_use();
  };
  const SubstrateUse whole = use(1000), parts = use(50);
  EXPECT_EQ(whole.parts, 3U);
  EXPECT_EQ(parts.parts, 6U + 1U + 1U);
  // Weights of the first layer are 30 sources x 300 neurons of 4 bytes, of a part 30 x 64 (whole vectors).
  EXPECT_GT(whole.largest_part, 30U * 300U * 4U);
  EXPECT_GT(parts.largest_part, 30U * 64U * 4U);
  // The second layer, 300 sources x 32 neurons, is what is largest now.
  EXPECT_LT(parts.largest_part, 300U * 32U * 4U + 20'000U);
  EXPECT_LT(parts.largest_part, parts.all_parts);
  // Six chips have the six parts of the first layer at one time: the weights alone are more than the second layer takes.
  const SubstrateUse at_once = use(50, 6);
  EXPECT_EQ(at_once.all_parts, parts.all_parts);
  EXPECT_GT(at_once.largest_part, 6U * 30U * 64U * 4U);
}

}  // namespace
}  // namespace tessera::training
