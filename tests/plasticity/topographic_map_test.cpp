// The topographic map against another program: a C++ program written for this model alone, from the equations and the
// published code of Knight, Senk and Nowotny (2025), run with 3 to 5 seeds. Means and standard deviations over its seeds are
// below; means over our seeds must be within four standard errors of the difference.
//
// Only the feed-forward projection is compared, and both where weights do not learn. Lateral synapses of a neuron onto
// itself meet their own spikes, and there the programs have different conventions: this one counts them for neither side.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tessera/model_file.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

/// Figures of one projection at the end of a run.
struct Figures {
  double per_neuron, weight, width, weighted_width, formed, eliminated;  // weights over g_max, widths in grid units
};

Figures figures_of(const Simulation& simulation, const std::string& projection, const RewiringReport& rewiring) {
  const auto synapses = simulation.synapses(projection);
  double weights = 0.0, squares = 0.0, weighted_squares = 0.0;
  for (const auto& s : synapses) {
    const auto gap = [](std::uint32_t a, std::uint32_t b) {
      const int direct = std::abs(static_cast<int>(a) - static_cast<int>(b));
      return static_cast<double>(std::min(direct, 16 - direct));
    };
    const double dx = gap(s.source % 16, s.target % 16), dy = gap(s.source / 16, s.target / 16), square = dx * dx + dy * dy;
    weights += s.weight / 200.0;
    squares += square;
    weighted_squares += s.weight / 200.0 * square;
  }
  const auto n = static_cast<double>(synapses.size());
  return {n / 256.0, weights / n, std::sqrt(0.5 * squares / n), std::sqrt(0.5 * weighted_squares / weights),
          static_cast<double>(rewiring.formed), static_cast<double>(rewiring.eliminated)};
}

struct Expected {
  const char* what;
  double Figures::* figure;
  double mean, sd;
  int seeds;
};

void expect_near(const std::vector<Figures>& seen, const std::vector<Expected>& expected, const std::string& which) {
  for (const Expected& e : expected) {
    double mean = 0.0, square = 0.0;
    for (const Figures& f : seen) mean += f.*e.figure / static_cast<double>(seen.size());
    for (const Figures& f : seen) square += (f.*e.figure - mean) * (f.*e.figure - mean) / static_cast<double>(seen.size() - 1);
    // Where both are counts or nearly constant, few seeds underestimate the SD: it is at least that of a count.
    const double least = e.mean > 100.0 ? e.mean : 0.0;
    const double error = std::sqrt(std::max(square, least) / static_cast<double>(seen.size()) + std::max(e.sd * e.sd, least) / e.seeds);
    EXPECT_NEAR(mean, e.mean, 4.0 * error) << which << ": " << e.what;
  }
}

std::vector<std::vector<Figures>> run(const std::vector<ParameterOverride>& overrides) {
  const Network network = load_model_file(TESSERA_SOURCE_DIR "/models/topographic_map/topographic_map.toml", NeuronCatalogue::builtin(), overrides);
  std::vector<std::vector<Figures>> both(2);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    options.threads = 1;
    Simulation simulation(network, NeuronCatalogue::builtin(), options);
    simulation.run(60000.0);
    const std::vector<RewiringReport> rewiring = simulation.report().rewiring;
    both[0].push_back(figures_of(simulation, "feed_forward", rewiring.at(0)));
    both[1].push_back(figures_of(simulation, "lateral", rewiring.at(1)));
  }
  return both;
}

TEST(TopographicMapFullScale, FeedForwardFieldsShrinkAsInAnIndependentProgram) {
  expect_near(run({})[0],
              {{"synapses per neuron", &Figures::per_neuron, 23.874, 0.233, 5},
               {"mean weight", &Figures::weight, 0.781, 0.006, 5},
               {"width", &Figures::width, 2.124, 0.005, 5},
               {"width by weight", &Figures::weighted_width, 1.972, 0.009, 5},
               {"formed", &Figures::formed, 10891.8, 107.9, 5},
               {"eliminated", &Figures::eliminated, 6383.8, 47.3, 5}},
              "feed-forward");
}

TEST(TopographicMapFullScale, WithoutLearningFieldsWiden) {
  const auto both = run({{"learns", "false"}});
  expect_near(both[0],
              {{"synapses per neuron", &Figures::per_neuron, 43.927, 0.173, 3},
               {"width", &Figures::width, 2.689, 0.003, 3},
               {"formed", &Figures::formed, 10078.3, 39.4, 3},
               {"eliminated", &Figures::eliminated, 425.0, 16.3, 3}},
              "feed-forward");
  expect_near(both[1],
              {{"synapses per neuron", &Figures::per_neuron, 18.015, 0.172, 3},
               {"width", &Figures::width, 1.304, 0.004, 3},
               {"formed", &Figures::formed, 3219.0, 53.2, 3},
               {"eliminated", &Figures::eliminated, 220.7, 7.8, 3}},
              "lateral");
  EXPECT_DOUBLE_EQ(both[0][0].weight, 1.0);
}

}  // namespace
}  // namespace tessera::test
