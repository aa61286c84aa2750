// Homeostatic growth: elements against closed forms, counts against NEST, and nothing depends on the machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <tuple>

#include "engine/networks.hpp"
#include "engine/over_ranks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

using Synapses = std::vector<ConnectivityRule::Synapse>;

Projection empty(const std::string& from, const std::string& to, double weight, const StructuralPlasticity& rewiring, double delay_ms = 1.0) {
  Projection p = project(from, to, Kind::pairwise_bernoulli, 0, Distribution::constant(weight), Distribution::constant(delay_ms));
  p.name = from + to;
  p.rule.probability = 0.0;
  p.plasticity = Plasticity{"static", {}, 0.0};
  p.rewiring = rewiring;
  return p;
}

/// A neuron that spikes at these times, and silent ones whose elements could meet its own.
Network spiking_at(const std::vector<double>& times_ms, const StructuralPlasticity& rewiring) {
  Network network;
  network.name = "elements";
  network.rate_limit_hz = 1e6;
  Population drive;
  drive.name = "drive";
  drive.kind = Population::Kind::spike_train_source;
  drive.size = 1;
  for (const double t : times_ms) drive.train.push_back({t - 0.1, 0});
  Population neuron = neurons_of("neuron", 1, "iaf_psc_delta"), silent = neurons_of("silent", 30, "iaf_psc_delta");
  neuron.parameters = {{"E_L", 0.0}, {"V_reset", 0.0}, {"V_th", 1e6}, {"t_ref", 0.0}};
  network.populations = {drive, neuron, silent};
  network.projections = {project("drive", "neuron", Kind::one_to_one, 0, Distribution::constant(1e7), Distribution::constant(0.1)),
                         empty("silent", "neuron", 1.0, rewiring)};
  return network;
}

/// The integral of a curve over calcium that is known at every time, in steps of 0.01 ms.
template <class Curve>
double grown(const std::vector<double>& spikes_ms, double tau, double until_ms, const Curve& curve) {
  double sum = 0.0;
  const double h = 0.01;
  for (double t = 0.5 * h; t < until_ms; t += h) {
    double ca = 0.0;
    for (const double s : spikes_ms) ca += s < t ? 0.01 * std::exp(-(t - s) / tau) : 0.0;
    sum += h * curve(ca);
  }
  return sum;
}

// Calcium is the sum of the spikes' traces; linear growth has a closed form, nu (T - sum of tau beta / eps (1 - exp(-(T - t_i) / tau))).
TEST(Homeostatic, ElementsFollowTheirCurves) {
  const std::vector<double> spikes{20.0, 21.5, 60.0, 133.3, 140.0, 141.0, 250.0};
  const double tau = 80.0, end = 300.0, rate = 0.02;  // per ms
  StructuralPlasticity rewiring{"homeostatic", {{"tau_Ca", tau}, {"beta_Ca", 0.01}, {"source_growth_rate", 0.0}, {"target_growth_rate", 1000.0 * rate},
                                                {"target_eps", 0.03}, {"target_eta", 0.005}, {"target_psi", 0.004}}, 10000.0};
  double ca = 0.0, linear = end;
  for (const double s : spikes) ca += 0.01 * std::exp(-(end - s) / tau);
  for (const double s : spikes) linear -= tau * 0.01 / 0.03 * (1.0 - std::exp(-(end - s) / tau));
  const double xi = 0.0175, zeta = 0.025 / (2.0 * std::sqrt(std::log(2.0)));
  const std::map<std::string, double> expected{
      {"linear", linear},
      {"gaussian", grown(spikes, tau, end, [&](double c) { return 2.0 * std::exp(-(c - xi) * (c - xi) / zeta / zeta) - 1.0; })},
      {"sigmoid", grown(spikes, tau, end, [](double c) { return 2.0 / (1.0 + std::exp((c - 0.03) / 0.004)) - 1.0; })}};
  for (const auto& [curve, value] : expected) {
    rewiring.words = {{"target_curve", curve}};
    for (const bool exact : {false, true}) {
      Simulation simulation = simulation_of(spiking_at(spikes, rewiring), exact ? exact_options() : options_of(Connectivity::stored));
      simulation.run(end);
      EXPECT_NEAR(simulation.state("neuron", "Ca")[0], ca, 1e-12);
      // The gaussian loses elements before the first spike, and stops at none: what follows is the integral from there.
      const double from_none = grown(spikes, tau, 20.0, [&](double c) { return 2.0 * std::exp(-(c - xi) * (c - xi) / zeta / zeta) - 1.0; });
      const double start = curve == "gaussian" ? value - from_none : value;
      EXPECT_NEAR(simulation.state("neuron", "dendrite")[0], rate * start, 2e-5) << curve;
      EXPECT_EQ(simulation.state("silent", "axon")[3], 0.0);
    }
  }
}

// Silent neurons: z = nu t. After 1 s 40 sources have 3.5 elements and 30 targets 2.5: 120 free ones meet 60, and every pair once at most.
TEST(Homeostatic, FreeElementsAreJoinedOneForOne) {
  Network network;
  network.name = "joined";
  network.populations = {neurons_of("A", 40), neurons_of("B", 30)};
  const StructuralPlasticity rewiring{"homeostatic", {{"source_growth_rate", 3.5}, {"target_growth_rate", 2.5}}, 1000.0, 0, 0,
                                      {{"source_curve", "linear"}, {"target_curve", "linear"}}};
  network.projections = {empty("A", "B", 1.0, rewiring)};
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  simulation.run(1000.0);
  EXPECT_TRUE(simulation.synapses("AB").empty()) << "a rule acts when a step begins";
  simulation.run(0.1);
  const RewiringReport report = simulation.report().rewiring.at(0);
  EXPECT_EQ(report.formed + report.existing, 60u);
  EXPECT_GT(report.formed, 45u);
  std::vector<int> out(40), in(30);
  for (const auto& s : simulation.synapses("AB")) ++out[s.source], ++in[s.target];
  const std::vector<double> axon = simulation.state("A", "axon"), dendrite = simulation.state("B", "dendrite");
  for (std::size_t a = 0; a < 40; ++a) {
    EXPECT_LE(out[a], 3);
    EXPECT_NEAR(axon[a], 3.5 - 0.1 * (3 - out[a]) + 0.00035, 1e-9) << "a tenth of the free ones is lost";
  }
  for (std::size_t b = 0; b < 30; ++b) {
    EXPECT_LE(in[b], 2);
    EXPECT_NEAR(dendrite[b], 2.5 - 0.1 * (2 - in[b]) + 0.00025, 1e-9);
  }
}

// The source's axon grows 10 elements in 1 s, and the targets have 20 for them; then the source spikes, calcium is far above its
// target, and linear growth takes elements away: synapses go with them.
TEST(Homeostatic, SynapsesGoWithTheirElements) {
  std::vector<double> spikes;
  for (int i = 0; i < 400; ++i) spikes.push_back(1000.5 + i);
  const std::map<std::string, std::string> linear{{"source_curve", "linear"}, {"target_curve", "linear"}};
  for (const bool source_loses : {true, false}) {
    const std::string loses = source_loses ? "source" : "target", keeps = source_loses ? "target" : "source";
    StructuralPlasticity rewiring{"homeostatic", {{"tau_Ca", 1e6}, {"beta_Ca", 1.0}, {"tau_vacant", 0.0}, {loses + "_growth_rate", 10.3}, {loses + "_eps", 50.0},
                                                  {keeps + "_growth_rate", 10.3}, {keeps + "_eps", 1e6}}, 100.0, 0, 0, linear};
    Network network = spiking_at(spikes, rewiring);
    network.projections.pop_back();
    network.projections.push_back(source_loses ? empty("neuron", "silent", 1.0, rewiring) : empty("silent", "neuron", 1.0, rewiring));
    const std::string name = network.projections[1].name;
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
    simulation.run(1000.1);
    EXPECT_EQ(simulation.synapses(name).size(), 10u);
    simulation.run(400.0);
    const double after = 10.3 * 1.4 - 10.3e-3 * [&] {  // of calcium that hardly decays: the time since each spike, over eps
      double sum = 0.0;
      for (const double s : spikes) sum += (1400.0 - s) / 50.0;
      return sum;
    }();
    ASSERT_GT(after, -10.0);
    EXPECT_NEAR(simulation.state("neuron", source_loses ? "axon" : "dendrite")[0], std::max(0.0, after), 0.01);
    EXPECT_EQ(simulation.synapses(name).size(), static_cast<std::size_t>(std::max(0.0, std::floor(after))));
    const RewiringReport report = simulation.report().rewiring.at(0);
    EXPECT_EQ(report.synapses, report.formed - report.eliminated);
    EXPECT_GT(report.eliminated, 0u);
  }
}

StructuralPlasticity as_in_nest(const std::string& kind, double source_eps, double target_rate, double target_eps, double weight) {
  return {"homeostatic", {{"source_eps", source_eps}, {"target_growth_rate", target_rate}, {"target_eps", target_eps}, {"weight", weight}}, 10000.0, 0, 0,
          {{"source_elements", "Axon_" + kind}, {"target_elements", "Den_" + kind}}};
}

/// The network of NEST's example of structural plasticity: 800 + 200 neurons without synapses, each with its own noise.
Network grown_in_nest() {
  Network network;
  network.name = "as in NEST";
  network.populations = {neurons_of("E", 800, "iaf_psc_alpha"), neurons_of("I", 200, "iaf_psc_alpha")};
  network.projections = {empty("E", "E", 585.0, as_in_nest("ex", 0.05, 0.1, 0.05, 585.0)), empty("E", "I", 585.0, as_in_nest("ex", 0.05, 0.4, 0.2, 585.0)),
                         empty("I", "E", -585.0, as_in_nest("in", 0.2, 0.1, 0.05, -585.0)), empty("I", "I", -585.0, as_in_nest("in", 0.2, 0.1, 0.2, -585.0))};
  for (const char* const name : {"E", "I"}) network.stimuli.push_back(poisson(name, 10000.0, 6.2));
  return network;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v / static_cast<double>(values.size());
  return sum;
}

// NEST 3.10.0 with seeds 1 to 5, its example of structural plasticity with an update interval of 10 s: mean and standard deviation
// of what there is after so many seconds. Synapses E->E, E->I, I->E, I->I; mean calcium of E and I.
TEST(HomeostaticFullScale, GrowsAsInNest) {
  struct At {
    double seconds;
    double mean[6], sd[6];
  };
  const At expected[] = {{31, {474.4, 404.8, 157.4, 35.8, 0.07663, 0.11938}, {18.8, 14.6, 4.8, 2.5, 0.00194, 0.00089}},
                         {41, {235.0, 419.2, 209.0, 80.2, 0.07640, 0.16111}, {8.1, 17.1, 12.5, 5.1, 0.00362, 0.00357}},
                         {60, {156.6, 436.2, 239.2, 133.6, 0.04999, 0.13154}, {10.8, 22.9, 16.0, 11.3, 0.00214, 0.00342}}};
  Simulation simulation = simulation_of(grown_in_nest(), options_of(Connectivity::stored, 1, 1));
  simulation.run(20000.1);
  // E neurons have 1.59 elements each, I neurons 2.49 dendritic ones: 800 axonal ones meet 1,200, so all are used.
  EXPECT_NEAR(static_cast<double>(simulation.synapses("EE").size() + simulation.synapses("EI").size()), 800.0, 3.0);  // a pair twice, now and then
  double now = 20.0001;
  for (const At& at : expected) {
    simulation.run(std::round((at.seconds - now) * 10000.0) / 10.0);
    now = at.seconds;
    const double seen[] = {static_cast<double>(simulation.synapses("EE").size()), static_cast<double>(simulation.synapses("EI").size()),
                           static_cast<double>(simulation.synapses("IE").size()), static_cast<double>(simulation.synapses("II").size()),
                           mean_of(simulation.state("E", "Ca")), mean_of(simulation.state("I", "Ca"))};
    for (int i = 0; i < 6; ++i) {
      // Of five seeds the SD itself is uncertain; a count varies at least like this.
      const double sd = std::max(at.sd[i], i < 4 ? 0.5 * std::sqrt(at.mean[i]) : 0.0);
      EXPECT_NEAR(seen[i], at.mean[i], 4.0 * sd * std::sqrt(1.2)) << "figure " << i << " after " << at.seconds << " s";
    }
  }
}

/// Two populations that grow and lose synapses within tenths of a second; both are cut into chunks.
Network growing() {
  Network network;
  network.name = "growing";
  network.populations = {neurons_of("E", 1100), neurons_of("I", 520)};
  const auto rule = [](const std::string& kind, double weight) {
    return StructuralPlasticity{"homeostatic", {{"tau_Ca", 50.0}, {"beta_Ca", 0.02}, {"source_growth_rate", 80.0}, {"target_growth_rate", 60.0}, {"source_eps", 0.01},
                                                {"target_eps", 0.012}, {"target_psi", 0.005}, {"weight", weight}}, 12.5, 25, 30,
                                {{"source_elements", "axon_" + kind}, {"target_elements", "den_" + kind}, {"source_curve", "linear"}, {"target_curve", "sigmoid"}}};
  };
  network.projections = {empty("E", "E", 150.0, rule("e", 150.0), 1.1), empty("E", "I", 150.0, rule("e", 150.0), 0.7), empty("I", "E", -200.0, rule("i", -200.0), 1.5)};
  for (const char* const name : {"E", "I"}) network.stimuli.push_back(poisson(name, 6000.0, 135.0));
  return network;
}

struct Grown {
  std::uint64_t digest = 0;
  std::vector<RewiringReport> reports;
  std::vector<Synapses> synapses;
};

Grown state_of(const Simulation& simulation) {
  return {simulation.report().digest, simulation.report().rewiring, {simulation.synapses("EE"), simulation.synapses("EI"), simulation.synapses("IE")}};
}

void expect_same(const Grown& a, const Grown& b, const std::string& what) {
  EXPECT_EQ(a.digest, b.digest) << what;
  for (std::size_t p = 0; p < 3; ++p) {
    const auto counts = [](const RewiringReport& r) { return std::tie(r.formed, r.eliminated, r.existing, r.at_limit, r.invalid, r.synapses); };
    EXPECT_EQ(counts(a.reports[p]), counts(b.reports[p])) << what;
    const auto same = [](const auto& x, const auto& y) { return std::tie(x.source, x.target, x.weight, x.delay_ms) == std::tie(y.source, y.target, y.weight, y.delay_ms); };
    EXPECT_TRUE(std::equal(a.synapses[p].begin(), a.synapses[p].end(), b.synapses[p].begin(), b.synapses[p].end(), same)) << what;
  }
}

constexpr double kTime_ms = 300.0;

TEST(Homeostatic, ThreadsTilesAndResumingChangeNothing) {
  const Network network = growing();
  for (const bool exact : {false, true}) {
    const auto options = [&](int threads, int tiles) { return exact ? exact_options(threads, tiles) : options_of(Connectivity::stored, threads, tiles); };
    Simulation alone = simulation_of(network, options(1, 1));
    alone.run(kTime_ms);
    const Grown reference = state_of(alone);
    for (const RewiringReport& report : reference.reports) {
      EXPECT_GT(report.formed, 400u);
      EXPECT_GT(report.eliminated, 50u);
      EXPECT_EQ(report.synapses, report.formed - report.eliminated);
    }
    Simulation other = simulation_of(network, options(3, 5));
    other.run(kTime_ms);
    expect_same(state_of(other), reference, "3 threads");
    const TemporaryFolder folder;
    for (const double at : {133.4, 150.0}) {  // inside an interval, and where the rule acts
      Simulation first = simulation_of(network, options(2, 3));
      first.run(at);
      first.save_checkpoint(folder / "at.ckpt");
      Simulation resumed = simulation_of(network, options(1, 2));
      resumed.load_checkpoint(folder / "at.ckpt");
      resumed.run(kTime_ms - at);
      expect_same(state_of(resumed), reference, "resumed");
      EXPECT_EQ(resumed.state("E", "den_e"), alone.state("E", "den_e"));
    }
  }
}

TEST(Homeostatic, RanksChangeNothing) {
  const Network network = growing();
  Simulation alone = simulation_of(network, options_of(Connectivity::stored));
  alone.run(kTime_ms);
  const Grown reference = state_of(alone);
  for (const int ranks : {2, 3}) {
    Grown together;
    together.synapses.resize(3);
    std::mutex mutex;
    const RanksOutcome outcome = run_over_ranks(network, options_of(Connectivity::stored), ranks, [&](Simulation& simulation, Keeper& keeper) {
      simulation.run(kTime_ms, keeper);
      const SimulationReport report = simulation.report();
      const Synapses own[] = {simulation.synapses("EE"), simulation.synapses("EI"), simulation.synapses("IE")};
      const std::lock_guard lock(mutex);
      for (int p = 0; p < 3; ++p) together.synapses[p].insert(together.synapses[p].end(), own[p].begin(), own[p].end());
      together.reports = report.rewiring;
    });
    for (Synapses& synapses : together.synapses) {
      std::sort(synapses.begin(), synapses.end(), [](const auto& a, const auto& b) { return std::tie(a.source, a.target) < std::tie(b.source, b.target); });
    }
    together.digest = outcome.digest;
    expect_same(together, reference, std::to_string(ranks) + " ranks");
  }
}

TEST(Homeostatic, LimitsOfBothSidesHold) {
  Network network = growing();
  for (Projection& p : network.projections) p.rewiring->max_indegree = 1, p.rewiring->max_outdegree = 2;
  Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  simulation.run(kTime_ms);
  for (const char* const name : {"EE", "EI", "IE"}) {
    std::map<std::uint32_t, int> out, in;
    for (const auto& s : simulation.synapses(name)) ++out[s.source], ++in[s.target];
    for (const auto& [neuron, n] : out) EXPECT_LE(n, 2) << name;
    for (const auto& [neuron, n] : in) EXPECT_LE(n, 1) << name;
  }
  std::uint64_t refused = 0;
  for (const RewiringReport& report : simulation.report().rewiring) refused += report.at_limit;
  EXPECT_GT(refused, 50u);
}

std::string mistake_of(Network network) {
  try {
    Simulation simulation = simulation_of(network, options_of(Connectivity::stored));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Homeostatic, MistakesAreToldAtTheStart) {
  Network network = growing();
  network.projections[1].rewiring->interval_ms = 5.0;
  EXPECT_NE(mistake_of(network).find("both need the same interval"), std::string::npos);
  network = growing();
  network.projections[1].rewiring->parameters["source_eps"] = 0.07;
  EXPECT_NE(mistake_of(network).find("has other parameters for 'E'"), std::string::npos);
  network = growing();
  network.projections[2].rewiring->words["target_elements"] = "den_e";
  EXPECT_NE(mistake_of(network).find("'den_e' of population 'E' takes part in the rewiring of 'EE' and of 'IE'"), std::string::npos);
  network = growing();
  network.projections[0].rewiring->words["source_curve"] = "gausian";
  EXPECT_NE(mistake_of(network).find("Did you mean 'gaussian'?"), std::string::npos);
  network = growing();
  network.projections[0].rewiring->parameters["target_eta"] = 0.012;
  EXPECT_NE(mistake_of(network).find("target_eta and target_eps must differ"), std::string::npos);
  network = growing();
  network.populations[1].kind = Population::Kind::poisson_source;
  network.populations[1].model.clear();
  network.populations[1].rate_hz = 5.0;
  network.stimuli.pop_back();
  network.projections.erase(network.projections.begin() + 1);
  EXPECT_NE(mistake_of(network).find("'I', which is a source"), std::string::npos);
  network = growing();
  network.projections[0].rewiring->max_outdegree = 2000;
  EXPECT_NE(mistake_of(network).find("has only 1100 neurons"), std::string::npos);
}

}  // namespace
}  // namespace tessera::test
