// Every way in which a network can be wrong, and that all of them are found at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "network/build_network.hpp"

namespace tessera {
namespace {

using test::contains;
using test::neurons;
using test::problems_of;
using test::project;
using test::two_populations;
using Kind = ConnectivityRule::Kind;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Applies a change to the valid network and expects exactly one problem with these parts.
template <class Change>
void expect_problem(Change change, const std::string& path, const std::string& part) {
  Network network = two_populations();
  change(network);
  const auto problems = validate(network, NeuronCatalogue::builtin());
  ASSERT_EQ(problems.size(), 1u) << problems_of(network) << "wanted: " << part;
  EXPECT_EQ(problems[0].where.key_path, path) << problems[0].message;
  EXPECT_TRUE(contains(problems[0].message, part));
  EXPECT_TRUE(problems[0].message.ends_with('.') || problems[0].message.ends_with('?'));
}

TEST(Validation, AcceptsAValidNetwork) {
  EXPECT_EQ(problems_of(two_populations()), "");
  EXPECT_NO_THROW(require_valid(two_populations(), NeuronCatalogue::builtin()));
}

TEST(Validation, ChecksTimes) {
  expect_problem([](Network& n) { n.dt_ms = 0.0; }, "dt", "positive");
  expect_problem([](Network& n) { n.dt_ms = kNaN; }, "dt", "positive");
  expect_problem([](Network& n) { n.time_ms = -1.0; }, "time", "0 or more");
  expect_problem([](Network& n) { n.time_ms = 10.05; }, "time", "whole number of steps");
  expect_problem([](Network& n) { n.time_ms = 1e12; }, "time", "longest run");
  expect_problem([](Network& n) { n.discard_ms = 2000.0; }, "discard", "lasts only 1000 ms");
  expect_problem([](Network& n) { n.rate_limit_hz = 0.0; }, "rate_limit", "above 0");
}

TEST(Validation, ChecksPopulations) {
  expect_problem([](Network& n) { n.populations[0].size = 0; }, "populations.A.size",
                 "from 1 to 4294901760");
  expect_problem([](Network& n) { n.populations[0].model = "iaf_psc_expo"; }, "populations.A.model",
                 "Did you mean 'iaf_psc_exp'?");
  expect_problem([](Network& n) { n.populations[0].parameters["tau"] = 1.0; },
                 "populations.A.parameters.tau", "no parameter 'tau'");
  expect_problem([](Network& n) { n.populations[0].parameters["C_m"] = -3.0; },
                 "populations.A.parameters.C_m", "it must be above 0 pF");
  expect_problem([](Network& n) { n.populations[0].parameters["E_L"] = kNaN; },
                 "populations.A.parameters.E_L", "finite");
  expect_problem([](Network& n) { n.populations[0].parameters["V_reset"] = -40.0; },
                 "populations.A.parameters", "V_reset must be below V_th");
  expect_problem([](Network& n) { n.populations[0].parameters["t_ref"] = 1e9; },
                 "populations.A.parameters", "65535 steps");
  expect_problem([](Network& n) { n.populations[0].initial["V"] = {}; }, "populations.A.initial.V",
                 "no state variable 'V'");
  expect_problem(
      [](Network& n) {
        n.populations[0].initial["V_m"].values = {1.0, 2.0};
      },
      "populations.A.initial.V_m.values", "one for each");
  expect_problem(
      [](Network& n) {
        n.populations[0].initial["V_m"].distribution = Distribution::normal(0, -1);
      },
      "populations.A.initial.V_m.sd", "0 or more");
  expect_problem([](Network& n) { n.populations[0].mean_rate_hz = -1.0; },
                 "populations.A.mean_rate", "0 or more");
  expect_problem([](Network& n) { n.populations[0].grid_columns = 7; },
                 "populations.A.grid_columns", "do not fill a grid");
  expect_problem([](Network& n) { n.populations.push_back(neurons("A/x", 1)); }, "populations.A/x",
                 "cannot name a population");
  expect_problem([](Network& n) { n.populations.push_back(neurons("B", 1)); }, "populations.B",
                 "two populations named 'B'");
}

TEST(Validation, KnowsWhichStatesTheParametersLeave) {
  // With equal time constants there is one synaptic current; with two there are two.
  expect_problem([](Network& n) { n.populations[0].initial["I_syn_ex"] = {}; },
                 "populations.A.initial.I_syn_ex", "it has V_m, I_syn, refractory.");
  Network network = two_populations();
  network.populations[0].parameters["tau_syn_in"] = 2.0;
  network.populations[0].initial["I_syn_ex"] = {};
  EXPECT_EQ(problems_of(network), "");
}

TEST(Validation, ChecksTheNumberOfNeurons) {
  Network network = two_populations();
  network.populations[0].size = 4294901760;
  EXPECT_TRUE(contains(problems_of(network),
                       "4294901810 neurons in all, 50 more than the 4294901760 that are possible"));
}

TEST(Validation, ChecksSources) {
  const auto with_source = [](auto change) {
    return [change](Network& n) {
      Population p;
      p.name = "S";
      p.kind = Population::Kind::poisson_source;
      p.size = 10;
      change(p);
      n.populations.push_back(p);
    };
  };
  expect_problem(with_source([](Population& p) { p.rate_hz = -1.0; }), "populations.S.rate",
                 "0 or more");
  expect_problem(with_source([](Population& p) { p.rate_hz = 10001.0; }), "populations.S.rate",
                 "at most 10000 Hz");
  expect_problem(with_source([](Population& p) { p.start_ms = -1.0; }), "populations.S.start",
                 "0 or later");
  expect_problem(with_source([](Population& p) { p.duration_ms = 0.0; }), "populations.S.duration",
                 "above 0");
  expect_problem(with_source([](Population& p) {
                   p.duration_ms = 10.0;
                   p.interval_ms = 5.0;
                 }),
                 "populations.S.interval", "must not overlap");
  expect_problem(with_source([](Population& p) { p.model = "iaf_psc_exp"; }), "populations.S",
                 "source of spikes");
  expect_problem(with_source([](Population& p) {
                   p.kind = Population::Kind::spike_train_source;
                   p.train = {{1.0, 3}, {2.0, 10}, {3.0, 11}};
                 }),
                 "populations.S.spikes", "2 spikes of 'S' belong to neurons outside 0 to 9");
  expect_problem(with_source([](Population& p) {
                   p.kind = Population::Kind::spike_train_source;
                   p.train = {{-1.0, 3}};
                 }),
                 "populations.S.spikes", "spike 0 at -1 ms");
}

TEST(Validation, ChecksTheEndsOfProjections) {
  expect_problem([](Network& n) { n.projections[0].source = "AA"; }, "projections.A->B.source",
                 "no population named 'AA'");
  expect_problem(
      [](Network& n) {
        n.populations[1].kind = Population::Kind::poisson_source;
        n.populations[1].model.clear();
      },
      "projections.A->B.target", "cannot end there");
  expect_problem([](Network& n) { n.projections.push_back(project("A", "B")); }, "projections.A->B",
                 "two projections named");
}

TEST(Validation, ChecksRules) {
  const auto with_rule = [](auto change) {
    return [change](Network& n) { change(n.projections[0].rule); };
  };
  // 100 sources, 50 targets.
  expect_problem(with_rule([](ConnectivityRule& r) {
                   r.multapses = false;
                   r.number = 101;
                 }),
                 "projections.A->B.number",
                 "in-degree of 'A->B' is 101; without multapses it can be at "
                 "most 100");
  expect_problem(with_rule([](ConnectivityRule& r) {
                   r.kind = Kind::fixed_outdegree;
                   r.multapses = false;
                   r.number = 51;
                 }),
                 "projections.A->B.number", "at most 50");
  expect_problem(with_rule([](ConnectivityRule& r) {
                   r.kind = Kind::fixed_total_number;
                   r.multapses = false;
                   r.number = 5001;
                 }),
                 "projections.A->B.number", "at most 5000");
  expect_problem(with_rule([](ConnectivityRule& r) { r.number = 1000000000000000ull; }),
                 "projections.A->B.number", "at most 1e+15");
  expect_problem(with_rule([](ConnectivityRule& r) {
                   r.kind = Kind::pairwise_bernoulli;
                   r.probability = 1.5;
                 }),
                 "projections.A->B.probability", "from 0 to 1");
  expect_problem(with_rule([](ConnectivityRule& r) {
                   r.kind = Kind::pairwise_bernoulli;
                   r.probability = kNaN;
                 }),
                 "projections.A->B.probability", "from 0 to 1");
  expect_problem(with_rule([](ConnectivityRule& r) { r.kind = Kind::one_to_one; }),
                 "projections.A->B.rule", "equal size");
}

TEST(Validation, WithoutAutapsesOneSourceLess) {
  const auto self = [](std::uint64_t number) {
    return [number](Network& n) {
      n.projections[0] = project("A", "A");
      n.projections[0].rule.autapses = false;
      n.projections[0].rule.multapses = false;
      n.projections[0].rule.number = number;
    };
  };
  Network most = two_populations();
  self(99)(most);
  EXPECT_EQ(problems_of(most), "");
  expect_problem(self(100), "projections.A->A.number", "at most 99");
  expect_problem(
      [](Network& n) {
        n.populations[0].size = 1;
        n.projections[0] = project("A", "A");
        n.projections[0].rule.autapses = false;
      },
      "projections.A->A.number", "no pair of neurons is left");
}

TEST(Validation, ChecksGaussianGrids) {
  const auto gaussian = [](Network& n) {
    n.projections[0] = project("A", "A");
    n.projections[0].rule.kind = Kind::gaussian_2d;
    n.projections[0].rule.probability = 0.5;
    n.projections[0].rule.sigma = 2.0;
  };
  expect_problem(gaussian, "projections.A->A.rule", "no grid_columns");
  expect_problem(
      [&](Network& n) {
        gaussian(n);
        n.populations[0].grid_columns = 10;
        n.projections[0].rule.sigma = 0.0;
      },
      "projections.A->A.sigma", "above 0");
  expect_problem(
      [&](Network& n) {
        gaussian(n);
        n.projections[0].target = "B";
        n.populations[0].grid_columns = 10;
        n.populations[1].grid_columns = 10;
      },
      "projections.A->A.rule",
      "'A' is 10 x 10 in units of its grid and 'B' 10 x 5 in units of its grid; periodic sheets "
      "must be "
      "equally large: give both the same extent.");
  const auto between_sheets = [&](std::array<double, 2> a, std::array<double, 2> b, bool a_periodic,
                                  bool b_periodic) {
    return [=](Network& n) {
      gaussian(n);
      n.projections[0].target = "B";
      for (Population& p : n.populations) p.grid_columns = 10;
      n.populations[0].extent_mm = a;
      n.populations[1].extent_mm = b;
      n.populations[0].periodic = a_periodic;
      n.populations[1].periodic = b_periodic;
    };
  };
  for (const bool periodic : {true, false}) {
    Network network = two_populations();
    between_sheets({2.0, 1.0}, {2.0, 1.0}, periodic, periodic)(network);
    EXPECT_EQ(problems_of(network), "");
  }
  Network open = two_populations();
  between_sheets({2.0, 1.0}, {3.0, 3.0}, false, false)(open);  // the edges need not meet
  EXPECT_EQ(problems_of(open), "");
  const std::string rule = "projections.A->A.rule";
  expect_problem(between_sheets({2.0, 1.0}, {2.0, 1.5}, true, true), rule,
                 "'A' is 2 x 1 mm and 'B' 2 x 1.5 mm");
  expect_problem(between_sheets({2.0, 1.0}, {0.0, 0.0}, false, false), rule,
                 "'A' has an extent and 'B' has none");
  expect_problem(between_sheets({2.0, 1.0}, {2.0, 1.0}, true, false), rule,
                 "'A' is periodic and 'B' is not");
}

TEST(Validation, ChecksSheets) {
  const std::string extent = "populations.A.extent";
  for (const std::array<double, 2> bad :
       {std::array{1.0, 0.0}, {-1.0, 1.0}, {kNaN, 1.0}, {1.0, kInfinity}, {2e6, 1.0}}) {
    expect_problem(
        [&](Network& n) {
          n.populations[0].grid_columns = 10;
          n.populations[0].extent_mm = bad;
        },
        extent, "above 0 and at most 1000000 mm");
  }
  expect_problem(
      [](Network& n) {
        n.populations[0].extent_mm = {1.0, 1.0};
      },
      extent, "no grid_columns");
  expect_problem([](Network& n) { n.populations[0].periodic = false; }, "populations.A.periodic",
                 "no grid_columns");
}

TEST(Validation, ChecksDelaysThatGrowWithTheDistance) {
  const auto with_slope = [](double offset, double slope, auto change) {
    return [=](Network& n) {
      for (Population& p : n.populations) {
        p.grid_columns = 10;
        p.extent_mm = {3.0, 4.0};
      }
      n.projections[0].delay_ms = Distribution::constant(offset);
      n.projections[0].delay_slope = slope;
      change(n);
    };
  };
  const auto nothing = [](Network&) {};
  Network good = two_populations();
  with_slope(0.0, 3.0, nothing)(good);
  EXPECT_EQ(problems_of(good), "");
  const std::string delay = "projections.A->B.delay";
  expect_problem(with_slope(0.0, -1.0, nothing), delay,
                 "grows by -1 ms per mm; it must be a number of 0 or more");
  expect_problem(with_slope(0.0, kInfinity, nothing), delay, "0 or more");
  expect_problem(with_slope(-0.1, 1.0, nothing), delay, "constant offset of 0 ms or more");
  expect_problem(with_slope(kNaN, 1.0, nothing), delay, "constant offset");
  expect_problem(
      with_slope(0.0, 1.0,
                 [](Network& n) { n.projections[0].delay_ms = Distribution::uniform(1.0, 2.0); }),
      delay, "constant offset");
  expect_problem(with_slope(0.0, 1.0, [](Network& n) { n.populations[1] = neurons("B", 50); }),
                 delay, "population 'B' has no grid_columns");
  // The longest way on the periodic sheets is sqrt(1.5^2 + 2^2) = 2.5 mm, a little less between
  // cells.
  expect_problem(with_slope(0.0, 200.0, nothing), delay, "at most 4096 steps, 409.6 ms");
  expect_problem(with_slope(1.0, 1.0,
                            [](Network& n) {
                              n.projections[0].rule.kind = Kind::explicit_list;
                              n.projections[0].rule.list = {{0, 0, 1.0, 1.0}};
                            }),
                 delay, "cannot follow from distances");
}

TEST(Validation, ChecksLists) {
  const auto with_list = [](std::vector<ConnectivityRule::Synapse> list) {
    return [list](Network& n) {
      n.projections[0].rule.kind = Kind::explicit_list;
      n.projections[0].rule.list = list;
    };
  };
  expect_problem(with_list({{0, 0, 1.0, 1.0}, {100, 0, 1.0, 1.0}, {0, 50, 1.0, 1.0}}),
                 "projections.A->B.list",
                 "2 synapses of 'A->B' join neurons that do not exist (first: "
                 "synapse 1 from 100 to 0)");
  expect_problem(with_list({{0, 0, kInfinity, 1.0}}), "projections.A->B.list", "not finite");
  expect_problem(with_list({{0, 0, 1.0, 0.05}}), "projections.A->B.list", "one step (0.1 ms)");
  expect_problem(with_list({{0, 0, 1.0, 1000.0}}), "projections.A->B.list", "4096 steps");
  Network network = two_populations();
  with_list({{99, 49, -1.0, 0.14}})(network);  // rounds to one step
  EXPECT_EQ(problems_of(network), "");
}

TEST(Validation, ChecksWeightsAndDelays) {
  const auto with_delay = [](Distribution d) {
    return [d](Network& n) { n.projections[0].delay_ms = d; };
  };
  const std::string path = "projections.A->B.delay";
  expect_problem([](Network& n) { n.projections[0].weight = Distribution::constant(kNaN); },
                 "projections.A->B.weight", "finite");
  expect_problem(with_delay(Distribution::constant(0.09)), path, "at least one time step, 0.1 ms");
  expect_problem(with_delay(Distribution::normal(1.5, 0.75)), path, "low = \"0.05 ms\"");
  expect_problem(with_delay(Distribution::exponential(1.0).within(0.04, 100.0)), path, "0.04 ms");
  expect_problem(with_delay(Distribution::constant(410.0)), path, "4096 steps");
  expect_problem(with_delay(Distribution::exponential(50.0).within(0.1, kInfinity)), path,
                 "add an upper bound");
  for (const Distribution& d :
       {Distribution::constant(0.1), Distribution::constant(409.6),
        Distribution::uniform(0.05, 3.0), Distribution::normal(1.5, 0.75).within(0.05, kInfinity),
        Distribution::exponential(50.0).within(0.1, 400.0)}) {
    Network network = two_populations();
    network.projections[0].delay_ms = d;
    EXPECT_EQ(problems_of(network), "");
  }
}

TEST(Validation, ChecksStimuliAndRecorders) {
  const auto with_stimulus = [](auto change) {
    return [change](Network& n) {
      Stimulus s;
      s.name = "s";
      s.target = "A";
      change(s);
      n.stimuli.push_back(s);
    };
  };
  expect_problem(with_stimulus([](Stimulus& s) { s.target = "C"; }), "stimuli.s.target",
                 "named 'C'");
  expect_problem(with_stimulus([](Stimulus& s) { s.amplitude_pA = kNaN; }), "stimuli.s.amplitude",
                 "finite");
  expect_problem(with_stimulus([](Stimulus& s) { s.values = {1.0}; }), "stimuli.s.values",
                 "one for each");
  expect_problem(with_stimulus([](Stimulus& s) { s.duration_ms = -1.0; }), "stimuli.s.duration",
                 "above 0");
  expect_problem(with_stimulus([](Stimulus& s) {
                   s.kind = Stimulus::Kind::poisson;
                   s.rate_hz = -8.0;
                 }),
                 "stimuli.s.rate", "0 or more");
  expect_problem(with_stimulus([](Stimulus& s) {
                   s.kind = Stimulus::Kind::poisson;
                   s.rate_hz = 2e6;
                 }),
                 "stimuli.s.rate", "at most 1000000 Hz");
  const auto with_recorder = [](auto change) {
    return [change](Network& n) {
      StateRecorder r;
      r.population = "A";
      change(r);
      n.recorders.push_back(r);
    };
  };
  expect_problem(with_recorder([](StateRecorder& r) { r.variable = "V_n"; }),
                 "recorders[0].variable", "Did you mean 'V_m'?");
  expect_problem(with_recorder([](StateRecorder& r) { r.count = 101; }), "recorders[0].count",
                 "only 100");
  expect_problem(with_recorder([](StateRecorder& r) { r.count = 0; }), "recorders[0].count",
                 "at least 1");
  expect_problem(with_recorder([](StateRecorder& r) { r.interval_ms = 0.25; }),
                 "recorders[0].interval", "whole number of steps");
  expect_problem(with_recorder([](StateRecorder& r) { r.population = "D"; }),
                 "recorders[0].population", "named 'D'");
}

TEST(Validation, FindsEverythingAtOnce) {
  Network network = two_populations();
  network.dt_ms = -1.0;
  network.populations[0].size = 0;
  network.populations[1].model = "none";
  network.projections[0].source = "nobody";
  network.projections[0].weight = Distribution::constant(kNaN);
  EXPECT_EQ(validate(network, NeuronCatalogue::builtin()).size(), 5u) << problems_of(network);
}

}  // namespace
}  // namespace tessera
