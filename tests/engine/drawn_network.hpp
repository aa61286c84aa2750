// Networks drawn at random, so that rules, models, delays and inputs meet in ways nobody thought of.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/networks.hpp"
#include "support/draw.hpp"

namespace tessera::test {

inline constexpr double kDrawnTime_ms = 20.0;

inline Population drawn_neurons(Draw& draw, const std::string& name) {
  static const char* const kModels[] = {"iaf_psc_exp",  "iaf_psc_alpha", "iaf_psc_delta",
                                        "iaf_cond_exp", "aeif_cond_exp", "izhikevich"};
  Population p = neurons_of(name, 1, kModels[draw.below(6)]);
  const std::uint32_t columns = 1 + draw.below(12);
  p.size = columns * (1 + draw.below(draw.one_in(4) ? 150 : 20));
  p.grid_columns = columns;
  if (p.model == "iaf_psc_exp" && draw.one_in(2)) p.parameters["tau_syn_in"] = 1.0;  // a second port
  if (p.model != "izhikevich") p.initial["V_m"].distribution = Distribution::uniform(-65.0, -50.5);
  return p;
}

inline Population drawn_source(Draw& draw, const std::string& name) {
  Population p;
  p.name = name;
  const std::uint32_t columns = 1 + draw.below(8);
  p.size = columns * (1 + draw.below(13));
  p.grid_columns = columns;
  p.kind = draw.one_in(2) ? Population::Kind::poisson_source : Population::Kind::spike_train_source;
  if (p.kind == Population::Kind::poisson_source) {
    p.rate_hz = draw.between(0.0, 200.0);
    p.start_ms = draw.between(0.0, 5.0);
    return p;
  }
  for (std::uint32_t i = 0; i < 60; ++i) p.train.push_back({draw.between(0.1, kDrawnTime_ms), draw.below(p.size)});
  return p;
}

/// Most weights are of like size; in some projections they are up to 100,000 times smaller, or ten times larger.
inline double drawn_factor(Draw& draw) {
  if (!draw.one_in(3)) return 1.0;
  return draw.one_in(4) ? 10.0 : std::pow(10.0, -draw.between(1.0, 5.0));
}

inline Distribution drawn_weight(Draw& draw, const Population& target) {
  // A few synapses lift a neuron over its threshold: pA, mV or nS.
  double size = 120.0;
  if (target.model == "iaf_psc_delta" || target.model == "izhikevich") size = 3.0;
  const bool conductance = target.model == "iaf_cond_exp" || target.model == "aeif_cond_exp";
  if (conductance) size = 4.0;
  const double sign = !conductance && draw.one_in(3) ? -1.0 : 1.0;
  switch (draw.below(5)) {
    case 0: return Distribution::constant(sign * size);
    case 1: return Distribution::normal(sign * size, 0.1 * size);
    case 2: return Distribution::uniform(-0.2 * size, size);
    case 3: return Distribution::exponential(sign * size);
    default: return Distribution::lognormal(std::log(size), 0.4).scaled(sign);
  }
}

inline Distribution drawn_delay(Draw& draw) {
  const double longest = draw.one_in(4) ? 40.0 : 6.0;
  switch (draw.below(4)) {
    case 0: return Distribution::constant(0.1 * (1 + draw.below(60)));
    case 1: return Distribution::uniform(0.1 + draw.between(0.0, 2.0), 2.2 + draw.between(0.0, longest));
    case 2: return Distribution::normal(1.5, 0.75).within(0.1, longest);
    default: return Distribution::exponential(1.0).within(0.1 * (1 + draw.below(12)), longest);
  }
}

/// All grids lie on the same sheet of 2 x 1 mm, or have no extent; periodic or not.
struct Space {
  bool measured, periodic;
  [[nodiscard]] bool joins(const Population& from, const Population& to) const {
    if (from.grid_columns == 0 || to.grid_columns == 0) return false;
    return measured || !periodic || (from.size == to.size && from.grid_columns == to.grid_columns);
  }
};

inline ConnectivityRule drawn_rule(Draw& draw, const Population& from, const Population& to, const Space& space) {
  ConnectivityRule rule;
  rule.kind = static_cast<Kind>(draw.below(8));
  if (rule.kind == Kind::one_to_one && from.size != to.size) rule.kind = Kind::fixed_total_number;
  if (rule.kind == Kind::all_to_all && from.size * to.size > 20000) rule.kind = Kind::pairwise_bernoulli;
  if (rule.kind == Kind::gaussian_2d && !space.joins(from, to)) rule.kind = Kind::fixed_indegree;
  rule.autapses = draw.one_in(2) || rule.kind == Kind::one_to_one || rule.kind == Kind::explicit_list;
  rule.multapses = draw.one_in(2);
  rule.probability = draw.between(0.0, 0.3);
  rule.sigma = draw.between(0.5, 3.0) * (space.measured ? 0.1 : 1.0);
  const std::uint32_t others = from.size - (from.name == to.name ? 1 : 0);
  const std::uint32_t targets = to.size - (from.name == to.name ? 1 : 0);
  if (rule.kind == Kind::fixed_total_number) rule.number = draw.below(from.size * std::min(targets, 20u) / 2 + 1);
  if (rule.kind == Kind::fixed_indegree) rule.number = others == 0 ? 0 : draw.below(std::min(others, 30u));
  if (rule.kind == Kind::fixed_outdegree) rule.number = targets == 0 ? 0 : draw.below(std::min(targets, 30u));
  if (rule.kind != Kind::fixed_total_number && rule.kind != Kind::fixed_indegree && rule.kind != Kind::fixed_outdegree) {
    rule.multapses = true;
  }
  return rule;
}

inline Network drawn_network(Draw& draw) {
  Network network;
  network.name = "drawn";
  network.rate_limit_hz = 1e6;
  const std::uint32_t populations = 1 + draw.below(4), sources = draw.below(3);
  for (std::uint32_t p = 0; p < populations; ++p) network.populations.push_back(drawn_neurons(draw, "N" + std::to_string(p)));
  for (std::uint32_t p = 0; p < sources; ++p) network.populations.push_back(drawn_source(draw, "S" + std::to_string(p)));
  const Space space{draw.one_in(2), draw.one_in(2)};
  for (Population& p : network.populations) {
    if (space.measured) p.extent_mm = {2.0, 1.0};
    p.periodic = space.periodic;
  }
  if (draw.one_in(3)) network = beside_silent(std::move(network), draw.one_in(2) ? 20000 : 40000);
  const std::uint32_t projections = 1 + draw.below(10);
  for (std::uint32_t k = 0; k < projections; ++k) {
    const Population& from = network.populations[draw.below(populations + sources)];
    const Population& to = network.populations[draw.below(populations)];
    Projection p = project(from.name, to.name, Kind::one_to_one, 0, drawn_weight(draw, to), drawn_delay(draw));
    p.rule = drawn_rule(draw, from, to, space);
    p.weight = p.weight.scaled(drawn_factor(draw));
    if (space.joins(from, to) && p.rule.kind != Kind::explicit_list && draw.one_in(2)) {
      p.delay_ms = Distribution::constant(draw.between(0.0, 2.0));
      p.delay_slope = space.measured ? draw.between(0.1, 3.0) : draw.between(0.01, 0.2);
    }
    p.name = "P" + std::to_string(k);
    if (p.rule.kind == Kind::explicit_list) {
      const bool positive = to.model == "iaf_cond_exp" || to.model == "aeif_cond_exp";
      for (std::uint32_t i = draw.below(200); i > 0; --i) {
        const double weight = drawn_weight(draw, to).mean() * drawn_factor(draw);
        p.rule.list.push_back({draw.below(from.size), draw.below(to.size), positive ? std::abs(weight) : weight,
                               0.1 * (1 + draw.below(80))});
      }
    }
    network.projections.push_back(p);
  }
  for (std::uint32_t p = 0; p < populations; ++p) {
    const Population& target = network.populations[p];
    Stimulus s = current(target.name, target.model == "izhikevich" ? 8.0 : draw.between(300.0, 500.0));
    if (target.model == "iaf_cond_exp") s.amplitude_pA *= 0.7;
    if (target.model == "aeif_cond_exp") s.amplitude_pA *= 2.0;
    network.stimuli.push_back(s);
    if (draw.one_in(3)) network.stimuli.push_back(poisson(target.name, draw.between(0.0, 5000.0), drawn_weight(draw, target).mean()));
  }
  return network;
}

}  // namespace tessera::test
