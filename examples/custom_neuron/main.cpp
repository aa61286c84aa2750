// Adds a neuron model to the catalogue, builds a small network of it, runs it and prints the rates.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <iostream>
#include <tessera/errors.hpp>
#include <tessera/network.hpp>
#include <tessera/simulation.hpp>

#include "my_neuron.hpp"

namespace {

using namespace tessera;

constexpr double kTime_ms = 2000.0;
constexpr double kDrive_pA = 200.0;

/// Rate of the model under a constant current, from the closed form of the integral of dV /
/// (dV/dt).
double exact_rate_hz(const ParameterValues& p, double current_pA) {
  const double middle = (p["E_L"] + p["V_crit"]) / 2, half = (p["V_crit"] - p["E_L"]) / 2;
  const double excess = current_pA - p["k"] * half * half;  // above the rheobase
  const double scale = std::sqrt(p["k"] / excess);
  const double period_ms = p["t_ref"] + p["C_m"] / std::sqrt(p["k"] * excess) *
                                            (std::atan(scale * (p["V_peak"] - middle)) -
                                             std::atan(scale * (p["V_reset"] - middle)));
  return 1000.0 / period_ms;
}

Population neurons(const char* name, std::uint32_t size) {
  Population population;
  population.name = name;
  population.size = size;
  population.model = "qif_psc_exp";
  population.initial["V_m"].distribution = Distribution::uniform(-60.0, -45.0);
  return population;
}

Projection connect(const char* source, const char* target, std::uint64_t indegree,
                   double weight_pA) {
  Projection projection;
  projection.name = std::string(source) + " to " + target;
  projection.source = source;
  projection.target = target;
  projection.rule.kind = ConnectivityRule::Kind::fixed_indegree;
  projection.rule.number = indegree;
  projection.weight = Distribution::constant(weight_pA);
  projection.delay_ms = Distribution::uniform(0.5, 2.0);
  return projection;
}

/// A balanced pair of populations under Poisson drive, and a third one under a constant current.
Network build() {
  Network network;
  network.name = "custom neuron";
  network.populations = {neurons("excitatory", 400), neurons("inhibitory", 100),
                         neurons("driven", 20)};
  network.populations[2].initial.clear();
  for (const char* target : {"excitatory", "inhibitory"}) {
    network.projections.push_back(connect("excitatory", target, 40, 10.0));
    network.projections.push_back(connect("inhibitory", target, 10, -50.0));
    Stimulus noise;
    noise.name = std::string("noise to ") + target;
    noise.kind = Stimulus::Kind::poisson;
    noise.target = target;
    noise.rate_hz = 2000.0;
    noise.weight = 20.0;
    noise.delay_ms = 0.1;
    network.stimuli.push_back(noise);
  }
  Stimulus current;
  current.name = "constant current";
  current.target = "driven";
  current.amplitude_pA = kDrive_pA;
  network.stimuli.push_back(current);
  return network;
}

int run() {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  models.add(my_neuron::model());
  std::cout << document(*models.find("qif_psc_exp")) << '\n';

  const Network network = build();
  Simulation simulation(network, models, SimulationOptions{});
  simulation.run(kTime_ms);

  double driven_hz = 0.0;
  bool silent = false;
  for (const PopulationReport& population : simulation.report().populations) {
    const double spikes = static_cast<double>(population.spikes);
    const double rate_hz = spikes / population.size / (kTime_ms * 1e-3);
    std::cout << population.name << ": " << rate_hz << " Hz\n";
    silent = silent || population.spikes == 0;
    if (population.name == "driven") driven_hz = rate_hz;
  }
  ParameterValues defaults;
  for (const ParameterInfo& p : models.find("qif_psc_exp")->parameters) {
    defaults.set(p.name, p.default_value);
  }
  const double exact_hz = exact_rate_hz(defaults, kDrive_pA);
  std::cout << "driven, closed form: " << exact_hz << " Hz\n";
  return !silent && std::abs(driven_hz - exact_hz) < 0.02 * exact_hz ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
