// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "plasticity/spike_pairs.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace tessera::test {
namespace {

Population source(const std::string& name, const std::vector<double>& times_ms) {
  Population population;
  population.name = name;
  population.kind = Population::Kind::spike_train_source;
  population.size = 1;
  for (const double t : times_ms) population.train.push_back({t, 0});
  return population;
}

Projection projection(const std::string& name, const std::string& from, double weight, double delay_ms) {
  Projection p;
  p.name = name;
  p.source = from;
  p.target = "neuron";
  p.rule.kind = ConnectivityRule::Kind::one_to_one;
  p.weight = Distribution::constant(weight);
  p.delay_ms = Distribution::constant(delay_ms);
  return p;
}

}  // namespace

SpikePairs spike_pairs_of(const nlohmann::json& entry) {
  SpikePairs pairs;
  pairs.rule = entry.at("rule").get<std::string>();
  for (const char* const special : {"stdp_additive", "stdp_multiplicative", "stdp_guetig"}) {
    if (pairs.rule == special) pairs.rule = "stdp";
  }
  for (const auto& [name, value] : entry.at("params").items()) pairs.parameters[name] = value.get<double>();
  pairs.dt_ms = entry.at("dt").get<double>();
  pairs.delay_ms = entry.at("delay").get<double>();
  pairs.weight = entry.at("w0").get<double>();
  pairs.pre_ms = entry.at("pre").get<std::vector<double>>();
  pairs.post_ms = entry.at("post").get<std::vector<double>>();
  if (entry.contains("modulator")) {
    pairs.modulator_ms = entry.at("modulator").get<std::vector<double>>();
    pairs.modulator_delay_ms = entry.at("modulator_delay").get<double>();
  }
  return pairs;
}

Network network_of(const SpikePairs& pairs) {
  Network network;
  network.name = "spike pairs";
  network.dt_ms = pairs.dt_ms;
  network.rate_limit_hz = 1e6;
  std::vector<double> drive;  // arrives one step later
  for (const double t : pairs.post_ms) drive.push_back(t - pairs.dt_ms);
  Population neuron;
  neuron.name = "neuron";
  neuron.model = "iaf_psc_delta";
  neuron.size = 1;
  // It hardly forgets, and no plastic weight makes it spike.
  neuron.parameters = {{"tau_m", 1e15}, {"E_L", 0.0}, {"V_reset", 0.0}, {"V_th", 1e6}, {"t_ref", 0.0}};
  network.populations = {source("pre", pairs.pre_ms), source("drive", drive), neuron};
  network.projections = {projection("drive", "drive", 1e7, pairs.dt_ms), projection("synapse", "pre", pairs.weight, pairs.delay_ms)};
  network.projections[1].plasticity = Plasticity{pairs.rule, pairs.parameters, pairs.axonal_delay_ms};
  if (!pairs.modulator_ms.empty()) {
    network.populations.push_back(source("modulator", pairs.modulator_ms));
    network.projections[1].plasticity->modulator = "modulator";
    network.projections[1].plasticity->modulator_delay_ms = pairs.modulator_delay_ms;
  }
  return network;
}

namespace {

Simulation simulation_of(const SpikePairs& pairs, Precision precision) {
  SimulationOptions options;
  options.precision = precision;
  options.threads = 1;
  return Simulation(network_of(pairs), NeuronCatalogue::builtin(), options);
}

void run_to(Simulation& simulation, double time_ms, double dt_ms) {
  const auto steps = std::llround(time_ms / dt_ms) - simulation.step();
  if (steps > 0) simulation.run(static_cast<double>(steps) * dt_ms);
}

}  // namespace

std::vector<double> weights_at(const SpikePairs& pairs, const std::vector<double>& times_ms, Precision precision) {
  Simulation simulation = simulation_of(pairs, precision);
  std::vector<double> weights;
  for (const double t : times_ms) {
    run_to(simulation, t, pairs.dt_ms);
    weights.push_back(simulation.synapses("synapse").at(0).weight);
  }
  return weights;
}

std::vector<double> transmitted(const SpikePairs& pairs) {
  Simulation simulation = simulation_of(pairs, Precision::exact);
  std::vector<double> weights;
  for (const double t : pairs.pre_ms) {
    run_to(simulation, t + pairs.delay_ms - pairs.dt_ms, pairs.dt_ms);
    const double before = simulation.state("neuron", "V_m").at(0);
    run_to(simulation, t + pairs.delay_ms, pairs.dt_ms);
    weights.push_back(simulation.state("neuron", "V_m").at(0) - before);
  }
  return weights;
}

}  // namespace tessera::test
