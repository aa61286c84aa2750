// Topology: hand-drawn convolutions and pooling, sparse structure and its statistics, initial
// values.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/topology.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "train/parameters.hpp"
#include "train/small_network.hpp"

namespace tessera::training {
namespace {

using Synapse = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::size_t>;

std::vector<Synapse> synapses(const Projection& projection) {
  std::vector<Synapse> result;
  for_each_synapse(projection,
                   [&](std::uint32_t source, std::uint32_t target, std::uint32_t delay,
                       std::size_t weight) { result.emplace_back(source, target, delay, weight); });
  return result;
}

Network with_input(Shape input, const Connection& connection, std::uint32_t size) {
  Network n = test::network(1, test::layer("hidden", NeuronKind::lif, size), 2, 4);
  n.input = input;
  n.layers[0].input = connection;
  return n;
}

TEST(topology, dense_weights_are_source_major) {
  const auto topology = resolve(with_input({1, 1, 2}, {}, 3), 1);
  const std::vector<Synapse> expected = {{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 2, 0, 2},
                                         {1, 0, 0, 3}, {1, 1, 0, 4}, {1, 2, 0, 5}};
  EXPECT_EQ(synapses(topology[0].input), expected);
  EXPECT_EQ(topology[0].fan_in, 2.0);
  EXPECT_EQ(topology[1].input.weights, 6U);
}

// The definition, read target by target: output (oy, ox) sees input (oy s + dy - p, ox s + dx - p).
std::set<Synapse> convolution_by_definition(const Shape& in, const Connection& c,
                                            const Shape& out) {
  std::set<Synapse> result;
  for (int oy = 0; oy < int(out.height); ++oy)
    for (int ox = 0; ox < int(out.width); ++ox)
      for (int f = 0; f < int(c.filters); ++f)
        for (int dy = 0; dy < int(c.kernel); ++dy)
          for (int dx = 0; dx < int(c.kernel); ++dx)
            for (int channel = 0; channel < int(in.channels); ++channel) {
              const int y = oy * int(c.stride) + dy - int(c.padding);
              const int x = ox * int(c.stride) + dx - int(c.padding);
              if (y < 0 || x < 0 || y >= int(in.height) || x >= int(in.width)) continue;
              result.emplace(
                  (y * in.width + x) * in.channels + channel,
                  (oy * out.width + ox) * out.channels + f, 0,
                  ((channel * c.kernel + dy) * c.kernel + dx) * std::size_t{c.filters} + f);
            }
  return result;
}

TEST(topology, convolution_follows_its_definition) {
  Connection c;
  c.kind = ConnectionKind::convolution;
  c.filters = 2;
  const Shape in{6, 5, 3};
  for (const auto& [kernel, stride, padding, height, width] :
       {std::array{3U, 1U, 0U, 4U, 3U}, std::array{3U, 1U, 1U, 6U, 5U},
        std::array{2U, 2U, 0U, 3U, 2U}, std::array{3U, 2U, 1U, 3U, 3U},
        std::array{5U, 3U, 2U, 2U, 2U}}) {
    c.kernel = kernel;
    c.stride = stride;
    c.padding = padding;
    const auto topology = resolve(with_input(in, c, 0), 1);
    const Shape out{height, width, 2};
    EXPECT_EQ(topology[0].shape, out) << kernel << ' ' << stride << ' ' << padding;
    const auto found = synapses(topology[0].input);
    const auto expected = convolution_by_definition(in, c, out);
    EXPECT_EQ(std::set<Synapse>(found.begin(), found.end()), expected);
    EXPECT_EQ(found.size(), expected.size());
    EXPECT_EQ(topology[0].input.weights, 3U * kernel * kernel * 2U);
    EXPECT_EQ(topology[0].fan_in, 3.0 * kernel * kernel);
  }
}

TEST(topology, pooling_drops_the_pixels_that_remain) {
  Connection c;
  c.pool = 2;
  const auto topology = resolve(with_input({3, 5, 1}, c, 1), 1);
  const Projection& p = topology[0].input;
  EXPECT_EQ(p.pooled, (Shape{1, 2, 1}));
  EXPECT_EQ(p.scale, 0.25F);
  const std::uint32_t none = not_pooled;
  const std::vector<std::uint32_t> expected = {0,    0,    1,    1,    none,  //
                                               0,    0,    1,    1,    none,  //
                                               none, none, none, none, none};
  EXPECT_EQ(p.pooled_index, expected);
  EXPECT_EQ(p.weights, 2U);
  const std::vector<Synapse> list = {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 0, 0, 1}, {3, 0, 0, 1},
                                     {5, 0, 0, 0}, {6, 0, 0, 0}, {7, 0, 0, 1}, {8, 0, 0, 1}};
  EXPECT_EQ(synapses(p), list);
  c.pooling = Pooling::sum;
  EXPECT_EQ(resolve(with_input({3, 5, 1}, c, 1), 1)[0].input.scale, 1.0F);
}

Connection sparse(double density, std::uint32_t min_delay, std::uint32_t max_delay) {
  Connection c;
  c.kind = ConnectionKind::sparse;
  c.density = density;
  c.min_delay = min_delay;
  c.max_delay = max_delay;
  return c;
}

TEST(topology, sparse_rows_are_sorted_and_without_doubles) {
  const auto topology = resolve(with_input({1, 1, 80}, sparse(0.2, 1, 4), 60), 7);
  const Projection& p = topology[0].input;
  ASSERT_EQ(p.row_first.size(), 80U * 5U + 1U);
  EXPECT_EQ(p.row_first.back(), p.target_of.size());
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::map<std::uint32_t, int> delays;
  std::size_t next = 0;
  for (const auto& [source, target, delay, weight] : synapses(p)) {
    EXPECT_TRUE(pairs.emplace(source, target).second);
    EXPECT_EQ(weight, next++);
    EXPECT_LT(target, 60U);
    ++delays[delay];
  }
  for (std::size_t r = 0; r + 1 < p.row_first.size(); ++r)
    for (std::size_t i = p.row_first[r] + 1; i < p.row_first[r + 1]; ++i)
      EXPECT_LT(p.target_of[i - 1], p.target_of[i]);
  // Binomial(4800, 0.2): 960 +- 28; each delay a quarter of it, 240 +- 13. Five deviations.
  EXPECT_NEAR(double(p.weights), 960.0, 140.0);
  ASSERT_EQ(delays.size(), 4U);
  for (const auto& [delay, count] : delays) EXPECT_NEAR(count, 240.0, 75.0) << delay;
  EXPECT_EQ(delays.count(0), 0U);
}

TEST(topology, density_one_has_every_synapse) {
  const auto topology = resolve(with_input({1, 1, 4}, sparse(1.0, 0, 0), 5), 3);
  const auto dense = resolve(with_input({1, 1, 4}, {}, 5), 3);
  EXPECT_EQ(synapses(topology[0].input), synapses(dense[0].input));
}

TEST(topology, structure_depends_on_the_seed_alone) {
  Network n = with_input({1, 1, 20}, sparse(0.3, 0, 2), 10);
  n.layers[0].recurrent = sparse(0.3, 0, 2);
  const auto a = resolve(n, 5), b = resolve(n, 5), c = resolve(n, 6);
  EXPECT_EQ(a[0].input.target_of, b[0].input.target_of);
  EXPECT_NE(a[0].input.target_of, c[0].input.target_of);
  EXPECT_EQ(a[0].recurrent->sources, 10U);
  // A source of the input and of the layer itself must not draw the same targets.
  const auto first = [](const Projection& p) {
    return std::vector<std::uint32_t>(p.target_of.begin(), p.target_of.begin() + 8);
  };
  EXPECT_NE(first(a[0].input), first(*a[0].recurrent));
}

TEST(parameters, have_the_documented_shapes_and_deviation) {
  Network n = with_input({1, 1, 400}, {}, 100);
  n.layers[0].bias = true;
  n.layers[0].recurrent = sparse(0.5, 0, 0);
  n.layers[0].membrane = {0.8, 0.99, true, false};
  n.layers[1].membrane = {0.9, 0.9, false, true};
  const auto topology = resolve(n, 1);
  const auto tensors = initial_parameters(n, topology, 1);
  ASSERT_EQ(tensors.size(), 6U);
  EXPECT_EQ(tensors[0].name, "hidden.weight");
  EXPECT_EQ(tensors[0].shape, (std::vector<std::uint64_t>{400, 100}));
  EXPECT_EQ(tensors[1].name, "hidden.recurrent_weight");
  EXPECT_EQ(tensors[1].shape, (std::vector<std::uint64_t>{topology[0].recurrent->weights}));
  EXPECT_EQ(tensors[2].name, "hidden.bias");
  EXPECT_EQ(tensors[3].name, "hidden.membrane_logit");
  EXPECT_EQ(tensors[3].shape, (std::vector<std::uint64_t>{100}));
  EXPECT_EQ(tensors[4].name, "readout.weight");
  EXPECT_EQ(tensors[5].shape, (std::vector<std::uint64_t>{1}));
  double sum = 0.0, squares = 0.0;
  for (const float w : tensors[0].values) {
    sum += w;
    squares += double(w) * w;
  }
  // gain 2 / sqrt(400 inputs) = 0.1; 40,000 values: the mean is 0 +- 0.0005, the variance 0.01 +-
  // 0.7 %.
  EXPECT_NEAR(sum / 40000.0, 0.0, 0.0025);
  EXPECT_NEAR(squares / 40000.0, 0.01, 0.00035);
  EXPECT_EQ(find_tensor(tensors, "hidden", "bias"), &tensors[2]);
  EXPECT_EQ(find_tensor(tensors, "hidden", "synapse_logit"), nullptr);
}

TEST(parameters, decay_factors_are_log_uniform_in_tau) {
  const Decay decay{std::exp(-1.0 / 5.0), std::exp(-1.0 / 50.0), true, false};
  const auto values = decay_values(decay, 4000, 3, 0, DecayRole::membrane);
  int below = 0;
  for (const double value : values) {
    const double tau = -1.0 / std::log(value);
    EXPECT_GE(tau, 5.0 - 1e-9);
    EXPECT_LE(tau, 50.0 + 1e-9);
    below += tau < std::sqrt(5.0 * 50.0);  // the middle of the logarithms
  }
  EXPECT_NEAR(below, 2000.0, 160.0);  // five deviations of Binomial(4000, 1/2)
  const Tensor logit{"x", {1}, {std::log(9.0F)}};
  EXPECT_NEAR(current_decay(decay, &logit, 2)[1], 0.9, 1e-7);
  EXPECT_EQ(current_decay({0.7, 0.7, false, false}, nullptr, 2), (std::vector<double>{0.7, 0.7}));
}

}  // namespace
}  // namespace tessera::training
