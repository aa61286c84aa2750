// Networks that a device runs, and what must be equal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/networks.hpp"

namespace tessera::test {

inline void expect_same_spikes(const Outcome& device, const Outcome& processor, const std::string& what) {
  EXPECT_EQ(device.digest, processor.digest) << what;
  EXPECT_EQ(device.spikes, processor.spikes) << what;
  EXPECT_EQ(device.synapses, processor.synapses) << what;
  EXPECT_TRUE(device.list == processor.list) << what;
}

inline SimulationOptions emulated(std::uint64_t order, std::uint32_t blocks = 8, std::uint32_t threads = 96,
                                  Connectivity connectivity = Connectivity::stored) {
  SimulationOptions options = options_of(connectivity);
  options.device.kind = Device::Kind::emulated;
  options.device.order = order;
  options.device.blocks = blocks;
  options.device.threads = threads;
  return options;
}

inline void expect_independent_of_order(const Network& network, double time_ms, std::uint64_t least_spikes, std::uint64_t orders = 8) {
  const Outcome processor = outcome_of(network, options_of(Connectivity::stored), time_ms);
  EXPECT_GE(processor.spikes, least_spikes) << "hardly any activity to compare";
  for (std::uint64_t order = 0; order < orders; ++order) {
    expect_same_spikes(outcome_of(network, emulated(order), time_ms), processor, "order " + std::to_string(order));
  }
}

/// Every rule between populations of iaf_psc_exp, without sources: all neurons have one equation.
inline Network every_rule_of_neurons() {
  Network network = every_rule();
  for (std::size_t p = network.populations.size(); p-- > 0;) {
    if (network.populations[p].kind != Population::Kind::neurons) network.populations.erase(network.populations.begin() + static_cast<std::ptrdiff_t>(p));
  }
  for (Population& p : network.populations) p.model = "iaf_psc_exp";
  std::erase_if(network.projections, [&](const Projection& p) { return p.source == "noise" || p.source == "train"; });
  network.stimuli[2].amplitude_pA = 300.0;  // G, beside its Poisson input
  return network;
}

/// The balanced network of another model, with weights and currents that keep it active.
inline Network balanced_of(const std::string& model) {
  struct Scale {
    const char* model;
    double excitation, inhibition, current, rest;
  };
  constexpr Scale scales[] = {{"iaf_psc_exp", 80.0, -320.0, 380.0, -58.0},   {"iaf_psc_delta", 0.4, -1.2, 380.0, -58.0},
                              {"iaf_psc_alpha", 20.0, -60.0, 380.0, -58.0},  {"izhikevich", 1.0, -2.0, 14.0, -58.0},
                              {"iaf_cond_exp", 4.0, -10.0, 300.0, -62.0},    {"aeif_cond_exp", 6.0, -12.0, 800.0, -62.0}};
  Network network = balanced();
  for (const Scale& scale : scales) {
    if (model != scale.model) continue;
    for (Population& p : network.populations) {
      p.model = model;
      p.parameters.clear();
      p.initial["V_m"].distribution = Distribution::normal(scale.rest, 5.0);
    }
    if (model == "iaf_psc_alpha" || model == "iaf_psc_exp") network.populations[1].parameters["tau_syn_in"] = 1.0;  // two ports
    for (Projection& p : network.projections) {
      const double weight = p.source == "I" ? scale.inhibition : scale.excitation;
      p.weight = Distribution::normal(weight, std::abs(weight) / 10.0);
    }
    for (Stimulus& s : network.stimuli) s.amplitude_pA = scale.current;
  }
  return network;
}

inline Population source_of(const std::string& name, std::uint32_t size, double rate_hz) {
  Population p;
  p.name = name;
  p.kind = Population::Kind::poisson_source;
  p.size = size;
  p.rate_hz = rate_hz;
  return p;
}

/// Every kind of source: several spikes in a step, pulses, a bump that moves, listed spikes, at time 0 among them.
inline Network with_sources() {
  Network network = balanced();
  for (Stimulus& s : network.stimuli) s.amplitude_pA = 250.0;
  Population dense = source_of("dense", 170, 10000.0), pulses = source_of("pulses", 600, 300.0), bump = source_of("bump", 64, 5.0);
  pulses.start_ms = 2.3;
  pulses.duration_ms = 4.0;
  pulses.interval_ms = 9.0;
  bump.grid_columns = 8;
  bump.bump = ActivityBump();
  bump.bump->peak_hz = 200.0;
  bump.bump->sigma = 1.5;
  bump.bump->period_ms = 7.0;
  bump.bump->centres = 8;
  bump.bump->block = 8;
  Population train;
  train.name = "train";
  train.kind = Population::Kind::spike_train_source;
  train.size = 30;
  for (std::uint32_t i = 0; i < 90; ++i) train.train.push_back({0.5 * (i / 30), i % 30});
  network.populations.insert(network.populations.end(), {dense, pulses, bump, train});
  const Distribution delay = Distribution::normal(1.5, 0.75).within(0.1, 6.0);
  network.projections.push_back(project("dense", "E", Kind::fixed_outdegree, 20, Distribution::normal(6, 1), delay));
  network.projections.push_back(project("pulses", "I", Kind::fixed_total_number, 4000, Distribution::normal(60, 6), delay));
  network.projections.push_back(project("bump", "E", Kind::fixed_outdegree, 30, Distribution::normal(90, 9), delay));
  network.projections.push_back(project("train", "E", Kind::fixed_outdegree, 40, Distribution::normal(150, 9), delay));
  return network;
}

}  // namespace tessera::test
