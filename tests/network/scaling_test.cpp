// Counting synapses, and down-scaling against the formulas of van Albada et al. (2015).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "network/build_network.hpp"

namespace tessera {
namespace {

using test::contains;
using test::neurons;
using test::project;
using test::two_populations;
using Kind = ConnectivityRule::Kind;

double count(Kind kind, Population source, Population target, ConnectivityRule rule = {}) {
  Projection p = project(source.name, target.name);
  rule.kind = kind;
  p.rule = rule;
  return expected_synapses(p, source, target);
}

TEST(ExpectedSynapses, FollowsFromTheRule) {
  const Population a = neurons("A", 100), b = neurons("B", 50);
  ConnectivityRule r;
  r.number = 7;
  r.probability = 0.25;
  EXPECT_EQ(count(Kind::one_to_one, a, a), 100.0);
  EXPECT_EQ(count(Kind::all_to_all, a, b), 5000.0);
  EXPECT_EQ(count(Kind::fixed_total_number, a, b, r), 7.0);
  EXPECT_EQ(count(Kind::fixed_indegree, a, b, r), 350.0);
  EXPECT_EQ(count(Kind::fixed_outdegree, a, b, r), 700.0);
  EXPECT_EQ(count(Kind::pairwise_bernoulli, a, b, r), 1250.0);
  r.autapses = false;
  EXPECT_EQ(count(Kind::all_to_all, a, a, r), 9900.0);
  EXPECT_EQ(count(Kind::all_to_all, a, b, r), 5000.0);
  EXPECT_EQ(count(Kind::pairwise_bernoulli, a, a, r), 2475.0);
}

TEST(ExpectedSynapses, GaussianEqualsTheSumOverAllPairs) {
  Population grid = neurons("G", 6 * 5);
  grid.grid_columns = 6;
  ConnectivityRule r;
  r.probability = 0.8;
  r.sigma = 1.3;
  double sum = 0.0, without_self = 0.0;
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 30; ++j) {
      const int dx = std::abs(i % 6 - j % 6), dy = std::abs(i / 6 - j / 6);
      const double x = std::min(dx, 6 - dx), y = std::min(dy, 5 - dy);
      const double p = 0.8 * std::exp(-(x * x + y * y) / (2 * 1.3 * 1.3));
      sum += p;
      if (i != j) without_self += p;
    }
  }
  EXPECT_NEAR(count(Kind::gaussian_2d, grid, grid, r), sum, 1e-9);
  r.autapses = false;
  EXPECT_NEAR(count(Kind::gaussian_2d, grid, grid, r), without_self, 1e-9);
}

TEST(ExpectedSynapses, GaussianBetweenDifferentSheetsEqualsTheSumOverAllPairs) {
  // 6 x 5 and 4 x 3 neurons on 3 x 2 mm.
  Population fine = neurons("F", 30), coarse = neurons("C", 12);
  fine.grid_columns = 6;
  coarse.grid_columns = 4;
  ConnectivityRule r;
  r.probability = 0.7;
  r.sigma = 0.9;
  for (const bool periodic : {true, false}) {
    for (Population* p : {&fine, &coarse}) {
      p->extent_mm = {3.0, 2.0};
      p->periodic = periodic;
    }
    double sum = 0.0;
    for (int i = 0; i < 30; ++i) {
      for (int j = 0; j < 12; ++j) {
        double x = std::abs((i % 6 + 0.5) * 3.0 / 6 - (j % 4 + 0.5) * 3.0 / 4);
        double y = std::abs((i / 6 + 0.5) * 2.0 / 5 - (j / 4 + 0.5) * 2.0 / 3);
        if (periodic) x = std::min(x, 3.0 - x), y = std::min(y, 2.0 - y);
        sum += 0.7 * std::exp(-(x * x + y * y) / (2 * 0.9 * 0.9));
      }
    }
    EXPECT_NEAR(count(Kind::gaussian_2d, fine, coarse, r), sum, 1e-9) << periodic;
    EXPECT_NEAR(count(Kind::gaussian_2d, coarse, fine, r), sum, 1e-9) << periodic;
  }
}

TEST(Network, FindsPopulations) {
  const Network network = two_populations();
  EXPECT_EQ(network.find("B")->size, 50u);
  EXPECT_EQ(network.find("C"), nullptr);
  EXPECT_EQ(network.index_of("B"), 1u);
  EXPECT_THROW((void)network.index_of("AB"), InputError);
}

// A -> B with in-degree 40 and 4 Hz, a Poisson drive onto B, a current onto A.
Network driven() {
  Network n = two_populations();
  n.populations[0].mean_rate_hz = 4.0;
  n.populations[1].mean_rate_hz = 9.0;
  n.projections[0].rule.number = 40;
  Stimulus poisson;
  poisson.name = "poisson";
  poisson.kind = Stimulus::Kind::poisson;
  poisson.target = "B";
  poisson.rate_hz = 8000.0;
  poisson.weight = 20.0;
  Stimulus current;
  current.name = "current";
  current.target = "A";
  current.amplitude_pA = 300.0;
  n.stimuli = {poisson, current};
  return n;
}

TEST(Scaling, KeepsMeanAndVarianceOfTheInput) {
  Network n = driven();
  scale_network(n, 0.5, 0.25, NeuronCatalogue::builtin());
  EXPECT_EQ(n.populations[0].size, 50u);
  EXPECT_EQ(n.populations[1].size, 25u);
  EXPECT_EQ(n.projections[0].rule.number, 10u);
  EXPECT_DOUBLE_EQ(n.projections[0].weight.mean(), 100.0);  // 50 / sqrt(0.25)
  EXPECT_DOUBLE_EQ(n.stimuli[0].rate_hz, 2000.0);
  EXPECT_DOUBLE_EQ(n.stimuli[0].weight, 40.0);
  EXPECT_DOUBLE_EQ(n.stimuli[1].amplitude_pA, 300.0);
  // Mean current: 0.001 tau_syn sum(w K nu). Full: 0.5e-3 (50*40*4 + 20*8000) = 84 pA; half is
  // lost.
  ASSERT_EQ(n.stimuli.size(), 3u);
  EXPECT_EQ(n.stimuli[2].target, "B");
  EXPECT_NEAR(n.stimuli[2].amplitude_pA, 42.0, 1e-9);
  const double mean = 0.5e-3 * (100.0 * 10 * 4.0 + 40.0 * 2000.0) + n.stimuli[2].amplitude_pA;
  EXPECT_NEAR(mean, 84.0, 1e-9);
  const double variance = 100.0 * 100.0 * 10 * 4.0 + 40.0 * 40.0 * 2000.0;
  EXPECT_NEAR(variance, 50.0 * 50.0 * 40 * 4.0 + 20.0 * 20.0 * 8000.0, 1e-6);
}

TEST(Scaling, ChangesEveryRuleAsItsInDegree) {
  Network n = driven();
  n.projections.clear();
  const auto add = [&n](Kind kind, std::uint64_t number, double probability) {
    Projection p = project("A", "B");
    p.name = to_string(kind);
    p.rule.kind = kind;
    p.rule.number = number;
    p.rule.probability = probability;
    n.projections.push_back(p);
  };
  add(Kind::fixed_total_number, 1000, 0.0);
  add(Kind::fixed_outdegree, 20, 0.0);
  add(Kind::pairwise_bernoulli, 0, 0.4);
  scale_network(n, 0.5, 0.25, NeuronCatalogue::builtin());
  EXPECT_EQ(n.projections[0].rule.number, 125u);  // in-degree 20 -> 5, for 25 targets
  EXPECT_EQ(n.projections[1].rule.number, 5u);    // in-degree 40 -> 10: 250 from 50 sources
  EXPECT_DOUBLE_EQ(n.projections[2].rule.probability, 0.2);  // in-degree 40 -> 10, of 50 sources
}

TEST(Scaling, ByOneChangesNothing) {
  Network n = driven();
  scale_network(n, 1.0, 1.0, NeuronCatalogue::builtin());
  EXPECT_EQ(n.stimuli.size(), 2u);
  EXPECT_EQ(n.populations[0].size, 100u);
}

std::string refusal(Network n, double neurons_factor, double synapses) {
  try {
    scale_network(n, neurons_factor, synapses, NeuronCatalogue::builtin());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Scaling, RefusesWhatItCannotDo) {
  EXPECT_TRUE(contains(refusal(driven(), 0.0, 1.5), "above 0 and at most 1"));
  Network silent = driven();
  silent.populations[0].mean_rate_hz = 0.0;
  EXPECT_TRUE(contains(refusal(silent, 1.0, 0.5), "'A' needs a mean_rate"));
  EXPECT_TRUE(contains(refusal(driven(), 0.001, 1.0), "without neurons"));
  Network all = driven();
  all.projections[0].rule.kind = Kind::all_to_all;
  EXPECT_TRUE(contains(refusal(all, 1.0, 0.5), "in-degree cannot be scaled"));
  EXPECT_EQ(refusal(all, 0.5, 0.5), "");
  Network dense = driven();
  dense.projections[0].rule.kind = Kind::pairwise_bernoulli;
  dense.projections[0].rule.probability = 0.8;
  EXPECT_TRUE(contains(refusal(dense, 0.5, 1.0), "probability 1.6"));
  Network invalid = driven();
  invalid.projections[0].source = "X";
  EXPECT_TRUE(contains(refusal(invalid, 0.5, 0.5), "no population named 'X'"));
}

}  // namespace
}  // namespace tessera
