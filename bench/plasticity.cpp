// What plastic synapses cost: a thousand Poisson sources, each joined to a thousand neurons that spike as told.
//
//   bench_plasticity [rule=NAME] [pre=HZ] [seconds=S]
//
// Prints, for every rule and two rates of the targets, the time of delivery per presynaptic event (one thread) with rows of
// one delay and of many, beside that of static synapses, and the bytes of a synapse with everything that comes with it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "tessera/plasticity_model.hpp"
#include "tessera/simulation.hpp"

namespace {

using namespace tessera;

struct Options {
  std::string rule;
  double pre_hz = 10.0, seconds = 4.0;
};

Population poisson_source(const char* name, double rate_hz) {
  Population p;
  p.name = name;
  p.kind = Population::Kind::poisson_source;
  p.size = 1000;
  p.rate_hz = p.mean_rate_hz = rate_hz;
  return p;
}

Projection projection(const char* from, ConnectivityRule::Kind kind, double weight, const Distribution& delay) {
  Projection p;
  p.name = p.source = from;
  p.target = "post";
  p.rule.kind = kind;
  p.weight = Distribution::constant(weight);
  p.delay_ms = delay;
  return p;
}

Network network_of(const Options& options, const std::string& rule, double post_hz, const Distribution& delay) {
  Network network;
  network.name = "plasticity benchmark";
  network.rate_limit_hz = 1e6;
  Population post;
  post.name = "post";
  post.size = 1000;
  post.model = "iaf_psc_delta";
  post.parameters = {{"E_L", 0.0}, {"V_reset", 0.0}, {"V_th", 1e6}, {"t_ref", 0.0}};
  network.populations = {poisson_source("pre", options.pre_hz), poisson_source("drive", post_hz), post};
  network.projections = {projection("drive", ConnectivityRule::Kind::one_to_one, 1e7, Distribution::constant(0.1)),
                         projection("pre", ConnectivityRule::Kind::all_to_all, 0.5, delay)};
  if (rule.empty()) return network;
  Plasticity plasticity{rule, {}, 0.0};
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  if (catalogue.find_rule(rule)->has_modulator) {  // the third factor: ten neurons at 5 Hz
    network.populations.push_back(poisson_source("reward", 5.0));
    network.populations.back().size = 10;
    plasticity.modulator = "reward";
  }
  for (const ParameterInfo& p : catalogue.find_rule(rule)->parameters) {
    if (p.name == "Wmax") plasticity.parameters["Wmax"] = 1.0;
    if (p.name == "lambda") plasticity.parameters["lambda"] = 1e-4;
    if (p.name == "mu_plus" || p.name == "mu_minus") plasticity.parameters[p.name] = 0.0;  // additive
  }
  network.projections[1].plasticity = plasticity;
  return network;
}

struct Cost {
  double ns = 0.0, bytes = 0.0;
};

Cost measure(const Options& options, const std::string& rule, double post_hz, const Distribution& delay) {
  SimulationOptions how;
  how.threads = 1;
  how.connectivity = Connectivity::stored;
  Simulation simulation(network_of(options, rule, post_hz, delay), NeuronCatalogue::builtin(), how);
  simulation.run(1000.0);
  const SimulationReport before = simulation.report();
  simulation.run(1000.0 * options.seconds);
  const SimulationReport after = simulation.report();
  const double events = static_cast<double>(after.counts.synaptic_events - before.counts.synaptic_events);
  return {(after.phases.deliver - before.phases.deliver) * 1e9 / events, static_cast<double>(after.synapse_bytes) / 1e6};
}

void print(const Options& options, const std::string& rule) {
  const Distribution one = Distribution::constant(1.5), many = Distribution::uniform(0.5, 3.0);
  for (const double post_hz : {4.0, 97.0}) {
    const Cost a = measure(options, rule, post_hz, one), b = measure(options, rule, post_hz, many);
    std::printf("%-22s %6.0f %6.0f %12.2f %12.2f %10.1f %10.1f\n", rule.empty() ? "(static)" : rule.c_str(), options.pre_hz, post_hz, a.ns, b.ns,
                a.bytes, b.bytes);
    std::fflush(stdout);
  }
}

Options read(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::size_t at = word.find('=');
    const std::string key = word.substr(0, at), value = at == std::string::npos ? "" : word.substr(at + 1);
    if (key == "rule" && NeuronCatalogue::builtin().find_rule(value) != nullptr) {
      options.rule = value;
    } else if (key == "pre" && std::atof(value.c_str()) > 0.0) {
      options.pre_hz = std::atof(value.c_str());
    } else if (key == "seconds" && std::atof(value.c_str()) > 0.0) {
      options.seconds = std::atof(value.c_str());
    } else {
      std::fprintf(stderr, "bench_plasticity: '%s' is not rule=NAME, pre=HZ or seconds=S\n", word.c_str());
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  try {
    const Options options = read(count, words);
    std::printf("%-22s %6s %6s %12s %12s %10s %10s\n", "rule", "pre", "post", "ns, 1 delay", "ns, many", "bytes, 1", "bytes, many");
    print(options, "");
    for (const std::string& rule : NeuronCatalogue::builtin().rule_names()) {
      if (options.rule.empty() || options.rule == rule) print(options, rule);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_plasticity: %s\n", error.what());
    return 1;
  }
  return 0;
}
